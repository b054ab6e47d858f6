"""A second proof of a certificate of kind "cells", in ball arithmetic: what verify.py is to bound.py.

For every cell of the tree, the forms of branch_cells.py are built again in balls, and λ blkdiag(0, I) − B of
branch_proof.py is proved positive definite. What the forms may lie below zero, as circuits hold only up to rounding of
their coefficients, is charged to λ; what a row's sign may err is charged to √λ.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .dual import maximum
from .problem import Array
from .verify import NAMES, CertificateError, ball_slip, check_merging, definite, least_room, named_arrays

CELL_NAMES = {
    **NAMES,
    "tree": "iu",
    "planes": "iuf",
    "circuit_head": "iu",
    "circuit_cell": "iu",
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
    n, d = len(rows), X.shape[1]
    if len(arrays["planes"]) % d:
        raise CertificateError(f"planes must have {d} entries each. Got {len(arrays['planes'])} in all instead.")
    planes = arrays["planes"].reshape(-1, d)
    cells = list(_signs(list(arrays["tree"]), n + len(planes)))
    _check(arrays, n, len(planes), len(cells))
    space = _Space(X[rows], planes)
    circuits = _circuits(arrays, space)
    shared = [circuit for circuit in circuits if circuit.cell < 0]
    sums = _sums(theta, n, rep, coef)
    highest = flint.arb(0)
    for cell, sign in enumerate(cells):
        own = arrays["T_cell"] == cell
        T = list(zip(arrays["T_row"][own], arrays["T_column"][own], arrays["T_value"][own], strict=True))
        implied = [circuit for circuit in circuits if circuit.cell == cell]
        largest = _Cell(space, sign, shared, implied, T).largest(sums, arrays["z"][cell * n : (cell + 1) * n])
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
                f"A split must be by a number from 0 to {n - 1}, once on each way. Got {entry} instead."
            )

    yield from below({})
    if position != len(tree):
        raise CertificateError("The tree of splits must end with its last cell.")


def _check(arrays: dict[str, np.ndarray], n: int, planes: int, cells: int) -> None:
    own, F = arrays["circuit_cell"], len(arrays["circuit_head"])
    forms = 2 * n + int(np.sum(own < 0)) + planes
    if arrays["z"].shape != (cells * n,):
        raise CertificateError(f"z must have {cells} times {n} entries. Got {len(arrays['z'])} instead.")
    if len(own) != F or np.any(np.diff(own) < 0) or np.any(own < -1) or np.any(own >= cells):
        raise CertificateError(f"circuit_cell must rise from -1 to {cells - 1} at most.")
    for name, limit in (
        ("circuit_head", n),
        ("circuit_form", F),
        ("circuit_row", n + planes),
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
    if np.any((own[arrays["circuit_form"]] < 0) & (arrays["circuit_row"] >= n)):
        raise CertificateError("A circuit over planes must belong to a cell.")
    i, j = arrays["T_row"], arrays["T_column"]
    if np.any(arrays["T_value"] < 0) or np.any(i == j) or np.any((j - i == n) & (i < n)):
        raise CertificateError("T must be nonnegative, off its diagonal and without the pairs (α_i, β_i).")


class _Space:
    """Rows and, after them, planes in balls."""

    def __init__(self, X: Array, planes: Array) -> None:
        import flint

        self.n, self.d = X.shape
        self.rows = [[flint.arb(float(x)) for x in row] for row in (*X, *planes)]


@dataclass(frozen=True)
class _Circuit:
    """x_head ≈ Σ parts_i x_i up to a vector of length `miss`."""

    cell: int
    head: int
    parts: dict[int, float]
    miss: Any


def _circuits(arrays: dict[str, np.ndarray], space: _Space) -> list[_Circuit]:
    parts: list[dict[int, float]] = [{} for _ in arrays["circuit_head"]]
    for f, i, c in zip(arrays["circuit_form"], arrays["circuit_row"], arrays["circuit_value"], strict=True):
        if int(i) in parts[f]:
            raise CertificateError("A circuit must name each row once.")
        parts[f][int(i)] = float(c)
    found = []
    for cell, head, own in zip(arrays["circuit_cell"], arrays["circuit_head"], parts, strict=True):
        rest = list(space.rows[head])
        for i, c in own.items():
            rest = [a - c * b for a, b in zip(rest, space.rows[i], strict=True)]
        found.append(_Circuit(int(cell), int(head), own, _norm(rest)))
    return found


def _sums(theta: Array, n: int, rep: np.ndarray, coef: Array) -> Any:
    """Θ summed onto (α, β) of the representatives, a ball matrix (2n, c)."""
    import flint

    sums = [[flint.arb(0)] * theta.shape[1] for _ in range(2 * n)]
    for k in np.flatnonzero(rep >= 0):
        side, size = int(rep[k] + (0 if coef[k] > 0 else n)), flint.arb(abs(float(coef[k])))
        sums[side] = [a + size * flint.arb(float(b)) for a, b in zip(sums[side], theta[k], strict=True)]
    return sums


class _Cell:
    """The forms of one cell that T names, in balls, as lists over (s_free, u), with how far they may lie below 0."""

    def __init__(
        self,
        space: _Space,
        split: dict[int, int],
        circuits: list[_Circuit],
        implied: list[_Circuit],
        T: list[tuple[int, int, float]],
    ) -> None:
        import flint

        n, self.d, self.T = space.n, space.d, T
        self.X = space.rows[:n]
        self.sign = {k: s for k, s in split.items() if k < n}
        self.error = [flint.arb(0)] * n
        for circuit in implied:
            k = circuit.head
            agree = {np.sign(c) * split.get(i, 0) for i, c in circuit.parts.items() if c != 0}
            if k not in self.sign and agree in ({1}, {-1}):
                self.sign[k], self.error[k] = int(agree.pop()), 2 * circuit.miss
        self.free = [k for k in range(n) if k not in self.sign]
        self.zero = [flint.arb(0)] * len(self.free)
        self.s = [self._s(k) for k in range(n)]
        self.size = [_norm(self.X[k]) for k in self.free] + [flint.arb(1)] * self.d
        self.rows = [self._row(k, 1) for k in range(n)] + [self._row(k, -1) for k in range(n)]
        self.forms = {f: self._form(f, space, split, circuits) for f in {f for i, j, _ in T for f in (int(i), int(j))}}

    def _s(self, k: int) -> list[Any]:
        if k in self.sign:
            return [*self.zero, *(self.sign[k] * x for x in self.X[k])]
        return _unit(self.free.index(k), self.zero, self.d)

    def _row(self, k: int, side: int) -> list[Any]:
        """α_k (side 1) or β_k (side −1)."""
        return [(a + side * b) / 2 for a, b in zip(self.s[k], self.zero + self.X[k], strict=True)]

    def _form(self, f: int, space: _Space, split: dict[int, int], circuits: list[_Circuit]) -> tuple[list[Any], Any]:
        """Form number f and how far it may lie below 0 at unit u."""
        import flint

        n = len(self.X)
        if f < 2 * n:
            return self.rows[f], self.error[f % n] / 2
        if f >= 2 * n + len(circuits):
            plane = f - n - len(circuits)
            return self.zero + [split.get(plane, 0) * x for x in space.rows[plane]], flint.arb(0)
        circuit = circuits[f - 2 * n]
        form, low = [-x for x in self.s[circuit.head]], circuit.miss + self.error[circuit.head]
        for i, c in circuit.parts.items():
            form = [a + abs(c) * b for a, b in zip(form, self.s[i], strict=True)]
            low += abs(c) * self.error[i]
        return [x / 2 for x in form], low / 2

    def largest(self, sums: Any, z: Array) -> Any:
        """A ball ≥ ‖Σ sums_r (α, β)_r‖/‖u‖ on the cell, or None."""
        import flint

        q, f, n = len(self.free) + self.d, len(self.free), len(self.X)
        h = flint.arb_mat(self.rows).transpose() * flint.arb_mat(sums)
        B = h * h.transpose()
        cost = flint.arb(0)
        if self.T:
            place = {name: k for k, name in enumerate(self.forms)}
            TE = [[flint.arb(0)] * q for _ in place]
            top = {
                name: sum((abs(a) * b for a, b in zip(form, self.size, strict=True)), flint.arb(0))
                for name, (form, _) in self.forms.items()
            }
            for i, j, value in self.T:
                t = flint.arb(float(value))
                (form_i, low_i), (form_j, low_j) = self.forms[int(i)], self.forms[int(j)]
                TE[place[int(i)]] = [a + t * b for a, b in zip(TE[place[int(i)]], form_j, strict=True)]
                TE[place[int(j)]] = [a + t * b for a, b in zip(TE[place[int(j)]], form_i, strict=True)]
                cost += 2 * t * (low_i * top[int(j)] + low_j * top[int(i)] + low_i * low_j)
            B += flint.arb_mat([form for form, _ in self.forms.values()]).transpose() * flint.arb_mat(TE)
        missed = flint.arb(0)
        for r in range(2 * n):
            missed += _norm(sums[r]) * self.error[r % n] / 2
        squares = np.array([sum(float(x.mid()) ** 2 for x in self.X[k]) for k in self.free])
        middle = np.array([float(entry.mid()) for entry in B.entries()]).reshape(q, q)
        guess = self._guess(middle, z[self.free])

        def enough(room: float) -> bool:
            λ = guess * (1 + room)
            return bool(definite(self._matrix(B, z[self.free] + room * λ / (2 * max(f, 1) * squares), λ), q))

        room = least_room(enough)
        return None if room is None else (flint.arb(guess * (1 + room)) + cost).sqrt() + missed

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
