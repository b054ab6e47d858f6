"""The relaxation over all regions of the tree at once: one Θ that is the best for all of them.

The residual of a network is the best Θ once the regions are small. While they are large its bound on them is poor: on
random data of 35 rows and 8 features .72 of the optimum before the first split, where the relaxation's own Θ has .84.
The measure of the relaxation is shared out among the regions, and says which of them to split.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from ..conic.regions import LARGEST, ROUGH, seconds, separate, solve_relaxation
from .splitting import split, spread_row
from .tree import Hierarchy, Leaf, adopt, certify

SURE = 0.8  # share of the time left that the next solve is to take at most: one that is cut short is lost
REGIONS = 64  # beyond which regions are dealt with one by one
NEGATIVE = 1e-5  # share of the whole mass below which a product counts as negative: less is not worth a variable
STALLED = 0.01  # share of the gap that a solve without new splits must have gained for another one


def together(it: Hierarchy, gap: float, regions: int, left: Callable[[], float]) -> None:
    """Solve, split what the measure is spread across, and solve again, until the gap or a limit is met.

    Args:
        it: the hierarchy with its leaves, changed in place.
        gap: the relative gap wanted.
        regions: at most so many.
        left: seconds that are left.
    """
    each, grown = seconds(_order(it, it.heap[0][2])), True
    while left() > each * it.regions and _memory(it) <= 1:
        began, lower = time.perf_counter(), it.certificate.lower_bound
        if not _solve(it, left()):
            break
        certify(it)
        gained = it.certificate.lower_bound - lower
        if it.certificate.lower_bound >= (1 - gap) * it.upper:
            break
        if not grown and gained < STALLED * (it.upper - lower):
            break
        each = (time.perf_counter() - began) / it.regions
        room = int(min(regions, REGIONS, SURE * left() / each, it.regions / _memory(it)))
        new = _separate(it)
        grown = _grow(it, room)
        if not grown and not new:
            break


def _solve(it: Hierarchy, budget: float) -> bool:
    """Whether the relaxation over all regions could be solved; then they have its multipliers, and Θ is its own."""
    leaves = [leaf for _, _, leaf in it.heap]
    theta, states, value = solve_relaxation(it.reduced, [leaf.state for leaf in leaves], budget, ROUGH)
    it.solves += 1
    if not np.isfinite(value):
        return False
    it.heap = [(0.0, leaf.node, replace(leaf, state=state)) for leaf, state in zip(leaves, states, strict=True)]
    adopt(it, theta)
    return True


def _separate(it: Hierarchy) -> int:
    """Give all regions the products that their measures violate; how many these are."""
    mass, new = sum(leaf.state.mass for _, _, leaf in it.heap), 0
    for place, (height, node, leaf) in enumerate(it.heap):
        state, found = separate(leaf.state, NEGATIVE * mass)
        it.heap[place] = (height, node, replace(leaf, state=state))
        new += found
    return new


def _grow(it: Hierarchy, room: int) -> bool:
    """Split the regions with most of the measure on both sides of a row, at most up to `room`; whether any was."""
    rows = [(spread_row(leaf, leaf.state.known), leaf) for _, _, leaf in it.heap]
    found = sorted(((row, leaf) for row, leaf in rows if row is not None), key=lambda one: (-one[0][0], one[1].node))
    chosen = {leaf.node: (number, leaf) for (_, number), leaf in found[: max(room - it.regions, 0)]}
    it.heap = [entry for entry in it.heap if entry[1] not in chosen]
    heapq.heapify(it.heap)
    for number, leaf in chosen.values():
        split(it, leaf, number)
    return bool(chosen)


def _order(it: Hierarchy, leaf: Leaf) -> int:
    """Of the matrix of a region in the relaxation."""
    return leaf.state.region.E.shape[1] + it.reduced.c


def _memory(it: Hierarchy) -> float:
    """The solver's memory for all regions, 1 for a single one of order LARGEST."""
    return sum((_order(it, leaf) / LARGEST) ** 4 for _, _, leaf in it.heap)
