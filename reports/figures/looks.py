"""One colour, marker and line for a method wherever it appears."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ...bench.grid.registry import METHODS
from .style import LINES, OTHER_LOOKS, other_look

SIZES = {"X": 5.6, "P": 5.2, "*": 6.6}  # of markers so slender that hollow ones would look like filled ones
SOLVER_LOOKS = dict(zip(("cvxpy-scs", "cvxpy-clarabel", "interior", "reduced-scs"), OTHER_LOOKS[1:], strict=True))


def method_looks(methods: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Give each method, or solver of the relaxation other than ours, a colour and a marker.

    Args:
        methods: their names; those without a look of their own take the spare ones, which go round alphabetically.

    Returns:
        The look by name.
    """
    names = list(dict.fromkeys(methods))
    known = {**{name: dict(method.look) for name, method in METHODS.items()}, **SOLVER_LOOKS}
    spare = {name: other_look(k) for k, name in enumerate(sorted(set(names) - known.keys()))}
    looks = {name: {**(known.get(name) or spare[name]), "linestyle": "-"} for name in names}
    return {
        name: look | ({"markersize": SIZES[look["marker"]]} if look["marker"] in SIZES else {})
        for name, look in looks.items()
    }


def arm_looks(arms: Sequence[tuple[str, str]]) -> dict[str, dict[str, Any]]:
    """Give each arm its method's colour and marker, and a line style of its own.

    Args:
        arms: (method, arm) pairs.

    Returns:
        The look by arm.
    """
    looks = method_looks(method for method, _ in arms)
    seen: dict[str, int] = {}
    found = {}
    for method, arm in dict.fromkeys(arms):
        k = seen[method] = seen.get(method, -1) + 1
        found[arm] = {**looks[method], "linestyle": LINES[k % len(LINES)]}
        if k:
            found[arm]["fillstyle"] = ["none", "left", "right", "top", "bottom"][(k - 1) % 5]
    return found
