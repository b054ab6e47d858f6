"""Replay of a cover of the sphere, cell by cell, with every rounding error on the safe side.

Directions are u = Ty, y in the faces of the cross-polytope Σ|y_e| = 1: one root simplex a sign pattern, bisected as the
proof says. Bisections are exact in y (halves of short binary fractions), and T is shown to be invertible, so the cells
cover every direction whatever the rounding. On a cell with vertices g_j = Ty_j, u = Σ λ_j g_j with λ ≥ 0, Λ = Σ λ_j:

- ᾱ_i = Σ λ_j (x_i·g_j)₊ is at least α_i = (x_i·u)₊, by at most Λ PQ/(P+Q), P and Q the largest (x_i·g_j)₊, (−x_i·g_j)₊;
- for a unit vector g₀ and κ_i = θ_i·g₀: κ_i α_i ≤ κ_i ᾱ_i if κ_i ≥ 0, κ_i α_i ≤ κ_i t x_i·u for any t in [0, 1] if
  κ_i < 0. Both are linear in λ, so g₀·w(u) ≤ Σ λ_j A_j for w(u) = Σ θ_i α_i; −g₀·w(u) likewise;
- the rest of w is at most Σ λ_j B_j, by the first line and the triangle inequality. So h(u) ≤ Σ λ_j H_j with
  H_j = √(A_j² + B_j²), and h(u) ≤ ‖q‖‖u‖ for any q with q·g_j ≥ H_j.
"""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from ..problem import Array
from .threads import share

EPS = 2.0**-52
DEPTH = 400
TURNS = 8
SPARE = 0.1  # share of further bisections that leaves may need where rounding went the other way


class Rows(NamedTuple):
    """w(u) = Θᵀ(Xu)₊ + form·u, whose length is h(u)."""

    theta: Array  # (n, c)
    X: Array  # (n, d)
    form: Array  # (c, d)
    size: Array  # (n,): ‖form·u‖ ≤ Σ size_i |x_i·u|, and ‖θ_i‖ ≤ size_i


def replay(rows: Rows, transform: Array, splits: NDArray[np.uint8], offsets: NDArray[np.int64], gamma: float) -> float:
    """η ≥ max h from the trees `splits`, one a root, beginning at `offsets` (2^d,).

    Leaves above γ are bisected further, as long as the spare cells last. inf where the arrays are no cover.
    """
    X, d = rows.X, rows.X.shape[1]
    if transform.shape != (d, d) or len(offsets) != 2**d or not _invertible(transform):
        return np.inf
    ends = np.append(offsets[1:], len(splits))
    if offsets[0] < 0 or np.any(offsets >= ends) or np.max(splits) > d * (d - 1) // 2:
        return np.inf
    edges = np.array(list(itertools.combinations(range(d), 2)), np.int64).reshape(-1, 2)
    slack = 32 * (len(X) + 4 * d + 16) * EPS * (rows.size @ np.abs(X))

    def root(k: int) -> float:
        signs = np.array(list(itertools.product([1.0, -1.0], repeat=d))[k])
        tree = splits[offsets[k] : ends[k]]
        return float(_root(rows.theta, X, rows.form, transform, np.diag(signs), tree, edges, slack, gamma))

    return max(share(root, range(len(offsets))))


def _invertible(transform: Array) -> bool:
    """Is T invertible beyond doubt: some R has ‖I − RT‖ < 1, rounding included?"""
    try:
        R = np.linalg.inv(transform)
    except np.linalg.LinAlgError:
        return False
    d = len(R)
    rounding = 4 * d * EPS * np.max(np.sum(np.abs(R) @ np.abs(transform), axis=1))
    return bool(np.max(np.sum(np.abs(np.eye(d) - R @ transform), axis=1)) + rounding < 0.5)


