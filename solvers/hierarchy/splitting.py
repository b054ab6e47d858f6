"""A tree of cells, each with a bound of its own on ‖Θᵀ(Xu)₊‖ for one Θ that all share: branch and bound on R^d.

The largest bound of any cell is the bound on R^d. Multipliers of a cell are as good in its children, so that no split
makes the bound worse; a cell that is low enough is never looked at again.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from ..certificates.certificate import Certificate
from ..certificates.regions import certify_cells, quadratic_form, settled
from ..certificates.tree import LEAF, Cell, Circuits, implications
from ..conic.regions import LARGEST, VIOLATED, CellState, seconds, separate, solve_height
from ..fit import TraceRow
from ..network import Array, whitener
from ..problem import Problem
from ..reduced.dual import maximum, value
from ..reduced.reduction import Reduced
from .network import Trainer

SMALL = 12  # free rows up to which a cell is solved at once
BLIND = 32  # cells up to which larger ones are split without being solved, which costs far more
ROUNDS = 3  # solves of a cell with separation between them, before it is split
USELESS = 1e-6  # relative gain of further rounds below which no more are made
IDLE = 1e-6  # share of the measure that must lie on both sides of a row's plane for the row to split the cell
SPREAD = 500  # directions that stand for all of R^d where nothing is solved yet
STEP = 0.1  # share of the gap to gain before a new certificate is made on the way
SAFETY = 1e-7  # relative, what a certificate may lose to rounding against its estimate
MANY = 50  # cells that show the trainer directions at a time
TRAINED = 0.3  # of the gap wanted: the gap that the search for a network is to believe in
RETRAINED = 20  # times that cells may send the trainer back to work


@dataclass(frozen=True)
class Leaf:
    """A cell with its signs (n+k,), place in the tree, the circuits behind its signs, and what is proved of it.

    squared: a bound on ‖Θᵀ(Xu)₊‖²/γ² at unit u, up to rounding. solved: the multipliers were made for this Θ. final:
    its measure violates nothing, or to let in what it violates was of no use.
    """

    sign: np.ndarray
    node: int
    implied: Circuits
    state: CellState
    squared: float
    solved: bool
    final: bool = False


@dataclass
class Hierarchy:
    """The tree (node → row and children), its leaves by falling bound, the best proof, and the network.

    late: a cell is left unsolved that would have taken more than the time left.
    """

    problem: Problem
    reduced: Reduced
    certificate: Certificate
    trainer: Trainer
    circuits: Circuits
    theta: Array = field(init=False)
    nodes: dict[int, tuple[int, int, int]] = field(default_factory=dict)
    heap: list[tuple[float, int, Leaf]] = field(default_factory=list)
    planes: Array = field(init=False)
    began: float = field(default_factory=time.perf_counter)
    solves: int = 0
    retrained: int = 0
    late: bool = False
    trace: list[TraceRow] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.theta, self.planes = self.trainer.theta, np.zeros((0, self.reduced.d))

    @property
    def upper(self) -> float:
        """Objective of the network."""
        return self.trainer.upper

    @property
    def cells(self) -> int:
        """Number of cells."""
        return len(self.heap)

    @property
    def highest(self) -> float:
        """The largest bound on ‖Θᵀ(Xu)₊‖²/γ² of any cell, up to rounding."""
        return -self.heap[0][0]

    @property
    def gain(self) -> float:
        """The share of the gap by which what the cells prove, up to rounding, is better than the certificate."""
        proved = self.reduced.unit * value(self.reduced, self.theta, self.highest * self.reduced.gamma**2)[0]
        lower = self.certificate.lower_bound
        return (proved - lower) / (self.upper - lower) if self.upper > lower else 0.0

    def push(self, leaf: Leaf) -> None:
        """Into the heap, the highest bound first; of equal ones the oldest, so that nothing is left to chance."""
        heapq.heappush(self.heap, (-leaf.squared, leaf.node, leaf))

    def note(self) -> None:
        """A line of the trace."""
        seconds = time.perf_counter() - self.began
        self.trace.append(TraceRow(seconds, self.solves, self.upper, self.certificate.lower_bound))


def tighten(it: Hierarchy, start: CellState, gap: float, cells: int, left: Callable[[], float]) -> str:
    """Branch and bound from the single cell `start` until the gap, the number of cells or the time limit is met.

    Returns what else ended it, empty if nothing did.
    """
    n = it.reduced.n
    it.push(_bounded(it, Leaf(np.zeros(n, dtype=int), 0, Circuits.none(n), start, np.inf, False)))
    if it.certificate.lower_bound >= (1 - gap) * it.upper:
        return ""
    allowed, end = _allowed(it, gap), ""
    while not end and it.highest > allowed and left() > 0:
        if it.gain > STEP:
            certify(it)
        leaf = heapq.heappop(it.heap)[2]
        if not leaf.solved:
            end = _solve_or_split(it, leaf, allowed, cells, left)
        elif it.retrained < RETRAINED and it.trainer.height(_tops(leaf)) ** 2 > allowed:
            it.push(leaf)
            _retrain(it, gap, left)
            allowed = _allowed(it, gap)
        else:
            end = _split_solved(it, leaf, allowed, cells, left)
    if it.gain > USELESS:
        certify(it)
    else:
        it.note()
    return end


def certify(it: Hierarchy) -> None:
    """Prove what the cells say, and keep it if it is better than what there is."""
    order = list(_preorder(it))
    leaves = {leaf.node: leaf for _, _, leaf in it.heap}
    tree = [it.nodes[node][0] if node in it.nodes else LEAF for node in order]
    cells = [leaves[node] for node in order if node in leaves]
    parts = [(leaf.state.cell, leaf.implied, leaf.state.point()) for leaf in cells]
    certificate = certify_cells(it.problem, it.reduced, it.theta, tree, parts, it.planes)
    if certificate.lower_bound > it.certificate.lower_bound:
        it.certificate = certificate
    it.note()


def _preorder(it: Hierarchy) -> Iterator[int]:
    """Nodes of the tree, each before its children."""
    waiting = [0]
    while waiting:
        node = waiting.pop()
        yield node
        if node in it.nodes:
            waiting += it.nodes[node][2:0:-1]


def _allowed(it: Hierarchy, gap: float) -> float:
    """The largest bound on ‖Θᵀ(Xu)₊‖²/γ² with which Θ proves the gap, at least 1, which no Θ can do without."""
    wanted = it.upper / it.reduced.unit * (1 - gap * (1 - SAFETY))
    low, high = 1.0, 1e3
    for _ in range(60):
        middle = (low * high) ** 0.5
        proved = value(it.reduced, it.theta, middle * it.reduced.gamma**2)[0]
        low, high = (middle, high) if proved >= wanted else (low, middle)
    return low


def _solve_or_split(it: Hierarchy, leaf: Leaf, allowed: float, cells: int, left: Callable[[], float]) -> str:
    """Split the cell if it is too large to solve, or large and there are few cells; else solve it; returns why neither
    can be done."""
    order = len(leaf.state.Z)
    too_large = order > LARGEST or seconds(order) > left()
    if len(leaf.state.z) > SMALL and it.cells + 2 <= (cells if too_large else min(BLIND, cells)):
        row = _row(leaf, _second_moments(it, leaf))
        if row is not None:
            _split(it, leaf, row)
            return ""
    it.late |= too_large and order <= LARGEST
    it.push(leaf if too_large else _improve(it, leaf, allowed, left))
    return f"a cell of order {order} is left unsolved: about {seconds(order):.0f} s of work" if too_large else ""


def _split_solved(it: Hierarchy, leaf: Leaf, allowed: float, cells: int, left: Callable[[], float]) -> str:
    """Split the cell by the row that its measure is spread across, or go on with what it violates, or else split it by
    a plane; returns why none of these can be done."""
    room = it.cells + 2 <= cells
    number = _row(leaf, leaf.state.known) if room else None
    if number is None and not leaf.final:
        again = _improve(it, leaf, allowed, left)
        # Written so that a cell without any bound (inf) is final too.
        it.push(replace(again, final=again.final or not again.squared < leaf.squared * (1 - USELESS)))
        return ""
    number = _plane(it, leaf) if number is None and room else number
    if number is None:
        it.push(leaf)
        return f"a cell is left that is not split: {it.cells} of at most {cells} cells"
    _split(it, leaf, number)
    return ""


def _split(it: Hierarchy, leaf: Leaf, number: int) -> None:
    """Put the two sides of a row or plane in the place of a leaf."""
    first = 2 * len(it.nodes) + 1
    it.nodes[leaf.node] = (number, first, first + 1)
    rows = np.vstack([it.reduced.X, it.planes])
    for node, side in ((first, 1), (first + 1, -1)):
        sign = np.r_[leaf.sign, np.zeros(len(rows) - len(leaf.sign), dtype=int)]
        sign[number] = side
        # What a cell's splits imply is as true in its children; to find it anew might give other signs where two are.
        open_rows = leaf.state.cell.free[leaf.state.cell.free != number]
        implied = leaf.implied.plus(implications(rows, sign, open_rows))
        cell = Cell.build(it.reduced.X, sign, it.circuits, implied, it.planes)
        point = leaf.state.point()
        state = CellState.fresh(cell, point.i, point.j, point.value, point.z)
        it.push(_bounded(it, Leaf(sign, node, implied.only(cell.source), state, np.inf, False)))


def _bounded(it: Hierarchy, leaf: Leaf) -> Leaf:
    """The leaf with what its multipliers prove for the present Θ."""
    state = leaf.state
    B = quadratic_form(state.cell, it.theta, (state.i, state.j, state.value), state.z)
    squared = max(maximum(B, len(state.z))[0], 0.0) / it.reduced.gamma**2
    return replace(leaf, squared=squared)


def _improve(it: Hierarchy, leaf: Leaf, allowed: float, left: Callable[[], float]) -> Leaf:
    """The leaf solved, with rounds of separation until it is low enough or nothing is violated."""
    state = separate(leaf.state, VIOLATED)[0] if leaf.solved else leaf.state
    for _ in range(ROUNDS):
        solved = solve_height(state, it.theta, it.reduced.gamma, left())
        it.solves += 1
        if solved is None:
            break
        point = settled(solved.cell, it.theta, solved.point(), it.reduced.gamma)
        proved = _bounded(it, replace(leaf, state=replace(solved, z=point.z[solved.cell.free])))
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
    """Let the trainer learn from the cells' measures; all cells then have a new Θ to deal with."""
    highest = heapq.nsmallest(MANY, (entry for entry in it.heap if entry[2].solved))
    tops = np.hstack([_tops(leaf) for _, _, leaf in highest])
    better = it.trainer.search(TRAINED * gap, lambda: left() <= 0, tops)
    it.retrained = it.retrained + 1 if better else RETRAINED
    it.theta = it.trainer.theta
    found = [leaf for _, _, leaf in it.heap]
    it.heap = []
    for leaf in found:
        point = settled(leaf.state.cell, it.theta, leaf.state.point(), it.reduced.gamma)
        state = replace(leaf.state, z=point.z[leaf.state.cell.free])
        it.push(_bounded(it, replace(leaf, state=state, solved=False, final=False)))


