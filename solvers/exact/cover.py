"""Proof that h(u) = ‖Θᵀ(Xu)₊‖ stays below a target on the whole sphere, by branch and bound on simplicial cones.

Directions are u = Ty with T whitening X, and y runs over the faces of the cross-polytope Σ|y_e| = 1, one root a sign
pattern. A simplex of such y is halved exactly by bisecting an edge, y being dyadic. On the cone over one
with vertices g_j = Ty_j (formulation, section 6, sharpened):

- rows that do not change sign are linear there: they sum to one form w = Lu, handed down to all descendants;
- a crossing row has α_i = (x_i·u)₊ between t_i x_i·u, any t_i in [0, 1], and its chord, which has the value
  (x_i·g_j)₊ at vertex j; both are linear in λ, u = Σ λ_j g_j;
- so Θᵀ(Xu)₊ is Σ λ_j (Lg_j + Σ_i θ_i a_ij) with some a_ij between t_i x_i·g_j and (x_i·g_j)₊, and h(u) is at most
  Σ λ_j H_j, H_j the largest length of any Lg_j + Σ_i θ_i a_ij;
- these fill a zonotope: its centre, and Σ ± half_ij θ_i. In axes with the first one along the centre, H_j is at most
  the length of (|centre| + Σ_i half_ij |θ_i1|, Σ_i half_ij |θ_i2|, …);
- t_i is moved to the side of row i on which the cone's maximum lies, so that simplices around the atoms of the
  solution, where rows vanish, close early;
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
from .walk import walk

QUOTA = 20_000  # simplices between two looks at the clock
MOST = 200_000_000  # simplices of a cover, five bytes each; beyond that it is given up


@dataclass(frozen=True)
class Cover:
    """A proved η ≥ max h, the bisections that prove it, how many simplices, and the highest direction of each root.

    splits: uint8, the roots' trees one after the other in preorder: 0 for a leaf, 1 + e for a bisection of edge e in
    the order of `itertools.combinations(range(d), 2)`; offsets: where each root's tree begins; bounds: float32, on h
    over each leaf.
    """

    eta: float
    splits: NDArray[np.uint8]
    offsets: NDArray[np.int64]
    bounds: NDArray[np.float32]
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

    def roots(self) -> list[tuple[NDArray[np.uint8], NDArray[np.float32]]]:
        """The tree of each root, and the bounds on its leaves."""
        cuts = self.offsets[1:]
        return list(zip(np.split(self.splits, cuts), np.split(self.bounds, cuts), strict=True))


def cover(
    theta: Array,
    X: Array,
    transform: Array,
    target: float,
    late: Callable[[], bool] = lambda: False,
    activation: Activation = RELU,
    begin: Cover | None = None,
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
        begin: a cover for the same X and T, whose simplices are bisected further. Its bounds are believed: they are
            those of this Θ, or infinite.

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

    signs = itertools.product([1.0, -1.0], repeat=d)
    whole = (np.zeros(1, np.uint8), np.full(1, np.inf, np.float32))
    trees = [whole] * 2**d if begin is None else begin.roots()
    tasks = [(np.diag(s), *tree) for s, tree in zip(signs, trees, strict=True)]
    roots = share(lambda task: _root(merged, rows, form, transform, task, target, enough), tasks)
    done = [root for root in roots if root is not None]
    if len(done) < len(roots):
        return None
    sizes = [len(splits) for splits, _, _ in done]
    bounds = np.concatenate([bounds for _, bounds, _ in done])
    return Cover(
        eta=float(np.max(bounds)),
        splits=np.concatenate([splits for splits, _, _ in done]),
        offsets=np.cumsum([0, *sizes[:-1]]),
        bounds=bounds,
        simplices=sum(sizes),
        tops=np.array([top for _, _, top in done]).T,
    )


def _root(
    theta: Array,
    X: Array,
    form: Array,
    transform: Array,
    task: tuple[Array, NDArray[np.uint8], NDArray[np.float32]],
    target: float,
    enough: Callable[[int], bool],
) -> tuple[NDArray[np.uint8], NDArray[np.float32], Array] | None:
    """Splits, bounds and the highest vertex of one root. task: its vertices y (d, d), and its tree so far with bounds.

    enough(simplices made since): stop?
    """
    (n, d), c = X.shape, theta.shape[1]
    y, old, known = task
    edges = np.array(list(itertools.combinations(range(d), 2)), np.int64).reshape(-1, 2)
    frames = Frames.empty(n, d, c)
    frames.y[0] = y
    state = np.array([target, 0.0])  # target, highest h seen
    top = transform @ y[0]
    place = np.array([0, 0, -1])
    pieces, used = [], 0
    while place[0] >= 0:
        if enough(used):
            return None
        splits, bounds = np.zeros(QUOTA, np.uint8), np.zeros(QUOTA, np.float32)
        used = walk(theta, X, form, transform, edges, frames, place, old, known, splits, bounds, state, top)
        pieces.append((splits[:used], bounds[:used]))
    splits, bounds = (np.concatenate(parts) for parts in zip(*pieces, strict=True))
    return splits, bounds, top / np.linalg.norm(top)