@numba.njit(cache=True, nogil=True)
def _root(
    theta: Array,
    X: Array,
    linear: Array,
    transform: Array,
    y: Array,
    tree: NDArray[np.uint8],
    edges: NDArray[np.int64],
    slack: Array,
    gamma: float,
) -> float:
    """Largest bound over the leaves of one tree in preorder; inf if it is not exactly one whole tree.

    slack (d,): Σ slack_e t_e is the rounding of every H_j on a cell where t_e = max_j Σ |T_ef (y_j)_f|. A root's y have
    the same signs, so |y| is linear there, and a row that was judged further up is in doubt by no more than that here.

    On the way down: the cell, its sibling while that is pending, the rows that change sign on it, the sum of those that
    are positive, and whether it is one of the further bisections, on which the tree has no word.
    """
    (n, d), c = X.shape, theta.shape[1]
    cell, sibling = np.zeros((DEPTH, d, d)), np.zeros((DEPTH, d, d))
    pending, further = np.zeros(DEPTH, np.bool_), np.zeros(DEPTH, np.bool_)
    rows, count = np.zeros((DEPTH, n), np.int64), np.zeros(DEPTH, np.int64)
    form = np.zeros((DEPTH, c, d))
    terms = np.abs(transform)
    spare = int(SPARE * len(tree)) + 1000
    worst, read, k = 0.0, 0, 0
    cell[0], form[0] = y, linear
    while True:
        g = cell[k] @ transform.T
        if k == 0:
            count[0] = _split(theta, X, g, np.arange(n), rows[0], form[0])
        else:
            form[k] = form[k - 1]
            count[k] = _split(theta, X, g, rows[k - 1, : count[k - 1]], rows[k], form[k])
        edge = -1
        if not further[k]:
            if read == len(tree):
                return np.inf
            edge = int(tree[read]) - 1
            read += 1
        own = edge < 0
        if own:
            size = np.zeros(d)
            for j in range(d):
                size = np.maximum(size, terms @ np.abs(cell[k, j]))
            bound = _leaf(theta, X, g, rows[k, : count[k]], form[k], size, float(np.sum(slack * size)), gamma)
            if bound > gamma and spare > 0 and k < DEPTH - 1:
                spare -= 1
                edge = _longest(g, edges)
            else:
                worst = max(worst, bound)
        if edge >= 0:
            if k == DEPTH - 1:
                return np.inf
            a, b = edges[edge]
            middle = 0.5 * (cell[k, a] + cell[k, b])
            k += 1
            cell[k], sibling[k] = cell[k - 1], cell[k - 1]
            cell[k, a], sibling[k, b] = middle, middle
            pending[k], further[k] = True, own
            continue
        while k > 0 and not pending[k]:
            k -= 1
        if k == 0:
            return worst if read == len(tree) else np.inf
        cell[k], pending[k] = sibling[k], False


@numba.njit(cache=True, nogil=True)
def _split(theta: Array, X: Array, g: Array, rows: NDArray[np.int64], crossing: NDArray[np.int64], form: Array) -> int:
    """Of `rows`, put those that change sign over the vertices g into `crossing`; add the positive ones to `form`."""
    kept = 0
    for i in rows:
        low, high = np.inf, -np.inf
        for j in range(len(g)):
            inner = 0.0
            for e in range(g.shape[1]):
                inner += X[i, e] * g[j, e]
            low, high = min(low, inner), max(high, inner)
        if low < 0 < high:
            crossing[kept] = i
            kept += 1
        elif high > 0:
            for a in range(theta.shape[1]):
                for e in range(g.shape[1]):
                    form[a, e] += theta[i, a] * X[i, e]
    return kept


@numba.njit(cache=True, nogil=True)
def _longest(g: Array, edges: NDArray[np.int64]) -> int:
    """Number of the edge with the widest angle."""
    best, widest = 0, -np.inf
    for k in range(len(edges)):
        a, b = g[edges[k, 0]], g[edges[k, 1]]
        width = -np.sum(a * b) / np.sqrt(np.sum(a * a) * np.sum(b * b))
        if width > widest:
            best, widest = k, width
    return best


