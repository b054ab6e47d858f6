"""fit: one method on one problem, with all it claims checked. For notebooks; runs go through engine/."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..solvers.fit import Fit
from ..solvers.problem import Problem
from .engine.calls import fitting
from .grid.methods import check_options, find
from .scoring.gate import claim, prove, settle
from .scoring.outcome import checked_fit
from .scoring.result import Result


def fit(
    problem: Problem,
    method: str = "sdp",
    *,
    width: int = 100,
    seed: int = 0,
    budget: float | None = None,
    **options: Any,
) -> Fit:
    """Train on one problem with any method, and check what it claims.

    Args:
        problem: X, Y and γ.
        method: a name from `methods`, or `path/file.py:function`.
        width: neurons m; a method without a width does not use it.
        seed: of what the method draws.
        budget: seconds, after which the best so far comes back; None for no limit.
        options: options of the method, as `relaxbench list` shows them.

    Returns:
        The method's Fit with `objective`, that of its network, and `lower_bound`, what the checker proves from its
        certificate. None where there is no network, or nothing was proved; then the message says why.

    Raises:
        RelaxbenchError: an unknown method, option or value, or a method that does not return a Fit.

    Example:
        >>> import relaxbench as rb
        >>> problem = rb.Problem([[1.0], [2.0], [-1.0]], [[1.0], [2.0], [0.0]], gamma=0.1)
        >>> fit = rb.fit(problem, method="cpp", width=10)
        >>> fit.status
        <Status.OK: 'ok'>
        >>> fit.lower_bound <= fit.objective < 0.1
        True
    """
    found = find(method)
    call = fitting(found, check_options(found, options), {"width": width, "seed": seed})
    fit = checked_fit(call(problem, budget))
    claimed = claim(fit.certificate)
    result = Result({**claimed.columns, "message": fit.message}, claimed.arrays, kind=claimed.kind)
    verdicts = [prove(result, problem.X, problem.Y, problem.gamma)] if result.kind else []
    (settled,) = settle([result], verdicts)
    return replace(
        fit,
        objective=None if fit.network is None else problem.objective(fit.network),
        lower_bound=settled.columns.get("lower_bound"),
        message=settled.columns["message"],
    )
