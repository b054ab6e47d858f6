"""Coordinates of ker M, the nearest complementary lift, and factors of Λ*: the algebra of the paper's rounding.

A lift has one column λ = (α, β, u, v) a neuron. Consistent columns, α − β = Xu, form the kernel of M = [−I I X 0];
feasible ones satisfy α, β ≥ 0 and α∘β = 0 as well (arXiv 2410.22311, section 4). Here α and β are held as their sum σ
and difference τ, with ‖α‖² + ‖β‖² = ½‖σ‖² + ½‖τ‖²; in the kernel σ is the s of the relaxation and τ = Xu.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..activation import Activation
from ..network import Array, Network
from ..problem import Problem

NOISE = 1e-13  # eigenvalues of Λ* below this share of the largest are not told from 0 in float64


@dataclass(frozen=True)
class KernelBasis:
    """Orthonormal coordinates w = (s/√2, Cu, v) of ker M: q = n+d+c numbers for the p = 2n+d+c of a column.

    C = √(I + Σ²/2) Bᵀ for X = AΣBᵀ, as ‖α‖² + ‖β‖² + ‖u‖² = ½‖s‖² + ½‖Xu‖² + ‖u‖² there.
    X_times_C_inverse (n, d), C_inverse (d, d).
    """

    X_times_C_inverse: Array
    C_inverse: Array
    activation: Activation

    @classmethod
    def of(cls, problem: Problem) -> KernelBasis:
        """The coordinates for the data of a problem.

        Args:
            problem: gives X (n, d).

        Returns:
            The basis.
        """
        _, singular, Bt = np.linalg.svd(np.linalg.qr(problem.X, mode="r"))  # X = AΣBᵀ with all d rows of Bᵀ
        C_diagonal = np.ones(problem.d)
        C_diagonal[: len(singular)] = np.hypot(1.0, singular / np.sqrt(2))
        C_inverse = Bt.T / C_diagonal
        return cls(problem.X @ C_inverse, C_inverse, problem.activation)

    def coordinates(self, σ: Array, τ: Array, u: Array, v: Array) -> Array:
        """Coordinates of the nearest columns in ker M.

        Args:
            σ: (n, R).
            τ: (n, R).
            u: (d, R).
            v: (c, R).

        Returns:
            (q, R), q = n+d+c.
        """
        return np.vstack([σ / np.sqrt(2), self.X_times_C_inverse.T @ τ / 2 + self.C_inverse.T @ u, v])

    def lift(self, w: Array) -> tuple[Array, Array, Array, Array]:
        """The columns in ker M that have given coordinates.

        Args:
            w: coordinates (q, R).

        Returns:
            σ = s (n, R), τ = Xu (n, R), u (d, R) and v (c, R).
        """
        n, d = self.X_times_C_inverse.shape
        Cu = w[n : n + d]
        return np.sqrt(2) * w[:n], self.X_times_C_inverse @ Cu, self.C_inverse @ Cu, w[n + d :]

    def network(self, w: Array) -> Network:
        """The u- and v-rows of coordinates as a network.

        Args:
            w: coordinates (q, R).

        Returns:
            The network of R neurons.
        """
        n, d = self.X_times_C_inverse.shape
        return Network(self.C_inverse @ w[n : n + d], w[n + d :].T.copy(), self.activation)

    def eigenfactor(self, problem: Problem, factor: Array) -> Array:
        """Coordinates of the factor of Λ* by its eigenvectors, largest first, each with Σs ≥ 0.

        Eigenvalues below NOISE times the largest are left out. What a solver leaves above that stays, though it is far
        below its own accuracy: at the published step such columns grow, and the best iterate may owe them its loss.

        Args:
            problem: gives X (n, d).
            factor: (q, k) with the rows (s, u, v).

        Returns:
            (q, r), r the rank.
        """
        n, d = problem.n, problem.d
        s, u, v = factor[:n], factor[n : n + d], factor[n + d :]
        left, singular, _ = np.linalg.svd(self.coordinates(s, problem.X @ u, u, v), full_matrices=False)
        rank = int(np.sum(singular**2 > NOISE * singular.max(initial=0.0) ** 2))
        return self._oriented(left[:, :rank] * singular[:rank])

    def spread(self, factor: Array, width: int, rng: np.random.Generator) -> Array:
        """Coordinates of another factor of the same matrix, factor·Q with a random Q, QQᵀ = I; Σs ≥ 0.

        Args:
            factor: coordinates (q, r), r ≤ width.
            width: columns wanted.
            rng: where Q comes from.

        Returns:
            (q, width).
        """
        Q = np.linalg.qr(rng.standard_normal((width, factor.shape[1])))[0].T
        return self._oriented(factor @ Q)

    def _oriented(self, w: Array) -> Array:
        """A factor's columns with the signs, free in WWᵀ, for which Σs ≥ 0: so less of α and β has to be clipped."""
        return w * np.where(w[: len(self.X_times_C_inverse)].sum(axis=0) < 0, -1.0, 1.0)


def complementary(σ: Array, τ: Array) -> tuple[Array, Array]:
    """The nearest α, β ≥ 0 with α∘β = 0: the larger of each pair, clipped at 0, stays; the other is 0.

    Args:
        σ: α + β, any shape.
        τ: α − β, the same shape.

    Returns:
        σ and τ of the nearest pair.
    """
    larger = np.abs(τ)
    larger += σ
    larger *= 0.5
    np.maximum(larger, 0.0, out=larger)
    return larger, np.copysign(larger, τ)
