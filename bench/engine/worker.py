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
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np

from ...datasets import Dataset
from ...solvers.fit import Fit, Status
from ...solvers.problem import Problem
from ..canonical import canonical
from ..grid.cell import Cell
from ..grid.methods import load, split_options, takes
from ..memory import peak_memory, reset_peak_memory
from ..scoring.crossval import cross_validate
from ..scoring.gate import Verdict, settle
from ..scoring.gate import prove as proof
from ..scoring.metrics import ContractError
from ..scoring.outcome import Measured, cell_result, relaxation_result, rounded_result
from ..scoring.result import Result
from ..text import one_line
from .task import RELAX_SHARE, Task, ended

KEPT_DATASETS = 4
FIXED_SEED = 0  # for a method that draws although its seed is no axis of the grid


@dataclass
class _Bench:
    """The task in hand, which stays in this process between the calls of `prepare`, `work` and `collect`.

    Where the call chooses γ, it returns the problem at that γ beside the Fit.
    """

    task: Task
    dataset: Dataset
    call: Callable[[], Any]
    setup_s: float
    returned: Any = None
    measured: Measured | None = None


_bench: _Bench | None = None
_claims: list[Callable[[], Verdict]] = []
_datasets: dict[str, Dataset] = {}
_rehearsed: set[str] = set()


def prepare(task: Task) -> list[Result] | None:
    """Imports and data, before the clock starts; results if this already failed."""
    global _bench
    begin = time.perf_counter()
    try:
        cell = task.cells[0]
        for module in cell.method.warm:
            import_module(module)
        dataset = _dataset(cell)
        if cell.gamma is None:
            call = _cross_validation(task, dataset)
        else:
            call = _call(task, Problem(dataset.X_train, dataset.Y_train, cell.gamma))
        _rehearse(task)
        _seed_globals(cell)
    except BaseException as error:
        return _failed(task, error)
    _bench = _Bench(task, dataset, call, time.perf_counter() - begin)
    return None


def work() -> list[Result] | None:
    """The method itself, timed; results if it raised."""
    bench = _in_hand()
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


def collect() -> list[Result]:
    """Scores and arrays of what the method returned; what it claims of bounds is left to `prove`."""
    global _bench, _claims
    bench, _bench = _in_hand(), None
    try:
        results, data, gamma = _results(bench), bench.dataset, bench.task.cells[0].gamma
    except BaseException as error:
        return _failed(bench.task, error)
    _claims = [
        partial(proof, result, data.X_train, data.Y_train, result.columns.get("gamma", gamma))
        for result in results
        if result.kind
    ]
    return results


def prove() -> list[Verdict]:
    """What the checker makes of the bounds that were collected last, one verdict for each result that has one."""
    global _claims
    claims, _claims = _claims, []
    return [check() for check in claims]


def perform(task: Task) -> list[Result]:
    """The four in one go, in this process."""
    results = prepare(task) or work() or collect()
    return settle(results, prove())


def _in_hand() -> _Bench:
    if _bench is None:
        raise RuntimeError("prepare must come before work, and work before collect")
    return _bench


def _results(bench: _Bench) -> list[Result]:
    task, dataset, measured = bench.task, bench.dataset, bench.measured
    assert measured is not None
    if task.cells[0].gamma is None:
        problem, fit = bench.returned
        result = cell_result(problem, dataset, task.cells[0], fit, measured)
        known = result.columns["status"] != Status.UNSUPPORTED
        return [replace(result, columns={**result.columns, "gamma": problem.gamma if known else None})]
    # A new one, as the method may have changed the one that it had.
    problem = Problem(dataset.X_train, dataset.Y_train, task.cells[0].gamma)
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


def _dataset(cell: Cell) -> Dataset:
    key = canonical([cell.data.sha256, cell.data.source, cell.data.seed, cell.data.options])
    if key not in _datasets:
        while len(_datasets) >= KEPT_DATASETS:
            del _datasets[next(iter(_datasets))]
        _datasets[key] = cell.data.load()
    return _datasets[key]


