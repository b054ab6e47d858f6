"""Interior point with constraint generation: our solver of the relaxation.

Only a few of the about 2n² inequalities bind at the optimum. The method starts strictly inside all of them, keeps
the primal strictly feasible throughout, and lets an inequality in when a step would use up most of its slack. The
dual may be infeasible; every iterate gives a proved bound after exact repair (dual.py, bound.py), and the method
stops on the gap between that bound and the value of its own feasible point.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from ..fit import Status
from ..network import Array, ProblemError
from ..reduced.lift import inequalities, lift
from ..reduced.reduction import Reduced
from .bounds import InteriorPoint, WarmStart, dual_point, first_bounds, last_sharpening, record
from .many_outputs import EliminatedSystem
from .newton import Direction, Iterate, NewtonSystem, Pairs
from .start import start

CUT = 0.95  # an excluded inequality may lose this share of its slack in one step
MANY_LOSSES = 3000  # from here on eliminating the loss rows pays
SHORT = 0.03  # a predictor step below this says that the iterate has to be centred first
MANY_NEW = 20  # so many new inequalities in one iteration are worth a second direction
TINY = 1e-18  # slack relative to the largest entry that counts as none
STALLED = 20  # iterations without progress in μ or the gap


def interior_point(
    reduced: Reduced,
    *,
    gap: float = 1e-6,
    budget: float | None = None,
    iterations: int = 120,
    warm: WarmStart | None = None,
) -> InteriorPoint:
    """Solve the relaxation until the proved gap is at most `gap`, or `budget` seconds or the iterations are spent.

    Status `ok` if the gap is reached; else `timeout`, `iteration_limit`, or `stalled` where rounding allows no more.
    warm: where the same data with another γ came by.
    """
    began = time.perf_counter()
    left = _deadline(began, budget)
    n, c = reduced.n, reduced.c
    rows = reduced.loss_rows
    pairs = Pairs(
        np.r_[np.arange(n), np.repeat(rows, c)],
        np.r_[n + np.arange(n), 2 * n + np.tile(np.arange(c), len(rows))],
        n,
        len(rows) * c,
    )
    cost = np.r_[np.zeros(n), np.full(reduced.d + c, reduced.gamma / 2)]
    right, weight = reduced.target[rows].ravel(), np.repeat(reduced.weight[rows], c)
    excluded = inequalities(n)
    newton = EliminatedSystem if pairs.losses > MANY_LOSSES else NewtonSystem
    if warm is None:
        it = _first_iterate(reduced, cost, pairs)
    else:
        if len(warm.it.Z) != n + reduced.d + c or warm.pairs.losses != pairs.losses:
            raise ProblemError("A warm start must come from the same X and Y. Got one of other shapes instead.")
        it, pairs = warm.at(reduced.gamma), warm.pairs
        excluded[pairs.i[pairs.first :], pairs.j[pairs.first :]] = False
    state = InteriorPoint(it.Z, dual_point(reduced, pairs, it))
    first_bounds(state, reduced)
    stalled, lowest_mu, lowest_gap = 0, np.inf, np.inf
    for _ in range(iterations if state.gap > gap else 0):
        try:
            known = len(pairs.i)
            with np.errstate(over="raise"):
                system = newton(reduced.X, cost, right, weight, pairs, it)
                it, pairs, moved = _iterate(system, reduced, excluded)
        except (np.linalg.LinAlgError, FloatingPointError):
            state.status = Status.STALLED
            state.message = "stopped where rounding ends: the Newton system can no longer be factorised"
            break
        record(state, reduced, pairs, it, gap, began)
        if state.gap <= gap:
            break
        # The first steps, before the iterate is centred, may be short and many.
        better = it.mu(pairs.first) < 0.9 * lowest_mu or state.gap < 0.9 * lowest_gap or state.gap > 0.9
        if len(pairs.i) > known + MANY_NEW or (moved > 1e-4 and better):
            stalled, lowest_mu, lowest_gap = 0, min(lowest_mu, it.mu(pairs.first)), min(lowest_gap, state.gap)
        else:
            stalled += 1
        if stalled >= STALLED:
            state.status, state.message = Status.STALLED, "stopped where rounding ends: no more progress"
            break
        if left() <= 0:
            state.status = Status.TIMEOUT
            break
    else:
        state.status, state.message = Status.ITERATION_LIMIT, f"stopped after {state.iterations} iterations"
    if state.gap > gap:
        last_sharpening(state, reduced)
    if state.gap <= gap:
        state.status, state.message = Status.OK, ""
    return state


def _deadline(began: float, budget: float | None) -> Callable[[], float]:
    return lambda: np.inf if budget is None else budget - (time.perf_counter() - began)


def _first_iterate(reduced: Reduced, cost: Array, pairs: Pairs) -> Iterate:
    n, d, c = reduced.n, reduced.d, reduced.c
    E = start(reduced)
    Z = np.zeros((n + d + c, n + d + c))
    Z[: n + d, : n + d] = E
    Z[n + d :, n + d :] = np.eye(c) * (float(np.trace(E[n:, n:])) / c)
    # T = 0, Θ = 0 and a small z are strictly feasible for the dual.
    z = reduced.gamma / 2 / float(np.max(np.sum(reduced.X**2, axis=0)))
    y = np.concatenate([np.full(n, -z), np.zeros(pairs.losses)])
    S = np.diag(cost)
    S[np.arange(n), np.arange(n)] += z / 4
    S[n : n + d, n : n + d] -= z / 4 * (reduced.X.T @ reduced.X)
    return Iterate(Z, S, np.zeros(0), y, np.zeros(0))


def _iterate(system: NewtonSystem, reduced: Reduced, excluded: np.ndarray) -> tuple[Iterate, Pairs, float]:
    """Predictor, corrector, and once more if the corrector runs into excluded inequalities."""
    n = reduced.n
    slack = system.lifted_Z[: 2 * n, : 2 * n]
    step, primal, dual = _corrected(system)
    worst, used = _most_used(reduced, step, slack, excluded, primal)
    if len(worst) > MANY_NEW or primal * used > 2 * CUT:
        i, j = np.divmod(worst, 2 * n)
        excluded[i, j] = False
        system.extend(i, j, system.it.mu(system.pairs.first))
        step, primal, dual = _corrected(system)
        worst, used = _most_used(reduced, step, slack, excluded, primal)
    if len(worst):
        primal = min(primal, CUT / used)
    it, pairs = _move(system, step, primal, dual)
    if len(worst):
        i, j = np.divmod(worst, 2 * n)
        excluded[i, j] = False
        mu = it.mu(pairs.first)
        pairs = pairs.add(i, j)
        it = it.add(lift(reduced.X, it.Z)[i, j], mu)
    return it, pairs, max(primal, dual)


def _corrected(system: NewtonSystem) -> tuple[Direction, float, float]:
    """Mehrotra's corrected direction with primal and dual step lengths."""
    it, first = system.it, system.pairs.first
    mu = it.mu(first)
    predictor = system.direction(0.0)
    primal, dual = (min(1.0, length) for length in system.step_lengths(predictor))
    ahead = Iterate(
        it.Z + primal * predictor.Z,
        it.S + dual * predictor.S,
        it.x + primal * predictor.x,
        it.y + dual * predictor.y,
        it.excess,
    ).mu(first)
    if min(primal, dual) < SHORT:  # far from the central path the second-order term only hurts
        step = system.direction(mu)
    else:
        centring = max(ahead / mu, 1e-8) ** max(1.0, 3 * min(primal, dual) ** 2)
        step = system.direction(float(np.clip(centring, 1e-4, 1.0)) * mu, predictor)
    primal, dual = system.step_lengths(step)
    fraction = 0.9 + 0.09 * min(primal, dual, 1.0)
    return step, min(1.0, fraction * primal), min(1.0, fraction * dual)


