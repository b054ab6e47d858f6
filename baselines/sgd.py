"""Gradient descent as the paper trains its networks: full batch, momentum 0.95, learning rate halved on plateau.

The descent runs in float64 on the scaled problem (‖X‖_F² = n, ‖Y‖_F² = nc), which for gradient descent is only a change
of units: a learning rate η of the problem as given is ηκσ there. Without a learning rate each run starts at
2(1 + momentum)/L, the stability limit of the heavy ball on a quadratic of curvature L, with L a bound on the curvature
at its start; a run thrown off by it goes back to its best network with half the rate. With a learning rate given, the
procedure is the published one and nothing catches a run that diverges: it is reported as such. The network returned is
the one of lowest training objective that was met.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from annotated_types import Ge, Gt

from ..solvers.problem import Array, Fit, Network, Problem, ScaledProblem, TraceRow
from .common import TRACE_ROWS, Clock, OptionError, require_width, thin
from .descent import MOMENTUM, Data, State, compile_descent, initial_state
from .start import curvature_bound, random_network


def sgd(
    problem: Problem,
    *,
    width: int | None,
    seed: int,
    budget: float | None = None,
    epochs: Annotated[int, Ge(1)] = 20_000,
    learning_rate: Annotated[float, Gt(0)] | None = None,
) -> Fit:
    """One seed of `sgd_seeds`."""
    (fit,) = sgd_seeds(problem, width=width, seeds=[seed], budget=budget, epochs=epochs, learning_rate=learning_rate)
    return fit


def sgd_seeds(
    problem: Problem,
    *,
    width: int | None,
    seeds: Sequence[int],
    budget: float | None = None,
    epochs: int = 20_000,
    learning_rate: float | None = None,
) -> list[Fit]:
    """Gradient descent from one random start a seed, all in one compiled run; a Fit for each seed, in their order.

    epochs: at most so many gradient steps; a run also ends once its rate has been halved 12 times. learning_rate: the
    first rate, in the units of the problem as given; None derives one from the curvature. Out of budget, runs that had
    not ended come back as they are with status `timeout`. `solve_s` is the seed's share of the common run, whose
    seconds are `shared_s`. Raises OptionError unless width ≥ 1 and there is a seed.
    """
    clock = Clock(budget)
    m = require_width(width, "sgd")
    if len(seeds) == 0:
        raise OptionError("seeds must hold at least one seed. Got none instead.")
    scaled = problem.scaled
    starts = [random_network(scaled.problem, m, np.random.default_rng(seed)) for seed in seeds]
    rates = _first_rates(scaled, starts, learning_rate)
    state = initial_state(np.stack([w.U.T for w in starts]), np.stack([w.V.T for w in starts]), rates)
    X, Y = scaled.problem.X, scaled.problem.Y
    data = Data(X, np.ascontiguousarray(X.T), np.ascontiguousarray(Y.T), np.float64(scaled.problem.gamma))
    advance, compile_s = compile_descent(data, state, learning_rate is None)

    traces: list[list[TraceRow]] = [[] for _ in seeds]
    work, done, size, running = Clock(None), 0, 1, np.ones(len(seeds), dtype=bool)
    while done < epochs and running.any() and (done == 0 or clock.left() > 0):
        state = advance(data, state, size)
        seconds, epoch = work.seconds(), np.asarray(state.epoch)
        for row, k, loss, on in zip(traces, epoch, np.asarray(state.loss), running, strict=True):
            if on and np.isfinite(loss):
                row.append(TraceRow(seconds, int(k), float(loss) * scaled.objective_unit))
        done, running = int(epoch.max()), np.asarray(state.running)
        size = _next_size(size, done, epochs, seconds, clock.left())
    return _fits(scaled, state, traces, work.seconds(), compile_s, done < epochs)


def _first_rates(scaled: ScaledProblem, starts: Sequence[Network], learning_rate: float | None) -> Array:
    if learning_rate is not None:
        return np.full(len(starts), learning_rate * scaled.kappa * scaled.sigma)
    return np.array([2 * (1 + MOMENTUM) / curvature_bound(scaled.problem, start) for start in starts])


def _next_size(size: int, done: int, epochs: int, seconds: float, left: float) -> int:
    """Epochs until the next look at clock and loss: doubling, then even; at most half of what the budget allows."""
    room = epochs - done
    if np.isfinite(left):
        room = min(room, int(0.5 * max(left, 0.0) * done / seconds))
    return max(1, min(2 * size, -(-2 * epochs // TRACE_ROWS), room))


def _fits(
    scaled: ScaledProblem, state: State, traces: list[list[TraceRow]], seconds: float, compile_s: float, early: bool
) -> list[Fit]:
    U, V = (np.asarray(w) for w in state.best_weights)
    best, rate, epoch = np.asarray(state.best), np.asarray(state.rate), np.asarray(state.epoch)
    running, diverged, unit = np.asarray(state.running), np.asarray(state.diverged), scaled.kappa * scaled.sigma
    fits = []
    for k in range(len(U)):
        network = scaled.network_back(Network(np.ascontiguousarray(U[k].T), np.ascontiguousarray(V[k].T)))
        status, message = "ok", ""
        if diverged[k]:
            status = "diverged"
            message = f"the objective overflowed in epoch {epoch[k]} at learning rate {rate[k] / unit:.3g}: lower it"
        elif running[k] and early:
            status, message = "timeout", f"the time limit ended the work after {epoch[k]} epochs"
        info = {
            "solve_s": seconds / len(U),
            "shared_s": seconds,
            "shared_seeds": len(U),
            "compile_s": compile_s,
            "iterations": int(epoch[k]),
            "last_learning_rate": float(rate[k] / unit),
        }
        value = float(best[k]) * scaled.objective_unit
        fits.append(Fit(network.predict, network, None, value, thin(traces[k]), info, status, message))
    return fits