def _tops(leaf: Leaf) -> Array:
    """The direction on which most of the leaf's measure lies, both ways (d, 2)."""
    free = len(leaf.state.z)
    top = np.linalg.eigh(leaf.state.known[free:, free:])[1][:, -1:]
    return np.hstack([top, -top])


def _row(leaf: Leaf, moments: Array) -> int | None:
    """The free row with the most on both sides: the smaller of E α_k² and E β_k², per ‖x_k‖²; None without any."""
    cell = leaf.state.cell
    if not len(cell.free):
        return None
    n, X = len(cell.X), cell.X[cell.free]
    alpha, beta = cell.E[cell.free], cell.E[n + cell.free]
    second = [np.einsum("ij,jk,ik->i", forms, moments, forms) for forms in (alpha, beta)]
    score = np.minimum(*second) / np.sum(X**2, axis=1)
    best = int(np.argmax(score))
    total = float(np.trace(moments[len(cell.free) :, len(cell.free) :]))
    return int(cell.free[best]) if score[best] > IDLE * total else None


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
    cell, sign = leaf.state.cell, leaf.sign
    columns, rng = it.trainer.columns, np.random.default_rng(0)
    even = whitener(it.reduced.X) @ rng.standard_normal((it.reduced.d, SPREAD))
    U = np.hstack([columns.U * np.sqrt(columns.s), even * np.sqrt(np.sum(columns.s) / np.sum(even**2))])
    inside = np.all(sign[:, None] * (np.vstack([it.reduced.X, it.planes])[: len(sign)] @ U) >= 0, axis=0)
    U = U[:, inside]
    forms = np.vstack([np.abs(cell.X[cell.free] @ U), U])
    return forms @ forms.T
