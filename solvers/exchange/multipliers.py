"""From an outside solver's multipliers to a certificate; nothing about them is believed."""

from __future__ import annotations

import numpy as np

from ..certificates.certificate import Certificate
from ..certificates.quadratic import certify
from ..network import Array, ProblemError
from ..problem import Problem
from ..reduced.dual import DualPoint, sharper, user_point
from ..reduced.lift import inequalities
from ..reduced.reduction import reduce
from .standard import StandardSDP

LARGEST = 1e100  # of a multiplier: its square is far from overflowing


def certificate_of(problem: Problem, program: StandardSDP, multipliers: Array) -> Certificate:
    """The certificate that multipliers of the program in standard form lead to.

    Args:
        problem: X, Y and γ.
        program: `standard_sdp` of it.
        multipliers: (m,), of the program's constraints, good or bad.

    Returns:
        A valid certificate always, after clipping T at 0 and choosing the best z near theirs: useless multipliers give
        a weak bound.

    Raises:
        ProblemError: X = 0, another number of multipliers, or some that are not finite or above 1e100.
    """
    y, m = np.asarray(multipliers, dtype=np.float64), len(program.b)
    if y.shape != (m,):
        raise ProblemError(f"The solution must have the {m} multipliers of this program. Got {y.size} instead.")
    wrong = np.flatnonzero(~(np.abs(y) <= LARGEST))
    if wrong.size:
        raise ProblemError(
            f"The multipliers must be finite, at most {LARGEST:g}. "
            f"Got {y[wrong[0]]:g} in place {wrong[0]}, counted from 0."
        )
    reduced = reduce(problem)
    theta, T, z = _parts(program, program.gamma * y, problem.c)
    if program.form == "literal":
        point = user_point(reduced, problem.gamma, theta[: program.n], T, z)
    else:
        point = DualPoint(theta, reduced.gamma * T, reduced.gamma * z)
    return certify(problem, reduced, sharper(reduced, point))


def _parts(program: StandardSDP, y: Array, c: int) -> tuple[Array, Array, Array]:
    """Θ (2n, c) on the extended rows, T (2n, 2n) and z (n,), in the convention of `conic.literal.DualGuess`."""
    of = {group.name: y[group.first : group.first + group.count] for group in program.groups}
    theta = np.zeros((2 * program.n, c))
    theta[program.loss_rows] = of["theta"].reshape(-1, c)
    T = np.zeros((2 * program.n, 2 * program.n))
    T[inequalities(program.n)] = np.maximum(of["T"], 0.0)
    return theta, T + T.T, -of["z"] / 2
