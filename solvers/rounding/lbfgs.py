"""L-BFGS on the true training objective, from a network that a rounding made."""

from __future__ import annotations

import numpy as np
from scipy.optimize import OptimizeResult, minimize

from ..problem import Array, Fit, Network, Problem
from .progress import Progress
from .ridge import balance

ITERATIONS = 2000
RIDGE = 1e-6  # least shift in whitening; the mean variance of a feature is 1/d
IDLE, AWAKE = 0.1, 0.5  # shares of the root mean square norm: neurons below the first start anew, with the second


def polish(problem: Problem, network: Network, *, seed: int, budget: float | None = None) -> Fit:
    """L-BFGS from `network`, in the scaled problem with whitened features; the result is never worse than `network`.

    A neuron that is 0 would stay 0, as the gradient vanishes there, and one that is nearly 0 nearly so: these start in
    small random directions instead.
    """
    progress = Progress(problem, budget)
    progress.add(network)
    scaled = problem.scaled
    d, m = problem.d, network.width
    P = _whitening(scaled.problem)

    def unpack(x: Array) -> Network:
        return Network(P @ x[: d * m].reshape(d, m), x[d * m :].reshape(m, problem.c))

    def function(x: Array) -> tuple[float, Array]:
        value, by = objective_and_gradient(scaled.problem, unpack(x))
        return value, np.concatenate([(P @ by.U).ravel(), by.V.ravel()])

    def callback(intermediate_result: OptimizeResult) -> None:
        network = scaled.network_back(unpack(intermediate_result.x))
        progress.add(network, float(intermediate_result.fun) * scaled.objective_unit)
        if progress.out_of_time:
            raise StopIteration

    start = _awake(balance(network), np.random.default_rng(seed))
    x0 = np.concatenate([np.linalg.solve(P, start.U).ravel(), start.V.ravel()]) * np.sqrt(scaled.sigma / scaled.kappa)
    options = {"maxiter": ITERATIONS, "maxfun": 2 * ITERATIONS, "maxcor": 20, "ftol": 1e-10, "gtol": 1e-9}
    minimize(function, x0, jac=True, method="L-BFGS-B", callback=callback, options=options)
    return progress.fit()


def _whitening(problem: Problem) -> Array:
    """(XᵀX/n + γI)^(−½) (d, d): in these coordinates features of different spread are equally far from their optimum.

    The shift is γ because the penalty bounds the curvature from below.
    """
    variance, Q = np.linalg.eigh(problem.X.T @ problem.X / problem.n)
    shift = max(problem.gamma, RIDGE)
    return (Q / np.sqrt(np.maximum(variance, 0.0) + shift)) @ Q.T


def objective_and_gradient(problem: Problem, network: Network) -> tuple[float, Network]:
    """The training objective and its derivatives by U and V, in a Network; at (Xu)_i = 0 the one-sided one with 0."""
    pre = problem.X @ network.U
    H = np.maximum(pre, 0.0)
    residual = H @ network.V - problem.Y
    value = 0.5 * np.sum(residual**2) + 0.5 * problem.gamma * (np.sum(network.U**2) + np.sum(network.V**2))
    by_U = problem.X.T @ ((residual @ network.V.T) * (pre > 0)) + problem.gamma * network.U
    by_V = H.T @ residual + problem.gamma * network.V
    return float(value), Network(by_U, by_V)


def _awake(network: Network, rng: np.random.Generator) -> Network:
    """The balanced network with small random weights in place of its neurons that are nearly 0."""
    norm = np.linalg.norm(network.U, axis=0)
    typical = float(np.sqrt(np.mean(norm**2))) or 1.0
    idle = norm < IDLE * typical
    U, V = network.U.copy(), network.V.copy()
    U[:, idle] = AWAKE * typical * rng.standard_normal((len(U), int(idle.sum()))) / np.sqrt(len(U))
    V[idle] = AWAKE * typical * rng.standard_normal((int(idle.sum()), V.shape[1])) / np.sqrt(V.shape[1])
    return Network(U, V)
