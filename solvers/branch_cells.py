"""The cells of the hierarchy: parts of R^d on which the signs of some x_k·u are fixed, and what is linear there.

A binary tree of splits by the sign of x_k·u covers R^d by construction. It is stored in preorder: a row k ≥ 0 stands
for a split, followed by the subtree of x_k·u ≥ 0 and that of x_k·u ≤ 0; LEAF stands for a cell.

A circuit x_k ≈ Σ_i c_i x_i gives t = ½(Σ|c_i| s_i − s_k) ≥ 0, s = |Xu|, as the ReLU is subadditive. Where all x_i of
a circuit have signs that agree with one sign of x_k, x_k has that sign as well. In a cell, rows with a sign have
s_k = ±x_k·u, so that everything is linear in (s_free, u).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.optimize import nnls

from .problem import Array

LEAF = -1
IMPLIED = 1e-11  # relative residual up to which a row counts as a combination of others; proofs charge what is left


@dataclass(frozen=True)
class Circuits:
    """x_head[f] ≈ Σ_i C[f, i] x_i: head (F,), C (F, n)."""

    head: np.ndarray
    C: Array

    @classmethod
    def none(cls, n: int) -> Circuits:
        """No circuits over n rows."""
        return cls(np.zeros(0, dtype=int), np.zeros((0, n)))

    def __len__(self) -> int:
        return len(self.head)

    def plus(self, other: Circuits) -> Circuits:
        """Those of `other` at the end."""
        return Circuits(np.r_[self.head, other.head], np.vstack([self.C, other.C]))

    def only(self, which: np.ndarray) -> Circuits:
        """The circuits with these indices."""
        return Circuits(self.head[which], self.C[which])

    def residual(self, X: Array) -> Array:
        """Bound on ‖x_head − Σ C x‖ (F,), its own rounding included."""
        eps = float(np.finfo(np.float64).eps)
        size = np.abs(self.C) @ np.linalg.norm(X, axis=1) + np.linalg.norm(X[self.head], axis=1)
        return np.linalg.norm(X[self.head] - self.C @ X, axis=1) + 2 * (len(X) + 4) * eps * size


def leaves(tree: Sequence[int], n: int) -> np.ndarray:
    """Signs (cells, n) in {−1, 0, 1} that the splits give to the rows in each cell, in the order of the tree.

    Raises ValueError if the list is not one whole tree over rows below n.
    """
    signs, waiting = [], [np.zeros(n, dtype=int)]
    for entry in tree:
        if not waiting:
            raise ValueError("The tree of splits must end with its last cell.")
        here = waiting.pop()
        if entry == LEAF:
            signs.append(here)
            continue
        if not 0 <= entry < n:
            raise ValueError(f"Splits must be row numbers from 0 to {n - 1}. Got {entry} instead.")
        for sign in (-1, 1):  # the last one put aside comes first
            child = here.copy()
            child[entry] = sign
            waiting.append(child)
    if waiting:
        raise ValueError("The tree of splits must end with its last cell.")
    return np.array(signs)


def split(tree: Sequence[int], cells: dict[int, int]) -> list[int]:
    """The tree with cell number c split by row cells[c]."""
    result, cell = [], 0
    for entry in tree:
        if entry == LEAF and cell in cells:
            result += [cells[cell], LEAF, LEAF]
        else:
            result.append(entry)
        cell += entry == LEAF
    return result


def implications(X: Array, sign: np.ndarray) -> Circuits | None:
    """Circuits that give signs to further rows of X (n, d) in the cell of `sign` (n,); None if the cell has no inside.

    By Farkas' lemma x_k·u ≥ 0 on the cell if and only if x_k is a nonnegative combination of the ±x_i that define it.
    """
    fixed = np.flatnonzero(sign)
    if not len(fixed):
        return Circuits.none(len(X))
    generators = (sign[fixed, None] * X[fixed]).T
    norm = np.linalg.norm(X, axis=1)
    heads, rows = [], []
    for k in np.flatnonzero(sign == 0):
        for τ in (1, -1):
            a, distance = nnls(generators, τ * X[k] / norm[k])
            if distance < IMPLIED:
                row = np.zeros(len(X))
                row[fixed] = τ * a * sign[fixed] * norm[k]
                heads.append(k)
                rows.append(row)
    if len(set(heads)) < len(heads):  # both signs: x_k·u = 0 on the whole cell
        return None
    return Circuits(np.array(heads, dtype=int), np.array(rows).reshape(len(heads), len(X)))


@dataclass(frozen=True)
class Cell:
    """Linear forms in (s_free, u) on one cell, from rows X (n, d), signs (n,) and circuits.

    sign: 0 for free rows. The model of s_k = |x_k·u| is sign_k x_k·u for the others, at most error[k]‖u‖ below it;
    source: the implied circuit that gives row k its sign, −1 for splits and free rows.
    """

    X: Array
    sign: np.ndarray
    error: Array
    circuits: Circuits
    implied: Circuits
    source: np.ndarray

    @classmethod
    def build(cls, X: Array, split_sign: np.ndarray, circuits: Circuits, implied: Circuits) -> Cell:
        """The cell where the splits give `split_sign`, with the signs that the circuits `implied` give then."""
        sign, error, source = split_sign.copy(), np.zeros(len(X)), np.full(len(X), -1)
        residual = implied.residual(X)
        agree = np.sign(implied.C) * split_sign
        for τ in (1, -1):
            all_agree = np.all((implied.C == 0) | (agree == τ), axis=1)
            for f in np.flatnonzero(all_agree & (split_sign[implied.head] == 0)):
                k = implied.head[f]
                if sign[k] == 0:
                    # |x_k·u| ≤ Σ|c_i||x_i·u| + δ = τ Σ c_i x_i·u + δ ≤ τ x_k·u + 2δ
                    sign[k], error[k], source[k] = τ, 2 * residual[f], f
        return cls(X, sign, error, circuits, implied, source)

    @cached_property
    def free(self) -> np.ndarray:
        """Rows without a sign."""
        return np.flatnonzero(self.sign == 0)

    @cached_property
    def E(self) -> Array:
        """Rows α_1…α_n, β_1…β_n, t_1…t_F (2n+F, free+d): forms in (s_free, u) that are nonnegative on the cell."""
        S, Xu = self._s_and_Xu()
        return np.vstack([S + Xu, S - Xu, np.abs(self.circuits.C) @ S - S[self.circuits.head]]) / 2

    @cached_property
    def absolute(self) -> Array:
        """E with every term of every sum made positive (2n+F, free+d), for bounds on rounding."""
        S, Xu = (np.abs(part) for part in self._s_and_Xu())
        return np.vstack([S + Xu, S + Xu, np.abs(self.circuits.C) @ S + S[self.circuits.head]]) / 2

    def _s_and_Xu(self) -> tuple[Array, Array]:
        """The models of s and Xu (n, free+d)."""
        s = np.zeros((len(self.X), len(self.free)))
        s[self.free, np.arange(len(self.free))] = 1.0
        return np.hstack([s, self.sign[:, None] * self.X]), np.hstack([np.zeros_like(s), self.X])

    @cached_property
    def below(self) -> Array:
        """How far each form of E can lie below 0 at unit u on the cell (2n+F,)."""
        row = self.error / 2
        C, head = np.abs(self.circuits.C), self.circuits.head
        return np.concatenate([row, row, (self.circuits.residual(self.X) + C @ self.error + self.error[head]) / 2])

    @cached_property
    def pairs(self) -> np.ndarray:
        """Mask (2n+F, 2n+F) of the products of two different forms that are worth a multiplier."""
        n = len(self.X)
        alive = np.any(np.abs(self.E) > 1e-9 * self.absolute, axis=1)
        mask = np.triu(np.outer(alive, alive), 1)
        mask[self.free, n + self.free] = False  # α_k β_k = 0 has the multiplier z_k
        return mask
