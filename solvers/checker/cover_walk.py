"""Replay of a cover of the sphere, simplex by simplex, with every rounding error on the safe side.

Directions are u = Ty, y in the faces of the cross-polytope Σ|y_e| = 1: one root simplex a sign pattern, bisected as the
tree says. On a simplex with vertices g_j = Ty_j, u = Σ λ_j g_j with λ ≥ 0, Λ = Σ λ_j:

- α_i = (x_i·u)₊ is convex: at most Σ λ_j (x_i·g_j)₊, and at least t_i x_i·u = Σ λ_j t_i x_i·g_j for any t_i in [0, 1];
- so w(u) = Σ θ_i α_i is Σ λ_j w_j, w_j = Σ θ_i a_ij with a_ij between t_i x_i·g_j and (x_i·g_j)₊: let every a_ij lie as
  far between its ends as α_i does. Hence h(u) ≤ Σ λ_j H_j if H_j is at least ‖w_j‖ for all such a_ij, and h(u) ≤ ‖q‖‖u‖
  for any q with q·g_j ≥ H_j;
- w_j = m_j + Σ σ_i b_ij θ_i, m_j with the middles of these intervals, b_ij half their lengths, |σ_i| ≤ 1. For an
  orthogonal R, |Rw_j| ≤ |Rm_j| + Σ b_ij |Rθ_i| in every coordinate: H_j is the length of the right side. R is the
  reflection that takes m_j to the first axis.

All numbers that come in are at most 1. What underflows, squares included, is below FLOOR, which every H_j carries.
Comparisons are written so that a bound which is not a number is never taken for one.
"""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

EPS = 2.0**-52
FLOOR = 2.0**-480
DEPTH = 400
TURNS = 8
SPARE = 0.1  # share of further bisections that leaves may need where rounding went the other way


class Rows(NamedTuple):
    """w(u) = Θᵀ(Xu)₊ + form·u, whose length is h(u)."""

    theta: Array  # (n, c)
    X: Array  # (n, d), unit rows
    form: Array  # (c, d)
    size: Array  # (n,): ‖form·u‖ ≤ Σ size_i |x_i·u|, and ‖θ_i‖ ≤ size_i


@numba.njit(cache=True, nogil=True)
def walk(
    theta: Array,
    X: Array,
    linear: Array,
    transform: Array,
    y: Array,
    tree: NDArray[np.uint8],
    edges: NDArray[np.int64],
    slack: Array,
    gamma: float,
) -> tuple[float, int]:
    """(bound, rounded): the largest bound over the leaves of one tree in preorder, inf if it is not one whole tree;
    and the most midpoints on the way to a leaf that are not exact.

    slack (d,): Σ slack_e t_e is the rounding of every H_j on a simplex where t_e = max_j Σ |T_ef (y_j)_f|. A root's y
    have the same signs, so |y| is linear there, and a row that was judged further up is in doubt by no more than that.

    Leaves above γ are bisected further, as long as spare simplices last. On the way down: the simplex, its sibling
    while that is pending, the rows that change sign on it, the sum of those that are positive, and whether it is one of
    the further bisections, on which the tree has no word.
    """
    (n, d), c = X.shape, theta.shape[1]
    cell, sibling = np.zeros((DEPTH, d, d)), np.zeros((DEPTH, d, d))
    pending, further = np.zeros(DEPTH, np.bool_), np.zeros(DEPTH, np.bool_)
    rows, count = np.zeros((DEPTH, n), np.int64), np.zeros(DEPTH, np.int64)
    moved, most_moved = np.zeros(DEPTH, np.int64), 0
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
                return np.inf, 0
            edge = int(tree[read]) - 1
            read += 1
        own = edge < 0
        if own:
            size = np.zeros(d)
            for j in range(d):
                size = np.maximum(size, terms @ np.abs(cell[k, j]))
            rounding = float(np.sum(slack * size)) + FLOOR
            bound = _leaf(theta, X, g, rows[k, : count[k]], form[k], size, rounding, gamma)
            if not bound <= gamma and spare > 0 and k < DEPTH - 1 and d > 1:
                spare -= 1
                edge = _longest(g, edges)
            elif not bound <= worst:
                worst = bound
        if edge >= 0:
            if k == DEPTH - 1:
                return np.inf, 0
            a, b = edges[edge]
            middle = 0.5 * (cell[k, a] + cell[k, b])
            exact = np.all(middle - cell[k, a] == cell[k, b] - middle)
            k += 1
            moved[k] = moved[k - 1] + (0 if exact else 1)
            most_moved = max(most_moved, moved[k])
            cell[k], sibling[k] = cell[k - 1], cell[k - 1]
            cell[k, a], sibling[k, b] = middle, middle
            pending[k], further[k] = True, own
            continue
        while k > 0 and not pending[k]:
            k -= 1
        if k == 0:
            return (worst, most_moved) if read == len(tree) else (np.inf, 0)
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
def _unit(vector: Array) -> Array:
    """The vector at length 1, whatever its size; the first axis for one that has no direction."""
    unit = np.zeros(len(vector))
    largest = np.max(np.abs(vector))
    if not 0 < largest < np.inf:
        unit[0] = 1.0
        return unit
    unit = vector / largest
    return unit / np.sqrt(np.sum(unit**2))


