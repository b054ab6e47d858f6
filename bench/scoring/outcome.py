"""What a method returned → Result: scored, timed and checked against the contract by the harness, not by the method."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...datasets import Dataset
from ...errors import shown
from ...solvers.fit import Fit, Statistics, Status
from ...solvers.network import Network
from ...solvers.problem import Problem
from ...solvers.relaxation import Relaxation
from ..grid.cell import Cell
from .gate import claim
from .metrics import OUTPUTS, ContractError, score, upper_bound
from .result import Cost, Result, network_arrays, trace_lines


@dataclass(frozen=True)
class Measured:
    """Seconds and 10⁶ bytes of one call, as the worker measured them, and how many cells share the call."""

    wall_s: float
    cpu_s: float
    setup_s: float
    peak_memory_mb: float
    cells: int = 1

    def cost(self, stats: Statistics) -> Cost:
        """The cost of one cell; compilation, which only the method can tell apart, counts as set-up.

        Args:
            stats: what the method says of its run.

        Returns:
            The cost.
        """
        compile_s = min(max(float(stats.compile_s or 0.0), 0.0), self.wall_s)
        solve_s, setup_s = self.wall_s - compile_s, self.setup_s + compile_s
        return Cost(solve_s / self.cells, setup_s / self.cells, self.cpu_s / self.cells, self.peak_memory_mb)


def relaxation_result(problem: Problem, relaxation: object, measured: Measured) -> Result:
    """The Result of a relaxation; what is claimed of the bound is not proved yet (gate.py).

    Args:
        problem: training data and γ.
        relaxation: what `relax` returned.
        measured: what it took.

    Returns:
        The Result, factor and certificate among its arrays.

    Raises:
        ContractError: not what `relax` has to return.
    """
    if not isinstance(relaxation, Relaxation):
        raise ContractError(f"relax must return a Relaxation. Got {type(relaxation).__name__} instead.")
    rows = problem.n + problem.d + problem.c
    if relaxation.factor.ndim != 2 or len(relaxation.factor) != rows:
        raise ContractError(
            f"The factor must have n + d + c = {rows} rows. Got shape {relaxation.factor.shape} instead."
        )
    status, message = _status(relaxation.status), relaxation.message
    if not np.isfinite(relaxation.factor).all():
        status, message = Status.DIVERGED, message or "the relaxation's factor is not finite"
    cost = measured.cost(_stats(relaxation.stats))
    claimed, network = claim(relaxation.certificate), _network(relaxation.network)
    columns = {
        **vars(cost),
        **claimed.columns,
        "upper_bound": upper_bound(problem, network),
        "relaxation_value": relaxation.value,
        "iterations": relaxation.stats.iterations,
        "status": status.value,
        "message": message,
    }
    arrays = {"factor": relaxation.factor, **network_arrays(network), **claimed.arrays}
    trace = trace_lines(relaxation.trace, "solve")
    return Result(columns, arrays, trace, info=_told(relaxation), kind=claimed.kind)


def cell_result(problem: Problem, dataset: Dataset, cell: Cell, fit: object, measured: Measured) -> Result:
    """The Result of a cell whose method does everything in one call; its claimed bound is not proved yet (gate.py).

    Args:
        problem: training data and γ.
        dataset: where the test rows are from.
        cell: the cell.
        fit: what the method returned.
        measured: what it took.

    Returns:
        The Result.

    Raises:
        ContractError: not what a method has to return.
    """
    fit = checked_fit(fit)
    cost = measured.cost(fit.stats)
    claimed = claim(fit.certificate)
    round_s = fit.stats.round_s
    columns = {
        **vars(cost),
        **claimed.columns,
        **_scores(problem, dataset, fit, cell.width),
        "upper_bound": upper_bound(problem, fit.network),
        "relaxation_value": fit.value if claimed.kind else None,
        "runtime_s": cost.solve_s,
        "solve_s": cost.solve_s - float(round_s or 0.0),
        "round_s": round_s,
        "iterations": fit.stats.iterations,
    }
    arrays = {**network_arrays(fit.network), **claimed.arrays}
    return Result(columns, arrays, trace_lines(fit.trace, "solve"), info=_told(fit), kind=claimed.kind)


def rounded_result(
    problem: Problem,
    dataset: Dataset,
    cell: Cell,
    fit: object,
    measured: Measured,
    relaxation: Relaxation,
    spent: Cost,
    bound: Mapping[str, Any],
) -> Result:
    """The Result of a cell that rounds a relaxation solved before.

    Args:
        problem: training data and γ.
        dataset: where the test rows are from.
        cell: the cell.
        fit: what `round` returned.
        measured: what it took.
        relaxation: the relaxation that was rounded.
        spent: cost of the relaxation.
        bound: columns of the relaxation's bound, which went through the gate when it was solved.

    Returns:
        The Result; the arrays of the certificate and of the relaxation's own network stay with the relaxation.

    Raises:
        ContractError: not what `round` has to return.
    """
    fit = checked_fit(fit)
    cost = measured.cost(fit.stats)
    scores = _scores(problem, dataset, fit, cell.width)
    if scores["status"] == Status.OK:
        scores["status"] = _status(relaxation.status).value
    scores["message"] = "; ".join(part for part in (relaxation.message, scores["message"]) if part)
    columns = {
        **bound,
        **scores,
        "upper_bound": upper_bound(problem, fit.network, relaxation.network),
        "relaxation_value": relaxation.value,
        "runtime_s": spent.solve_s + cost.solve_s,
        "solve_s": spent.solve_s,
        "round_s": cost.solve_s,
        "cpu_s": spent.cpu_s + cost.cpu_s,
        "setup_s": spent.setup_s + cost.setup_s,
        "peak_memory_mb": max(spent.peak_memory_mb, cost.peak_memory_mb),
        "iterations": fit.stats.iterations if relaxation.stats.iterations is None else relaxation.stats.iterations,
    }
    trace = [*trace_lines(relaxation.trace, "solve"), *trace_lines(fit.trace, "round")]
    return Result(columns, network_arrays(fit.network), trace, info={**_told(relaxation), **_told(fit)})


def _scores(problem: Problem, dataset: Dataset, fit: Fit, width: int | None) -> dict[str, Any]:
    """status, message and the scores of a Fit; what is not finite makes it `diverged`."""
    status, message = _status(fit.status), fit.message
    if status == Status.UNSUPPORTED:
        return {"status": status.value, "message": message}
    scores = score(problem, dataset, fit, width)
    if not all(np.isfinite(value) for value in scores.values()):
        status, message = Status.DIVERGED, message or "the objective or the outputs are not finite"
    scores.pop(OUTPUTS, None)  # no column: it only says that they are not finite
    return {**scores, "status": status.value, "message": message}


def checked_fit(fit: object) -> Fit:
    """What a method returned, its network as plain weights.

    Args:
        fit: whatever it returned.

    Returns:
        The Fit.

    Raises:
        ContractError: it is no Fit.
    """
    if not isinstance(fit, Fit):
        raise ContractError(f"The method must return a Fit. Got {type(fit).__name__} instead.")
    _stats(fit.stats)
    return fit if fit.network is None else replace(fit, network=_network(fit.network))


def _stats(stats: object) -> Statistics:
    if not isinstance(stats, Statistics):
        raise ContractError(f"stats must be a Statistics. Got {type(stats).__name__} instead.")
    return stats


def _told(what: Fit | Relaxation) -> dict[str, Any]:
    """All that a method says of its work, as the record keeps it."""
    return {**what.info, **what.stats.known()}


def _network(network: Network | None) -> Network | None:
    """Plain weights in float64: what is scored and saved is the network itself, whatever class a method made of it."""
    if network is None:
        return None
    if not isinstance(network, Network):
        raise ContractError(f"The network must be a Network or None. Got {type(network).__name__} instead.")
    U, V = (np.array(array, dtype=np.float64) for array in (network.U, network.V))
    return Network(U, V, network.activation)


def _status(status: Any) -> Status:
    try:
        return Status(status)
    except ValueError:
        raise ContractError(f"status must be one of {', '.join(Status)}. Got {shown(status)} instead.") from None
