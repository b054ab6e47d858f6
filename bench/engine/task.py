"""Task and Result: what goes to a worker and what comes back, as plain values that any engine can carry."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from ...solvers.certificates.certificate import Certificate
from ...solvers.fit import Statistics, Status, TraceRow
from ...solvers.relaxation import Relaxation
from ..grid.cell import Cell
from ..results.record import Record, TraceLine
from ..scoring.result import Cost, Result, saved_network

BUDGET_SHARE = 0.9  # of the timeout: a method that keeps its budget ends with its best before it is killed
RELAX_SHARE = 0.8  # of that budget, so that time is left to round


@dataclass(frozen=True)
class Task:
    """The cells of one call: one cell, all seeds of a batch method, or all that wait for a relaxation to be solved.

    timeout: seconds of work for each cell. relaxing: solve the relaxation that the cells share.
    relaxation: it is solved already, at this cost and with this bound. memory: bytes that the worker may hold.
    """

    cells: tuple[Cell, ...]
    timeout: float
    relaxing: bool = False
    relaxation: Relaxation | None = None
    spent: Cost = field(default_factory=Cost)
    bound: Mapping[str, Any] = field(default_factory=dict)
    memory: float = math.inf

    @property
    def limit(self) -> float:
        """Seconds after which the work is ended from outside."""
        if self.relaxing:
            return self.timeout
        return max(self.timeout - self.spent.solve_s, 0.1 * self.timeout) * len(self.cells)

    @property
    def budget(self) -> float:
        """Seconds that the method is told it has, for the whole call."""
        if self.relaxing:
            return RELAX_SHARE * BUDGET_SHARE * self.timeout
        return max(BUDGET_SHARE * self.timeout - self.spent.solve_s, 0.05 * self.timeout) * len(self.cells)

    @property
    def label(self) -> str:
        """A few words for the progress line."""
        first = self.cells[0]
        if self.relaxing:
            return f"{first.data.name} {first.method.name} γ={first.gamma:g} relaxation"
        return first.label + (f" and {len(self.cells) - 1} more seeds" if len(self.cells) > 1 else "")


def ended(task: Task, status: Status, message: str, traceback: str = "", **columns: float) -> list[Result]:
    """One result for each of the task's cells (one in all for a relaxation) of work that did not come to its end."""
    result = Result({"status": status.value, "message": message, **columns}, traceback=traceback)
    return [result] * (1 if task.relaxing else len(task.cells))


def saved_relaxation(
    record: Record, arrays: Mapping[str, NDArray[Any]], trace: Sequence[TraceLine], activation: str
) -> Relaxation:
    """The relaxation that a worker solved, from its record.

    Args:
        record: row and extra.
        arrays: its arrays.
        trace: its trace.
        activation: of its problem.

    Returns:
        The relaxation.
    """
    row, certificate = record.row, None
    if row.get("certificate"):
        certificate = Certificate.from_arrays(row["certificate"], arrays, row["lower_bound"])
    return Relaxation(
        arrays["factor"],
        row["relaxation_value"] if row["relaxation_value"] is not None else float("nan"),
        certificate,
        saved_network(arrays, activation),
        [TraceRow(*line[1:]) for line in trace],
        record.extra["info"],
        Status(row["status"]),
        row["message"] or "",
        stats=Statistics.of(record.extra["info"]),
    )


def cost(record: Record) -> Cost:
    """What a relaxation took.

    Args:
        record: its record.

    Returns:
        Its cost; what was not measured is 0.
    """
    return Cost(*(float(record.row.get(name) or 0.0) for name in ("solve_s", "setup_s", "cpu_s", "peak_memory_mb")))
