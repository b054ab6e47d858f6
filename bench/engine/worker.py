"""What happens to one task inside a worker: prepare, work, collect, prove.

Only `work` is timed and under the time limit.

Nothing here touches the run's folder: a Task comes in, a list of Results goes out.
"""

from __future__ import annotations

import contextlib
import random
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, partial
from importlib import import_module
from typing import Any

import numpy as np

from ...datasets import Dataset
from ...solvers.fit import Status
from ...solvers.problem import Problem
from ..canonical import canonical
from ..grid.cell import Cell
from ..grid.spec import VALIDATION
from ..memory import peak_memory, reset_peak_memory
from ..scoring.gate import Verdict
from ..scoring.gate import prove as proof
from ..scoring.metrics import ContractError
from ..scoring.outcome import Measured, cell_result, relaxation_result, rounded_result
from ..scoring.result import Result
from ..text import one_line
from .calls import axes_of, call_of, cross_validation, validation
from .task import Task, ended

KEPT_DATASETS = 4


def step(name: str, *given: Any) -> Any:
    """One step of this process's worker by its name, for an engine that calls it from outside."""
    return getattr(_worker(), name)(*given)


@cache
def _worker() -> Worker:
    return Worker()


@dataclass
class _Bench:
    """The task in hand. Where the call chooses γ, it returns the problem at that γ beside the Fit."""

    task: Task
    datasets: list[Dataset]  # of each cell
    call: Callable[[], Any]
    setup_s: float
    returned: Any = None
    measured: Measured | None = None


class Worker:
    """Works on one task after the other. Keeps data sets from task to task, and what was rehearsed."""

    def __init__(self) -> None:
        self._bench: _Bench | None = None
        self._claims: list[Callable[[], Verdict]] = []
        self._datasets: dict[str, Dataset] = {}
        self._rehearsed: set[str] = set()

    def prepare(self, task: Task) -> list[Result] | None:
        """Import what a task needs and load its data, before the clock starts.

        Args:
            task: the task.

        Returns:
            None; results if this already failed.
        """
        begin = time.perf_counter()
        try:
            cell = task.cells[0]
            for module in cell.method.warm:
                import_module(module)
            datasets = [self._dataset(each) for each in task.cells]
            dataset = datasets[0]
            if cell.gamma_by == VALIDATION:
                call = validation(task, datasets, cell.data.validation())
            elif cell.gamma is None:
                call = cross_validation(task, dataset)
            else:
                call = call_of(task, cell.data.problem(dataset.X_train, dataset.Y_train, cell.gamma))
            self._rehearse(task)
            _seed_globals(cell)
        except BaseException as error:
            return _failed(task, error)
        self._bench = _Bench(task, datasets, call, time.perf_counter() - begin)
        return None

    def work(self) -> list[Result] | None:
        """The method itself, timed; results if it raised."""
        bench = self._in_hand()
        reset_peak_memory()
        begin, cpu_begin = time.perf_counter(), time.process_time()
        try:
            bench.returned = bench.call()
        except BaseException as error:
            seconds, cpu_s = time.perf_counter() - begin, time.process_time() - cpu_begin
            return _failed(bench.task, error, runtime_s=seconds, cpu_s=cpu_s, peak_memory_mb=peak_memory())
        seconds, cpu_s = time.perf_counter() - begin, time.process_time() - cpu_begin
        cells = 1 if bench.task.relaxing else len(bench.task.cells)
        bench.measured = Measured(seconds, cpu_s, bench.setup_s, peak_memory(), cells)
        return None

    def collect(self) -> list[Result]:
        """Scores and arrays of what the method returned; what it claims of bounds is left to `prove`."""
        bench, self._bench = self._in_hand(), None
        try:
            results, cell = _results(bench), bench.task.cells[0]
        except BaseException as error:
            return _failed(bench.task, error)
        self._claims = [
            partial(_proved, result, data, cell)
            for result, data in zip(results, bench.datasets, strict=False)
            if result.kind
        ]
        return results

    def prove(self) -> list[Verdict]:
        """What the checker makes of the bounds that were collected last, one verdict for each result that has one."""
        claims, self._claims = self._claims, []
        return [check() for check in claims]

    def _in_hand(self) -> _Bench:
        if self._bench is None:
            raise RuntimeError("prepare must come before work, and work before collect")
        return self._bench

    def _dataset(self, cell: Cell) -> Dataset:
        key = canonical([cell.data.sha256, cell.data.source, cell.data.seed, cell.data.options])
        if key not in self._datasets:
            while len(self._datasets) >= KEPT_DATASETS:
                del self._datasets[next(iter(self._datasets))]
            self._datasets[key] = cell.data.load()
        return self._datasets[key]

    def _rehearse(self, task: Task) -> None:
        """The call once on a tiny problem, if its method asks for it; what comes of it does not matter.

        It has three features, as with fewer `cpp` takes a route on which there is nothing to compile.
        """
        cell = task.cells[0]
        key = canonical([cell.method.name, cell.options, cell.data.activation, cell.data.loss])
        if not cell.method.rehearse or task.relaxation is not None or key in self._rehearsed:
            return
        self._rehearsed.add(key)
        tiny = cell.data.problem(np.vstack([np.eye(3), np.ones(3)]), np.eye(2)[[0, 1, 0, 1]], 0.1)
        with contextlib.suppress(Exception):
            call_of(task, tiny)()


