"""Random starting weights, and a bound on the curvature of the objective there."""

from __future__ import annotations

import numpy as np

from ..solvers.loss import LOSS
from ..solvers.network import Network, whitener
from ..solvers.problem import Problem

RANK = 1e-9  # share of the largest singular value below which the rows of X do not reach


def random_network(problem: Problem, width: int, rng: np.random.Generator) -> Network:
    """Gaussian weights for a problem at ‖X‖_F² = n: both layers balanced, outputs of mean square 1/2.

    Neurons have E‖u_j‖² = E‖v_j‖² = r² with r⁴ = cd/m (‖u_j‖ = ‖v_j‖ holds at every stationary point). A row of norm 1
    then has outputs of variance m·(r²/d)/2·(r²/c) = 1/2.

    Args:
        problem: gives d and c.
        width: neurons m.
        rng: where the random numbers come from.

    Returns:
        The network of m neurons.
    """
    d, c = problem.d, problem.c
    r = (c * d / width) ** 0.25
    return problem.network(
        rng.normal(size=(d, width)) * (r / np.sqrt(d)), rng.normal(size=(width, c)) * (r / np.sqrt(c))
    )


def spread_network(problem: Problem, width: int, rng: np.random.Generator) -> Network:
    """Balanced weights of the same size whose neurons' preactivations Xu_j are isotropic in the column space of X.

    On raw data most Gaussian neurons are on for all rows or off for all; the hyperplanes of these cut through the rows.

    Args:
        problem: gives X and c.
        width: neurons m.
        rng: where the random numbers come from.

    Returns:
        The network of m neurons; for X = 0 that of `random_network`.
    """
    spread = whitener(problem.X, RANK)
    if not spread.shape[1]:
        return random_network(problem, width, rng)
    U = spread @ rng.normal(size=(spread.shape[1], width))
    V = rng.normal(size=(width, problem.c))
    U, V = U / np.linalg.norm(U, axis=0), V / np.linalg.norm(V, axis=1, keepdims=True)
    size = np.sqrt(2 * np.mean(problem.network(U, V).predict(problem.X) ** 2))
    r = 1.0 / np.sqrt(size) if size > 0 else 1.0
    return problem.network(U * r, V * r)


def curvature_bound(problem: Problem, network: Network) -> float:
    """An upper bound on the largest eigenvalue of the objective's Hessian at a network (d·m + m·c variables).

    With H = (XU)₊ and R the gradient of the loss by the outputs, where its curvature is at most 1, the Hessian is at
    most JᵀJ + (second derivatives of the network, weighted by R) + γI, where ‖J‖² ≤ ‖H‖² + ‖X‖²‖V‖² (spectral norms;
    the ReLU's 0/1 mask only shrinks) and the middle term is at most ‖X‖‖R‖_F.

    Args:
        problem: the training data and γ.
        network: where the Hessian is taken.

    Returns:
        The bound.
    """
    H = problem.hidden(network.U)
    residual = np.linalg.norm(LOSS[problem.loss].slope(H @ network.V, problem.Y))
    H_norm, X_norm, V_norm = (np.linalg.norm(A, 2) for A in (H, problem.X, network.V))
    return float(H_norm**2 + (X_norm * V_norm) ** 2 + X_norm * residual + problem.gamma)
