"""The relaxation in CVXPY, to look at, to change, or to hand to any of CVXPY's solvers."""

from __future__ import annotations

from typing import Any

from ..conic.literal import paper_sdp
from ..conic.reduced import reduced_sdp
from ..network import ProblemError
from ..problem import Problem
from ..reduced.reduction import reduce
from .standard import Form


def cvxpy_problem(problem: Problem, form: Form = "reduced") -> Any:
    """The relaxation as a problem of CVXPY, whose value is that of the relaxation, in the user's units.

    Args:
        problem: X, Y and γ.
        form: `reduced`, with the variable Z over (s, u, v) of the merged rows, in unit scale: it has an interior, which
            solvers need; `literal`, with the variable Λ over (α, β, u, v), as the paper writes it.

    Returns:
        A cvxpy.Problem with one variable, named `Z` or `Λ`. What a solver says of it is no proof; `read_solution` and
        `certify` prove.

    Raises:
        RelaxbenchError: another form, or X = 0 in the reduced one.

    Example:
        >>> import relaxbench as rb
        >>> problem = rb.Problem([[1.0, 0.0], [0.0, 1.0]], [[1.0], [2.0]], gamma=0.1)
        >>> program = rb.cvxpy_problem(problem)
        >>> [variable.name() for variable in program.variables()]
        ['Z']
        >>> round(float(program.solve(solver="CLARABEL")), 4)
        0.2186
    """
    import cvxpy as cp

    if form == "literal":
        return paper_sdp(problem).program
    if form != "reduced":
        raise ProblemError(f"form must be 'reduced' or 'literal'. Got {form!r} instead.")
    reduced = reduce(problem)
    program = reduced_sdp(reduced).program
    value = reduced.unit * (program.objective.expr + reduced.constant)
    return cp.Problem(cp.Minimize(value), program.constraints)
