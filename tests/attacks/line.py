"""Problems on a line, with numbers of any size: truth is rational, and all kinds of certificates are easily written."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from relaxbench.solvers.certificates.certificate import Certificate
from relaxbench.solvers.network import Array

from .honest import ARCS, CELLS, COVER, DNN, Case
from .truth import truth_on_a_line

NONE = np.zeros(0, int)


def on_a_line(name: str, x: Array, y: Array, gamma: float, theta: Array, z: float = 1.0) -> Iterator[Case]:
    """All kinds of certificates for one feature and one output, x (n,) and y (n,), with this Θ (n,)."""
    truth = truth_on_a_line(x.tolist(), y.tolist(), gamma)
    live = np.flatnonzero(x)
    for kind, proof in _proofs(x, live, z):
        certificate = Certificate(kind, theta[:, None].copy(), proof, 0.0)
        yield Case(f"{name}, {kind}", certificate, x[:, None].copy(), y[:, None].copy(), gamma, truth)


def _proofs(x: Array, live: np.ndarray, z: float) -> Iterator[tuple[str, dict[str, np.ndarray]]]:
    first = live[np.argmax(np.abs(x[live]))] if len(live) else 0
    with np.errstate(all="ignore"):
        coef = np.nan_to_num(x / x[first]) if len(live) else np.zeros(len(x))
    merged = {
        "rows": np.array([first])[: len(live)],
        "rep": np.where(x != 0, 0, -1),
        "coef": coef,
        **dict.fromkeys(("T_row", "T_column"), NONE),
        "T_value": np.zeros(0),
        "z": np.full(min(1, len(live)), z),
    }
    apart = merged | {"rows": live, "rep": np.where(x != 0, np.cumsum(x != 0) - 1, -1), "coef": 1.0 * (x != 0)}
    apart["z"] = np.full(len(live), z)
    yield DNN, merged
    yield DNN, apart
    none = dict.fromkeys(("circuit_head", "circuit_cell", "circuit_form", "circuit_row", "T_cell"), NONE)
    none |= {"planes": np.zeros(0), "circuit_value": np.zeros(0)}
    yield CELLS, {**merged, **none, "tree": np.array([-1])}
    if len(live):
        yield CELLS, {**merged, **none, "tree": np.array([0, -1, -1]), "z": np.full(2, z)}
    yield CELLS, {**apart, **none, "tree": np.array([-1])}
    yield ARCS, {}
    one = np.ones((1, 1))
    yield COVER, {"basis": one, "transform": one, "splits": np.zeros(2, np.uint8), "offsets": np.arange(2)}


def random_number(rng: np.random.Generator, wide: bool) -> float:
    """A double of any size or, if not `wide`, of one that squares do not leave the range with; of either sign."""
    power = int(rng.integers(-1074, 1023) if wide else rng.integers(-200, 200))
    return float(np.ldexp(rng.uniform(1, 2) * rng.choice([-1.0, 1.0]), power))
