"""Proof that h(u) = ‖Θᵀ(Xu)₊‖ stays below a target on the whole sphere, by branch and bound on simplicial cones.

Directions are u = Ty with T whitening X, and y runs over the faces of the cross-polytope Σ|y_e| = 1, one root a sign
pattern. A cell is a simplex of such y; bisecting an edge halves it exactly, y being dyadic. On the cone over a cell
with vertices g_j = Ty_j (formulation, section 6, sharpened):

- rows that do not change sign are linear there: they sum to one form w = Lu, handed down to all descendants;
- a crossing row with P = max_j (x_i·g_j)₊, Q = max_j (−x_i·g_j)₊ has α_i below its chord by at most PQ/(P+Q);
- along the direction g₀ of w the bound is linear: rows that push up take their chord, rows that push down take
  α_i ≥ t_i x_i·u, with t_i ∈ [0, 1] chosen so as to make the cone's maximum small; that is exact at a local maximum
  even where rows vanish, so cells around the atoms of the solution close early;
- across g₀ the crude box is enough, being of second order;
- a linear function with values H_j at the vertices is at most min {‖q‖ : q·g_j ≥ H_j} on the cone's unit vectors.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from ..atoms.threads import share
from ..network import Array
from .lines import merge_lines

DEPTH = 250  # bisections from a root to a leaf, at most: far below any width that matters
QUOTA = 20_000  # cells between two looks at the clock
TURNS = 8  # choices of t that are tried before a cell is bisected
NEAR = 1.3  # only cells whose bound is within this factor of the target are worth those tries
MOST = 200_000_000  # cells of a cover, a byte each; beyond that it is given up
SLACK = 1e-7  # share by which cells close below the target, so that the check agrees in spite of rounding
RISE = 1e-3  # how far above a height found in a cell its target is raised when that height exceeds the target


@dataclass(frozen=True)
class Cover:
    """A proved η ≥ max h, the bisections that prove it, the number of cells, and the highest direction of each root.

    splits: uint8, the roots' trees one after the other in preorder: 0 for a leaf, 1 + e for a bisection of edge e in
    the order of `itertools.combinations(range(d), 2)`; offsets: where each root's tree begins.
    """

    eta: float
    splits: NDArray[np.uint8]
    offsets: NDArray[np.int64]
    cells: int
    tops: Array

    def proof(self, transform: Array) -> Mapping[str, NDArray]:
        """The arrays from which the check replays this cover."""
        return {"transform": transform, "splits": self.splits, "offsets": self.offsets}


class _Frames(NamedTuple):
    """What is kept on each level of the way down to a cell."""

    y: Array  # (DEPTH, d, d): the cell's vertices in the cross-polytope
    g: Array  # (DEPTH, d, d): the same as directions, Ty
    L: Array  # (DEPTH, c, d): sum of the rows that are linear on the cell
    rows: NDArray[np.int64]  # (DEPTH, n): crossing rows
    p: Array  # (DEPTH, n, d): their products with the vertices
    crossing: NDArray[np.int64]  # (DEPTH,): how many they are
    edge: NDArray[np.int64]  # (DEPTH, 2): the edge that was bisected
    side: NDArray[np.int64]  # (DEPTH,): which half is being looked at


def cover(
    theta: Array, X: Array, transform: Array, target: float, late: Callable[[], bool] = lambda: False
) -> Cover | None:
    """Cover the sphere for Θ (n, c), X (n, d) with cells below `target`; None if `late` says so, or at `MOST` cells.

    Where some h exceeds the target, it is raised in that root, so the result is always a proof, of `eta`.
    """
    d, used = X.shape[1], 0
    merged, rows, form = merge_lines(theta, X)

    def enough(cells: int) -> bool:
        nonlocal used
        used += cells
        return used > MOST or late()

    signs = list(itertools.product([1.0, -1.0], repeat=d))
    roots = share(lambda s: _root(merged, rows, form, transform, np.diag(s), target, enough), signs)
    done = [root for root in roots if root is not None]
    if len(done) < len(roots):
        return None
    sizes = [len(splits) for splits, _, _ in done]
    return Cover(
        eta=max(eta for _, eta, _ in done),
        splits=np.concatenate([splits for splits, _, _ in done]),
        offsets=np.cumsum([0, *sizes[:-1]]),
        cells=sum(sizes),
        tops=np.array([top for _, _, top in done]).T,
    )


def _root(
    theta: Array,
    X: Array,
    form: Array,
    transform: Array,
    y: Array,
    target: float,
    enough: Callable[[int], bool],
) -> tuple[NDArray[np.uint8], float, Array] | None:
    """Splits, η and the highest vertex of one root with vertices y (d, d). enough(cells made since): stop?"""
    (n, d), c = X.shape, theta.shape[1]
    frames = _Frames(
        np.zeros((DEPTH, d, d)),
        np.zeros((DEPTH, d, d)),
        np.zeros((DEPTH, c, d)),
        np.zeros((DEPTH, n), np.int64),
        np.zeros((DEPTH, n, d)),
        np.zeros(DEPTH, np.int64),
        np.zeros((DEPTH, 2), np.int64),
        np.zeros(DEPTH, np.int64),
    )
    frames.L[0] = form
    _start(theta, X, transform, y, frames)
    state = np.array([target, 0.0, 0.0])  # target, η, highest h seen
    top = transform @ y[0]
    pieces, level, used = [], 0, 0
    while level >= 0:
        if enough(used):
            return None
        splits = np.zeros(QUOTA, np.uint8)
        level, used = _walk(theta, X, transform, frames, level, splits, state, top)
        pieces.append(splits[:used])
    return np.concatenate(pieces), float(state[1]), top / np.linalg.norm(top)


@numba.njit(cache=True, nogil=True)
def _start(theta: Array, X: Array, transform: Array, y: Array, frames: _Frames) -> None:
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
def _sort_rows(theta: Array, X: Array, frames: _Frames, k: int, size: int) -> None:
    """Of the first `size` rows of level k keep those that cross; add to L those that are positive on the cell."""
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
def _descend(theta: Array, X: Array, transform: Array, frames: _Frames, k: int) -> None:
    """Fill level k with the half of level k − 1's cell that its `side` asks for."""
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
def _linear_maximum(g: Array, H: Array, weight: Array) -> float:
    """Bound on Σ λ_j H_j over λ ≥ 0 with ‖Σ λ_j g_j‖ = 1; `weight` gets the maximising λ.

    Active set: solve GGᵀλ = H, drop the most negative λ_j, repeat. Any q whose products with the g_j are positive gives
    the bound ‖q‖ max_j H_j/(q·g_j), whether or not it is the best one. On a narrow cell GGᵀ may be singular to
    rounding; the cell's axis is then a good q all the same.
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
        for a in range(k):
            if M[a, a] <= 0:
                return best
            for r in range(a + 1, k):
                factor = M[r, a] / M[a, a]
                for b in range(a, k + 1):
                    M[r, b] -= factor * M[a, b]
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
def _bound(theta: Array, frames: _Frames, k: int, push: Array, state: Array, top: Array) -> float:
    """Bound on h over level k's cell. `push` gets each crossing row's pull along g₀; `top` the highest vertex yet."""
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

    along, H, across = np.zeros(d), np.zeros(d), np.zeros(d)
    middle = np.zeros(c)
    spread, rise = 0.0, 0.0
    t = np.zeros(m)
    for r in range(m):
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
def _choose_edge(frames: _Frames, k: int, push: Array, target: float) -> int:
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
def _walk(
    theta: Array,
    X: Array,
    transform: Array,
    frames: _Frames,
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
        bound = _bound(theta, frames, k, push, state, top)
        if state[2] >= state[0] * (1 - 2 * SLACK):
            state[0] = state[2] * (1 + RISE)
        if bound <= state[0] * (1 - SLACK) or k == DEPTH - 1:
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
