"""The bounds that every iterate of the interior point proves.

The dual of an iterate may be infeasible by what inequalities got when they were let in. That is left out of the dual
point, so that every iterate proves about what its complementarity promises.
"""

from __future__ import annotations

import time

import numpy as np

from ..fit import TraceRow
from ..reduced.dual import DualPoint, dual_value, sharpen, value
from ..reduced.kernel import kernel_value
from ..reduced.lift import inequalities, lift
from ..reduced.reduction import Reduced
from .points import Iterate, Pairs
from .state import SETTINGS, State, WarmStart

FIRST, ALONG, LAST = 4, 8, 30  # rounds of sharpening before the first iteration, on the way, and at the end


def first_bounds(state: State) -> None:
    """Bounds before the first iteration: the start's own value, and Θ = w ȳ, which is optimal for large γ."""
    reduced = state.reduced
    nd = reduced.n + reduced.d
    state.upper, _ = kernel_value(reduced, state.Z[:nd, :nd])
    nothing, _ = kernel_value(reduced, 1e-14 * state.Z[:nd, :nd])
    if nothing < state.upper:
        state.upper, state.Z = nothing, 1e-14 * state.Z
    theta = reduced.weight[:, None] * reduced.target
    point = DualPoint(theta, np.zeros((2 * reduced.n, 2 * reduced.n)), state.dual.z)
    _sharpen_into(state, point, FIRST)


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


def record(state: State) -> None:
    """Take bounds from the iterate; the better of each is kept, with what it comes from.

    Args:
        state: changed in place.
    """
    reduced, it = state.reduced, state.it
    n, d = reduced.n, reduced.d
    E = it.Z[: n + d, : n + d]
    feasible = float(np.min(lift(reduced.X, E), where=inequalities(n), initial=np.inf)) >= 0
    upper, _ = kernel_value(reduced, E)
    if feasible and upper < state.upper:
        state.upper, state.Z = upper, it.Z
    point = dual_point(reduced, state.pairs, it)
    lower = dual_value(reduced, point)
    if lower > state.lower:
        state.lower, state.dual = lower, point
    # What the bound would be if nothing had been clipped.
    promised, _, _ = value(reduced, point.theta, reduced.gamma**2)
    if not state.reached and state.upper - promised <= state.gap_wanted * state.upper:
        _sharpen_into(state, point, ALONG)
    if state.gap > SETTINGS.halfway:
        state.halfway = WarmStart(it, state.pairs, reduced.gamma)
    state.iterations += 1
    seconds, bounds = time.perf_counter() - state.began, (state.upper * reduced.unit, state.lower * reduced.unit)
    state.trace.append(TraceRow(seconds, state.iterations, *bounds, it.mu(state.pairs.first)))


def last_sharpening(state: State, until: float) -> None:
    """When the method ends early, the best z for its best Θ, and for the Θ of its primal point, may still help much.

    Args:
        state: changed in place.
        until: when it has to end (`time.perf_counter`).
    """
    nd = state.reduced.n + state.reduced.d
    _, theta = kernel_value(state.reduced, state.Z[:nd, :nd])
    for point in (
        state.dual,
        DualPoint(theta, state.dual.T, state.dual.z),
        DualPoint(theta, 0 * state.dual.T, state.dual.z),
    ):
        _sharpen_into(state, point, LAST, until)


def _sharpen_into(state: State, point: DualPoint, rounds: int, until: float = np.inf) -> None:
    sharper = sharpen(state.reduced, point, rounds, until)
    lower = dual_value(state.reduced, sharper)
    if lower > state.lower:
        state.lower, state.dual = lower, sharper
