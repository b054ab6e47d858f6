"""What a run has to show at any moment: its best columns, its best proved Θ, and how they came about."""

from __future__ import annotations

import time
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ..atoms.columns import Columns, empty
from ..fit import TraceRow
from ..loss import LOSS, Loss
from ..network import Array
from ..problem import Problem


class Progress:
    """Keeps the best of everything, in the scaled problem's units; the trace is in the user's (times `unit`)."""

    def __init__(self, problem: Problem, unit: float, budget: float | None) -> None:
        X, Y = problem.X, problem.Y
        live = np.any(X != 0, axis=1)
        self.columns = empty(problem)
        self._loss = LOSS[problem.loss]
        self.theta = self.columns.theta * ~live[:, None]
        self.proof: Mapping[str, NDArray] = {}
        self.trace: list[TraceRow] = []
        self.info: dict[str, float | int | str] = {}
        self.out_of_time = False
        self.lower = self._loss.dual(self.theta, Y)
        self._Y, self._gamma, self._live, self._unit = Y, problem.gamma, live, unit
        self._start, self._budget = time.perf_counter(), budget

    @property
    def seconds(self) -> float:
        """Since the start."""
        return time.perf_counter() - self._start

    @property
    def gap(self) -> float:
        """(upper − lower)/upper of what is on record; 0 if there is nothing left to fit."""
        upper = self.columns.value
        return (upper - self.lower) / upper if upper > 0 else 0.0

    def late(self, share: float = 1.0, ahead: float = 0.0) -> bool:
        """Say whether a share of the time limit will have passed.

        `out_of_time` remembers that the whole limit would have.

        Args:
            share: of the time limit.
            ahead: seconds from now.

        Returns:
            Whether it will; never without a limit.
        """
        late = self._budget is not None and self.seconds + ahead >= share * self._budget
        self.out_of_time |= late and share == 1
        return late

    def primal(self, columns: Columns) -> None:
        """Put columns on record.

        Args:
            columns: kept if their objective is the lowest so far.
        """
        if columns.value < self.columns.value:
            self.columns = columns
        self._note()

    def dual(self, theta: Array, eta: float, proof: Mapping[str, NDArray] | None = None) -> None:
        """Put Θ on record, scaled until h ≤ γ, if its bound is the best so far; see `feasible`.

        Args:
            theta: Θ (n, c).
            eta: η ≥ max h.
            proof: arrays that prove η, if there are any.
        """
        scaled, lower = feasible(self._loss, theta, self._Y, self._gamma, self._live, eta)
        if lower > self.lower:
            self.theta, self.lower, self.proof = scaled, lower, proof or {}
            self._note()

    def _note(self) -> None:
        value, bound = self.columns.value * self._unit, self.lower * self._unit
        self.trace.append(TraceRow(self.seconds, len(self.trace), value=value, bound=bound))


def feasible(
    loss: Loss, theta: Array, Y: Array, gamma: float, live: NDArray[np.bool_], eta: float
) -> tuple[Array, float]:
    """Scale Θ on the live rows by the best t ≤ γ/η; on the others it is the slope of the zero network, which is best.

    Args:
        loss: of the problem.
        theta: Θ (n, c).
        Y: targets (n, c).
        gamma: γ.
        live: which rows of X are not zero (n,).
        eta: η ≥ max h.

    Returns:
        The scaled Θ, and its dual value.
    """
    t = loss.step(theta[live], Y[live], gamma / eta if eta > 0 else np.inf)
    scaled = np.where(live[:, None], t * theta, loss.slope(np.zeros_like(Y), Y))
    return scaled, loss.dual(scaled, Y)
