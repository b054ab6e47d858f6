"""One region: a quadratic form that bounds ‖Aᵀ(α, β)‖² there, from the signs that are known (see regions.py)."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import scipy.linalg as sl
from flint import arb, arb_mat
from numpy.typing import NDArray

from .balls import NotProved, length, matrix, middle, root, upper
from .definite import definite

Array = NDArray[np.float64]
Form = dict[int, arb]  # coefficients by coordinate: s_k at k, t_j at n + j

# By which λ is raised above its floating-point value until the proof succeeds.
ROOMS = np.concatenate([np.logspace(-12, -7, 6), np.logspace(-6, 2, 33)])
MARGINS = (0.0, *10.0 ** np.arange(-14.0, -7.0))  # by which z is raised for a first guess at λ, relative
MOST = 1e150  # far above ‖Θᵀ(Xu)₊‖ with entries below 1; γ that is higher is as good as this
ENOUGH = 0.99  # of γ²: a smaller λ would not improve the bound


@dataclass(frozen=True)
class Circuit:
    """x_head = Σ parts_i l_i up to a vector of length `miss`."""

    head: int
    parts: dict[int, arb]
    miss: arb


@dataclass(frozen=True)
class Space:
    """What regions share: merged rows, then planes, with lengths; A (2n, c); circuits; the rest of γ; all scaled."""

    n: int
    d: int
    lines: list[list[arb]]
    lengths: list[arb]
    A: list[list[arb]]
    circuits: list[Circuit]
    gamma: arb


class Region:
    """One region, with the signs that its splits and circuits fix."""

    def __init__(self, space: Space, given: dict[int, int], implied: list[Circuit]) -> None:
        self.space, self.given, self.circuits = space, given, space.circuits
        self.sign = {k: sign for k, sign in given.items() if k < space.n}
        self.error: dict[int, arb] = {}  # |s_k ∓ t_k| ≤ error·‖u‖, 0 where it is not named
        for circuit in implied:
            if circuit.head not in self.sign:
                self._imply(circuit)
        self.free = [k for k in range(space.n) if k not in self.sign]

    def _imply(self, circuit: Circuit) -> None:
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
        proofs = (room for room in ROOMS.tolist() if definite(self._difference(B, weights, arb(guess), arb(room))))
        room = next(proofs, None)
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
        bottom = [a + b for a, b in zip(su.transpose().tolist(), uu.tolist(), strict=True)]
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
    """About the least λ that can be proved, with z raised as little as that takes; nothing rests on it."""
    f, B = len(z), (B + B.T) / 2
    size = np.max(np.abs(np.diag(B)[:f]), initial=0.0)
    for margin in MARGINS:
        form, raised = B.copy(), z + margin * (np.abs(z) + size)
        form[np.arange(f), np.arange(f)] -= raised
        form[f:, f:] += X.T @ (raised[:, None] * X)
        try:
            inner = sl.cho_solve(sl.cho_factor(-form[:f, :f]), form[:f, f:]) if f else np.zeros((0, len(B)))
            top = float(np.linalg.eigvalsh(form[f:, f:] + form[f:, :f] @ inner)[-1])
        except (ValueError, np.linalg.LinAlgError):
            continue
        return max(top, 1e-300) if np.isfinite(top) else 1e-300
    return 1e-300
