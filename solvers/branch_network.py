"""The network of the hierarchy, by the column generation of cpp/ as a local search: nothing of it is a proof.

A set of columns is at once a network and a Θ, its residual. At the optimum ‖Θᵀ(Xu)₊‖ ≤ γ for all unit u, which is what
the cells are to prove; a direction above γ that a cell's measure shows is a neuron that the network lacks.
"""

from __future__ import annotations

import numpy as np

from .cpp import sphere
from .cpp.columns import Columns, advance, network, solve
from .cpp.progress import Progress
from .cpp.search import ascend, distinct
from .problem import Array, Network, Problem
from .reduction import Reduced

MOST = 100  # new columns a round
EXACT = 0.01  # of the gap: how exactly the columns' weights are solved for


class Trainer:
    """Columns for the scaled problem, with u in the coordinates of the reduced one."""

    def __init__(self, problem: Problem, reduced: Reduced, seed: int) -> None:
        scaled = problem.scaled.problem
        self._problem, self._reduced, self._seed = problem, reduced, seed
        self._rng = np.random.default_rng(seed)
        self.X, self.Y, self.gamma = scaled.X @ reduced.basis, scaled.Y, scaled.gamma
        self.columns = Columns(np.zeros((reduced.d, 0)), np.zeros(0), self.Y, np.inf)

    def search(self, gap: float, budget: float) -> None:
        """Train until the search believes in a relative gap of at most `gap`, or for `budget` seconds."""
        # A search without proofs takes its share of a time limit.
        limit = budget / sphere.SEARCH if np.isfinite(budget) else None
        progress = Progress(self.X, self.Y, self.gamma, 1.0, limit)
        sphere.generate(self.X, self.Y, self.gamma, 2 * gap, progress, self._seed, proofs=False)
        self._keep(progress.columns, gap)

    def extend(self, U: Array, gap: float) -> bool:
        """Train on with what ascents from the directions U (d, k) find; whether the network got better."""
        found, height = ascend(self.columns.theta, self.X, U / np.linalg.norm(U, axis=0), self._rng)
        new = found[:, height > self.gamma]
        new = new[:, distinct(new, MOST, 1e-5)]
        columns = advance(self.X, self.Y, self.gamma, self.columns, new, gap)
        before = self.columns.value
        self._keep(columns, gap)
        return self.columns.value < before

    def height(self, U: Array) -> float:
        """The largest ‖Θᵀ(Xu)₊‖/γ over the columns of U (d, k)."""
        hidden = np.maximum(self.X @ (U / np.linalg.norm(U, axis=0)), 0.0)
        return float(np.max(np.linalg.norm(self.columns.theta.T @ hidden, axis=0), initial=0.0)) / self.gamma

    def _keep(self, columns: Columns, gap: float) -> None:
        """Take columns if they are the best, with the network that they are for the user's problem.

        The weights are solved for again, as near duplicates have left the columns.
        """
        columns = solve(self.X, self.Y, self.gamma, columns.U, columns.s, EXACT * gap)
        if columns.value < self.columns.value:
            small = network(self.X, self.Y, self.gamma, columns)
            self.columns = columns
            self.network = self._problem.scaled.network_back(Network(self._reduced.basis @ small.U, small.V))
            self.upper = self._problem.objective(self.network)

    @property
    def theta(self) -> Array:
        """Θ (2n, c) on the extended rows of the reduced problem."""
        r = self._reduced
        theta, live = np.zeros_like(r.target), r.rep >= 0
        side = r.rep[live] + np.where(r.coef[live] > 0, 0, r.n)
        np.add.at(theta, side, np.abs(r.coef[live])[:, None] * self.columns.theta[live])
        return theta
