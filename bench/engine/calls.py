"""The call that a task comes down to, with every function loaded before a clock starts."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ...datasets import Dataset
from ...solvers.fit import Fit, Status
from ...solvers.network import Array
from ...solvers.problem import Problem
from ..grid.cell import Cell
from ..grid.methods import load, split_options, takes
from ..grid.registry import METHODS, Method
from ..scoring.crossval import cross_validate
from ..scoring.validation import Candidates, Settings, fit_folds
from .task import RELAX_SHARE, Task

LAST_SHARE = 0.05  # of the budget, for the rounding however late it is
FIXED_SEED = 0  # for a method that draws although its seed is no axis of the grid


def call_of(task: Task, problem: Problem) -> Callable[[], Any]:
    """The call to make, with every function loaded."""
    cell = task.cells[0]
    method, axes = cell.method, axes_of(cell)
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
    fit = fitting(method, cell.options, axes)
    return lambda: fit(problem, task.budget)


def cross_validation(task: Task, dataset: Dataset) -> Callable[[], Any]:
    """The call to make where γ is to be chosen; the test rows stay here."""
    (cell,) = task.cells
    fit, X, Y = fitting(cell.method, cell.options, axes_of(cell)), dataset.X_train, dataset.Y_train
    classes, seed = dataset.labels is not None, cell.data.seed
    make = cell.data.problem
    return lambda: cross_validate(fit, X, Y, classes=classes, seed=seed, budget=task.budget, make=make)


def validation(task: Task, folds: Sequence[Dataset], split: Dataset) -> Callable[[], Any]:
    """The call to make where γ and more are to be chosen for all folds at once; test rows of folds stay here."""
    cell = task.cells[0]
    method, axes = cell.method, axes_of(cell)

    def made(settings: Settings) -> Callable[[Problem, float | None], Fit]:
        return fitting(method, {**cell.options, **settings}, axes)

    candidates = Candidates(made, method.choices, method.gamma_unit, cell.data.problem)
    return lambda: fit_folds(candidates, split, folds, task.budget)


def fitting(
    method: Method, options: Mapping[str, Any], axes: Mapping[str, int | None]
) -> Callable[[Problem, float | None], Fit]:
    """Make a method with its options, both stages of it if it has two, a function of problem and budget.

    Args:
        method: the method.
        options: its options by name.
        axes: width and seed, of which it gets those that it takes.

    Returns:
        The function, everything it calls loaded. On a problem that the method is not made for it returns a Fit that
        says so.
    """
    call = _fitting(method, options, axes)

    def applied(problem: Problem, budget: float | None) -> Fit:
        refused = method.refusal(str(problem.activation), problem.loss)
        return Fit(_nothing, status=Status.UNSUPPORTED, message=refused) if refused else call(problem, budget)

    return applied


def _nothing(rows: Array) -> Array:
    """The predictor of a method that does not apply."""
    return np.full((len(rows), 1), np.nan)


def _fitting(
    method: Method, options: Mapping[str, Any], axes: Mapping[str, int | None]
) -> Callable[[Problem, float | None], Fit]:
    """The function of a method that is made for the problem."""
    if not method.relax:
        function = load(method.function)
        taken = {axis: value for axis, value in axes.items() if takes(function, axis)}
        call = _warmed(function) if method.name in METHODS else function
        return lambda problem, budget: call(problem, budget=budget, **taken, **options)
    relaxing, rounding = split_options(method, options)
    relax, round_ = _warmed(load(method.relax)), load(method.round)

    def both(problem: Problem, budget: float | None) -> Fit:
        begin = time.perf_counter()
        relaxation = relax(problem, budget=budget and RELAX_SHARE * budget, **relaxing)
        left = budget and max(budget - (time.perf_counter() - begin), LAST_SHARE * budget)
        fit = round_(problem, relaxation, budget=left, **axes, **rounding)
        status = relaxation.status if fit.status == Status.OK else fit.status
        certificate = relaxation.certificate if fit.certificate is None else fit.certificate
        info, stats = {**fit.info, **relaxation.info}, replace(fit.stats, **relaxation.stats.known())
        return replace(fit, status=status, certificate=certificate, info=info, stats=stats)

    return both


def _warmed(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, given as `warm` what it returned last for the same X if it takes that, to start from there."""
    if not takes(function, "warm"):
        return function
    last: dict[bytes, Any] = {}

    def again(problem: Problem, **given: Any) -> Any:
        rows = problem.X.tobytes()
        last[rows] = function(problem, warm=last.get(rows), **given)
        return last[rows]

    return again


def axes_of(cell: Cell) -> dict[str, int | None]:
    """Width and seed to call a method with; a seed always, as without one it would draw from the system."""
    return {"width": cell.width, "seed": FIXED_SEED if cell.seed is None else cell.seed}
