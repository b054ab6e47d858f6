"""Convex training over sampled hyperplane arrangements, after Pilanci & Ergen (ICML 2020, arXiv 2002.10553).

For other activations than the ReLU, D_kX is φ'(Xu)∘X in what follows: φ is linear on the same cones. With
D_k = diag(1[Xu ≥ 0]) the activation pattern of a direction u and C_k = {w: (2D_k − I)Xw ≥ 0} the cone of all
directions that have it, (Xw)₊ = D_kXw on C_k, so a network whose neurons stay in given cones is linear in them.

ReLU, one output: min ½‖Σ_k D_kX(w_k − w'_k) − y‖² + γ Σ_k (‖w_k‖ + ‖w'_k‖) over w_k, w'_k ∈ C_k. Over all patterns of X
this is p*(∞); over a sample it is the best network with these patterns.
ReLU, several outputs, jointly: neurons are w_l a_lᵀ with w_l in a cone and a unit output direction a_l, and

    min_{w_l ∈ C_k(l)}  ½‖Σ_l D_k(l) X w_l a_lᵀ − Y‖_F² + γ Σ_l ‖w_l‖                                        (cones)

which is the network's training objective. It alternates with the group lasso over output rows for the hidden directions
found (outputs.py), which turns the a_l; every pattern also gets the direction along which its neuron sees the residual.
Each step is convex and none raises the objective, but the limit is no global minimum over the sampled patterns.
Gated: f(x) = Σ_k 1[x·g_k ≥ 0] xᵀW_k with min ½‖Σ_k D_kXW_k − Y‖_F² + γ Σ_k ‖W_k‖_F, no cones: another model.
"""

from __future__ import annotations

import warnings
from typing import Any, Literal

import numpy as np

from ..solvers.fit import Fit, Statistics, Status, TraceRow
from ..solvers.network import Array, Network, unit_columns
from ..solvers.problem import Problem, ScaledProblem
from .common import Clock, Count, require_positive
from .outputs import balanced, fit_outputs
from .patterns import sample_patterns

RELU_BOUND = "upper bound on p*(∞), by the network returned; a lower bound on nothing"
RELU_BOUND_SCALAR = RELU_BOUND + " (with every pattern of X among the sampled ones its value is p*(∞))"
GATED_BOUND = (
    "bounds nothing: a gated model is no ReLU network, and gates were sampled"
    " (with every pattern of X as a gate the program's minimum is a lower bound on p*(∞))"
)


def arrangements(
    problem: Problem,
    *,
    width: int | None = None,
    seed: int = 0,
    budget: float | None = None,
    model: Literal["relu", "gated"] = "relu",
    patterns: Count = 50,
    rounds: Count = 5,
) -> Fit:
    """The convex program over sampled activation patterns, solved by Clarabel through CVXPY.

    Args:
        problem: the training data and γ.
        width: not used: the network is as wide as the solution.
        seed: where the patterns come from.
        budget: seconds; None for no limit.
        model: `relu`, a network with the activation of the problem; or `gated`, with gates in its place.
        patterns: the most activation patterns, ≥ 1.
        rounds: how often the two convex steps of the ReLU model with several outputs are taken, ≥ 1.

    Returns:
        The solution; its `value` is the objective of what is returned, in float64, not the solver's.

    Raises:
        OptionError: patterns or rounds below 1.
    """
    clock = Clock(budget)
    require_positive(patterns=patterns, rounds=rounds)
    scaled = problem.scaled
    D, U = sample_patterns(scaled.problem.X, patterns, np.random.default_rng(seed))
    if model == "gated":
        return _gated(problem, D, U, clock)
    network, trace, ended = _relu(scaled, D, U, rounds, clock)
    network = scaled.network_back(network)
    return Fit(
        network.predict,
        network=network,
        value=trace[-1].value,
        trace=trace,
        info={
            "patterns": D.shape[1],
            "neurons": network.width,
            "bound_on": RELU_BOUND_SCALAR if problem.c == 1 else RELU_BOUND,
        },
        stats=Statistics(iterations=len(trace) - 1, solve_s=clock.seconds()),
        **_outcome(ended),
    )


def _relu(scaled: ScaledProblem, D: Array, U: Array, rounds: int, clock: Clock) -> tuple[Network, list[TraceRow], str]:
    """The best network of the scaled problem that the two convex steps come to, the trace, and how the last one ended.

    D (n, K) are the patterns, U (d, K) a direction of each.
    """
    problem, unit = scaled.problem, scaled.objective_unit
    network = fit_outputs(problem, problem.network(U, np.zeros((U.shape[1], problem.c))))
    value = problem.objective(network)
    trace = [TraceRow(clock.seconds(), 0, value * unit)]
    pairs = _pairs(problem, D, U, network)
    ended = ""
    for k in range(rounds if problem.c > 1 else 1):
        ended = "" if clock.left() > 0 else "user_limit"
        if ended:
            break
        W, ended = _cone_step(problem, *pairs, clock)
        found = balanced(problem.network(W, pairs[1])) if W is not None else network
        if problem.c > 1:
            found = fit_outputs(problem, found)
        found_value = problem.objective(found)
        if found_value < value:
            network, value = found, found_value
        trace.append(TraceRow(clock.seconds(), k + 1, value * unit))
        pairs = _pairs(problem, D, U, network)
    return network, trace, ended


