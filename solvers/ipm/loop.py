"""Interior point with constraint generation: our solver of the relaxation.

Only a few of the about 2n² inequalities bind at the optimum. The method starts strictly inside all of them, keeps
the primal strictly feasible throughout, and lets an inequality in when a step would use up most of its slack. The
dual may be infeasible; every iterate gives a proved bound after exact repair (reduced/dual.py), and the method
stops on the gap between that bound and the value of its own feasible point.
"""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from ..fit import Status
from ..network import Array, ProblemError
from ..reduced.lift import inequalities
from ..reduced.reduction import Reduced
from .bounds import dual_point, first_bounds, last_sharpening, record
from .many_outputs import EliminatedSystem
from .newton import NewtonSystem
from .points import Iterate, Pairs
from .start import start
from .state import SETTINGS, InteriorPoint, State, WarmStart
from .step import iterate

SHARPENING = 0.1  # share of a budget that is left for the last bound
ITERATIONS = 120  # at most: four times what most data take
DAMPED = 2e-3  # share of Z's diagonal that its inverse is damped by at the start: found on random and real data


def interior_point(
    reduced: Reduced,
    *,
    gap: float = 1e-6,
    budget: float | None = None,
    iterations: int = ITERATIONS,
    warm: WarmStart | None = None,
) -> InteriorPoint:
    """Solve the relaxation until the proved gap is at most `gap`, or the seconds or the iterations are spent.

    Args:
        reduced: the problem.
        gap: the relative gap to prove.
        budget: seconds, None for no limit; at least one iteration is made.
        iterations: at most so many.
        warm: where the same data with another γ came by.

    Returns:
        The best bounds, with status `ok` if the gap is proved; else `timeout`, `iteration_limit`, or `stalled` where
        rounding allows no more.

    Raises:
        ProblemError: a warm start from other data.
    """
    until = np.inf if budget is None else time.perf_counter() + budget
    state = init(reduced, gap, warm)
    while True:
        end = check(state, None if budget is None else (1 - SHARPENING) * budget, iterations)
        if end is not None:
            return finish(state, *end, until)
        step(state)


def init(reduced: Reduced, gap: float, warm: WarmStart | None) -> State:
    """Make the state before the first iteration, with the bounds that are known by then.

    Args:
        reduced: the problem.
        gap: the relative gap to prove.
        warm: where the same data with another γ came by, if it is known.

    Returns:
        The state.

    Raises:
        ProblemError: a warm start of other shapes.
    """
    began = time.perf_counter()
    n, c = reduced.n, reduced.c
    excluded = inequalities(n)
    pairs = _equalities(reduced)
    if warm is None:
        it = _first_iterate(reduced, pairs)
    else:
        same = len(warm.it.Z) == n + reduced.d + c and warm.pairs.losses == pairs.losses
        if not same or not np.array_equal(warm.pairs.i[: pairs.first], pairs.i):
            raise ProblemError("A warm start must come from the same X and Y. Got one of other shapes instead.")
        it, pairs = warm.at(reduced.gamma), warm.pairs
        excluded[pairs.i[pairs.first :], pairs.j[pairs.first :]] = False
    state = State(reduced, it, pairs, excluded, it.Z, dual_point(reduced, pairs, it), gap, began=began)
    state.phases.seconds["start"] = time.perf_counter() - began
    with state.phases("bounds"):
        first_bounds(state)
    return state


def step(state: State) -> None:
    """Make one iteration: move, take the bounds, and count whether it was of use; or find that the method is broken.

    Args:
        state: changed in place.
    """
    reduced, known = state.reduced, len(state.pairs.i)
    rows = reduced.loss_rows
    right, weight = reduced.target[rows].ravel(), np.repeat(reduced.weight[rows], reduced.c)
    newton = EliminatedSystem if state.pairs.losses > SETTINGS.many_losses else NewtonSystem
    try:
        with np.errstate(over="raise"), state.phases("directions"):
            given = reduced.X, _cost(reduced), right, weight, state.pairs, state.it
            system = newton(*given, state.phases, reduced.mix)
            state.it, state.pairs, moved = iterate(system, reduced, state.excluded)
    except (np.linalg.LinAlgError, FloatingPointError):
        state.broken = True
        return
    with state.phases("bounds"):
        record(state)
    mu, less = state.it.mu(state.pairs.first), 1 - SETTINGS.gain
    better = mu < less * state.lowest_mu or state.gap < less * state.lowest_gap or state.gap > SETTINGS.first_gap
    if len(state.pairs.i) > known + SETTINGS.many_new or (moved > SETTINGS.moved and better):
        state.idle, state.lowest_mu = 0, min(state.lowest_mu, mu)
        state.lowest_gap = min(state.lowest_gap, state.gap)
    else:
        state.idle += 1


