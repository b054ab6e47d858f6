"""Source → Dataset: split, subsample, preprocess, bias column, one-hot labels."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import short
from .checks import DataError, flag, fraction, whole
from .dataset import Array, Dataset, Source, stream
from .folds import fold_of, fold_rows
from .preprocess import apply, parse
from .sampling import Rows, row_groups, sample, sample_groups


def prepare(
    source: Source,
    /,
    *,
    name: str,
    seed: int,
    n: int | None = None,
    n_test: int | None = None,
    preprocess: str = "none",
    bias: bool = False,
    test_fraction: float = 0.5,
    group_duplicates: bool = False,
    folds: int | None = None,
    validation: bool = False,
    cap: int | None = None,
    standardize_targets: bool = False,
) -> Dataset:
    """Split where the source has no test set, subsample, preprocess, append the bias, code labels as one-hot.

    Args:
        source: the data as a reader found or made them.
        name: that of the data set.
        seed: an integer ≥ 0; split and subsamples each draw from a stream of their own.
        n: stratified subsample of that many training rows; None keeps all.
        n_test: the same for test rows.
        preprocess: "none", "standardize", "pca:K" or "standardize+pca:K", fitted on the training rows kept, as are the
            medians that missing values get before.
        bias: append a column of ones, after preprocessing.
        test_fraction: part of the rows for test, stratified; of N rows ⌈N·test_fraction⌉ go to test, or fewer where
            training would miss a class; with 0 every row trains.
        group_duplicates: rows with the same features stay on one side of that split, which so may have a few rows more.
        folds: in place of that split, so many folds, one of which is for test (folds.py): seed 0 is the first of the
            first partition, seed 1 the second of it, and so on.
        validation: in place of the fold, the split in halves on which hyper-parameters are chosen for its partition.
        cap: where there are more training rows, a stratified subsample of so many.
        standardize_targets: centre and scale real targets as fitted on the training rows kept; labels stay one-hot.

    Returns:
        Training and test rows with their provenance.

    Raises:
        DataError: a value out of range.
    """
    test_fraction = fraction(test_fraction, "test_fraction")
    bias = flag(bias, "bias")
    group_duplicates = flag(group_duplicates, "group_duplicates")
    parse(preprocess)
    n = None if n is None else whole(n, "n")
    n_test = None if n_test is None else whole(n_test, "n_test")
    validation = flag(validation, "validation")
    part = _Folds(whole(folds, "folds", 2), validation) if folds is not None else None
    if validation:
        if part is None:
            raise DataError("validation must go with folds. Got True without them instead: give folds, such as 4.")
        seed, _ = fold_of(seed, part.number)  # one split for all folds of a partition, its subsamples too

    X_train, Y_train, X_test, Y_test, rule = _parts(source, test_fraction, name, seed, group_duplicates, part)
    if cap is not None:
        if n is not None:
            raise DataError(f"cap and n must not both be given. Got cap {cap!r} and n {n} instead: leave one out.")
        cap = whole(cap, "cap")
        n = cap if len(X_train) > cap else None
    train = _subsample(source, Y_train, n, "n", f"training rows of {short(name)}", stream(seed, "training rows"))
    test = _subsample(source, Y_test, n_test, "n_test", f"test rows of {short(name)}", stream(seed, "test rows"))
    X_train, X_test, warnings = apply(preprocess, X_train[train], X_test[test])
    if bias:
        X_train, X_test = (np.column_stack([X, np.ones(len(X))]) for X in (X_train, X_test))
    Y_train, Y_test = _targets(source, Y_train[train]), _targets(source, Y_test[test])
    if flag(standardize_targets, "standardize_targets") and source.labels is None:
        Y_train, Y_test, _ = apply("standardize", Y_train, Y_test)
    dataset = Dataset(X_train, Y_train, X_test, Y_test, source.labels, name, dict(source.origin))
    dataset.provenance.update(
        seed=seed,
        split=f"{rule}; {len(X_train)} training and {len(X_test)} test rows kept",
        preprocessing=_steps(preprocess, bias),
        warnings=[*source.warnings, *warnings],
        sha256=dataset.sha256,
    )
    return dataset


@dataclass(frozen=True)
class _Folds:
    number: int
    validation: bool


def _parts(
    source: Source, test_fraction: float, name: str, seed: int, group_duplicates: bool, part: _Folds | None
) -> tuple[Array, NDArray[Any], Array, NDArray[Any], str]:
    """Rows and targets for training and for test, split where the source has no test set, and the rule in words."""
    if source.X_test is not None and source.Y_test is not None:
        if group_duplicates or part:
            raise DataError(
                f"{'folds' if part else 'group_duplicates'} must be left out for {short(name, 200)}, which has a test "
                f"set of its own. Got {part.number if part else True} instead."
            )
        return source.X, source.Y, source.X_test, source.Y_test, "test set of its own"
    if part is None:
        train, test, rule = _split(source, test_fraction, name, stream(seed, "split"), group_duplicates)
    elif part.validation:
        train, test, rule = _split(source, 0.5, name, stream(seed, "validation split"), group_duplicates)
    else:
        train, test = fold_rows(source, part.number, seed, short(name, 200), together=group_duplicates)
        partition, fold = fold_of(seed, part.number)
        rule = f"fold {fold + 1} of {part.number} of partition {partition} is for test, stratified by label"
    return source.X[train], source.Y[train], source.X[test], source.Y[test], rule


def _strata(source: Source, Y: NDArray[Any]) -> Rows:
    return np.zeros(len(Y), dtype=np.int64) if source.labels is None else Y


def _split(
    source: Source, test_fraction: float, name: str, rng: np.random.Generator, together: bool
) -> tuple[Rows, Rows, str]:
    """Row numbers for training and test, and the rule in words; each class keeps a training row."""
    rows, strata = len(source.X), _strata(source, source.Y)
    if test_fraction == 0:
        return np.arange(rows), np.arange(0), f"all {rows} rows train, test_fraction 0"
    classes = int(np.count_nonzero(np.bincount(strata)))
    if rows <= classes:
        if source.labels is None:
            raise DataError(
                f"{short(name)} must have two rows to be split. Got {rows} instead: bring X_test and Y_test."
            )
        raise DataError(
            f"{short(name)} must have a class with two rows to be split. Got {rows} rows in {classes} classes instead: "
            "bring X_test and y_test, or store targets for regression as Y."
        )
    total = max(rows - max(math.ceil(test_fraction * rows - 1e-9), 1), classes)  # 0.7·10 is 7, not 8
    groups = row_groups(source.X) if together else None
    train = sample(strata, total, rng, leave_one=True) if groups is None else sample_groups(groups, strata, total, rng)
    test = np.setdiff1d(np.arange(rows), train)
    if not len(test):
        raise DataError(
            f"{short(name)} must have test rows that repeat no training row. Got none with test_fraction "
            f"{test_fraction:g} instead: give a larger one, another seed, or group_duplicates = false."
        )
    way = "uniform" if source.labels is None else "stratified by label, each class in training"
    way += ", rows with the same features on one side" if together else ""
    aside = f"{len(test)} of {rows} rows set aside for test"
    return train, test, f"{aside}, {way}, at random, test_fraction {test_fraction:g}"


def _subsample(
    source: Source, Y: NDArray[Any], n: int | None, option: str, what: str, rng: np.random.Generator
) -> Rows:
    """Numbers of the rows to keep, all where n is None."""
    if n is None:
        return np.arange(len(Y))
    strata = _strata(source, Y)
    if len(Y) == 0:
        raise DataError(
            f"{option} must be left out where there are no {what}. Got {n} instead: leave some with test_fraction."
        )
    if n > len(Y):
        raise DataError(f"{option} must be at most the {len(Y)} {what}. Got {n} instead: give {option} = {len(Y)}.")
    present = int(np.count_nonzero(np.bincount(strata)))
    if option == "n" and n < present:
        raise DataError(
            f"n must be at least the number of classes, {present}, among the {what}. Got {n} instead: "
            f"give n = {present} or more."
        )
    return sample(strata, n, rng)


def _targets(source: Source, Y: NDArray[Any]) -> Array:
    """Real targets as they are; labels one-hot, a column for each class of the whole set."""
    if source.labels is None:
        return Y
    one_hot = np.zeros((len(Y), len(source.labels)))
    one_hot[np.arange(len(Y)), Y] = 1.0
    return one_hot


def _steps(preprocess: str, bias: bool) -> str:
    steps = preprocess if preprocess == "none" else f"{preprocess}, fitted on the training rows"
    return f"{steps}; column of ones appended" if bias else steps