def _proved(result: Result, data: Dataset, cell: Cell) -> Verdict:
    gamma = float(result.columns.get("gamma", cell.gamma))
    return proof(result, cell.data.problem(data.X_train, data.Y_train, gamma))


def _results(bench: _Bench) -> list[Result]:
    task, dataset, measured = bench.task, bench.datasets[0], bench.measured
    assert measured is not None
    if task.cells[0].gamma_by == VALIDATION:
        return [
            _chosen(cell_result(problem, data, cell, fit, measured), problem, cell, chosen)
            for cell, data, (problem, fit, chosen) in zip(task.cells, bench.datasets, bench.returned, strict=True)
        ]
    if task.cells[0].gamma is None:
        problem, fit = bench.returned
        return [_chosen(cell_result(problem, dataset, task.cells[0], fit, measured), problem, task.cells[0])]
    # A new one, as the method may have changed the one that it had.
    problem = task.cells[0].data.problem(dataset.X_train, dataset.Y_train, task.cells[0].gamma)
    if task.relaxing:
        return [relaxation_result(problem, bench.returned, measured)]
    if task.relaxation is not None:
        (cell,) = task.cells
        given = task.relaxation, task.spent, task.bound
        return [rounded_result(problem, dataset, cell, bench.returned, measured, *given)]
    fits = bench.returned if len(task.cells) > 1 else [bench.returned]
    if not isinstance(fits, list | tuple) or len(fits) != len(task.cells):
        raise ContractError(
            f"The method must return a list of {len(task.cells)} Fits. Got {type(fits).__name__} instead."
        )
    return [cell_result(problem, dataset, cell, fit, measured) for cell, fit in zip(task.cells, fits, strict=True)]


def _chosen(result: Result, problem: Problem, cell: Cell, settings: str | None = None) -> Result:
    """The result with the γ and the settings that were chosen for it."""
    known = result.columns["status"] != Status.UNSUPPORTED and cell.method.gamma_unit is not None
    return replace(result, columns={**result.columns, "gamma": problem.gamma if known else None, "chosen": settings})


def _seed_globals(cell: Cell) -> None:
    """A method that draws from a global generator gets the same numbers, whatever this process did before."""
    seed = axes_of(cell)["seed"]
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002


def _failed(task: Task, error: BaseException, **columns: float) -> list[Result]:
    status = Status.MEMORY if isinstance(error, MemoryError) else Status.FAILED
    return ended(task, status, one_line(error), "".join(traceback.format_exception(error)), **columns)
