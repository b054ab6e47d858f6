"""The reduced relaxation in CVXPY, for general conic solvers: a cross-check of the interior point on small data.

Written out in the blocks of Z over (s, u, v), with S = Z_ss, M = X U Xᵀ, D = Z_su Xᵀ:
4αα = S + M + D + Dᵀ, 4ββ = S + M − D − Dᵀ, 4αβ = S − M − D + Dᵀ, and diag S = diag M says that α_i β_i = 0.
"""

from __future__ import annotations

import time
import warnings
from typing import Literal, NamedTuple

import numpy as np

from ..fit import Status
from ..network import Array
from ..reduced.dual import DualPoint
from ..reduced.reduction import Reduced
from .literal import status_of


class Solved(NamedTuple):
    """Z (q, q), the dual point (None if there is none), the value in scaled units, and how the backend ended."""

    Z: Array
    point: DualPoint | None
    value: float
    status: Status
    message: str
    iterations: int


def solve_reduced(
    reduced: Reduced, *, backend: Literal["clarabel", "scs"], eps: float = 1e-8, budget: float | None = None
) -> Solved:
    """The reduced relaxation, solved by a backend of CVXPY.

    Status `ok`, `timeout`, `stalled`, `iteration_limit` or `failed`; the backend ends by itself when `budget` seconds
    are over. Without a point, Z is zero, the dual None and the value nan.
    """
    import cvxpy as cp

    began = time.perf_counter()
    n, d, c, X = reduced.n, reduced.d, reduced.c, reduced.X
    Z = cp.Variable((n + d + c, n + d + c), PSD=True)
    S, U, V = Z[:n, :n], Z[n : n + d, n : n + d], Z[n + d :, n + d :]
    M, D = X @ U @ X.T, Z[:n, n : n + d] @ X.T
    F = cp.vstack([Z[:n, n + d :] + X @ Z[n : n + d, n + d :], Z[:n, n + d :] - X @ Z[n : n + d, n + d :]]) / 2

    upper, below = np.triu_indices(n, 1), ~np.eye(n, dtype=bool)
    diagonal = cp.diag(S) == cp.diag(M)
    αα = (S + M + D + D.T)[upper] / 4 >= 0
    ββ = (S + M - D - D.T)[upper] / 4 >= 0
    αβ = (S - M - D + D.T)[below] / 4 >= 0
    rows = reduced.loss_rows
    residual = cp.multiply(np.sqrt(reduced.weight[rows])[:, None], F[rows] - reduced.target[rows])
    objective = cp.sum_squares(residual) / 2 + reduced.gamma / 2 * (cp.trace(U) + cp.trace(V))
    program = cp.Problem(cp.Minimize(objective), [diagonal, αα, ββ, αβ])

    options = {"eps_abs": eps, "eps_rel": eps, "max_iters": 10**6} if backend == "scs" else {}
    program.get_problem_data(backend.upper())  # compiles; the result stays in CVXPY's cache
    if budget is not None:
        left = max(budget - (time.perf_counter() - began), 1e-3)
        options["time_limit_secs" if backend == "scs" else "time_limit"] = left
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Solution may be inaccurate")
            program.solve(solver=backend.upper(), **options)
        claimed = str(program.status)
    except cp.error.SolverError:  # raised by CVXPY in place of the status of this name
        claimed = cp.SOLVER_ERROR
    out_of_time = budget is not None and time.perf_counter() - began >= budget
    status, message = status_of(backend, claimed, out_of_time=out_of_time)
    if status == Status.FAILED or Z.value is None or not np.all(np.isfinite(Z.value)):
        message = message or f"{backend} has no finite solution ({claimed})"
        status = Status.TIMEOUT if out_of_time else Status.FAILED
        return Solved(np.zeros(Z.shape), None, float("nan"), status, message, 0)

    theta = np.zeros_like(reduced.target)
    theta[rows] = reduced.weight[rows, None] * (reduced.target[rows] - F.value[rows])
    T = np.zeros((2 * n, 2 * n))
    T[:n, :n][upper], T[n:, n:][upper], T[:n, n:][below] = αα.dual_value, ββ.dual_value, αβ.dual_value
    T = reduced.gamma * np.maximum(T + T.T, 0.0)
    # CVXPY adds ζᵀ(diag S − diag M); objective and multipliers count half of the form in dual.py.
    z = 2 * reduced.gamma * np.asarray(diagonal.dual_value).ravel()  # (1, 1) if there is one row
    point = DualPoint(theta, T, z)
    iterations = int(program.solver_stats.num_iters or 0)
    value = float(program.value) + reduced.constant
    return Solved((Z.value + Z.value.T) / 2, point, value, status, message, iterations)
