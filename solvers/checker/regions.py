"""Kinds "doubly nonnegative" and "cells": on each region of a tree of splits, a quadratic form bounds ‖Θᵀ(Xu)₊‖².

Merged rows x_1 … x_n stand for all rows of the data. With s_k = |x_k·u| and t_j = l_j·u (rows first, then planes), a
region fixes the signs of some t_j; then s_k = ±t_k there. Sparse linear forms in (s, t), α_k = ½(s_k + t_k),
β_k = ½(s_k − t_k), circuits ½(Σ|c_i|s_i − s_k) and walls ±l_j·u, are nonnegative on the region up to a known amount, so
that with any T ≥ 0 and any z

    ‖Aᵀ(α, β)‖² ≤ ‖Aᵀ(α, β)‖² + 2 Σ T_ij f_i f_j + Σ z_k (t_k² − s_k²) + cost.

If λ‖u‖² less the quadratic form on the right is positive definite in (s, u), then ‖Aᵀ(α, β)‖² ≤ (λ + cost)‖u‖².
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.linalg as sl
from flint import arb, arb_mat
from numpy.typing import NDArray

from .arrays import CertificateError, NotChecked, take, within
from .balls import NotProved, exact, exponent, length, matrix, middle, root, table, upper
from .definite import definite

Array = NDArray[np.float64]
Arrays = Mapping[str, NDArray[Any]]
Form = dict[int, arb]  # coefficients by coordinate: s_k at k, t_j at n + j

REALS = ("coef", "T_value", "z")
WHOLES = ("rows", "rep", "T_row", "T_column")
MORE_REALS = ("planes", "circuit_value")
MORE_WHOLES = ("tree", "circuit_head", "circuit_cell", "circuit_form", "circuit_row", "T_cell")

LEAF = -1
DEEPEST = 1000  # splits on the way to a region
WORK = 5e10  # multiplications of balls: some ten minutes
ROOMS = 10.0 ** np.arange(-12.0, 3.0)  # by which λ is raised above its floating-point value until the proof succeeds
COARSE = 1e-8  # a room beyond which it pays to look for a smaller one
MOST = 1e150  # far above ‖Θᵀ(Xu)₊‖ with entries below 1; γ that is higher is as good as this
ENOUGH = 0.99  # of γ²: a smaller λ would not improve the bound


def whole_space(theta: Array, X: Array, gamma: float, proof: Any) -> arb:
    """η for kind "doubly nonnegative": one region, without splits and circuits."""
    arrays = take(proof, REALS, WHOLES)
    i, j = arrays["T_row"], arrays["T_column"]
    if len(i) == len(j) and not np.all((i < j) & (j - i != len(arrays["rows"]))):
        raise CertificateError("T must be given above its diagonal, without the pairs (α_i, β_i).")
    none, empty = np.zeros(0, np.int64), np.zeros(0)
    nothing = dict.fromkeys(MORE_WHOLES, none) | dict.fromkeys(MORE_REALS, empty)
    own = {"tree": np.array([LEAF]), "T_cell": np.zeros(len(arrays["T_row"]), np.int64)}
    return _largest(theta, X, gamma, {**nothing, **own, **arrays})


def largest(theta: Array, X: Array, gamma: float, proof: Any) -> arb:
    """η for kind "cells"."""
    return _largest(theta, X, gamma, take(proof, (*REALS, *MORE_REALS), (*WHOLES, *MORE_WHOLES)))


def _largest(theta: Array, X: Array, gamma: float, arrays: Arrays) -> arb:
    n, (N, d) = len(arrays["rows"]), X.shape
    if len(arrays["planes"]) % d:
        raise CertificateError(f"planes must have {d} entries each. Got {len(arrays['planes'])} in all instead.")
    planes = arrays["planes"].reshape(-1, d)
    signs = _leaves(arrays["tree"].tolist(), n + len(planes))
    _check(arrays, N, n, len(planes), len(signs))
    if not np.any(X[arrays["rows"]] != 0, axis=1).all():
        raise CertificateError("No zero row of X may stand for others.")
    if len(signs) * float(n + d) ** 3 > WORK or len(signs) * float(n + len(planes)) * d > WORK:
        raise NotChecked(f"{len(signs)} regions over {n} rows are more work than is allowed.")
    unit, size = exponent(X), exponent(theta)
    lines = table(X[arrays["rows"]], -unit) + table(planes, -unit)
    A, slip = _merged(table(theta, -size), table(X, -unit), lines, arrays)
    circuits, highest = _circuits(arrays, lines), arb(0)
    space = _Space(
        n, d, lines, [length(line) for line in lines], A, circuits[-1], arb(gamma) * arb(2) ** (-unit - size)
    )
    for region, given in enumerate(signs if n else []):
        own = np.flatnonzero(arrays["T_cell"] == region)
        T = [(int(arrays["T_row"][k]), int(arrays["T_column"][k]), arrays["T_value"][k]) for k in own]
        z = exact(arrays["z"][region * n : (region + 1) * n], -2 * size)
        found = _Region(space, given, circuits[region]).largest(T, -2 * size, z)
        highest = highest if found <= highest else found
    return upper((highest + slip) * arb(2) ** (unit + size))


def _leaves(tree: list[int], splits: int) -> list[dict[int, int]]:
    """The signs {row or plane: ±1} that each region fixes; raises CertificateError unless it is one whole tree."""
    waiting: list[dict[int, int]] = [{}]
    found = []
    for entry in tree:
        if not waiting:
            raise CertificateError("The tree of splits must end with its last region.")
        given = waiting.pop()
        if entry == LEAF:
            found.append(given)
        elif 0 <= entry < splits and entry not in given:
            if len(given) >= DEEPEST:
                raise NotChecked(f"More than {DEEPEST} splits lead to one region.")
            waiting += [{**given, entry: -1}, {**given, entry: 1}]  # the last one is read first
        else:
            raise CertificateError(f"A split must be below {splits} and new on its way. Got {entry} instead.")
    if waiting:
        raise CertificateError("The tree of splits must end with its last region.")
    return found


def _check(arrays: Arrays, N: int, n: int, planes: int, regions: int) -> None:
    """Raise CertificateError unless all lists have matching lengths, and numbers in range."""
    own, circuits = arrays["circuit_cell"], len(arrays["circuit_head"])
    forms = 2 * n + int(np.sum(own < 0)) + planes
    lengths = {"rep": N, "coef": N, "z": regions * n, "circuit_cell": circuits}
    lengths |= {name: len(arrays["circuit_form"]) for name in ("circuit_row", "circuit_value")}
    lengths |= {name: len(arrays["T_value"]) for name in ("T_row", "T_column", "T_cell")}
    for name, count in lengths.items():
        if len(arrays[name]) != count:
            raise CertificateError(f"{name} must have {count} entries. Got {len(arrays[name])} instead.")
    ranges = {"rows": (0, N), "rep": (-1, n), "circuit_cell": (-1, regions), "circuit_head": (0, n)}
    ranges |= {"circuit_form": (0, circuits), "circuit_row": (0, n + planes), "T_cell": (0, regions)}
    ranges |= {"T_row": (0, forms), "T_column": (0, forms)}
    for name, (low, high) in ranges.items():
        within(arrays[name], name, low, high)
    if np.any(np.diff(own) < 0):
        raise CertificateError("circuit_cell must not fall.")
    if np.any((own[arrays["circuit_form"]] < 0) & (arrays["circuit_row"] >= n)):
        raise CertificateError("A circuit over planes must belong to a region.")
    if not np.all(arrays["T_value"] >= 0):
        raise CertificateError("T must be nonnegative.")


def _merged(
    theta: list[list[arb]], X: list[list[arb]], lines: list[list[arb]], arrays: Arrays
) -> tuple[list[list[arb]], arb]:
    """(A, slip): Θ summed onto (α, β) of the merged rows, (2n, c), and ‖Θᵀ(Xu)₊ − Aᵀ(α, β)‖ ≤ slip·‖u‖.

    A row coef·x with coef < 0 has the parts α and β of x exchanged.
    """
    n, slip = len(arrays["rows"]), arb(0)
    A = [[arb(0)] * len(theta[0]) for _ in range(2 * n)]
    for own, row, rep, coef in zip(theta, X, arrays["rep"].tolist(), exact(arrays["coef"]), strict=True):
        rest = row
        if rep >= 0:
            side = rep if coef > 0 else n + rep
            A[side] = [a + abs(coef) * b for a, b in zip(A[side], own, strict=True)]
            rest = [a - coef * b for a, b in zip(row, lines[rep], strict=True)]
        slip += length(own) * length(rest)
    return A, upper(slip)


@dataclass(frozen=True)
class _Circuit:
    """x_head = Σ parts_i l_i up to a vector of length `miss`."""

    head: int
    parts: dict[int, arb]
    miss: arb


def _circuits(arrays: Arrays, lines: list[list[arb]]) -> dict[int, list[_Circuit]]:
    """By region those that give signs there; at −1 those that stand for forms."""
    parts: list[dict[int, arb]] = [{} for _ in arrays["circuit_head"]]
    entries = zip(arrays["circuit_form"].tolist(), arrays["circuit_row"].tolist(), strict=True)
    for (form, row), value in zip(entries, exact(arrays["circuit_value"]), strict=True):
        if row in parts[form]:
            raise CertificateError("A circuit must name each row once.")
        parts[form][row] = value
    found: dict[int, list[_Circuit]] = defaultdict(list)
    for region, head, own in zip(arrays["circuit_cell"].tolist(), arrays["circuit_head"].tolist(), parts, strict=True):
        rest = lines[head]
        for i, c in own.items():
            rest = [a - c * b for a, b in zip(rest, lines[i], strict=True)]
        found[region].append(_Circuit(head, own, length(rest)))
    return found


@dataclass(frozen=True)
class _Space:
    """What all regions share: merged rows and, after them, planes, with lengths; A (2n, c); circuits; γ; all scaled."""

    n: int
    d: int
    lines: list[list[arb]]
    lengths: list[arb]
    A: list[list[arb]]
    circuits: list[_Circuit]
    gamma: arb


class _Region:
    """One region, with the signs that its splits and circuits fix."""

    def __init__(self, space: _Space, given: dict[int, int], implied: list[_Circuit]) -> None:
        self.space, self.given, self.circuits = space, given, space.circuits
        self.sign = {k: sign for k, sign in given.items() if k < space.n}
        self.error: dict[int, arb] = {}  # |s_k ∓ t_k| ≤ error·‖u‖, 0 where it is not named
        for circuit in implied:
            if circuit.head not in self.sign:
                self._imply(circuit)
        self.free = [k for k in range(space.n) if k not in self.sign]

    def _imply(self, circuit: _Circuit) -> None:
        """If all l_i·u have the sign of their c_i (or all the other): |t_k| ≤ Σ|c_i t_i| + miss ≤ ±t_k + 2 miss."""
        signs = {self.given.get(i, 0) * (1 if c > 0 else -1) for i, c in circuit.parts.items() if c != 0}
        if signs in ({1}, {-1}):
            self.sign[circuit.head], self.error[circuit.head] = signs.pop(), 2 * circuit.miss

    def _s(self, k: int) -> tuple[int, int]:
        """s_k as ±1 times a coordinate."""
        return (self.space.n + k, self.sign[k]) if k in self.sign else (k, 1)

    def _form(self, f: int) -> tuple[Form, arb]:
        """Form number f, and how far it may lie below 0 at unit u."""
        n, half = self.space.n, arb(1) / 2
        form: Form = defaultdict(lambda: arb(0))
        if f < 2 * n:
            k = f % n
            coordinate, sign = self._s(k)
            form[coordinate] += sign * half
            form[n + k] += half if f < n else -half
            return form, self.error.get(k, arb(0)) * half
        if f >= 2 * n + len(self.circuits):
            plane = f - n - len(self.circuits)
            form[n + plane] += self.given.get(plane, 0)
            return form, arb(0)
        circuit = self.circuits[f - 2 * n]
        low = circuit.miss + self.error.get(circuit.head, arb(0))
        for k, c in ((circuit.head, arb(-1)), *((i, abs(c)) for i, c in circuit.parts.items())):
            coordinate, sign = self._s(k)
            form[coordinate] += c * sign * half
            low += self.error.get(k, arb(0)) * (c if c > 0 else 0)
        return form, low * half

    def largest(self, T: list[tuple[int, int, float]], shift: int, z: list[arb]) -> arb:
        """A number ≥ ‖Aᵀ(α, β)‖/‖u‖ on the region; raises NotProved. T as (i, j, value), values times 2^shift."""
        K, cost = self._products(T, shift)
        B, weights = self._quadratic(K), [z[k] for k in self.free]
        limit = min(float(self.space.gamma), MOST) ** 2
        guess = max(_guess(middle(B), middle(self._rows()), np.array([float(x) for x in weights])), ENOUGH * limit)
        room = _least(lambda room: definite(self._difference(B, weights, arb(guess), arb(room))))
        if room is None:
            raise NotProved("a region is not proved")
        missed = arb(0)
        for k, error in self.error.items():
            missed += (length(self.space.A[k]) + length(self.space.A[self.space.n + k])) * error / 2
        return upper(root(arb(guess) * (1 + arb(room)) + cost) + missed)

    def _products(self, T: list[tuple[int, int, float]], shift: int) -> tuple[dict[tuple[int, int], arb], arb]:
        """(K, cost): 2 Σ T_ij f_i f_j = Σ K_ab w_a w_b ≥ −cost at unit u, over the coordinates w = (s, t).

        (f_i + low_i)(f_j + low_j) ≥ 0 and |f_i| ≤ top_i give f_i f_j ≥ −low_i top_j − low_j top_i − low_i low_j.
        """
        forms = {f: self._form(f) for f in {f for i, j, _ in T for f in (i, j)}}
        K: dict[tuple[int, int], arb] = defaultdict(lambda: arb(0))
        cost, factor = arb(0), arb(2) ** shift
        for i, j, value in T:
            (one, low_i), (two, low_j), weight = forms[i], forms[j], arb(float(value)) * factor
            for a, x in one.items():
                for b, y in two.items():
                    entry = weight * x * y
                    K[a, b] += entry
                    K[b, a] += entry
            if not (low_i.is_zero() and low_j.is_zero()):
                cost += 2 * weight * (low_i * self._top(two) + low_j * self._top(one) + low_i * low_j)
        return K, upper(cost)

    def _top(self, form: Form) -> arb:
        """A bound on |form| at unit u: |s_k| and |t_k| are at most the length of row k."""
        n, lengths = self.space.n, self.space.lengths
        return sum((abs(c) * lengths[a if a < n else a - n] for a, c in form.items()), arb(0))

    def _rows(self) -> arb_mat:
        return matrix([self.space.lines[k] for k in self.free], self.space.d)

    def _quadratic(self, K: dict[tuple[int, int], arb]) -> arb_mat:
        """‖Aᵀ(α, β)‖² + Σ K_ab w_a w_b as a matrix over (s of free rows, u)."""
        n, d, lines = self.space.n, self.space.d, self.space.lines
        f, zero, place = len(self.free), arb(0), {k: a for a, k in enumerate(self.free)}
        ss, st = [[zero] * f for _ in range(f)], [[zero] * len(lines) for _ in range(f)]
        tt = [[zero] * len(lines) for _ in lines]
        for (a, b), value in K.items():
            if a < n and b < n:
                ss[place[a]][place[b]] = value
            elif a < n:
                st[place[a]][b - n] = value
            elif b >= n:
                tt[a - n][b - n] = value
        L = matrix(lines, d)
        su, uu = matrix(st, len(lines)) * L, L.transpose() * matrix(tt, len(lines)) * L
        h = self._linear(L)
        top = [a + b for a, b in zip(matrix(ss, f).tolist(), su.tolist(), strict=True)]
        bottom = [a + b for a, b in zip(su.transpose().tolist() or [[]] * d, uu.tolist(), strict=True)]
        return arb_mat(top + bottom) + h * h.transpose()

    def _linear(self, L: arb_mat) -> arb_mat:
        """Aᵀ(α, β) as a matrix (f + d, c) over (s of free rows, u)."""
        n, A, half = self.space.n, self.space.A, arb(1) / 2
        on_s = [[half * (a + b) for a, b in zip(A[k], A[n + k], strict=True)] for k in self.free]
        on_t = [[arb(0)] * len(A[0]) if A else [] for _ in range(L.nrows())]
        for k in range(n):
            up, down = half * (self.sign.get(k, 0) + 1), half * (self.sign.get(k, 0) - 1)
            on_t[k] = [up * a + down * b for a, b in zip(A[k], A[n + k], strict=True)]
        return arb_mat(on_s + (L.transpose() * matrix(on_t, 1)).tolist())

    def _difference(self, B: arb_mat, z: list[arb], guess: arb, room: arb) -> arb_mat:
        """λ blkdiag(0, I) − B − Σ z_k (t_k² − s_k²) for λ = guess (1 + room), with z raised by a share of that room.

        Evenly and in proportion to z, half each: Σ raised_k x_k x_kᵀ ⪯ ½ guess·room·I, so half of the room is left.
        """
        f, d, rows = len(self.free), self.space.d, self._rows()
        squares = [sum((x * x for x in self.space.lines[k]), arb(0)).mid() for k in self.free]
        total = sum((abs(w) * s for w, s in zip(z, squares, strict=True)), arb(0)).mid()
        raised = []
        for w, s in zip(z, squares, strict=True):
            share = (1 / (f * s) if s > 0 else arb(0)) + (abs(w) / total if total > 0 else arb(0))
            raised.append(w + (share.mid() * guess * room / 4).mid())
        weighted = [[w * x for x in self.space.lines[k]] for w, k in zip(raised, self.free, strict=True)]
        outer = rows.transpose() * matrix(weighted, d)
        Q = -B
        for a, w in enumerate(raised):
            Q[a, a] += w
        for p in range(d):
            for r in range(d):
                Q[f + p, f + r] -= outer[p, r]
            Q[f + p, f + p] += guess * (1 + room)
        return Q


def _guess(B: Array, X: Array, z: Array) -> float:
    """About the least λ that can be proved; nothing rests on it."""
    f = len(z)
    B = (B + B.T) / 2
    B[np.arange(f), np.arange(f)] -= z
    B[f:, f:] += X.T @ (z[:, None] * X)
    try:
        inner = sl.cho_solve(sl.cho_factor(-B[:f, :f]), B[:f, f:]) if f else np.zeros((0, len(B)))
        top = float(np.linalg.eigvalsh(B[f:, f:] + B[f:, :f] @ inner)[-1])
    except (ValueError, np.linalg.LinAlgError):
        top = np.inf
    return max(top, 1e-300) if np.isfinite(top) else 1e-300


def _least(enough: Any) -> float | None:
    """The first of ROOMS that is enough or, beyond COARSE, within a tenth of the least one; None if none is."""
    room = next((float(room) for room in ROOMS if enough(float(room))), None)
    if room is None or room <= COARSE:
        return room
    low = 0.1 * room
    for _ in range(5):
        middle_ = (low * room) ** 0.5
        low, room = (low, middle_) if enough(middle_) else (middle_, room)
    return room
