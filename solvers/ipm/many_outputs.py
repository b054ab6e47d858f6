"""The Newton system for many outputs: Nesterov–Todd scaling, with the n·c loss rows eliminated.

With W Z⁻¹... the scaling matrix of Nesterov and Todd (W S W = Z) in place of the pair (Z, S⁻¹), the loss rows' block is

    B = ½ K ⊗ V + diag(1/w) + ½ Σ F_rk' F_r'k,     K, F, V the blocks of the lifted W over (loss rows, v):

one Kronecker product, so two eigendecompositions invert it, and a rank-c² term. What is left to factorise has the
order of the diagonal constraints and the active inequalities alone.
"""

from __future__ import annotations

import numba
import numpy as np
from scipy.linalg import blas

from ..network import Array
from ..reduced.lift import lift
from .newton import NewtonSystem
from .points import Direction


class EliminatedSystem(NewtonSystem):
    """As NewtonSystem, for c so large that the loss rows would dominate the Schur matrix."""

    def _prepare(self) -> None:
        left, self.singular, _ = np.linalg.svd(self.chol_S.T @ self.chol_Z)
        # G with W = G Gᵀ, Z = G D Gᵀ, S⁻¹ = G D⁻¹ Gᵀ
        scale = np.sqrt(self.singular)
        self.G = (self.inverse_chol_S.T @ left) * scale
        self.G_inverse = (left.T @ self.chol_S.T) / scale[:, None]
        self.W = self.G @ self.G.T
        lifted = lift(self.X, self.W, self.mix)
        first = self.pairs.first
        rows = self.pairs.i[self.pairs.n : first]
        c = len(self.W) - sum(self.X.shape)
        n2 = len(lifted) - c
        self.rows, self.c = rows[::c], c
        self.K, self.F = np.ascontiguousarray(lifted[:n2, :n2]), lifted[:n2, n2:]
        self.V = lifted[n2:, n2:]
        self._diagonalise(np.sqrt(self.weight[::c]))

    def _diagonalise(self, root_weight: Array) -> None:
        """Eigenvectors of the Kronecker part and the small matrix of Woodbury's formula for the rest."""
        rows, c = self.rows, self.c
        V_values, self.Q = np.linalg.eigh((self.V + self.V.T) / 2)
        weighted = self.K[np.ix_(rows, rows)] * np.outer(root_weight, root_weight)
        K_values, self.P = np.linalg.eigh((weighted + weighted.T) / 2)
        self.root_weight = root_weight[:, None]
        self.shrink = 1 / (1 + 0.5 * np.outer(np.maximum(K_values, 0.0), np.maximum(V_values, 0.0)))
        self.K_rotated = self.P.T @ (self.root_weight * self.K[rows])  # (rows, forms)
        F_rotated = self.P.T @ (self.root_weight * self.F[rows])  # (rows, c)
        self.F_output = np.ascontiguousarray(self.F @ self.Q)  # (forms, c)
        small = np.zeros((c, c, c, c))
        self.mixed = np.empty((c, len(self.K), c))  # K_rotatedᵀ shrink_b F_rotated
        self.M = np.empty((c, len(self.K), len(self.K)))
        for b in range(c):
            shrunk = self.shrink[:, b, None] * F_rotated
            self.mixed[b] = self.K_rotated.T @ shrunk
            half = np.sqrt(self.shrink[:, b, None]) * self.K_rotated
            blas.dsyrk(1.0, half.T, c=self.M[b].T, lower=1, overwrite_c=1)  # M_b = halfᵀ half, its upper triangle
            small += np.einsum("l,m,kp->klpm", self.Q[:, b], self.Q[:, b], F_rotated.T @ shrunk)
        _mirror(self.M)
        swap = np.einsum("km,lp->klpm", np.eye(c), np.eye(c))
        self.woodbury = np.linalg.inv((2 * swap + small).reshape(c * c, c * c))

    def _scaled(self, A: Array) -> Array:
        """W A W."""
        B = self.W @ A @ self.W
        return (B + B.T) / 2

    def _second_order(self, predictor: Direction) -> Array:
        """The X with D X + X D = dZ dS + dS dZ in scaled coordinates."""
        product = self.G_inverse @ (predictor.Z @ predictor.S) @ self.G  # G⁻ᵀGᵀ stood between them
        product = product + product.T
        return self.G @ (product / (self.singular[:, None] + self.singular)) @ self.G.T

    def _kept(self) -> np.ndarray:
        n, first = self.pairs.n, self.pairs.first
        return np.r_[np.arange(n), np.arange(first, len(self.pairs.i))]

    def _schur_rows(self, first: int) -> Array:
        kept = self._kept()
        i, j = self.pairs.i[kept].astype(np.int32), self.pairs.j[kept].astype(np.int32)
        out = np.zeros((len(kept) - first, len(kept)))
        _rows(self.K, self.M, self.F_output, i, j, first, out)
        coupling = self._rank_part(i, j)
        part = coupling[first:] @ self.woodbury
        blas.dgemm(1.0, coupling.T, part.T, beta=1.0, c=out.T, trans_a=1, overwrite_c=1)  # out += part couplingᵀ
        out[np.arange(len(out)), first + np.arange(len(out))] += self.diagonal[kept][first:]
        return out

    def _rank_part(self, i: np.ndarray, j: np.ndarray) -> Array:
        """C B₀⁻¹ U (m, c²): the kept constraints against the rank-c² term."""
        total = np.zeros((len(i), self.c, self.c))
        for b in range(self.c):
            term = self.F_output[j, b, None] * self.mixed[b][i] + self.F_output[i, b, None] * self.mixed[b][j]
            total += 0.5 * term[:, :, None] * self.Q[:, b]
        return total.reshape(len(i), -1)

    def _solve(self, right: Array) -> Array:
        n, first = self.pairs.n, self.pairs.first
        kept = self._kept()
        i, j = self.pairs.i[kept], self.pairs.j[kept]
        loss = right[n:first].reshape(-1, self.c)
        solved = self._inverse_loss(loss)
        inner = self.K[:, self.rows] @ solved @ self.F.T
        s = self._back_substitute(right[kept] - 0.5 * (inner[i, j] + inner[j, i]))
        spread = np.zeros_like(self.K)
        np.add.at(spread, (i, j), s / 2)
        back = self.K[self.rows] @ ((spread + spread.T) @ self.F)
        y = np.empty_like(right)
        y[kept] = s
        y[n:first] = self._inverse_loss(loss - back).ravel()
        return y

    def _inverse_loss(self, T: Array) -> Array:
        """B⁻¹ T for T (rows, c)."""
        plain = self._inverse_kronecker(T)
        inner = np.einsum("rk,rl->kl", self.F[self.rows], plain)
        correction = (self.woodbury @ inner.ravel()).reshape(self.c, self.c)
        return plain - self._inverse_kronecker(self.F[self.rows] @ correction)

    def _inverse_kronecker(self, T: Array) -> Array:
        rotated = self.P.T @ (self.root_weight * T) @ self.Q
        return self.root_weight * (self.P @ (self.shrink * rotated) @ self.Q.T)


