"""Weights of the training rows in kernel regression, by either loss: the scores of new rows are K(x, X) times these."""

from __future__ import annotations

import numpy as np

from ..solvers.logistic import fit_ridge
from ..solvers.network import Array


def ridge_solve(K: Array, ridge: float, Y: Array) -> Array:
    """The solution of (K + ridge·I)A = Y; the least-norm one where that matrix is singular.

    Args:
        K: positive semidefinite (n, n).
        ridge: the number on the diagonal, ≥ 0.
        Y: right-hand sides (n, c).

    Returns:
        (K + ridge·I)⁻¹Y (n, c).
    """
    from scipy.linalg import LinAlgError, cho_factor, cho_solve

    try:
        return cho_solve(cho_factor(K + ridge * np.eye(len(K)), lower=True), Y)
    except LinAlgError:
        return shifted_solve(*spectrum_of(K), ridge, Y)


def spectrum_of(K: Array) -> tuple[Array, Array]:
    """Eigenvalues, ascending, and eigenvectors.

    Args:
        K: symmetric (n, n).

    Returns:
        w (n,) and Q (n, n) with K = Q diag(w) Qᵀ.
    """
    from scipy.linalg import eigh

    w, Q = eigh(K)
    return w, Q


def shifted_solve(w: Array, Q: Array, shift: float, Y: Array) -> Array:
    """The least-norm solution of (K + shift·I)A = Y, for K = Q diag(w) Qᵀ.

    Args:
        w: eigenvalues, ascending (n,).
        Q: eigenvectors (n, n).
        shift: the number on the diagonal, ≥ 0.
        Y: right-hand sides (n, c).

    Returns:
        A (n, c).
    """
    moved = w + shift
    solid = moved > len(w) * np.finfo(np.float64).eps * max(moved[-1], 0.0)
    return (Q[:, solid] / moved[solid]) @ (Q[:, solid].T @ Y)


def logistic_weights(w: Array, Q: Array, shift: float, Y: Array) -> Array:
    """What kernel logistic regression gives each row, Θ/shift for K = Q diag(w) Qᵀ: the scores are K times this.

    Args:
        w: eigenvalues (n,).
        Q: eigenvectors (n, n).
        shift: the ridge, > 0.
        Y: one-hot targets (n, c).

    Returns:
        Weights (n, c).
    """
    return fit_ridge(Q * np.sqrt(np.maximum(w, 0.0)), Y, shift).theta / shift
