"""Gradient descent as the paper trains its networks: full batch, momentum 0.95, learning rate halved on plateau.

The descent runs in float64 on the scaled problem (‖X‖_F² = n, ‖Y‖_F² = nc), which for gradient descent is only a change
of units: a learning rate η of the problem as given is ηκσ there. Without a learning rate each run starts at
2(1 + momentum)/L, the stability limit of the heavy ball on a quadratic of curvature L, with L a bound on the curvature
at its start (Adam: at a fraction of the size of the starting weights); a run thrown off by it goes back to its best
network with half the rate. With a learning rate given, the
procedure is the published one and nothing catches a run that diverges: it is reported as such. The network returned is
the one of lowest training objective that was met.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from ..solvers.fit import Fit, Statistics, Status, TraceRow
from ..solvers.network import Network
from ..solvers.problem import Problem, ScaledProblem
from .common import TRACE_ROWS, Clock, Count, OptionError, Positive, require_positive, require_width, thin
from .descent import MOMENTUM, Advance, Data, Optimizer, Rule, State, compile_descent, initial_state
from .fused import compile_fused
from .start import curvature_bound, random_network

ADAM_STEP = 0.1  # first learning rate of Adam, as a share of the root mean square of U


def sgd(
    problem: Problem,
    *,
    width: int | None,
    seed: int,
    budget: float | None = None,
    epochs: Count = 20_000,
    learning_rate: Positive | None = None,
    optimizer: Optimizer = "momentum",
    batch: Count | None = None,
    patience: Count = 100,
) -> Fit:
    """Gradient descent from one random start: `sgd_seeds` for a single seed.

    Args:
        problem: the training data and γ.
        width: neurons, ≥ 1.
        seed: where the random start and the minibatches come from.
        budget: seconds; None for no limit.
        epochs: the most passes over the data.
        learning_rate: the first rate, in the units of the problem as given; None derives one.
        optimizer: momentum 0.95 as published, or Adam.
        batch: rows a minibatch; None for all.
        patience: epochs in which the objective has to fall by a relative 1e-5, or else the rate is halved.

    Returns:
        The best network met, as in `sgd_seeds`; status `timeout` when out of budget.

    Raises:
        OptionError: a number that is not positive.
    """
    (fit,) = sgd_seeds(
        problem,
        width=width,
        seeds=[seed],
        budget=budget,
        epochs=epochs,
        learning_rate=learning_rate,
        optimizer=optimizer,
        batch=batch,
        patience=patience,
    )
    return fit


def sgd_seeds(
    problem: Problem,
    *,
    width: int | None,
    seeds: Sequence[int],
    budget: float | None = None,
    epochs: Count = 20_000,
    learning_rate: Positive | None = None,
    optimizer: Optimizer = "momentum",
    batch: Count | None = None,
    patience: Count = 100,
) -> list[Fit]:
    """Gradient descent from one random start a seed, all by one compiled loop.

    On an accelerator all seeds are one batch; on a CPU, where a batch of five costs as much as five runs, they run side
    by side on its cores.

    Args:
        problem: the training data and γ.
        width: neurons, ≥ 1.
        seeds: one run each, at least one.
        budget: seconds for all seeds together; None for no limit.
        epochs: the most passes over the data; a run also ends once its rate has been halved 12 times.
        learning_rate: the first rate, in the units of the problem as given; None derives one as the module's text says.
        optimizer: momentum 0.95 as published, or Adam.
        batch: rows a minibatch, None for all; the objective that decides about rate and best network is always that of
            all rows.
        patience: epochs in which the objective has to fall by a relative 1e-5, or else the rate is halved.

    Returns:
        A Fit for each seed, in their order. `solve_s` is the seed's share of the common time, which is `shared_s`. Out
        of budget, runs that had not ended come back as they are with status `timeout`.

    Raises:
        OptionError: no seed, or a number that is not positive.
    """
    clock = Clock(budget)
    m = require_width(width, "sgd")
    require_positive(epochs=epochs, learning_rate=learning_rate, batch=batch, patience=patience)
    if len(seeds) == 0:
        raise OptionError("seeds must hold at least one seed. Got none instead.")
    scaled = problem.scaled
    part = batch if batch is not None and batch < problem.n else None
    rule = Rule(optimizer, part, learning_rate is None, problem.activation.below, problem.loss)
    unit = _rate_unit(scaled, optimizer)
    first_rate = None if learning_rate is None else learning_rate / unit
    lanes = [_start(scaled.problem, m, lane, rule, first_rate, patience) for lane in _lanes(seeds)]
    advance, compile_s = (compile_fused if _fused(rule) else compile_descent)(*lanes[0], rule)

    work = Clock(None)
    with ThreadPoolExecutor(len(lanes)) as pool:
        runs = list(pool.map(lambda lane: _descend(advance, lane[0], lane[1], epochs, clock), lanes))
    seconds = work.seconds()
    shared = {"shared_s": seconds, "shared_seeds": len(seeds)}
    stats = Statistics(solve_s=seconds / len(seeds), compile_s=compile_s)
    fits = [fit for state, rows in runs for fit in _fits(scaled, state, rows, unit, epochs)]
    return [replace(fit, info={**fit.info, **shared}, stats=replace(stats, **fit.stats.known())) for fit in fits]


def _lanes(seeds: Sequence[int]) -> list[list[int]]:
    """The seeds that share one batch. On a CPU, whose cores are busy with one network, each has its own thread."""
    return [[seed] for seed in seeds] if _on_cpu() else [list(seeds)]


def _fused(rule: Rule) -> bool:
    """Whether fused.py has the loop; JAX's serves Adam, minibatches, all but ReLU and squares, and accelerators."""
    usual = not rule.below and rule.loss == "squares"
    return _on_cpu() and rule.optimizer == "momentum" and rule.batch is None and usual


