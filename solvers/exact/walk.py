"""The compiled walk over the simplices of a cover, with the bound on h(u) = ‖Θᵀ(Xu)₊‖ over the cone of each.

The formulas are those of cover.py's docstring. Everything that is compiled into `walk` stands in this one file, since
numba's cache does not notice when a function in another file has changed.
"""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from ..network import Array
from .frames import Frames

SLACK = 1e-7  # share by which cones close below the target, so that the check agrees in spite of rounding
TURNS = 8  # choices of t that are tried before a simplex is bisected
NEAR = 1.3  # only simplices whose bound is within this factor of the target are worth those tries
RISE = 1e-3  # how far above a height found in a simplex its target is raised when that height exceeds the target


@numba.njit(cache=True, nogil=True)
def fill_root(theta: Array, X: Array, transform: Array, y: Array, frames: Frames) -> None:
    """Fill level 0, where L is the linear part: all rows, sorted into linear and crossing."""
    d = X.shape[1]
    frames.y[0] = y
    frames.g[0] = y @ transform.T
    for i in range(len(X)):
        for j in range(d):
            frames.p[0, i, j] = 0.0
            for e in range(d):
                frames.p[0, i, j] += X[i, e] * frames.g[0, j, e]
        frames.rows[0, i] = i
    _sort_rows(theta, X, frames, 0, len(X))


@numba.njit(cache=True, nogil=True)
def _sort_rows(theta: Array, X: Array, frames: Frames, k: int, size: int) -> None:
    """Of the first `size` rows of level k keep those that cross; add to L those that are positive on the simplex."""
    c, d = theta.shape[1], X.shape[1]
    kept = 0
    for r in range(size):
        low, high = np.inf, -np.inf
        for j in range(d):
            low, high = min(low, frames.p[k, r, j]), max(high, frames.p[k, r, j])
        i = frames.rows[k, r]
        if low >= 0:
            for a in range(c):
                for e in range(d):
                    frames.L[k, a, e] += theta[i, a] * X[i, e]
        elif high > 0:
            frames.rows[k, kept] = i
            for j in range(d):
                frames.p[k, kept, j] = frames.p[k, r, j]
            kept += 1
    frames.crossing[k] = kept


@numba.njit(cache=True, nogil=True)
def _descend(theta: Array, X: Array, transform: Array, frames: Frames, k: int) -> None:
    """Fill level k with the half of level k − 1's simplex that its `side` asks for."""
    d = X.shape[1]
    a, b = frames.edge[k - 1]
    gone = a if frames.side[k - 1] == 0 else b
    frames.y[k], frames.g[k], frames.L[k] = frames.y[k - 1], frames.g[k - 1], frames.L[k - 1]
    frames.y[k, gone] = 0.5 * (frames.y[k - 1, a] + frames.y[k - 1, b])
    for e in range(d):
        frames.g[k, gone, e] = 0.0
        for f in range(d):
            frames.g[k, gone, e] += transform[e, f] * frames.y[k, gone, f]
    size = frames.crossing[k - 1]
    for r in range(size):
        frames.rows[k, r] = frames.rows[k - 1, r]
        for j in range(d):
            frames.p[k, r, j] = frames.p[k - 1, r, j]
        frames.p[k, r, gone] = 0.5 * (frames.p[k - 1, r, a] + frames.p[k - 1, r, b])
    _sort_rows(theta, X, frames, k, size)


@numba.njit(cache=True, nogil=True)
def _through(g: Array, H: Array, q: Array) -> float:
    """‖q‖ max_j H_j/(q·g_j); inf unless all these products are positive."""
    ratio, square = 0.0, 0.0
    for j in range(len(H)):
        along = 0.0
        for e in range(len(q)):
            along += q[e] * g[j, e]
        ratio = max(ratio, H[j] / along) if along > 0 else np.inf
        square += q[j] ** 2
    return ratio * np.sqrt(square)


@numba.njit(cache=True, nogil=True)
def _eliminate(M: Array) -> bool:
    """Gaussian elimination below the diagonal of (k, k + 1) equations, in place; false if a pivot is not positive."""
    k = len(M)
    for a in range(k):
        if M[a, a] <= 0:
            return False
        for r in range(a + 1, k):
            factor = M[r, a] / M[a, a]
            for b in range(a, k + 1):
                M[r, b] -= factor * M[a, b]
    return True