@numba.njit(parallel=True, cache=True)
def _mirror(M: Array) -> None:
    """Fill the lower triangles of M (c, k, k) from the upper ones, tile by tile."""
    tiles = (M.shape[1] + 63) // 64
    for tile in numba.prange(len(M) * tiles):
        A, first = M[tile // tiles], 64 * (tile % tiles)
        for begin in range(0, first + 1, 64):
            for p in range(first, min(first + 64, len(A))):
                for q in range(begin, min(begin + 64, p)):
                    A[p, q] = A[q, p]


@numba.njit(parallel=True, cache=True, fastmath=True)
def _rows(K: Array, M: Array, F: Array, i: np.ndarray, j: np.ndarray, first: int, out: Array) -> None:
    """Rows of O − C B₀⁻¹ Cᵀ; M (c, forms, forms), F (forms, c) in the eigenvectors of V."""
    m, c, size = len(i), F.shape[1], K.shape[0]
    for block in numba.prange((m - first + 15) // 16):
        H = np.empty((size, c))
        for a in range(first + 16 * block, min(m, first + 16 * (block + 1))):
            ia, ja = i[a], j[a]
            for b in range(c):
                fi, fj = F[ia, b], F[ja, b]
                for p in range(size):
                    H[p, b] = fj * M[b, ia, p] + fi * M[b, ja, p]
            for e in range(a + 1):
                p, q = i[e], j[e]
                total = 0.0
                for b in range(c):
                    total += H[p, b] * F[q, b] + H[q, b] * F[p, b]
                out[a - first, e] = 0.5 * (K[ia, p] * K[ja, q] + K[ia, q] * K[ja, p]) - 0.25 * total
