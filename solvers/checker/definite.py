"""Whether a symmetric matrix of balls is proved positive definite."""

from __future__ import annotations

import numpy as np
import scipy.linalg as sl
from flint import arb, arb_mat

from .balls import middle

ELIMINATE = 80  # order up to which elimination in balls takes no time


def definite(Q: arb_mat) -> bool:
    """Whether Q is proved positive definite.

    First all diagonal entries are brought near 1 by powers of two. Then by congruence: with R near the inverse of a
    Cholesky factor, R Q Rᵀ lies within a row sum < 1 of the identity. R comes from double precision, which badly scaled
    data can defeat; small matrices are then eliminated in balls throughout.
    """
    size = Q.nrows()
    scale = []
    for i in range(size):
        if not (Q[i, i].is_finite() and Q[i, i] > 0):
            return False
        mantissa, power = Q[i, i].mid().man_exp()
        scale.append(-((int(mantissa).bit_length() + int(power)) // 2))
    rows = Q.tolist()
    if any(scale):
        factor = [arb(2) ** e for e in scale]
        rows = [[x * a * b for x, b in zip(row, factor, strict=True)] for row, a in zip(rows, factor, strict=True)]
    return size == 0 or _by_congruence(arb_mat(rows)) or (size <= ELIMINATE and _by_elimination(rows))


def _by_congruence(Q: arb_mat) -> bool:
    size, near = Q.nrows(), middle(Q)
    try:
        factor = sl.cholesky((near + near.T) / 2, lower=True, check_finite=False)
    except np.linalg.LinAlgError:
        return False
    R = sl.solve_triangular(factor, np.eye(size), lower=True, check_finite=False)
    if not (np.isfinite(R).all() and np.all(np.diag(R) > 0)):
        return False
    T = arb_mat(np.tril(R).tolist())
    product = (T * Q * T.transpose()).entries()
    rows = (product[i * size : (i + 1) * size] for i in range(size))
    return all(sum((abs(x - (i == j)) for j, x in enumerate(row)), arb(0)) < 1 for i, row in enumerate(rows))


def _by_elimination(rows: list[list[arb]]) -> bool:
    """Whether all pivots of symmetric Gaussian elimination are positive; rows may be changed."""
    for k, row in enumerate(rows):
        if not row[k] > 0:
            return False
        for i in range(k + 1, len(rows)):
            factor = row[i] / row[k]
            for j in range(i, len(rows)):
                rows[i][j] -= factor * row[j]
    return True
