"""Ball arithmetic for the checks: every number is an interval that holds the true one (F. Johansson, Arb, 2017).

Balls have exponents of any size, so nothing overflows or underflows. Two of their traps are kept out here: a square
root of a ball that reaches below zero is NaN, and so is x**2 of a ball around zero; comparisons with NaN are false, so
every test is written as "proved if true".
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import flint
import numpy as np
from flint import arb, arb_mat
from numpy.typing import NDArray

PRECISION = 128  # bits


class NotProved(ArithmeticError):
    """The arrays prove nothing."""


@contextmanager
def precision() -> Iterator[None]:
    """Balls of PRECISION bits inside."""
    before, flint.ctx.prec = flint.ctx.prec, PRECISION
    try:
        yield
    finally:
        flint.ctx.prec = before


def exponent(array: NDArray[np.float64]) -> int:
    """The least e with all |entries| < 2^e; 0 for zeros."""
    return math.frexp(float(np.max(np.abs(array), initial=0.0)))[1]


def exact(row: Iterable[float], shift: int = 0) -> list[arb]:
    """The numbers times 2^shift, without rounding."""
    factor = arb(2) ** shift
    return [arb(float(x)) * factor for x in row]


def table(array: NDArray[np.float64], shift: int = 0) -> list[list[arb]]:
    """The rows of a matrix times 2^shift, without rounding."""
    return [exact(row, shift) for row in array]


def matrix(rows: Sequence[Sequence[arb]], columns: int) -> arb_mat:
    """The matrix of these rows, which may be none."""
    return arb_mat(rows) if len(rows) else arb_mat(0, columns)


def upper(x: arb) -> arb:
    """The largest number in the ball, without a radius; raises NotProved for NaN and infinities."""
    top = x.upper()
    if not top.is_finite():
        raise NotProved("a ball is not finite")
    return top


def root(square: arb) -> arb:
    """An upper bound on the square root of a number ≥ 0 that lies in the ball."""
    top = upper(square)
    return upper(top.sqrt()) if top > 0 else arb(0)


def length(row: Iterable[arb]) -> arb:
    """An upper bound on the Euclidean length."""
    return root(sum((x * x for x in row), arb(0)))


def middle(found: arb_mat) -> NDArray[np.float64]:
    """The midpoints in float64; nothing may rest on them."""
    return np.array([float(x.mid()) for x in found.entries()]).reshape(found.nrows(), found.ncols())


def floor(x: arb) -> float:
    """A double at or below every number in the ball; −inf for NaN."""
    low = float(x.lower())
    return math.nextafter(min(low, math.nextafter(math.inf, 0)), -math.inf) if not math.isnan(low) else -math.inf


def flatness(theta: list[list[arb]], X: list[list[arb]], W: NDArray[np.float64], basis: Any) -> tuple[arb, arb]:
    """(stretch, missed): h(u) ≤ stretch · max h_W + missed for unit u, where h_W has the rows W (n, r) in place of X.

    With v = basisᵀu, ‖v‖ ≤ stretch; and |(x·u)₊ − (w·v)₊| ≤ ‖x − basis w‖.
    """
    B = matrix(table(basis), basis.shape[1])
    gram = B.transpose() * B
    off = [gram[i, j] - (i == j) for i in range(gram.nrows()) for j in range(gram.ncols())]
    missed = arb(0)
    back = (matrix(table(W), basis.shape[1]) * B.transpose()).tolist()
    for row, x, near in zip(theta, X, back, strict=True):
        missed += length(row) * length(a - b for a, b in zip(x, near, strict=True))
    return root(1 + length(off)), upper(missed)
