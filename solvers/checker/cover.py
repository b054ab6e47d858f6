"""Kind "cover": a tree of simplices over the sphere, for rows of any rank. What cover_walk.py replays is made here.

With W the rows in a basis of their space, rows on one line are taken together, and all
numbers are brought near 1 by powers of two. What this changes in h is charged in balls or with a stated margin.
"""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numba
import numpy as np
from flint import arb
from numpy.typing import NDArray

from .arrays import RELU, CertificateError, NotChecked, Slopes, integers, names, real, whole
from .balls import NotProved, exponent, flatness, table, upper
from .cover_walk import EPS, FLOOR, Rows, walk

Array = NDArray[np.float64]

DIMENSIONS = 8  # 2^r roots with r(r − 1)/2 edges each
WIDER = 1.0000000000000143  # above 1 + 64 EPS: the roundings of the last few steps
WORK = 10**15  # cells × rows × outputs × dimensions: some hours
SAME = 256 * EPS  # per coordinate, unit rows that are taken together


def largest(theta: Array, X: Array, gamma: float, proof: Any, slopes: Slopes = RELU) -> arb:
    """η from `basis` (d, r), `transform` (r, r), `splits` (uint8, preorder) and `offsets` (2^r) of the roots' trees."""
    names(proof, ("basis", "transform", "splits", "offsets"))
    basis, transform = real(proof["basis"], "basis", 2), real(proof["transform"], "transform", 2)
    splits, offsets = integers(proof["splits"], "splits"), whole(proof["offsets"], "offsets")
    _check(basis, transform, splits, offsets, X.shape[1])
    if len(splits) * float(theta.size) * len(transform) > WORK:
        raise NotChecked(f"{len(splits):,} cells over {len(X)} rows are more work than is allowed.")
    unit, size = exponent(X), exponent(theta)
    own, lines = table(theta, -size), table(X, -unit)
    theta, X = np.ldexp(theta, -size), np.ldexp(X, -unit)
    W = X @ basis
    stretch, missed = flatness(own, lines, W, basis)
    rows, slip = _lines(theta, W, slopes)
    transform = np.ldexp(transform, -exponent(transform))
    inverse = _inverse(transform)
    scaled = float((arb(gamma) * arb(2) ** (-unit - size) - missed) / stretch) - slip
    bounds = _replay(rows, transform, np.ascontiguousarray(splits, np.uint8), offsets, scaled)
    most = max(eta for eta, _ in bounds) * (1 + 8 * EPS)
    off = max(rounded for _, rounded in bounds) * EPS
    # A midpoint that rounding moved leaves uncovered what is within `off` of |y|, hence within `aside` of u = Ty.
    aside = off * 2 * np.max(np.sum(np.abs(inverse), axis=1)) * np.sum(np.abs(transform), axis=1) * (1 + 1e-9)
    most += most * float(np.linalg.norm(aside)) + float(rows.size @ np.abs(rows.X) @ aside)
    if not np.isfinite(most):
        raise NotProved("the arrays are no cover, or a cell is not bounded")
    return upper((stretch * (arb(float(most)) + arb(slip)) * arb(WIDER) + missed) * arb(2) ** (unit + size))


def _check(basis: Array, transform: Array, splits: NDArray[Any], offsets: NDArray[np.int64], columns: int) -> None:
    r = len(transform)
    if not 0 < r <= DIMENSIONS or transform.shape != (r, r) or basis.shape != (columns, r):
        raise CertificateError(
            f"basis and transform must be ({columns}, r) and (r, r) with r ≤ {DIMENSIONS}. "
            f"Got {basis.shape} and {transform.shape} instead."
        )
    if not np.max(np.abs(basis)) <= 2:
        raise CertificateError("basis must have orthonormal columns. Got entries above 2.")
    if len(offsets) != 2**r or offsets[0] != 0 or np.any(np.diff(offsets) <= 0) or offsets[-1] >= len(splits):
        raise CertificateError(f"offsets must be {2**r} rising positions in splits, the first 0.")
    if splits.min() < 0 or splits.max() > r * (r - 1) // 2:
        raise CertificateError(f"splits must be 0 or the number of an edge up to {r * (r - 1) // 2}.")