def _most_used(
    reduced: Reduced, step: Direction, slack: Array, excluded: np.ndarray, primal: float
) -> tuple[np.ndarray, float]:
    """Flat indices of excluded entries that the step would use up, worst first, and the largest use per unit step."""
    n, d = reduced.n, reduced.d
    change = lift(reduced.X, step.Z[: n + d, : n + d])
    use = np.where(excluded, -change / np.maximum(slack, TINY * slack.max()), 0.0).ravel()
    over = np.flatnonzero(use * primal > CUT)
    over = over[np.argsort(-use[over], kind="stable")][: n + 50]
    return over, float(use.max(initial=0.0))


def _move(system: NewtonSystem, step: Direction, primal: float, dual: float) -> tuple[Iterate, Pairs]:
    """The next iterate, with diag S = diag M and x restored exactly; a shorter primal step if rounding forces one."""
    it, X, pairs = system.it, system.X, system.pairs
    n, d = X.shape
    S = it.S + dual * step.S
    for _ in range(8):
        Z = it.Z + primal * step.Z
        Z = (Z + Z.T) / 2
        # On the diagonal of the s-block alone, so that the thin slacks of nearly parallel rows stay what they are.
        Z[np.arange(n), np.arange(n)] = np.einsum("ij,jk,ik->i", X, Z[n : n + d, n : n + d], X)
        x = lift(X, Z)[pairs.i[pairs.first :], pairs.j[pairs.first :]]
        if _definite(Z) and np.all(x > 0):
            break
        primal /= 4
    else:
        raise np.linalg.LinAlgError("No step stays inside the cone.")
    return Iterate(Z, (S + S.T) / 2, x, it.y + dual * step.y, (1 - dual) * it.excess), pairs


def _definite(A: Array) -> bool:
    try:
        np.linalg.cholesky(A)
    except np.linalg.LinAlgError:
        return False
    return True
