"""One iteration of the interior point: predictor, corrector, and the inequalities that they run into.

An inequality is let in when a step would use up most of its slack, so that the primal stays strictly feasible for all.
"""

from __future__ import annotations

import numpy as np

from ..network import Array
from ..reduced.reduction import Reduced
from .entries import entries, most_used
from .newton import NewtonSystem, cholesky
from .points import Direction, Iterate, Pairs
from .state import SETTINGS

LEAST = 1e-4  # share of μ that is aimed at
FRACTION = (0.8, 0.18)  # of the way to the boundary: for short steps, and what full ones get more
BACKTRACKS = 8  # quarterings of the primal step that rounding may force


def iterate(system: NewtonSystem, reduced: Reduced, excluded: np.ndarray) -> tuple[Iterate, Pairs, float]:
    """Predictor, corrector, and once more if the corrector runs into excluded inequalities.

    Args:
        system: the Newton system at the iterate.
        reduced: the problem.
        excluded: inequalities (2n, 2n) that are no constraints yet; those that are let in are taken from it.

    Returns:
        The next iterate, its constraints, and the longer of the two step lengths.

    Raises:
        numpy.linalg.LinAlgError: rounding leaves no step inside the cone.
    """
    n = reduced.n
    slack = system.lifted_Z[: 2 * n, : 2 * n]
    step, primal, dual = _corrected(system)
    worst, used = _most_used(reduced, step, slack, excluded, primal)
    if primal * used > SETTINGS.blocked * SETTINGS.cut:
        i, j = np.divmod(worst, 2 * n)
        excluded[i, j] = False
        system.extend(i, j, system.it.mu(system.pairs.first))
        step, primal, dual = _corrected(system)
        worst, used = _most_used(reduced, step, slack, excluded, primal)
    if len(worst):
        primal = min(primal, SETTINGS.cut / used)
    it, pairs = _move(system, step, primal, dual)
    if len(worst):
        i, j = np.divmod(worst, 2 * n)
        excluded[i, j] = False
        mu = it.mu(pairs.first)
        pairs = pairs.add(i, j)
        it = it.add(entries(reduced.X, system.forms, it.Z, i, j), mu)
    return it, pairs, max(primal, dual)


def _corrected(system: NewtonSystem) -> tuple[Direction, float, float]:
    """Mehrotra's corrected direction with primal and dual step lengths."""
    it, first = system.it, system.pairs.first
    mu = it.mu(first)
    predictor = system.direction(0.0)
    primal, dual = (min(1.0, length) for length in system.step_lengths(predictor))
    if min(primal, dual) < SETTINGS.short:  # far from the central path the second-order term only hurts
        step = system.direction(mu)
        return step, *_shortened(*system.step_lengths(step))
    ahead = Iterate(
        it.Z + primal * predictor.Z,
        it.S + dual * predictor.S,
        it.x + primal * predictor.x,
        it.y + dual * predictor.y,
        it.excess,
    ).mu(first)
    aim = float(np.clip(max(ahead / mu, LEAST) ** 2, LEAST, 1.0)) * mu
    step = system.direction(aim, predictor)
    return step, *_shortened(*system.step_lengths(step))


def _shortened(primal: float, dual: float) -> tuple[float, float]:
    """Step lengths that end before the boundary, at most 1; the shorter they are the earlier, to stay centred."""
    fraction = FRACTION[0] + FRACTION[1] * min(primal, dual, 1.0)
    return min(1.0, fraction * primal), min(1.0, fraction * dual)


def _most_used(
    reduced: Reduced, step: Direction, slack: Array, excluded: np.ndarray, primal: float
) -> tuple[np.ndarray, float]:
    """Flat indices of excluded entries that the step would use up, worst first, and the largest use per unit step."""
    n, d = reduced.n, reduced.d
    change = step.Z[: n + d, : n + d]
    tiny, over = SETTINGS.tiny * slack.max(), SETTINGS.cut / primal
    worst, used, most = most_used(reduced.X, change, slack, excluded, tiny, over)
    return worst[np.lexsort((worst, -used))][: n + 50], most


def _move(system: NewtonSystem, step: Direction, primal: float, dual: float) -> tuple[Iterate, Pairs]:
    """The next iterate, with diag S = diag M and x restored exactly; a shorter primal step if rounding forces one."""
    it, X, pairs = system.it, system.X, system.pairs
    n, d = X.shape
    for _ in range(BACKTRACKS):
        S = it.S + dual * step.S
        S = (S + S.T) / 2
        root_S = _root(S)
        if root_S is not None:
            break
        dual /= 4
    else:
        raise np.linalg.LinAlgError("No step stays inside the dual cone.")
    for _ in range(BACKTRACKS):
        Z = it.Z + primal * step.Z
        Z = (Z + Z.T) / 2
        # On the diagonal of the s-block alone, so that the thin slacks of nearly parallel rows stay what they are.
        Z[np.arange(n), np.arange(n)] = np.sum((X @ Z[n : n + d, n : n + d]) * X, axis=1)
        x = system.entries(Z)[pairs.first :]
        root_Z = _root(Z)
        if root_Z is not None and np.all(x > 0):
            break
        primal /= 4
    else:
        raise np.linalg.LinAlgError("No step stays inside the cone.")
    return Iterate(Z, S, x, it.y + dual * step.y, (1 - dual) * it.excess, (root_Z, root_S)), pairs


def _root(A: Array) -> Array | None:
    """The Cholesky factor, None where A is not positive definite."""
    try:
        return cholesky(A)
    except np.linalg.LinAlgError:
        return None
