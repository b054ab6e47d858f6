"""The compiled walk over the simplices of a cover: what each inherits from the one above it, and which are bisected.

What cone.py holds is compiled into `walk`, and numba's cache does not notice when cone.py alone has changed: whoever
changes it has to remove `__pycache__`.
"""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from ..network import Array
from .cone import FREEDOM, SLACK, choose_edge, cone_bound
from .frames import Frames, filled

RISE = 1e-3  # how far above a height found in a simplex its target is raised when that height exceeds the target


@numba.njit(cache=True, nogil=True, fastmath=FREEDOM)
def _begin(theta: Array, X: Array, form: Array, transform: Array, frames: Frames, k: int) -> None:
    """Fill level k, whose y is there, from nothing: L is the linear part, and all rows are looked at."""
    n, d, c = len(X), X.shape[1], theta.shape[1]
    frames.L[k] = form
    for j in range(d):
        for e in range(d):
            frames.g[k, j, e] = 0.0
            for f in range(d):
                frames.g[k, j, e] += transform[e, f] * frames.y[k, j, f]
        for i in range(n):
            inner = 0.0
            for e in range(d):
                inner += X[i, e] * frames.g[k, j, e]
            frames.p[k, j, i] = inner
    for i in range(n):
        frames.rows[k, i] = i
        for a in range(c):
            frames.pull[k, a, i] = theta[i, a]
    _keep_crossing(theta, X, frames, k, n)


@numba.njit(cache=True, nogil=True, fastmath=FREEDOM)
def _keep_crossing(theta: Array, X: Array, frames: Frames, k: int, size: int) -> None:
    """Of the first `size` rows of level k keep those that cross; add to L those that are positive on the simplex."""
    c, d = theta.shape[1], X.shape[1]
    p, pull, rows = frames.p[k], frames.pull[k], frames.rows[k]
    low, high = frames.part[0], frames.part[1]
    for r in range(size):
        low[r] = high[r] = p[0, r]
    for j in range(1, d):
        for r in range(size):
            low[r] = min(low[r], p[j, r])
            high[r] = max(high[r], p[j, r])
    kept = 0
    for r in range(size):
        i = rows[r]
        if low[r] >= 0:
            for a in range(c):
                for e in range(d):
                    frames.L[k, a, e] += theta[i, a] * X[i, e]
        elif high[r] > 0:
            if kept < r:
                rows[kept] = i
                for j in range(d):
                    p[j, kept] = p[j, r]
                for a in range(c):
                    pull[a, kept] = pull[a, r]
            kept += 1
    for r in range(kept, min(filled(kept), p.shape[1])):
        for j in range(d):
            p[j, r] = 0.0
    frames.crossing[k] = kept


@numba.njit(cache=True, nogil=True)
def _halve(frames: Frames, k: int) -> int:
    """Level k's y, the half of level k − 1's simplex that its `side` asks for; which vertex is the new one."""
    a, b = frames.edge[k - 1]
    gone = a if frames.side[k - 1] == 0 else b
    frames.y[k] = frames.y[k - 1]
    for e in range(frames.y.shape[2]):
        frames.y[k, gone, e] = 0.5 * (frames.y[k - 1, a, e] + frames.y[k - 1, b, e])
    return gone


@numba.njit(cache=True, nogil=True, fastmath=FREEDOM)
def _descend(theta: Array, X: Array, transform: Array, frames: Frames, k: int) -> None:
    """Fill level k, all of it."""
    c, d = theta.shape[1], X.shape[1]
    gone = _halve(frames, k)
    a, b = frames.edge[k - 1]
    frames.g[k], frames.L[k] = frames.g[k - 1], frames.L[k - 1]
    for e in range(d):
        frames.g[k, gone, e] = 0.0
        for f in range(d):
            frames.g[k, gone, e] += transform[e, f] * frames.y[k, gone, f]
    size = frames.crossing[k - 1]
    frames.rows[k, :size] = frames.rows[k - 1, :size]
    for j in range(d):
        for r in range(size):
            frames.p[k, j, r] = frames.p[k - 1, j, r]
    for r in range(size):
        frames.p[k, gone, r] = 0.5 * (frames.p[k - 1, a, r] + frames.p[k - 1, b, r])
    for j in range(c):
        for r in range(size):
            frames.pull[k, j, r] = frames.pull[k - 1, j, r]
    _keep_crossing(theta, X, frames, k, size)


@numba.njit(cache=True, nogil=True)
def walk(
    theta: Array,
    X: Array,
    form: Array,
    transform: Array,
    edges: NDArray[np.int64],
    frames: Frames,
    place: NDArray[np.int64],
    old: NDArray[np.uint8],
    known: NDArray[np.float32],
    splits: NDArray[np.uint8],
    bounds: NDArray[np.float32],
    state: Array,
    top: Array,
) -> int:
    """Go on with a root until `splits` is full or the root is done.

    Args:
        theta: Θ (n, c).
        X: unit rows (n, d).
        form: linear part L (c, d): h(u) = ‖Θᵀ(Xu)₊ + Lu‖.
        transform: T (d, d).
        edges: pairs of vertices (e, 2) that the numbers in trees stand for.
        frames: room; level 0 has the root's y.
        place: where it stands: the level to go on at, −1 when done; how much of `old` is read; the level of the leaf of
            it that is being bisected, −1 if none is. Updated.
        old: the root's tree in preorder, which is copied, and bisected further at leaves that are above the target.
        known: bounds on h over its leaves.
        splits: takes the new tree, or its next part.
        bounds: takes the bounds on its leaves.
        state: the target, and the highest h seen. Updated.
        top: where that was (d,). Updated.

    Returns:
        How far `splits` and `bounds` are filled.
    """
    k = place[0]
    for used in range(len(splits)):
        fresh = place[2] >= 0
        bound = np.inf
        if fresh:
            _descend(theta, X, transform, frames, k)
        else:
            if k > 0:
                _halve(frames, k)
            code, bound = old[place[1]], known[place[1]]
            place[1] += 1
            if code > 0:
                splits[used], bounds[used] = code, 0.0
                frames.edge[k], frames.side[k] = edges[code - 1], 0
                k += 1
                continue
        if bound > state[0] * (1 - SLACK):
            if not fresh:
                _begin(theta, X, form, transform, frames, k)
                place[2] = k
            bound = min(bound, cone_bound(frames, k, state, top))
            if state[1] >= state[0] * (1 - 2 * SLACK):
                state[0] = state[1] * (1 + RISE)
        if bound <= state[0] * (1 - SLACK) or k == len(frames.y) - 1:
            splits[used], bounds[used] = 0, bound * (1 + SLACK)
            k -= 1
            while k >= 0 and frames.side[k] == 1:
                k -= 1
            if k < place[2]:
                place[2] = -1
            if k < 0:
                place[0] = -1
                return used + 1
            frames.side[k] = 1
        else:
            chosen = choose_edge(frames, k, state[0])
            splits[used], bounds[used] = 1 + chosen, 0.0
            frames.edge[k], frames.side[k] = edges[chosen], 0
        k += 1
    place[0] = k
    return len(splits)
