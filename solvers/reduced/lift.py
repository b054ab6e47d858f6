"""The linear maps between Z over (s, u, v) and the entrywise constraints on (α, β), with their adjoints.

Extended rows are the 2n + c rows of blkdiag(N, I_c), where N maps (s, u) to (α, β); every constraint of the
relaxation is one entry (i, j) of G(Z) = blkdiag(N, I) Z blkdiag(N, I)ᵀ.
"""

from __future__ import annotations

import numpy as np

from ..network import Array


def lift(X: Array, Z: Array) -> Array:
    """G(Z), the form on rows (α, β) for one on rows (s, u).

    Args:
        X: rows (n, d).
        Z: symmetric (n+d+k, n+d+k), k ≥ 0.

    Returns:
        (2n+k, 2n+k).
    """
    n, d = X.shape
    columns = _extend(X, Z, n, d)
    return _extend(X, columns, n, d)


def _extend(X: Array, A: Array, n: int, d: int) -> Array:
    """blkdiag(N, I) applied to the columns' side of A: (r, n+d+k) → (2n+k, r)."""
    half_s, half_u = A[:, :n] / 2, A[:, n : n + d] @ (X.T / 2)
    return np.concatenate([half_s + half_u, half_s - half_u, A[:, n + d :]], axis=1).T


def adjoint(X: Array, K: Array) -> Array:
    """blkdiag(N, I)ᵀ K blkdiag(N, I), the adjoint of `lift`.

    Args:
        X: rows (n, d).
        K: symmetric (2n+k, 2n+k), k ≥ 0.

    Returns:
        (n+d+k, n+d+k).
    """
    n = len(X)
    return _restrict(X, _restrict(X, K, n).T, n)


def _restrict(X: Array, K: Array, n: int) -> Array:
    """blkdiag(N, I)ᵀ K: (2n+k, r) → (n+d+k, r)."""
    alpha, beta = K[:n], K[n : 2 * n]
    return np.concatenate([(alpha + beta) / 2, X.T @ ((alpha - beta) / 2), K[2 * n :]])


def project(X: Array, K: Array) -> Array:
    """Nᵀ K: rows (α, β) to rows (s, u).

    Args:
        X: rows (n, d).
        K: (2n, k).

    Returns:
        (n+d, k).
    """
    return _restrict(X, K, len(X))


def inequalities(n: int) -> np.ndarray:
    """Mask of the entrywise constraints: above the diagonal, without the pairs (α_i, β_i).

    Args:
        n: rows.

    Returns:
        Booleans (2n, 2n).
    """
    mask = np.triu(np.ones((2 * n, 2 * n), bool), 1)
    mask[np.arange(n), n + np.arange(n)] = False
    return mask
