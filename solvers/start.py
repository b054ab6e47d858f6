"""A strictly feasible starting point of the relaxation.

Any distribution of u gives a feasible block E over (s, u). Gaussian u gives the arc-cosine (NNGP) kernel; the
"centre" S = mmᵀ with m_i = ‖x_i‖ leaves the most room for nearly parallel rows. Their average is feasible in any
coordinates of u; half-whitened ones spread the rows of badly scaled data.
"""

from __future__ import annotations

import numpy as np

from .kernel import kernel_value
from .problem import Array
from .reduction import Reduced


def start(reduced: Reduced) -> Array:
    """E (n+d, n+d), strictly feasible, the best of a few whitenings and scales by the kernel objective."""
    singular = np.linalg.norm(reduced.X, axis=0)
    best, best_E = np.inf, np.empty((0, 0))
    for power in (0.0, 0.5, 1.0):
        whitening = singular**power
        E = gaussian_block(reduced.X / whitening, 1 / whitening**2)
        for scale in np.logspace(-6, 5, 23):
            value, _ = kernel_value(reduced, scale * E)
            if value < best:
                best, best_E = value, scale * E
    return best_E


def gaussian_block(X: Array, variance: Array) -> Array:
    """Average of the arc-cosine block and the centre for rows X (n, d) and U = diag(variance).

    α and β have the second moments of order-one arc-cosine kernels (Cho & Saul 2009, eq. 6).
    """
    n, d = X.shape
    norm = np.linalg.norm(X, axis=1)
    product = np.outer(norm, norm)
    cosine = np.clip(X @ X.T / product, -1.0, 1.0)
    angle = np.arccos(cosine)
    # S = 2 E[αα] + 2 E[αβ]
    S = product / np.pi * (2 * np.sin(angle) + (np.pi - 2 * angle) * cosine)
    E = np.zeros((n + d, n + d))
    E[:n, :n] = (S + product) / 2
    E[np.arange(n), np.arange(n)] = norm**2
    E[np.arange(n, n + d), np.arange(n, n + d)] = variance
    return E