@numba.njit(cache=True, nogil=True)
def _leaf(
    theta: Array, X: Array, g: Array, rows: NDArray[np.int64], form: Array, size: Array, slack: float, gamma: float
) -> float:
    """Bound on h over one simplex, as the module's docstring derives it, with `slack` for the rounding of every H_j."""
    d, m = len(g), len(rows)
    inner, t, lines = np.zeros((m, d)), np.zeros(m), theta[rows]
    for r in range(m):
        for j in range(d):
            inner[r, j] = np.sum(X[rows[r]] * g[j])
        t[r] = 1.0 if np.sum(inner[r]) > 0 else 0.0
    fixed, H = g @ form.T, np.zeros(d)
    best = np.inf
    for turn in range(TURNS):
        for j in range(d):
            H[j] = _longest_sum(fixed[j], lines, t * inner[:, j], np.maximum(inner[:, j], 0.0)) + slack
        if not np.all(np.isfinite(H)):
            return np.inf
        bound, weight = _cone_maximum(g, H, size)
        if bound < best:
            best = bound
        if best <= gamma:
            break
        for r in range(m):
            side = 1.0 if np.sum(weight * inner[r]) > 0 else 0.0
            t[r] += (side - t[r]) / (turn + 2)
    return best


@numba.njit(cache=True, nogil=True)
def _longest_sum(fixed: Array, lines: Array, low: Array, high: Array) -> float:
    """At least ‖fixed + Σ a_r lines_r‖ for all a_r from low_r to high_r, up to rounding."""
    middle = fixed.copy()
    for r in range(len(lines)):
        middle += 0.5 * (low[r] + high[r]) * lines[r]
    mirror = _unit(middle)
    mirror[0] += 1.0 if mirror[0] > 0 else -1.0
    mirror = _unit(mirror)
    most = np.abs(middle - 2 * np.sum(middle * mirror) * mirror)
    for r in range(len(lines)):
        most += 0.5 * (high[r] - low[r]) * np.abs(lines[r] - 2 * np.sum(lines[r] * mirror) * mirror)
    return float(np.sqrt(np.sum(most**2)))


@numba.njit(cache=True, nogil=True)
def _cone_maximum(g: Array, H: Array, size: Array) -> tuple[float, Array]:
    """Bound on Σ λ_j H_j over λ ≥ 0, ‖Σ λ_j g_j‖ ≤ 1, and a λ near the maximum.

    Tries the simplex's axis, then q = Σ λ_j g_j with q·g_j = H_j on fewer and fewer vertices. Any q bounds, if its
    products with the g_j, less their rounding, are positive.
    """
    d = len(H)
    axis = np.zeros(d)
    for j in range(d):
        axis += _unit(g[j])
    best, weight = _reach(g, H, axis, size), np.zeros(d)
    active = np.ones(d, np.bool_)
    while np.any(active):
        which = np.flatnonzero(active)
        sub = g[which]
        weight = np.zeros(d)
        weight[which] = _eliminate(sub @ sub.T, H[which])
        bound = _reach(g, H, weight @ g, size)
        if bound < best:
            best = bound
        if np.min(weight) >= 0:
            break
        active[np.argmin(weight)] = False
    return best, np.maximum(weight, 0.0)


@numba.njit(cache=True, nogil=True)
def _reach(g: Array, H: Array, q: Array, size: Array) -> float:
    """‖q‖ max_j H_j/(q·g_j), rounding included; inf for a q that does not bound. H is finite and positive."""
    d = len(H)
    q = _unit(q)
    rounding = 16 * d * EPS * np.sum(np.abs(q) * size) + FLOOR
    ratio = 0.0
    for j in range(d):
        along = np.sum(q * g[j]) - rounding
        if not along > 0:
            return np.inf
        ratio = max(ratio, H[j] / along)
    return ratio * (1 + 32 * d * EPS)


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
