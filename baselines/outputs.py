"""The best output weights for given hidden directions: a group lasso, solved by scikit-learn.

Neurons with unit directions u_k and free output rows v_k cost γ Σ‖v_k‖ once both layers are balanced, so

    min_V  ½‖HV − Y‖_F² + γ Σ_k ‖v_k‖        H = φ(XU)

is the training objective over all networks with these directions. It is convex, its solution is a network, and the
dual feasible residual tells which other direction u would help: those with ‖(Y − HV)ᵀφ(Xu)‖ > γ‖u‖.
"""

from __future__ import annotations

import warnings

import numpy as np

from ..solvers.network import Network, balance, group_lasso
from ..solvers.problem import Problem

SWEEPS = 10_000  # coordinate descent passes at most
IDLE = 1e-10  # share of the heaviest neuron's weight below which one is dropped


def fit_outputs(problem: Problem, start: Network) -> Network:
    """The best network with hidden directions among those of `start`, by coordinate descent from its output rows.

    Descent is monotone, so even where nearly parallel directions make it slow the result is no worse than `start`.

    Args:
        problem: the training data and γ.
        start: the network whose directions are kept.

    Returns:
        The network, balanced, without neurons that are next to 0.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import MultiTaskLasso

    U, rows = group_lasso(start)
    H = problem.hidden(U)
    model = MultiTaskLasso(
        alpha=problem.gamma / problem.n, fit_intercept=False, max_iter=SWEEPS, tol=1e-8, warm_start=True
    )
    model.coef_ = np.asfortranarray(rows.T)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the network is judged by its objective
        model.fit(H, problem.Y)
    return balanced(problem.network(U, model.coef_.T))


def balanced(network: Network) -> Network:
    """The same function with ‖u_k‖ = ‖v_k‖, which is cheapest, without neurons that are next to 0."""
    network = balance(network)
    weight = np.sum(network.U**2, axis=0)  # ‖u_k‖‖v_k‖
    used = weight > IDLE * np.max(weight, initial=np.finfo(np.float64).tiny)
    return (
        network.only(used) if used.any() else Network.zeros(len(network.U), 1, network.V.shape[1], network.activation)
    )
