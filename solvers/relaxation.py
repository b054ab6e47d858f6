"""A solved relaxation, in the user's coordinates, ready to be stored, rounded or verified."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from .certificates.certificate import Certificate
from .fit import NOTHING, Statistics, Status, TraceRow
from .network import Array, Network

MISSED = 1.1  # times the gap asked for, above which a proved gap has missed it


@dataclass(frozen=True)
class Relaxation:
    """What every solver of the relaxation returns.

    factor: (n+d+c, r) with Z ≈ factor factorᵀ over the rows (s, u, v), s = α + β = |Xu| (formulation without the
    implied coordinates: α = (s + Xu)/2, β = (s − Xu)/2); n, d, c as in the user's data, in its units.
    value: the primal value as the solver reports it (not a bound). certificate: the proved lower bound, if any.
    network: a network met on the way whose objective bounds p*(∞) from above, if any.
    status: how the solver ended. info: further plain numbers and strings, which are kept and shown. halfway: what
    the solver that made it needs in order to solve the same data for another γ from there. stats: what it counted.
    """

    factor: Array
    value: float
    certificate: Certificate | None = None
    network: Network | None = None
    trace: Sequence[TraceRow] = ()
    info: Mapping[str, float | int | str] = field(default_factory=dict)
    status: Status = Status.OK
    message: str = ""
    halfway: object | None = None
    stats: Statistics = NOTHING


def positive_factor(Z: Array) -> Array:
    """R with R Rᵀ = Z for a positive semidefinite Z, largest columns first, what is zero to rounding left out."""
    values, vectors = np.linalg.eigh(Z)
    keep = values > 1e-13 * max(float(values[-1]), 0.0)
    return np.ascontiguousarray((vectors[:, keep] * np.sqrt(values[keep]))[:, ::-1])
