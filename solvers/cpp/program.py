"""The exact completely positive program: the network that no other can beat, and the proof of it."""

from __future__ import annotations

import numpy as np
from threadpoolctl import threadpool_limits

from ..certificate import Certificate
from ..problem import Array, Fit, Network, Problem, ProblemError
from .check import prove
from .columns import network, prune
from .plane import generate
from .progress import Progress

RANK = 1e-12  # singular values below this share of the largest are taken for zero; the proof accounts for the rest
PRUNE = 0.01  # share of the gap that a smaller network may cost


def cpp(
    problem: Problem, *, width: int | None = None, seed: int = 0, budget: float | None = None, gap: float = 1e-3
) -> Fit:
    """Solve the completely positive program, whose value is p*(∞), by column generation (formulation, section 6).

    The program has no width: `width` is accepted, as every method does, and not used.
    budget: seconds; at the limit the best network and the best proved bound so far come back, status `timeout`.
    gap: the proved (upper − lower)/upper at which to stop.
    Raises ProblemError for a gap that is not between 0 and 1.
    """
    if not 0 < gap < 1:
        raise ProblemError(f"gap must be a number between 0 and 1. Got {gap!r} instead: 1e-3 is the default.")
    scaled = problem.scaled
    X, Y, gamma = scaled.problem.X, scaled.problem.Y, scaled.problem.gamma
    basis = row_space(X)
    basis = np.hstack([basis, np.zeros((len(basis), 2 - basis.shape[1]))])
    W = X @ basis
    progress = Progress(W, Y, gamma, scaled.objective_unit, budget)
    with threadpool_limits(limits=1):  # the matrices are too small for more
        gap = generate(W, Y, gamma, gap, progress)
        columns = prune(W, Y, gamma, progress.columns, PRUNE * gap, progress.late)
    small = network(W, Y, gamma, columns)
    certificate = certify(problem, "arcs", scaled.kappa * progress.theta)
    missed = progress.gap > gap
    return Fit(
        predict=(best := scaled.network_back(Network(basis @ small.U, small.V))).predict,
        network=best,
        bound=certificate,
        value=columns.value * scaled.objective_unit,
        trace=progress.trace,
        info={
            "route": "arcs",
            "atoms": columns.U.shape[1],
            "iterations": progress.columns.iterations,
            "solve_s": progress.seconds,
        },
        status="timeout" if missed and progress.late() else "ok",
        message=f"stopped at a gap of {progress.gap:.1e} where {gap:.1e} was asked for" if missed else "",
    )


def row_space(X: Array) -> Array:
    """Orthonormal basis (d, r) of the rows of X (n, d); the identity where they span everything."""
    values, rows = np.linalg.svd(X, full_matrices=False)[1:]
    rank = int(np.sum(values > RANK * values[0]))
    return np.eye(X.shape[1]) if rank == X.shape[1] else rows[:rank].T


def certify(problem: Problem, kind: str, theta: Array, proof: dict[str, np.ndarray] | None = None) -> Certificate:
    """The certificate for Θ (n, c) in the user's units, scaled down as far as the independent proof asks for.

    Rows of X that are zero keep Θ_i = y_i: they have no part in h.
    """
    proof = proof or {}
    live = np.any(problem.X != 0, axis=1)[:, None]
    theta = np.where(live, theta, problem.Y)
    eta = prove(theta, problem.X, problem.gamma, proof)
    while eta > problem.gamma:
        theta = np.where(live, theta * (problem.gamma / eta * (1 - 1e-15)), theta)
        eta = prove(theta, problem.X, problem.gamma, proof)
    return Certificate(kind, theta, proof, dual_value(theta, problem.Y))


def dual_value(theta: Array, Y: Array) -> float:
    """⟨Θ, Y⟩ − ½‖Θ‖² less all that rounding may have added to it."""
    terms = theta * Y
    size = float(np.sum(np.abs(terms)) + np.sum(theta**2))
    return float(np.sum(terms) - 0.5 * np.sum(theta**2)) - (theta.size + 8) * 2.0**-53 * size
