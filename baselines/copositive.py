"""Frank–Wolfe on the copositive view of the problem, after Sahiner et al. (ICLR 2021, arXiv 2012.13329).

With several outputs the convex program over all activation patterns D_k has one matrix W_k for each, in the convex
hull of the products uvᵀ with u in the pattern's cone C_k and ‖u‖ = ‖v‖ = 1, times the weight that γ charges. Its linear
oracle is, for the residual Θ = Y − f(X), the cone-constrained principal component

    max_k  max_{u ∈ C_k, ‖u‖ ≤ 1}  ‖ΘᵀD_kXu‖                                                                (oracle)

which maximises a copositive form and is hard. Here patterns are sampled, the inner maximum is sought by the power
method with projections onto the cone, and each round is fully corrective: the best neuron of every sampled pattern with
a value above γ joins, then all output rows are fitted again (outputs.py), which drops the neurons that are not needed.
"""

from __future__ import annotations

import numpy as np

from ..solvers.fit import Fit, Statistics, Status, TraceRow
from ..solvers.network import Array, Network, heights, unit_columns
from ..solvers.problem import Problem
from .common import Clock, Count, require_positive, thin
from .outputs import fit_outputs
from .patterns import project_to_cone, sample_patterns

POWER_STEPS = 20  # at most, for each pattern in each round
TOLERANCE = 1e-3  # the oracle's value may exceed γ by this share
BOUND = (
    "upper bound on p*(∞), by the network returned; a lower bound on nothing, because patterns are sampled"
    " and the oracle's maximum is a local one"
)


def copositive(
    problem: Problem,
    *,
    width: int | None = None,
    seed: int = 0,
    budget: float | None = None,
    patterns: Count = 50,
    rounds: Count = 30,
) -> Fit:
    """Fully corrective Frank–Wolfe over sampled sign patterns.

    Args:
        problem: the training data and γ.
        width: not used: the network is as wide as the solution.
        seed: where the patterns come from.
        budget: seconds; None for no limit.
        patterns: the most sign patterns, ≥ 1.
        rounds: the most rounds, ≥ 1.

    Returns:
        The network, with its objective in float64 as `value`. The trace's residual and `violation` are the largest
        oracle value found, divided by γ, minus one: at most 0 when none helps.

    Raises:
        OptionError: patterns or rounds below 1.
    """
    clock = Clock(budget)
    require_positive(patterns=patterns, rounds=rounds)
    scaled = problem.scaled
    inner = scaled.problem
    D, start = sample_patterns(inner.X, patterns, np.random.default_rng(seed))
    network = Network.zeros(problem.d, 1, problem.c, problem.activation)
    trace: list[TraceRow] = []
    violation, timeout = np.inf, False
    for k in range(rounds + 1):
        residual = inner.Y - network.predict(inner.X)
        U, height = _oracle(inner, D, start, residual)
        violation = float(np.max(height, initial=0.0)) / inner.gamma - 1.0
        value = inner.objective(network) * scaled.objective_unit
        trace.append(TraceRow(clock.seconds(), k, value, residual=violation))
        timeout = violation > TOLERANCE and k < rounds and clock.left() <= 0
        if violation <= TOLERANCE or k == rounds or timeout:
            break
        new = U[:, height > inner.gamma]
        outputs = np.vstack([network.V, np.zeros((new.shape[1], problem.c))])
        network = fit_outputs(inner, inner.network(np.hstack([network.U, new]), outputs))
    network = scaled.network_back(network)
    return Fit(
        network.predict,
        network=network,
        value=trace[-1].value,
        trace=thin(trace),
        info={
            "patterns": D.shape[1],
            "neurons": network.width,
            "violation": violation,
            "bound_on": BOUND,
        },
        stats=Statistics(iterations=len(trace) - 1, solve_s=clock.seconds()),
        status=Status.TIMEOUT if timeout else Status.OK,
        message=f"the time limit ended the work after {len(trace) - 1} rounds" if timeout else "",
    )


def _oracle(problem: Problem, D: Array, start: Array, residual: Array) -> tuple[Array, Array]:
    """For each pattern in D (n, K) a unit direction of its cone (d, K) and ‖ΘᵀD_kXu‖ (K,), locally the largest."""
    found = [_cone_component(problem, D[:, k], start[:, k], residual) for k in range(D.shape[1])]
    U = unit_columns(np.array([u for u, _ in found]).reshape(-1, problem.d).T)
    return U, heights(residual, problem.hidden(U))


def _cone_component(problem: Problem, pattern: Array, u: Array, residual: Array) -> tuple[Array, float]:
    """The power method in a cone: turn the output towards the residual, then the neuron, as long as the value rises."""
    X, below = problem.X, problem.activation.below
    slopes = below + (1 - below) * pattern if below else pattern
    A = residual.T @ (slopes[:, None] * X)  # ΘᵀDX, (c, d)
    value = float(np.linalg.norm(A @ u))
    for _ in range(POWER_STEPS):
        better = project_to_cone(X, pattern, A.T @ (A @ u))
        size = float(np.linalg.norm(better))
        if size <= 1e-12 * float(np.linalg.norm(A)) * value:  # nothing but rounding is left of it in the cone
            break
        better_value = float(np.linalg.norm(A @ better)) / size
        if better_value <= value * (1 + 1e-6):
            break
        u, value = better / size, better_value
    return u, value