@numba.njit(cache=True, nogil=True)
def _leaf(
    theta: Array, X: Array, g: Array, rows: NDArray[np.int64], form: Array, size: Array, slack: float, gamma: float
) -> float:
    """Bound on h over one cell, as the module's docstring derives it, with `slack` for the rounding of every H_j."""
    d, m = len(g), len(rows)
    alpha = np.zeros((m, d))  # (x_i·g_j)₊
    beta = np.zeros((m, d))  # (−x_i·g_j)₊
    for r in range(m):
        for j in range(d):
            inner = np.sum(X[rows[r]] * g[j])
            alpha[r, j], beta[r, j] = max(inner, 0.0), max(-inner, 0.0)
    w = g @ form.T
    for r in range(m):
        for j in range(d):
            w[j] += theta[rows[r]] * alpha[r, j]

    unit = np.zeros(w.shape[1])
    for j in range(d):
        unit += w[j] / np.sqrt(np.sum(g[j] ** 2))
    norm = np.sqrt(np.sum(unit**2))
    if norm > 0:
        unit /= norm
    else:
        unit[0] = 1.0

    kappa, short, t = np.zeros(m), np.zeros(m), np.zeros(m)
    shift, radius = np.zeros(w.shape[1]), 0.0
    for r in range(m):
        P, Q = np.max(alpha[r]), np.max(beta[r])
        short[r] = P * Q / (P + Q) if P + Q > 0 else 0.0
        kappa[r] = np.sum(theta[rows[r]] * unit)
        rest = theta[rows[r]] - kappa[r] * unit
        shift += 0.5 * short[r] * rest
        radius += 0.5 * short[r] * np.sqrt(np.sum(rest**2))
        t[r] = 1.0 if np.sum(alpha[r]) > np.sum(beta[r]) else 0.0
    centre, B = np.zeros(d), np.zeros(d)
    for j in range(d):
        centre[j] = np.sum(w[j] * unit)
        B[j] = np.sqrt(np.sum((w[j] - centre[j] * unit - shift) ** 2)) + radius
    below = np.sum(np.maximum(kappa, 0.0) * short)

    best = np.inf
    for turn in range(TURNS):
        A = centre.copy()
        for r in range(m):
            if kappa[r] < 0:
                A -= kappa[r] * ((1 - t[r]) * alpha[r] + t[r] * beta[r])
        H = np.hypot(np.maximum(A, below - centre), B) + slack
        bound, weight = _cone_maximum(g, H, size)
        best = min(best, bound)
        if best <= gamma:
            break
        for r in range(m):
            side = 1.0 if np.sum(weight * (alpha[r] - beta[r])) > 0 else 0.0
            t[r] += (side - t[r]) / (turn + 2)
    return best


@numba.njit(cache=True, nogil=True)
def _cone_maximum(g: Array, H: Array, size: Array) -> tuple[float, Array]:
    """Bound on Σ λ_j H_j over λ ≥ 0, ‖Σ λ_j g_j‖ ≤ 1, and a λ near the maximum.

    Tries the cell's axis, then q = Σ λ_j g_j with q·g_j = H_j on fewer and fewer vertices. Any q bounds, if its
    products with the g_j, less their rounding, are positive.
    """
    d = len(H)
    axis = np.zeros(d)
    for j in range(d):
        axis += g[j] / np.sqrt(np.sum(g[j] ** 2))
    best, weight = _reach(g, H, axis, size), np.zeros(d)
    active = np.ones(d, np.bool_)
    while np.any(active):
        which = np.flatnonzero(active)
        sub = g[which]
        weight = np.zeros(d)
        weight[which] = _eliminate(sub @ sub.T, H[which])
        best = min(best, _reach(g, H, weight @ g, size))
        if np.min(weight) >= 0:
            break
        active[np.argmin(weight)] = False
    return best, np.maximum(weight, 0.0)


@numba.njit(cache=True, nogil=True)
def _reach(g: Array, H: Array, q: Array, size: Array) -> float:
    """‖q‖ max_j H_j/(q·g_j), rounding included."""
    d = len(H)
    rounding = 16 * d * EPS * np.sum(np.abs(q) * size)
    ratio = 0.0
    for j in range(d):
        along = np.sum(q * g[j]) - rounding
        ratio = max(ratio, H[j] / along) if along > 0 else np.inf
    return ratio * np.sqrt(np.sum(q**2)) * (1 + 16 * d * EPS)


@numba.njit(cache=True, nogil=True)
def _eliminate(M: Array, b: Array) -> Array:
    """Solution of Mx = b for a small positive definite M, by elimination; what it is worth the caller finds out."""
    M, b = M.copy(), b.copy()
    for k in range(len(b)):
        pivot = M[k, k] if M[k, k] > 0 else 1e-300
        for r in range(k + 1, len(b)):
            factor = M[r, k] / pivot
            M[r] -= factor * M[k]
            b[r] -= factor * b[k]
    for k in range(len(b) - 1, -1, -1):
        b[k] -= np.sum(M[k, k + 1 :] * b[k + 1 :])
        b[k] /= M[k, k] if M[k, k] > 0 else 1e-300
    return b
