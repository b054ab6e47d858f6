"""The bound on h(u) = ‖Θᵀ(Xu)₊‖ over the cone of one simplex, and the edge to bisect; compiled into walk.py's walk.

The formulas are those of cover.py's docstring.
"""

from __future__ import annotations

import numba
import numpy as np

from ..network import Array
from .frames import Frames, filled

SLACK = 1e-7  # share by which cones close below the target, so that the check agrees in spite of rounding
TURNS = 6  # choices of t that are tried before a simplex is bisected
NEAR = 1.2  # only simplices whose bound is within this factor of the target are worth those tries
FREEDOM = {"reassoc", "contract", "arcp", "nsz"}  # sums in any order; infinities stay what they are


@numba.njit(cache=True, nogil=True, fastmath=FREEDOM)
def _through(g: Array, H: Array, q: Array) -> float:
    """‖q‖ max_j H_j/(q·g_j); inf unless all these products are positive."""
    ratio, square = 0.0, 0.0
    for j in range(len(H)):
        along = 0.0
        for e in range(len(q)):
            along += q[e] * g[j, e]
        if not along > 0:
            return np.inf
        ratio = max(ratio, H[j] / along)
        square += q[j] ** 2
    return ratio * np.sqrt(square)


@numba.njit(cache=True, nogil=True, fastmath=FREEDOM)
def _eliminate(M: Array, k: int) -> bool:
    """Gaussian elimination below the diagonal of (k, k + 1) equations, in place; false if a pivot is not positive."""
    for a in range(k):
        if not M[a, a] > 0:
            return False
        for r in range(a + 1, k):
            factor = M[r, a] / M[a, a]
            for b in range(a + 1, k + 1):
                M[r, b] -= factor * M[a, b]
    return True


@numba.njit(cache=True, nogil=True, fastmath=FREEDOM)
def _linear_maximum(frames: Frames, g: Array) -> float:
    """Bound on Σ λ_j H_j over λ ≥ 0 with ‖Σ λ_j g_j‖ = 1; `weight` gets the maximising λ.

    Active set: solve GGᵀλ = H, drop the most negative λ_j, repeat. Any q whose products with the g_j are positive gives
    the bound ‖q‖ max_j H_j/(q·g_j), whether or not it is the best one. On a narrow simplex GGᵀ may be singular to
    rounding; the simplex's axis is then a good q all the same.
    """
    H, weight, M = frames.H, frames.weight, frames.matrix
    d = len(H)
    active, count = (1 << d) - 1, d
    axis, q = frames.axis[0], frames.axis[1]
    axis[:] = 0.0
    for j in range(d):
        square = 0.0
        for e in range(d):
            square += g[j, e] ** 2
        for e in range(d):
            axis[e] += g[j, e] / np.sqrt(square)
    best = _through(g, H, axis)
    while count:
        k = 0
        for j in range(d):
            weight[j] = 0.0
            if active >> j & 1:
                m = 0
                for i in range(d):
                    if active >> i & 1:
                        inner = 0.0
                        for e in range(d):
                            inner += g[j, e] * g[i, e]
                        M[k, m] = inner
                        m += 1
                M[k, m] = H[j]
                k += 1
        if not _eliminate(M, k):
            return best
        worst, a = -1, k
        q[:] = 0.0
        for j in range(d - 1, -1, -1):
            if active >> j & 1:
                a -= 1
                b = k
                for i in range(d - 1, j, -1):
                    if active >> i & 1:
                        b -= 1
                        M[a, k] -= M[a, b] * weight[i]
                weight[j] = M[a, k] / M[a, a]
                if worst < 0 or weight[j] < weight[worst]:
                    worst = j
                for e in range(d):
                    q[e] += weight[j] * g[j, e]
        best = min(best, _through(g, H, q))
        if weight[worst] >= 0:
            break
        active ^= 1 << worst
        count -= 1
    for j in range(d):
        weight[j] = max(weight[j], 0.0)
    return best


