"""Directions with large h(u) = ‖Θᵀφ(Xu)‖ in any dimension, by exact searches along great circles.

On the circle through u and v, h is the plane's problem with rows (x_i·u, x_i·v): its maximum over the whole circle
costs one sort; the compiled code takes h as ‖Θᵀ(Xu)₊ + Lu‖. So an ascent never takes a step length from a guess, and it
leaves a local maximum whenever the circle passes a higher one. Maxima like to sit where rows vanish; there the circles
stay within those rows' hyperplanes.
"""

from __future__ import annotations

import numba
import numpy as np

from ..activation import RELU, Activation
from ..network import Array, heights
from .threads import share

TOUCH = 1e-9  # |x_i·u| below this times ‖x_i‖ counts as zero
BATCH = 16  # ascents a task


@numba.njit(cache=True, nogil=True)
def _arc(A: Array, B: Array, low: float, high: float, turn: float, best: float, where: float) -> tuple[float, float]:
    """The larger of `best` and max ‖A cos φ + B sin φ‖² over low ≤ −cot φ ≤ high, and φ + turn where that is."""
    aa, bb, ab = 0.0, 0.0, 0.0
    for j in range(len(A)):
        aa += A[j] * A[j]
        bb += B[j] * B[j]
        ab += A[j] * B[j]
    if aa + bb <= best:
        return best, where
    peak = 0.5 * (aa + bb) + np.hypot(0.5 * (aa - bb), ab)
    if peak <= best:
        return best, where
    begin, end = np.arctan2(1.0, -low), np.arctan2(1.0, -high)
    top = 0.5 * np.arctan2(ab, 0.5 * (aa - bb)) % np.pi
    if begin <= top <= end:
        return peak, top + turn
    for phi in (begin, end):
        value = aa * np.cos(phi) ** 2 + bb * np.sin(phi) ** 2 + 2 * ab * np.cos(phi) * np.sin(phi)
        if value > best:
            best, where = value, phi + turn
    return best, where


@numba.njit(cache=True, nogil=True)
def _circle(theta: Array, a: Array, b: Array, A: Array, B: Array, floor: float) -> tuple[float, float]:
    """Largest h above `floor` on {u cos φ + v sin φ} and its φ, for a = Xu, b = Xv (n,), A = Lu, B = Lv (c,).

    A and B are used up. Both halves of the circle are walked at a time: a row that is positive at φ is negative at
    φ + π, and changes its sign at the same φ in [0, π), where cot φ = −b/a. Where nothing is above the
    floor, that comes back.
    """
    n, c = theta.shape
    key = np.empty(n)
    C, D = A.copy(), B.copy()
    for i in range(n):
        key[i] = b[i] / a[i] if a[i] != 0 else np.inf
        first = a[i] > 0 or (a[i] == 0 and b[i] > 0)
        for j in range(c):
            if first:
                A[j] += theta[i, j] * a[i]
                B[j] += theta[i, j] * b[i]
            else:
                C[j] += theta[i, j] * a[i]
                D[j] += theta[i, j] * b[i]
    order = np.argsort(key)
    best, where, low = floor**2, 0.0, -np.inf
    for step in range(n + 1):
        high = key[order[step]] if step < n else np.inf
        if high > low:
            best, where = _arc(A, B, low, high, 0.0, best, where)
            best, where = _arc(C, D, low, high, np.pi, best, where)
        if step < n:
            i = order[step]
            low = high
            first = a[i] > 0 or (a[i] == 0 and b[i] > 0)
            sign = -1.0 if first else 1.0
            for j in range(c):
                A[j] += sign * theta[i, j] * a[i]
                B[j] += sign * theta[i, j] * b[i]
                C[j] -= sign * theta[i, j] * a[i]
                D[j] -= sign * theta[i, j] * b[i]
    return np.sqrt(best), where


@numba.njit(cache=True, nogil=True)
def _project(v: Array, frame: Array, size: int) -> None:
    """Take from v its parts along the first `size` orthonormal rows of `frame`, twice for accuracy."""
    for _ in range(2):
        for k in range(size):
            share = 0.0
            for e in range(len(v)):
                share += v[e] * frame[k, e]
            for e in range(len(v)):
                v[e] -= share * frame[k, e]


@numba.njit(cache=True, nogil=True)
def _times(L: Array, u: Array) -> Array:
    """Lu."""
    c, d = L.shape
    product = np.zeros(c)
    for j in range(c):
        for e in range(d):
            product[j] += L[j, e] * u[e]
    return product


