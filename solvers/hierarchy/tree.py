"""The tree of regions, its leaves with what is proved of each, and the best proof of them all together."""

from __future__ import annotations

import heapq
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from ..certificates.certificate import Certificate
from ..certificates.regions import certify_regions, quadratic_form, settled
from ..certificates.tree import LEAF, Circuits
from ..conic.regions import RegionState
from ..fit import TraceRow
from ..network import Array
from ..problem import Problem
from ..reduced.dual import maximum, value
from ..reduced.reduction import Reduced
from .network import Trainer


@dataclass(frozen=True)
class Leaf:
    """A region with its signs (n+k,), place in the tree, the circuits behind its signs, and what is proved of it.

    squared: a bound on ‖Θᵀφ(Xu)‖²/γ² at unit u, up to rounding. solved: the multipliers were made for this Θ. final:
    its measure violates nothing, or to let in what it violates was of no use.
    """

    sign: np.ndarray
    node: int
    implied: Circuits
    state: RegionState
    squared: float
    solved: bool
    final: bool = False


@dataclass
class Hierarchy:
    """The tree (node → row and children), its leaves by falling bound, the best proof, and the network.

    Changed in place by the functions of splitting.py, which call it `it`.
    late: a region is left unsolved that would have taken more than the time left.
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
    def spread(self) -> Array:
        """Θ (2n, c) on the extended rows; `theta` is that on the loss rows."""
        return np.asarray(self.reduced.mixed(self.theta))

    @property
    def upper(self) -> float:
        """Objective of the network."""
        return self.trainer.upper

    @property
    def regions(self) -> int:
        """Number of regions."""
        return len(self.heap)

    @property
    def highest(self) -> float:
        """The largest bound on ‖Θᵀφ(Xu)‖²/γ² of any region, up to rounding."""
        return -self.heap[0][0]

    @property
    def gain(self) -> float:
        """The share of the gap by which what the regions prove, up to rounding, is better than the certificate."""
        proved = self.reduced.unit * value(self.reduced, self.theta, self.highest * self.reduced.gamma**2)[0]
        lower = self.certificate.lower_bound
        return (proved - lower) / (self.upper - lower) if self.upper > lower else 0.0

    def push(self, leaf: Leaf) -> None:
        """Put a leaf into the heap, highest bound first; of equal ones the oldest, so that nothing is left to chance.

        Args:
            leaf: the leaf.
        """
        heapq.heappush(self.heap, (-leaf.squared, leaf.node, leaf))

    def note(self) -> None:
        """A line of the trace."""
        seconds = time.perf_counter() - self.began
        self.trace.append(TraceRow(seconds, self.solves, self.upper, self.certificate.lower_bound))


def certify(it: Hierarchy) -> None:
    """Prove what the regions say, and keep it if it is better than what there is."""
    order = list(_preorder(it))
    leaves = {leaf.node: leaf for _, _, leaf in it.heap}
    tree = [it.nodes[node][0] if node in it.nodes else LEAF for node in order]
    regions = [leaves[node] for node in order if node in leaves]
    parts = [(leaf.state.region, leaf.implied, leaf.state.point()) for leaf in regions]
    certificate = certify_regions(it.problem, it.reduced, it.theta, tree, parts, it.planes)
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


def bounded(it: Hierarchy, leaf: Leaf) -> Leaf:
    """The leaf with what its multipliers prove for the present Θ."""
    state = leaf.state
    B = quadratic_form(state.region, it.spread, (state.i, state.j, state.value), state.z)
    squared = max(maximum(B, len(state.z))[0], 0.0) / it.reduced.gamma**2
    return replace(leaf, squared=squared)


def adopt(it: Hierarchy, theta: Array) -> None:
    """Let all leaves deal with another Θ, with the multipliers that they have.

    Args:
        it: the hierarchy, changed in place.
        theta: Θ (2n, c) on the loss rows.
    """
    it.theta = theta
    found = [leaf for _, _, leaf in it.heap]
    it.heap = []
    for leaf in found:
        point = settled(leaf.state.region, it.spread, leaf.state.point(), it.reduced.gamma)
        state = replace(leaf.state, z=point.z[leaf.state.region.free])
        it.push(bounded(it, replace(leaf, state=state, solved=False, final=False)))
