"""Coordinates of ker M, the nearest feasible lift, and factors of Λ*: the linear algebra of the paper's rounding.

A lift is an array (p, R), p = 2n+d+c, with one column λ = (α, β, u, v) a neuron. Consistent columns, α − β = Xu, form
the kernel of M = [−I I X 0]; feasible ones satisfy α, β ≥ 0 and α∘β = 0 as well (arXiv 2410.22311, section 4).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular

from ..problem import Array, Network, Problem

NOISE = 1e-8  # eigenvalues of Λ* below this share of the largest are not told from 0


@dataclass(frozen=True)
class KernelBasis:
    """Orthonormal coordinates (s/√2, Cu, v) of ker M, s = α + β: q = n+d+c numbers for p = 2n+d+c.

    CᵀC = I + XᵀX/2, as ‖α‖² + ‖β‖² + ‖u‖² = ½‖s‖² + ½‖Xu‖² + ‖u‖². half_X (n, d) is XC⁻¹/2, C_inverse (d, d) is C⁻¹.
    """

    half_X: Array
    C_inverse: Array

    @classmethod
    def of(cls, problem: Problem) -> KernelBasis:
        """The coordinates for the data of `problem`."""
        X, d = problem.X, problem.d
        C = np.linalg.cholesky(np.eye(d) + X.T @ X / 2).T
        C_inverse = solve_triangular(C, np.eye(d))
        return cls(X @ C_inverse / 2, C_inverse)

    def coordinates(self, Z: Array) -> Array:
        """(q, R) coordinates of the projection of the columns of Z (p, R) onto ker M."""
        n, d = self.half_X.shape
        α, β, u, v = Z[:n], Z[n : 2 * n], Z[2 * n : 2 * n + d], Z[2 * n + d :]
        return np.vstack([(α + β) / np.sqrt(2), self.half_X.T @ (α - β) + self.C_inverse.T @ u, v])

    def lift(self, w: Array) -> Array:
        """The columns (α, β, u, v) in ker M that have the coordinates w (q, R)."""
        n, d = self.half_X.shape
        half_s, half_Xu = w[:n] / np.sqrt(2), self.half_X @ w[n : n + d]
        return np.vstack([half_s + half_Xu, half_s - half_Xu, self.C_inverse @ w[n : n + d], w[n + d :]])

    def project(self, Z: Array) -> Array:
        """proj_kerM(Z) (p, R), column by column."""
        return self.lift(self.coordinates(Z))

    def network(self, w: Array) -> Network:
        """The u- and v-rows of the coordinates w (q, R) as a network of R neurons."""
        n, d = self.half_X.shape
        return Network(self.C_inverse @ w[n : n + d], w[n + d :].T.copy())

    def eigenfactor(self, W: Array) -> Array:
        """Coordinates (q, r) of the factor of Λ = WWᵀ by its eigenvectors, largest first, each with Σs ≥ 0.

        W (p, R) lies in ker M. Eigenvalues below NOISE times the largest are left out: what a solver of the relaxation
        leaves there is far below its own accuracy.
        """
        left, singular, _ = np.linalg.svd(self.coordinates(W), full_matrices=False)
        rank = int(np.sum(singular**2 > NOISE * singular.max(initial=0.0) ** 2))
        return _oriented(left[:, :rank] * singular[:rank], len(self.half_X))

    def spread(self, factor: Array, width: int, rng: np.random.Generator) -> Array:
        """Coordinates (q, width) of another factor of the same matrix, factor·Q with a random Q, QQᵀ = I; Σs ≥ 0.

        factor (q, r) with r ≤ width.
        """
        Q = np.linalg.qr(rng.standard_normal((width, factor.shape[1])))[0].T
        return _oriented(factor @ Q, len(self.half_X))


def _oriented(w: Array, n: int) -> Array:
    """A factor's columns with the signs, free in WWᵀ, for which Σs ≥ 0: so less of α and β has to be clipped."""
    return w * np.where(w[:n].sum(axis=0) < 0, -1.0, 1.0)


def project_complementary(Z: Array, n: int) -> Array:
    """The nearest array with α, β ≥ 0 and α∘β = 0: clip both at 0 and of each pair put the smaller to 0."""
    projected = Z.copy()
    α, β = projected[:n], projected[n : 2 * n]
    np.maximum(projected[: 2 * n], 0.0, out=projected[: 2 * n])
    α_wins = α >= β
    α *= α_wins
    β *= ~α_wins
    return projected
