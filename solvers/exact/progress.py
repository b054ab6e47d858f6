"""What a run has to show at any moment: its best columns, its best proved Θ, and how they came about."""

from __future__ import annotations

import time
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ..atoms.columns import Columns
from ..fit import TraceRow
from ..network import Array
from ..problem import Problem


class Progress:
    """Keeps the best of everything, in the scaled problem's units; the trace is in the user's (times `unit`)."""

    def __init__(self, problem: Problem, unit: float, budget: float | None) -> None:
        X, Y = problem.X, problem.Y
        live = np.any(X != 0, axis=1)
        self.columns = Columns(np.zeros((X.shape[1], 0)), np.zeros(0), Y, 0.5 * float(np.sum(Y**2)))
        self.theta = Y * ~live[:, None]
        self.proof: Mapping[str, NDArray] = {}
        self.trace: list[TraceRow] = []
        self.info: dict[str, float | int | str] = {}
        self.out_of_time = False
        self.lower = 0.5 * float(np.sum(self.theta**2))
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
        """Put Θ on record, scaled until h ≤ γ, if its bound is the best so far. Rows of X that are zero keep Θ_i = y_i.

        Args:
            theta: Θ (n, c).
            eta: η ≥ max h.
            proof: arrays that prove η, if there are any.
        """
        scaled, lower = feasible(theta, self._Y, self._gamma, self._live, eta)
        if lower > self.lower:
            self.theta, self.lower, self.proof = scaled, lower, proof or {}
            self._note()

    def _note(self) -> None:
        value, bound = self.columns.value * self._unit, self.lower * self._unit
        self.trace.append(TraceRow(self.seconds, len(self.trace), value=value, bound=bound))


def feasible(theta: Array, Y: Array, gamma: float, live: NDArray[np.bool_], eta: float) -> tuple[Array, float]:
    """Scale Θ on the live rows by the best t ≤ γ/η; the others keep Θ_i = y_i.

    Args:
        theta: Θ (n, c).
        Y: targets (n, c).
        gamma: γ.
        live: which rows of X are not zero (n,).
        eta: η ≥ max h.

    Returns:
        The scaled Θ, and its dual value ⟨Θ, Y⟩ − ½‖Θ‖².
    """
    linear = float(np.sum(theta[live] * Y[live]))
    square = float(np.sum(theta[live] ** 2))
    t = min(gamma / eta if eta > 0 else np.inf, linear / square if square > 0 else 0.0)
    scaled = np.where(live[:, None], max(t, 0.0) * theta, Y)
    return scaled, float(np.sum(scaled * Y) - 0.5 * np.sum(scaled**2))
