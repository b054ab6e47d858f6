"""A tree of regions, each with a bound of its own on ‖Θᵀφ(Xu)‖ for one Θ that all share: branch and bound on R^d.

The largest bound of any region is the bound on R^d. Multipliers of a region are as good in its children, so that no
split makes the bound worse; a region that is low enough is never looked at again.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from ..certificates.regions import settled
from ..certificates.tree import Region, implications
from ..conic.regions import LARGEST, VIOLATED, RegionState, seconds, separate, solve_height
from ..network import Array, whitener
from ..reduced.dual import value
from .tree import Hierarchy, Leaf, adopt, bounded, certify

SMALL = 12  # free rows up to which a region is solved at once
BLIND = 32  # regions up to which larger ones are split without being solved, which costs far more
ROUNDS = 3  # solves of a region with separation between them, before it is split
USELESS = 1e-6  # relative gain of further rounds below which no more are made
IDLE = 1e-6  # share of the measure that must lie on both sides of a row's plane for the row to split the region
SPREAD = 500  # directions that stand for all of R^d where nothing is solved yet
STEP = 0.1  # share of the gap to gain before a new certificate is made on the way
SAFETY = 1e-7  # relative, what a certificate may lose to rounding against its estimate
MANY = 50  # regions that show the trainer directions at a time
TRAINED = 0.3  # of the gap wanted: the gap that the search for a network is to believe in
RETRAINED = 20  # times that regions may send the trainer back to work


def tighten(it: Hierarchy, gap: float, regions: int, left: Callable[[], float]) -> str:
    """Branch and bound, with the network's Θ, until the gap, the number of regions or the time limit is met.

    Args:
        it: the hierarchy with its leaves, changed in place.
        gap: the relative gap wanted.
        regions: at most so many.
        left: seconds that are left.

    Returns:
        What else ended it, empty if nothing did.
    """
    adopt(it, it.trainer.theta)
    if it.certificate.lower_bound >= (1 - gap) * it.upper:
        return ""
    allowed, end = _allowed(it, gap), ""
    while not end and it.highest > allowed and left() > 0:
        if it.gain > STEP:
            certify(it)
        leaf = heapq.heappop(it.heap)[2]
        if not leaf.solved:
            end = _solve_or_split(it, leaf, allowed, regions, left)
        elif it.retrained < RETRAINED and it.trainer.height(_tops(leaf)) ** 2 > allowed:
            it.push(leaf)
            _retrain(it, gap, left)
            allowed = _allowed(it, gap)
        else:
            end = _split_solved(it, leaf, allowed, regions, left)
    if it.gain > USELESS:
        certify(it)
    else:
        it.note()
    return end


def _allowed(it: Hierarchy, gap: float) -> float:
    """The largest bound on ‖Θᵀφ(Xu)‖²/γ² with which Θ proves the gap, at least 1, which no Θ can do without."""
    wanted = it.upper / it.reduced.unit * (1 - gap * (1 - SAFETY))
    low, high = 1.0, 1e3
    for _ in range(60):
        middle = (low * high) ** 0.5
        proved = value(it.reduced, it.theta, middle * it.reduced.gamma**2)[0]
        low, high = (middle, high) if proved >= wanted else (low, middle)
    return low


def _solve_or_split(it: Hierarchy, leaf: Leaf, allowed: float, regions: int, left: Callable[[], float]) -> str:
    """Split the region if it is too large to solve, or large and there are few regions; else solve it.

    Returns:
        Why neither can be done, empty if one was.
    """
    order = len(leaf.state.Z)
    too_large = order > LARGEST or seconds(order) > left()
    if len(leaf.state.z) > SMALL and it.regions + 2 <= (regions if too_large else min(BLIND, regions)):
        found = spread_row(leaf, _second_moments(it, leaf))
        if found is not None:
            split(it, leaf, found[1])
            return ""
    it.late |= too_large and order <= LARGEST
    it.push(leaf if too_large else _improve(it, leaf, allowed, left))
    return f"a region of order {order} is left unsolved: about {seconds(order):.0f} s of work" if too_large else ""


def _split_solved(it: Hierarchy, leaf: Leaf, allowed: float, regions: int, left: Callable[[], float]) -> str:
    """Split the region by the row that its measure is spread across, or improve it, or else split it by a plane.

    Returns:
        Why none of these can be done, empty if one was.
    """
    room = it.regions + 2 <= regions
    found = spread_row(leaf, leaf.state.known) if room else None
    if found is None and not leaf.final:
        again = _improve(it, leaf, allowed, left)
        # Written so that a region without any bound (inf) is final too.
        it.push(replace(again, final=again.final or not again.squared < leaf.squared * (1 - USELESS)))
        return ""
    number = found[1] if found else _plane(it, leaf) if room else None
    if number is None:
        it.push(leaf)
        return f"a region is left that is not split: {it.regions} of at most {regions} regions"
    split(it, leaf, number)
    return ""


def split(it: Hierarchy, leaf: Leaf, number: int) -> None:
    """Put the two sides of a row or plane in the place of a leaf.

    Args:
        it: the hierarchy, whose heap the leaf has left.
        leaf: the leaf.
        number: of the row, or n + that of the plane.
    """
    first = 2 * len(it.nodes) + 1
    it.nodes[leaf.node] = (number, first, first + 1)
    rows = np.vstack([it.reduced.X, it.planes])
    for node, side in ((first, 1), (first + 1, -1)):
        sign = np.r_[leaf.sign, np.zeros(len(rows) - len(leaf.sign), dtype=int)]
        sign[number] = side
        # What a region's splits imply is as true in its children; to find it anew might give other signs where two are.
        open_rows = leaf.state.region.free[leaf.state.region.free != number]
        implied = leaf.implied.plus(implications(rows, sign, open_rows))
        region = Region.build(it.reduced.X, sign, it.circuits, implied, it.planes)
        point = leaf.state.point()
        state = RegionState.fresh(region, point.i, point.j, point.value, point.z)
        it.push(bounded(it, Leaf(sign, node, implied.only(region.source), state, np.inf, False)))


def _improve(it: Hierarchy, leaf: Leaf, allowed: float, left: Callable[[], float]) -> Leaf:
    """The leaf solved, with rounds of separation until it is low enough or nothing is violated."""
    state = separate(leaf.state, VIOLATED)[0] if leaf.solved else leaf.state
    for _ in range(ROUNDS):
        solved = solve_height(state, it.spread, it.reduced.gamma, left())
        it.solves += 1
        if solved is None:
            break
        point = settled(solved.region, it.spread, solved.point(), it.reduced.gamma)
        proved = bounded(it, replace(leaf, state=replace(solved, z=point.z[solved.region.free])))
        # The measure says where to split even if the multipliers are no better than those inherited.
        leaf = proved if proved.squared <= leaf.squared else replace(leaf, state=replace(leaf.state, Z=solved.Z))
        if leaf.squared <= allowed or left() <= 0:
            break
        state, new = separate(solved, VIOLATED)
        if not new:
            leaf = replace(leaf, final=True)
            break
    return replace(leaf, solved=True)


def _retrain(it: Hierarchy, gap: float, left: Callable[[], float]) -> None:
    """Let the trainer learn from the regions' measures; all regions then have a new Θ to deal with."""
    highest = heapq.nsmallest(MANY, (entry for entry in it.heap if entry[2].solved))
    tops = np.hstack([_tops(leaf) for _, _, leaf in highest])
    better = it.trainer.search(TRAINED * gap, lambda: left() <= 0, tops)
    it.retrained = it.retrained + 1 if better else RETRAINED
    adopt(it, it.trainer.theta)


