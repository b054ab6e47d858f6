"""The semidefinite relaxation exactly as the paper writes it, handed to a general conic solver through CVXPY.

This is the reference to read and to compare with, on the user's own rows and units, without facial reduction or
scaling. For speed and proved bounds there are better routes; a conic solver's own "optimal" is not a bound.

Source: Prakhya, Birdal, Yurtsever, "Convex Formulations for Training Two-Layer ReLU Neural Networks", ICLR 2025,
arXiv 2410.22311, section 4.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ...errors import RelaxbenchError
from ..activation import RELU
from ..fit import Statistics, Status
from ..network import Array
from ..problem import Problem
from ..relaxation import Relaxation

Backend = Literal["scs", "clarabel"]


class LiteralError(RelaxbenchError):
    """An unknown backend or a tolerance or time limit that makes no sense; the text names the value and the fix."""


@dataclass(frozen=True)
class DualGuess:
    """The solver's approximate dual solution; nothing about it is proved, and a safe bound has to repair it first.

    theta: Θ = Y − F (n, c), F the outputs below. T (2n, 2n): symmetric, multipliers of Λ_αβ ≥ 0 over the rows (α, β),
    zero on the (α_i, β_i) diagonals. z (n,): multiplier of diag(Λ_αβ) = 0, counted as z_i (s_i² − (Xu)_i²), s = α + β.
    At an exact solution γ‖u‖² ≥ (α, β)ᵀ T (α, β) + ‖Θᵀα‖²/γ − Σ z_i (s_i² − (Xu)_i²) for every s and u, with α = (s +
    Xu)/2 and β = (s − Xu)/2, and ⟨Θ, Y⟩ − ½‖Θ‖_F² is the value of the relaxation.
    """

    theta: Array
    T: Array
    z: Array


@dataclass(frozen=True)
class LiteralSDP:
    """CVXPY's problem, its variable Λ and two of its constraints, whose solution is read back."""

    program: Any
    lifted: Any
    unambiguous: Any
    nonnegative: Any


def paper_sdp(problem: Problem) -> LiteralSDP:
    """min ½‖F − Y‖_F² + γ/2 (tr Λ_uu + tr Λ_vv) over the doubly nonnegative lift of the paper.

    F = P_α Λ P_vᵀ for the ReLU, as the paper has it, and a P_α Λ P_vᵀ + b P_β Λ P_vᵀ for φ(t) = a t₊ + b t₋.

    Λ is Σ_j λ_j λ_jᵀ over the neurons λ = (α, β, u, v) of length p = 2n+d+c, with α = (Xu)₊, β = (−Xu)₊.

    Args:
        problem: the training data and γ.

    Returns:
        The program, unsolved, with Λ (p, p) and the constraints whose multipliers are read.
    """
    import cvxpy as cp

    n, d, c = problem.n, problem.d, problem.c
    α, β, u, v = slice(0, n), slice(n, 2 * n), slice(2 * n, 2 * n + d), slice(2 * n + d, 2 * n + d + c)
    αβ = slice(0, 2 * n)
    M = np.hstack([-np.eye(n), np.eye(n), problem.X, np.zeros((n, c))])  # Mλ = 0 says α − β = Xu

    Λ = cp.Variable((2 * n + d + c, 2 * n + d + c), PSD=True, name="Λ")
    outputs = Λ[α, v] if problem.activation == RELU else problem.activation.a * Λ[α, v] + problem.activation.b * Λ[β, v]
    loss = cp.sum_squares(outputs - problem.Y) / 2
    penalty = problem.gamma / 2 * (cp.trace(Λ[u, u]) + cp.trace(Λ[v, v]))
    consistent = M @ Λ @ M.T == 0
    unambiguous = cp.diag(Λ[α, β]) == 0
    nonnegative = Λ[αβ, αβ] >= 0

    program = cp.Problem(cp.Minimize(loss + penalty), [consistent, unambiguous, nonnegative])
    return LiteralSDP(program, Λ, unambiguous, nonnegative)


def solve_literal(
    problem: Problem, *, backend: Backend, eps: float = 1e-4, budget: float | None = None
) -> tuple[Relaxation, DualGuess | None]:
    """Solve the paper's SDP with SCS (the authors' choice) or Clarabel.

    Args:
        problem: the training data and γ.
        backend: `scs` or `clarabel`.
        eps: the backend's absolute and relative tolerance.
        budget: seconds for everything, compilation included; the backend gets what is left of it and ends by itself.

    Returns:
        The relaxation and the dual, None if there is none. The factor is that of the returned Λ with negative
        eigenvalues set to 0. Status `timeout` comes with the backend's last point, or with a factor of no columns (and
        value nan) where it has none; `stalled` and `iteration_limit` say that it ended short of its tolerance, `failed`
        that it gave up.

    Raises:
        LiteralError: an argument out of range, or a status this code does not know.
    """
    options = _backend_options(backend, eps, budget)
    start = time.perf_counter()
    sdp = paper_sdp(problem)
    sdp.program.get_problem_data(backend.upper())  # compiles; the result stays in CVXPY's cache
    compile_s = time.perf_counter() - start
    if budget is not None:
        options["time_limit_secs" if backend == "scs" else "time_limit"] = max(budget - compile_s, 1e-3)
    backend_status = run_backend(sdp.program, backend, options)
    seconds = time.perf_counter() - start

    status, message = status_of(backend, backend_status, out_of_time=budget is not None and seconds >= budget)
    statistics = sdp.program.solver_stats
    iterations = int(statistics.num_iters or 0) if statistics is not None else 0
    stats = Statistics(iterations=iterations, compile_s=compile_s, solve_s=seconds)
    lifted = sdp.lifted.value
    if lifted is None or not np.all(np.isfinite(lifted)) or status == Status.FAILED:
        empty = np.zeros((problem.n + problem.d + problem.c, 0))
        return Relaxation(empty, float("nan"), stats=stats, status=status, message=message), None
    relaxation = Relaxation(
        _factor(problem, lifted), float(sdp.program.value), stats=stats, status=status, message=message
    )
    return relaxation, literal_dual(problem, sdp)


