"""Stratified samples of rows.

scikit-learn's stratified split refuses a class with one row and may leave a rare class out of the training
part; here every class is in training, and in test too wherever it has a second row and there is room.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]


def shares(counts: Rows, total: int, upper: Rows) -> Rows:
    """How many of `total` rows each class gives: largest remainders, at least one where there is room for all.

    counts: rows of each class; upper ≤ counts: the most that each may give, Σ upper ≥ total.
    Ties go to the class with the smaller number.
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
    """Sorted row numbers of a stratified random sample of `total` rows.

    strata: (n,) class number of each row (all 0 for regression). leave_one: where possible keep one row of
    each class out of the sample, for the other part of a split.
    """
    counts = np.bincount(strata)
    upper = np.where(counts > 1, counts - 1, counts) if leave_one else counts
    if upper.sum() < total:
        upper = counts
    order = rng.permutation(len(strata))
    by_class = order[np.argsort(strata[order], kind="stable")]
    place = np.arange(len(strata)) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.sort(by_class[place < np.repeat(shares(counts, total, upper), counts)])
