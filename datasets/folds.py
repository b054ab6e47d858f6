"""Folds for protocol `folds`, and the split on which hyper-parameters are chosen once for all of them.

After Arora et al. 2020 (arXiv 1910.01663, section 5) and Fernández-Delgado et al. 2014: scores are means over the folds
of one partition of the rows, hyper-parameters are chosen before on one random split of all rows in halves. Rows of that
split are test rows of folds later, so the choice has seen them, for every method alike.
"""

from __future__ import annotations

import warnings

import numpy as np

from .checks import DataError
from .dataset import Source, stream
from .sampling import Rows, row_groups


def fold_of(seed: int, folds: int) -> tuple[int, int]:
    """Which partition, and which of its folds is for test: seeds 0 … K − 1 are the folds of the first partition.

    Args:
        seed: an integer ≥ 0.
        folds: K, folds of a partition.

    Returns:
        Number of the partition, which is the seed that it is drawn with, and number of the fold.
    """
    return divmod(seed, folds)


def fold_rows(source: Source, folds: int, seed: int, name: str, *, together: bool) -> tuple[Rows, Rows]:
    """Divide the rows into folds of about equal size, stratified by label; one is for test, the others train.

    Args:
        source: the data.
        folds: K ≥ 2.
        seed: which partition and fold, as `fold_of` says.
        name: of the data set, for the error.
        together: keep rows with the same features in one fold.

    Returns:
        Sorted row numbers for training and for test.

    Raises:
        DataError: fewer groups of rows, or no class with as many rows, as there are folds.
    """
    from sklearn.model_selection import GroupKFold, StratifiedGroupKFold

    partition, fold = fold_of(seed, folds)
    state = int(stream(partition, "folds").integers(2**31))
    groups = row_groups(source.X) if together else np.arange(len(source.X))
    if source.labels is None:
        most, splitter = int(groups.max()) + 1, GroupKFold(folds, shuffle=True, random_state=state)
        strata = np.zeros(len(groups), dtype=np.int64)
    else:
        splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=state)
        strata, most = source.Y, min(int(np.bincount(source.Y).max()), int(groups.max()) + 1)
    if most < folds:
        raise DataError(
            f"folds must be at most {most} for {name}, whose rows cannot be divided into more. Got {folds} instead."
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a class with fewer rows than folds is in as many as it has rows
        train, test = list(splitter.split(source.X, strata, groups))[fold]
    return np.sort(train), np.sort(test)
