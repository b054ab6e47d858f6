"""Kinds "doubly nonnegative" and "cells": on each region of a tree of splits, a quadratic form bounds ‖Θᵀφ(Xu)‖².

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
from typing import Any

import numpy as np
from flint import arb
from numpy.typing import NDArray

from .arrays import RELU, CertificateError, NotChecked, Slopes, take, within
from .balls import exact, exponent, length, table, upper
from .region import Circuit, Region, Space

Array = NDArray[np.float64]
Arrays = Mapping[str, NDArray[Any]]

REALS = ("coef", "T_value", "z")
WHOLES = ("rows", "rep", "T_row", "T_column")
MORE_REALS = ("planes", "circuit_value")
MORE_WHOLES = ("tree", "circuit_head", "circuit_cell", "circuit_form", "circuit_row", "T_cell")

LEAF = -1
DEEPEST = 1000  # splits on the way to a region
WORK = 5e10  # multiplications of balls: some ten minutes


def whole_space(theta: Array, X: Array, gamma: float, proof: Any, slopes: Slopes = RELU) -> arb:
    """η for kind "doubly nonnegative": one region, without splits and circuits."""
    arrays = take(proof, REALS, WHOLES)
    i, j = arrays["T_row"], arrays["T_column"]
    if len(i) == len(j) and not np.all((i < j) & (j - i != len(arrays["rows"]))):
        raise CertificateError("T must be given above its diagonal, without the pairs (α_i, β_i).")
    none, empty = np.zeros(0, np.int64), np.zeros(0)
    nothing = dict.fromkeys(MORE_WHOLES, none) | dict.fromkeys(MORE_REALS, empty)
    own = {"tree": np.array([LEAF]), "T_cell": np.zeros(len(arrays["T_row"]), np.int64)}
    return _largest(theta, X, gamma, {**nothing, **own, **arrays}, slopes)


def largest(theta: Array, X: Array, gamma: float, proof: Any, slopes: Slopes = RELU) -> arb:
    """η for kind "cells"."""
    return _largest(theta, X, gamma, take(proof, (*REALS, *MORE_REALS), (*WHOLES, *MORE_WHOLES)), slopes)


def _largest(theta: Array, X: Array, gamma: float, arrays: Arrays, slopes: Slopes) -> arb:
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
    A, slip = _merged(table(theta, -size), table(X, -unit), lines, arrays, slopes)
    circuits, highest = _circuits(arrays, lines), arb(0)
    left = arb(gamma) * arb(2) ** (-unit - size) - slip  # of γ, for the merged rows
    left = left if left > 0 else arb(0)
    space = Space(n, d, lines, [length(line) for line in lines], A, circuits[-1], left)
    for region, given in enumerate(signs if n else []):
        own = np.flatnonzero(arrays["T_cell"] == region)
        T = [(int(arrays["T_row"][k]), int(arrays["T_column"][k]), arrays["T_value"][k]) for k in own]
        z = exact(arrays["z"][region * n : (region + 1) * n], -2 * size)
        found = Region(space, given, circuits[region]).largest(T, -2 * size, z)
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
    theta: list[list[arb]], X: list[list[arb]], lines: list[list[arb]], arrays: Arrays, slopes: Slopes
) -> tuple[list[list[arb]], arb]:
    """(A, slip): Θ summed onto (α, β) of the merged rows, (2n, c), and ‖Θᵀφ(Xu) − Aᵀ(α, β)‖ ≤ slip·‖u‖.

    φ reads aα + bβ of a row. A row coef·x with coef < 0 has the parts α and β of x exchanged.
    """
    n, slip = len(arrays["rows"]), arb(0)
    A = [[arb(0)] * len(theta[0]) for _ in range(2 * n)]
    for own, row, rep, coef in zip(theta, X, arrays["rep"].tolist(), exact(arrays["coef"]), strict=True):
        rest = row
        if rep >= 0:
            for side, slope in zip((rep, n + rep) if coef > 0 else (n + rep, rep), exact(slopes), strict=True):
                A[side] = [a + slope * abs(coef) * b for a, b in zip(A[side], own, strict=True)]
            rest = [a - coef * b for a, b in zip(row, lines[rep], strict=True)]
        slip += length(own) * length(rest)
    return A, upper(slip)


def _circuits(arrays: Arrays, lines: list[list[arb]]) -> dict[int, list[Circuit]]:
    """By region those that give signs there; at −1 those that stand for forms."""
    parts: list[dict[int, arb]] = [{} for _ in arrays["circuit_head"]]
    entries = zip(arrays["circuit_form"].tolist(), arrays["circuit_row"].tolist(), strict=True)
    for (form, row), value in zip(entries, exact(arrays["circuit_value"]), strict=True):
        if row in parts[form]:
            raise CertificateError("A circuit must name each row once.")
        parts[form][row] = value
    found: dict[int, list[Circuit]] = defaultdict(list)
    for region, head, own in zip(arrays["circuit_cell"].tolist(), arrays["circuit_head"].tolist(), parts, strict=True):
        rest = lines[head]
        for i, c in own.items():
            rest = [a - c * b for a, b in zip(rest, lines[i], strict=True)]
        found[region].append(Circuit(head, own, length(rest)))
    return found
