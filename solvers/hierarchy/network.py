"""The network of the hierarchy, by column generation with the searches of atoms/: nothing of it is a proof.

A set of columns is at once a network and a Θ, its residual. At the optimum ‖Θᵀφ(Xu)‖ ≤ γ for all unit u, which is what
the regions are to prove; a direction above γ that a region's measure shows is a neuron that the network lacks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from ..atoms.columns import Columns, extend, merge, network, slide, solve
from ..atoms.search import ascend, distinct, starts
from ..exact.progress import feasible
from ..loss import LOSS
from ..network import Array, heights, whitener
from ..problem import Problem
from ..reduced.reduction import Reduced

ROUNDS = 100  # far beyond the 10 to 20 that it takes
STARTS = 200  # ascents from new places a round, besides those from the columns
MOST = 100  # new columns a round
IDLE = 1e-4  # share of the mass below which a column leaves; if it is missed, a search finds it again
NEAR = 0.02  # columns this near γ, relative, stay beside the slid ones
SLIDE = 200  # steps of L-BFGS a round
MERGED = 1e-3  # radians, of columns that become one before they slide


class Trainer:
    """Columns for the scaled problem, with u in the coordinates of the reduced one; the best ones are kept.

    upper: objective of `network`, which is what the columns are for the user's problem.
    """

    def __init__(self, problem: Problem, reduced: Reduced, seed: int) -> None:
        scaled = problem.scaled.problem
        self._problem, self._reduced = problem, reduced
        self._rng = np.random.default_rng(seed)
        self._inner = scaled.on(scaled.X @ reduced.basis, scaled.Y)
        self.X, self.Y, self.gamma = self._inner.X, self._inner.Y, self._inner.gamma
        self._whitener, self._live = whitener(self.X), np.any(self.X != 0, axis=1)
        self._take(Columns(np.zeros((reduced.d, 0)), np.zeros(0), self.Y, 0.5 * float(np.sum(self.Y**2))))

    def search(self, gap: float, late: Callable[[], bool], U: Array | None = None) -> bool:
        """Train until the search believes in the relative gap.

        Args:
            gap: the gap to believe in.
            late: says when there is no time for a further round.
            U: directions to begin with (d, k).

        Returns:
            Whether the network got better.
        """
        before = best = columns = self.columns
        for _ in range(ROUNDS):
            found, height = self._directions(columns, U)
            U = None
            lower = feasible(
                LOSS["squares"], columns.theta, self.Y, self.gamma, self._live, max(float(height[0]), self.gamma)
            )[1]
            believed = (columns.value - lower) / columns.value
            new = found[:, height > self.gamma * (1 + 1e-9)]
            if believed <= gap or late() or not new.shape[1]:
                break
            columns = self._round(columns, new[:, distinct(new, MOST, 1e-5)], believed)
            best = min(best, columns, key=lambda one: one.value)
        if best.value < self.columns.value:
            self._take(best)
        return best is not before

    def _directions(self, columns: Columns, U: Array | None) -> tuple[Array, Array]:
        """Unit directions (d, k) that are high up on ‖Θᵀφ(Xu)‖, and their heights (k,), the highest first."""
        if len(columns.U) == 1:
            both = np.array([[1.0, -1.0]])
            height = heights(columns.theta, self._inner.hidden(both))
            return both[:, np.argsort(-height)], np.sort(height)[::-1]
        new = (
            starts(columns.theta, self.X, self._whitener, self._rng, STARTS, self._inner.activation) if U is None else U
        )
        return ascend(columns.theta, self.X, np.hstack([columns.U, new]), self._rng, self._inner.activation)

    def _round(self, columns: Columns, new: Array, believed: float) -> Columns:
        """Add `new` (d, k), solve, slide the merged atoms, and solve for them with the others that are near γ."""
        tol = min(1e-3, max(1e-8, 0.01 * believed))
        heavy = columns.s > IDLE * np.sum(columns.s)
        columns = extend(self._inner, replace(columns, U=columns.U[:, heavy], s=columns.s[heavy]), new, tol)
        U, s = merge(self.X, columns.U, columns.s, MERGED)
        U, s = slide(self._inner, replace(columns, U=U, s=s), SLIDE)
        near = columns.U[
            :, heights(columns.theta, self._inner.hidden(columns.U)) > self.gamma * (1 - min(believed, NEAR))
        ]
        return solve(self._inner, np.hstack([U, near]), np.r_[s, np.zeros(near.shape[1])], tol)

    def height(self, U: Array) -> float:
        """Find how far the columns are above γ in some directions.

        Args:
            U: the directions (d, k).

        Returns:
            The largest ‖Θᵀφ(Xu)‖/γ over them.
        """
        return float(np.max(heights(self.columns.theta, self._inner.hidden(U)), initial=0.0)) / self.gamma

    def _take(self, columns: Columns) -> None:
        small = network(self._inner, columns)
        self.columns = columns
        self.network = self._problem.scaled.network_back(replace(small, U=self._reduced.basis @ small.U))
        self.upper = self._problem.objective(self.network)

    @property
    def theta(self) -> Array:
        """Θ (2n, c) on the loss rows of the reduced problem."""
        r = self._reduced
        theta, live = np.zeros_like(r.target), r.rep >= 0
        side = r.rep[live] + np.where(r.coef[live] > 0, 0, r.n)
        np.add.at(theta, side, np.abs(r.coef[live])[:, None] * self.columns.theta[live])
        return theta
