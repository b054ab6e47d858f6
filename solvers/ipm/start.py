"""A strictly feasible starting point of the relaxation.

Any distribution of u gives a feasible block E over (s, u). Gaussian u gives the arc-cosine (NNGP) kernel; the
"centre" S = mmᵀ with m_i = ‖x_i‖ leaves the most room for nearly parallel rows. Their average is feasible in any
coordinates of u; half-whitened ones spread the rows of badly scaled data.
"""

from __future__ import annotations

import numpy as np

from ..network import Array
from ..reduced.kernel import kernel_values
from ..reduced.lift import inequalities, lift
from ..reduced.reduction import Reduced

THIN = 1e-7  # relative slack under which nearly parallel rows hold the first steps back
PENALTY = 0.1  # share of the objective that the weights get at least, so that the start is not a corner


def start(reduced: Reduced) -> Array:
    """Find a strictly feasible start: of a few whitenings and scales the best objective that leaves room to move.

    Args:
        reduced: the problem.

    Returns:
        E (n+d, n+d).
    """
    singular = np.linalg.norm(reduced.X, axis=0)
    candidates = []
    for power in (0.0, 0.5, 1.0):
        whitening = singular**power
        E = gaussian_block(reduced.X / whitening, 1 / whitening**2)
        value, scaled = _best_scale(reduced, E)
        candidates.append((min(room(reduced, E), THIN), -value, scaled))
    return max(candidates, key=lambda candidate: candidate[:2])[2]


def _best_scale(reduced: Reduced, E: Array) -> tuple[float, Array]:
    trace = float(np.trace(E[reduced.n :, reduced.n :]))
    scales = np.logspace(6, -8, 15) / trace
    best = (np.inf, E)
    for scale, value in zip(scales, kernel_values(reduced, E, scales), strict=True):
        enough = 0.5 * reduced.gamma * scale * trace >= PENALTY * value
        if value < best[0] and (enough or not np.isfinite(best[0])):
            best = (float(value), scale * E)
    return best


def room(reduced: Reduced, E: Array) -> float:
    """Smallest slack of an entrywise constraint, relative to the diagonal entries of its rows."""
    slack = lift(reduced.X, E)
    size = np.sqrt(np.maximum(np.diag(slack), 1e-300))
    return float(np.min(slack / np.outer(size, size), where=inequalities(reduced.n), initial=1.0))


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
