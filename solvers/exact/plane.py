"""Column generation where X has rank two or less: the pricing problem is solved exactly, so every step is a proof."""

from __future__ import annotations

import numpy as np

from ..atoms.columns import extend, solve
from ..problem import Problem
from .arcs import local_maxima
from .progress import Progress

GAP = 1e-7  # reached in about the time that 1e-3 takes, so no coarser gap is ever asked for
FINEST = 1e-12  # of the objective: more exactly the master is not solved
MOST = 100  # new columns a round
SLACK = 1e-12  # rounding of the heights: a share by which Θ is made smaller
ROUNDS = 100  # far beyond the dozen that it takes; only rounding can stand in the way


def generate(problem: Problem, gap: float, progress: Progress) -> float:
    """Run the rounds, putting columns and bounds on record.

    Args:
        problem: the training problem, with X (n, 2).
        gap: the relative gap wanted.
        progress: the record.

    Returns:
        The gap aimed at.
    """
    gap = min(gap, GAP)
    columns = solve(problem, np.zeros((2, 0)), np.zeros(0), gap)
    tol = 0.01
    for _ in range(ROUNDS):
        directions, height = local_maxima(columns.theta, problem.X, problem.activation)
        progress.primal(columns)
        progress.dual(columns.theta, float(height[0]) * (1 + SLACK) if len(height) else 0.0)
        if progress.gap <= gap or progress.late() or tol < FINEST:
            break
        new = directions[:, height > problem.gamma * (1 + 1e-13)][:, :MOST]
        exact = max(gap / 10, 0.01 * progress.gap)  # how exactly it pays to solve
        tol = min(tol, exact) if new.shape[1] else tol / 10
        columns = extend(problem, columns, new, tol)
    return gap
