"""Stratified samples of rows.

scikit-learn's stratified split refuses a class with one row and may leave a rare class out of the training
part; here every class is in training, and in test too wherever it has a second row and there is room.
Rows that must stay together make a group: a group is taken whole, or not at all.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]


def shares(counts: Rows, total: int, upper: Rows) -> Rows:
    """How many rows each class gives: largest remainders, at least one where there is room for all.

    Args:
        counts: rows of each class.
        total: rows wanted.
        upper: the most that each may give, ≤ counts, Σ upper ≥ total.

    Returns:
        Rows of each class; ties go to the class with the smaller number.
    """
    quota = total * counts / counts.sum()
    lower = np.minimum(counts, 1) if total >= np.count_nonzero(counts) else np.zeros_like(counts)
    given = np.clip(np.floor(quota).astype(np.int64), lower, upper)
    while given.sum() < total:
        given[np.argmax(np.where(given < upper, quota - given, -np.inf))] += 1
    while given.sum() > total:
        given[np.argmin(np.where(given > lower, quota - given, np.inf))] -= 1
    return given


def sample(strata: Rows, total: int, rng: np.random.Generator, *, leave_one: bool = False) -> Rows:
    """A stratified random sample of rows.

    Args:
        strata: class number of each row (n,), all 0 for regression.
        total: rows wanted.
        rng: where the random numbers come from.
        leave_one: where possible keep one row of each class out of the sample, for the other part of a split.

    Returns:
        Sorted row numbers (total,).
    """
    counts = np.bincount(strata)
    upper = np.where(counts > 1, counts - 1, counts) if leave_one else counts
    if upper.sum() < total:
        upper = counts
    order = rng.permutation(len(strata))
    by_class = order[np.argsort(strata[order], kind="stable")]
    place = np.arange(len(strata)) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.sort(by_class[place < np.repeat(shares(counts, total, upper), counts)])


def row_groups(X: NDArray[np.float64]) -> Rows:
    """The group of each row: rows with the same features share one, numbered as they first come.

    Args:
        X: rows (n, d).

    Returns:
        Groups (n,).
    """
    numbers: dict[bytes, int] = {}
    same_zeros = np.ascontiguousarray(X) + 0.0  # -0.0 + 0.0 is 0.0
    return np.array([numbers.setdefault(row.tobytes(), len(numbers)) for row in same_zeros], dtype=np.int64)


def sample_groups(groups: Rows, strata: Rows, total: int, rng: np.random.Generator) -> Rows:
    """Sample whole groups for the larger part of a split, stratified by the class that most rows of a group have.

    The classes come in random order. Each gives its share of rows, as near as the sizes of its groups allow; what it
    gave too few or too many, the next ones make up for. With groups of one row that is a stratified sample.

    Args:
        groups: (n,) group of each row, 0, 1, ….
        strata: (n,) class of each row (all 0 for regression).
        total: rows wanted.
        rng: where the random numbers come from.

    Returns:
        Sorted row numbers, about `total`. Each class has a row among them. A class that most rows of two groups have
        has a row that is not among them, where there is room.
    """
    table = np.zeros((groups.max() + 1, strata.max() + 1), dtype=np.int64)  # rows of each group in each class
    np.add.at(table, (groups, strata), 1)
    sizes, home = table.sum(axis=1), table.argmax(axis=1)
    members = [np.flatnonzero(home == kind) for kind in range(table.shape[1])]
    rows = np.array([sizes[those].sum() for those in members])
    upper = np.array([sizes[those].sum() - (sizes[those].min() if len(those) > 1 else 0) for those in members])
    upper = upper if upper.sum() >= total else rows
    wanted = shares(rows, total, upper)
    taken = np.zeros(len(sizes), dtype=bool)
    owed = 0
    for kind in rng.permutation(np.flatnonzero(rows)):
        owed += wanted[kind]
        taken[members[kind]] = _some(sizes[members[kind]], min(max(owed, 1), upper[kind]), rng)
        owed -= sizes[members[kind]] @ taken[members[kind]]
    for kind in np.flatnonzero(table.any(axis=0) & ~table[taken].any(axis=0)):  # a class that the draw left out
        taken[rng.choice(np.flatnonzero(table[:, kind]))] = True
    return np.flatnonzero(taken[groups])


def _some(sizes: Rows, wanted: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Which of the groups of one class to take for `wanted` of its rows, at random.

    Large ones are met first, each is taken with the probability rows wanted / rows left: for as long as that is
    between 0 and 1 all have the same chance, and small ones at the end make the number of rows exact.
    """
    order = rng.permutation(len(sizes))
    taken = np.zeros(len(sizes), dtype=bool)
    left = sizes.sum()
    for group in order[np.argsort(-sizes[order], kind="stable")]:
        taken[group] = rng.random() * left < wanted
        left -= sizes[group]
        wanted -= sizes[group] * taken[group]
    return taken
