"""The two conic programs over regions: the best Θ for all of them, and the best bound on one for a given Θ.

    relaxation:   max ⟨Θ, Ȳ⟩ − ½ Σ_r ‖Θ_r‖²/w_r   s.t.   [ blkdiag(0, I) − B(T, z)/γ²   −h/γ ]
                                                         [          −hᵀ/γ                I   ]  ⪰ 0
    height:       min λ   s.t.   λ blkdiag(0, I) − B(T, z)/γ² − h hᵀ/γ²  ⪰ 0

with h and B as in certificates/regions.py, B without its h hᵀ; the first has such a matrix for each region. The
multiplier of the matrix inequality is the measure Z over (s_free, u, v) or (s_free, u). Only products of forms that
have been violated get a multiplier in T. Variables are Θ/γ, T/γ² and z/γ², so that what is feasible does not depend on
γ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import sparse

from ..certificates.regions import RegionPoint
from ..certificates.tree import Region
from ..network import Array
from ..reduced.reduction import Reduced

VIOLATED = 1e-6  # share of the measure's mass below which a product of forms counts as negative
UNUSED = 1e-6  # share of the largest multiplier below which a product is dropped
ITERATIONS, SPEED = 15, 1e10  # of the solver, and operations a second of its factorisations, to estimate its time
LARGEST = 150  # order of a region's matrix; the solver's memory grows with its fourth power, to 1 GB here
ROUGH = 1e-5  # to which regions are solved, relative: the proof repairs what is left


@dataclass(frozen=True)
class RegionState:
    """A region with the products (i, j) that have a multiplier, their values, z of the free rows, and the measure Z."""

    region: Region
    i: np.ndarray
    j: np.ndarray
    value: Array
    z: Array
    Z: Array

    @classmethod
    def fresh(cls, region: Region, i: np.ndarray, j: np.ndarray, value: Array, z: Array) -> RegionState:
        """A region before anything is solved.

        Args:
            region: the region.
            i: first forms of the products; those that the region has no use for are left out.
            j: second forms.
            value: their multipliers.
            z: multipliers of the rows (n,).

        Returns:
            The state.
        """
        keep = region.pairs[i, j]
        return cls(region, i[keep], j[keep], value[keep], z[region.free], np.zeros((region.E.shape[1],) * 2))

    def point(self) -> RegionPoint:
        """Its multipliers on all rows."""
        z = np.zeros(len(self.region.X))
        z[self.region.free] = self.z
        return RegionPoint(self.i, self.j, self.value, z)

    @property
    def known(self) -> Array:
        """The measure over (s_free, u)."""
        order = self.region.E.shape[1]
        return self.Z[:order, :order]

    @property
    def mass(self) -> float:
        """tr U."""
        free = len(self.region.free)
        return float(np.trace(self.known[free:, free:]))


def solve_relaxation(
    reduced: Reduced, states: Sequence[RegionState], budget: float, tol: float
) -> tuple[Array, list[RegionState], float]:
    """Solve the relaxation on regions that together are all of R^d: one Θ for all, multipliers for each.

    Args:
        reduced: the problem.
        states: the regions with their products.
        budget: seconds.
        tol: to which it is solved, relative.

    Returns:
        Θ (2n, c) on the loss rows; the states solved, whose measures are the parts of one on R^d; and the value in
        scaled units, nan if there is no usable solution.
    """
    rows, c, γ = reduced.loss_rows, reduced.c, reduced.gamma
    losses, unit = len(rows) * c, max(1.0, γ)  # for large γ, Θ' is of the order of 1/γ
    orders = [state.region.E.shape[1] + c for state in states]
    outer, squares, products, constants = [], [], [], []
    for state, order in zip(states, orders, strict=True):
        free, inner = len(state.z), _inner(state)
        inner.resize(order * (order + 1) // 2, inner.shape[1])
        outer.append(_outer(reduced.mixed(state.region.E[: 2 * reduced.n])[rows], c, unit))
        squares.append(inner[:, :free])
        products.append(inner[:, free:])
        constants.append(np.zeros(order * (order + 1) // 2))
        constants[-1][_diagonal(order)[free:]] = 1.0
    blocks = [sparse.vstack(outer), sparse.block_diag(squares), sparse.block_diag(products)]
    matrix = sparse.hstack(blocks, format="csc")
    rest = np.zeros(matrix.shape[1] - losses)
    weight = np.r_[np.repeat(γ / unit / reduced.weight[rows], c), rest]
    linear = np.r_[-reduced.target[rows].ravel(), rest]
    P, last = sparse.diags(weight, format="csc"), sum(len(state.i) for state in states)
    x, dual, value = _clarabel(P, linear, matrix, np.concatenate(constants), orders, last, budget, tol)
    theta = np.zeros_like(reduced.target)
    theta[rows] = (γ / unit) * x[:losses].reshape(-1, c)
    z = np.split(x[losses : len(x) - last], np.cumsum([len(state.z) for state in states])[:-1])
    T = np.split(x[len(x) - last :], np.cumsum([len(state.i) for state in states])[:-1])
    Z = np.split(dual[: matrix.shape[0]], np.cumsum([len(constant) for constant in constants])[:-1])
    solved = [
        _solved(state, np.r_[z[k], T[k]], _unpack(Z[k], orders[k]) * (2 / unit), γ) for k, state in enumerate(states)
    ]
    return theta, solved, value * γ / unit + reduced.constant


def solve_height(state: RegionState, theta: Array, gamma: float, budget: float) -> RegionState | None:
    """The multipliers that prove ‖Θᵀ(α, β)‖ smallest on a region.

    Args:
        state: the region with its products.
        theta: Θ (2n, c) on the extended rows.
        gamma: γ.
        budget: seconds.

    Returns:
        The state with these, None if there is no usable solution. Z is the measure that is believed to reach the
        largest height, tr U = 1.
    """
    E = state.region.E
    order, free = E.shape[1], len(state.z)
    p, q = _triangle(order)
    scale = np.where(p == q, 1.0, np.sqrt(2.0))
    h = E[: len(theta)].T @ theta / gamma
    height = np.zeros((len(p), 1))
    height[_diagonal(order)[free:]] = -1.0
    matrix = sparse.hstack([sparse.csc_matrix(height), _inner(state)], format="csc")
    linear = np.zeros(matrix.shape[1])
    linear[0] = 1.0
    nothing = sparse.csc_matrix((len(linear), len(linear)))
    constant = -scale * (h @ h.T)[p, q]
    x, dual, value = _clarabel(nothing, linear, matrix, constant, [order], len(state.i), budget, ROUGH)
    if not np.isfinite(value):
        return None
    return _solved(state, x[1:], _unpack(dual[: len(constant)], order), gamma)


def seconds(order: int) -> float:
    """About how long a region takes: the solver looks at its clock between iterations only.

    Args:
        order: that of the region's matrix.

    Returns:
        Seconds.
    """
    return ITERATIONS * (order * (order + 1) / 2) ** 3 / 3 / SPEED


def _clarabel(
    P: Any, q: Array, matrix: Any, constant: Array, orders: list[int], products: int, budget: float, tol: float
) -> tuple[Array, Array, float]:
    """(x, dual, −optimal value) of min ½xᵀPx + qᵀx, constant − matrix x ⪰ 0, the last `products` of x ≥ 0.

    The matrix inequality is one for each of `orders`, one below the other. The value is nan if there is no usable
    solution.
    """
    import clarabel

    variables = len(q)
    last = np.arange(variables - products, variables)
    positive = sparse.csc_matrix((-np.ones(products), (np.arange(products), last)), (products, variables))
    cones = [*(clarabel.PSDTriangleConeT(order) for order in orders), clarabel.NonnegativeConeT(products)]
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.max_threads = 1
    settings.presolve_enable = False
    settings.chordal_decomposition_enable = False
    settings.time_limit = max(budget, 1e-3)
    settings.tol_gap_abs = settings.tol_gap_rel = tol
    A = sparse.vstack([matrix, positive], format="csc")
    solution = clarabel.DefaultSolver(P, q, A, np.r_[constant, np.zeros(products)], cones, settings).solve()
    x, dual = np.asarray(solution.x), np.asarray(solution.z)
    usable = np.isfinite(x).all() and np.isfinite(dual).all() and solution.status != clarabel.SolverStatus.MaxTime
    return x, dual, -float(solution.obj_val) if usable else np.nan


def _solved(state: RegionState, y: Array, Z: Array, gamma: float) -> RegionState:
    """The state with z and T from the solver's variables."""
    free, size = len(state.z), _sizes(state.region.E)
    T = np.maximum(y[free:], 0.0) * gamma**2 / (size[state.i] * size[state.j])
    return replace(state, value=T, z=y[:free] * gamma**2, Z=Z)


