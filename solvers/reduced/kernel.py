"""The relaxation without v: for a fixed block E over (s, u) the best v is kernel ridge regression.

value(E) = γ/2 [tr Ȳᵀ(γW⁻¹ + K)⁻¹Ȳ + tr U] + constant,   K = what the loss rows read of N E Nᵀ, W = diag(w)
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import lapack

from ..network import Array
from .lift import lift
from .reduction import Reduced


def kernel_value(reduced: Reduced, E: Array) -> tuple[float, Array]:
    """The objective of E with v eliminated, and Θ = w(ȳ − prediction).

    Args:
        reduced: the problem.
        E: symmetric (n+d, n+d).

    Returns:
        Objective (scaled units), an upper bound on the relaxation's optimum if E is feasible, and Θ (2n, c).

    Raises:
        numpy.linalg.LinAlgError: E is so far from positive semidefinite that γW⁻¹ + K is not definite.
    """
    rows = reduced.loss_rows
    forms = rows if reduced.mix is None else 2 * reduced.n + rows
    K = lift(reduced.X, E, reduced.mix)[np.ix_(forms, forms)]
    K[np.diag_indices_from(K)] += reduced.gamma / reduced.weight[rows]
    factor, info = lapack.dpotrf(K, lower=0, clean=0)
    if info != 0:
        raise np.linalg.LinAlgError("γW⁻¹ + K is not positive definite.")
    theta = np.zeros_like(reduced.target)
    theta[rows] = reduced.gamma * lapack.dpotrs(factor, reduced.target[rows], lower=0)[0]
    fit = 0.5 * float(np.sum(theta[rows] * reduced.target[rows]))
    return fit + 0.5 * reduced.gamma * float(np.trace(E[reduced.n :, reduced.n :])) + reduced.constant, theta


def kernel_values(reduced: Reduced, E: Array, scales: Array) -> Array:
    """The objective of multiples of E with v eliminated, all of them from one eigendecomposition.

    Args:
        reduced: the problem.
        E: positive semidefinite (n+d, n+d).
        scales: the multiples, positive (k,).

    Returns:
        What `kernel_value` has for each of them, to rounding (k,).
    """
    rows = reduced.loss_rows
    root = np.sqrt(reduced.weight[rows])[:, None]
    values, vectors = np.linalg.eigh(lift(reduced.X, E)[np.ix_(rows, rows)] * root * root.T)
    share = np.sum((vectors.T @ (root * reduced.target[rows])) ** 2, axis=1)
    fit = share @ (1 / (reduced.gamma + np.maximum(values, 0.0)[:, None] * scales))
    return 0.5 * reduced.gamma * (fit + scales * float(np.trace(E[reduced.n :, reduced.n :]))) + reduced.constant
