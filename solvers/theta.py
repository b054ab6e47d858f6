"""The best certificate for a given Θ, wherever it comes from: by arcs, by a cover, or by the best T and z."""

from __future__ import annotations

import time

import numpy as np
from threadpoolctl import threadpool_limits

from .atoms.search import ascend, starts
from .certificates.certificate import Certificate, Kind
from .certificates.nothing import trivial_certificate
from .certificates.quadratic import LITTLE, linear_proof
from .certificates.quadratic import certify as certify_quadratic
from .conic.fixed import best_multipliers
from .cpp import SPHERE, certify, row_space
from .exact.arcs import local_maxima
from .exact.cone import SLACK
from .exact.cover import Cover, cover
from .exact.progress import feasible
from .exact.sphere import compile_kernels
from .loss import LOSS
from .network import Array, ProblemError, whitener
from .problem import Problem
from .reduced.dual import sharpen, user_point
from .reduced.reduction import reduce

# shares of max h that covers leave above it, one after the other
FINER = (3.0, 1.0, 0.6, 0.3, 0.2, 0.1, 0.03, 1e-2, 3e-3, 1e-3, 1e-4)
STARTS = 1000
SMALL = 40  # merged rows up to which T is looked for as well


def certificate_for(problem: Problem, theta: Array, timeout: float = 60.0) -> Certificate:
    """Prove as good a bound as can be had from a given Θ, feasible or not.

    Args:
        problem: X, Y and γ.
        theta: Θ (n, c), on the rows of X.
        timeout: seconds for covers of the sphere, and for the program that finds T and z.

    Returns:
        A certificate of kind `arcs` where X has rank two or less, `cover` up to rank five if one can be had in time,
        else `doubly nonnegative`, with z alone beyond forty rows.

    Raises:
        ProblemError: another loss than squares.
    """
    if problem.loss != "squares":
        raise ProblemError(f"loss must be squares for a certificate from Θ alone. Got {problem.loss} instead.")
    if not problem.X.any():
        return trivial_certificate(problem)
    theta = np.where(np.any(problem.X != 0, axis=1)[:, None], _best_multiple(theta, problem.Y), problem.Y)
    scaled = problem.scaled
    basis = row_space(scaled.problem.X)
    inner = scaled.problem.on(scaled.problem.X @ basis, scaled.problem.Y)
    if basis.shape[1] <= 2:
        plane = np.hstack([inner.X, np.zeros((inner.n, 2 - inner.d))])
        height = local_maxima(theta / scaled.kappa, plane, problem.activation)[1]
        return certify(problem, Kind.ARCS, _feasible(problem, theta, float(np.max(height, initial=0.0))), {})
    if problem.activation.kind == "identity":
        top = float(np.linalg.norm(theta.T @ problem.X, 2)) / scaled.kappa / scaled.sigma
        smaller = _feasible(problem, theta, top * (1 + 2 * LITTLE))
        return certify(problem, Kind.DOUBLY_NONNEGATIVE, smaller, linear_proof(problem))
    made = _cover(inner, theta / scaled.kappa, timeout) if basis.shape[1] <= SPHERE else None
    if made is None:
        return _quadratic(problem, theta, timeout)
    proof = {"basis": basis, **made.proof(whitener(inner.X))}
    return certify(problem, Kind.COVER, _feasible(problem, theta, made.eta), proof)


def _best_multiple(theta: Array, Y: Array) -> Array:
    """tΘ with the largest value, whether it is feasible or not; Θ at length 1 where that is no t > 0."""
    theta = theta / (np.max(np.abs(theta)) or 1.0)
    linear, square = float(np.sum(theta * Y)), float(np.sum(theta**2))
    return theta * (linear / square) if linear > 0 else theta


def _feasible(problem: Problem, theta: Array, eta: float) -> Array:
    """Θ made smaller until h ≤ γ. eta: max h in the scaled problem."""
    inner = problem.scaled.problem
    live = np.any(problem.X != 0, axis=1)
    kappa = problem.scaled.kappa
    return kappa * feasible(LOSS[inner.loss], theta / kappa, inner.Y, inner.gamma, live, eta * (1 + SLACK))[0]


def _cover(inner: Problem, theta: Array, timeout: float) -> Cover | None:
    """The finest cover that can be made in time."""
    X, transform, rng = inner.X, whitener(inner.X), np.random.default_rng(0)
    activation = inner.activation
    compile_kernels(proofs=True)
    began, best = time.perf_counter(), None

    def late() -> bool:
        return time.perf_counter() - began > timeout

    with threadpool_limits(limits=1):
        height = float(ascend(theta, X, starts(theta, X, transform, rng, STARTS, activation), rng, activation)[1][0])
        for share in FINER:
            made = cover(theta, X, transform, height * (1 + share), late, activation, best)
            if made is None:
                break
            best = made
    return best


def _quadratic(problem: Problem, theta: Array, timeout: float) -> Certificate:
    """With the best z for T = 0, or the best T and z where there are few rows."""
    reduced = reduce(problem)
    nothing = np.zeros((2 * problem.n, 2 * problem.n))
    point = sharpen(reduced, user_point(reduced, problem.gamma, theta, nothing, np.zeros(problem.n)))
    found = [certify_quadratic(problem, reduced, point)]
    if reduced.n <= SMALL:
        better = best_multipliers(reduced, point.theta, timeout)
        found += [] if better is None else [certify_quadratic(problem, reduced, sharpen(reduced, better))]
    return max(found, key=lambda certificate: certificate.lower_bound)
