"""The safe bound of the hierarchy: one proof of h(u) = ‖Θᵀ(Xu)₊‖ ≤ η‖u‖ for each region of a tree that covers R^d.

As in quadratic.py, with the forms of tree.py: on a region, rows E of linear forms in (s_free, u) are nonnegative up
to `below`·‖u‖, so that T ≥ 0 gives h(u)² ≤ (s, u)ᵀ B (s, u) plus what `below` costs, with

    B = Eᵀ T E + h hᵀ + blkdiag(−diag z, Xᵀ diag(z) X),   h = E_{αβ}ᵀ A,   A = Θ on the merged rows.

A single region with circuits is the relaxation with cuts.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..activation import RELU, Activation
from ..network import Array
from ..problem import Problem
from ..reduced.dual import maximum
from ..reduced.reduction import Reduced
from .certificate import Certificate, Kind
from .quadratic import SUMS, above, first_rows, lower_bound, power_of_two, proved_maximum, rounding_of, stand_ins
from .tree import Circuits, Region, leaves


@dataclass(frozen=True)
class RegionPoint:
    """Multipliers of one region: of the products of its forms i < j, and z (n,) of s_k² = (x_k·u)² on free rows."""

    i: np.ndarray
    j: np.ndarray
    value: Array
    z: Array


def certify_regions(
    problem: Problem,
    reduced: Reduced,
    theta: Array,
    tree: Sequence[int],
    regions: Sequence[tuple[Region, Circuits, RegionPoint]],
    planes: Array | None = None,
) -> Certificate:
    """The certificate for Θ on the reduced problem's loss rows, with the regions of a tree, in its units.

    Whatever the arrays hold, the bound is valid; T and z are in units of ‖Θ‖², for (s, u)ᵀ B (s, u) ≤ γ²‖u‖².

    Args:
        problem: the user's.
        reduced: the same, reduced.
        theta: Θ (2n, c).
        tree: the splits in preorder.
        regions: in the order of the tree, each with the circuits that were given as implied, and its multipliers.
        planes: the normals of splits from n on (k, d); None for no such splits.

    Returns:
        The certificate.
    """
    n, unit, F = reduced.n, reduced.kappa**2, len(regions[0][0].circuits)
    points = [settled(region, reduced.mixed(theta), point, reduced.gamma) for region, _, point in regions]
    i, j, value = (np.concatenate([getattr(point, name) for point in points]) for name in ("i", "j", "value"))
    kept = np.flatnonzero(value > 0)
    i, j = i[kept], j[kept]
    cuts = np.unique(np.r_[i, j])
    cuts = cuts[(cuts >= 2 * n) & (cuts < 2 * n + F)]  # the circuits in use
    shared = regions[0][0].circuits.only(cuts - 2 * n)
    position = np.arange(2 * n + F + (0 if planes is None else len(planes)))
    position[cuts] = 2 * n + np.arange(len(cuts))
    position[2 * n + F :] -= F - len(cuts)
    own = [implied.only(region.source) for region, implied, _ in regions]
    form, row = _nonzero([shared, *own])
    proof = {
        "rows": first_rows(reduced),
        "rep": reduced.rep,
        "coef": reduced.coef,
        "tree": np.array(tree, dtype=int),
        "planes": np.zeros(0) if planes is None else reduced.sigma * (planes @ reduced.basis.T).ravel(),
        "circuit_head": np.concatenate([part.head for part in (shared, *own)]),
        "circuit_cell": np.repeat(np.arange(-1, len(regions)), [len(part) for part in (shared, *own)]),
        "circuit_form": form,
        "circuit_row": row,
        "circuit_value": np.concatenate([part.C[np.nonzero(part.C)] for part in (shared, *own)]),
        "T_cell": np.repeat(np.arange(len(points)), [len(point.i) for point in points])[kept],
        "T_row": position[i],
        "T_column": position[j],
        "T_value": value[kept] * unit,
        "z": np.concatenate([point.z for point in points]) * unit,
    }
    back = reduced.theta_back(theta, problem.Y)
    return Certificate(
        Kind.CELLS, back, proof, lower_bound(problem, back, prove_regions(back, problem.X, proof, problem.activation))
    )


def _nonzero(parts: Sequence[Circuits]) -> tuple[np.ndarray, np.ndarray]:
    """Where the coefficients of all these circuits are not zero: their number in the whole list, and the row."""
    starts = np.cumsum([0, *(len(part) for part in parts)])
    found = [np.nonzero(part.C) for part in parts]
    form = np.concatenate([start + form for start, (form, _) in zip(starts, found, strict=False)])
    return form, np.concatenate([row for _, row in found])


def prove_regions(theta: Array, X: Array, proof: Mapping[str, np.ndarray], activation: Activation = RELU) -> float:
    """A proved η with ‖Θᵀφ(Xu)‖ ≤ η‖u‖ for all u.

    Args:
        theta: Θ (N, c).
        X: rows (N, d).
        proof: rows, rep, coef as in quadratic.py; tree, the splits in preorder (tree.py); planes (k·d,), the normals of
            splits from n on, one after another; circuit_head (F,) with the entries circuit_form, circuit_row,
            circuit_value of C, and circuit_cell: the region to which a circuit gives a sign, −1 for the forms t;
            T_cell, T_row, T_column, T_value, the multipliers of products of the forms α, β, t and walls of a region; z
            (regions·n,), region by region.
        activation: φ.

    Returns:
        η, inf if the arrays prove nothing.

    Raises:
        ValueError: circuits of rows that do not exist, or a list that is not one whole tree.
    """
    size, unit = power_of_two(theta), power_of_two(X)
    theta, X, planes = theta / size, X / unit, proof["planes"].reshape(-1, X.shape[1]) / unit
    A, slack = stand_ins(theta, X, proof["rows"], proof["rep"], proof["coef"], activation)
    merged = X[proof["rows"]]
    n, N = len(merged), len(merged) + len(planes)
    if np.any((proof["circuit_head"] < 0) | (proof["circuit_head"] >= n)):
        raise ValueError(f"Circuits must belong to rows from 0 to {n - 1}.")
    C = np.zeros((len(proof["circuit_head"]), N))
    C[proof["circuit_form"], proof["circuit_row"]] = proof["circuit_value"]
    circuits = Circuits(proof["circuit_head"], C)
    shared = circuits.only(proof["circuit_cell"] < 0)
    if np.any(shared.C[:, n:]):
        return math.inf
    shared = Circuits(shared.head, shared.C[:, :n])
    highest, z = 0.0, proof["z"].reshape(-1, n)
    for region, sign in enumerate(leaves(proof["tree"].tolist(), N)):
        own = proof["T_cell"] == region
        T = (proof["T_row"][own], proof["T_column"][own], np.maximum(proof["T_value"][own], 0.0) / size**2)
        form = Region.build(merged, sign, shared, circuits.only(proof["circuit_cell"] == region), planes)
        highest = max(highest, _region_maximum(form, A, T, z[region][form.free] / size**2))
    return above(highest, slack) * size * unit


def _region_maximum(region: Region, A: Array, T: tuple[np.ndarray, np.ndarray, Array], z: Array) -> float:
    """Proved η with ‖A_αᵀα + A_βᵀβ‖ ≤ η‖u‖ on the region."""
    free, d = region.free, region.X.shape[1]
    magnitude = np.concatenate([np.linalg.norm(region.X[free], axis=1), np.ones(d)])
    largest = region.absolute @ magnitude
    i, j, value = T
    # t t' ≥ −(below t' + below' t + below below'), twice as T is symmetric.
    below = region.below
    cost = 2 * float(value @ (below[i] * largest[j] + below[j] * largest[i] + below[i] * below[j]))
    B = quadratic_form(region, A, T, z)
    size = _form(region.absolute, np.abs(region.X[free]), np.abs(A), T, np.zeros(len(free)))
    size[np.arange(len(free)), np.arange(len(free))] += np.abs(z)
    size[len(free) :, len(free) :] += (np.abs(region.X[free]).T * np.abs(z)) @ np.abs(region.X[free])
    terms = sum((*A.shape, *region.X.shape, len(value), len(region.circuits)))
    squared = proved_maximum(B, len(free), magnitude, rounding_of(size, magnitude, terms))
    missed = float(np.linalg.norm(A, axis=1) @ np.r_[region.error, region.error]) / 2
    return above(above(math.sqrt(above(squared, SUMS * cost))), SUMS * missed)


def quadratic_form(region: Region, A: Array, T: tuple[np.ndarray, np.ndarray, Array], z: Array) -> Array:
    """B of the module's docstring.

    Args:
        region: the region.
        A: (2n, c).
        T: (i, j, value) of its entries.
        z: (free,).

    Returns:
        B (free+d, free+d).
    """
    return _form(region.E, region.X[region.free], A, T, z)


def settled(region: Region, theta: Array, point: RegionPoint, gamma: float) -> RegionPoint:
    """The point with z raised a little where that lowers the maximum that it proves.

    A conic solver ends within its tolerance of the boundary, on either side. Raising z_k by γ² room/(2n‖x_k‖²) gives
    room to −B_ss and costs at most γ² room/2.

    Args:
        region: the region.
        theta: Θ (2n, c) on the extended rows.
        point: its multipliers.
        gamma: γ.

    Returns:
        The point with the best z.
    """
    n, X = len(region.X), region.X[region.free]
    unit = np.zeros(n)
    unit[region.free] = 0.5 * gamma**2 / (n * np.sum(X**2, axis=1))
    base = quadratic_form(region, theta, (point.i, point.j, point.value), point.z[region.free])
    best, best_z = np.inf, point.z + unit
    for room in (0.0, *10.0 ** np.arange(-12.0, 1.0)):
        B = base.copy()
        raised = room * unit[region.free]
        B[np.arange(len(X)), np.arange(len(X))] -= raised
        B[len(X) :, len(X) :] += X.T @ (raised[:, None] * X)
        top = maximum(B, len(X))[0]
        if top < best:
            best, best_z = top, point.z + room * unit
    return RegionPoint(point.i, point.j, point.value, best_z)


def _form(E: Array, X: Array, A: Array, T: tuple[np.ndarray, np.ndarray, Array], z: Array) -> Array:
    """B of the module's docstring, (free+d, free+d); X (free, d)."""
    i, j, value = T
    product = (E[i].T * value) @ E[j]
    h = E[: len(A)].T @ A
    B = product + product.T + h @ h.T
    free = np.arange(len(X))
    B[free, free] -= z
    B[len(X) :, len(X) :] += X.T @ (z[:, None] * X)
    return (B + B.T) / 2
