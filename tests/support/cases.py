"""Problems whose optimum is known, awkward ones, and what the tests of the solvers measure for themselves."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from relaxbench.solvers.network import Array, Network
from relaxbench.solvers.problem import Problem
from scipy.optimize import minimize


@dataclass(frozen=True)
class Planted:
    """A problem, p*(∞) in closed form, and a network that attains it."""

    problem: Problem
    optimum: float
    network: Network


def _planted(X: Array, Y: Array, gamma: float, directions: Array, outputs: Array, sizes: Array) -> Planted:
    """Atoms: unit directions (d, k) with unit outputs (k, c) and sizes ‖u‖‖v‖ (k,); the optimum is their objective."""
    network = Network(directions * np.sqrt(sizes), outputs * np.sqrt(sizes)[:, None])
    fit = np.maximum(X @ directions, 0) @ (sizes[:, None] * outputs)
    optimum = 0.5 * float(np.sum((fit - Y) ** 2)) + gamma * float(np.sum(sizes))
    return Planted(Problem(X, Y, gamma), optimum, network)


def one_row(x: list[float], y: list[float], gamma: float) -> Planted:
    """One neuron along x with output along y: min over s ≥ 0 of ½(‖x‖s − ‖y‖)² + γs."""
    X, Y = np.array([x]), np.array([y])
    size, pull = np.linalg.norm(X), np.linalg.norm(Y)
    s = max(0.0, (pull - gamma / size) / size)
    return _planted(X, Y, gamma, X.T / size, Y / pull, np.array([s]))


def one_feature(x: Array, Y: Array, gamma: float) -> Planted:
    """d = 1: rows with x > 0 and rows with x < 0 never meet; each side is one_row in the direction of its Σ xᵢyᵢ."""
    outputs, sizes = [], []
    for sign in (1.0, -1.0):
        side = np.maximum(sign * x, 0.0)
        pull = side @ Y
        norm = float(np.linalg.norm(pull))
        outputs.append(pull / norm if norm else pull)
        sizes.append(max(0.0, (norm - gamma) / max(float(side @ side), 1e-300)))
    return _planted(x[:, None], Y, gamma, np.array([[1.0, -1.0]]), np.array(outputs), np.array(sizes))


def separable(X: Array, Y: Array, gamma: float) -> Planted:
    """Orthogonal rows x_i, and ⟨y_i, y_j⟩ ≤ 0 for i ≠ j: the sum of one_row over the rows.

    One neuron a row attains it, and ‖Θᵀ(Xu)₊‖² ≤ Σ ‖θ_i‖² (x_i·u)₊² ≤ γ²‖u‖², since mixed terms are not positive.
    """
    size, pull = np.linalg.norm(X, axis=1), np.linalg.norm(Y, axis=1)
    s = np.maximum(0.0, (pull - gamma / size) / size)
    return _planted(X, Y, gamma, (X / size[:, None]).T, Y / pull[:, None], s)


def quarter_turns(seed: int, n: int = 3) -> Planted:
    """d = 2, c = 2: 4n rows that a quarter turn permutes, with a Θ that turns along, so that four atoms are active.

    γ is the maximum of ‖Θᵀ(Xu)₊‖ on the circle, atoms sit where it is attained, and Y = fit + Θ.
    """
    rng = np.random.default_rng(seed)
    turn = np.array([[0.0, -1.0], [1.0, 0.0]])
    turns = [np.linalg.matrix_power(turn, k) for k in range(4)]
    rows, values = rng.standard_normal((n, 2)), rng.standard_normal((n, 2))
    X, theta = np.vstack([rows @ T.T for T in turns]), np.vstack([values @ T.T for T in turns])
    gamma, u = circle_maximum(theta, X)
    directions = np.column_stack([T @ u for T in turns])
    hidden = np.maximum(X @ directions, 0)
    outputs, sizes = (theta.T @ hidden).T / gamma, rng.uniform(0.2, 1.0, 4)
    Y = hidden @ (sizes[:, None] * outputs) + theta
    return _planted(X, Y, gamma, directions, outputs, sizes)


def circle_maximum(theta: Array, X: Array) -> tuple[float, Array]:
    """(max, argmax) of ‖Θᵀ(Xu)₊‖ over ‖u‖ = 1 for d ≤ 2, exact: on each arc it is a quadratic form in u."""
    if X.shape[1] == 1:
        candidates = np.array([[1.0, -1.0]])
    else:
        live = np.any(X != 0, axis=1)
        X, theta = X[live], theta[live]
        angle = np.arctan2(X[:, 1], X[:, 0])
        ends = np.sort(np.mod(np.r_[angle + np.pi / 2, angle - np.pi / 2, 0.0], 2 * np.pi))
        middles = (ends + np.r_[ends[1:], ends[0] + 2 * np.pi]) / 2
        angles = [ends]
        for middle in middles:
            h = X.T @ ((X @ [np.cos(middle), np.sin(middle)] > 0)[:, None] * theta)
            vector = np.linalg.eigh(h @ h.T)[1][:, -1]
            top = np.arctan2(vector[1], vector[0])
            angles.append(np.array([top, top + np.pi]))
        candidates = np.vstack([np.cos(np.concatenate(angles)), np.sin(np.concatenate(angles))])
    heights = np.linalg.norm(theta.T @ np.maximum(X @ candidates, 0), axis=0)
    return float(heights.max()), candidates[:, heights.argmax()]


def sampled_maximum(theta: Array, X: Array, rng: np.random.Generator, count: int = 3000) -> float:
    """The largest ‖Θᵀ(Xu)₊‖ over the rows, their negatives and random unit u, the best few of them climbing."""
    U = np.hstack([X.T, -X.T, rng.standard_normal((X.shape[1], count))])
    U = U[:, np.any(U != 0, axis=0)]
    U /= np.linalg.norm(U, axis=0)
    heights = np.linalg.norm(theta.T @ np.maximum(X @ U, 0), axis=0)
    best = float(heights.max())
    U = U[:, np.argsort(-heights)[:20]]
    for _ in range(50):  # u ← gradient: a step to the maximum of the quadratic form of u's own cone
        H = np.maximum(X @ U, 0)
        G = X.T @ ((H > 0) * (theta @ (theta.T @ H)))
        norm = np.linalg.norm(G, axis=0)
        U = np.where(norm > 0, G / np.where(norm > 0, norm, 1.0), U)
        best = max(best, float(np.linalg.norm(theta.T @ np.maximum(X @ U, 0), axis=0).max()))
    return best


def train(problem: Problem, width: int, starts: int, seed: int) -> Network:
    """The best network that L-BFGS finds from several random starts."""
    rng, (d, c) = np.random.default_rng(seed), (problem.d, problem.c)
    scaled = problem.scaled
    X, Y, gamma, φ = scaled.problem.X, scaled.problem.Y, scaled.problem.gamma, problem.activation

    def objective(w: Array) -> tuple[float, Array]:
        U, V = w[: d * width].reshape(d, width), w[d * width :].reshape(width, c)
        Z = X @ U
        H = φ.a * np.maximum(Z, 0) + φ.b * np.maximum(-Z, 0)
        R = H @ V - Y
        gradient_U = X.T @ ((R @ V.T) * np.where(Z > 0, φ.a, -φ.b)) + gamma * U
        value = 0.5 * np.sum(R**2) + 0.5 * gamma * np.sum(w**2)
        return float(value), np.concatenate([gradient_U.ravel(), (H.T @ R + gamma * V).ravel()])

    runs = [
        minimize(objective, rng.standard_normal((d + c) * width), jac=True, method="L-BFGS-B") for _ in range(starts)
    ]
    w = min(runs, key=lambda run: float(run.fun)).x
    return scaled.network_back(problem.network(w[: d * width].reshape(d, width), w[d * width :].reshape(width, c)))


def teacher(seed: int, n: int = 25, d: int = 2, c: int = 5, gamma: float = 0.1) -> Problem:
    """The paper's synthetic data: Y = (XU)₊V with 100 neurons, all standard normal."""
    rng = np.random.default_rng(seed)
    X, U, V = rng.standard_normal((n, d)), rng.standard_normal((d, 100)), rng.standard_normal((100, c))
    return Problem(X, np.maximum(X @ U, 0) @ V, gamma)


