"""Methods with faults that the environment variable PLANTED_FAULT switches on, for the tests of the comparisons."""

from __future__ import annotations

import os
import time

import numpy as np
from relaxbench.solvers.certificates.certificate import Certificate
from relaxbench.solvers.fit import Fit, Statistics
from relaxbench.solvers.network import Network
from relaxbench.solvers.problem import Problem


def fault(name: str) -> bool:
    return name in os.environ.get("PLANTED_FAULT", "").split()


def best(problem: Problem) -> Network:
    """A network that is the same every time: a fixed first layer with the best second one."""
    U = 0.3 * np.random.default_rng(0).standard_normal((problem.d, 6))
    H = np.maximum(problem.X @ U, 0)
    return Network(U, np.linalg.solve(H.T @ H + problem.gamma * np.eye(6), H.T @ problem.Y))


def bounding(problem: Problem, *, budget: float) -> Fit:
    """Claims a bound: what Θ = Y/1000 proves by the triangle inequality, or if invalid more than any network allows."""
    theta, none, empty = 1e-3 * problem.Y, np.zeros(0, dtype=int), np.zeros(0)
    proof = {"rows": none, "rep": np.full(problem.n, -1), "coef": np.zeros(problem.n), "z": empty}
    proof |= {"T_row": none, "T_column": none, "T_value": empty}
    t = min(1.0, problem.gamma / np.sum(np.linalg.norm(theta, axis=1) * np.linalg.norm(problem.X, axis=1)))
    lower = t * np.sum(theta * problem.Y) - 0.5 * t**2 * np.sum(theta**2)
    claimed = 1.001 * problem.objective(best(problem)) if fault("invalid") else lower
    certificate = Certificate("doubly nonnegative", theta, proof, claimed)
    return Fit(
        lambda X: np.zeros((len(X), problem.c)), certificate=certificate, value=claimed, stats=Statistics(iterations=10)
    )


def rounding(problem: Problem, *, budget: float) -> Fit:
    """The best network, or one 2 % worse; 100 iterations, or 130."""
    if fault("crash"):
        raise RuntimeError("planted")
    network = best(problem)
    if fault("worse"):
        value, scale = problem.objective(network), 1.0
        while problem.objective(Network(network.U * scale, network.V)) < 1.02 * value:
            scale *= 1.001
        network = Network(network.U * scale, network.V)
    return Fit(network.predict, network, stats=Statistics(iterations=130 if fault("steps") else 100))


def timed(problem: Problem, *, seed: int, budget: float) -> Fit:
    """Takes 30 ms, or 1.3 times as long."""
    time.sleep(0.030 * (1.3 if fault("slow") else 1.0))
    return Fit(lambda X: np.zeros((len(X), problem.c)))
