"""Proof that h(u) = ‖Θᵀ(Xu)₊‖ stays below a target on the whole sphere, by branch and bound on simplicial cones.

Directions are u = Ty with T whitening X, and y runs over the faces of the cross-polytope Σ|y_e| = 1, one root a sign
pattern. A simplex of such y is halved exactly by bisecting an edge, y being dyadic. On the cone over one
with vertices g_j = Ty_j (formulation, section 6, sharpened):

- rows that do not change sign are linear there: they sum to one form w = Lu, handed down to all descendants;
- a crossing row with P = max_j (x_i·g_j)₊, Q = max_j (−x_i·g_j)₊ has α_i below its chord by at most PQ/(P+Q);
- along the direction g₀ of w the bound is linear: rows that push up take their chord, rows that push down take
  α_i ≥ t_i x_i·u, with t_i ∈ [0, 1] chosen so as to make the cone's maximum small; that is exact at a local maximum
  even where rows vanish, so simplices around the atoms of the solution close early;
- across g₀ the crude box is enough, being of second order;
- a linear function with values H_j at the vertices is at most min {‖q‖ : q·g_j ≥ H_j} on the cone's unit vectors.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..activation import RELU, Activation
from ..atoms.threads import share
from ..network import Array
from .frames import Frames
from .lines import merge_lines
from .walk import fill_root, walk

QUOTA = 20_000  # simplices between two looks at the clock
MOST = 200_000_000  # simplices of a cover, a byte each; beyond that it is given up


@dataclass(frozen=True)
class Cover:
    """A proved η ≥ max h, the bisections that prove it, how many simplices, and the highest direction of each root.

    splits: uint8, the roots' trees one after the other in preorder: 0 for a leaf, 1 + e for a bisection of edge e in
    the order of `itertools.combinations(range(d), 2)`; offsets: where each root's tree begins.
    """

    eta: float
    splits: NDArray[np.uint8]
    offsets: NDArray[np.int64]
    simplices: int
    tops: Array

    def proof(self, transform: Array) -> Mapping[str, NDArray]:
        """Collect the arrays from which the check replays this cover.

        Args:
            transform: the T (d, d) that the cover was made with.

        Returns:
            The arrays by name.
        """
        return {"transform": transform, "splits": self.splits, "offsets": self.offsets}


def cover(
    theta: Array,
    X: Array,
    transform: Array,
    target: float,
    late: Callable[[], bool] = lambda: False,
    activation: Activation = RELU,
) -> Cover | None:
    """Cover the sphere with simplices on which h is below a target.

    Where some h exceeds the target, it is raised in that root, so the result is always a proof, of `eta`.

    Args:
        theta: Θ (n, c).
        X: rows (n, d).
        transform: T (d, d), which whitens X.
        target: the bound to prove.
        late: says when to give up.
        activation: φ of h(u) = ‖Θᵀφ(Xu)‖.

    Returns:
        The cover; None if `late` says so, or at `MOST`.
    """
    d, used = X.shape[1], 0
    kinks, everywhere = activation.kinked(theta, X)
    merged, rows, form = merge_lines(kinks, X)
    form = form + everywhere

    def enough(simplices: int) -> bool:
        nonlocal used
        used += simplices
        return used > MOST or late()

    signs = list(itertools.product([1.0, -1.0], repeat=d))
    roots = share(lambda s: _root(merged, rows, form, transform, np.diag(s), target, enough), signs)
    done = [root for root in roots if root is not None]
    if len(done) < len(roots):
        return None
    sizes = [len(splits) for splits, _, _ in done]
    return Cover(
        eta=max(eta for _, eta, _ in done),
        splits=np.concatenate([splits for splits, _, _ in done]),
        offsets=np.cumsum([0, *sizes[:-1]]),
        simplices=sum(sizes),
        tops=np.array([top for _, _, top in done]).T,
    )


def _root(
    theta: Array,
    X: Array,
    form: Array,
    transform: Array,
    y: Array,
    target: float,
    enough: Callable[[int], bool],
) -> tuple[NDArray[np.uint8], float, Array] | None:
    """Splits, η and the highest vertex of one root with vertices y (d, d). enough(simplices made since): stop?"""
    (n, d), c = X.shape, theta.shape[1]
    frames = Frames.empty(n, d, c)
    frames.L[0] = form
    fill_root(theta, X, transform, y, frames)
    state = np.array([target, 0.0, 0.0])  # target, η, highest h seen
    top = transform @ y[0]
    pieces, level, used = [], 0, 0
    while level >= 0:
        if enough(used):
            return None
        splits = np.zeros(QUOTA, np.uint8)
        level, used = walk(theta, X, transform, frames, level, splits, state, top)
        pieces.append(splits[:used])
    return np.concatenate(pieces), float(state[1]), top / np.linalg.norm(top)