def noise(seed: int, n: int, d: int, c: int, gamma: float = 0.1) -> Problem:
    """X and Y standard normal."""
    rng = np.random.default_rng(seed)
    return Problem(rng.standard_normal((n, d)), rng.standard_normal((n, c)), gamma)


@cache
def tight() -> dict[str, Planted]:
    """Problems with known p*(∞) on which the relaxation is exact: a bound that is too large by 1e-9 shows."""
    rng = np.random.default_rng(5)
    x, Y = rng.standard_normal(7), rng.standard_normal((7, 3))
    apart = np.array([[1.0, 0.4, 0.0], [-0.8, 1.0, 0.2], [-0.1, -0.9, 1.0]])  # ⟨y_i, y_j⟩ ≤ 0
    three, six = (np.linalg.qr(rng.standard_normal((d, d)))[0][:3] for d in (3, 6))
    return {
        "one row": one_row([1.0, 2.0, -0.5], [0.7, -1.1], 0.3),
        "one number": one_row([-2.0], [3.0], 0.1),
        "one row, all penalty": one_row([1.0, 2.0, -0.5], [0.7, -1.1], 4.0),
        "one row in six features": one_row([1.0, 2.0, -0.5, 0.1, 3.0, -1.0], [0.7], 1e-3),
        "one feature": one_feature(x, Y, 0.5),
        "one feature, one side": one_feature(np.abs(x), Y[:, :1], 0.1),
        "orthogonal rows": separable(three * [[0.8], [1.2], [2.0]], apart, 0.2),
        "orthogonal rows in six features": separable(six * [[0.5], [1.0], [3.0]], apart, 0.01),
    }


