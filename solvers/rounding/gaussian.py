"""Neurons drawn from the Gaussian of the relaxation's first layer, the fittest kept: as in max-cut, then ridge."""

from __future__ import annotations

import numpy as np

from ..fit import Fit
from ..network import Network, balance
from ..problem import Problem
from ..relaxation import Relaxation
from .progress import Progress, check_arguments
from .ridge import ROUNDS, ridge

DRAWS = 10  # neurons drawn for each one kept


def round_gaussian(
    problem: Problem, relaxation: Relaxation, *, width: int, seed: int, budget: float | None = None
) -> Fit:
    """Draw u ~ N(0, Λ*_uu), ten for each neuron of the network, and let ridge regression choose among them.

    The (s, u) block of the relaxation is the covariance of a Gaussian; u is its second part, and s = |Xu| follows.
    Ridge and balance in turn (the group lasso of `refit`) shrink the neurons that are not needed; after each of ROUNDS
    rounds the lightest leave, by a constant factor, until `width` are left.

    Args:
        problem: the training data and γ.
        relaxation: its solution Λ* as a factor.
        width: neurons of the network, ≥ 1.
        seed: where the draws come from, ≥ 0.
        budget: seconds; None for no limit.

    Returns:
        The network and its training objective; status `timeout` when out of budget.

    Raises:
        RoundingError: an argument out of range, or a relaxation of another problem.
    """
    check_arguments(problem, relaxation, width, seed, budget)
    progress = Progress(problem, budget)
    rng = np.random.default_rng(seed)
    root = relaxation.factor[problem.n : problem.n + problem.d]
    U = root @ rng.standard_normal((root.shape[1], DRAWS * width)) / np.sqrt(DRAWS * width)
    for k in range(1, ROUNDS + 1):
        network = balance(problem.network(U, ridge(problem, U)))
        U = _heaviest(network, round(width * DRAWS ** (1 - k / ROUNDS))).U
        kept = _heaviest(network, width).U
        progress.add(balance(problem.network(kept, ridge(problem, kept))))
        if progress.out_of_time:
            break
    return progress.fit()


def _heaviest(network: Network, count: int) -> Network:
    """The `count` neurons of largest ‖u_j‖, which is √‖w_j‖ in a balanced network, in their order."""
    heavy = np.sort(np.argsort(-np.sum(network.U**2, axis=0), kind="stable")[:count])
    return network.only(heavy)
