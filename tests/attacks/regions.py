"""Attacks on the tree, the planes and the circuits of kind "cells"."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .honest import CELLS, Case, honest

NONE = np.zeros(0, int)


def cases(case: Case) -> list[Case]:
    """The case if it is one of cells."""
    return [case] if case.certificate.kind == CELLS else []


def with_circuit(case: Case, name: str, cell: int, head: int, parts: list[tuple[int, float]], **more: Any) -> Case:
    """One more circuit: the first of the forms (cell −1), or the last that give signs in a cell."""
    proof = case.proof
    where = 0 if cell < 0 else int(np.searchsorted(proof["circuit_cell"], cell, side="right"))
    first = 2 * len(proof["rows"])
    arrays = {
        "circuit_head": np.insert(proof["circuit_head"], where, head),
        "circuit_cell": np.insert(proof["circuit_cell"], where, cell),
        "circuit_form": np.r_[_past(proof["circuit_form"], where), np.full(len(parts), where)],
        "circuit_row": np.r_[proof["circuit_row"], np.array([i for i, _ in parts], int)],
        "circuit_value": np.r_[proof["circuit_value"], [c for _, c in parts]],
    }
    if cell < 0:
        arrays |= {name: _past(proof[name], first) for name in ("T_row", "T_column")}
    return case.with_proof(f"{case.name}: {name}", **{**arrays, **more})


def _past(numbers: np.ndarray, first: int) -> np.ndarray:
    """Numbers of what comes after something new at `first`."""
    return numbers + (numbers >= first)


def trees(case: Case) -> Iterator[Case]:
    for it in cases(case):
        tree, n = it.proof["tree"], len(it.proof["rows"])
        last = n + len(it.proof["planes"]) // it.X.shape[1] - 1
        for what, other in (
            ("no tree", tree[:0]),
            ("a cell alone", np.array([-1])),
            ("two trees", np.r_[tree, tree]),
            ("a cell more", np.r_[tree, -1]),
            ("a split more", np.r_[tree[:-1], 0]),
            ("all splits", np.zeros_like(tree)),
            ("all cells", np.full_like(tree, -1)),
            ("the same split twice on a way", np.r_[0, 0, -1, -1, -1]),
            ("a split beyond", np.r_[last + 1, -1, -1]),
            ("a split far beyond", np.r_[2**62, -1, -1]),
            ("a split of −2", np.r_[-2, -1, -1]),
            ("reversed", tree[::-1]),
            ("other splits", np.where(tree >= 0, (tree + 1) % (last + 1), tree)),
            ("one split for all", np.where(tree >= 0, last, tree)),
            ("20,000 splits on a way", np.r_[np.arange(20_000) % (last + 1), np.full(20_001, -1)]),
            ("a million splits on a way", np.r_[np.zeros(10**6, int), np.full(10**6 + 1, -1)]),
            ("a million cells", np.full(10**6, -1)),
        ):
            yield it.with_proof(f"{it.name}: {what}", tree=other)


def deep_trees(case: Case) -> Iterator[Case]:
    """Whole trees of planes with all lists to match: deep ones, one far too deep, and a wide one."""
    for it in cases(case)[:1]:
        d, n = it.X.shape[1], len(it.proof["rows"])
        none = ("T_row", "T_column", "T_cell", "circuit_head", "circuit_cell", "circuit_form", "circuit_row")
        for splits, wide in ((3, True), (8, False), (20_000, False)):
            tree = _full(n, splits) if wide else [*range(n, n + splits), *[-1] * (splits + 1)]
            planes = np.random.default_rng(0).standard_normal(splits * d)
            z = np.ones(tree.count(-1) * n)
            bare = {"planes": planes, "tree": np.array(tree), "z": z} | dict.fromkeys(none, NONE)
            yield it.with_proof(f"{it.name}: {splits} planes", **bare, T_value=np.zeros(0), circuit_value=np.zeros(0))


def _full(first: int, depth: int) -> list[int]:
    """The tree of all sign patterns of `depth` planes from number `first` on."""
    return [-1] if depth == 0 else [first, *_full(first + 1, depth - 1), *_full(first + 1, depth - 1)]


def planes(case: Case) -> Iterator[Case]:
    for it in cases(case):
        d, n = it.X.shape[1], len(it.proof["rows"])
        own = it.X[it.proof["rows"]]
        for what, normal in (
            ("zero", np.zeros(d)),
            ("parallel to a row", 2 * own[0]),
            ("against a row", -own[0]),
            ("tiny", np.full(d, 5e-324)),
            ("huge", np.full(d, 1.7e308)),
            ("any", np.arange(1.0, d + 1)),
        ):
            cells = it.proof["tree"].tolist().count(-1)
            old = len(it.proof["planes"]) // d
            # The new plane first, with all of the old tree on either side of it.
            twice = {
                "planes": np.r_[it.proof["planes"], normal],
                "tree": np.r_[n + old, it.proof["tree"], it.proof["tree"]],
                "z": np.tile(it.proof["z"], 2),
                "T_cell": np.r_[it.proof["T_cell"], it.proof["T_cell"] + cells],
                **{name: np.tile(it.proof[name], 2) for name in ("T_row", "T_column", "T_value")},
            }
            if not (it.proof["circuit_cell"] >= 0).any():
                yield it.with_proof(f"{it.name}: a plane {what}", **twice)
            wall = 2 * n + int((it.proof["circuit_cell"] < 0).sum()) + old
            for size in (1e-3, 1.0, 1e150):
                more = {
                    "T_row": np.r_[it.proof["T_row"], wall, wall],
                    "T_column": np.r_[it.proof["T_column"], 0, wall],
                    "T_cell": np.r_[it.proof["T_cell"], 0, 0],
                    "T_value": np.r_[it.proof["T_value"], size, size],
                }
                added = np.r_[it.proof["planes"], normal]
                yield it.with_proof(f"{it.name}: {size} on the wall of a plane {what}", planes=added, **more)
        yield it.with_proof(f"{it.name}: half a plane", planes=np.r_[it.proof["planes"], 1.0])


def circuits(case: Case) -> Iterator[Case]:
    for it in cases(case):
        n, cells = len(it.proof["rows"]), it.proof["tree"].tolist().count(-1)
        rest = 1 % n
        wall = [(n, 1.0)] if len(it.proof["planes"]) else [(0, 1.0)]
        shapes: list[tuple[str, list[tuple[int, float]]]] = [
            ("itself", [(0, 1.0)]),
            ("2^-150 times itself", [(0, 2.0**-150)]),
            ("itself twice", [(0, 2.0**-150), (0, 1.0)]),
            ("minus itself", [(0, -1.0)]),
            ("nothing", []),
            ("nothing times another", [(rest, 0.0)]),
            ("−0 times another", [(rest, -0.0)]),
            ("another", [(rest, 1.0)]),
            ("a trace of another", [(rest, 5e-324)]),
            ("a trace of another and itself", [(0, 1.0), (rest, 2.0**-150)] if n > 1 else [(0, 1.0)]),
            ("huge and itself", [(0, 1.0), (rest, 1e308)] if n > 1 else [(0, 1e308)]),
            ("all of them", [(k, 1.0) for k in range(n)]),
            ("all of them, tiny", [(k, 2.0**-1000) for k in range(n)]),
            ("a wall", wall),
        ]
        for cell in range(-1, cells):
            for what, parts in shapes:
                yield with_circuit(it, f"row 0 is {what} in {cell}", cell, 0, parts)
        forms = 2 * n
        for what, parts in shapes:
            for size in (1.0, 1e150):
                more = {
                    "T_row": np.r_[_past(it.proof["T_row"], forms), forms],
                    "T_column": np.r_[_past(it.proof["T_column"], forms), 0],
                    "T_cell": np.r_[it.proof["T_cell"], 0],
                    "T_value": np.r_[it.proof["T_value"], size],
                }
                yield with_circuit(it, f"{size} on the form that row 0 is {what}", -1, 0, parts, **more)


def circuits_changed(case: Case) -> Iterator[Case]:
    for it in cases(case):
        proof, count = it.proof, len(it.proof["circuit_head"])
        if not count:
            continue
        n, cells = len(proof["rows"]), proof["tree"].tolist().count(-1)
        for shift in range(1, n):
            yield it.with_proof(f"{it.name}: heads moved by {shift}", circuit_head=(proof["circuit_head"] + shift) % n)
            yield it.with_proof(f"{it.name}: rows moved by {shift}", circuit_row=(proof["circuit_row"] + shift) % n)
        for factor in (-1.0, 0.0, 0.5, 1 + 1e-9, 2.0**-150, 2.0**-1000, 1e300):
            yield it.with_proof(f"{it.name}: circuits times {factor}", circuit_value=proof["circuit_value"] * factor)
        for shift in range(1, cells):
            moved = np.sort(np.where(proof["circuit_cell"] < 0, -1, (proof["circuit_cell"] + shift) % cells))
            yield it.with_proof(f"{it.name}: cells of circuits moved by {shift}", circuit_cell=moved)
        for cell in (-1, *range(cells)):
            yield it.with_proof(f"{it.name}: all circuits in {cell}", circuit_cell=np.full(count, cell))
        yield it.with_proof(f"{it.name}: circuit_cell falls", circuit_cell=proof["circuit_cell"][::-1].copy())


def multipliers_of_other_cells(case: Case) -> Iterator[Case]:
    for it in cases(case):
        proof, cells = it.proof, it.proof["tree"].tolist().count(-1)
        for shift in range(1, cells):
            yield it.with_proof(f"{it.name}: T of cells moved by {shift}", T_cell=(proof["T_cell"] + shift) % cells)
            z = np.roll(proof["z"].reshape(cells, -1), shift, axis=0).ravel()
            yield it.with_proof(f"{it.name}: z of cells moved by {shift}", z=z)
        yield it.with_proof(f"{it.name}: all T in the first cell", T_cell=0 * proof["T_cell"])
        forms = 2 * len(proof["rows"]) + int((proof["circuit_cell"] < 0).sum())
        for shift in (1, 2, len(proof["rows"])):
            yield it.with_proof(f"{it.name}: forms moved by {shift}", T_row=(proof["T_row"] + shift) % forms)


def other_cases_of_cells(case: Case) -> Iterator[Case]:
    """Parts of one proof in cells in another one."""
    for it in cases(case):
        for other in honest(CELLS):
            for names in (
                ("tree", "z"),
                ("T_cell", "T_row", "T_column", "T_value"),
                ("circuit_head", "circuit_cell", "circuit_form", "circuit_row", "circuit_value"),
                ("tree", "planes", "z", "T_cell", "T_row", "T_column", "T_value"),
                ("rows", "rep", "coef"),
            ):
                parts = {name: other.certificate.proof[name] for name in names}
                yield it.with_proof(f"{it.name}: {', '.join(names)} of {other.name}", **parts)


ATTACKS = [
    trees,
    deep_trees,
    planes,
    circuits,
    circuits_changed,
    multipliers_of_other_cells,
    other_cases_of_cells,
]
