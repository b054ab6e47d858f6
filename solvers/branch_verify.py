"""A second proof of a certificate of kind "cells", in ball arithmetic: what verify.py is to bound.py.

For every cell of the tree, the forms of branch_cells.py are built again in balls, and λ blkdiag(0, I) − B of
branch_proof.py is proved positive definite. What the forms may lie below zero, as circuits hold only up to rounding of
their coefficients, is charged to λ; what a row's sign may err is charged to √λ.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from .dual import maximum
from .problem import Array
from .verify import NAMES, ROOM, CertificateError, ball_slip, check_merging, definite, named_arrays

CELL_NAMES = {
    **NAMES,
    "tree": "iu",
    "circuit_head": "iu",
    "circuit_form": "iu",
    "circuit_row": "iu",
    "circuit_value": "iuf",
    "T_cell": "iu",
}


def largest_on_cells(theta: Array, X: Array, proof: Mapping[str, Any]) -> Any:
    """A ball ≥ max_{‖u‖=1} ‖Θᵀ(Xu)₊‖ for Θ (N, c) and X (N, d), or None if a cell is not proved."""
    import flint

    arrays = named_arrays(proof, CELL_NAMES)
    rows, rep, coef = arrays["rows"], arrays["rep"], arrays["coef"]
    check_merging(rows, rep, coef, X)
    n = len(rows)
    cells = list(_signs(list(arrays["tree"]), n))
    _check(arrays, n, len(cells))
    circuits = _circuits(arrays)
    sums = _sums(theta, n, rep, coef)
    highest = flint.arb(0)
    for cell, sign in enumerate(cells):
        own = arrays["T_cell"] == cell
        T = list(zip(arrays["T_row"][own], arrays["T_column"][own], arrays["T_value"][own], strict=True))
        largest = _Cell(X[rows], sign, circuits).largest(sums, T, arrays["z"][cell * n : (cell + 1) * n])
        if largest is None:
            return None
        highest = highest.max(largest)
    return highest + ball_slip(theta, X, rows, rep, coef)


def _signs(tree: list[int], n: int) -> Iterator[dict[int, int]]:
    """The signs {row: ±1} of every cell; raises CertificateError unless the list is one whole tree in preorder."""
    position = 0

    def below(given: dict[int, int]) -> Iterator[dict[int, int]]:
        nonlocal position
        if position == len(tree):
            raise CertificateError("The tree of splits must end with its last cell.")
        entry, position = int(tree[position]), position + 1
        if entry == -1:
            yield given
        elif 0 <= entry < n and entry not in given:
            yield from below({**given, entry: 1})
            yield from below({**given, entry: -1})
        else:
            raise CertificateError(
                f"A split must be by a row from 0 to {n - 1}, once on each way. Got {entry} instead."
            )

    yield from below({})
    if position != len(tree):
        raise CertificateError("The tree of splits must end with its last cell.")


def _check(arrays: dict[str, np.ndarray], n: int, cells: int) -> None:
    F, forms = len(arrays["circuit_head"]), 2 * n + len(arrays["circuit_head"])
    if arrays["z"].shape != (cells * n,):
        raise CertificateError(f"z must have {cells} times {n} entries. Got {len(arrays['z'])} instead.")
    for name, limit in (
        ("circuit_head", n),
        ("circuit_form", F),
        ("circuit_row", n),
        ("T_cell", cells),
        ("T_row", forms),
        ("T_column", forms),
    ):
        index = arrays[name]
        if len(index) and not (index.min() >= 0 and index.max() < limit):
            raise CertificateError(f"{name} must lie between 0 and {limit - 1}.")
    for group in (("circuit_form", "circuit_row", "circuit_value"), ("T_cell", "T_row", "T_column", "T_value")):
        if len({len(arrays[name]) for name in group}) > 1:
            raise CertificateError(f"{', '.join(group)} must have one entry each.")
    i, j = arrays["T_row"], arrays["T_column"]
    if np.any(arrays["T_value"] < 0) or np.any(i == j) or np.any((j - i == n) & (i < n)):
        raise CertificateError("T must be nonnegative, off its diagonal and without the pairs (α_i, β_i).")


def _circuits(arrays: dict[str, np.ndarray]) -> list[tuple[int, dict[int, float]]]:
    """(k, {i: c_i}) for every x_k ≈ Σ c_i x_i."""
    circuits: list[tuple[int, dict[int, float]]] = [(int(k), {}) for k in arrays["circuit_head"]]
    for f, i, c in zip(arrays["circuit_form"], arrays["circuit_row"], arrays["circuit_value"], strict=True):
        if int(i) in circuits[f][1]:
            raise CertificateError("A circuit must name each row once.")
        circuits[f][1][int(i)] = float(c)
    return circuits


def _sums(theta: Array, n: int, rep: np.ndarray, coef: Array) -> Any:
    """Θ summed onto (α, β) of the representatives, a ball matrix (2n, c)."""
    import flint

    sums = [[flint.arb(0)] * theta.shape[1] for _ in range(2 * n)]
    for k in np.flatnonzero(rep >= 0):
        side, size = int(rep[k] + (0 if coef[k] > 0 else n)), flint.arb(abs(float(coef[k])))
        sums[side] = [a + size * flint.arb(float(b)) for a, b in zip(sums[side], theta[k], strict=True)]
    return sums


class _Cell:
    """Forms (α, β, t) of one cell in balls, as lists over (s_free, u), with how far they may lie below 0."""

    def __init__(self, X: Array, split: dict[int, int], circuits: list[tuple[int, dict[int, float]]]) -> None:
        import flint

        self.n, self.d = X.shape
        self.X = [[flint.arb(float(x)) for x in row] for row in X]
        norms = [_norm(row) for row in self.X]
        misses = [self._miss(k, parts) for k, parts in circuits]
        sign, error = dict(split), [flint.arb(0)] * self.n
        for (k, parts), miss in zip(circuits, misses, strict=True):
            agree = {np.sign(c) * split.get(i, 0) for i, c in parts.items() if c != 0}
            if k not in sign and agree in ({1}, {-1}):
                sign[k], error[k] = int(agree.pop()), 2 * miss
        self.free = [k for k in range(self.n) if k not in sign]
        self.error = error
        zero = [flint.arb(0)] * len(self.free)
        Xu = [zero + row for row in self.X]
        s = [
            [sign[k] * x for x in Xu[k]] if k in sign else _unit(self.free.index(k), zero, self.d)
            for k in range(self.n)
        ]
        self.E = [[(a + b) / 2 for a, b in zip(s[k], Xu[k], strict=True)] for k in range(self.n)]
        self.E += [[(a - b) / 2 for a, b in zip(s[k], Xu[k], strict=True)] for k in range(self.n)]
        self.below = [e / 2 for e in error] * 2
        for (k, parts), miss in zip(circuits, misses, strict=True):
            form, low = [-x for x in s[k]], miss + error[k]
            for i, c in parts.items():
                form = [a + abs(c) * b for a, b in zip(form, s[i], strict=True)]
                low += abs(c) * error[i]
            self.E.append([x / 2 for x in form])
            self.below.append(low / 2)
        size = [norms[k] for k in self.free] + [flint.arb(1)] * self.d
        self.top = [sum((abs(a) * b for a, b in zip(form, size, strict=True)), flint.arb(0)) for form in self.E]

    def _miss(self, k: int, parts: dict[int, float]) -> Any:
        """Ball of ‖x_k − Σ c_i x_i‖."""
        rest = list(self.X[k])
        for i, c in parts.items():
            rest = [a - c * b for a, b in zip(rest, self.X[i], strict=True)]
        return _norm(rest)

    def largest(self, sums: Any, T: list[tuple[int, int, float]], z: Array) -> Any:
        """A ball ≥ ‖Σ sums_r (α, β)_r‖/‖u‖ on the cell, or None."""
        import flint

        q, f = len(self.free) + self.d, len(self.free)
        E = flint.arb_mat(self.E)
        h = flint.arb_mat(self.E[: 2 * self.n]).transpose() * flint.arb_mat(sums)
        TE = [[flint.arb(0)] * q for _ in self.E]
        cost = flint.arb(0)
        for i, j, value in T:
            t = flint.arb(float(value))
            TE[i] = [a + t * b for a, b in zip(TE[i], self.E[j], strict=True)]
            TE[j] = [a + t * b for a, b in zip(TE[j], self.E[i], strict=True)]
            low_i, low_j = self.below[i], self.below[j]
            cost += 2 * t * (low_i * self.top[j] + low_j * self.top[i] + low_i * low_j)
        B = E.transpose() * flint.arb_mat(TE) + h * h.transpose()
        missed = flint.arb(0)
        for r, e in enumerate(self.error * 2):
            missed += _norm(sums[r]) * e / 2
        squares = np.array([sum(float(x.mid()) ** 2 for x in self.X[k]) for k in self.free])
        middle = np.array([float(entry.mid()) for entry in B.entries()]).reshape(q, q)
        guess = self._guess(middle, z[self.free])
        for room in ROOM:
            λ = guess * (1 + room)
            if definite(self._matrix(B, z[self.free] + room * λ / (2 * max(f, 1) * squares), λ), q):
                return (flint.arb(λ) + cost).sqrt() + missed
        return None

    def _guess(self, B: Array, z: Array) -> float:
        """About the λ to prove; nothing rests on it."""
        f, X = len(z), np.array([[float(x.mid()) for x in self.X[k]] for k in self.free]).reshape(-1, self.d)
        B = B.copy()
        B[np.arange(f), np.arange(f)] -= z * (1 + 1e-12)
        B[f:, f:] += X.T @ (z[:, None] * X)
        top = maximum((B + B.T) / 2, f)[0]
        return max(top, 1e-300) if np.isfinite(top) else max(float(np.max(np.abs(B))), 1e-300)

    def _matrix(self, B: Any, z: Array, squared: float) -> Any:
        """λ blkdiag(0, I) − B + blkdiag(diag z, −Xᵀ diag(z) X) for λ = `squared`."""
        import flint

        f, Q = len(z), -B
        for a, k in enumerate(self.free):
            weight = flint.arb(float(z[a]))
            Q[a, a] += weight
            for p in range(self.d):
                for r in range(self.d):
                    Q[f + p, f + r] -= weight * self.X[k][p] * self.X[k][r]
        for p in range(self.d):
            Q[f + p, f + p] += flint.arb(squared)
        return Q


def _norm(row: list[Any]) -> Any:
    import flint

    square = sum((x**2 for x in row), flint.arb(0))
    return square.sqrt() if float(square.upper()) > 0 else flint.arb(0)


def _unit(position: int, zero: list[Any], d: int) -> list[Any]:
    import flint

    row = zero + [flint.arb(0)] * d
    row[position] = flint.arb(1)
    return row
