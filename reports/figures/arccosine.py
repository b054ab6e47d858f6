"""The kernels of the infinitely wide two-layer ReLU network in closed form (Cho & Saul 2009), to draw and compare.

With all weights standard normal and θ the angle between x and z (no bias, features divided by √d):

    NNGP(x, z) = ‖x‖‖z‖ (sin θ + (π − θ) cos θ) / (2π d),     NTK(x, z) = NNGP(x, z) + xᵀz (π − θ) / (2π d)
"""

from __future__ import annotations

import numpy as np

from ..results import Array


def kernel(name: str, X: Array, Z: Array) -> Array:
    """Compute an arc-cosine kernel between rows.

    Args:
        name: `nngp` or `ntk`.
        X: rows (k, d).
        Z: rows (l, d).

    Returns:
        The kernel (k, l).
    """
    inner = X @ Z.T
    norms = np.linalg.norm(X, axis=1)[:, None] * np.linalg.norm(Z, axis=1)[None, :]
    cosine = np.clip(np.divide(inner, norms, out=np.zeros_like(inner), where=norms > 0), -1.0, 1.0)
    angle = np.arccos(cosine)
    first = norms * (np.sin(angle) + (np.pi - angle) * cosine)
    second = inner * (np.pi - angle) if name == "ntk" else 0.0
    return (first + second) / (2 * np.pi * X.shape[1])


def ridge_scores(name: str, X: Array, Y: Array, ridge: float, Z: Array) -> Array:
    """Compute the scores K(Z, X)(K(X, X) + ridge·I)⁻¹Y of kernel ridge regression.

    Args:
        name: `nngp` or `ntk`.
        X: training rows (n, d).
        Y: targets (n, c).
        ridge: the weight of the penalty.
        Z: rows to predict (k, d).

    Returns:
        Scores (k, c).
    """
    weights = np.linalg.lstsq(kernel(name, X, X) + ridge * np.eye(len(X)), Y, rcond=None)[0]
    return kernel(name, Z, X) @ weights
