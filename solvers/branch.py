"""The method `branch`: the hierarchy between the relaxation and the exact program (formulation, section 7).

The measure over neurons is split by the sign of x_k·u for chosen rows k. Each cell has its own copy of the relaxation
in which that sign is known; the loss couples them. Every solve gives a Θ with a proof for each cell (branch_proof.py),
and the cells' shares of the measure give neurons for a network.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Annotated

import numpy as np
from annotated_types import Ge, Gt
from threadpoolctl import threadpool_limits

from .branch_cells import LEAF, Cell, Circuits, implications, leaves, split
from .branch_program import CellState, solve_cells, violated
from .branch_proof import certify_cells
from .certificate import Certificate
from .cuts import circuits
from .problem import Array, Fit, Network, Problem, TraceRow
from .reduction import Reduced, reduce
from .rounding import balance, ridge
from .rounding.lbfgs import polish
from .sdp import positive_factor, relax

VIOLATED = 1e-6  # share of the measure's mass below which a product of forms counts as negative
IDLE = 1e-6  # share of the mass below which a cell is neither split nor solved
UNUSED = 1e-6  # share of the largest multiplier below which a product is dropped
SETTLED = 0.1  # a solve that closes less than this share of the gap is followed by splits
SHARE = 0.3  # cells with at least this share of the largest score are split together


@dataclass
class Hierarchy:
    """Where the method stands: the tree with its cells, the best proof and the best network."""

    problem: Problem
    reduced: Reduced
    certificate: Certificate
    network: Network
    circuits: Circuits
    tree: list[int]
    states: list[CellState]
    began: float
    solves: int = 0
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
    def cells(self) -> int:
        """Number of cells."""
        return len(self.states)


def branch(
    problem: Problem,
    *,
    width: Annotated[int, Ge(1)] | None = None,
    seed: int = 0,
    budget: float | None = None,
    gap: Annotated[float, Gt(0)] = 1e-3,
    cells: Annotated[int, Ge(1)] = 64,
    cuts: Annotated[int, Ge(0)] = 0,
) -> Fit:
    """Tighten the relaxation, cell by cell, until the proved gap is at most `gap`.

    width: neurons of the network, by default twice the number of rows and at most 200. budget: seconds; then the best
    so far comes back with status `timeout`. cells: there will be no more than this many. cuts: circuits a row from
    which products are separated in every cell (cuts.py), 0 for none.
    The bound never falls from one solve to the next, and is never below that of the relaxation.
    """
    began = time.perf_counter()

    def left() -> float:
        return np.inf if budget is None else budget - (time.perf_counter() - began)

    with threadpool_limits(limits=1):  # the matrices are too small for more
        it = _root(problem, cuts, budget, began)
        _tighten(it, min(2 * problem.n, 200) if width is None else width, seed, gap, cells, left)
    return Fit(
        predict=it.network.predict,
        network=it.network,
        bound=it.certificate,
        value=it.upper,
        trace=it.trace,
        info={"iterations": it.solves, "cells": it.cells, "solve_s": time.perf_counter() - began},
        status="timeout" if left() <= 0 and it.gap > gap else "ok",
        message=f"stopped at a gap of {it.gap:.1e} where {gap:.1e} was asked for" if it.gap > gap else "",
    )


def _tighten(it: Hierarchy, width: int, seed: int, gap: float, cells: int, left: Callable[[], float]) -> None:
    while it.gap > gap and it.states and left() > 0:
        before = it.certificate.lower_bound
        _solve(it, left())
        if it.solves == 1 or it.certificate.lower_bound > before:
            _round(it, width, seed)
        added = _separate(it)
        little = it.certificate.lower_bound - before < SETTLED * (it.upper - before)
        grown = (little or not added) and it.gap > gap and _split(it, cells)
        if not (grown or added):
            break


def _root(problem: Problem, cuts: int, budget: float | None, began: float) -> Hierarchy:
    """One cell, with the products that bind in the relaxation; no cell if there is nothing to learn."""
    relaxation = relax(problem, budget=budget)
    assert relaxation.certificate is not None
    nobody = Network(np.zeros((problem.d, 1)), np.zeros((1, problem.c)))
    if not problem.X.any() or not problem.Y.any():
        return Hierarchy(problem, None, relaxation.certificate, nobody, Circuits.none(0), [LEAF], [], began)
    reduced = reduce(problem)
    pool = circuits(reduced.X, cuts) if cuts else Circuits.none(reduced.n)
    it = Hierarchy(problem, reduced, relaxation.certificate, nobody, pool, [LEAF], [], began)
    proof = relaxation.certificate.proof
    kept = proof["T_value"] > UNUSED * np.max(proof["T_value"], initial=0.0)
    if len(proof["rows"]) != reduced.n:
        kept = np.zeros(0, dtype=int)
    i, j = proof["T_row"][kept], proof["T_column"][kept]
    it.states = _children(it, [LEAF], [(i, j)])
    return it


def _children(it: Hierarchy, tree: list[int], pairs: list[tuple[np.ndarray, np.ndarray]]) -> list[CellState]:
    """Fresh states of all cells of the tree, which inherit products."""
    X, nothing = it.reduced.X, Circuits.none(it.reduced.n)
    states = []
    for sign, (i, j) in zip(leaves(tree, it.reduced.n), pairs, strict=True):
        cell = Cell.build(X, sign, it.circuits, implications(X, sign) or nothing)
        states.append(CellState.fresh(cell, i, j, it.reduced.c))
    return states


def _solve(it: Hierarchy, budget: float) -> None:
    theta, it.states, _, _ = solve_cells(it.reduced, it.states, budget)
    it.solves += 1
    if not np.isfinite(theta).all():
        return
    cells, points = [state.cell for state in it.states], [state.point() for state in it.states]
    certificate = certify_cells(it.problem, it.reduced, theta, it.tree, cells, points)
    if certificate.lower_bound > it.certificate.lower_bound:
        it.certificate = certificate
    row = TraceRow(time.perf_counter() - it.began, it.solves, it.upper, it.certificate.lower_bound)
    it.trace.append(row)


def _mass(state: CellState) -> float:
    """The cell's share of tr U."""
    free, d = len(state.cell.free), state.cell.X.shape[1]
    return float(np.trace(state.Z[free : free + d, free : free + d]))