def run_backend(program: Any, backend: str, options: Mapping[str, Any]) -> str:
    """Solve a program of CVXPY.

    Args:
        program: a CVXPY problem, solved in place.
        backend: `scs` or `clarabel`.
        options: those of the backend.

    Returns:
        CVXPY's own word for how that ended.
    """
    import cvxpy as cp

    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Solution may be inaccurate")  # our message says so
            program.solve(solver=backend.upper(), **options)
        return str(program.status)
    except cp.error.SolverError:  # raised by CVXPY in place of the status of this name
        return str(cp.SOLVER_ERROR)


def literal_dual(problem: Problem, sdp: LiteralSDP) -> DualGuess:
    """Dual of a solved program in the convention of `DualGuess`.

    CVXPY's multipliers τ of Λ_αβ ≥ 0 and ζ of diag(Λ_αβ) = 0 enter its Lagrangian as −⟨τ, Λ_αβ⟩ + ζᵀdiag(Λ_αβ); here
    the objective counts twice (γ for γ/2), and 2 α_i β_i = (s_i² − (Xu)_i²)/2.

    Args:
        problem: the training data and γ.
        sdp: the solved program.

    Returns:
        The dual.
    """
    n = problem.n
    of_α, of_β = (np.asarray(sdp.lifted.value)[side, 2 * n + problem.d :] for side in (slice(n), slice(n, 2 * n)))
    theta = problem.Y - (problem.activation.a * of_α + problem.activation.b * of_β)
    multiplier = np.asarray(sdp.nonnegative.dual_value)
    T = multiplier + multiplier.T
    i = np.arange(n)
    z = np.asarray(sdp.unambiguous.dual_value).ravel() / 2 - T[i, n + i] / 2
    T[i, n + i] = T[n + i, i] = 0.0
    return DualGuess(theta, T, z)


def _factor(problem: Problem, lifted: Array) -> Array:
    """Rows (s, u, v), s = α + β, of a factor of the positive semidefinite part of Λ, largest columns first."""
    n = problem.n
    eigenvalues, vectors = np.linalg.eigh((lifted + lifted.T) / 2)
    keep = eigenvalues > 0
    W = (vectors[:, keep] * np.sqrt(eigenvalues[keep]))[:, ::-1]
    return np.vstack([W[:n] + W[n : 2 * n], W[2 * n :]])


def _backend_options(backend: str, eps: float, budget: float | None) -> dict[str, Any]:
    if not (np.isfinite(eps) and eps > 0):
        raise LiteralError(f"eps must be a tolerance > 0. Got {eps!r} instead: the authors used 1e-4.")
    if budget is not None and not budget > 0:
        raise LiteralError(f"budget must be a number of seconds > 0, or None. Got {budget!r} instead.")
    if backend == "scs":
        return {"eps_abs": eps, "eps_rel": eps}
    if backend == "clarabel":
        # The program has no interior, so Clarabel often stalls near the solution: take the point it has.
        return {"tol_gap_abs": eps, "tol_gap_rel": eps, "tol_feas": eps, "accept_unknown": True}
    raise LiteralError(f"backend must be 'scs' or 'clarabel'. Got {backend!r} instead.")


def status_of(backend: str, status: str, *, out_of_time: bool) -> tuple[Status, str]:
    """Our status and message for CVXPY's; the SDP has a solution, so a claim to the contrary is a failure.

    Args:
        backend: `scs` or `clarabel`.
        status: CVXPY's.
        out_of_time: whether the budget is used up, which makes it `timeout`.

    Returns:
        Status and message, "" for `ok`.

    Raises:
        LiteralError: a status that CVXPY does not document.
    """
    if out_of_time:
        return Status.TIMEOUT, f"{backend} stopped at the time limit ({status})"
    match status:
        case "optimal":
            return Status.OK, ""
        case "optimal_inaccurate" | "user_limit":
            # SCS never stalls: all it calls inaccurate is where its iterations ended.
            limit = status == "user_limit" or backend == "scs"
            message = f"{backend} stopped before it reached its tolerance ({status})"
            return Status.ITERATION_LIMIT if limit else Status.STALLED, message
        case (
            "infeasible"
            | "infeasible_inaccurate"
            | "unbounded"
            | "unbounded_inaccurate"
            | "infeasible_or_unbounded"
            | "solver_error"
        ):
            return Status.FAILED, f"{backend} gave up ({status})"
    raise LiteralError(f"The status of {backend} must be one that CVXPY documents. Got {status!r} instead.")
