"""The reduced relaxation in CVXPY, for general conic solvers: a cross-check of the interior point on small data.

Written out in the blocks of Z over (s, u, v), with S = Z_ss, M = X U Xᵀ, D = Z_su Xᵀ:
4αα = S + M + D + Dᵀ, 4ββ = S + M − D − Dᵀ, 4αβ = S − M − D + Dᵀ, and diag S = diag M says that α_i β_i = 0.
"""

from __future__ import annotations

import time
from typing import Any, Literal, NamedTuple

import numpy as np

from ..fit import Status
from ..network import Array
from ..reduced.dual import DualPoint
from ..reduced.reduction import Reduced
from .literal import run_backend, status_of


class Solved(NamedTuple):
    """Z (q, q), the dual point (None if there is none), the value in scaled units, and how the backend ended."""

    Z: Array
    point: DualPoint | None
    value: float
    status: Status
    message: str
    iterations: int


class ReducedSDP(NamedTuple):
    """CVXPY's program and what is read back: Z, F on the loss rows, the constraints diag S = diag M, αα, ββ, αβ."""

    program: Any
    Z: Any
    F: Any
    diagonal: Any
    αα: Any
    ββ: Any
    αβ: Any


def solve_reduced(
    reduced: Reduced, *, backend: Literal["clarabel", "scs"], eps: float = 1e-8, budget: float | None = None
) -> Solved:
    """The reduced relaxation, solved by a backend of CVXPY.

    Args:
        reduced: the problem.
        backend: `clarabel`, or `scs`.
        eps: absolute and relative tolerance of SCS.
        budget: seconds, after which the backend ends by itself.

    Returns:
        What it found, with status `ok`, `timeout`, `stalled`, `iteration_limit` or `failed`; without a point, Z is
        zero, the dual None and the value nan.
    """
    began = time.perf_counter()
    it = reduced_sdp(reduced)
    options: dict[str, Any] = {"eps_abs": eps, "eps_rel": eps, "max_iters": 10**6} if backend == "scs" else {}
    it.program.get_problem_data(backend.upper())  # compiles; the result stays in CVXPY's cache
    if budget is not None:
        left = max(budget - (time.perf_counter() - began), 1e-3)
        options["time_limit_secs" if backend == "scs" else "time_limit"] = left
    claimed = run_backend(it.program, backend, options)
    out_of_time = budget is not None and time.perf_counter() - began >= budget
    status, message = status_of(backend, claimed, out_of_time=out_of_time)
    Z = it.Z.value
    if status == Status.FAILED or Z is None or not np.all(np.isfinite(Z)):
        message = message or f"{backend} has no finite solution ({claimed})"
        status = Status.TIMEOUT if out_of_time else Status.FAILED
        return Solved(np.zeros(it.Z.shape), None, float("nan"), status, message, 0)
    iterations = int(it.program.solver_stats.num_iters or 0)
    value = float(it.program.value) + reduced.constant
    return Solved((Z + Z.T) / 2, reduced_dual(reduced, it), value, status, message, iterations)


def reduced_sdp(reduced: Reduced) -> ReducedSDP:
    """The program of the module's docstring.

    Args:
        reduced: the problem.

    Returns:
        The program, unsolved; its objective is in scaled units and lacks `reduced.constant`.
    """
    import cvxpy as cp

    n, d, c, X = reduced.n, reduced.d, reduced.c, reduced.X
    Z = cp.Variable((n + d + c, n + d + c), PSD=True, name="Z")
    S, U, V = Z[:n, :n], Z[n : n + d, n : n + d], Z[n + d :, n + d :]
    M, D = X @ U @ X.T, Z[:n, n : n + d] @ X.T
    F = cp.vstack([Z[:n, n + d :] + X @ Z[n : n + d, n + d :], Z[:n, n + d :] - X @ Z[n : n + d, n + d :]]) / 2

    upper, below = _triangles(n)
    diagonal = cp.diag(S) == cp.diag(M)
    αα = (S + M + D + D.T)[upper] / 4 >= 0
    ββ = (S + M - D - D.T)[upper] / 4 >= 0
    αβ = (S - M - D + D.T)[below] / 4 >= 0
    F, rows = reduced.mixed(F), reduced.loss_rows
    residual = cp.multiply(np.sqrt(reduced.weight[rows])[:, None], F[rows] - reduced.target[rows])
    objective = cp.sum_squares(residual) / 2 + reduced.gamma / 2 * (cp.trace(U) + cp.trace(V))
    return ReducedSDP(cp.Problem(cp.Minimize(objective), [diagonal, αα, ββ, αβ]), Z, F, diagonal, αα, ββ, αβ)


def reduced_dual(reduced: Reduced, it: ReducedSDP) -> DualPoint:
    """The dual point of a solved program.

    CVXPY adds ζᵀ(diag S − diag M); objective and multipliers count half of the form in reduced/dual.py.

    Args:
        reduced: the problem.
        it: its program, solved by any solver of CVXPY's.

    Returns:
        The dual point.
    """
    n, rows = reduced.n, reduced.loss_rows
    upper, below = _triangles(n)
    theta = np.zeros_like(reduced.target)
    theta[rows] = reduced.weight[rows, None] * (reduced.target[rows] - it.F.value[rows])
    T = np.zeros((2 * n, 2 * n))
    T[:n, :n][upper], T[n:, n:][upper], T[:n, n:][below] = it.αα.dual_value, it.ββ.dual_value, it.αβ.dual_value
    z = 2 * reduced.gamma * np.asarray(it.diagonal.dual_value).ravel()  # (1, 1) if there is one row
    return DualPoint(theta, reduced.gamma * np.maximum(T + T.T, 0.0), z)


def _triangles(n: int) -> tuple[tuple[np.ndarray, np.ndarray], np.ndarray]:
    """Where αα and ββ have a constraint: above the diagonal; and where αβ has one: off it."""
    return np.triu_indices(n, 1), ~np.eye(n, dtype=bool)