def _inner(state: RegionState) -> sparse.csc_matrix:
    """Columns for z and T of the scaled upper triangle of B, as Clarabel reads it."""
    E, X = state.region.E, state.region.X[state.region.free]
    free = len(X)
    p, q = _triangle(E.shape[1])
    scale = np.where(p == q, 1.0, np.sqrt(2.0))
    unit = E / _sizes(E)[:, None]
    G, H = unit[state.i], unit[state.j]
    products = scale * (G[:, p] * H[:, q] + G[:, q] * H[:, p])
    Xu = np.hstack([np.zeros((free, free)), X])
    squares = scale * Xu[:, p] * Xu[:, q]
    squares[np.arange(free), _diagonal(E.shape[1])[:free]] -= 1.0
    return sparse.csc_matrix(np.vstack([squares, products]).T)


def _outer(E: Array, c: int, unit: float) -> sparse.csc_matrix:
    """Columns for Θ of the scaled upper triangle of the relaxation's matrix."""
    row, s = np.nonzero(E)
    k = np.arange(c)
    column = E.shape[1] + k
    order = E.shape[1] + c
    where = (column * (column + 1) // 2)[None, :] + s[:, None]
    variable = row[:, None] * c + k[None, :]
    entry = np.repeat(np.sqrt(2.0) / unit * E[row, s], c)
    return sparse.csc_matrix((entry, (where.ravel(), variable.ravel())), (order * (order + 1) // 2, len(E) * c))


def _sizes(E: Array) -> Array:
    """Norms of the rows, 1 for zero rows."""
    norm = np.linalg.norm(E, axis=1)
    return np.where(norm > 0, norm, 1.0)


def _triangle(order: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of the upper triangle, column by column."""
    column, row = np.tril_indices(order)
    return row, column


def _diagonal(order: int) -> np.ndarray:
    """Where the diagonal is in the upper triangle."""
    k = np.arange(order)
    return k * (k + 1) // 2 + k


def _unpack(triangle: Array, order: int) -> Array:
    """The symmetric matrix of a scaled upper triangle."""
    row, column = _triangle(order)
    Z = np.zeros((order, order))
    Z[row, column] = triangle / np.where(row == column, 1.0, np.sqrt(2.0))
    return Z + np.triu(Z, 1).T


def separate(state: RegionState, limit: float, shared: int | None = None) -> tuple[RegionState, int]:
    """Add the violated products, worst first, and drop those that are not in use.

    Args:
        state: a solved region.
        limit: a product is violated below −limit, relative to the forms' sizes.
        shared: of the new ones, as many as a form may have part in; None for no limit.

    Returns:
        The state with these products, and how many are new.
    """
    E = state.region.E
    unit = E / _sizes(E)[:, None]
    W = unit @ state.known @ unit.T
    i, j = np.nonzero((-limit > W) & state.region.pairs)
    worst = np.argsort(W[i, j], kind="stable")
    i, j = _spread(i[worst], j[worst], 4 * len(state.region.free) + 50, shared or len(E))
    used = state.value > UNUSED * np.max(state.value, initial=0.0)
    value = np.r_[state.value[used], np.zeros(len(i))]
    return replace(state, i=np.r_[state.i[used], i], j=np.r_[state.j[used], j], value=value), len(i)


def _spread(i: np.ndarray, j: np.ndarray, most: int, shared: int) -> tuple[np.ndarray, np.ndarray]:
    """The first `most` of the pairs (i, j), leaving out those of a number that `shared` pairs before have."""
    left = [shared] * (int(max(i.max(initial=0), j.max(initial=0))) + 1)
    taken: list[int] = []
    for place, (a, b) in enumerate(zip(i.tolist(), j.tolist(), strict=True)):
        if len(taken) == most:
            break
        if left[a] and left[b]:
            left[a], left[b] = left[a] - 1, left[b] - 1
            taken.append(place)
    return i[taken], j[taken]