def _call(task: Task, problem: Problem) -> Callable[[], Any]:
    """The call to make, with every function loaded."""
    cell = task.cells[0]
    method, axes = cell.method, _axes(cell)
    if task.relaxing or task.relaxation is not None:
        relaxing, rounding = split_options(method, cell.options)
        if task.relaxing:
            relax = load(method.relax)
            return lambda: relax(problem, budget=task.budget, **relaxing)
        round_ = load(method.round)
        return lambda: round_(problem, task.relaxation, budget=task.budget, **axes, **rounding)
    if len(task.cells) > 1:
        batch, seeds = load(method.batch), [cell.seed for cell in task.cells]
        return lambda: batch(problem, width=cell.width, seeds=seeds, budget=task.budget, **cell.options)
    fit = _fitting(cell)
    return lambda: fit(problem, task.budget)


def _cross_validation(task: Task, dataset: Dataset) -> Callable[[], Any]:
    """The call to make where γ is to be chosen; the test rows stay here."""
    (cell,) = task.cells
    fit, X, Y = _fitting(cell), dataset.X_train, dataset.Y_train
    classes, seed = dataset.labels is not None, cell.data.seed
    return lambda: cross_validate(fit, X, Y, classes=classes, seed=seed, budget=task.budget)


def _fitting(cell: Cell) -> Callable[[Problem, float], Fit]:
    """The method of a cell with its options, both stages of it if it has two."""
    method, axes = cell.method, _axes(cell)
    if not method.relax:
        function = load(method.function)
        taken = {axis: value for axis, value in axes.items() if takes(function, axis)}
        return lambda problem, budget: function(problem, budget=budget, **taken, **cell.options)
    relaxing, rounding = split_options(method, cell.options)
    relax, round_ = load(method.relax), load(method.round)
    solved: dict[bytes, Any] = {}  # the last relaxation of each fold, from which the next γ can start

    def both(problem: Problem, budget: float) -> Fit:
        begin = time.perf_counter()
        fold = problem.X.tobytes()
        warm = {"warm": solved.get(fold)} if takes(relax, "warm") else {}
        relaxation = solved[fold] = relax(problem, budget=RELAX_SHARE * budget, **relaxing, **warm)
        left = max(budget - (time.perf_counter() - begin), 0.05 * budget)
        fit = round_(problem, relaxation, budget=left, **axes, **rounding)
        status = relaxation.status if fit.status == Status.OK else fit.status
        proved = relaxation.certificate if fit.certificate is None else fit.certificate
        info, stats = {**fit.info, **relaxation.info}, replace(fit.stats, **relaxation.stats.known())
        return replace(fit, status=status, certificate=proved, info=info, stats=stats)

    return both


def _axes(cell: Cell) -> dict[str, int | None]:
    """Width and seed to call a method with; a seed always, as without one it would draw from the system."""
    return {"width": cell.width, "seed": FIXED_SEED if cell.seed is None else cell.seed}


def _seed_globals(cell: Cell) -> None:
    """A method that draws from a global generator gets the same numbers, whatever this process did before."""
    seed = _axes(cell)["seed"]
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002


def _rehearse(task: Task) -> None:
    """The call once on a tiny problem, if its method asks for it; what comes of it is nobody's concern.

    It has three features, as with fewer `cpp` takes a way on which there is nothing to compile.
    """
    method, options = task.cells[0].method, task.cells[0].options
    key = canonical([method.name, options])
    if not method.rehearse or task.relaxation is not None or key in _rehearsed:
        return
    _rehearsed.add(key)
    tiny = Problem(np.vstack([np.eye(3), np.ones(3)]), np.eye(4)[:, :2], 0.1)
    with contextlib.suppress(Exception):
        _fitting(task.cells[0])(tiny, task.budget) if task.cells[0].gamma is None else _call(task, tiny)()


def _failed(task: Task, error: BaseException, **columns: float) -> list[Result]:
    status = Status.MEMORY if isinstance(error, MemoryError) else Status.FAILED
    return ended(task, status, one_line(error), "".join(traceback.format_exception(error)), **columns)
