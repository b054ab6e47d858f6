"""The regions of the hierarchy: parts of R^d on which the signs of some x_k·u are fixed, and what is linear there.

A binary tree of splits covers R^d by construction. It is stored in preorder: an entry k ≥ 0 stands for a split by the
sign of x_k·u, followed by the subtree of x_k·u ≥ 0 and that of x_k·u ≤ 0; LEAF stands for a region. Numbers from n on
stand for splits by planes w·u that belong to no row.

A circuit x_k ≈ Σ_i c_i x_i gives t = ½(Σ|c_i| s_i − s_k) ≥ 0, s = |Xu|, as the ReLU is subadditive. Where all x_i of
a circuit have signs that agree with one sign of x_k, x_k has that sign as well. In a region, rows with a sign have
s_k = ±x_k·u, so that everything is linear in (s_free, u).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.optimize import nnls

from ..network import Array

LEAF = -1
IMPLIED = 1e-11  # relative residual up to which a row counts as a combination of others; proofs charge what is left


@dataclass(frozen=True)
class Circuits:
    """x_head[f] ≈ Σ_i C[f, i] x_i: head (F,), C (F, n); in a region's implied circuits also over planes, (F, n+k)."""

    head: np.ndarray
    C: Array

    @classmethod
    def none(cls, n: int) -> Circuits:
        """No circuits.

        Args:
            n: rows that they are over.

        Returns:
            Zero circuits over n rows.
        """
        return cls(np.zeros(0, dtype=int), np.zeros((0, n)))

    def __len__(self) -> int:
        return len(self.head)

    def plus(self, other: Circuits) -> Circuits:
        """These circuits and others.

        Args:
            other: further circuits, which may be over further planes.

        Returns:
            All of them, those of `other` at the end.
        """
        C = np.zeros((len(self), other.C.shape[1]))
        C[:, : self.C.shape[1]] = self.C
        return Circuits(np.r_[self.head, other.head], np.vstack([C, other.C]))

    def only(self, which: np.ndarray) -> Circuits:
        """Some of the circuits.

        Args:
            which: their indices, or a mask.

        Returns:
            These circuits.
        """
        return Circuits(self.head[which], self.C[which])

    def residual(self, X: Array) -> Array:
        """Bound on ‖x_head − Σ C x‖, its own rounding included.

        Args:
            X: the rows and planes that the circuits are over, d columns.

        Returns:
            One bound a circuit (F,).
        """
        eps = float(np.finfo(np.float64).eps)
        size = np.abs(self.C) @ np.linalg.norm(X, axis=1) + np.linalg.norm(X[self.head], axis=1)
        return np.linalg.norm(X[self.head] - self.C @ X, axis=1) + 2 * (len(X) + 4) * eps * size


def leaves(tree: Sequence[int], n: int) -> np.ndarray:
    """The signs that the splits of a tree give in each region.

    Args:
        tree: the splits in preorder.
        n: rows and planes.

    Returns:
        Signs (regions, n) in {−1, 0, 1}, in the tree's order.

    Raises:
        ValueError: the list is not one whole tree over numbers below n.
    """
    signs, waiting = [], [np.zeros(n, dtype=int)]
    for entry in tree:
        if not waiting:
            raise ValueError("The tree of splits must end with its last region.")
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
        raise ValueError("The tree of splits must end with its last region.")
    return np.array(signs)


def implications(X: Array, sign: np.ndarray, rows: np.ndarray) -> Circuits:
    """Circuits that give signs to some rows in a region.

    By Farkas' lemma x_k·u ≥ 0 on the region if and only if x_k is a nonnegative combination of the ±x_i that define it.
    Where x_k·u = 0 on the whole region, either sign is right.

    Args:
        X: rows (N, d), which may end with planes.
        sign: signs (N,) that define the region, 0 for none.
        rows: numbers of the rows that are to have a sign.

    Returns:
        The circuits found.
    """
    fixed = np.flatnonzero(sign)
    if not len(fixed):
        return Circuits.none(len(X))
    generators = (sign[fixed, None] * X[fixed]).T
    norm = np.linalg.norm(X, axis=1)
    heads, found = [], []
    for k in rows:
        for τ in (1, -1):
            a, distance = nnls(generators, τ * X[k] / norm[k])
            if distance < IMPLIED:
                row = np.zeros(len(X))
                row[fixed] = τ * a * sign[fixed] * norm[k]
                heads.append(k)
                found.append(row)
                break
    return Circuits(np.array(heads, dtype=int), np.array(found).reshape(len(heads), len(X)))


