"""Where columns are looked for: at the master's Θ, or on the way to it from the best Θ so far.

The master's Θ jumps from round to round as long as columns are missing, and far from the optimum what it asks for is
not what the optimum needs. Half-way between it and the best Θ so far h is closer to γ, so that the columns found there
are nearer to those of the optimum, and the bound there is better. With few rows, or in many dimensions, the columns'
own Θ is looked at, and they are slid by training.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..atoms.columns import Columns, advance, train
from ..atoms.grow import first, grow
from ..atoms.search import ascend, distinct, starts
from ..loss import LOSS
from ..network import Array, heights, unit_columns, whitener
from ..problem import Problem
from .progress import feasible

MANY = 200  # rows from which on a round that slides the columns costs more than it gains,
FLAT = 5  # in so many dimensions at most: beyond, columns lie far apart, and sliding brings them where they belong
FIRST_TOL = 1e-3  # of the output weights of the network that is trained first
MOST = 200  # new columns a round
FEWEST = 100  # new columns below which the search half-way is followed by one at the master's own Θ
STARTS = 200  # vertices that ascents start from, besides the columns
SHARE = 0.5  # of the best Θ in the Θ at which a search looks
NEAR = 0.95  # share of the bound wanted from which on all columns are climbed from: quick searches miss too much then
CLIMBS = 400  # ascents at most before that, with many rows
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
    lower = feasible(LOSS[problem.loss], theta, problem.Y, problem.gamma, np.any(problem.X != 0, axis=1), height)[1]
    return Point(theta, height, lower)


class Search:
    """Searches for columns, and the best Θ that they have come by: `best`, first of all Θ = 0."""

    def __init__(self, problem: Problem, rng: np.random.Generator) -> None:
        self.best = judge(problem, np.zeros_like(problem.Y), problem.gamma)
        self.transform = whitener(problem.X)
        self._problem, self._rng, self._many = problem, rng, problem.n > MANY and problem.d <= FLAT

    def begin(self, theta: Array, wide: int) -> Columns:
        """Make the first columns.

        Args:
            theta: Θ (n, c) of the zero network.
            wide: how many directions at most, half as many more being spread evenly.

        Returns:
            The columns with the master's solution.
        """
        U = starts(theta, self._problem.X, self.transform, self._rng, wide, self._problem.activation)
        return first(self._problem, U) if self._many else train(self._problem, U, FIRST_TOL)

    def look(self, columns: Columns, enough: float) -> Array:
        """Search for the highest directions, and take the Θ looked at for the best one if it is.

        The best of many Θ is the one whose maximum a quick search missed, so it is searched again before it counts.

        Args:
            columns: where the search starts.
            enough: a bound that is good enough to be proved.

        Returns:
            The ends of the ascents (d, k).
        """
        theta = between(self._problem, columns.theta, self.best) if self._many else columns.theta
        few = self._many and self.best.lower < NEAR * enough
        point, directions = self._climb(theta, columns.U, few)
        self._keep(point)
        if few and self.best.lower >= enough:
            directions = self.exceed(np.hstack([columns.U, directions]))
        return directions

    def exceed(self, U: Array) -> Array:
        """Search for what is higher, for the best Θ, than what is known.

        Args:
            U: unit directions (d, k) to start from.

        Returns:
            The ends of the ascents (d, ·), the highest first.
        """
        point, directions = self._climb(self.best.theta, U)
        self.best = judge(self._problem, self.best.theta, max(self.best.height, point.height))
        return directions

    def round(self, columns: Columns, directions: Array, believed: float) -> Columns:
        """Add the directions that are above γ for the columns' own Θ.

        Args:
            columns: the columns so far.
            directions: unit directions (d, k).
            believed: what is left to gain, relative.

        Returns:
            The columns after the round.
        """
        new = above(self._problem, columns, directions)
        if self._many and new.shape[1] < FEWEST:
            point, directions = self._climb(columns.theta, columns.U)
            self._keep(point)
            new = np.hstack([above(self._problem, columns, directions), new])
        new = new[:, distinct(new, MOST, 1e-5)]
        return (grow if self._many else advance)(self._problem, columns, new, believed)

    def _keep(self, point: Point) -> None:
        """Take a point for the best: one that is better, or, with few rows, that of the columns in hand."""
        if not self._many or point.lower > self.best.lower:
            self.best = point

    def _climb(self, theta: Array, U: Array, few: bool = False) -> tuple[Point, Array]:
        return climb(self._problem, theta, U, self.transform, self._rng, few)


def between(problem: Problem, theta: Array, best: Point) -> Array:
    """Find the Θ half-way to the best one, as far as that is feasible.

    Args:
        problem: the training problem.
        theta: Θ (n, c).
        best: the best so far.

    Returns:
        Θ (n, c).
    """
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
        even = np.asarray(np.linalg.solve(transform, U), np.float64)
        U = U[:, np.array(distinct(unit_columns(even), CLIMBS, APART))]
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
