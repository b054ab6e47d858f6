"""The method `branch`: the hierarchy between the relaxation and the exact program (formulation, section 7).

The measure over neurons is split by the sign of x_k·u for chosen rows k. Each cell has its own copy of the relaxation
in which that sign is known; the loss couples them. Every solve gives a Θ with a proof for each cell (branch_proof.py),
and the cells' shares of the measure give neurons for a network.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Annotated

import numpy as np
from annotated_types import Ge, Gt
from threadpoolctl import threadpool_limits

from .branch_cells import Circuits
from .branch_hierarchy import Hierarchy, grow, mass, root, separate, solve
from .cuts import circuits
from .problem import Array, Fit, Network, Problem
from .reduction import reduce
from .relaxation import Relaxation
from .rounding import balance, ridge
from .rounding.lbfgs import polish
from .sdp import positive_factor, relax

CLIMB = 50  # steps from a drawn neuron towards a maximum
ROUNDS = 60  # of ridge and balance
SAME = 1 - 1e-9  # cosine from which two directions count as one
SETTLED = 0.1  # a solve that closes less than this share of the gap is followed by splits


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
    so far comes back with status `timeout`. cells: there will be no more than this many. cuts: rounds
    of separating circuit cuts (cuts.py) before the first split, after which cells may go on using them; 0 for no cuts.
    The bound never falls from one solve to the next, and is never below that of the relaxation.
    """
    began = time.perf_counter()

    def left() -> float:
        return np.inf if budget is None else budget - (time.perf_counter() - began)

    with threadpool_limits(limits=1):  # the matrices are too small for more
        relaxation = relax(problem, budget=budget)
        if not problem.X.any() or not problem.Y.any():
            return _nothing_to_learn(problem, relaxation)
        reduced = reduce(problem)
        pool = circuits(reduced.X) if cuts else Circuits.none(reduced.n)
        assert relaxation.certificate is not None
        network = _no_network(problem) if relaxation.network is None else relaxation.network
        it = root(problem, reduced, relaxation.certificate, network, pool)
        _tighten(it, min(2 * problem.n, 200) if width is None else width, seed, gap, cells, cuts, left)
    return Fit(
        predict=it.network.predict,
        network=it.network,
        bound=it.certificate,
        value=it.upper,
        trace=it.trace,
        info={"iterations": it.solves, "cells": it.cells, "solve_s": time.perf_counter() - began},
        status="timeout" if left() <= 0 and it.gap > gap else "ok",
        message=it.too_large
        or (f"stopped at a gap of {it.gap:.1e} where {gap:.1e} was asked for" if it.gap > gap else ""),
    )


def _tighten(
    it: Hierarchy, width: int, seed: int, gap: float, cells: int, cuts: int, left: Callable[[], float]
) -> None:
    while it.gap > gap and left() > 0 and not it.too_large:
        before = it.certificate.lower_bound
        solve(it, left())
        if it.solves == 1 or it.certificate.lower_bound > before:
            _round(it, width, seed)
        added = separate(it)
        little = it.certificate.lower_bound - before < SETTLED * (it.upper - before)
        grown = (little or not added) and it.solves > cuts and it.gap > gap and grow(it, cells)
        if not (grown or added):
            break


def _no_network(problem: Problem) -> Network:
    """A single neuron that is zero."""
    return Network(np.zeros((problem.d, 1)), np.zeros((1, problem.c)))


def _nothing_to_learn(problem: Problem, relaxation: Relaxation) -> Fit:
    """X = 0 or Y = 0: the zero network is optimal."""
    network = _no_network(problem)
    info = {"iterations": 0, "cells": 1, "solve_s": 0.0}
    return Fit(network.predict, network, relaxation.certificate, relaxation.value, info=info)


def _round(it: Hierarchy, width: int, seed: int) -> None:
    """Neurons drawn from each cell's share, and where they climb to, with the best network's: ridge, then L-BFGS."""
    rng = np.random.default_rng([seed, it.solves])
    drawn = []
    total = sum(map(mass, it.states))
    for state in it.states:
        free, d = len(state.cell.free), it.reduced.d
        root = positive_factor(state.Z[free : free + d, free : free + d])
        count = round(4 * width * mass(state) / total) if total > 0 else 0
        drawn.append(it.reduced.basis @ root @ rng.standard_normal((root.shape[1], count)))
    U = np.hstack(drawn)
    U = np.hstack([it.network.U, U, _climb(it.problem.X, it.certificate.theta, U)])
    network = _lasso(it.problem, U, width)
    fit = polish(it.problem, network, seed=seed)
    if fit.network is not None and it.problem.objective(fit.network) < it.upper:
        it.network = fit.network


def _climb(X: Array, theta: Array, U: Array) -> Array:
    """Directions (d, m) uphill from U (d, m) on ‖Θᵀ(Xu)₊‖, whose maxima are the neurons of an optimal network.

    Replacing u by the gradient never goes down, as the square is convex on every cone on which it is quadratic.
    """
    for _ in range(CLIMB):
        H = np.maximum(X @ U, 0.0)
        U = X.T @ ((H > 0) * (theta @ (theta.T @ H)))
        norm = np.linalg.norm(U, axis=0)
        U = U[:, norm > 0] / norm[norm > 0]
    return U


def _lasso(problem: Problem, U: Array, width: int) -> Network:
    """Of the directions U (d, m) at most `width` that ridge and balance in turn, the group lasso, find useful.

    After each round the lightest leave, by a constant factor, so that those that stay take over their work.
    """
    norm = np.linalg.norm(U, axis=0)
    U = U[:, norm > 0] / norm[norm > 0]
    U = U[:, ~np.triu(U.T @ U > SAME, 1).any(axis=0)]
    if not U.shape[1]:
        return _no_network(problem)
    most = max(U.shape[1], width)
    for k in range(1, ROUNDS + 1):
        network = balance(Network(U, ridge(problem, U)))
        count = round(width * (most / width) ** (1 - k / ROUNDS))
        U = network.U[:, np.argsort(-np.sum(network.U**2, axis=0), kind="stable")[:count]]
    return balance(Network(U, ridge(problem, U)))
