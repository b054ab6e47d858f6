"""fit: one method on one problem, with all it claims checked. For notebooks; runs go through engine/."""

from __future__ import annotations

import textwrap
from dataclasses import replace
from typing import Any

from ..solvers.arguments import checked
from ..solvers.fit import Fit
from ..solvers.problem import Problem
from ..solvers.sdp import Budget, Seed, Width
from .engine.calls import fitting
from .grid.methods import check_options, find
from .grid.methods import options as options_of
from .grid.registry import METHODS
from .scoring.gate import claim, prove, settle
from .scoring.outcome import checked_fit
from .scoring.result import Result
from .text import require


@checked
def fit(
    problem: Problem,
    method: str = "sdp",
    *,
    width: Width = 100,
    seed: Seed = 0,
    budget: Budget = None,
    **options: Any,
) -> Fit:
    """Train on one problem with any method, and check what it claims.

    Args:
        problem: X, Y and γ.
        method: a name from `methods`, or `path/file.py:function`.
        width: neurons m; a method without a width does not use it.
        seed: of what the method draws.
        budget: seconds, after which the best so far comes back; None for no limit.
        options: options of the method; all of them are at the end.

    Returns:
        The method's Fit with `objective`, that of its network, and `lower_bound`, what the checker proves from its
        certificate. None where there is no network, or nothing was proved; then the message says why.

    Raises:
        RelaxbenchError: an unknown method, option or value, or a method that does not return a Fit.

    Example:
        >>> import relaxbench as rb
        >>> problem = rb.Problem([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], [1.0, 1.0, 0.0], gamma=0.1)
        >>> fit = rb.fit(problem, method="cpp", gap=0.01)
        >>> print(fit.status, f"{fit.lower_bound:.2f} {fit.objective:.2f}", fit.gap <= 0.01)
        ok 0.26 0.26 True
    """
    require("problem", problem, Problem, "make one by relaxbench.Problem(X, Y, gamma)")
    found = find(method)
    call = fitting(found, check_options(found, options), {"width": width, "seed": seed})
    return settled(problem, call(problem, budget))


def settled(problem: Problem, fit: object) -> Fit:
    """What a method returned, its objective computed and its bound proved again.

    Args:
        problem: X, Y and γ.
        fit: what the method returned.

    Returns:
        The Fit with `objective`, `lower_bound` and the message of the proof.

    Raises:
        ContractError: it is no Fit.
    """
    fit = checked_fit(fit)
    claimed = claim(fit.certificate)
    result = Result({**claimed.columns, "message": fit.message}, claimed.arrays, kind=claimed.kind)
    verdicts = [prove(result, problem)] if result.kind else []
    (settled,) = settle([result], verdicts)
    return replace(
        fit,
        objective=None if fit.network is None else problem.objective(fit.network),
        lower_bound=settled.columns.get("lower_bound"),
        message=settled.columns["message"],
    )


def _all_options() -> str:
    """Every option of every method of the registry, the default first, then the other values it may have."""
    lines = ["", "Options, the default first::", ""]
    for method in METHODS.values():
        lines.append(f"    {method.name}: {method.about}")
        for name, values in options_of(method).items():
            lines += textwrap.wrap(
                f"{name} = {values}", 110, initial_indent=" " * 8, subsequent_indent=" " * 12, break_on_hyphens=False
            )
    return "\n".join([*lines, ""])


fit.__doc__ = f"{textwrap.dedent(' ' * 4 + (fit.__doc__ or ''))}{_all_options()}"  # help(relaxbench.fit) shows it
