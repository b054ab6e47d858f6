"""The simplest rounding: the columns of a factor of Λ*, made feasible once."""

from __future__ import annotations

import numpy as np

from ..fit import Fit
from ..problem import Problem
from ..relaxation import Relaxation
from .coordinates import KernelBasis, complementary
from .progress import Progress, check_arguments


def round_factor(
    problem: Problem, relaxation: Relaxation, *, width: int, seed: int, budget: float | None = None
) -> Fit:
    """Spread Λ* over `width` columns, clip each to complementary (α, β), and take the nearest consistent u and v.

    The factor is the eigenvector one times a random orthonormal Q, so that all columns matter.

    Args:
        problem: the training data and γ.
        relaxation: its solution Λ* as a factor.
        width: neurons of the network, ≥ 1.
        seed: where Q comes from, ≥ 0.
        budget: seconds; None for no limit.

    Returns:
        The network and its training objective.

    Raises:
        RoundingError: an argument out of range, or a relaxation of another problem.
    """
    check_arguments(problem, relaxation, width, seed, budget)
    progress = Progress(problem, budget)
    basis = KernelBasis.of(problem)
    factor = basis.eigenfactor(problem, relaxation.factor)[:, :width]
    σ, τ, u, v = basis.lift(basis.spread(factor, width, np.random.default_rng(seed)))
    progress.add(basis.network(basis.coordinates(*complementary(σ, τ), u, v)))
    return progress.fit()
