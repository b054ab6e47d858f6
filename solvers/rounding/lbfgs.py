"""L-BFGS on the true training objective, from a network that a rounding made."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..fit import Fit
from ..network import Network, balance, descend, whitening
from ..problem import Problem
from .progress import Progress

ITERATIONS = 2000
OPTIONS = {"maxiter": ITERATIONS, "maxfun": 2 * ITERATIONS, "maxcor": 20, "ftol": 1e-10, "gtol": 1e-9}
IDLE, AWAKE = 0.1, 0.5  # shares of the root mean square norm: neurons below the first start anew, with the second


def polish(problem: Problem, network: Network, *, seed: int, budget: float | None = None) -> Fit:
    """L-BFGS from a network, in the scaled problem with whitened features.

    A neuron that is 0 would stay 0, as the gradient vanishes there, and one that is nearly 0 nearly so: these start in
    small random directions instead.

    Args:
        problem: the training data and γ.
        network: where to start.
        seed: where the small directions come from.
        budget: seconds; None for no limit.

    Returns:
        A network never worse than `network`; status `timeout` when out of budget.

    Raises:
        ProblemError: a network for other data.
    """
    progress = Progress(problem, budget)
    progress.add(network)
    scaled = problem.scaled

    def watch(met: Network, value: float) -> bool:
        progress.add(scaled.network_back(met), value * scaled.objective_unit)
        return progress.out_of_time

    start = scaled.network_scaled(_awake(balance(network), np.random.default_rng(seed)))
    P = whitening(scaled.problem.X, scaled.problem.gamma)
    descend(start, scaled.problem.objective_and_gradient, OPTIONS, coordinates=P, watch=watch)
    return progress.fit()


def _awake(network: Network, rng: np.random.Generator) -> Network:
    """The balanced network with small random weights in place of its neurons that are nearly 0."""
    norm = np.linalg.norm(network.U, axis=0)
    typical = float(np.sqrt(np.mean(norm**2))) or 1.0
    idle = norm < IDLE * typical
    U, V = network.U.copy(), network.V.copy()
    U[:, idle] = AWAKE * typical * rng.standard_normal((len(U), int(idle.sum()))) / np.sqrt(len(U))
    V[idle] = AWAKE * typical * rng.standard_normal((int(idle.sum()), V.shape[1])) / np.sqrt(V.shape[1])
    return replace(network, U=U, V=V)