def _lines(theta: Array, W: Array, slopes: Slopes) -> tuple[Rows, float]:
    """Rows of W (n, r) on one line, as far as doubles can tell, as one row; and the most by which that changes h.

    φ(t) = (a + b) t₊ − b t, and φ(−t) = (a + b) t₊ − a t. What w_i is off its line by counts once, as
    |φ(s) − φ(t)| ≤ |s − t|; the sums' rounding is at most that of n + 8 terms.
    """
    length = np.max(np.abs(W), axis=1)
    used = length > 0
    W, theta = W[used] / length[used, None], theta[used] * length[used, None]
    norm = np.linalg.norm(W, axis=1)
    T, A = theta * norm[:, None], W / norm[:, None]
    a, b = slopes
    weight = np.linalg.norm(T, axis=1) * ((1 + 64 * EPS) * (1 + abs(b))) + FLOOR
    parallel, turned = np.full(len(A), -1), np.zeros(len(A), np.bool_)
    heads: list[int] = []
    for i in range(len(A)):
        if parallel[i] < 0:
            free = parallel < 0
            ahead, behind = (np.max(np.abs(A - sign * A[i]), axis=1) <= SAME for sign in (1.0, -1.0))
            parallel[free & (ahead | behind)] = len(heads)
            turned |= free & behind
            heads.append(i)
    off = np.linalg.norm(A - np.where(turned, -1.0, 1.0)[:, None] * A[heads][parallel], axis=1)
    sums, size = np.zeros((len(heads), theta.shape[1])), np.zeros(len(heads))
    np.add.at(sums, parallel, (a + b) * T)
    np.add.at(size, parallel, weight)
    slope = np.where(turned, a, b)
    bent = slope != 0
    form = -(slope[bent, None] * T[bent]).T @ A[heads][parallel[bent]]
    slip = float(weight @ (off + (4 * len(A) + 16 * W.shape[1] + 128) * EPS)) * (1 + (len(A) + 8) * EPS)
    return Rows(sums, A[heads], form, size), slip + (len(A) + 1) * FLOOR


def _inverse(transform: Array) -> Array:
    """R with ‖I − RT‖ < ½ in row sums, rounding included: T is invertible, ‖T⁻¹‖ ≤ 2‖R‖; else NotProved."""
    R = np.asarray(np.linalg.inv(transform), np.float64)
    d = len(R)
    rounding = 4 * d * EPS * np.max(np.sum(np.abs(R) @ np.abs(transform), axis=1))
    if not np.max(np.sum(np.abs(np.eye(d) - R @ transform), axis=1)) + rounding < 0.5:
        raise NotProved("the transform is singular")
    return R


def _replay(
    rows: Rows, transform: Array, splits: NDArray[np.uint8], offsets: NDArray[np.int64], gamma: float
) -> list[tuple[float, int]]:
    """For each root a bound on h, inf where it has none, and the most midpoints that were rounded on one way down."""
    X, d = rows.X, rows.X.shape[1]
    ends = np.append(offsets[1:], len(splits))
    edges = np.array(list(itertools.combinations(range(d), 2)), np.int64).reshape(-1, 2)
    slack = 32 * (len(X) + 4 * d + rows.theta.shape[1] + 16) * EPS * (rows.size @ np.abs(X))
    signs = np.array(list(itertools.product([1.0, -1.0], repeat=d)))

    def root(k: int) -> tuple[float, int]:
        tree = splits[offsets[k] : ends[k]]
        bound, rounded = walk(*rows[:3], transform, np.diag(signs[k]), tree, edges, slack, gamma)
        return float(bound), int(rounded)

    with ThreadPoolExecutor(numba.config.NUMBA_NUM_THREADS) as pool:  # type: ignore[attr-defined]
        return list(pool.map(root, range(len(offsets))))
