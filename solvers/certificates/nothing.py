"""The certificate where the zero network is optimal."""

from __future__ import annotations

import numpy as np

from ..loss import LOSS
from ..problem import Problem
from .certificate import Certificate, Kind
from .quadratic import lower_bound, prove


def trivial_certificate(problem: Problem) -> Certificate:
    """For X = 0 or Y = 0, where the zero network is optimal: Θ is its slope, and the inequality holds as 0 ≤ 0.

    Args:
        problem: one with X = 0, or squares with Y = 0.

    Returns:
        The certificate.
    """
    none, empty = np.zeros(0, dtype=int), np.zeros(0)
    nobody = np.full(problem.n, -1)
    proof = {"rows": none, "rep": nobody, "coef": np.zeros(problem.n)}
    proof |= {"T_row": none, "T_column": none, "T_value": empty, "z": empty}
    loss = LOSS[problem.loss]
    theta = loss.admissible(loss.slope(np.zeros_like(problem.Y), problem.Y), problem.Y)
    return Certificate(
        Kind.DOUBLY_NONNEGATIVE,
        theta,
        proof,
        lower_bound(problem, theta, prove(theta, problem.X, proof, problem.activation)),
    )
