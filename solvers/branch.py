"""The method `branch`: the hierarchy between the relaxation and the exact program (formulation, section 7).

R^d is split by the signs of x_k·u for chosen rows k. Each region has its own copy of the relaxation in which those
signs are known. A network is found by local search; its residual Θ is what the regions have to prove good, one by one,
and where they cannot, as a better direction exists, the network learns it. Where there can be but few regions, they
are first solved together, as one relaxation with a Θ of its own.
"""

from __future__ import annotations

import time
from typing import Annotated

import numpy as np
from annotated_types import Ge
from threadpoolctl import threadpool_limits

from .arguments import checked
from .certificates.tree import Circuits, Region
from .conic.cuts import circuits, root
from .conic.regions import seconds
from .exact import sphere
from .fit import Fit, Statistics, Status
from .hierarchy.network import Trainer
from .hierarchy.splitting import TRAINED, tighten
from .hierarchy.together import together
from .hierarchy.tree import Hierarchy, Leaf
from .network import Network
from .problem import Problem
from .reduced.reduction import Reduced, reduce
from .relaxation import Relaxation
from .sdp import Budget, Gap, Seed, Width, relax

SEARCH = 0.4  # share of the time limit for the search for a network
IN_REGIONS = 12  # circuits a row in regions, which are many
RELAX = 0.6  # share of what is left then for the relaxation
# Regions that limit and time have to allow, or exp(d) if that is less, to take them one by one at once: found on nine
# problems of 12 to 40 rows and 4 to 8 features, of which five prove more in this way and four the other way.
MANY = 400


@checked
def branch(
    problem: Problem,
    *,
    width: Width | None = None,
    seed: Seed = 0,
    budget: Budget = None,
    gap: Gap = 1e-3,
    cells: Annotated[int, Ge(1)] = 2000,
    cuts: Annotated[int, Ge(0)] = 0,
) -> Fit:
    """Tighten the relaxation, region by region, until the proved gap is at most `gap`.

    The bound is never below that of the relaxation, with cuts if there are any, and never falls.

    Args:
        problem: X, Y and γ.
        width: accepted, as by every method, and not used: the network is as wide as it has to be.
        seed: of the search for a network.
        budget: seconds; then the best so far comes back with status `timeout`.
        gap: the proved (upper − lower)/upper at which to stop.
        cells: there will be no more regions than this.
        cuts: rounds of separating circuit cuts (conic/cuts.py) before the first split, after which regions go on using
            them; 0 for no cuts.

    Returns:
        Network and certificate. Status `iteration_limit` says that the gap would take more regions, `stalled` that
        they are of no help.

    Raises:
        ProblemError: an argument out of range.
    """
    compile_s = sphere.compile_kernels(proofs=False)
    began = time.perf_counter()

    def left() -> float:
        return np.inf if budget is None else budget - (time.perf_counter() - began)

    with threadpool_limits(limits=1):  # the matrices are too small for more
        if not problem.X.any() or not problem.Y.any():
            return _nothing_to_learn(problem, relax(problem))
        reduced = reduce(problem)
        trainer = Trainer(problem, reduced, seed)
        trainer.search(TRAINED * gap, lambda: budget is not None and left() < (1 - SEARCH) * budget)
        relaxation = relax(problem, cuts=cuts, budget=None if budget is None else max(RELAX * left(), 1e-3))
        it = _whole(problem, reduced, relaxation, trainer, cuts > 0)
        it.began = began
        it.note()
        if min(cells, left() / seconds(it.heap[0][2].state.region.E.shape[1])) < min(MANY, np.exp(reduced.d)):
            together(it, gap, cells, left)
        end = tighten(it, gap, cells, left)
    network = min([trainer.network, relaxation.network or trainer.network], key=problem.objective)
    upper = problem.objective(network)
    reached = (upper - it.certificate.lower_bound) / upper
    status = _status(reached <= gap, left() <= 0 or it.late, it.regions + 2 > cells)
    early = f"stopped at a gap of {reached:.1e} where {gap:.1e} was asked for"
    return Fit(
        predict=network.predict,
        network=network,
        certificate=it.certificate,
        value=upper,
        trace=it.trace,
        info={"cells": it.regions},
        stats=Statistics(iterations=it.solves, solve_s=time.perf_counter() - began, compile_s=compile_s),
        status=status,
        message="" if status == Status.OK else "; ".join(part for part in (early, end) if part),
    )


def _whole(problem: Problem, reduced: Reduced, relaxation: Relaxation, trainer: Trainer, cuts: bool) -> Hierarchy:
    """The hierarchy before the first split: one region that is all of R^d, with circuits if `cuts` are wanted."""
    assert relaxation.certificate is not None
    pool = circuits(reduced.X, IN_REGIONS * reduced.n) if cuts else Circuits.none(reduced.n)
    region = Region.build(reduced.X, np.zeros(reduced.n, dtype=int), pool, Circuits.none(reduced.n))
    it = Hierarchy(problem, reduced, relaxation.certificate, trainer, pool)
    state, nobody = root(reduced, relaxation.certificate, region), np.zeros(reduced.n, dtype=int)
    it.push(Leaf(nobody, 0, Circuits.none(reduced.n), state, np.inf, False))
    return it


def _status(reached: bool, late: bool, full: bool) -> Status:
    if reached:
        return Status.OK
    if late:
        return Status.TIMEOUT
    return Status.ITERATION_LIMIT if full else Status.STALLED


def _nothing_to_learn(problem: Problem, relaxation: Relaxation) -> Fit:
    """X = 0 or Y = 0: the zero network is optimal."""
    network = Network.zeros(problem.d, 1, problem.c, problem.activation)
    stats = Statistics(iterations=0, solve_s=0.0)
    return Fit(network.predict, network, relaxation.certificate, relaxation.value, info={"cells": 1}, stats=stats)
