"""Compiled assembly of the interior point's Schur matrix; every constraint is one entry (i, j) of the lifted Z."""

from __future__ import annotations

import numba
import numpy as np

from ..network import Array

BLOCK = 16  # rows a thread takes at a time: small, because late rows are long


@numba.njit(parallel=True, cache=True, fastmath=True)
def _rows(Z: Array, S: Array, i: np.ndarray, j: np.ndarray, first: int, out: Array) -> None:
    m = len(i)
    for block in numba.prange((m - first + BLOCK - 1) // BLOCK):
        for a in range(first + BLOCK * block, min(m, first + BLOCK * (block + 1))):
            zi, zj, si, sj = Z[i[a]], Z[j[a]], S[i[a]], S[j[a]]
            for b in range(a + 1):
                p, q = i[b], j[b]
                out[a - first, b] = 0.25 * (zj[p] * si[q] + zj[q] * si[p] + zi[p] * sj[q] + zi[q] * sj[p])


def schur_rows(Z: Array, S: Array, i: np.ndarray, j: np.ndarray, first: int = 0) -> Array:
    """Compute rows of the lower triangle of O_kl = ⟨A_k, Z A_l S⁻¹⟩ symmetrised (HKM direction).

    A_k = sym(n_i n_jᵀ) for the pair (i, j) of constraint k. Entries above the diagonal are left at zero.

    Args:
        Z: the lifted Z (2n+c, 2n+c).
        S: the lifted S⁻¹ (2n+c, 2n+c).
        i: rows of the pairs (m,).
        j: columns of the pairs (m,).
        first: the first row to compute.

    Returns:
        Rows `first`… (m − first, m).
    """
    out = np.zeros((len(i) - first, len(i)))
    _rows(np.ascontiguousarray(Z), np.ascontiguousarray(S), i.astype(np.int32), j.astype(np.int32), first, out)
    return out