def _tops(leaf: Leaf) -> Array:
    """The direction on which most of the leaf's measure lies, both ways (d, 2)."""
    free = len(leaf.state.z)
    top = np.linalg.eigh(leaf.state.known[free:, free:])[1][:, -1:]
    return np.hstack([top, -top])


def spread_row(leaf: Leaf, moments: Array) -> tuple[float, int] | None:
    """The free row with the most on both sides: the smaller of E α_k² and E β_k², per ‖x_k‖².

    Args:
        leaf: the leaf.
        moments: of (s_free, u), the expectation of their products.

    Returns:
        What lies on its lesser side, and the row; None without any.
    """
    region = leaf.state.region
    if not len(region.free):
        return None
    n, X = len(region.X), region.X[region.free]
    alpha, beta = region.E[region.free], region.E[n + region.free]
    second = [np.einsum("ij,jk,ik->i", forms, moments, forms) for forms in (alpha, beta)]
    score = np.minimum(*second) / np.sum(X**2, axis=1)
    best = int(np.argmax(score))
    total = float(np.trace(moments[len(region.free) :, len(region.free) :]))
    return (float(score[best]), int(region.free[best])) if score[best] > IDLE * total else None


def _plane(it: Hierarchy, leaf: Leaf) -> int | None:
    """A new plane through the middle of the leaf's measure, across its second axis; None if it has but one."""
    free = len(leaf.state.z)
    values, vectors = np.linalg.eigh(leaf.state.known[free:, free:])
    if len(values) < 2 or values[-2] <= IDLE * values[-1]:
        return None
    it.planes = np.vstack([it.planes, vectors[:, -2]])
    return it.reduced.n + len(it.planes) - 1


def _second_moments(it: Hierarchy, leaf: Leaf) -> Array:
    """Σ (s, u)(s, u)ᵀ over the network's neurons in the leaf, by weight, and over directions spread evenly."""
    region, sign = leaf.state.region, leaf.sign
    columns, rng = it.trainer.columns, np.random.default_rng(0)
    even = whitener(it.reduced.X) @ rng.standard_normal((it.reduced.d, SPREAD))
    U = np.hstack([columns.U * np.sqrt(columns.s), even * np.sqrt(np.sum(columns.s) / np.sum(even**2))])
    inside = np.all(sign[:, None] * (np.vstack([it.reduced.X, it.planes])[: len(sign)] @ U) >= 0, axis=0)
    U = U[:, inside]
    forms = np.vstack([np.abs(region.X[region.free] @ U), U])
    return forms @ forms.T