@numba.njit(cache=True, nogil=True)
def _linear_maximum(g: Array, H: Array, weight: Array) -> float:
    """Bound on Σ λ_j H_j over λ ≥ 0 with ‖Σ λ_j g_j‖ = 1; `weight` gets the maximising λ.

    Active set: solve GGᵀλ = H, drop the most negative λ_j, repeat. Any q whose products with the g_j are positive gives
    the bound ‖q‖ max_j H_j/(q·g_j), whether or not it is the best one. On a narrow simplex GGᵀ may be singular to
    rounding; the simplex's axis is then a good q all the same.
    """
    d = len(H)
    active = np.ones(d, np.bool_)
    axis = np.zeros(d)
    for j in range(d):
        axis += g[j] / np.sqrt((g[j] ** 2).sum())
    best = _through(g, H, axis)
    for _ in range(d):
        which = np.flatnonzero(active)
        k = len(which)
        M = np.empty((k, k + 1))
        for a in range(k):
            for b in range(k):
                M[a, b] = 0.0
                for e in range(d):
                    M[a, b] += g[which[a], e] * g[which[b], e]
            M[a, k] = H[which[a]]
        if not _eliminate(M):
            return best
        weight[:] = 0.0
        worst = 0
        for a in range(k - 1, -1, -1):
            for b in range(a + 1, k):
                M[a, k] -= M[a, b] * weight[which[b]]
            weight[which[a]] = M[a, k] / M[a, a]
            if weight[which[a]] <= weight[which[worst]] or a == k - 1:
                worst = a
        q = np.zeros(d)
        for vertex in which:
            for e in range(d):
                q[e] += weight[vertex] * g[vertex, e]
        best = min(best, _through(g, H, q))
        if weight[which[worst]] >= 0 or k == 1:
            break
        active[which[worst]] = False
    for j in range(d):
        weight[j] = max(weight[j], 0.0)
    return best


@numba.njit(cache=True, nogil=True)
def _at_vertices(theta: Array, frames: Frames, k: int, state: Array, top: Array) -> tuple[Array, Array]:
    """w (d, c) at the vertices with the chords of crossing rows, and g₀ (c,), the unit vector towards their sum."""
    c, d = theta.shape[1], frames.g.shape[2]
    m = frames.crossing[k]
    g, p = frames.g[k], frames.p[k]
    w = np.zeros((d, c))
    ahead = np.zeros(c)
    for j in range(d):
        for a in range(c):
            for e in range(d):
                w[j, a] += frames.L[k, a, e] * g[j, e]
        for r in range(m):
            if p[r, j] > 0:
                for a in range(c):
                    w[j, a] += theta[frames.rows[k, r], a] * p[r, j]
        length = np.sqrt((g[j] ** 2).sum())
        height = np.sqrt((w[j] ** 2).sum()) / length
        if height > state[2]:
            state[2] = height
            top[:] = g[j]
        ahead += w[j] / length
    length = np.sqrt((ahead**2).sum())
    if length > 0:
        ahead /= length
    else:
        ahead[0] = 1.0
    return w, ahead


@numba.njit(cache=True, nogil=True)
def _crossing_rows(
    theta: Array, frames: Frames, k: int, ahead: Array, push: Array, t: Array
) -> tuple[Array, float, float]:
    """What crossing rows are short of their chords: across g₀ in the middle (c,) and at most from it, and along g₀.

    push and t (m,) get each row's pull along g₀, and the first choice of its t.
    """
    c, d = theta.shape[1], frames.g.shape[2]
    p = frames.p[k]
    middle = np.zeros(c)
    spread, rise = 0.0, 0.0
    for r in range(frames.crossing[k]):
        i = frames.rows[k, r]
        high, low, total = 0.0, 0.0, 0.0
        for j in range(d):
            high, low, total = max(high, p[r, j]), max(low, -p[r, j]), total + p[r, j]
        short = 0.5 * high * low / (high + low)
        push[r] = 0.0
        for a in range(c):
            push[r] += theta[i, a] * ahead[a]
        aside = 0.0
        for a in range(c):
            part = theta[i, a] - push[r] * ahead[a]
            aside += part**2
            middle[a] += short * part
        spread += short * np.sqrt(aside)
        rise += 2 * short * max(push[r], 0.0)
        t[r] = 1.0 if total > 0 else 0.0
    return middle, spread, rise


