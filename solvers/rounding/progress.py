"""What every rounding shares: its arguments checked, the best network kept, the result put together."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from ...errors import RelaxbenchError
from ..fit import Fit, Statistics, Status, TraceRow
from ..network import Network
from ..problem import Problem
from ..relaxation import Relaxation

MAX_ITERATES = 100  # networks kept for the protocol `paper`, the best one among them


class RoundingError(RelaxbenchError):
    """A width, seed, time limit or relaxation that cannot be rounded; the text names the value and the fix."""


def check_arguments(problem: Problem, relaxation: Relaxation, width: int, seed: int, budget: float | None) -> None:
    """Refuse arguments of a rounding that are out of range or do not fit together.

    Args:
        problem: the training data and γ.
        relaxation: its factor must have n+d+c rows, all entries finite.
        width: neurons, a whole number ≥ 1.
        seed: a whole number ≥ 0.
        budget: seconds > 0, or None.

    Raises:
        RoundingError: an argument that is refused.
    """
    if not (isinstance(width, int | np.integer) and width >= 1):
        raise RoundingError(f"width must be a whole number of neurons >= 1. Got {width!r} instead.")
    if not (isinstance(seed, int | np.integer) and seed >= 0):
        raise RoundingError(f"seed must be a whole number >= 0. Got {seed!r} instead.")
    if budget is not None and not budget > 0:
        raise RoundingError(f"budget must be a number of seconds > 0, or None. Got {budget!r} instead.")
    rows = problem.n + problem.d + problem.c
    factor = relaxation.factor
    if factor.ndim != 2 or factor.shape[0] != rows or not np.all(np.isfinite(factor)):
        raise RoundingError(
            f"The relaxation's factor must be a finite array with the n+d+c = {rows} rows (s, u, v) of the problem. "
            f"Got shape {factor.shape} instead, or entries that are not finite: solve the relaxation of this problem."
        )


class Progress:
    """The networks a rounding meets: all their objectives, the best of them, and evenly thinned copies."""

    def __init__(self, problem: Problem, budget: float | None) -> None:
        self.problem = problem
        self.best = Network.zeros(problem.d, 0, problem.c, problem.activation)
        self.best_value = np.inf
        self._start = time.perf_counter()
        self._budget = budget
        self._trace: list[TraceRow] = []
        self._iterates: list[Network] = []
        self._stride = 1

    @property
    def seconds(self) -> float:
        """Seconds since the rounding began."""
        return time.perf_counter() - self._start

    @property
    def out_of_time(self) -> bool:
        """Whether the time limit is over."""
        return self._budget is not None and self.seconds >= self._budget

    def add(self, network: Network, value: float | None = None) -> float:
        """Take note of a network.

        Args:
            network: the next iterate.
            value: its training objective, computed if None.

        Returns:
            The training objective.

        Raises:
            ProblemError: a network for other data, where its objective is computed.
        """
        if value is None:
            value = self.problem.objective(network)
        if len(self._trace) % self._stride == 0:
            self._iterates.append(network)
        if len(self._iterates) >= MAX_ITERATES:
            self._iterates = self._iterates[::2]
            self._stride *= 2
        self._trace.append(TraceRow(self.seconds, len(self._trace), value))
        if value < self.best_value:
            self.best, self.best_value = network, value
        return value

    def fit(self, network: Network | None = None, *, status: Status = Status.OK, message: str = "") -> Fit:
        """The result of the rounding.

        Args:
            network: the one to return; None for the one of least training objective.
            status: how the rounding ended; `ok` becomes `timeout` when out of time.
            message: why, for a status other than `ok`.

        Returns:
            The network with trace, statistics and iterates.
        """
        network = network or self.best
        if status == Status.OK and self.out_of_time:
            status, message = Status.TIMEOUT, "the rounding stopped at the time limit"
        return Fit(
            predict=network.predict,
            network=network,
            value=self.problem.objective(network),
            trace=tuple(self._trace),
            stats=Statistics(iterations=len(self._trace), round_s=self.seconds),
            status=status,
            message=message,
            iterates=(*self._iterates, network),
        )


def padded(network: Network, width: int) -> Network:
    """The network with zero neurons added.

    Args:
        network: at most `width` neurons.
        width: neurons wanted.

    Returns:
        The network of `width` neurons.
    """
    idle = (0, width - network.width)
    return replace(network, U=np.pad(network.U, ((0, 0), idle)), V=np.pad(network.V, (idle, (0, 0))))
