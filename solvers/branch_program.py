"""The relaxation over several cells at once: their dual, a conic program with one matrix inequality a cell.

    max ⟨Θ, Ȳ⟩ − ½ Σ_r ‖Θ_r‖²/w_r   s.t.   [ blkdiag(0, I) − B_c(T_c, z_c)/γ²   −h_c/γ ]
                                           [           −h_cᵀ/γ                    I     ]  ⪰ 0   for every cell c,

with h_c and B_c as in branch_proof.py, B_c without its h hᵀ, which the Schur complement brings in. The multiplier of
cell c's inequality is its share Z_c of the measure, over (s_free, u, v). Only products of forms that have been
violated get a multiplier. Variables are Θ/γ, T/γ² and z/γ², so that what is feasible does not depend on γ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from .branch_cells import Cell
from .branch_proof import CellPoint
from .problem import Array
from .reduction import Reduced


@dataclass(frozen=True)
class CellState:
    """A cell with the products (i, j) that have a multiplier, their values, z of the free rows, and its share Z."""

    cell: Cell
    i: np.ndarray
    j: np.ndarray
    value: Array
    z: Array
    Z: Array

    @classmethod
    def fresh(cls, cell: Cell, i: np.ndarray, j: np.ndarray, c: int) -> CellState:
        """Before anything is solved; products that the cell has no use for are left out."""
        keep = cell.pairs[i, j]
        i, j = i[keep], j[keep]
        free, q = len(cell.free), len(cell.free) + cell.X.shape[1] + c
        return cls(cell, i, j, np.zeros(len(i)), np.zeros(free), np.zeros((q, q)))

    def point(self) -> CellPoint:
        """Its multipliers on all rows."""
        z = np.zeros(len(self.cell.X))
        z[self.cell.free] = self.z
        return CellPoint(self.i, self.j, self.value, z)


def solve_cells(
    reduced: Reduced, states: Sequence[CellState], budget: float = np.inf
) -> tuple[Array, list[CellState], float]:
    """(Θ (2n, c), the states solved, value in scaled units); the value is nan if there is no usable solution."""
    import clarabel

    rows, c, γ = reduced.loss_rows, reduced.c, reduced.gamma
    losses = len(rows) * c
    unit = max(1.0, γ)  # for large γ, Θ' is of the order of 1/γ
    columns = [losses] + [len(state.z) + len(state.i) for state in states]
    starts = np.cumsum([0, *columns])
    P = sparse.block_diag(
        [sparse.diags(np.repeat(γ / unit / reduced.weight[rows], c)), sparse.csc_matrix((starts[-1] - losses,) * 2)],
        format="csc",
    )
    q = np.zeros(starts[-1])
    q[:losses] = -reduced.target[rows].ravel()
    blocks, right, cones, signs = [], [], [], []
    for state, start in zip(states, starts[1:], strict=False):
        block, constant, order = _matrix_inequality(reduced, state, unit)
        blocks.append(
            sparse.hstack(
                [
                    block[:, :losses],
                    sparse.csc_matrix((len(constant), start - losses)),
                    block[:, losses:],
                    sparse.csc_matrix((len(constant), starts[-1] - start - block.shape[1] + losses)),
                ],
                format="csc",
            )
        )
        right.append(constant)
        cones.append(clarabel.PSDTriangleConeT(order))
        signs.append(start + len(state.z) + np.arange(len(state.i)))
    positive = np.concatenate(signs)
    blocks.append(
        sparse.csc_matrix((-np.ones(len(positive)), (np.arange(len(positive)), positive)), (len(positive), starts[-1]))
    )
    right.append(np.zeros(len(positive)))
    cones.append(clarabel.NonnegativeConeT(len(positive)))
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.max_threads = 1
    settings.presolve_enable = False
    settings.chordal_decomposition_enable = False
    settings.time_limit = max(budget, 1e-3)
    solution = clarabel.DefaultSolver(
        P, q, sparse.vstack(blocks, format="csc"), np.concatenate(right), cones, settings
    ).solve()
    x, multiplier = np.asarray(solution.x), np.asarray(solution.z)
    theta = np.zeros_like(reduced.target)
    theta[rows] = (γ / unit) * x[:losses].reshape(-1, c)
    solved, at = [], 0
    for state, start, constant in zip(states, starts[1:], right, strict=False):
        free = len(state.z)
        y = x[start : start + free + len(state.i)]
        Z = _unpack(multiplier[at : at + len(constant)], free + reduced.d + c) * (2 / unit)
        at += len(constant)
        size = _sizes(state.cell.E)
        T = np.maximum(y[free:], 0.0) * γ**2 / (size[state.i] * size[state.j])
        solved.append(CellState(state.cell, state.i, state.j, T, y[:free] * γ**2, Z))
    usable = np.isfinite(x).all() and np.isfinite(multiplier).all()
    value = -float(solution.obj_val) * γ / unit + reduced.constant if usable else np.nan
    return theta, solved, value


def _matrix_inequality(reduced: Reduced, state: CellState, unit: float) -> tuple[sparse.csc_matrix, Array, int]:
    """(A, b, order) with b − A (Θ', z, T) the scaled upper triangle of the cell's matrix, as Clarabel reads it."""
    E, X, c, rows = state.cell.E, state.cell.X[state.cell.free], reduced.c, reduced.loss_rows
    free, known = len(X), E.shape[1]
    order = known + c
    p, q = _triangle(known)
    scale = np.where(p == q, 1.0, np.sqrt(2.0))
    size = _sizes(E)
    G, H = E[state.i] / size[state.i, None], E[state.j] / size[state.j, None]
    products = scale * (G[:, p] * H[:, q] + G[:, q] * H[:, p])
    squares = scale * np.hstack([np.zeros((free, free)), X])[:, p] * np.hstack([np.zeros((free, free)), X])[:, q]
    squares[np.arange(free), np.flatnonzero(p == q)[:free]] -= 1.0
    inner = sparse.csc_matrix(np.vstack([squares, products]).T)

    row, s = np.nonzero(E[rows])
    k = np.arange(c)
    column = known + k
    where = (column * (column + 1) // 2)[None, :] + s[:, None]
    variable = row[:, None] * c + k[None, :]
    entry = np.repeat(np.sqrt(2.0) / unit * E[rows][row, s], c)
    height = order * (order + 1) // 2
    outer = sparse.csc_matrix((entry, (where.ravel(), variable.ravel())), (height, len(rows) * c))
    inner.resize(height, inner.shape[1])
    constant = np.zeros(height)
    diagonal = np.arange(free, order)
    constant[diagonal * (diagonal + 1) // 2 + diagonal] = 1.0
    return sparse.hstack([outer, inner], format="csc"), constant, order


def _sizes(E: Array) -> Array:
    """Norms of the rows, 1 for zero rows."""
    norm = np.linalg.norm(E, axis=1)
    return np.where(norm > 0, norm, 1.0)


def _triangle(order: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of the upper triangle, column by column."""
    column, row = np.tril_indices(order)
    return row, column


def _unpack(triangle: Array, order: int) -> Array:
    """The symmetric matrix of a scaled upper triangle."""
    row, column = _triangle(order)
    Z = np.zeros((order, order))
    Z[row, column] = triangle / np.where(row == column, 1.0, np.sqrt(2.0))
    return Z + np.triu(Z, 1).T


def violated(state: CellState, limit: float, most: int) -> tuple[np.ndarray, np.ndarray]:
    """The products i, j that are below −limit on the cell's share Z, relative to the forms' sizes; worst first."""
    E = state.cell.E
    known = E.shape[1]
    unit = E / _sizes(E)[:, None]
    W = unit @ state.Z[:known, :known] @ unit.T
    i, j = np.nonzero((-limit > W) & state.cell.pairs)
    worst = np.argsort(W[i, j], kind="stable")[:most]
    return i[worst], j[worst]
