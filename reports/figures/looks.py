"""One colour, marker and line for a method wherever it appears."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ...bench.grid.registry import METHODS
from .style import LINES, OTHER_LOOKS, other_look

SOLVER_LOOKS = dict(zip(("cvxpy-scs", "cvxpy-clarabel", "interior", "reduced-scs"), OTHER_LOOKS[1:], strict=True))


def method_looks(methods: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Colour and marker for each method, or solver of the relaxation other than ours; the rest take the spare ones.

    The spare ones go round in alphabetical order.
    """
    names = list(dict.fromkeys(methods))
    known = {**{name: dict(method.look) for name, method in METHODS.items()}, **SOLVER_LOOKS}
    spare = {name: other_look(k) for k, name in enumerate(sorted(set(names) - known.keys()))}
    return {name: {**(known.get(name) or spare[name]), "linestyle": "-"} for name in names}


def arm_looks(arms: Sequence[tuple[str, str]]) -> dict[str, dict[str, Any]]:
    """Looks for (method, arm) pairs: an arm has its method's colour and marker, and a line style of its own."""
    looks = method_looks(method for method, _ in arms)
    seen: dict[str, int] = {}
    found = {}
    for method, arm in dict.fromkeys(arms):
        k = seen[method] = seen.get(method, -1) + 1
        found[arm] = {**looks[method], "linestyle": LINES[k % len(LINES)]}
        if k:
            found[arm]["fillstyle"] = ["none", "left", "right", "top", "bottom"][(k - 1) % 5]
    return found