@numba.njit(cache=True, nogil=True)
def _cone_bound(theta: Array, frames: Frames, k: int, push: Array, state: Array, top: Array) -> float:
    """Bound on h over the cone of level k's simplex.

    push gets each crossing row's pull along g₀, top the highest vertex yet; state holds the target, η, and the highest
    h seen, which is updated.
    """
    c, d = theta.shape[1], frames.g.shape[2]
    m = frames.crossing[k]
    g, p = frames.g[k], frames.p[k]
    w, ahead = _at_vertices(theta, frames, k, state, top)
    t = np.zeros(m)
    middle, spread, rise = _crossing_rows(theta, frames, k, ahead, push, t)

    along, H, across = np.zeros(d), np.zeros(d), np.zeros(d)
    for j in range(d):
        for a in range(c):
            along[j] += w[j, a] * ahead[a]
        for a in range(c):
            across[j] += (w[j, a] - along[j] * ahead[a] - middle[a]) ** 2
        across[j] = np.sqrt(across[j]) + spread

    best = np.inf
    weight = np.zeros(d)
    for turn in range(TURNS):
        for j in range(d):
            up = along[j]
            for r in range(m):
                if push[r] < 0:
                    up -= push[r] * ((1 - t[r]) * p[r, j] if p[r, j] > 0 else -t[r] * p[r, j])
            H[j] = max(np.hypot(max(up, rise - along[j]), across[j]), 1e-6 * state[0])
        best = min(best, _linear_maximum(g, H, weight))
        if best <= state[0] * (1 - SLACK) or best > NEAR * state[0]:
            break
        for r in range(m):  # α_i ≥ t x_i·u is tight on the side where the maximum is: move t there, ever more slowly
            if push[r] < 0:
                total = 0.0
                for j in range(d):
                    total += weight[j] * p[r, j]
                t[r] += ((1.0 if total > 0 else 0.0) - t[r]) / (turn + 2)
    return best


@numba.njit(cache=True, nogil=True)
def _choose_edge(frames: Frames, k: int, push: Array, target: float) -> int:
    """The edge (and its number) whose bisection promises most: chords that shorten, and curvature of the sphere."""
    d = frames.g.shape[2]
    best, number, chosen = -1.0, 0, 0
    for a in range(d):
        for b in range(a + 1, d):
            aa, bb, ab = 0.0, 0.0, 0.0
            for e in range(d):
                aa += frames.g[k, a, e] ** 2
                bb += frames.g[k, b, e] ** 2
                ab += frames.g[k, a, e] * frames.g[k, b, e]
            score = 0.25 * target * (1 - ab / np.sqrt(aa * bb))
            size = 0.5 * (np.sqrt(aa) + np.sqrt(bb))
            for r in range(frames.crossing[k]):
                one, two = frames.p[k, r, a], frames.p[k, r, b]
                if one * two < 0:
                    score += abs(push[r]) * -one * two / (abs(one) + abs(two)) / size
            if score > best:
                best, chosen = score, number
                frames.edge[k, 0], frames.edge[k, 1] = a, b
            number += 1
    return chosen


@numba.njit(cache=True, nogil=True)
def walk(
    theta: Array,
    X: Array,
    transform: Array,
    frames: Frames,
    k: int,
    splits: NDArray[np.uint8],
    state: Array,
    top: Array,
) -> tuple[int, int]:
    """Go on depth first from level k until `splits` is full or the root is done: next level (−1: done), and fill."""
    push = np.zeros(len(X))
    for used in range(len(splits)):
        if k > 0:
            _descend(theta, X, transform, frames, k)
        bound = _cone_bound(theta, frames, k, push, state, top)
        if state[2] >= state[0] * (1 - 2 * SLACK):
            state[0] = state[2] * (1 + RISE)
        if bound <= state[0] * (1 - SLACK) or k == len(frames.y) - 1:
            splits[used] = 0
            state[1] = max(state[1], bound)
            k -= 1
            while k >= 0 and frames.side[k] == 1:
                k -= 1
            if k < 0:
                return -1, used + 1
            frames.side[k] = 1
        else:
            splits[used] = 1 + _choose_edge(frames, k, push, state[0])
            frames.side[k] = 0
        k += 1
    return k, len(splits)
