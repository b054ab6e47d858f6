"""Attacks on what the arrays of the kinds "doubly nonnegative" and "cells" mean, and on Θ."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .honest import CELLS, DNN, Case, lifted

POWERS = (-1074, -1000, -540, -150, 150, 540, 1000)


def _merging(case: Case) -> bool:
    return "rep" in case.certificate.proof


def theta_longer(case: Case) -> Iterator[Case]:
    theta = case.certificate.theta
    for factor in (1 + 1e-6, 1 + 1e-3, 1.5, 2.0, 1e3, 1e6, 1e150, 1e300, -1.0, 1e-300):
        yield case.with_certificate(f"{case.name}: Θ times {factor}", theta=theta * factor)


def theta_with_rows_moved(case: Case) -> Iterator[Case]:
    theta, Y = case.certificate.theta, case.Y
    for k in range(len(theta)):
        for what, row in (
            ("Y", Y[k]),
            ("0", 0 * Y[k]),
            ("another", theta[k - 1]),
            ("−1 times", -theta[k]),
            ("huge", 1e200 * Y[k]),
        ):
            moved = theta.copy()
            moved[k] = row
            yield case.with_certificate(f"{case.name}: row {k} of Θ is {what}", theta=moved)
    middle = (theta + Y) / 2
    yield case.with_certificate(f"{case.name}: Θ half way to Y", theta=middle)


def rows_that_stand_for_others(case: Case) -> Iterator[Case]:
    if not _merging(case):
        return
    proof, N = case.proof, len(case.X)
    rows, rep, coef = proof["rows"], proof["rep"], proof["coef"]
    for k in range(N):
        for what, value in (("dead", -1), ("the first", 0), ("the last", len(rows) - 1)):
            moved = rep.copy()
            moved[k] = value
            yield case.with_proof(f"{case.name}: row {k} stands by {what}", rep=moved)
        for value in (0.0, -0.0, -coef[k], 0.5 * coef[k], *(coef[k] * 2.0**power for power in POWERS), 1e308, -1e308):
            changed = coef.copy()
            changed[k] = value
            yield case.with_proof(f"{case.name}: coefficient {k} is {value}", coef=changed)
    for k in range(len(rows)):
        for value in range(N):
            moved = rows.copy()
            moved[k] = value
            yield case.with_proof(f"{case.name}: row {value} is representative {k}", rows=moved)
    yield case.with_proof(f"{case.name}: all rows are dead", rep=np.full(N, -1))
    yield case.with_proof(f"{case.name}: all rows are dead and weigh nothing", rep=np.full(N, -1), coef=np.zeros(N))
    yield case.with_proof(f"{case.name}: all coefficients are 0", coef=np.zeros(N))


def no_representatives(case: Case) -> Iterator[Case]:
    if not _merging(case):
        return
    none, N = np.zeros(0, int), len(case.X)
    for coef in (0.0, 1.0, -1.0, 2.0**-1074, 1e308):
        bare = {"rows": none, "rep": np.full(N, -1), "coef": np.full(N, coef), "T_row": none, "T_column": none}
        bare |= {"T_value": np.zeros(0), "z": np.zeros(0)}
        yield case.with_proof(f"{case.name}: no representatives", **bare)
        bare |= {"T_cell": none, "circuit_head": none, "circuit_cell": none, "circuit_form": none, "circuit_row": none}
        bare |= {"circuit_value": np.zeros(0), "planes": np.zeros(0)}
        for tree in ([-1], [0, -1, -1], []):
            if case.certificate.kind == CELLS:
                yield case.with_proof(f"{case.name}: no representatives, {tree}", **bare, tree=np.array(tree, int))


def multipliers_in_wrong_places(case: Case) -> Iterator[Case]:
    if not _merging(case):
        return
    proof = case.proof
    n, i, j, value = len(proof["rows"]), proof["T_row"], proof["T_column"], proof["T_value"]
    yield case.with_proof(f"{case.name}: T transposed", T_row=j, T_column=i)
    yield case.with_proof(f"{case.name}: T on the diagonal", T_column=i)
    yield case.with_proof(f"{case.name}: α and β exchanged", T_row=(i + n) % (2 * n), T_column=(j + n) % (2 * n))
    yield case.with_proof(f"{case.name}: T on the pairs", T_row=i % n, T_column=i % n + n)
    yield case.with_proof(f"{case.name}: T on the pairs, turned", T_row=i % n + n, T_column=i % n)
    for size in (1e-3, 1.0, 1e3, 1e150, 1.7e308):
        for first, second, what in (
            (0, n, "a pair"),
            (n, 0, "a pair, turned"),
            (0, 0, "the diagonal"),
            (0, n + 1, "one"),
        ):
            for sign in (1, -1):
                added = {"T_row": np.r_[i, first], "T_column": np.r_[j, second], "T_value": np.r_[value, sign * size]}
                if "T_cell" in proof:
                    added["T_cell"] = np.r_[proof["T_cell"], 0]
                yield case.with_proof(f"{case.name}: {sign * size} more on {what}", **added)


def multipliers_of_other_sizes(case: Case) -> Iterator[Case]:
    if not _merging(case):
        return
    value, z = case.proof["T_value"], case.proof["z"]
    for what, other in (("−T", -value), ("|T| + 1e9", value + 1e9), ("T = 0", 0 * value), ("T = −0", -0.0 * value)):
        yield case.with_proof(f"{case.name}: {what}", T_value=other)
    for what, other in (("−z", -z), ("z = 0", 0 * z), ("z + 1e9", z + 1e9), ("z − 1e9", z - 1e9), ("z = −0", -0.0 * z)):
        yield case.with_proof(f"{case.name}: {what}", z=other)
    for power in POWERS:
        with np.errstate(over="ignore", under="ignore"):
            both = {"z": np.nan_to_num(z * 2.0**power), "T_value": np.nan_to_num(value * 2.0**power)}
        for names in (("z",), ("T_value",), ("z", "T_value")):
            chosen = {name: both[name] for name in names}
            yield case.with_proof(f"{case.name}: {' and '.join(names)} times 2^{power}", **chosen)


def repeated_entries(case: Case) -> Iterator[Case]:
    if not _merging(case):
        return
    proof = case.proof
    groups = [[name for name in ("T_cell", "T_row", "T_column", "T_value") if name in proof]]
    groups += [["circuit_form", "circuit_row", "circuit_value"], ["circuit_head", "circuit_cell"]] * ("tree" in proof)
    for names in groups:
        for times in (2, 100):
            repeated = {name: np.repeat(proof[name], times) for name in names}
            yield case.with_proof(f"{case.name}: {names[0]} {times} times", **repeated)
            if "T_value" in names:
                repeated["T_value"] = repeated["T_value"] / times
                yield case.with_proof(f"{case.name}: T in {times} parts", **repeated)


def rows_listed_twice(case: Case) -> Iterator[Case]:
    """Each representative a second time, with none of the data behind it, and multipliers between the two."""
    if case.certificate.kind != DNN:
        return
    proof = case.proof
    n = len(proof["rows"])
    old = np.r_[np.arange(n), np.arange(n) + 2 * n]  # where α and β of the first n are among 2 · 2n forms
    again = {"rows": np.tile(proof["rows"], 2), "T_row": old[proof["T_row"]], "T_column": old[proof["T_column"]]}
    for what, z in (("0", np.zeros(n)), ("z", proof["z"]), ("−z", -proof["z"]), ("huge", np.full(n, 1e200))):
        yield case.with_proof(f"{case.name}: twins with {what}", **again, z=np.r_[proof["z"], z])
        for size in (1.0, 1e200):
            more = {
                "T_row": np.r_[again["T_row"], np.arange(n)],
                "T_column": np.r_[again["T_column"], 3 * n + np.arange(n)],
                "T_value": np.r_[proof["T_value"], np.full(n, size)],
            }
            yield case.with_proof(f"{case.name}: {size} on α and its twin's β", **again | more, z=np.r_[proof["z"], z])


def lifted_into_other_trees(case: Case) -> Iterator[Case]:
    """A proof of the whole space is one in every cell; the same with something gone is none."""
    if case.certificate.kind != DNN:
        return
    n, d = len(case.proof["rows"]), case.X.shape[1]
    planes = np.random.default_rng(0).standard_normal((2, d))
    for tree in ([-1], [0, -1, -1], [n, -1, 0, -1, -1], [n, n + 1, -1, -1, n + 1, -1, -1]):
        whole = lifted(case, tree, planes)
        yield whole
        cells = tree.count(-1)
        for cell in range(cells):
            kept = whole.proof["T_cell"] != cell
            names = ("T_cell", "T_row", "T_column", "T_value")
            yield whole.with_proof(f"{whole.name}, T of {cell} gone", **{k: whole.proof[k][kept] for k in names})
            moved = {"T_cell": np.where(kept, whole.proof["T_cell"], (cell + 1) % cells)}
            yield whole.with_proof(f"{whole.name}, T of {cell} elsewhere", **moved)
            z = whole.proof["z"].copy()
            z[cell * n : (cell + 1) * n] = 0
            yield whole.with_proof(f"{whole.name}, z of {cell} gone", z=z)


ATTACKS = [
    theta_longer,
    theta_with_rows_moved,
    rows_that_stand_for_others,
    no_representatives,
    multipliers_in_wrong_places,
    multipliers_of_other_sizes,
    repeated_entries,
    rows_listed_twice,
    lifted_into_other_trees,
]
