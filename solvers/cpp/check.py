"""An upper bound on max_{‖u‖=1} h(u), h(u) = ‖Θᵀ(Xu)₊‖, that holds in floating point.

Nothing here or in replay.py is shared with the code that finds Θ and its proof. On the arcs, rows are split into
lengths and unit vectors, x_i = r_i a_i, and T_i = r_i Θ_i, so that an error of a few rounding units in an angle or a
coordinate is one of a few units times Σ‖T_i‖ in h.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ..problem import Array
from .replay import Rows, replay

EPS = 2.0**-52
CHUNK = 4_000_000  # entries of a mask at a time


def prove(theta: Array, X: Array, gamma: float, proof: Mapping[str, NDArray]) -> float:
    """η with h(u) ≤ η for all unit u, for Θ (n, c) and X (n, d): Θ is feasible if η ≤ γ.

    No arrays in `proof`: the plane is searched arc by arc (useful where X has rank two or less). Otherwise a cover of
    the sphere is replayed: basis (d, r) of the row space of X, transform (r, r), splits and offsets as in replay.py;
    inf if that is no cover.
    """
    if "splits" in proof and not _wellformed(proof, X.shape[1]):
        return np.inf
    rows = np.linalg.norm(theta, axis=1) > 0
    theta, X = theta[rows], X[rows]
    unit = float(np.max(np.abs(X), initial=0.0))
    if unit == 0.0:
        return 0.0
    X = X / unit
    if "splits" in proof:
        basis = proof["basis"]
        W = X @ basis
        rows, slip = _lines(theta, W)
        missed, stretch = _missed(theta, X, W, basis), _stretch(basis)
        limit = (gamma / unit - missed) / stretch - slip
        most = replay(rows, proof["transform"], proof["splits"], proof["offsets"], limit) + slip
        eta = stretch * most + missed
    else:
        W, basis = _plane(X)
        eta = _stretch(basis) * _arcs(theta, W) + _missed(theta, X, W, basis)
    eta = float(unit * eta * (1 + 8 * EPS))
    return eta if eta >= 0 else np.inf  # NaN is no proof


def _wellformed(proof: Mapping[str, NDArray], d: int) -> bool:
    """Have the arrays of a cover the shapes and types that the replay relies on?"""
    basis, transform = proof.get("basis"), proof.get("transform")
    splits, offsets = proof.get("splits"), proof.get("offsets")
    if basis is None or transform is None or splits is None or offsets is None:
        return False
    real = all(a.ndim == 2 and a.dtype == np.float64 and np.isfinite(a).all() for a in (basis, transform))
    whole = all(a.ndim == 1 and a.dtype.kind in "iu" for a in (splits, offsets)) and splits.dtype == np.uint8
    return real and whole and basis.shape == (d, len(transform)) and len(splits) > 0


def _lines(theta: Array, W: Array) -> tuple[Rows, float]:
    """Rows of W (n, r) on one line, as far as doubles can tell, as one row; and the most by which that changes h.

    For w_i = −r_i a, (w_i·u)₊ = r_i (a·u)₊ − r_i a·u. What w_i is off its line by counts once, |a₊ − b₊| ≤ |a − b|; the
    sums' rounding is at most that of n + 8 terms a line.
    """
    length = np.linalg.norm(W, axis=1)
    used = length > 0
    T, A = theta[used] * length[used, None], W[used] / length[used, None]
    weight = np.linalg.norm(T, axis=1)
    parallel = np.zeros(len(A), np.int64) - 1
    turned = np.zeros(len(A), np.bool_)
    heads: list[int] = []
    for i in range(len(A)):
        if parallel[i] < 0:
            free = parallel < 0
            ahead, behind = (np.max(np.abs(A - sign * A[i]), axis=1) <= 256 * EPS for sign in (1.0, -1.0))
            parallel[free & (ahead | behind)] = len(heads)
            turned |= free & behind
            heads.append(i)
    off = np.linalg.norm(A - np.where(turned, -1.0, 1.0)[:, None] * A[heads][parallel], axis=1)
    sums, size = np.zeros((len(heads), theta.shape[1])), np.zeros(len(heads))
    np.add.at(sums, parallel, T)
    np.add.at(size, parallel, weight)
    form = -T[turned].T @ A[heads][parallel[turned]]
    slip = float(weight @ (off + (4 * len(A) + 16 * W.shape[1] + 64) * EPS))
    return Rows(sums, A[heads], form, size), slip


def _plane(X: Array) -> tuple[Array, Array]:
    """Coordinates W (n, k) in the plane nearest to the rows of X (n, d), with its basis (d, k), k ≤ 2: X ≈ W basisᵀ."""
    if X.shape[1] <= 2:
        return X, np.eye(X.shape[1])
    basis = np.linalg.svd(X, full_matrices=False)[2][:2].T
    return X @ basis, basis


def _stretch(basis: Array) -> float:
    """At least ‖basisᵀu‖ for unit u."""
    gram = basis.T @ basis
    return float(np.sqrt(1 + np.linalg.norm(gram - np.eye(len(gram))) + 8 * len(basis) * EPS))


def _missed(theta: Array, X: Array, W: Array, basis: Array) -> float:
    """Σ ‖Θ_i‖ ‖x_i − W_i basisᵀ‖, by which h in the plane's coordinates can fall short: |a₊ − b₊| ≤ |a − b|."""
    distance = np.linalg.norm(X - W @ basis.T, axis=1) + 8 * len(basis) * EPS * np.linalg.norm(X, axis=1)
    return float(np.linalg.norm(theta, axis=1) @ distance) * (1 + (8 + len(X)) * EPS)