def _on_cpu() -> bool:
    import jax

    return bool(jax.default_backend() == "cpu")


def _start(
    problem: Problem, width: int, seeds: Sequence[int], rule: Rule, first_rate: float | None, patience: int
) -> tuple[Data, State]:
    generators = [np.random.default_rng(seed) for seed in seeds]
    starts = [random_network(problem, width, rng) for rng in generators]
    keys = np.stack([rng.integers(0, 2**32, size=2, dtype=np.uint32) for rng in generators])
    rates = [first_rate or _first_rate(problem, start, rule.optimizer) for start in starts]
    weights = np.stack([w.U.T for w in starts]), np.stack([w.V.T for w in starts])
    X, Y = problem.X, problem.Y
    data = Data(X, np.ascontiguousarray(X.T), np.ascontiguousarray(Y.T), np.float64(problem.gamma), patience, keys)
    return data, initial_state(*weights, np.array(rates), rule)


def _descend(
    advance: Advance, data: Data, state: State, epochs: int, clock: Clock
) -> tuple[State, list[list[TraceRow]]]:
    """Advance until nothing runs any more, for each run with its rows of (seconds, epoch, scaled objective)."""
    work, done, size = Clock(None), 0, 1
    running = np.asarray(state.running)
    traces: list[list[TraceRow]] = [[] for _ in running]
    while done < epochs and running.any() and (done == 0 or clock.left() > 0):
        state = advance(data, state, size)
        seconds = work.seconds()
        for k, (epoch, loss) in enumerate(zip(np.asarray(state.epoch), np.asarray(state.loss), strict=True)):
            if running[k] and np.isfinite(loss):
                traces[k].append(TraceRow(seconds, int(epoch), float(loss)))
        done, running = int(np.max(state.epoch)), np.asarray(state.running)
        size = _next_size(size, done, epochs, seconds, clock.left())
    return state, traces


def _rate_unit(scaled: ScaledProblem, optimizer: Optimizer) -> float:
    """Multiply a learning rate of the scaled problem by this to get the original one."""
    if optimizer == "adam":  # its steps are as long as the rate, whatever the gradient, so the unit is that of weights
        return float(np.sqrt(scaled.kappa / scaled.sigma))
    return 1.0 / scaled.kappa / scaled.sigma


def _first_rate(problem: Problem, start: Network, optimizer: Optimizer) -> float:
    if optimizer == "adam":
        return float(ADAM_STEP * np.sqrt(np.mean(start.U**2)))
    return 2 * (1 + MOMENTUM) / curvature_bound(problem, start)


def _next_size(size: int, done: int, epochs: int, seconds: float, left: float) -> int:
    """Epochs until the next look at clock and loss: doubling, then even; at most half of what the budget allows."""
    room = epochs - done
    if np.isfinite(left):
        room = min(room, int(0.5 * max(left, 0.0) * done / seconds))
    return max(1, min(2 * size, -(-2 * epochs // TRACE_ROWS), room))


def _fits(
    scaled: ScaledProblem,
    state: State,
    traces: Sequence[Sequence[TraceRow]],
    unit: float,
    epochs: int,
) -> list[Fit]:
    U, V = (np.asarray(w) for w in state.best_weights)
    best, rate, epoch = np.asarray(state.best), np.asarray(state.rate) * unit, np.asarray(state.epoch)
    running, diverged = np.asarray(state.running), np.asarray(state.diverged)
    fits = []
    for k, rows in enumerate(traces):
        network = scaled.network_back(
            scaled.problem.network(np.ascontiguousarray(U[k].T), np.ascontiguousarray(V[k].T))
        )
        status, message = Status.OK, ""
        if diverged[k]:
            status = Status.DIVERGED
            message = f"the objective overflowed in epoch {epoch[k]} at learning rate {rate[k]:.3g}: lower it"
        elif running[k] and epoch[k] < epochs:
            status, message = Status.TIMEOUT, f"the time limit ended the work after {epoch[k]} epochs"
        info, stats = {"last_learning_rate": float(rate[k])}, Statistics(iterations=int(epoch[k]))
        trace = [replace(row, value=row.value * scaled.objective_unit) for row in thin(rows) if row.value is not None]
        value = float(best[k]) * scaled.objective_unit
        fits.append(Fit(network.predict, network, None, value, trace, info, status, message, stats=stats))
    return fits
