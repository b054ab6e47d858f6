"""An iterate of the interior point, its constraints, and a step from it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..network import Array


@dataclass(frozen=True)
class Pairs:
    """The constraints: rows i and columns j (m,), of which n are diagonal, then `losses` loss rows."""

    i: np.ndarray
    j: np.ndarray
    n: int
    losses: int

    @property
    def first(self) -> int:
        """Index of the first inequality."""
        return self.n + self.losses

    def add(self, i: np.ndarray, j: np.ndarray) -> Pairs:
        """With more inequalities at the end."""
        return Pairs(np.concatenate([self.i, i]), np.concatenate([self.j, j]), self.n, self.losses)


@dataclass
class Iterate:
    """Primal Z (q, q) and slacks x of the inequalities, dual S (q, q) and y of all constraints.

    excess (as x): what an inequality's y has too much since it was let in, S = C − Σ_k (y − excess)_k A_k; each dual
    step takes its share of it away. roots: the Cholesky factors of Z and S, where they are known.
    """

    Z: Array
    S: Array
    x: Array
    y: Array
    excess: Array
    roots: tuple[Array, Array] | None = None

    def mu(self, first: int) -> float:
        """Compute the complementarity per dimension of the cone.

        Args:
            first: index of the first inequality among the constraints.

        Returns:
            μ.
        """
        total = np.sum(self.Z * self.S) + self.x @ self.y[first:]
        return float(total / (len(self.Z) + len(self.x)))

    def add(self, slack: Array, mu: float) -> Iterate:
        """With inequalities of this slack let in, centred at y = μ/x."""
        new = mu / slack
        x, y, excess = (np.concatenate(pair) for pair in ((self.x, slack), (self.y, new), (self.excess, new)))
        return Iterate(self.Z, self.S, x, y, excess, self.roots)


@dataclass(frozen=True)
class Direction:
    """A step in (Z, S, y, x)."""

    Z: Array
    S: Array
    y: Array
    x: Array
