"""What is kept of the simplices between a root and the one in hand: vertices, and the rows that cross them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba.extending import register_jitable
from numpy.typing import NDArray

from ..network import Array

DEPTH = 250  # bisections from a root to a leaf, at most: far below any width that matters
LANES = 8  # crossing rows are filled up to a multiple of this by rows of zeros, so that loops over them have no rest


@register_jitable  # for compiled code and for Python
def filled(size: int) -> int:
    """Fill up to whole lanes.

    Args:
        size: a number of crossing rows.

    Returns:
        The next multiple of LANES.
    """
    return (size + LANES - 1) // LANES * LANES


class Frames(NamedTuple):
    """What is kept of the simplex on each level, from a root down to the one in hand, and room to work in.

    All arrays are written in place. Rows come last, so that loops over them take several at a time.
    """

    y: Array  # (DEPTH, d, d): the simplex's vertices in the cross-polytope
    g: Array  # (DEPTH, d, d): the same as directions, Ty
    L: Array  # (DEPTH, c, d): sum of the rows that are linear on the simplex
    rows: NDArray[np.int64]  # (DEPTH, n): crossing rows
    p: Array  # (DEPTH, d, n): their products with the vertices
    pull: Array  # (DEPTH, c, n): their Θ
    crossing: NDArray[np.int64]  # (DEPTH,): how many they are
    edge: NDArray[np.int64]  # (DEPTH, 2): the edge that was bisected
    side: NDArray[np.int64]  # (DEPTH,): which half is being looked at
    t: Array  # (n,): slopes of the lines below the crossing rows' α
    part: Array  # (4, n): what the loops over rows hand on to each other
    base: Array  # (d, c): Lg at the vertices
    outputs: Array  # (3, c)
    H: Array  # (d,): bounds on h at the vertices
    weight: Array  # (d,): of the vertices where the bound over the cone is attained
    matrix: Array  # (d, d + 1): equations
    axis: Array  # (2, d): directions that may bound

    @classmethod
    def empty(cls, n: int, d: int, c: int) -> Frames:
        """Make room for the frames of one root.

        Args:
            n: rows.
            d: dimensions.
            c: outputs.

        Returns:
            The arrays, not filled yet.
        """
        n = filled(n)
        return cls(
            np.zeros((DEPTH, d, d)),
            np.zeros((DEPTH, d, d)),
            np.zeros((DEPTH, c, d)),
            np.zeros((DEPTH, n), np.int64),
            np.zeros((DEPTH, d, n)),
            np.zeros((DEPTH, c, n)),
            np.zeros(DEPTH, np.int64),
            np.zeros((DEPTH, 2), np.int64),
            np.zeros(DEPTH, np.int64),
            np.zeros(n),
            np.zeros((4, n)),
            np.zeros((d, c)),
            np.zeros((3, c)),
            np.zeros(d),
            np.zeros(d),
            np.zeros((d, d + 1)),
            np.zeros((2, d)),
        )