@dataclass(frozen=True)
class Region:
    """Linear forms in (s_free, u) on one region, from rows X (n, d), signs (n,), circuits (F of them) and walls (w, d).

    sign: 0 for free rows. The model of s_k = |x_k·u| is sign_k x_k·u for the others, at most error[k]‖u‖ below it.
    walls: normals of planes, walls·u ≥ 0 on the region, a zero row for a plane that is none of its walls. source: the
    circuits (of those given as implied) that give signs to rows.
    """

    X: Array
    sign: np.ndarray
    error: Array
    circuits: Circuits
    walls: Array
    source: np.ndarray

    @classmethod
    def build(
        cls, X: Array, split_sign: np.ndarray, circuits: Circuits, implied: Circuits, planes: Array | None = None
    ) -> Region:
        """The region where splits give signs, with the signs that circuits then give.

        Args:
            X: rows (n, d).
            split_sign: signs (n+k,) of rows and planes, 0 for none.
            circuits: those whose forms have products in the proof.
            implied: those that give signs to further rows.
            planes: normals (k, d) of the splits from n on; None for none.

        Returns:
            The region.
        """
        n = len(X)
        planes = np.zeros((0, X.shape[1])) if planes is None else planes
        sign, error, source = split_sign[:n].copy(), np.zeros(n), []
        residual = implied.residual(np.vstack([X, planes]))
        agree = np.sign(implied.C) * split_sign
        for τ in (1, -1):
            all_agree = np.all((implied.C == 0) | (agree == τ), axis=1)
            for f in np.flatnonzero(all_agree & (split_sign[implied.head] == 0)):
                k = implied.head[f]
                if sign[k] == 0:
                    # |x_k·u| ≤ Σ|c_i||x_i·u| + δ = τ Σ c_i x_i·u + δ ≤ τ x_k·u + 2δ
                    sign[k], error[k] = τ, 2 * residual[f]
                    source.append(f)
        walls = split_sign[n:, None] * planes
        return cls(X, sign, error, circuits, walls, np.array(source, dtype=int))

    @cached_property
    def free(self) -> np.ndarray:
        """Rows without a sign."""
        return np.flatnonzero(self.sign == 0)

    @cached_property
    def E(self) -> Array:
        """Rows α (n), β (n), t (F) and walls (w), (2n+F+w, free+d): forms in (s_free, u), nonnegative on the region."""
        S, Xu = self._s_and_Xu()
        t = np.abs(self.circuits.C) @ S - S[self.circuits.head]
        return np.vstack([(S + Xu) / 2, (S - Xu) / 2, t / 2, self._on_u(self.walls)])

    @cached_property
    def absolute(self) -> Array:
        """E with every term of every sum made positive, for bounds on rounding."""
        S, Xu = (np.abs(part) for part in self._s_and_Xu())
        t = np.abs(self.circuits.C) @ S + S[self.circuits.head]
        return np.vstack([(S + Xu) / 2, (S + Xu) / 2, t / 2, np.abs(self._on_u(self.walls))])

    def _s_and_Xu(self) -> tuple[Array, Array]:
        """The models of s and Xu (n, free+d)."""
        S = self._on_u(self.sign[:, None] * self.X)
        S[self.free, np.arange(len(self.free))] = 1.0
        return S, self._on_u(self.X)

    def _on_u(self, normals: Array) -> Array:
        """Forms normals·u (m, free+d)."""
        return np.hstack([np.zeros((len(normals), len(self.free))), normals])

    @cached_property
    def below(self) -> Array:
        """How far each form of E can lie below 0 at unit u on the region."""
        row = self.error / 2
        C, head = np.abs(self.circuits.C), self.circuits.head
        t = (self.circuits.residual(self.X) + C @ self.error + self.error[head]) / 2
        return np.concatenate([row, row, t, np.zeros(len(self.walls))])

    @cached_property
    def pairs(self) -> np.ndarray:
        """Mask (forms, forms) of the products of two different forms that are worth a multiplier."""
        n = len(self.X)
        alive = np.any(np.abs(self.E) > 1e-9 * self.absolute, axis=1)
        mask = np.triu(np.outer(alive, alive), 1)
        mask[self.free, n + self.free] = False  # α_k β_k = 0 has the multiplier z_k
        return mask
