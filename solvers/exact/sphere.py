"""Column generation in three dimensions and more: columns from great circles, bounds from covers of the sphere.

The great circles find the columns; a cover is made when they say that the gap is nearly closed, or when the clock asks
for it, and refined from target to target, so that there is a bound at any time. Directions that the cover finds above γ
come back as columns. Without covers (too many dimensions) this is a trainer.
"""

from __future__ import annotations

import time
from functools import partial

import numpy as np

from ..atoms.search import ascend
from ..loss import LOSS, Loss
from ..network import Array
from ..problem import Problem
from .cone import SLACK
from .cover import Cover, cover
from .pricing import Search
from .progress import Progress, feasible

FIRST = 600  # directions at most of the network that is trained first, half as many more are spread evenly
FIRST_S = 0.03  # seconds a row that it may take
FEW = 20  # directions where half of the time limit is less than that
ROUNDS = 200
COARSE = 0.3  # the gap at which a first, cheap cover is made
MARK = 0.2  # share of the time limit at which there is a cheap cover at the latest
MARK_S = 0.1  # share of the time limit that it may take
SEARCH = 0.5  # share of the time limit that a search without proofs takes
PROVE = 0.35  # share of the time limit after which the best cover for the columns so far is made
FAR = 4.0  # the first target of a cover that is refined, in heights that are known to be reached
STEEP, GENTLE, LARGE = 0.9, 0.75, 1.5  # factors to the next: of itself while it is large, then of what is above 1
CLOSE = 2e-3  # share above the last target from which the next is the last
FINEST = 1e-8  # a believed gap below which no more is to be had
STALE = 10  # rounds without proofs that must gain a tenth of the gap, or the search ends
GROWTH = 4.0  # simplices of the final cover for one of the coarse cover: 2 to 3.5 on the data tried


def generate(problem: Problem, gap: float, progress: Progress, seed: int, proofs: bool) -> None:
    """Run rounds, putting columns and bounds on record, until the gap or the time limit is met.

    Args:
        problem: the training problem, with X (n, d) of rank d.
        gap: the relative gap wanted.
        progress: the record.
        seed: of the search.
        proofs: the gap is the proved one; without, it is what the search believes, and no bound goes on record.
    """
    X, Y, gamma, loss = problem.X, problem.Y, problem.gamma, LOSS[problem.loss]
    slope = progress.columns.theta  # of the zero network, which is on record
    if not slope.any():
        return
    search = Search(problem, np.random.default_rng(seed))
    wide = FEW if progress.late(0.5, ahead=FIRST_S * len(X)) else min(FIRST, 2 * len(X))
    columns = search.begin(slope, wide)
    history, spent, covered = [np.inf], 0.0, False
    for _ in range(ROUNDS):
        progress.primal(columns)
        upper = progress.columns.value
        directions = search.look(columns, upper * (1 - gap / 2))
        best = search.best
        believed = (upper - best.lower) / upper
        progress.info["believed_gap"] = believed
        if proofs and not covered and (progress.late(MARK) or believed < COARSE):
            least = max(best.height, gamma)
            made = _descend(
                problem, best.theta, search.transform, (least, least * (1 + COARSE)), progress, MARK + MARK_S
            )
            progress.info["cells_expected"] = int(GROWTH * made.simplices) if made else 0
            covered = True
        history.append(upper)
        stale = len(history) > STALE and history[-1 - STALE] - upper < 0.1 * gap * upper
        if not proofs and (believed <= gap / 2 or stale):
            return
        if not proofs and progress.late(SEARCH):
            progress.out_of_time = True  # half of it, but what comes next does not make up for the search
            return
        if proofs and (believed <= gap / 2 or progress.late(PROVE)):
            least = best.height * (1 + 1e-6)
            target = _allowed(loss, best.theta, Y, gamma, np.any(X != 0, axis=1), upper * (1 - 0.95 * gap), least)
            made = _descend(problem, best.theta, search.transform, (best.height, target), progress)
            if progress.gap <= gap or made is None:
                return
            directions = np.hstack([search.exceed(made.tops), directions])
        if progress.late(ahead=spent) or believed <= FINEST:
            return
        spent = progress.seconds
        columns = search.round(columns, directions, believed)
        spent = progress.seconds - spent  # the next round takes about as long


def _allowed(loss: Loss, theta: Array, Y: Array, gamma: float, live: np.ndarray, lower: float, least: float) -> float:
    """The largest η ≥ least for which Θ still proves `lower`, by bisection in t = γ/η, in which that value rises."""
    low, high = 0.0, gamma / max(least, 1e-3 * gamma)
    for _ in range(50):
        t = 0.5 * (low + high)
        low, high = (low, t) if feasible(loss, theta, Y, gamma, live, gamma / t)[1] >= lower else (t, high)
    return gamma / high


def _descend(
    problem: Problem,
    theta: Array,
    transform: Array,
    levels: tuple[float, float],
    progress: Progress,
    until: float = 1.0,
) -> Cover | None:
    """Covers for Θ with lower and lower targets, each put on record.

    levels: a height that is known to be reached, and the last target; until: share of the time limit.

    Returns:
        The cover for the last target; None if there was no time for it.
    """
    least, last = levels
    made, share = None, FAR
    while True:
        target = share * least if share * least > last * (1 + CLOSE) else last
        made = _prove(problem, theta, transform, target, progress, until, made)
        if made is None or target == last:
            return made
        share = share * STEEP if share > LARGE else 1 + (share - 1) * GENTLE


def _prove(
    problem: Problem,
    theta: Array,
    transform: Array,
    target: float,
    progress: Progress,
    until: float = 1.0,
    begin: Cover | None = None,
) -> Cover | None:
    """Cover for Θ, put on record. until: share of the time limit; begin: a cover for the same Θ."""
    late = partial(progress.late, until)
    made = cover(theta, problem.X, transform, target, late, problem.activation, begin)
    if made is not None:
        before = begin.simplices if begin is not None else 0
        progress.info["cells_checked"] = int(progress.info.get("cells_checked", 0)) + made.simplices - before
        progress.dual(theta, made.eta * (1 + SLACK), made.proof(transform))
    return made


def compile_kernels(proofs: bool) -> float:
    """Compile, or load, what numba needs, so that no clock counts it.

    Args:
        proofs: whether covers are made too.

    Returns:
        The seconds that took.
    """
    began = time.perf_counter()
    theta, X = np.ones((4, 1)), Problem(np.vstack([np.eye(3), np.ones(3)]), np.ones((4, 1)), 1.0).X  # not writeable
    ascend(theta, X, np.eye(3), np.random.default_rng(0), rounds=1)
    if proofs:
        cover(theta, X, np.eye(3), 10.0)
    return time.perf_counter() - began
