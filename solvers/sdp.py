"""The method `sdp`: solve the relaxation (paper, section 4), prove a bound from it, round it to a network."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge, Gt, Lt
from pydantic import InstanceOf

from .anytime import FEWEST, LARGE, early, unsolved, with_early
from .arguments import checked
from .certificates.nothing import trivial_certificate
from .certificates.quadratic import certify
from .conic.cuts import cut
from .conic.literal import solve_literal
from .conic.reduced import solve_reduced
from .fit import Fit, Statistics, Status
from .ipm.loop import better, interior_point
from .ipm.state import WarmStart
from .loss import LOSS
from .network import Network
from .problem import Problem
from .reduced.dual import sharper, user_point
from .reduced.reduction import Reduced, reduce
from .relaxation import MISSED, Relaxation, positive_factor
from .reweighted import reweighted
from .rounding import DEFAULT, ROUNDINGS, disturbed

UNSOLVED = 1e-2  # relative gap at which nearly parallel rows are suspected
NEARLY_PARALLEL = 1e-3  # radians, of rows that are merged then

Solver = Literal["auto", "ipm", "interior", "reduced-scs", "cvxpy-scs", "cvxpy-clarabel"]
Width = Annotated[int, Ge(1)]
Seed = Annotated[int, Ge(0)]
Gap = Annotated[float, Gt(0), Lt(1)]
Budget = Annotated[float, Ge(0)] | None  # seconds
SPENT = 1e-9  # seconds, a budget of 0 for what needs one above it
EARLY_GAP = 1e-2  # to which some of the rows are solved
SIDE_WIDTH = 100  # neurons of the network that every relaxation comes with


@checked
def relax(
    problem: Problem,
    *,
    solver: Solver = "auto",
    gap: Gap = 1e-6,
    eps: Annotated[float, Gt(0), Lt(math.inf)] = 1e-4,
    cuts: Annotated[int, Ge(0)] = 0,
    budget: Budget = None,
    warm: InstanceOf[Relaxation] | None = None,
) -> Relaxation:
    """Solve the doubly nonnegative relaxation, prove a lower bound on p*(∞), and add a network as the upper one.

    The certificate of every solver comes from the same safe bound, whatever the solver claims. The network is rounded
    by `gaussian+lbfgs`; its time is `network_s`, which `solve_s` leaves out.

    Args:
        problem: X, Y and γ.
        solver: `ipm`, our interior point (what `auto` picks); `interior` and `reduced-scs`, the reduced problem in
            Clarabel and SCS; `cvxpy-scs` and `cvxpy-clarabel`, the paper's program as it is written. For the logistic
            loss `ipm` alone, in the sequence of reweighted.py.
        gap: relative proved gap at which `ipm` stops.
        eps: tolerance of SCS, by default the authors'.
        cuts: rounds of separating circuit cuts after that (conic/cuts.py; in Clarabel whatever the solver, for small
            data), 0 for none.
        budget: seconds; what has been reached by then is returned with status `timeout`.
        warm: the relaxation of the same X and Y with another γ, which saves `ipm` about half of its iterations; where
            it leads nowhere, the solver starts cold after all.

    Returns:
        The relaxation, with status `ok` where the solver reached what it was asked for, `stalled` or
        `iteration_limit` where it ended before.

    Raises:
        ProblemError: an argument out of range, or a warm start from other data.

    Source: paper, section 4.
    """
    began = time.perf_counter()
    if not problem.X.any() or not problem.Y.any():
        return _nothing_to_learn(problem)
    reduced = reduce(problem)
    if problem.loss == "logistic":
        if solver not in ("auto", "ipm") or cuts:
            return _unsupported(problem)
        relaxation = reweighted(problem, reduced, gap, budget)
    elif solver in ("auto", "ipm"):
        relaxation = _anytime(problem, reduced, gap, budget, began, _warm_start(warm))
        if (relaxation.stats.relaxation_gap or 0.0) > UNSOLVED and relaxation.status != Status.TIMEOUT:
            left = budget and budget - (time.perf_counter() - began)
            relaxation = _merged(problem, relaxation, reduced.n, gap, left)
    elif solver in ("interior", "reduced-scs"):
        relaxation = _general(problem, reduced, "scs" if solver == "reduced-scs" else "clarabel", eps, budget)
    else:
        relaxation = _literal(problem, reduced, "scs" if solver == "cvxpy-scs" else "clarabel", eps, budget)
    if cuts and relaxation.certificate is not None:
        relaxation = _cut(problem, reduced, relaxation, cuts, began, budget)
    relaxation = replace(relaxation, stats=replace(relaxation.stats, solve_s=time.perf_counter() - began))
    return _with_network(problem, relaxation, budget and budget - (time.perf_counter() - began))


@checked
def round_relaxation(
    problem: Problem,
    relaxation: Relaxation,
    *,
    width: Width,
    seed: Seed,
    budget: Budget = None,
    rounding: Literal[tuple(ROUNDINGS)] = DEFAULT,  # type: ignore[valid-type]  # the table is the schema
    noise: Annotated[float, Ge(0), Lt(math.inf)] = 0.0,
) -> Fit:
    """A network of the given width from a solved relaxation, which hands on its certificate.

    Args:
        problem: that of the relaxation.
        relaxation: from `relax`.
        width: neurons.
        seed: of the rounding.
        budget: seconds, None for no limit.
        rounding: a name from `ROUNDINGS`.
        noise: how much the solution is disturbed before it is rounded, as a share of its norm (rounding/noise.py).

    Returns:
        The network, its status, and the relaxation's certificate.

    Raises:
        RelaxbenchError: an argument out of range, or a relaxation of another problem.
        ValueError: a relaxation without a solution.
    """
    if relaxation.factor.shape[1] == 0:
        raise ValueError(f"The relaxation has no solution to round: {relaxation.message or relaxation.status}.")
    if noise:
        relaxation = disturbed(problem, relaxation, noise, seed)
    fit = ROUNDINGS[rounding](problem, relaxation, width=width, seed=seed, budget=_positive(budget))
    known = relaxation.network
    if fit.status == Status.TIMEOUT and fit.network and known and known.width <= width and rounding == DEFAULT:
        fit = replace(fit, network=min(fit.network, known, key=problem.objective))
    return replace(fit, certificate=relaxation.certificate, value=relaxation.value)


@checked
def sdp(
    problem: Problem,
    *,
    width: Width,
    seed: Seed,
    budget: Budget = None,
    solver: Solver = "auto",
    gap: Gap = 1e-6,
    cuts: Annotated[int, Ge(0)] = 0,
    rounding: Literal[tuple(ROUNDINGS)] = DEFAULT,  # type: ignore[valid-type]  # the table is the schema
) -> Fit:
    """`relax` and `round_relaxation` in one call; each may use `budget` seconds.

    Where the solver has no solution to round, the network is zero, and status and message are the relaxation's.
    """
    relaxation = relax(problem, solver=solver, gap=gap, cuts=cuts, budget=budget)
    if relaxation.factor.shape[1] == 0:
        nothing = Network.zeros(problem.d, width, problem.c)
        fit = Fit(nothing.predict, nothing, relaxation.certificate, info=relaxation.info, stats=relaxation.stats)
    else:
        fit = round_relaxation(problem, relaxation, width=width, seed=seed, budget=budget, rounding=rounding)
    return replace(
        fit,
        status=relaxation.status if fit.status == Status.OK else fit.status,
        message="; ".join(part for part in (relaxation.message, fit.message) if part),
    )


def _positive(budget: float | None) -> float | None:
    return None if budget is None else max(budget, SPENT)


def _warm_start(relaxation: Relaxation | None) -> WarmStart | None:
    """From where our interior point can go on, if it was that solver which made the relaxation and it came so far."""
    halfway = relaxation.halfway if relaxation else None
    return halfway if isinstance(halfway, WarmStart) else None


def _anytime(
    problem: Problem, reduced: Reduced, gap: float, budget: float | None, began: float, warm: WarmStart | None
) -> Relaxation:
    """With a budget and many rows, a bound and a network from some of them come first."""
    if budget is None or warm is not None or problem.n < LARGE:
        return _ipm(problem, reduced, gap, budget, warm)

    def solve(some: Problem, seconds: float) -> Relaxation:
        learnable = some.X.any() and some.Y.any()
        return _ipm(some, reduce(some), EARLY_GAP, seconds) if learnable else _nothing_to_learn(some)

    found = early(problem, solve, began, budget)
    later = time.perf_counter() - began
    fits = FEWEST * found.iteration_s < budget - later
    whole = _ipm(problem, reduced, gap, budget - later) if fits else unsolved(problem, found)
    return with_early(whole, found, later)


def _ipm(
    problem: Problem, reduced: Reduced, gap: float, budget: float | None, warm: WarmStart | None = None
) -> Relaxation:
    began = time.perf_counter()
    found = interior_point(reduced, gap=gap, budget=budget, warm=warm)
    if warm is not None and found.status in (Status.STALLED, Status.ITERATION_LIMIT):
        spent = time.perf_counter() - began
        cold = interior_point(reduced, gap=gap, budget=None if budget is None else max(budget - spent, 0.0))
        found = better(found, cold, spent)
    value, certificate = found.upper * reduced.unit, certify(problem, reduced, found.dual)
    proved, status, message = (value - certificate.lower_bound) / value, found.status, found.message
    if status == Status.OK and proved > MISSED * gap:
        status = Status.STALLED
        message = f"merged rows and rounding leave a proved gap of {proved:.1e} where {gap:.1e} was asked for"
    return Relaxation(
        factor=reduced.factor_back(positive_factor(found.Z)),
        value=value,
        certificate=certificate,
        trace=found.trace,
        info={"inequalities": found.inequalities, **{f"{name}_s": s for name, s in found.phases.items()}},
        stats=Statistics(iterations=found.iterations, relaxation_gap=float(found.gap)),
        status=status,
        message=message,
        halfway=found.halfway,
    )


def _cut(
    problem: Problem, reduced: Reduced, first: Relaxation, rounds: int, began: float, budget: float | None
) -> Relaxation:
    """The relaxation with circuit cuts, or the first one where they bring no better bound."""
    assert first.certificate is not None
    bound, before = first.certificate.lower_bound, first.stats.iterations or 0
    it = cut(problem, reduced, first.certificate, rounds, began, budget)
    late = budget is not None and time.perf_counter() - began >= budget
    info, stats = {**first.info, "cuts": it.cuts}, replace(first.stats, iterations=before + it.solves)
    trace = (*first.trace, *(replace(row, iteration=before + row.iteration) for row in it.trace))
    status = Status.TIMEOUT if late else first.status
    if it.too_large:
        first = replace(first, message="; ".join(part for part in (first.message, it.too_large) if part))
    first = replace(first, info=info, stats=stats, status=status, trace=trace)
    if it.certificate.lower_bound <= bound:
        return first
    factor = reduced.factor_back(positive_factor(it.state.Z))
    return replace(first, factor=factor, value=it.value, certificate=it.certificate)


def _merged(problem: Problem, first: Relaxation, rows: int, gap: float, budget: float | None) -> Relaxation:
    """With more nearly parallel rows merged, if there are any and the bound, which pays for it, gets better."""
    reduced = reduce(problem, parallel=NEARLY_PARALLEL)
    if reduced.n == rows:
        return first
    second = _ipm(problem, reduced, gap, budget)
    if second.certificate.lower_bound <= first.certificate.lower_bound:  # type: ignore[union-attr]
        return first
    message = f"relaxation_value is that with rows within an angle of {NEARLY_PARALLEL:g} merged"
    return replace(second, halfway=first.halfway, message="; ".join(part for part in (message, second.message) if part))


def _general(
    problem: Problem, reduced: Reduced, backend: Literal["scs", "clarabel"], eps: float, budget: float | None
) -> Relaxation:
    it = solve_reduced(reduced, backend=backend, eps=eps, budget=budget)
    return Relaxation(
        factor=reduced.factor_back(positive_factor(it.Z)),
        value=it.value * reduced.unit,
        certificate=None if it.point is None else certify(problem, reduced, sharper(reduced, it.point)),
        stats=Statistics(iterations=it.iterations),
        status=it.status,
        message=it.message,
    )


def _literal(
    problem: Problem, reduced: Reduced, backend: Literal["scs", "clarabel"], eps: float, budget: float | None
) -> Relaxation:
    relaxation, guess = solve_literal(problem, backend=backend, eps=eps, budget=_positive(budget))
    if guess is None:
        return relaxation
    point = user_point(reduced, problem.gamma, guess.theta, guess.T, guess.z)
    return replace(relaxation, certificate=certify(problem, reduced, sharper(reduced, point)))


def _with_network(problem: Problem, relaxation: Relaxation, left: float | None) -> Relaxation:
    """With a network that bounds p*(∞) from above, if there is a solution to round and time left for it.

    One that is there already stays where it is better.
    """
    if not relaxation.factor.any() or (left is not None and left <= 0):
        return relaxation
    began = time.perf_counter()
    fit = ROUNDINGS[DEFAULT](problem, relaxation, width=SIDE_WIDTH, seed=0, budget=left)
    stats = replace(relaxation.stats, network_s=time.perf_counter() - began)
    networks = [network for network in (fit.network, relaxation.network) if network is not None]
    return replace(relaxation, network=min(networks, key=problem.objective, default=None), stats=stats)


def _unsupported(problem: Problem) -> Relaxation:
    """Nothing was solved, and why."""
    why = "for loss logistic the relaxation is solved by ipm alone, and without cuts"
    return Relaxation(
        np.zeros((problem.n + problem.d + problem.c, 0)), math.nan, status=Status.UNSUPPORTED, message=why
    )


def _nothing_to_learn(problem: Problem) -> Relaxation:
    """X = 0 or Y = 0: the zero network is optimal, with value ½‖Y‖², or n log c for the logistic loss."""
    certificate = trivial_certificate(problem)
    factor = np.zeros((problem.n + problem.d + problem.c, 1))
    value = LOSS[problem.loss].value(np.zeros_like(problem.Y), problem.Y)
    return Relaxation(factor, value, certificate, stats=Statistics(iterations=0, solve_s=0.0))
