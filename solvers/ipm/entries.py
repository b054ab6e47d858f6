"""Compiled maps between matrices over (s, u, v) and single pairs (i, j) of extended rows: what `lift` and `adjoint` of
reduced/lift.py do for all of them, at the price of the pairs that are asked for.

Extended row r < forms is ½(of_s[r]·s_p + of_u[r]·x_p·u) with p = r mod n; row forms + k is v_k.
"""

from __future__ import annotations

import numba
import numpy as np

from ..network import Array
from ..reduced.lift import Mix


def coefficients(n: int, mix: Mix = None) -> tuple[Array, Array]:
    """of_s and of_u of the extended rows α_1…α_n, β_1…β_n.

    Args:
        n: rows.
        mix: (a, b) for the 2n further rows that the loss reads, as in reduced/lift.py.

    Returns:
        Both, (2n,), or (4n,) with a mix.
    """
    a, b = mix or (1.0, 0.0)
    of_s, of_u = np.repeat([1.0, 1.0, a + b, a + b], n), np.repeat([1.0, -1.0, a - b, b - a], n)
    return (of_s[: 2 * n], of_u[: 2 * n]) if mix is None else (of_s, of_u)


def entries(X: Array, rows: tuple[Array, Array], Z: Array, i: np.ndarray, j: np.ndarray) -> Array:
    """Entries (i, j) of `lift(X, Z)`.

    Args:
        X: rows (n, d).
        rows: of_s and of_u.
        Z: symmetric (n+d+k, n+d+k), k ≥ 0.
        i: extended rows of the pairs (m,), none of them a v.
        j: their columns (m,).

    Returns:
        (m,).
    """
    n, d = X.shape
    of_u = X @ Z[n : n + d, n:]  # x_p·U and x_p·Z_uv
    out = np.empty(len(i))
    _gather(X, *rows, np.ascontiguousarray(Z), of_u, i, j, out)
    return out


def scatter(X: Array, rows: tuple[Array, Array], size: int, i: np.ndarray, j: np.ndarray, y: Array) -> Array:
    """`adjoint(X, ·)` of the symmetric matrix with y/2 at (i, j) and (j, i).

    Args:
        X: rows (n, d).
        rows: of_s and of_u.
        size: n+d+k.
        i: extended rows of the pairs (m,), none of them a v.
        j: their columns (m,).
        y: (m,).

    Returns:
        Σ_m y_m sym(n_i n_jᵀ) (size, size).
    """
    n, d = X.shape
    out, of_u = np.zeros((size, size)), np.zeros((n, size - n))
    _scatter(X, *rows, i, j, y, out, of_u)
    out[n : n + d, n:] += X.T @ of_u
    out[n:, :n] = out[:n, n:].T
    out[n + d :, n : n + d] = out[n : n + d, n + d :].T
    return out


def most_used(
    X: Array, change: Array, lifted: Array, excluded: np.ndarray, tiny: float, over: float
) -> tuple[np.ndarray, Array, float]:
    """The excluded products of α and β that a step over (s, u) would use up.

    Args:
        X: rows (n, d).
        change: the step (n+d, n+d).
        lifted: their slacks (2n, 2n) or more.
        excluded: which ones are asked for (2n, 2n).
        tiny: slacks are taken to be at least this.
        over: −change/slack above which one is among the results.

    Returns:
        Flat indices into (2n, 2n), their −change/slack, and the largest of all, at least 0.
    """
    n, d = X.shape
    of_u = change[:n, n : n + d] @ X.T
    both = X @ change[n : n + d, n : n + d] @ X.T
    return _most_used(change, of_u, both, np.ascontiguousarray(lifted), excluded, tiny, over)


@numba.njit(cache=True)
def _gather(X: Array, of_s: Array, of_u: Array, Z: Array, XU: Array, i: np.ndarray, j: np.ndarray, out: Array) -> None:
    n, d = X.shape
    forms = len(of_s)
    for k in range(len(i)):
        p, a, b = i[k] % n, of_s[i[k]], of_u[i[k]]
        if j[k] >= forms:
            v = j[k] - forms
            out[k] = 0.5 * (a * Z[p, n + d + v] + b * XU[p, d + v])
            continue
        q, e, f = j[k] % n, of_s[j[k]], of_u[j[k]]
        right, left = 0.0, 0.0
        for t in range(d):
            right += X[q, t] * (a * Z[p, n + t] + b * XU[p, t])
            left += X[p, t] * Z[q, n + t]
        out[k] = 0.25 * (a * e * Z[p, q] + f * right + b * e * left)


@numba.njit(cache=True)
def _scatter(X: Array, of_s: Array, of_u: Array, i: np.ndarray, j: np.ndarray, y: Array, out: Array, XU: Array) -> None:
    n, d = X.shape
    forms = len(of_s)
    for k in range(len(i)):
        p, a, b = i[k] % n, of_s[i[k]], of_u[i[k]]
        if j[k] >= forms:
            v = j[k] - forms
            out[p, n + d + v] += 0.25 * a * y[k]
            XU[p, d + v] += 0.25 * b * y[k]
            continue
        q, e, f = j[k] % n, of_s[j[k]], of_u[j[k]]
        w = 0.125 * y[k]
        out[p, q] += w * a * e
        out[q, p] += w * a * e
        for t in range(d):
            out[p, n + t] += w * a * f * X[q, t]
            out[q, n + t] += w * e * b * X[p, t]
            XU[p, t] += w * b * f * X[q, t]
            XU[q, t] += w * b * f * X[p, t]


@numba.njit(cache=True)
def _most_used(
    change: Array, D: Array, M: Array, lifted: Array, excluded: np.ndarray, tiny: float, over: float
) -> tuple[np.ndarray, Array, float]:
    n = len(M)
    found, used, worst = [0 for _ in range(0)], [0.0 for _ in range(0)], 0.0
    for p in range(n):
        for q in range(n):
            same, other = change[p, q] + M[p, q], change[p, q] - M[p, q]
            plus, minus = D[p, q] + D[q, p], D[p, q] - D[q, p]
            for half in range(3):  # (α_p, α_q), (β_p, β_q), (α_p, β_q)
                row, column = p + (n if half == 1 else 0), q + (n if half >= 1 else 0)
                if not excluded[row, column]:
                    continue
                four = same + plus if half == 0 else (same - plus if half == 1 else other - minus)
                use = -0.25 * four / max(lifted[row, column], tiny)
                worst = max(worst, use)
                if use > over:
                    found.append(row * 2 * n + column)
                    used.append(use)
    return np.array(found, dtype=np.int64), np.array(used), worst
