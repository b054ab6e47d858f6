"""The exact completely positive program: the network that no other can beat, and the proof of it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from .arguments import checked
from .atoms.columns import Columns, network, prune
from .certificates.certificate import Certificate, Kind
from .certificates.quadratic import LITTLE, linear_proof
from .exact import plane, sphere
from .exact.progress import Progress
from .fit import Fit, Statistics, Status, TraceRow
from .loss import LOSS
from .network import Array
from .problem import Problem
from .sdp import Budget, Gap, Seed, Width, relax

RANK = 1e-12  # singular values below this share of the largest are taken for zero; the proof accounts for the rest
PRUNE = 0.01  # share of the gap that a smaller network may cost
LAST = 0.05  # share of the time limit: with less left, a bound that is there is not compared with the relaxation's
SPHERE = 5  # the highest rank of X at which the sphere is covered whether there is a time limit or not
DEEP = 8  # the highest rank at which it is covered under a time limit: the most that the checker takes
COVERED = 0.75  # share of the time limit for search and cover beyond SPHERE; the relaxation gets the rest


@checked
def cpp(
    problem: Problem,
    *,
    width: Width | None = None,
    seed: Seed = 0,
    budget: Budget = None,
    gap: Gap = 1e-3,
) -> Fit:
    """Solve the completely positive program, whose value is p*(∞), by column generation (formulation, section 6).

    Three routes, by the rank of X: up to 2 `arcs`, up to 5 `sphere`, both with proofs of their own; beyond, `search`:
    the same column generation as a trainer, and the bound of the relaxation, however far off that is. With a time
    limit `sphere` goes on up to rank 8, as far as the clock lets it; where its gap stays open the relaxation gets the
    rest of the time, and the better of the two bounds counts. For linear networks, activation `identity`, it is
    `linear` in place of the last two: the same column generation, and the bound of its Θ, for which no proof over the
    sphere is needed.

    Args:
        problem: X, Y and γ.
        width: accepted, as by every method, and not used: the program has none.
        seed: of the searches.
        budget: seconds; then the best network and the best proved bound so far come back with status `timeout`.
        gap: the proved (upper − lower)/upper at which to stop.

    Returns:
        Network and certificate. Status `ok` says that the proved gap is reached, `stalled` that nothing more was to be
        had.

    Raises:
        ProblemError: an argument out of range.
    """
    scaled = problem.scaled
    basis = row_space(scaled.problem.X)
    route = _route(basis.shape[1], budget, problem.activation.kind)
    compile_s = 0.0 if route == "arcs" else sphere.compile_kernels(proofs=route == "sphere")
    if route == "arcs":
        basis = np.hstack([basis, np.zeros((len(basis), 2 - basis.shape[1]))])
    inner = scaled.problem.on(scaled.problem.X @ basis, scaled.problem.Y)
    share = COVERED if route == "sphere" and inner.d > SPHERE else 1.0
    progress = Progress(inner, scaled.objective_unit, None if budget is None else share * budget)
    with threadpool_limits(limits=1):  # the matrices are too small for more
        columns = _columns(inner, route, gap, progress, seed)
    small = network(inner, columns)
    best = scaled.network_back(replace(small, U=basis @ small.U))
    kind, proof = (Kind.COVER, {"basis": basis, **progress.proof}) if progress.proof else (Kind.ARCS, {})
    if route == "linear":
        kind, proof = Kind.DOUBLY_NONNEGATIVE, dict(linear_proof(problem))
    certificate = certify(problem, kind, scaled.kappa * progress.theta, proof)
    solve_s = progress.seconds
    fit = Fit(
        predict=best.predict,
        network=best,
        certificate=certificate,
        value=columns.value * scaled.objective_unit,
        trace=progress.trace,
        info={"route": route, "atoms": len(columns.s), **progress.info},
        stats=Statistics(iterations=progress.columns.iterations, solve_s=solve_s, compile_s=compile_s),
    )
    upper = problem.objective(best)
    missed = upper - certificate.lower_bound > gap * upper
    left = np.inf if budget is None else budget - solve_s
    if (
        route == "search"
        or (route == "linear" and missed)
        or (route == "sphere" and missed and (left > LAST * (budget or 0.0) or not progress.proof))
    ):
        fit = _with_relaxation(problem, fit, budget)
    return _with_status(problem, fit, gap, progress.out_of_time)


def _route(rank: int, budget: float | None, kind: str) -> str:
    if rank <= 2:
        return "arcs"
    if kind == "identity":
        return "linear"
    return "sphere" if rank <= (SPHERE if budget is None else DEEP) else "search"


def _columns(inner: Problem, route: str, gap: float, progress: Progress, seed: int) -> Columns:
    """The columns that column generation ends with, few of them; their proof, if there is one, goes into `progress`."""
    aim = (1 - 2 * PRUNE) * gap  # leaves room for what a smaller network costs
    if route == "arcs":
        aim = plane.generate(inner, aim, progress)
    else:
        sphere.generate(inner, aim, progress, seed, proofs=route == "sphere")
    if route == "linear":
        Θ = progress.columns.theta
        progress.dual(Θ, float(np.linalg.norm(Θ.T @ inner.X, 2)) * (1 + 2 * LITTLE))
    return prune(inner, progress.columns, PRUNE * aim, progress.late)


def row_space(X: Array) -> Array:
    """Orthonormal basis (d, r) of the rows of X (n, d); the identity where they span everything."""
    values, rows = np.linalg.svd(X, full_matrices=False)[1:]
    rank = int(np.sum(values > RANK * values[0]))
    return np.eye(X.shape[1]) if rank == X.shape[1] else rows[:rank].T


def certify(problem: Problem, kind: Kind, theta: Array, proof: Mapping[str, NDArray]) -> Certificate:
    """The certificate for Θ (n, c) in the user's units, whose h the search and its cover found to be at most γ.

    Rows of X that are zero have no part in h: their Θ is the slope of the zero network.
    """
    loss, Y = LOSS[problem.loss], problem.Y
    idle = loss.slope(np.zeros_like(Y), Y)
    theta = loss.admissible(np.where(np.any(problem.X != 0, axis=1)[:, None], theta, idle), Y)
    return Certificate(kind, theta, proof, loss.below(theta, Y))


def _with_relaxation(problem: Problem, fit: Fit, budget: float | None) -> Fit:
    """With the bound of the doubly nonnegative relaxation, and its network, where these are better."""
    began, spent = time.perf_counter(), fit.stats.solve_s or 0.0
    relaxation = relax(problem, budget=None if budget is None else max(0.0, budget - spent))
    seconds = spent + time.perf_counter() - began
    best = min((n for n in (fit.network, relaxation.network) if n is not None), key=problem.objective)
    proved = max((c for c in (fit.certificate, relaxation.certificate) if c is not None), key=lambda c: c.lower_bound)
    row = TraceRow(seconds, len(fit.trace), value=problem.objective(best), bound=proved.lower_bound)
    return replace(
        fit,
        predict=best.predict,
        network=best,
        certificate=proved,
        trace=[*fit.trace, row],
        stats=replace(fit.stats, solve_s=seconds),
        status=relaxation.status,
    )


def _with_status(problem: Problem, fit: Fit, gap: float, out_of_time: bool) -> Fit:
    """Say so where the gap was not reached, and why."""
    assert fit.certificate is not None
    assert fit.network is not None
    upper = problem.objective(fit.network)
    reached = (upper - fit.certificate.lower_bound) / upper if upper > 0 else 0.0
    if reached <= gap:
        return replace(fit, status=Status.OK)
    message = f"stopped at a gap of {reached:.1e} where {gap:.1e} was asked for"
    if fit.info.get("cells_expected"):
        message += f"; the proof was expected to take {fit.info['cells_expected']:.1e} simplices"
    if fit.certificate.kind not in (Kind.ARCS, Kind.COVER) and fit.info["route"] != "linear":
        why = "has too many dimensions" if fit.info["route"] == "search" else "could not be covered"
        message += f"; the bound is the relaxation's, as the sphere {why}"
    late = out_of_time or fit.status == Status.TIMEOUT
    return replace(fit, status=Status.TIMEOUT if late else Status.STALLED, message=message)