def _pairs(problem: Problem, D: Array, U: Array, network: Network) -> tuple[Array, Array]:
    """Patterns (n, L) and unit output directions (L, c): of the network's neurons, and of the residual for each D.

    With one output every pattern gets both signs, which leaves nothing to iterate.
    """
    residual = problem.Y - network.predict(problem.X)
    towards = (problem.hidden(U).T @ residual).T
    signs = [1.0, -1.0] if problem.c == 1 else [1.0]
    columns = [np.vstack([D, sign * unit_columns(towards)]) for sign in signs]
    columns.append(np.vstack([(problem.X @ network.U >= 0).astype(np.float64), unit_columns(network.V.T)]))
    pairs = np.unique(np.hstack(columns), axis=1)
    n = problem.n
    used = np.linalg.norm(pairs[n:], axis=0) > 0
    return pairs[:n, used], pairs[n:, used].T


def _cone_step(problem: Problem, D: Array, A: Array, clock: Clock) -> tuple[Array | None, str]:
    """The solution W (d, L) of (cones) for patterns D (n, L) and output directions A (L, c), and how it ended."""
    import cvxpy as cp

    if D.shape[1] == 0:
        return None, "optimal"
    n, d, L = problem.n, problem.d, D.shape[1]
    design = np.einsum("il,if,lj->ijlf", _slopes(problem, D), problem.X, A).reshape(n * problem.c, L * d)
    target = problem.Y.ravel()
    if design.shape[0] > design.shape[1]:  # only the part of the targets that neurons can reach matters
        Q, design = np.linalg.qr(design)
        target = Q.T @ target
    some = np.linalg.norm(problem.X, axis=1) > 0
    W = cp.Variable((d, L))
    loss = 0.5 * cp.sum_squares(design @ cp.vec(W, order="F") - target)
    inside = [cp.multiply(2 * D[some] - 1, problem.X[some] @ W) >= 0] if some.any() else []
    program = cp.Problem(cp.Minimize(loss + problem.gamma * cp.sum(cp.norm(W, 2, axis=0))), inside)
    return _solve(program, W, clock)


def _gated(problem: Problem, D: Array, G: Array, clock: Clock) -> Fit:
    import cvxpy as cp

    scaled = problem.scaled
    X, Y, gamma = scaled.problem.X, scaled.problem.Y, scaled.problem.gamma
    (n, d), c, K = X.shape, Y.shape[1], D.shape[1]
    features = (_slopes(problem, D)[:, :, None] * X[:, None, :]).reshape(n, K * d)
    reduced, targets = features, Y
    if n > K * d:
        Q, reduced = np.linalg.qr(features)
        targets = Q.T @ Y
    W = cp.Variable((c * d, K))  # column k holds the c columns of W_k, one below the other
    outputs = cp.vstack([reduced @ cp.vec(W[j * d : (j + 1) * d], order="F") for j in range(c)])
    loss = 0.5 * cp.sum_squares(outputs - targets.T)
    program = cp.Problem(cp.Minimize(loss + gamma * cp.sum(cp.norm(W, 2, axis=0))))
    solution, ended = _solve(program, W, clock)
    weights = np.zeros((c * d, K)) if solution is None else solution
    blocks = weights.T.reshape(K, c, d).transpose(0, 2, 1)  # (K, d, c)
    residual = features @ blocks.reshape(K * d, c) - Y
    value = 0.5 * np.sum(residual**2) + gamma * np.sum(np.linalg.norm(weights, axis=0))
    blocks = blocks * (scaled.kappa / scaled.sigma)

    def predict(Z: Array) -> Array:
        gates = _slopes(problem, (Z @ G >= 0).astype(np.float64))
        return np.einsum("ik,if,kfj->ij", gates, Z, blocks, optimize=True)

    info: dict[str, float | int | str] = {"patterns": K, "bound_on": GATED_BOUND}
    stats = Statistics(solve_s=clock.seconds())
    return Fit(predict, value=float(value) * scaled.objective_unit, info=info, stats=stats, **_outcome(ended))


def _slopes(problem: Problem, D: Array) -> Array:
    """The slopes of the activation for patterns of zeros and ones."""
    below = problem.activation.below
    return below + (1 - below) * D if below else D


def _solve(program: Any, variable: Any, clock: Clock) -> tuple[Array | None, str]:
    """Clarabel's solution or None, and CVXPY's name for how it ended; a name that is not expected is an error."""
    import cvxpy as cp

    limit = {} if clock.budget is None else {"time_limit": max(clock.left(), 0.01)}
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Solution may be inaccurate")  # the fit's message says so
            program.solve(solver=cp.CLARABEL, **limit)
    except cp.SolverError:
        return None, "solver_error"
    if program.status not in ENDINGS:
        raise RuntimeError(f"Clarabel ended a feasible and bounded program with status {program.status!r}")
    return variable.value, program.status


ENDINGS = {
    "optimal": (Status.OK, ""),
    "": (Status.OK, ""),
    "optimal_inaccurate": (Status.STALLED, "Clarabel stopped short of its tolerances"),
    "solver_error": (Status.STALLED, "Clarabel failed numerically; the best network before is returned"),
    "user_limit": (Status.TIMEOUT, "the time limit ended the work"),
}


def _outcome(ended: str) -> dict[str, Any]:
    status, message = ENDINGS[ended]
    return {"status": status, "message": message}
