"""How far a step goes until it meets the boundary of a cone.

For large matrices the smallest eigenvalue comes from Lanczos with full reorthogonalisation, less its residual: nearly
always a lower bound, so that a step is rather too short; that the next iterate is definite is tested anyway.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.linalg import eigh_tridiagonal

from ..network import Array

SMALL = 64  # up to this order all eigenvalues are computed
MOST = 90  # Lanczos steps, then all eigenvalues after all
CLOSE = 2e-3  # residual relative to the eigenvalue
FREE = -0.5  # with smallest eigenvalues above this the boundary is farther than any step goes


def to_boundary(step: Array, inverse_factor: Array) -> float:
    """The longest t with A + t·step positive semidefinite.

    Args:
        step: symmetric (q, q).
        inverse_factor: L⁻¹ for A = L Lᵀ (q, q).

    Returns:
        t, infinite if there is none; for q > SMALL at most a few thousandths too short.
    """
    if len(step) <= SMALL:
        lowest = _dense(step, inverse_factor)
    else:
        found = _lanczos(lambda x: inverse_factor @ (step @ (inverse_factor.T @ x)), len(step))
        lowest = _dense(step, inverse_factor) if found is None else found
    return -1.0 / lowest if lowest < 0 else np.inf


def ratio(change: Array, value: Array) -> float:
    """The longest t with value + t·change ≥ 0.

    Args:
        change: (m,).
        value: positive (m,).

    Returns:
        t, infinite if there is none.
    """
    lowest = float(np.min(change / value))
    return -1.0 / lowest if lowest < 0 else np.inf


def _dense(step: Array, inverse_factor: Array) -> float:
    A = inverse_factor @ step @ inverse_factor.T
    return float(np.linalg.eigvalsh((A + A.T) / 2)[0])


def _lanczos(apply: Callable[[Array], Array], size: int) -> float | None:
    """The smallest eigenvalue less its residual; None where it has not settled."""
    basis = np.empty((MOST + 1, size))
    diagonal, beside = np.empty(MOST), np.empty(MOST)
    basis[0] = np.random.default_rng(0).standard_normal(size)
    basis[0] /= np.linalg.norm(basis[0])
    for k in range(MOST):
        w = apply(basis[k])
        diagonal[k] = basis[k] @ w
        for _ in range(2):
            w -= basis[: k + 1].T @ (basis[: k + 1] @ w)
        beside[k] = np.linalg.norm(w)
        if k % 6 == 5 or beside[k] <= 1e-14 * abs(diagonal[0]):
            values, vectors = eigh_tridiagonal(diagonal[: k + 1], beside[:k], select="i", select_range=(0, 0))
            lowest, residual = float(values[0]), float(beside[k] * abs(vectors[-1, 0]))
            if residual <= CLOSE * abs(lowest) or (k > 15 and lowest - 2 * residual > FREE):
                return lowest - residual
        basis[k + 1] = w / beside[k]
    return None