def check(state: State, budget: float | None, iterations: int) -> tuple[Status, str] | None:
    """Decide whether the method ends here; the one test of termination.

    Args:
        state: the state after an iteration, or before the first.
        budget: seconds, None for no limit.
        iterations: at most so many.

    Returns:
        None to go on, or the status with a message.
    """
    if state.reached:
        return Status.OK, ""
    if state.broken:
        return Status.STALLED, "stopped where rounding ends: the Newton system can no longer be factorised"
    if state.idle >= SETTINGS.patience:
        return Status.STALLED, "stopped where rounding ends: no more progress"
    if budget is not None and state.iterations:
        spent = time.perf_counter() - state.began
        if spent + (state.trace[-1].seconds - state.trace[-2].seconds if len(state.trace) > 1 else 0.0) >= budget:
            return Status.TIMEOUT, ""  # or nearly: another iteration as long as the last would not be over in time
    if state.iterations >= iterations:
        return Status.ITERATION_LIMIT, f"stopped after {state.iterations} iterations"
    return None


def finish(state: State, status: Status, message: str, until: float = np.inf) -> InteriorPoint:
    """Put together what comes out; where the gap is not reached, the bound is sharpened once more, which may reach it.

    Args:
        state: the last state.
        status: how the method ended, unless sharpening reaches the gap.
        message: in words.
        until: when sharpening has to end (`time.perf_counter`).

    Returns:
        The solution with its bounds.
    """
    if not state.reached:
        with state.phases("bounds"):
            last_sharpening(state, until)
    if state.reached:
        status, message = Status.OK, ""
    return InteriorPoint(
        Z=state.Z,
        dual=state.dual,
        upper=state.upper,
        lower=state.lower,
        iterations=state.iterations,
        inequalities=len(state.it.x) if state.iterations else 0,
        trace=tuple(state.trace),
        status=status,
        message=message,
        halfway=state.halfway,
        phases=state.phases.seconds,
    )


def _equalities(reduced: Reduced) -> Pairs:
    """The constraints that are always there: α_i β_i = 0, and the predictions on the rows that carry a loss."""
    n, c, rows = reduced.n, reduced.c, reduced.loss_rows
    before, outputs = (0, 2 * n) if reduced.mix is None else (2 * n, 4 * n)  # where loss rows and v begin
    i = np.r_[np.arange(n), np.repeat(before + rows, c)]
    j = np.r_[n + np.arange(n), outputs + np.tile(np.arange(c), len(rows))]
    return Pairs(i, j, n, len(rows) * c)


def _cost(reduced: Reduced) -> Array:
    """The diagonal of C."""
    return np.r_[np.zeros(reduced.n), np.full(reduced.d + reduced.c, reduced.gamma / 2)]


def _first_iterate(reduced: Reduced, pairs: Pairs) -> Iterate:
    """A strictly feasible Z; for the dual T = 0, Θ = 0 and a small z are feasible, but far from the central path.

    So μZ⁻¹, central for μ = ⟨C, Z⟩ per dimension, is added to their slack, with Z damped: rows that are nearly parallel
    would make it huge. The dual steps take this infeasibility away again.
    """
    n, d, c = reduced.n, reduced.d, reduced.c
    E = start(reduced)
    Z = np.zeros((n + d + c, n + d + c))
    Z[: n + d, : n + d] = E
    Z[n + d :, n + d :] = np.eye(c) * (float(np.trace(E[n:, n:])) / c)
    z = reduced.gamma / 2 / float(np.max(np.sum(reduced.X**2, axis=0)))
    y = np.concatenate([np.full(n, -z), np.zeros(pairs.losses)])
    S = np.diag(_cost(reduced))
    S[np.arange(n), np.arange(n)] += z / 4
    S[n : n + d, n : n + d] -= z / 4 * (reduced.X.T @ reduced.X)
    central = np.linalg.inv(Z + DAMPED * np.diag(np.diag(Z)))
    S += float(np.diag(Z) @ _cost(reduced)) / len(Z) * (central + central.T) / 2
    return Iterate(Z, S, np.zeros(0), y, np.zeros(0))


def better(warm: InteriorPoint, cold: InteriorPoint, seconds: float) -> InteriorPoint:
    """The better of a warm start that led nowhere and the cold one after it.

    Args:
        warm: what the warm start led to.
        cold: what the cold one after it led to.
        seconds: that the warm one took.

    Returns:
        The one with the smaller gap, with the counts and traces of both, and the cold one's end.
    """
    best = min(cold, warm, key=lambda end: end.gap)
    after = [
        replace(row, seconds=row.seconds + seconds, iteration=row.iteration + warm.iterations) for row in cold.trace
    ]
    return replace(
        best,
        iterations=warm.iterations + cold.iterations,
        trace=(*warm.trace, *after),
        status=cold.status,
        message=cold.message,
        halfway=cold.halfway or warm.halfway,
    )