def _arcs(theta: Array, W: Array) -> float:
    """Bound on max h over the unit circle for W (n, 2) or, on a line, (n, 1).

    Row i is active on the half circle around its own angle. Between two neighbours of the 2n sorted ends no row
    changes, save for errors below 40 rounding units in the angles (two arctangents' and a few sums'): rows misjudged
    there contribute at most that angle times ‖T_i‖. On the arc h² is a quadratic form with a closed-form maximum.
    """
    W = np.hstack([W, np.zeros((len(W), 2 - W.shape[1]))])
    length = np.hypot(W[:, 0], W[:, 1])
    used = length > 0
    T = theta[used] * length[used, None]
    phi = np.arctan2(W[used, 1], W[used, 0])
    total = float(np.sum(np.linalg.norm(T, axis=1)))
    ends = np.sort(np.mod(np.concatenate([phi - np.pi / 2, phi + np.pi / 2]), 2 * np.pi))
    starts, ends = ends, np.append(ends[1:], ends[0] + 2 * np.pi)
    pieces = np.einsum("ic,ik->ick", T, np.column_stack([np.cos(phi), np.sin(phi)])).reshape(len(T), -1)
    best = 0.0
    step = max(1, CHUNK // len(T))
    for k in range(0, len(starts), step):
        a, b = starts[k : k + step], ends[k : k + step]
        active = np.cos(0.5 * (a + b)[:, None] - phi) > 0
        L = (active.astype(float) @ pieces).reshape(len(a), -1, 2)
        best = max(best, float(np.max(_arc_maximum(L, a, b))))
    return best * (1 + 1e-12) + total * (100 + 4 * len(T)) * EPS


def _arc_maximum(L: Array, a: Array, b: Array) -> Array:
    """Bound on ‖L (cos φ, sin φ)‖ for φ in [a, b], one arc a row; L (k, c, 2).

    ‖Lu‖² = A + R cos 2(φ − top). The peak counts if it lies within 1e-7 of the arc, or if R is so small that its place
    is in doubt: both overestimate by less than 1e-9 of the value.
    """
    one, two = L[:, :, 0], L[:, :, 1]
    A = 0.5 * (np.sum(one**2, axis=1) + np.sum(two**2, axis=1))
    B = 0.5 * (np.sum(one**2, axis=1) - np.sum(two**2, axis=1))
    C = np.sum(one * two, axis=1)
    R = np.hypot(B, C)
    behind = np.mod(0.5 * np.arctan2(C, B) - a + 1e-7, np.pi)  # from just before the arc's start to the next peak
    peak = (behind <= b - a + 2e-7) | (1e-9 * A >= R)
    at_ends = [np.linalg.norm(one * np.cos(e)[:, None] + two * np.sin(e)[:, None], axis=1) for e in (a, b)]
    edge = np.maximum(*at_ends) + np.sqrt(A) * 64 * EPS
    return np.where(peak, np.sqrt(A + R), edge)
