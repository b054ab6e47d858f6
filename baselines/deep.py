"""A deep ReLU network trained end to end by L-BFGS: what layers trained one after the other have to be held against.

    f(x) = (…((xᵀW_1)₊ W_2)₊ …)₊ W_{L+1},   min Σ_i ℓ(f(x_i), y_i) + γ/2 Σ_l ‖W_l‖²

For L = 1 hidden layer that is the training problem. The network is positively homogeneous of degree L + 1, so X/σ and
Y/κ make γ (κ/σ)^{2/(L+1)}/κ² of γ; it is trained there.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..solvers.fit import Fit, Statistics, Status, TraceRow
from ..solvers.loss import LOSS
from ..solvers.network import Array, Layers
from ..solvers.problem import Problem
from .common import Clock, Count, require_positive, require_width, thin
from .kernels import Depth

OPTIONS = {"ftol": 1e-12, "gtol": 1e-9, "maxcor": 30}


def deep(
    problem: Problem,
    *,
    width: int | None,
    seed: int,
    budget: float | None = None,
    depth: Depth = 2,
    starts: Count = 3,
    iterations: Count = 3000,
) -> Fit:
    """The best deep network over random starts of L-BFGS.

    Args:
        problem: the training data, γ and the loss.
        width: neurons of every hidden layer, ≥ 1.
        seed: where the random starts come from.
        budget: seconds; None for no limit.
        depth: hidden layers L.
        starts: random starts, ≥ 1.
        iterations: the most L-BFGS steps a start, ≥ 1.

    Returns:
        The predictor, without a two-layer network; its objective is `deep_objective` in info. Status `timeout` when out
        of budget.

    Raises:
        OptionError: a number below 1.
    """
    clock = Clock(budget)
    m = require_width(width, "deep")
    require_positive(starts=starts, iterations=iterations)
    rng, scaled = np.random.default_rng(seed), problem.scaled
    shrink = (scaled.kappa / scaled.sigma) ** (1 / (depth + 1))
    gamma = problem.gamma * (shrink / scaled.kappa) ** 2
    inner = scaled.problem.on(scaled.problem.X, scaled.problem.Y, gamma)
    best: list[Array] = []
    trace: list[TraceRow] = []
    best_value, begun = np.inf, 0
    while begun < starts and (begun == 0 or clock.left() > 0):
        weights, value, rows = _descend(inner, _start(problem.d, m, problem.c, depth, rng), iterations, clock)
        steps = len(trace)
        trace += [TraceRow(s, steps + k, min(v, best_value) * scaled.objective_unit) for s, k, v in rows]
        begun += 1
        if not best or value < best_value:
            best, best_value = weights, value
    network = Layers(tuple(shrink * W for W in best))
    late = clock.left() <= 0
    value = best_value * scaled.objective_unit
    return Fit(
        network,
        value=value,
        trace=thin(trace),
        info={"deep_objective": value, "starts": begun},
        stats=Statistics(iterations=len(trace), solve_s=clock.seconds()),
        status=Status.TIMEOUT if late else Status.OK,
        message=f"the time limit ended the work in start {begun} of {starts}" if late else "",
    )


def objective_and_gradient(problem: Problem, weights: Sequence[Array]) -> tuple[float, list[Array]]:
    """The objective of a deep network, and its gradient by each layer.

    Args:
        problem: the training data, γ and the loss.
        weights: W_1 (d, m), …, W_{L+1} (m, c).

    Returns:
        Objective and gradients, in the shapes of the weights.
    """
    rows, loss = [problem.X], LOSS[problem.loss]
    for W in weights[:-1]:
        rows.append(np.maximum(rows[-1] @ W, 0.0))
    F = rows[-1] @ weights[-1]
    value = loss.value(F, problem.Y) + 0.5 * problem.gamma * sum(float(np.sum(W**2)) for W in weights)
    back, gradients = -loss.slope(F, problem.Y), []
    for H, W in zip(reversed(rows), reversed(weights), strict=True):
        gradients.append(H.T @ back + problem.gamma * W)
        back = (back @ W.T) * (H > 0)
    return value, gradients[::-1]


def _start(d: int, m: int, c: int, depth: int, rng: np.random.Generator) -> list[Array]:
    """Gaussian weights that keep the size of rows of norm 1 from layer to layer, at equal Frobenius norms."""
    shapes = [(d, m), *[(m, m)] * (depth - 1), (m, c)]
    sizes = [np.sqrt(2.0), *[np.sqrt(2.0 / m)] * (depth - 1), np.sqrt(1.0 / m)]
    weights = [size * rng.normal(size=shape) for shape, size in zip(shapes, sizes, strict=True)]
    norms = [float(np.linalg.norm(W)) for W in weights]
    common = float(np.exp(np.mean(np.log(norms))))
    return [W * (common / norm) for W, norm in zip(weights, norms, strict=True)]


def _descend(
    problem: Problem, start: Sequence[Array], iterations: int, clock: Clock
) -> tuple[list[Array], float, list[tuple[float, int, float]]]:
    """One L-BFGS run: the last weights, their objective, and (seconds, step, objective) rows."""
    from scipy.optimize import OptimizeResult, minimize  # late, as it takes a while

    ends = np.cumsum([W.size for W in start])
    rows: list[tuple[float, int, float]] = []

    def unpack(w: Array) -> list[Array]:
        return [part.reshape(W.shape) for part, W in zip(np.split(w, ends[:-1]), start, strict=True)]

    def function(w: Array) -> tuple[float, Array]:
        value, gradients = objective_and_gradient(problem, unpack(w))
        return value, np.concatenate([each.ravel() for each in gradients])

    def callback(intermediate_result: OptimizeResult) -> None:  # SciPy knows it by the name of its argument
        rows.append((clock.seconds(), len(rows) + 1, float(intermediate_result.fun)))
        if clock.left() <= 0:
            raise StopIteration

    options = {**OPTIONS, "maxiter": iterations, "maxfun": 2 * iterations}
    first = np.concatenate([W.ravel() for W in start])
    found = minimize(function, first, jac=True, method="L-BFGS-B", callback=callback, options=options)
    return unpack(found.x), float(found.fun), rows
