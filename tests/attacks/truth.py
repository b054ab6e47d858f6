"""What is true, by brute force, on problems so small that it can be had: no bound may exceed it.

The objective of any network is at least p*(∞), so `best_network` never makes an honest bound look false; and as it
starts from a convex program over dense directions, it leaves little room above p*(∞) for a false one.
"""

from __future__ import annotations

from fractions import Fraction

import cvxpy as cp
import numpy as np
from relaxbench.solvers.network import Array, Network
from relaxbench.solvers.problem import Problem
from scipy.optimize import minimize

DENSE = 720  # directions on the circle, half a degree apart


def directions(X: Array, count: int = DENSE) -> Array:
    """Unit vectors (d, k), d ≤ 2: all round the circle, along the rows and at right angles to them."""
    if X.shape[1] == 1:
        return np.array([[1.0, -1.0]])
    angles = np.linspace(0, 2 * np.pi, count, endpoint=False)
    rows = X[np.any(X != 0, axis=1)]
    own = np.arctan2(rows[:, 1], rows[:, 0])
    angles = np.concatenate([angles, *(own + turn * np.pi / 2 for turn in range(4))])
    return np.vstack([np.cos(angles), np.sin(angles)])


def highest(theta: Array, X: Array) -> float:
    """max ‖Θᵀ(Xu)₊‖ over unit u for d ≤ 2, from below: dense directions, then denser ones about the best of them."""
    U = directions(X)
    for width in (0.01, 1e-4, 1e-6):
        heights = np.linalg.norm(theta.T @ np.maximum(X @ U, 0), axis=0)
        if X.shape[1] == 1:
            return float(heights.max())
        best = U[:, np.argsort(-heights)[:8]]
        angles = (np.arctan2(best[1], best[0])[:, None] + np.linspace(-width, width, 400)).ravel()
        U = np.hstack([best, np.vstack([np.cos(angles), np.sin(angles)])])
    return float(np.linalg.norm(theta.T @ np.maximum(X @ U, 0), axis=0).max())


def group_lasso(problem: Problem) -> Network:
    """The best network whose neurons point along `directions`: a convex program over their outputs."""
    U = directions(problem.X)
    U = U[:, np.any(problem.X @ U > 0, axis=0)]
    H = np.maximum(problem.X @ U, 0)
    V = cp.Variable((U.shape[1], problem.c))
    fit = 0.5 * cp.sum_squares(H @ V - problem.Y)
    cp.Problem(cp.Minimize(fit + problem.gamma * cp.sum(cp.norm(V, axis=1)))).solve(solver="CLARABEL")
    size = np.linalg.norm(V.value, axis=1)
    kept = size > 1e-7 * max(float(size.max()), 1e-300)
    root = np.sqrt(size[kept])
    return Network(U[:, kept] * root, V.value[kept] / root[:, None])


def polished(problem: Problem, start: Network, rounds: int = 3) -> Network:
    """A network at least as good as `start`, by local search over its weights."""
    (d, m), c = start.U.shape, problem.c

    def objective(w: Array) -> tuple[float, Array]:
        U, V = w[: d * m].reshape(d, m), w[d * m :].reshape(m, c)
        H = np.maximum(problem.X @ U, 0)
        R = H @ V - problem.Y
        value = 0.5 * np.sum(R**2) + 0.5 * problem.gamma * np.sum(w**2)
        slope_U = problem.X.T @ ((R @ V.T) * (H > 0)) + problem.gamma * U
        return float(value), np.concatenate([slope_U.ravel(), (H.T @ R + problem.gamma * V).ravel()])

    w = np.concatenate([start.U.ravel(), start.V.ravel()])
    options = {"ftol": 0.0, "gtol": 1e-13, "maxiter": 2000, "maxfun": 4000}
    for _ in range(rounds):
        w = minimize(objective, w, jac=True, method="L-BFGS-B", options=options).x
    better = Network(w[: d * m].reshape(d, m), w[d * m :].reshape(m, c))
    return min(start, better, key=problem.objective)


def best_network(problem: Problem, start: Network | None = None) -> Network:
    """A network near the optimum over all widths: from dense directions for d ≤ 2, and from `start` if there is one."""
    scaled = problem.scaled
    starts = [Network(np.zeros((problem.d, 1)), np.zeros((1, problem.c)))]
    if problem.d <= 2 and problem.X.any():
        starts.append(scaled.network_back(polished(scaled.problem, group_lasso(scaled.problem))))
    if start is not None:
        starts += [start, polished(problem, start)]
    return min(starts, key=problem.objective)


def truth(problem: Problem, start: Network | None = None) -> float:
    """The objective of `best_network`: at least p*(∞), and for d ≤ 2 nearly equal to it."""
    return problem.objective(best_network(problem, start))


def truth_on_a_line(x: list[float], y: list[float], gamma: float) -> Fraction:
    """p*(∞) for one feature and one output without any rounding, whatever the sizes of these numbers.

    Rows with x > 0 and rows with x < 0 never meet: on each side min over v of ½Σ(|xᵢ|v − yᵢ)² + γ|v|.
    """
    value = sum((Fraction(b) ** 2 for b in y), Fraction(0)) / 2
    for sign in (1, -1):
        side = [(abs(Fraction(a)), Fraction(b)) for a, b in zip(x, y, strict=True) if sign * a > 0]
        gain = abs(sum((a * b for a, b in side), Fraction(0))) - Fraction(gamma)
        if gain > 0:
            value -= gain**2 / (2 * sum(a**2 for a, _ in side))
    return value
