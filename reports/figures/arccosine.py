"""The kernels of the infinitely wide two-layer network in closed form (Cho & Saul 2009), to draw and compare.

With all weights standard normal and θ the angle between x and z (no bias, features divided by √d):

    NNGP(x, z) = ‖x‖‖z‖ (sin θ + (π − θ) cos θ) / (2π d),     NTK(x, z) = NNGP(x, z) + xᵀz (π − θ) / (2π d)

for the ReLU. With slope κ below 0, φ(t) = t₊ − κ(−t)₊, both are by linearity (1 + κ²) times that of θ and −2κ times
that of π − θ, but that the tangents of π − θ count with +2κ: opposite signs of φ are no opposite slopes.
"""

from __future__ import annotations

import numpy as np

from ..results import Array


def hidden(X: Array, U: Array, below: float = 0.0) -> Array:
    """Compute what neurons make of rows.

    Args:
        X: rows (n, d).
        U: input weights (d, m).
        below: the slope of the activation below 0.

    Returns:
        (n, m).
    """
    inner = X @ U
    return np.where(inner > 0, inner, below * inner)


def kernel(name: str, X: Array, Z: Array, below: float = 0.0) -> Array:
    """Compute a kernel of infinite width between rows.

    Args:
        name: `nngp` or `ntk`.
        X: rows (k, d).
        Z: rows (l, d).
        below: κ, the slope of the activation below 0.

    Returns:
        The kernel (k, l).
    """
    inner = X @ Z.T
    norms = np.linalg.norm(X, axis=1)[:, None] * np.linalg.norm(Z, axis=1)[None, :]
    cosine = np.clip(np.divide(inner, norms, out=np.zeros_like(inner), where=norms > 0), -1.0, 1.0)
    angle = np.arccos(cosine)
    same, opposite = 1 + below**2, 2 * below  # what rows on the same side, and on opposite ones, count
    first = same * norms * (np.sin(angle) + (np.pi - angle) * cosine)
    first -= opposite * norms * (np.sin(angle) - angle * cosine)
    second = inner * (same * (np.pi - angle) + opposite * angle) if name == "ntk" else 0.0
    return (first + second) / (2 * np.pi * X.shape[1])


def ridge_scores(name: str, X: Array, Y: Array, ridge: float, Z: Array, below: float = 0.0) -> Array:
    """Compute the scores K(Z, X)(K(X, X) + ridge·I)⁻¹Y of kernel ridge regression.

    Args:
        name: `nngp` or `ntk`.
        X: training rows (n, d).
        Y: targets (n, c).
        ridge: the weight of the penalty.
        Z: rows to predict (k, d).
        below: the slope of the activation below 0.

    Returns:
        Scores (k, c).
    """
    weights = np.linalg.lstsq(kernel(name, X, X, below) + ridge * np.eye(len(X)), Y, rcond=None)[0]
    return kernel(name, Z, X, below) @ weights