@cache
def awkward() -> dict[str, Problem]:
    """Small data on which something is degenerate; some network of few neurons comes near the optimum of each."""
    rng = np.random.default_rng(8)
    X, Y = rng.standard_normal((6, 2)), rng.standard_normal((6, 2))
    return {
        "one number": Problem([[-2.0]], [[3.0]], 0.1),
        "one row": Problem(X[:1], Y[:1], 0.1),
        "one feature": Problem(X[:, :1], Y, 0.1),
        "scalar output": Problem(X, Y[:, :1], 0.01),
        "opposite duplicates": Problem(np.vstack([X[:3], X[:3]]), np.vstack([Y[:3], -Y[:3]]), 0.1),
        "parallel and zero rows": Problem(
            np.vstack([X[:3], -2 * X[:2], 0.5 * X[:1], 0 * X[:2]]), np.vstack([Y, Y[:2]]), 0.1
        ),
        "all rows parallel": Problem(np.outer(X[:, 0], [1.0, -2.0, 0.5]), Y, 0.1),
        "fewer rows than features": Problem(rng.standard_normal((2, 4)), Y[:2], 0.1),
        "constant column": Problem(np.column_stack([X, np.ones(6)]), Y, 0.1),
        "nothing to fit": Problem(X, 0 * Y, 0.1),
        "no data": Problem(0 * X, Y, 0.1),
        "tiny gamma": Problem(X, Y, 1e-6),
        "huge gamma": Problem(X, Y, 1e3),
        "tiny units": Problem(1e-6 * X, 1e-6 * Y, 1e-13),
        "huge units": Problem(1e6 * X, 1e6 * Y, 1e11),
    }


def literal_factor(problem: Problem, factor: Array) -> Array:
    """Rows (α, β, u, v) of a factor W (2n+d+c, r) of the paper's Λ = W Wᵀ from the rows (s, u, v) of `factor`."""
    n, d = problem.n, problem.d
    s, u, v = factor[:n], factor[n : n + d], factor[n + d :]
    Xu = problem.X @ u
    return np.vstack([(s + Xu) / 2, (s - Xu) / 2, u, v])
