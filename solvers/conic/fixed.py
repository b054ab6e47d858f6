"""The best T and z for a given Θ, which is a semidefinite program in CVXPY: for small data.

With A, B, C the blocks of T over (α, β), and s, u as in reduced/dual.py, 4NᵀTN has the blocks A + B + Bᵀ + C over s,
(A − B + Bᵀ − C)X between s and u, and Xᵀ(A − B − Bᵀ + C)X over u.
"""

from __future__ import annotations

import numpy as np

from ..network import Array
from ..reduced.dual import DualPoint, quadratic_form
from ..reduced.reduction import Reduced
from .literal import run_backend


def best_multipliers(reduced: Reduced, theta: Array, budget: float | None = None) -> DualPoint | None:
    """T ≥ 0 and z that make λ_max(H) of reduced/dual.py as small as it gets for this Θ.

    Args:
        reduced: the problem, with n + d of a hundred or so at most.
        theta: Θ (2n, c).
        budget: seconds, after which the backend ends by itself.

    Returns:
        The dual point, None if the backend has none.
    """
    import cvxpy as cp

    n, d, X = reduced.n, reduced.d, reduced.X
    own = quadratic_form(reduced, DualPoint(theta, np.zeros((2 * n, 2 * n)), np.zeros(n)))
    unit = float(np.trace(own)) or 1.0
    A, C = cp.Variable((n, n), symmetric=True), cp.Variable((n, n), symmetric=True)
    B, z, top = cp.Variable((n, n)), cp.Variable(n), cp.Variable()
    across = (A - B + B.T - C) @ X / 4
    form = cp.bmat([[(A + B + B.T + C) / 4, across], [across.T, X.T @ (A - B - B.T + C) @ X / 4]])
    form += cp.bmat([[-cp.diag(z), np.zeros((n, d))], [np.zeros((d, n)), X.T @ cp.diag(z) @ X]])
    room = np.diag(np.r_[np.zeros(n), np.ones(d)])
    constraints = [top * room - own / unit - (form + form.T) / 2 >> 0, A >= 0, B >= 0, C >= 0, cp.diag(B) == 0]
    options = {} if budget is None else {"time_limit": budget}
    run_backend(cp.Problem(cp.Minimize(top), constraints), "clarabel", options)
    values = [np.asarray(variable.value, np.float64) for variable in (A, B, C, z)]  # None becomes NaN
    if not all(np.isfinite(value).all() for value in values):
        return None
    aa, ab, bb, multiplier = values
    T = unit * np.maximum(np.block([[aa, ab], [ab.T, bb]]), 0.0)
    return DualPoint(theta, (T + T.T) / 2, unit * multiplier)
