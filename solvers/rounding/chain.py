"""A rounding followed by steps that improve the network it made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ..fit import Fit, Statistics
from ..problem import Problem
from ..relaxation import Relaxation
from .progress import MAX_ITERATES

Rounding = Callable[..., Fit]
Step = Callable[..., Fit]  # (problem, network, *, seed, budget) -> Fit


def chain(start: Rounding, *steps: Step) -> Rounding:
    """The rounding that runs `start` and hands its network through the steps, as long as the budget lasts.

    Args:
        start: the first rounding.
        steps: each makes a network from a network.

    Returns:
        The chain as a rounding of its own.
    """

    def rounding(
        problem: Problem, relaxation: Relaxation, *, width: int, seed: int, budget: float | None = None
    ) -> Fit:
        fit = start(problem, relaxation, width=width, seed=seed, budget=budget)
        for step in steps:
            left = None if budget is None else budget - (fit.stats.round_s or 0.0)
            if fit.network is None or (left is not None and left <= 0):
                break
            fit = _joined(fit, step(problem, fit.network, seed=seed, budget=left))
        return fit

    return rounding


def _joined(first: Fit, then: Fit) -> Fit:
    """The result of `then` with the history of both; `first` ended where `then` began."""
    seconds, iterations = first.stats.round_s or 0.0, first.stats.iterations or 0
    moved = [replace(row, seconds=row.seconds + seconds, iteration=row.iteration + iterations) for row in then.trace]
    iterates = [*first.iterates, *then.iterates]
    thinned = iterates[:: -(-len(iterates) // (MAX_ITERATES - 1))]
    return replace(
        then,
        trace=(*first.trace, *moved),
        stats=Statistics(
            iterations=iterations + (then.stats.iterations or 0), round_s=seconds + (then.stats.round_s or 0.0)
        ),
        iterates=(*thinned, then.iterates[-1]),
        message=then.message or first.message,
    )
