"""The best output layer for given neurons, and that in turn with the balance of the two layers."""

from __future__ import annotations

import numpy as np

from ..fit import Fit
from ..logistic import fit_ridge
from ..network import Array, Network, balance
from ..problem import Problem
from .progress import Progress

ROUNDS = 100  # of reweighting; the objective falls in each, by less and less


def ridge(problem: Problem, U: Array) -> Array:
    """argmin_V ½‖HV − Y‖_F² + γ/2 ‖V‖_F² with H = φ(XU) (n, m).

    For the logistic loss it has that loss in place of the first term. Ridge regression is
    V = (HᵀH + γI)⁻¹HᵀY = Hᵀ(HHᵀ + γI)⁻¹Y, through the eigenvalues of the smaller of the two matrices,
    so that no γ > 0 is too small for the data's units.

    Args:
        problem: the training data and γ.
        U: input weights (d, m).

    Returns:
        V (m, c), float64.
    """
    H = problem.hidden(U)
    if problem.loss == "logistic":
        return fit_ridge(H, problem.Y, problem.gamma).V
    n, m = H.shape
    if m <= n:
        return _shifted_solve(H.T @ H, problem.gamma, H.T @ problem.Y)
    return H.T @ _shifted_solve(H @ H.T, problem.gamma, problem.Y)


def refit(problem: Problem, network: Network, *, seed: int, budget: float | None = None) -> Fit:
    """Ridge for V and balance, in turn: with the directions of the neurons fixed, no step can raise the objective.

    This is reweighted least squares for the group lasso ½‖Σ_j (Xû_j)₊w_jᵀ − Y‖_F² + γ Σ_j ‖w_j‖, which is what the
    training problem becomes for given directions û_j.

    Args:
        problem: the training data and γ.
        network: where to start.
        seed: not used: nothing is drawn.
        budget: seconds; None for no limit.

    Returns:
        The network of least training objective; status `timeout` when out of budget.

    Raises:
        ProblemError: a network for other data.
    """
    progress = Progress(problem, budget)
    progress.add(network)
    for _ in range(ROUNDS):
        network = balance(problem.network(network.U, ridge(problem, network.U)))
        progress.add(network)
        if progress.out_of_time:
            break
    return progress.fit()


def _shifted_solve(G: Array, gamma: float, B: Array) -> Array:
    """(G + γI)⁻¹B for symmetric positive semidefinite G; rounding below 0 counts as 0."""
    eigenvalues, Q = np.linalg.eigh(G)
    return Q @ ((Q.T @ B) / (np.maximum(eigenvalues, 0.0) + gamma)[:, None])
