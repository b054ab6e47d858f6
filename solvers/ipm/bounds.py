"""Where the interior point stands: its bounds on the relaxation, and how every iterate improves them.

The dual of an iterate may be infeasible by what inequalities got when they were let in. That is left out of the dual
point, so that every iterate proves about what its complementarity promises.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import numpy as np

from ..fit import Status, TraceRow
from ..network import Array
from ..reduced.dual import DualPoint, dual_value, sharpen, value
from ..reduced.kernel import kernel_value
from ..reduced.lift import inequalities, lift
from ..reduced.reduction import Reduced
from .newton import Iterate, Pairs

HALFWAY = 0.2  # later iterates are too near to the boundary to start from


@dataclass(frozen=True)
class WarmStart:
    """An iterate from which the same data can be solved for another γ: strictly feasible, far from any face."""

    it: Iterate
    pairs: Pairs
    gamma: float

    def at(self, gamma: float) -> Iterate:
        """The iterate with its dual side in proportion to another γ, as C is."""
        ratio = gamma / self.gamma
        return Iterate(self.it.Z, ratio * self.it.S, self.it.x, ratio * self.it.y, ratio * self.it.excess)


@dataclass
class InteriorPoint:
    """Where the method stands: Z over (s, u, v), the best dual point, and both bounds in scaled units.

    halfway: the last iterate whose gap was above HALFWAY.
    """

    Z: Array
    dual: DualPoint
    upper: float = np.inf
    lower: float = -np.inf
    iterations: int = 0
    inequalities: int = 0
    trace: list[TraceRow] = field(default_factory=list)
    status: Status = Status.OK
    message: str = ""
    halfway: WarmStart | None = None

    @property
    def gap(self) -> float:
        """(upper − lower)/upper of the relaxation itself."""
        return (self.upper - self.lower) / self.upper if self.upper > 0 else 0.0


def first_bounds(state: InteriorPoint, reduced: Reduced) -> None:
    """Bounds before the first iteration: the start's own value, and Θ = w ȳ, which is optimal for large γ."""
    nd = reduced.n + reduced.d
    state.upper, _ = kernel_value(reduced, state.Z[:nd, :nd])
    nothing, _ = kernel_value(reduced, 1e-14 * state.Z[:nd, :nd])
    if nothing < state.upper:
        state.upper, state.Z = nothing, 1e-14 * state.Z
    theta = reduced.weight[:, None] * reduced.target
    point = DualPoint(theta, np.zeros((2 * reduced.n, 2 * reduced.n)), state.dual.z)
    _sharpen_into(state, reduced, point, rounds=4)


def dual_point(reduced: Reduced, pairs: Pairs, it: Iterate) -> DualPoint:
    """The Θ, T, z for which S is the dual slack, or nearly: an inequality on its way out may have a negative T.

    That is clipped at zero, and z_p, z_q pay for it: for a pair (r, r') of rows of p and q,
    2 r r' ≤ r² + r'² ≤ ½ (s_p² + (x_p·u)² + s_q² + (x_q·u)²), so that −B_ss stays positive definite.
    """
    n, first = reduced.n, pairs.first
    i, j = pairs.i[first:], pairs.j[first:]
    multiplier = it.y[first:] - it.excess
    clipped = np.maximum(-multiplier, 0.0) * (reduced.gamma / 2)
    T = np.zeros((2 * n, 2 * n))
    T[i, j] = np.maximum(multiplier, 0.0) * reduced.gamma
    theta = np.zeros_like(reduced.target)
    theta[reduced.loss_rows] = it.y[n:first].reshape(-1, reduced.c)
    z = -0.5 * reduced.gamma * it.y[:n]
    np.add.at(z, i % n, clipped)
    np.add.at(z, j % n, clipped)
    return DualPoint(theta, T + T.T, z)


def record(state: InteriorPoint, reduced: Reduced, pairs: Pairs, it: Iterate, gap: float, began: float) -> None:
    """Bounds from this iterate; the better of each is kept, with what it comes from."""
    n, d = reduced.n, reduced.d
    E = it.Z[: n + d, : n + d]
    feasible = float(np.min(lift(reduced.X, E), where=inequalities(n), initial=np.inf)) >= 0
    upper, _ = kernel_value(reduced, E)
    if feasible and upper < state.upper:
        state.upper, state.Z = upper, it.Z
    point = dual_point(reduced, pairs, it)
    lower = dual_value(reduced, point)
    if lower > state.lower:
        state.lower, state.dual = lower, point
    # What the bound would be if nothing had been clipped.
    promised, _, _ = value(reduced, point.theta, reduced.gamma**2)
    if state.gap > gap and state.upper - promised <= gap * state.upper:
        _sharpen_into(state, reduced, point, rounds=8)
    if state.gap > HALFWAY:
        state.halfway = WarmStart(it, pairs, reduced.gamma)
    state.iterations += 1
    state.inequalities = len(it.x)
    state.trace.append(
        TraceRow(
            time.perf_counter() - began,
            state.iterations,
            state.upper * reduced.unit,
            state.lower * reduced.unit,
            it.mu(pairs.first),
        )
    )


def last_sharpening(state: InteriorPoint, reduced: Reduced) -> None:
    """When the method ends early, the best z for its best Θ, and for the Θ of its primal point, may still help much."""
    nd = reduced.n + reduced.d
    _, theta = kernel_value(reduced, state.Z[:nd, :nd])
    for point in (
        state.dual,
        DualPoint(theta, state.dual.T, state.dual.z),
        DualPoint(theta, 0 * state.dual.T, state.dual.z),
    ):
        _sharpen_into(state, reduced, point, rounds=30)


def _sharpen_into(state: InteriorPoint, reduced: Reduced, point: DualPoint, rounds: int) -> None:
    sharper = sharpen(reduced, point, rounds)
    lower = dual_value(reduced, sharper)
    if lower > state.lower:
        state.lower, state.dual = lower, sharper
