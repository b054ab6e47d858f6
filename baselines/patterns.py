"""Activation patterns 1[Xu ≥ 0] of the rows of X, drawn at random, and the cones of neurons that have them."""

from __future__ import annotations

import numpy as np

from ..solvers.network import Array, whitener
from .start import RANK

DRAWS = 20  # directions drawn for each pattern wanted


def sample_patterns(X: Array, count: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Sample different activation patterns, with a unit direction for each.

    Half of the directions are Gaussian, as the authors of the convex programs draw them, and half have isotropic
    preactivations Xu, because on raw data most Gaussian directions have all rows on one side. Zero rows of X count as
    active everywhere.

    Args:
        X: rows (n, d).
        count: the most patterns; fewer come back if 20·count directions have no more.
        rng: where the random numbers come from.

    Returns:
        Patterns D (n, K) of zeros and ones and directions U (d, K), K ≤ count.
    """
    isotropic = whitener(X, RANK)
    half = DRAWS * count // 2
    plain = rng.normal(size=(X.shape[1], half))
    spread = isotropic @ rng.normal(size=(isotropic.shape[1], half))
    U = np.stack([plain, spread], axis=2).reshape(X.shape[1], -1)  # in turn one of either kind
    norms = np.linalg.norm(U, axis=0)
    U = U[:, norms > 0] / norms[norms > 0]
    _, first = np.unique(X @ U >= 0, axis=1, return_index=True)
    kept = np.sort(first)[:count]
    return (X @ U[:, kept] >= 0).astype(np.float64), U[:, kept]


def project_to_cone(X: Array, pattern: Array, g: Array) -> Array:
    """The nearest point of the cone {u: (2D − I)Xu ≥ 0} of a pattern, by non-negative least squares.

    Its dual is min ‖g + Aᵀλ‖ over λ ≥ 0 with A = (2D − I)X (Moreau), and the point is g + Aᵀλ.

    Args:
        X: rows (n, d).
        pattern: zeros and ones (n,), the diagonal of D.
        g: the point to project (d,).

    Returns:
        The nearest point (d,); the cone's apex 0 where the solver gives up.
    """
    from scipy.optimize import nnls

    A = (2 * pattern - 1)[:, None] * X
    A = A[np.linalg.norm(A, axis=1) > 0]
    if len(A) == 0:
        return g
    try:
        weights, _ = nnls(A.T, -g)
    except RuntimeError:  # its limit on iterations
        return np.zeros_like(g)
    return g + A.T @ weights
