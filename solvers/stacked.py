"""The method `stacked`: a deep network trained layer by layer, each layer by its own convex program.

Layer l is the two-layer training problem whose rows are the hidden features (A U)₊ of the layer before, at the scale
that balance gives them; its relaxation is solved, proved and rounded. The last layer's network gives the outputs. Each
certificate proves a bound for the program of its layer, on the features that this layer was given. No bound is proved
for networks of all layers trained together, so the Fit has no certificate: info says what was proved of which layer.
"""

from __future__ import annotations

import time
from typing import Annotated

from annotated_types import Ge, Le

from .arguments import checked
from .fit import Fit, Statistics, Status
from .loss import LOSS
from .network import Layers, balance
from .problem import Problem
from .sdp import Budget, Gap, Seed, Width, relax, round_relaxation
from .verify import verify

SOLVE = 0.8  # share of a layer's time for the relaxation
SAID = "the bounds in info are those of the layers' own programs; none is proved for the whole network"


@checked
def stacked(
    problem: Problem,
    *,
    width: Width,
    seed: Seed,
    budget: Budget = None,
    depth: Annotated[int, Ge(1), Le(20)] = 2,
    gap: Gap = 1e-4,
) -> Fit:
    """Train a network of `depth` hidden layers, one after the other.

    Args:
        problem: the training data, γ and the loss, which every layer has.
        width: neurons of every hidden layer.
        seed: of the roundings.
        budget: seconds; every layer may use an equal share of what is left.
        depth: hidden layers.
        gap: relative proved gap at which the relaxation of a layer is solved.

    Returns:
        The predictor, without a certificate and without a two-layer network. info holds for each layer k the objective
        and the proved bound of its program, `layer_k_objective` and `layer_k_bound`, and `deep_objective`, the loss
        plus γ/2 times the squares of all weights that the predictor uses. The status is the first layer's that is not
        `ok`.

    Raises:
        ProblemError: an argument out of range.
    """
    began, rows, weights, iterations = time.perf_counter(), problem.X, [], 0
    info: dict[str, float | int | str] = {}
    status, message = Status.OK, SAID
    for k in range(1, depth + 1):
        layer = problem.on(rows, problem.Y)
        left = None if budget is None else max(budget - (time.perf_counter() - began), 0.0) / (depth + 1 - k)
        relaxation = relax(layer, gap=gap, budget=left and SOLVE * left)
        if relaxation.factor.shape[1] == 0:
            message = f"layer {k} has no solution to round: {relaxation.message or relaxation.status}"
            return Fit(Layers(()), info=info, status=Status.FAILED, message=message)
        fit = round_relaxation(layer, relaxation, width=width, seed=seed, budget=left and (1 - SOLVE) * left)
        assert fit.network is not None
        assert relaxation.certificate is not None
        network = balance(fit.network)
        info |= {f"layer_{k}_objective": layer.objective(network)}
        info |= {f"layer_{k}_bound": verify(relaxation.certificate, layer)}
        iterations += relaxation.stats.iterations or 0
        ended = relaxation.status if fit.status == Status.OK else fit.status
        if status == Status.OK and ended != Status.OK:
            status, message = ended, f"layer {k}: {relaxation.message or fit.message or ended}; {SAID}"
        weights.append(network.U)
        rows = layer.hidden(network.U)
    deep = Layers((*weights, network.V))
    penalty = sum(float((W**2).sum()) for W in deep.weights)
    info["deep_objective"] = LOSS[problem.loss].value(deep(problem.X), problem.Y) + 0.5 * problem.gamma * penalty
    stats = Statistics(iterations=iterations, solve_s=time.perf_counter() - began)
    return Fit(deep, info=info, stats=stats, status=status, message=message)
