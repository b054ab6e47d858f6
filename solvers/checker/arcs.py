"""Kind "arcs": rows of rank two or less, the circle walked arc by arc with directions in exact integers.

The lines x_i·u = 0 cut the plane into cones on which no row changes its sign. Their edges are perpendicular to rows,
hence known exactly; with the four half-axes among them every cone is narrower than a half plane. On the cone of edges
g and k, h(u)² = ‖Lu‖² for the sum L of φ'(x_i·u) θ_i x_iᵀ with u inside, and ‖Lu‖ ≤ η‖u‖ on all of it if

    P = Gᵀ(η²I − LᵀL)G, G = (g, k), has P_11, P_22 ≥ 0 and either P_12 ≥ 0 or P_11 P_22 ≥ P_12²   (copositivity, 2 × 2).
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from flint import arb
from numpy.typing import NDArray

from .arrays import RELU, NotChecked, Slopes, names
from .balls import NotProved, exact, exponent, flatness, length, table, upper

Array = NDArray[np.float64]
Direction = tuple[int, int]

WORK = 10**8  # arcs times outputs
ROOMS = 10.0 ** np.arange(-13.0, 3.0)  # by which η is raised above its floating-point value until the proof succeeds
LEAST = arb(2) ** -100  # η below this share of Σ‖θ_i‖‖x_i‖ is not told from 0


def largest(theta: Array, X: Array, gamma: float, proof: Any, slopes: Slopes = RELU) -> arb:
    """η from no arrays at all; where X has more than two columns, in the plane nearest to its rows."""
    names(proof, ())
    if len(X) * theta.shape[1] > WORK:
        raise NotChecked(f"{len(X)} rows with {theta.shape[1]} outputs are more work than is allowed.")
    unit, size = exponent(X), exponent(theta)
    own, lines = table(theta, -size), table(X, -unit)
    scaled = np.ldexp(X, -unit)  # what underflows here is made good by `missed`
    basis = np.eye(X.shape[1]) if X.shape[1] <= 2 else np.linalg.svd(scaled, full_matrices=False)[2][:2].T
    W = scaled @ basis
    stretch, missed = flatness(own, lines, W, basis)
    plane = np.hstack([W, np.zeros((len(W), 2 - W.shape[1]))])
    return upper((stretch * _circle(own, plane, slopes) + missed) * arb(2) ** (unit + size))


@dataclass(frozen=True)
class _Arc:
    """Edges g and k of a cone, counterclockwise, and L (c, 2) inside it."""

    g: Direction
    k: Direction
    L: list[list[arb]]


def _circle(theta: list[list[arb]], W: Array, slopes: Slopes) -> arb:
    """η ≥ max h over the unit circle for rows W (n, 2)."""
    sizes = [length(own) for own in theta]
    used = [i for i in range(len(W)) if W[i].any() and sizes[i] > 0]
    if not used:
        return arb(0)
    arcs = _arcs([_integers(*W[i]) for i in used], [theta[i] for i in used], table(W[used]), slopes)
    total = sum((sizes[i] * length(exact(W[i])) for i in used), arb(0))
    guess = max(max(map(_height, arcs)), float(total * LEAST))
    for room in ROOMS:
        η = arb(guess) * (1 + arb(float(room)))
        if all(_below(arc, η * η) for arc in arcs):
            return upper(η)
    raise NotProved("an arc is not proved")


def _integers(a: float, b: float) -> Direction:
    """The direction of (a, b) ≠ 0 in whole numbers without a common power of two."""
    (p, q), (r, s) = float(a).as_integer_ratio(), float(b).as_integer_ratio()
    common = max(q, s)  # powers of two
    x, y = p * (common // q), r * (common // s)
    divisor = math.gcd(x, y)
    return x // divisor, y // divisor


def _cross(a: Direction, b: Direction) -> int:
    return a[0] * b[1] - a[1] * b[0]


def _order(a: Direction, b: Direction) -> int:
    """Comparison by the angle in [0, 2π)."""
    lower_a, lower_b = (y < 0 or (y == 0 and x < 0) for x, y in (a, b))
    if lower_a != lower_b:
        return 1 if lower_a else -1
    turn = _cross(a, b)
    return (turn < 0) - (turn > 0)


def _arcs(rows: list[Direction], theta: list[list[arb]], W: list[list[arb]], slopes: Slopes) -> list[_Arc]:
    """All cones with their L. Going counterclockwise a row (a, b) turns on at (b, −a) and off at (−b, a)."""
    above, below = arb(slopes[0]), -arb(slopes[1])
    changes: dict[Direction, list[tuple[int, int]]] = {(1, 0): [], (0, 1): [], (-1, 0): [], (0, -1): []}
    for i, (a, b) in enumerate(rows):
        changes.setdefault((b, -a), []).append((i, 1))
        changes.setdefault((-b, a), []).append((i, -1))
    edges = sorted(changes, key=functools.cmp_to_key(_order))
    inside = (edges[0][0] + edges[1][0], edges[0][1] + edges[1][1])
    L = [[arb(0), arb(0)] for _ in theta[0]]
    for i, (a, b) in enumerate(rows):
        L = _plus(L, theta[i], W[i], above if a * inside[0] + b * inside[1] > 0 else below)
    arcs = [_Arc(edges[0], edges[1], L)]
    for g, k in zip(edges[1:], [*edges[2:], edges[0]], strict=True):
        for i, sign in changes[g]:
            L = _plus(L, theta[i], W[i], sign * (above - below))
        arcs.append(_Arc(g, k, L))
    return arcs


def _plus(L: list[list[arb]], theta: list[arb], w: list[arb], slope: arb) -> list[list[arb]]:
    return [[entry + slope * t * x for entry, x in zip(row, w, strict=True)] for row, t in zip(L, theta, strict=True)]


def _height(arc: _Arc) -> float:
    """About the maximum of ‖Lu‖ over the cone's unit vectors; nothing rests on it."""
    L = np.array([[float(x) for x in row] for row in arc.L])
    g, k = (np.array([a / max(abs(a), abs(b)), b / max(abs(a), abs(b))]) for a, b in (arc.g, arc.k))
    top = np.linalg.eigh(L.T @ L)[1][:, -1]
    inside = [v for v in (top, -top) if g[0] * v[1] >= g[1] * v[0] and v[0] * k[1] >= v[1] * k[0]]
    return max(float(np.linalg.norm(L @ v) / np.linalg.norm(v)) for v in (g, k, *inside))


def _below(arc: _Arc, square: arb) -> bool:
    """Whether ‖Lu‖² ≤ square·‖u‖² is proved on the cone."""
    g, k = ((arb(v[0]), arb(v[1])) for v in (arc.g, arc.k))
    Lg, Lk = ([x * v[0] + y * v[1] for x, y in arc.L] for v in (g, k))

    def entry(a: tuple[arb, arb], La: list[arb], b: tuple[arb, arb], Lb: list[arb]) -> arb:
        inner = sum((x * y for x, y in zip(La, Lb, strict=True)), arb(0))
        return square * (a[0] * b[0] + a[1] * b[1]) - inner

    one, two, mixed = entry(g, Lg, g, Lg), entry(k, Lk, k, Lk), entry(g, Lg, k, Lk)
    if not (one >= 0 and two >= 0):
        return False
    return bool(mixed >= 0 or one * two >= mixed * mixed)
