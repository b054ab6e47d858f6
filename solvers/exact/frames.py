"""What is kept of the simplices between a root and the one in hand: vertices, and the rows that cross them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..network import Array

DEPTH = 250  # bisections from a root to a leaf, at most: far below any width that matters


class Frames(NamedTuple):
    """What is kept of the simplex on each level, from a root down to the one in hand; arrays, written in place."""

    y: Array  # (DEPTH, d, d): the simplex's vertices in the cross-polytope
    g: Array  # (DEPTH, d, d): the same as directions, Ty
    L: Array  # (DEPTH, c, d): sum of the rows that are linear on the simplex
    rows: NDArray[np.int64]  # (DEPTH, n): crossing rows
    p: Array  # (DEPTH, n, d): their products with the vertices
    crossing: NDArray[np.int64]  # (DEPTH,): how many they are
    edge: NDArray[np.int64]  # (DEPTH, 2): the edge that was bisected
    side: NDArray[np.int64]  # (DEPTH,): which half is being looked at

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
        return cls(
            np.zeros((DEPTH, d, d)),
            np.zeros((DEPTH, d, d)),
            np.zeros((DEPTH, c, d)),
            np.zeros((DEPTH, n), np.int64),
            np.zeros((DEPTH, n, d)),
            np.zeros(DEPTH, np.int64),
            np.zeros((DEPTH, 2), np.int64),
            np.zeros(DEPTH, np.int64),
        )
