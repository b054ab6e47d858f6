"""Where a search looks for columns: at the master's Θ, or on the way to it from the best Θ so far.

The master's Θ jumps from round to round as long as columns are missing, and far from the optimum what it asks for is
not what the optimum needs. Half-way between it and the best Θ so far h is closer to γ, so that the columns found there
are nearer to those of the optimum, and the bound there is better.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..atoms.columns import Columns
from ..atoms.search import ascend, distinct, starts
from ..loss import LOSS
from ..network import Array, heights, unit_columns
from ..problem import Problem
from .progress import feasible

STARTS = 200  # vertices that ascents start from, besides the columns
SHARE = 0.5  # of the best Θ in the Θ at which a search looks
CLIMBS = 400  # ascents at most where there is a best Θ to start from
APART = 0.03  # radians between their starts, in whitened coordinates


@dataclass(frozen=True)
class Point:
    """Θ (n, c), the largest h that was found for it, and the bound that it has if that is the maximum."""

    theta: Array
    height: float
    lower: float


def judge(problem: Problem, theta: Array, height: float) -> Point:
    """What Θ is worth, if its h is at most `height`.

    Args:
        problem: the training problem.
        theta: Θ (n, c).
        height: the largest h known.

    Returns:
        The point: Θ itself, as it was given.
    """
    lower = feasible(LOSS[problem.loss], theta, problem.Y, problem.gamma, nonzero(problem.X), height)[1]
    return Point(theta, height, lower)


def nonzero(X: Array) -> np.ndarray:
    """Say which rows of X (n, d) are not zero: bool (n,)."""
    return np.asarray(np.any(X != 0, axis=1))


def between(problem: Problem, theta: Array, best: Point | None) -> Array:
    """Θ (n, c) half-way to the best so far, as far as that is feasible; `theta` itself where there is none."""
    if best is None or best.height <= 0:
        return theta
    return SHARE * min(1.0, problem.gamma / best.height) * best.theta + (1 - SHARE) * theta


def climb(
    problem: Problem, theta: Array, U: Array, transform: Array, rng: np.random.Generator, few: bool = False
) -> tuple[Point, Array]:
    """Search for the largest h, from given directions and from vertices.

    Args:
        problem: the training problem.
        theta: Θ (n, c).
        U: unit directions (d, k).
        transform: T (d, d) of `network.whitener`.
        rng: source of chance.
        few: start from the CLIMBS highest that lie apart, not from all.

    Returns:
        What Θ is worth by this search, and the ends of the ascents (d, ·), the highest first.
    """
    U = np.hstack([U, starts(theta, problem.X, transform, rng, STARTS, problem.activation)])
    if few:
        U = U[:, np.argsort(-heights(theta, problem.hidden(U)), kind="stable")]
        U = U[:, distinct(unit_columns(np.linalg.solve(transform, U)), CLIMBS, APART)]
    directions, height = ascend(theta, problem.X, U, rng, problem.activation)
    return judge(problem, theta, float(height[0])), directions


def above(problem: Problem, columns: Columns, directions: Array) -> Array:
    """Choose the directions in which the columns' own Θ is above its limit γ.

    Args:
        problem: the training problem.
        columns: the columns.
        directions: unit directions (d, k).

    Returns:
        Those (d, ·), the highest first.
    """
    height = heights(columns.theta, problem.hidden(directions))
    order = np.argsort(-height, kind="stable")
    return directions[:, order[height[order] > problem.gamma * (1 + 1e-9)]]
