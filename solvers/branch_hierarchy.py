"""A tree of cells being solved: what the relaxation with cuts and the hierarchy of splits have in common."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace

import numpy as np

from .branch_cells import LEAF, Cell, Circuits, implications, leaves, split
from .branch_program import CellState, solve_cells, violated
from .branch_proof import certify_cells
from .certificate import Certificate
from .problem import Network, Problem, TraceRow
from .reduction import Reduced

VIOLATED = 1e-6  # share of the measure's mass below which a product of forms counts as negative
IDLE = 1e-6  # share of the mass below which a cell is neither split nor solved
UNUSED = 1e-6  # share of the largest multiplier below which a product is dropped
LARGEST = 150  # order of a cell's matrix; the solver's memory grows with its fourth power, to 1 GB here
SHARE = 0.3  # cells with at least this share of the largest score are split together


@dataclass
class Hierarchy:
    """The tree with its cells, the best proof, the best network, and what the last solve says the value is."""

    problem: Problem
    reduced: Reduced
    certificate: Certificate
    network: Network
    circuits: Circuits
    tree: list[int]
    states: list[CellState]
    began: float = field(default_factory=time.perf_counter)
    solves: int = 0
    value: float = np.nan
    trace: list[TraceRow] = field(default_factory=list)

    @property
    def upper(self) -> float:
        """Objective of the best network."""
        return self.problem.objective(self.network)

    @property
    def gap(self) -> float:
        """(upper − lower)/upper."""
        return 1 - self.certificate.lower_bound / self.upper if self.upper > 0 else 0.0

    @property
    def too_large(self) -> str:
        """Why no cell can be solved, empty if they can."""
        orders = [len(state.Z) for state in self.states]
        return f"a cell of order {max(orders)} is left unsolved: at most {LARGEST}" if max(orders) > LARGEST else ""

    @property
    def cuts(self) -> int:
        """Number of products in use that contain a circuit."""
        return sum(int(np.sum(state.j >= 2 * self.reduced.n)) for state in self.states)

    @property
    def cells(self) -> int:
        """Number of cells."""
        return len(self.states)


def root(
    problem: Problem,
    reduced: Reduced,
    certificate: Certificate,
    network: Network,
    circuits: Circuits,
) -> Hierarchy:
    """One cell, with the products that have multipliers in a certificate of the relaxation (bound.py)."""
    it = Hierarchy(problem, reduced, certificate, network, circuits, [LEAF], [])
    proof = certificate.proof
    kept = np.flatnonzero(proof["T_value"] > UNUSED * np.max(proof["T_value"], initial=0.0))
    if len(proof["rows"]) != reduced.n:  # other rows were merged for that proof
        kept = kept[:0]
    it.states = _children(it, [LEAF], [(proof["T_row"][kept], proof["T_column"][kept])])
    return it


def _children(it: Hierarchy, tree: list[int], pairs: list[tuple[np.ndarray, np.ndarray]]) -> list[CellState]:
    """Fresh states of all cells of the tree, which inherit products."""
    X, nothing = it.reduced.X, Circuits.none(it.reduced.n)
    states = []
    for sign, (i, j) in zip(leaves(tree, it.reduced.n), pairs, strict=True):
        cell = Cell.build(X, sign, it.circuits, implications(X, sign) or nothing)
        states.append(CellState.fresh(cell, i, j, it.reduced.c))
    return states


def solve(it: Hierarchy, budget: float) -> None:
    """Solve the cells as they are, and keep what is proved if that is better than before."""
    theta, states, value = solve_cells(it.reduced, it.states, budget)
    it.solves += 1
    if not np.isfinite(value):
        return
    it.states, it.value = states, value * it.reduced.unit
    cells, points = [state.cell for state in it.states], [state.point() for state in it.states]
    certificate = certify_cells(it.problem, it.reduced, theta, it.tree, cells, points)
    if certificate.lower_bound > it.certificate.lower_bound:
        it.certificate = certificate
    row = TraceRow(time.perf_counter() - it.began, it.solves, it.upper, it.certificate.lower_bound)
    it.trace.append(row)


def mass(state: CellState) -> float:
    """The cell's share of tr U."""
    free, d = len(state.cell.free), state.cell.X.shape[1]
    return float(np.trace(state.Z[free : free + d, free : free + d]))


def separate(it: Hierarchy) -> int:
    """Let violated products in and unused ones go; how many are new."""
    total, new = sum(map(mass, it.states)), 0
    for c, state in enumerate(it.states):
        used = state.value > UNUSED * np.max(state.value, initial=0.0)
        i, j = violated(state, VIOLATED * total, 4 * len(state.cell.free) + 50)
        new += len(i)
        it.states[c] = replace(
            state, i=np.r_[state.i[used], i], j=np.r_[state.j[used], j], value=np.r_[state.value[used], 0.0 * i]
        )
    return new


def grow(it: Hierarchy, most: int) -> bool:
    """Split the cells whose best row has the highest scores; False if there is no cell to split."""
    total = sum(map(mass, it.states))
    best = {c: max(_scores(state), default=(0.0, -1)) for c, state in enumerate(it.states)}
    order = sorted((c for c in best if best[c][0] > IDLE * total), key=lambda c: -best[c][0])
    order = [c for c in order if best[c][0] >= SHARE * best[order[0]][0]][: max(0, most - it.cells)]
    if not order:
        return False
    chosen = {c: best[c][1] for c in order}
    pairs = []
    for c, state in enumerate(it.states):
        pairs += [(state.i, state.j)] * (1 + (c in chosen))
    it.tree = split(it.tree, chosen)
    it.states = _children(it, it.tree, pairs)
    return True


def _scores(state: CellState) -> list[tuple[float, int]]:
    """For each free row k that divides the cell: the smaller of E α_k² and E β_k², per ‖x_k‖²."""
    cell, known = state.cell, state.cell.E.shape[1]
    n, K = len(cell.X), state.Z[:known, :known]
    second = np.einsum("ij,jk,ik->i", cell.E[: 2 * n], K, cell.E[: 2 * n])
    size = np.sum(cell.X**2, axis=1)
    return [(float(min(second[k], second[n + k]) / size[k]), int(k)) for k in cell.free]
