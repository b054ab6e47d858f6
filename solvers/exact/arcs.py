"""The plane: every maximum of h(u) = ‖Θᵀφ(Xu)‖ on the unit circle, in closed form.

The lines x_i·u = 0 cut the circle into at most 2n arcs on which h(u)² = ‖Lu‖² with L = Σ_{active i} θ_i x_iᵀ (c, 2),
for other activations than the ReLU times a + b and plus a matrix that is the same on all arcs: a quadratic form, with A
+ B cos 2φ + C sin 2φ as its values. So h has a closed form maximum on each arc.
"""

from __future__ import annotations

import numpy as np

from ..activation import RELU, Activation
from ..network import Array

TURN = 2 * np.pi


def breakpoints(X: Array) -> tuple[Array, Array]:
    """Angles (n,) in [0, 2π) at which the rows of X (n, 2), none of them zero, switch on and off."""
    phi = np.arctan2(X[:, 1], X[:, 0])
    return np.mod(phi - np.pi / 2, TURN), np.mod(phi + np.pi / 2, TURN)


def local_maxima(theta: Array, X: Array, activation: Activation = RELU) -> tuple[Array, Array]:
    """Find the local maxima of h over the circle.

    Linear pieces come from prefix sums over the sorted breakpoints: O(n log n + nc).

    Args:
        theta: Θ (n, c).
        X: rows (n, 2).
        activation: φ.

    Returns:
        Unit directions (2, k) at the maxima, and h there (k,), largest first.
    """
    used = np.any(X != 0, axis=1)
    theta, X = theta[used], X[used]
    if not len(X):
        return np.zeros((2, 0)), np.zeros(0)
    on, off = breakpoints(X)
    theta, everywhere = activation.kinked(theta, X)
    forms = theta[:, :, None] * X[:, None, :]
    angle = np.concatenate([on, off])
    change = np.concatenate([forms, -forms])
    order = np.argsort(angle, kind="stable")
    longest = np.argmax(np.append(np.diff(angle[order]), angle[order[0]] + TURN - angle[order[-1]]))
    order = np.roll(order, -1 - longest)  # so that the last arc is the longest: no doubt who is active at its middle
    start = angle[order]
    start = np.where(start < start[0], start + TURN, start)
    end = np.append(start[1:], start[0] + TURN)
    middle = 0.5 * (end[-1] + start[-1])
    first = np.einsum("i,icd->cd", (X @ _unit(middle) > 0).astype(float), forms)
    L = first + everywhere + np.cumsum(change[order], axis=0)
    return _candidates(L, start, end)


def _unit(angle: Array | float) -> Array:
    return np.array([np.cos(angle), np.sin(angle)])


def _candidates(L: Array, start: Array, end: Array) -> tuple[Array, Array]:
    """Stationary points inside the arcs and breakpoints from which h falls both ways, sorted by h."""
    square = np.einsum("kcd,kce->kde", L, L)
    A = 0.5 * (square[:, 0, 0] + square[:, 1, 1])
    B = 0.5 * (square[:, 0, 0] - square[:, 1, 1])
    C = square[:, 0, 1]
    top = 0.5 * np.arctan2(C, B)
    top = top + np.pi * np.ceil((start - top) / np.pi)  # the first maximum of ‖Lu‖² at or after the arc's start
    inside = (top <= end) & (np.hypot(B, C) > 0)
    slope_right = C * np.cos(2 * start) - B * np.sin(2 * start)
    slope_left = np.roll(C * np.cos(2 * end) - B * np.sin(2 * end), 1)
    peak = (slope_left >= 0) & (slope_right <= 0)
    value = np.concatenate(
        [np.sqrt(A + np.hypot(B, C))[inside], np.linalg.norm(np.einsum("kcd,dk->kc", L, _unit(start)), axis=1)[peak]]
    )
    where = np.concatenate([top[inside], start[peak]])
    order = np.argsort(-value, kind="stable")
    return _unit(where[order]), value[order]
