"""The linear maps between Z over (s, u, v) and the entrywise constraints on (α, β), with their adjoints.

Extended rows are the 2n + c rows of blkdiag(N, I_c), where N maps (s, u) to (α, β); every constraint of the
relaxation is one entry (i, j) of G(Z) = blkdiag(N, I) Z blkdiag(N, I)ᵀ. For other activations than the ReLU the loss
reads aα + bβ, or bα + aβ of a row merged with the opposite sign; with a `mix` (a, b) these 2n rows follow α and β.
"""

from __future__ import annotations

import numpy as np

from ..network import Array

Mix = tuple[float, float] | None


def lift(X: Array, Z: Array, mix: Mix = None) -> Array:
    """G(Z), the form on rows (α, β) for one on rows (s, u).

    Args:
        X: rows (n, d).
        Z: symmetric (n+d+k, n+d+k), k ≥ 0.
        mix: (a, b) for 2n further rows after (α, β), those that the loss reads.

    Returns:
        (2n+k, 2n+k), or (4n+k, 4n+k) with a mix.
    """
    n, d = X.shape
    columns = _extend(X, Z, n, d, mix)
    return _extend(X, columns, n, d, mix)


def _extend(X: Array, A: Array, n: int, d: int, mix: Mix) -> Array:
    """blkdiag(N, I) applied to the columns' side of A: (r, n+d+k) → (2n+k, r), or (4n+k, r)."""
    half_s, half_u = A[:, :n] / 2, A[:, n : n + d] @ (X.T / 2)
    forms = [half_s + half_u, half_s - half_u]
    if mix is not None:
        of_s, of_u = (mix[0] + mix[1]) * half_s, (mix[0] - mix[1]) * half_u
        forms += [of_s + of_u, of_s - of_u]
    return np.concatenate([*forms, A[:, n + d :]], axis=1).T


def adjoint(X: Array, K: Array, mix: Mix = None) -> Array:
    """blkdiag(N, I)ᵀ K blkdiag(N, I), the adjoint of `lift`.

    Args:
        X: rows (n, d).
        K: symmetric (2n+k, 2n+k), k ≥ 0, or (4n+k, 4n+k) with a mix.
        mix: as for `lift`.

    Returns:
        (n+d+k, n+d+k).
    """
    return _restrict(X, _restrict(X, K, mix).T, mix)


def _restrict(X: Array, K: Array, mix: Mix = None) -> Array:
    """blkdiag(N, I)ᵀ K: (2n+k, r), or (4n+k, r), → (n+d+k, r)."""
    n = len(X)
    alpha, beta, rest = K[:n], K[n : 2 * n], K[2 * n :]
    if mix is not None:
        own, opposite, rest = rest[:n], rest[n : 2 * n], rest[2 * n :]
        alpha, beta = alpha + mix[0] * own + mix[1] * opposite, beta + mix[1] * own + mix[0] * opposite
    return np.concatenate([(alpha + beta) / 2, X.T @ ((alpha - beta) / 2), rest])


def project(X: Array, K: Array) -> Array:
    """Nᵀ K: rows (α, β) to rows (s, u).

    Args:
        X: rows (n, d).
        K: (2n, k).

    Returns:
        (n+d, k).
    """
    return _restrict(X, K)


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
