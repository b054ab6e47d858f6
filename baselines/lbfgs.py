"""Multi-start L-BFGS on the true objective: the honest upper bound on p*(m) that any serious user would compute."""

from __future__ import annotations

import numpy as np

from ..solvers.fit import Fit, Statistics, Status, TraceRow
from ..solvers.network import Array, Network, descend, whitening
from ..solvers.problem import Problem
from .common import Clock, Count, require_positive, require_width, thin
from .start import spread_network


def lbfgs(
    problem: Problem,
    *,
    width: int | None,
    seed: int,
    budget: float | None = None,
    starts: Count = 5,
    iterations: Count = 10_000,
) -> Fit:
    """The best network of the given width over random starts of L-BFGS.

    Works on the scaled problem, where the tolerances mean something, in turn in the coordinates of the problem and in
    whitened ones (every second start), which win on badly scaled features and lose a little elsewhere. The objective is
    not smooth where a row crosses a neuron's hyperplane, so a start may end in a failed line search: its point still
    counts.

    Args:
        problem: the training data and γ.
        width: neurons, ≥ 1.
        seed: where the random starts come from.
        budget: seconds; None for no limit.
        starts: random starts, ≥ 1.
        iterations: the most L-BFGS steps a start, ≥ 1.

    Returns:
        The best network met and its objective; status `timeout` when out of budget.

    Raises:
        OptionError: a number below 1.
    """
    clock = Clock(budget)
    m = require_width(width, "lbfgs")
    require_positive(starts=starts, iterations=iterations)
    scaled = problem.scaled
    rng = np.random.default_rng(seed)
    white = whitening(scaled.problem.X, scaled.problem.gamma)
    best = Network.zeros(problem.d, m, problem.c, problem.activation)  # what remains if γ leaves nothing to learn
    best_value = scaled.problem.objective(best)
    trace: list[TraceRow] = []
    steps = begun = 0
    while begun < starts and (begun == 0 or clock.left() > 0):
        start = spread_network(scaled.problem, m, rng)
        coordinates = white if begun % 2 else None
        network, value, rows = _descend(scaled.problem, start, coordinates, iterations, clock)
        trace += [TraceRow(s, steps + k, min(v, best_value) * scaled.objective_unit) for s, k, v in rows]
        steps, begun = steps + len(rows), begun + 1
        if value < best_value:
            best, best_value = network, value
    timeout = clock.left() <= 0
    network = scaled.network_back(best)
    return Fit(
        network.predict,
        network=network,
        value=best_value * scaled.objective_unit,
        trace=thin(trace),
        info={"starts": begun},
        stats=Statistics(iterations=steps, solve_s=clock.seconds()),
        status=Status.TIMEOUT if timeout else Status.OK,
        message=f"the time limit ended the work in start {begun} of {starts}" if timeout else "",
    )


def _descend(
    problem: Problem, start: Network, P: Array | None, iterations: int, clock: Clock
) -> tuple[Network, float, list[tuple[float, int, float]]]:
    """One L-BFGS run over (P⁻¹U, V): the last network, its objective, and (seconds, step, objective) rows."""
    rows: list[tuple[float, int, float]] = []

    def watch(network: Network, value: float) -> bool:
        rows.append((clock.seconds(), len(rows) + 1, value))
        return clock.left() <= 0

    options = {"maxiter": iterations, "maxfun": 2 * iterations, "ftol": 1e-13, "gtol": 1e-9, "maxcor": 30}
    network, value = descend(start, problem.objective_and_gradient, options, coordinates=P, watch=watch)
    return network, value, rows
