"""Random starting weights, the objective with its gradient, and a bound on its curvature."""

from __future__ import annotations

import numpy as np

from ..solvers.problem import Array, Network, Problem


def random_network(problem: Problem, width: int, rng: np.random.Generator) -> Network:
    """Gaussian weights for a problem at ‖X‖_F² = n: both layers balanced, outputs of mean square 1/2.

    Neurons have E‖u_j‖² = E‖v_j‖² = r² with r⁴ = cd/m (‖u_j‖ = ‖v_j‖ holds at every stationary point). A row of
    norm 1 then has outputs of variance m·(r²/d)/2·(r²/c) = 1/2.
    """
    d, c = problem.d, problem.c
    r = (c * d / width) ** 0.25
    return Network(rng.normal(size=(d, width)) * (r / np.sqrt(d)), rng.normal(size=(width, c)) * (r / np.sqrt(c)))


def spread_network(problem: Problem, width: int, rng: np.random.Generator) -> Network:
    """Balanced weights of the same size whose neurons' preactivations Xu_j are isotropic in the column space of X.

    On raw data most Gaussian neurons are on for all rows or off for all; the hyperplanes of these cut through the rows.
    """
    _, sigma, Bt = np.linalg.svd(problem.X, full_matrices=False)
    solid = sigma > 1e-9 * sigma[0]
    if not solid.any():
        return random_network(problem, width, rng)
    U = Bt[solid].T @ (rng.normal(size=(int(solid.sum()), width)) / sigma[solid, None])
    V = rng.normal(size=(width, problem.c))
    U, V = U / np.linalg.norm(U, axis=0), V / np.linalg.norm(V, axis=1, keepdims=True)
    size = np.sqrt(2 * np.mean((np.maximum(problem.X @ U, 0.0) @ V) ** 2))
    r = 1.0 / np.sqrt(size) if size > 0 else 1.0
    return Network(U * r, V * r)


def objective_and_gradient(problem: Problem, network: Network) -> tuple[float, Array, Array]:
    """The training objective and its gradients in U (d, m) and V (m, c); the ReLU's slope at 0 is 0."""
    X, gamma, U, V = problem.X, problem.gamma, network.U, network.V
    H = np.maximum(X @ U, 0.0)
    R = H @ V - problem.Y
    value = 0.5 * np.sum(R**2) + 0.5 * gamma * (np.sum(U**2) + np.sum(V**2))
    return float(value), X.T @ ((R @ V.T) * (H > 0)) + gamma * U, H.T @ R + gamma * V


def curvature_bound(problem: Problem, network: Network) -> float:
    """An upper bound on the largest eigenvalue of the objective's Hessian at a network (d·m + m·c variables).

    With H = (XU)₊ and residual R the Hessian is JᵀJ + (second derivatives of the network, weighted by R) + γI, where
    ‖J‖² ≤ ‖H‖² + ‖X‖²‖V‖² (spectral norms; the ReLU's 0/1 mask only shrinks) and the middle term is at most ‖X‖‖R‖_F.
    """
    H = np.maximum(problem.X @ network.U, 0.0)
    residual = np.linalg.norm(H @ network.V - problem.Y)
    H_norm, X_norm, V_norm = (np.linalg.norm(A, 2) for A in (H, problem.X, network.V))
    return float(H_norm**2 + (X_norm * V_norm) ** 2 + X_norm * residual + problem.gamma)