def _separate(it: Hierarchy) -> int:
    """Let violated products in and unused ones go; how many are new."""
    total, new = sum(map(_mass, it.states)), 0
    for c, state in enumerate(it.states):
        used = state.value > UNUSED * np.max(state.value, initial=0.0)
        i, j = violated(state, VIOLATED * total, 4 * len(state.cell.free) + 50)
        new += len(i)
        it.states[c] = replace(
            state, i=np.r_[state.i[used], i], j=np.r_[state.j[used], j], value=np.r_[state.value[used], 0.0 * i]
        )
    return new


def _split(it: Hierarchy, most: int) -> bool:
    """Split the cells whose best row has the highest scores; False if there is no cell to split."""
    total = sum(map(_mass, it.states))
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


def _round(it: Hierarchy, width: int, seed: int) -> None:
    """Neurons drawn from each cell's share, with those of the best network: ridge, the heaviest kept, L-BFGS."""
    rng = np.random.default_rng([seed, it.solves])
    drawn = [it.network.U]
    total = sum(map(_mass, it.states))
    for state in it.states:
        free, d = len(state.cell.free), it.reduced.d
        root = positive_factor(state.Z[free : free + d, free : free + d])
        count = round(4 * width * _mass(state) / total) if total > 0 else 0
        drawn.append(it.reduced.basis @ root @ rng.standard_normal((root.shape[1], count)))
    network = _lasso(it.problem, np.hstack(drawn), width)
    fit = polish(it.problem, network, seed=seed)
    if fit.network is not None and it.problem.objective(fit.network) < it.upper:
        it.network = fit.network


def _lasso(problem: Problem, U: Array, width: int) -> Network:
    """Ridge and balance in turn from the directions of U (d, m), all of the same weight; the heaviest `width` stay."""
    norm = np.linalg.norm(U, axis=0)
    U = U[:, norm > 0] / norm[norm > 0]
    if not U.shape[1]:
        U = np.eye(problem.d)[:, :1]
    network = Network(U, ridge(problem, U))
    for _ in range(30):
        network = balance(network)
        network = Network(network.U, ridge(problem, network.U))
    heavy = np.argsort(-np.sum(network.U**2, axis=0), kind="stable")[:width]
    return Network(network.U[:, heavy], network.V[heavy])