@numba.njit(cache=True, nogil=True, fastmath=FREEDOM)
def _farthest(p: Array, pull: Array, frames: Frames, j: int, m: int) -> float:
    """H_j: the largest ‖Lg_j + Σ θ_i a_i‖ over a_i from t_i p_ij to max(p_ij, 0), in axes along its middle."""
    c = len(pull)
    middle, half, turned, t = frames.part[0], frames.part[1], frames.part[2], frames.t
    centre, across = frames.outputs[0], frames.outputs[1]
    for r in range(m):
        low, high = t[r] * p[j, r], max(p[j, r], 0.0)
        middle[r], half[r] = 0.5 * (high + low), 0.5 * (high - low)
    square = 0.0
    for a in range(c):
        total = frames.base[j, a]
        for r in range(m):
            total += pull[a, r] * middle[r]
        centre[a] = total
        square += total**2
    length = np.sqrt(square)
    if length > 0:  # Householder's reflection, which takes the centre to the first axis
        for a in range(c):
            across[a] = centre[a] / length
        across[0] += 1.0 if centre[0] >= 0 else -1.0
        scale = 1.0 / abs(across[0])
    else:
        across[:] = 0.0
        scale = 0.0
    for r in range(m):
        turned[r] = 0.0
    for a in range(c):
        for r in range(m):
            turned[r] += scale * across[a] * pull[a, r]
    square = 0.0
    for a in range(c):
        total = 0.0
        for r in range(m):
            total += half[r] * abs(pull[a, r] - across[a] * turned[r])
        square += (total + length if a == 0 else total) ** 2
    return np.sqrt(square)


@numba.njit(cache=True, nogil=True, fastmath=FREEDOM)
def cone_bound(frames: Frames, k: int, state: Array, top: Array) -> float:
    """Bound h over the cone of a simplex.

    Args:
        frames: holds it, on level k.
        k: the level.
        state: the target, and the highest h seen at a vertex, which is updated.
        top: that vertex (d,), updated too.

    Returns:
        The bound.
    """
    g, p, pull, L, t = frames.g[k], frames.p[k], frames.pull[k], frames.L[k], frames.t
    d, c = len(g), len(pull)
    m = filled(frames.crossing[k])
    for r in range(m):
        t[r] = 0.0
    for j in range(d):
        for r in range(m):
            t[r] += p[j, r]
        square, length = 0.0, 0.0
        for a in range(c):
            total = 0.0
            for e in range(d):
                total += L[a, e] * g[j, e]
            frames.base[j, a] = total
            for r in range(m):
                total += pull[a, r] * max(p[j, r], 0.0)
            square += total**2
        for e in range(d):
            length += g[j, e] ** 2
        height = np.sqrt(square / length)
        if height > state[1]:
            state[1] = height
            top[:] = g[j]
    for r in range(m):
        t[r] = 1.0 if t[r] > 0 else 0.0
    best = np.inf
    for turn in range(TURNS):
        for j in range(d):
            frames.H[j] = max(_farthest(p, pull, frames, j, m), 1e-6 * state[0])
        best = min(best, _linear_maximum(frames, g))
        if best <= state[0] * (1 - SLACK) or best > NEAR * state[0]:
            break
        for r in range(m):  # α_i ≥ t x_i·u is tight on the side where the maximum is: move t there, ever more slowly
            total = 0.0
            for j in range(d):
                total += frames.weight[j] * p[j, r]
            t[r] += ((1.0 if total > 0 else 0.0) - t[r]) / (turn + 2)
    return best


@numba.njit(cache=True, nogil=True, fastmath=FREEDOM)
def choose_edge(frames: Frames, k: int, target: float) -> int:
    """Choose the edge whose bisection promises most: chords that shorten, and curvature of the sphere.

    Args:
        frames: holds the simplex, on level k.
        k: the level.
        target: what h is to be bounded by.

    Returns:
        The edge's number, in the order of `itertools.combinations(range(d), 2)`.
    """
    g, p, pull = frames.g[k], frames.p[k], frames.pull[k]
    d, m = len(g), filled(frames.crossing[k])
    size = frames.part[3]
    for r in range(m):
        size[r] = 0.0
    for a in range(len(pull)):
        for r in range(m):
            size[r] += pull[a, r] ** 2
    for r in range(m):
        size[r] = np.sqrt(size[r])
    best, number, chosen = -1.0, 0, 0
    for a in range(d):
        for b in range(a + 1, d):
            aa, bb, ab = 0.0, 0.0, 0.0
            for e in range(d):
                aa += g[a, e] ** 2
                bb += g[b, e] ** 2
                ab += g[a, e] * g[b, e]
            score = 0.25 * target * (1 - ab / np.sqrt(aa * bb))
            total = 0.0
            for r in range(m):
                one, two = p[a, r], p[b, r]
                total += size[r] * max(-one * two, 0.0) / (abs(one) + abs(two) + 1e-300)
            score += total / (0.5 * (np.sqrt(aa) + np.sqrt(bb)))
            if score > best:
                best, chosen = score, number
            number += 1
    return chosen
