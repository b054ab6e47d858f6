"""What there is to show within the first seconds of a large problem: a bound and a network from some of its rows.

Training on fewer rows never costs more, so the certificate of some rows, with Θ = 0 on all others, is one for the whole
problem; and neurons drawn from the relaxation of some rows are a start for a network on all of them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from .certificates.certificate import Certificate
from .certificates.quadratic import lower_bound, prove
from .fit import Statistics, Status, TraceRow
from .network import Network
from .problem import Problem
from .relaxation import Relaxation
from .rounding import DEFAULT, ROUNDINGS

FIRST = 96  # rows that are solved within about a second
LARGE = 2 * FIRST  # from so many rows on it pays to begin with these
GROWTH = 2.5  # power of the number of rows that the seconds of a solve are taken to grow by
SHARES = (0.3, 0.1, 0.6)  # of what is left of the budget: first rows, network, and more rows
FEWEST = 3  # iterations that have to fit, with the start, for a solve to begin
WIDER = 1.3  # times the first rows that more of them have to be
WIDTH = 100  # neurons

Solve = Callable[[Problem, float], Relaxation]


@dataclass(frozen=True)
class Early:
    """A proved bound, a network if one could be made, when the bounds came, and seconds that an iteration on all rows
    is taken to need."""

    certificate: Certificate
    network: Network | None
    trace: tuple[TraceRow, ...]
    iteration_s: float


def early(problem: Problem, solve: Solve, began: float, budget: float) -> Early:
    """Solve some rows, make a network of what they say, and solve more rows if all of them would take too long.

    Args:
        problem: one with LARGE rows or more.
        solve: solves a problem within seconds.
        began: when the clock was started (`time.perf_counter`).
        budget: seconds from then.

    Returns:
        What there is by then.
    """

    def spent() -> float:
        return time.perf_counter() - began

    order = np.random.default_rng(0).permutation(problem.n)
    start = spent()
    first = solve(_rows(problem, order[:FIRST]), SHARES[0] * (budget - start))
    seconds = spent() - start
    certificate = widened(problem, order[:FIRST], first.certificate)
    network = _network(problem, first, SHARES[1] * (budget - spent()))
    upper = None if network is None else problem.objective(network)
    trace = [TraceRow(spent(), 0, upper, certificate.lower_bound)]
    left = budget - spent()
    larger = (problem.n / FIRST) ** GROWTH
    more = min(int(FIRST * (SHARES[2] * left / seconds) ** (1 / GROWTH)), problem.n // 2) if left > 0 else 0
    if seconds * larger > left and more > WIDER * FIRST:
        second = solve(_rows(problem, order[:more]), SHARES[2] * left)
        wide = widened(problem, order[:more], second.certificate)
        certificate = max(certificate, wide, key=lambda candidate: candidate.lower_bound)
        trace.append(TraceRow(spent(), 0, upper, certificate.lower_bound))
    return Early(certificate, network, tuple(trace), larger * seconds / max(first.stats.iterations or 0, 1))


def unsolved(problem: Problem, found: Early) -> Relaxation:
    """What stands in for a relaxation whose first iterations would not be over in time.

    Args:
        problem: that of `found`.
        found: what there is.

    Returns:
        The network as a point of the relaxation, with columns (|Xu|, u, v), and the bound.
    """
    network = found.network or problem.network(np.zeros((problem.d, 1)), np.zeros((1, problem.c)))
    factor = np.vstack([np.abs(problem.X @ network.U), network.U, network.V.T])
    stats = Statistics(iterations=0)
    return Relaxation(factor, problem.objective(network), found.certificate, status=Status.TIMEOUT, stats=stats)


def with_early(relaxation: Relaxation, found: Early, later: float) -> Relaxation:
    """A relaxation with what came before it where that is better, and the trace of both.

    Args:
        relaxation: of the same problem.
        found: what came before.
        later: seconds from the beginning of `found` to that of the relaxation.

    Returns:
        The relaxation, no worse than either.
    """
    least = found.certificate.lower_bound
    after = [
        replace(row, seconds=row.seconds + later, bound=None if row.bound is None else max(row.bound, least))
        for row in relaxation.trace
    ]
    known = relaxation.certificate
    certificate = found.certificate if known is None or known.lower_bound < least else known
    return replace(relaxation, certificate=certificate, network=found.network, trace=(*found.trace, *after))


def widened(problem: Problem, rows: np.ndarray, certificate: Certificate | None) -> Certificate:
    """The certificate of some rows as one for all: Θ = 0 on the others, which need nobody to stand for them.

    Args:
        problem: all rows.
        rows: which ones (k,).
        certificate: of kind doubly nonnegative, for these rows alone and the same γ.

    Returns:
        The certificate, proved anew.
    """
    assert certificate is not None
    theta, rep, coef = np.zeros_like(problem.Y), np.full(problem.n, -1), np.zeros(problem.n)
    theta[rows], rep[rows], coef[rows] = certificate.theta, certificate.proof["rep"], certificate.proof["coef"]
    proof = {**certificate.proof, "rows": rows[certificate.proof["rows"]], "rep": rep, "coef": coef}
    eta = prove(theta, problem.X, proof, problem.activation)
    return Certificate(certificate.kind, theta, proof, lower_bound(problem, theta, eta))


def _rows(problem: Problem, rows: np.ndarray) -> Problem:
    return problem.on(problem.X[rows], problem.Y[rows])


def _network(problem: Problem, some: Relaxation, budget: float) -> Network | None:
    """A network for all rows whose neurons are drawn from the relaxation of some; their s plays no part in that."""
    if budget <= 0:
        return None
    u = some.factor[-problem.d - problem.c : -problem.c]
    factor = np.vstack([np.zeros((problem.n, u.shape[1])), u, np.zeros((problem.c, u.shape[1]))])
    return ROUNDINGS[DEFAULT](problem, Relaxation(factor, 0.0), width=WIDTH, seed=0, budget=budget).network