@numba.njit(cache=True, nogil=True)
def _gradient(X: Array, scale: Array, theta: Array, L: Array, inner: Array, frame: Array, within: bool) -> Array:
    """h∇h where Xu = inner, across u = frame[0] and, if `within`, across the rows that vanish at u."""
    n, c = theta.shape
    d = X.shape[1]
    w = _times(L, frame[0])
    for i in range(n):
        if inner[i] > 0:
            for j in range(c):
                w[j] += inner[i] * theta[i, j]
    v = np.zeros(d)
    for j in range(c):
        for e in range(d):
            v[e] += w[j] * L[j, e]
    size = 1
    for i in range(n):
        if inner[i] > TOUCH * scale[i]:
            pull = 0.0
            for j in range(c):
                pull += theta[i, j] * w[j]
            for e in range(d):
                v[e] += pull * X[i, e]
        elif within and inner[i] >= -TOUCH * scale[i] and scale[i] > 0 and size < d:
            row = X[i] / scale[i]
            _project(row, frame, size)
            length = np.sqrt((row**2).sum())
            if length > 1e-6:
                frame[size] = row / length
                size += 1
    _project(v, frame, size)
    return v


@numba.njit(cache=True, nogil=True)
def _ascend(X: Array, theta: Array, L: Array, U: Array, spare: Array) -> Array:
    """Ascents from the rows of U (k, d), which move; h at their ends (k,). spare (rounds, d): random directions.

    Three kinds of circle take turns: along the gradient within the vanishing rows, along the gradient, at random;
    three turns in vain end the ascent.
    """
    d = X.shape[1]
    scale = np.sqrt((X**2).sum(axis=1))
    heights = np.zeros(len(U))
    frame = np.zeros((d, d))
    for k in range(len(U)):
        u = U[k]
        a = X @ u
        vain = 0
        for r in range(len(spare)):
            frame[0] = u
            v = spare[r].copy() if vain % 3 == 2 else _gradient(X, scale, theta, L, a, frame, vain % 3 == 0)
            _project(v, frame, 1)
            length = np.sqrt((v**2).sum())
            vain += 1
            if length > 0:
                v /= length
                _project(v, frame, 1)
                length = np.sqrt((v**2).sum())
            if length > 0.5:  # else v was what rounding had left, and may be u itself: no circle
                v /= length
                b = X @ v
                height, phi = _circle(theta, a, b, _times(L, u), _times(L, v), heights[k])
                if height > heights[k] * (1 + 1e-12):
                    vain = 0 if height > heights[k] * (1 + 1e-7) else vain
                    heights[k] = height
                    u *= np.cos(phi)
                    u += np.sin(phi) * v
                    u /= np.sqrt((u**2).sum())
                    a = X @ u
            if vain >= 9:
                break
    return heights


def starts(
    theta: Array,
    X: Array,
    whitener: Array,
    rng: np.random.Generator,
    count: int,
    activation: Activation = RELU,
) -> Array:
    """Choose directions worth an ascent: the best of many vertices of the arrangement, and some spread evenly.

    A vertex is a null vector of d − 1 random rows: raw data has narrow cones, which random directions miss.

    Args:
        theta: Θ (n, c).
        X: rows (n, d).
        whitener: T (d, d) of `network.whitener`, for even spreading.
        rng: source of chance.
        count: how many vertices; half as many are spread evenly.
        activation: φ of h.

    Returns:
        Unit directions (d, ·).
    """
    d = X.shape[1]
    rows = X[rng.integers(len(X), size=(20 * count, d - 1))]
    vertices = np.linalg.svd(rows, full_matrices=True)[2][:, -1, :].T
    vertices = np.hstack([vertices, -vertices])
    order = np.argsort(-heights(theta, activation(X @ vertices)), kind="stable")[:count]
    even = whitener @ rng.normal(size=(d, count // 2))
    return np.hstack([vertices[:, order], even / np.linalg.norm(even, axis=0)])


def ascend(
    theta: Array, X: Array, U: Array, rng: np.random.Generator, activation: Activation = RELU, rounds: int = 60
) -> tuple[Array, Array]:
    """Climb h from some directions.

    Args:
        theta: Θ (n, c).
        X: rows (n, d).
        U: unit columns to start from (d, k).
        rng: source of chance.
        activation: φ of h.
        rounds: at most so many steps of an ascent.

    Returns:
        Ends (d, k) of the ascents, and h there (k,), largest first.
    """
    kinks, L = activation.kinked(theta, X)
    spare = rng.normal(size=(rounds, len(U)))
    batches = [np.ascontiguousarray(U[:, k : k + BATCH].T) for k in range(0, U.shape[1], BATCH)]
    height = np.concatenate(share(lambda batch: _ascend(X, kinks, L, batch, spare), batches))
    order = np.argsort(-height, kind="stable")
    return np.concatenate(batches)[order].T, height[order]


def distinct(U: Array, most: int, angle: float) -> list[int]:
    """Choose directions that are far enough apart.

    Args:
        U: unit columns (d, k), the preferred ones first.
        most: choose at most so many.
        angle: each is further than this from those chosen before it, in radians.

    Returns:
        Their indices.
    """
    chosen: list[int] = []
    distance = np.full(U.shape[1], np.inf)  # squared chords: accurate where cosines are not
    for k in range(U.shape[1]):
        if len(chosen) == most:
            break
        if distance[k] > angle**2:
            chosen.append(k)
            distance = np.minimum(distance, np.sum((U - U[:, [k]]) ** 2, axis=0))
    return chosen
