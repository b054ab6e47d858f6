"""How many array entries a method holds at its peak, from n, d, c, the width and its options.

The models count the large arrays, measured on instances of a few hundred rows; they err on the low side, since the
limit that is enforced while the work goes on catches the rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

LITERAL = ("cvxpy-scs", "cvxpy-clarabel")
CLARABEL = ("cvxpy-clarabel", "interior")


def relaxation(n: int, d: int, c: int, _width: int, options: Mapping[str, Any]) -> float:
    """200 matrices of order n+d+c (2n+d+c as published); or Clarabel's dense block over the entries of one."""
    order = (2 * n if options.get("solver") in LITERAL else n) + d + c
    entries = order * (order + 1) / 2
    return 2 * entries**2 if options.get("solver") in CLARABEL else 200.0 * order**2


def kernel(n: int, d: int, c: int, width: int, _options: Mapping[str, Any]) -> float:
    """Three matrices of the rows, and the hidden layer of a drawn network."""
    return 3.0 * n * n + 2.0 * n * width


def descent(n: int, d: int, c: int, width: int, _options: Mapping[str, Any]) -> float:
    """Hidden layer and gradients, four times."""
    return 4.0 * (n + d + c) * width
