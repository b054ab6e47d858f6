"""Rows on one line through the origin as one row: what their Θ cancels then never troubles a bound."""

from __future__ import annotations

import numpy as np

from ..network import Array

SAME = 1e-13  # chord between unit vectors up to which they count as one: rounding, no more


def merge_lines(theta: Array, X: Array) -> tuple[Array, Array, Array]:
    """Merge rows on one line: Θᵀ(Xu)₊ = Θ'ᵀ(X'u)₊ + Lu.

    A row −r·a (r > 0) on the line of a unit row a counts as r·a and a linear part, (−a·u)₊ = (a·u)₊ − a·u.

    Args:
        theta: Θ (n, c).
        X: rows (n, d).

    Returns:
        Θ' (k, c), unit rows X' (k, d) and L (c, d).
    """
    length = np.linalg.norm(X, axis=1)
    live = np.flatnonzero((length > 0) & np.any(theta != 0, axis=1))
    unit, pull = X[live] / length[live, None], theta[live] * length[live, None]
    merged, rows, L = [], [], np.zeros((theta.shape[1], X.shape[1]))
    left = np.arange(len(live))
    while len(left):
        head = unit[left[0]]
        forward = np.sum((unit[left] - head) ** 2, axis=1) <= SAME**2
        back = np.sum((unit[left] + head) ** 2, axis=1) <= SAME**2
        merged.append(pull[left[forward | back]].sum(axis=0))
        rows.append(head)
        L -= np.outer(pull[left[back]].sum(axis=0), head)
        left = left[~(forward | back)]
    return np.array(merged).reshape(-1, theta.shape[1]), np.array(rows).reshape(-1, X.shape[1]), L
