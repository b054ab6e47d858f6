"""file:PATH: the user's own .npz or .csv, checked until nothing in it can surprise a solver."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import short
from .checks import MAX_BYTES, DataError, finite, fits, quote, refusing, whole
from .csvfile import read_csv
from .dataset import Array, Source
from .npzfile import read_npz

_ARRAYS = ("X", "Y", "y", "X_test", "Y_test", "y_test")


def user_file(*, path: str, max_bytes: int = MAX_BYTES) -> Source:
    """Data of the user's own.

    .npz: X (n, d) with targets Y (n, c), or with labels y (n,) of integers or strings; optionally X_test with Y_test or
    y_test. A Y of one-hot rows that uses two columns or more is read as labels. .csv: a header, numeric features and
    one column `label` or `target`.

    Args:
        path: the file.
        max_bytes: the most that the unpacked file and each array made of it may take.

    Returns:
        The data.

    Raises:
        DataError: everything else, a pickle first of all.
    """
    max_bytes = whole(max_bytes, "max_bytes")
    shown = short(path, 200)
    full = os.path.expanduser(path)
    suffix = Path(full).suffix.lower()
    if suffix not in (".npz", ".csv"):
        why = "a pickle runs code when it is loaded: " if suffix in (".pkl", ".pickle", ".joblib", ".pt") else ""
        raise DataError(f"{shown} must end in .npz or .csv. Got {quote(suffix)} instead: {why}save arrays as .npz.")
    if not os.path.isfile(full):
        got = "a folder" if os.path.isdir(full) else "something else" if os.path.exists(full) else "nothing there"
        raise DataError(f"{shown} must be a file. Got {got} instead: check the path.")
    with refusing(shown, "make it a readable file"), open(full, "rb") as stream:
        fits(os.fstat(stream.fileno()).st_size // 8, shown, max_bytes)
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    origin = {"source": path, "version": f"sha256 {sha256}", "terms": "the user's own"}
    if suffix == ".csv":
        X, Y, labelled = read_csv(full, max_bytes)
        source = _source({"X": X, "y" if labelled else "Y": Y}, shown, origin, max_bytes)
        return source if labelled else replace(source, warnings=(*source.warnings, _as_regression(Y)))
    return _source(read_npz(full, _ARRAYS, max_bytes), shown, origin, max_bytes)


def _as_regression(Y: NDArray[Any]) -> str:
    """How a column `target` was read: numbers may be codes of classes, which only the user knows."""
    values = len(np.unique(Y))
    return f"column target read as numbers: regression on {values} distinct values (to classify, rename it to label)"


def _source(arrays: Mapping[str, NDArray[Any]], path: str, origin: Mapping[str, Any], max_bytes: int) -> Source:
    """Checks that go for both formats. arrays: some of X, Y, y, X_test, Y_test, y_test."""
    goal = "y" if "y" in arrays else "Y"
    needed = {"X", goal} | ({"X_test", f"{goal}_test"} if arrays.keys() & {"X_test", "Y_test", "y_test"} else set())
    if arrays.keys() != needed:
        raise DataError(
            f"{path} must hold X with either Y or y, and optionally X_test with Y_test or y_test to match. "
            f"Got {', '.join(sorted(arrays)) or 'no array'} instead."
        )
    parts = [suffix for suffix in ("", "_test") if f"X{suffix}" in arrays]
    X = [_matrix(arrays[f"X{suffix}"], f"X{suffix}", max_bytes) for suffix in parts]
    warnings: tuple[str, ...] = ()
    labels: tuple[str, ...] | None = None
    if goal == "y":
        Y, labels = _codes([_labels(arrays[f"y{suffix}"], f"y{suffix}") for suffix in parts])
    else:
        Y = [_matrix(arrays[f"Y{suffix}"], f"Y{suffix}", max_bytes) for suffix in parts]
        _same(Y, 1, "Y and Y_test must have the same number of columns")
        if all(_one_hot(goals) for goals in Y) and np.count_nonzero(Y[0].any(axis=0)) > 1:
            labels = tuple(str(k) for k in range(Y[0].shape[1]))
            Y = [goals.argmax(axis=1) for goals in Y]
            warnings = ("Every row of Y is one-hot: its columns are taken as labels, not as targets.",)
    for suffix, pair in zip(parts, zip(X, Y, strict=True), strict=True):
        _same(pair, 0, f"X{suffix} and {goal}{suffix} must have the same number of rows")
    _same(X, 1, "X and X_test must have the same number of columns")
    if labels is not None:
        _check_classes(Y, labels, goal, path)
        fits(sum(map(len, Y)) * len(labels), f"The one-hot labels of {path}", max_bytes)
    X_test, Y_test = (X[1], Y[1]) if len(parts) == 2 else (None, None)
    return Source(X[0], Y[0], labels, origin, X_test, Y_test, warnings)


def _same(arrays: Sequence[NDArray[Any]], axis: int, rule: str) -> None:
    """Refuse arrays of different lengths along an axis."""
    if arrays[0].shape[axis] != arrays[-1].shape[axis]:
        raise DataError(f"{rule}. Got {arrays[0].shape[axis]} and {arrays[-1].shape[axis]} instead.")


def _matrix(array: NDArray[Any], name: str, max_bytes: int) -> Array:
    """(n, d) of finite float64, from any real numbers."""
    if array.dtype.kind not in "biuf":
        fix = f"take {name}.real and {name}.imag" if array.dtype.kind == "c" else f"code {name} as numbers"
        raise DataError(f"{name} must hold real numbers. Got dtype {array.dtype} instead: {fix}.")
    if array.ndim != 2:
        fix = f": save {name}.reshape(-1, 1)" if array.ndim == 1 else ""
        fix += ", or labels as y" if fix and name.startswith("Y") else ""
        raise DataError(f"{name} must have two dimensions. Got shape {array.shape} instead{fix}.")
    if 0 in array.shape:
        raise DataError(f"{name} must have at least one row and one column. Got shape {array.shape} instead.")
    fits(array.size, name, max_bytes)
    with np.errstate(over="ignore"):  # a long double beyond float64 becomes inf and is refused
        matrix = array.astype(np.float64)
    finite(matrix, name)
    return matrix


def _labels(array: NDArray[Any], name: str) -> NDArray[Any]:
    """(n,) of labels, each an integer, a bool or a string that is not empty."""
    if array.ndim != 1:
        raise DataError(f"{name} must have one dimension. Got shape {array.shape} instead: save {name}.ravel().")
    if len(array) == 0:
        raise DataError(f"{name} must have at least one row. Got none instead.")
    if array.dtype.kind not in "biuUO":
        raise DataError(
            f"{name} must hold labels, integers or strings. Got dtype {array.dtype} instead: "
            f"save {name}.astype(int), or real targets as Y with two dimensions."
        )
    if array.dtype.kind == "U" and (array == "").any():
        raise DataError(f"{name} must hold a label in every row. Got '' at row {np.argmax(array == '')} instead.")
    return array


def _codes(parts: list[NDArray[Any]]) -> tuple[list[NDArray[Any]], tuple[str, ...]]:
    """Each part's labels as positions in the sorted classes of all parts, and those classes as strings."""
    if len({part.dtype.kind in "UO" for part in parts}) > 1:
        raise DataError(
            "y and y_test must both hold integers or both strings. "
            f"Got dtypes {' and '.join(str(part.dtype) for part in parts)} instead."
        )
    found = [np.unique(part, return_inverse=True) for part in parts]
    classes = sorted({label for values, _ in found for label in values.tolist()})  # as Python objects: exact
    place = {label: k for k, label in enumerate(classes)}
    codes = [
        np.array([place[label] for label in values.tolist()], dtype=np.int64)[inverse] for values, inverse in found
    ]
    return codes, tuple(str(label) for label in classes)


def _one_hot(Y: Array) -> bool:
    """Whether every row has a single 1 and zeros otherwise."""
    return bool((((Y == 0) | (Y == 1)).all(axis=1) & (Y.sum(axis=1) == 1)).all())


def _check_classes(Y: list[NDArray[Any]], labels: tuple[str, ...], goal: str, path: str) -> None:
    """At least two classes in training, and none that only the test set has."""
    seen = np.unique(Y[0])
    if len(seen) < 2:
        raise DataError(
            f"{goal} must hold at least two classes. Got only {quote(labels[seen[0]])} in {path}: "
            "add rows of another class, or store targets for regression as Y."
        )
    new = np.setdiff1d(Y[-1], seen)
    if len(new):
        raise DataError(
            f"Every label of {goal}_test must occur in {goal}. Got {quote(labels[new[0]])} in the test set only: "
            "add training rows of that class or drop its test rows."
        )
