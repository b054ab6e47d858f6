"""Numbers and labels out of what users hold: arrays, lists, DataFrames, Series, categories. pandas is not imported."""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import shown
from .network import Array, ProblemError, real

NUMERIC = "biuf"  # kinds of types, of NumPy and of pandas alike, that are read as numbers
LABELS: tuple[Any, ...] = (str, bytes, (bool, np.bool_))


def numbers(value: Any, name: str) -> Array:
    """A table of finite numbers.

    Args:
        value: array, nested sequences or DataFrame (n, k).
        name: what it is, for the message.

    Returns:
        Float64 (n, k).

    Raises:
        ProblemError: other shapes, no rows or columns, entries that are not finite real numbers; for a DataFrame the
            text has its names of the row and the column.
    """
    array = _of_frame(value, name) if hasattr(value, "iloc") and value.ndim == 2 else real(value, name)
    if array.ndim != 2:
        raise ProblemError(f"{name} must have two dimensions. Got shape {array.shape} instead.")
    if 0 in array.shape:
        raise ProblemError(f"{name} must have at least one row and one column. Got shape {array.shape} instead.")
    bad = ~np.isfinite(array)
    if bad.any():
        i, j = (int(k[0]) for k in np.nonzero(bad))
        row, column = _name(value, "index", i), _name(value, "columns", j)
        where = f"row {row}, column {column}"
        raise ProblemError(f"{name} must be finite. Got {array[i, j]} at {where}: drop or fill such rows.")
    return array


def targets(value: Any) -> tuple[Array, tuple[Any, ...] | None]:
    """Targets, and their classes if they are labels.

    Labels are text, booleans or categories in one dimension, or a DataFrame of one such column.

    Args:
        value: numbers (n, c) or (n,), or labels (n,).

    Returns:
        Float64 (n, c): the numbers, or for each class a column that is 1 in its rows and else 0; and the sorted classes
        that occur, None for numbers.

    Raises:
        ProblemError: as `numbers`, and where labels are missing or of several types.
    """
    if hasattr(value, "iloc") and value.ndim == 2 and value.shape[1] == 1:
        value = value.iloc[:, 0]
    labels = _labels(value)
    if labels is not None:
        classes, codes = np.unique(labels, return_inverse=True)
        return np.eye(len(classes))[codes], tuple(classes.tolist())
    if hasattr(value, "iloc"):
        return numbers(value.to_frame(value.name or "Y") if value.ndim == 1 else value, "Y"), None
    array = real(value, "Y")
    return numbers(array[:, None] if array.ndim == 1 else array, "Y"), None


def _of_frame(frame: Any, name: str) -> Array:
    """A DataFrame as float64, NaN where an entry is missing."""
    for j, dtype in enumerate(frame.dtypes):
        if dtype.kind in NUMERIC:
            continue
        column = frame.iloc[:, j]
        for entry in column.dropna():
            if dtype != np.dtype(object) or not isinstance(entry, Real):
                raise ProblemError(
                    f"{name} must be numbers. Got {shown(entry, 60)} in column {column.name!r} of type {dtype}: leave "
                    "the column out, or encode it, such as by pandas.get_dummies."
                )
    return frame.to_numpy(np.float64, na_value=np.nan)


def _labels(value: Any) -> NDArray[Any] | None:
    """The labels (n,), or None where there are no labels or more than one dimension."""
    if isinstance(value, np.ndarray) and (value.ndim != 1 or value.dtype.kind in "iufc"):
        return None
    try:
        entries = np.array(value, dtype=object)  # by itself NumPy makes text of a list of text and numbers
    except ValueError:
        return None
    if entries.ndim != 1 or not len(entries):
        return None
    categorical = hasattr(getattr(value, "dtype", None), "categories") and hasattr(value, "isna")
    bad = np.asarray(value.isna()) if categorical else np.zeros(len(entries), dtype=bool)
    if not bad.any():
        kind = type(entries[0]) if categorical else _kind(entries)
        if kind is None:
            return None
        bad = np.array([not isinstance(entry, kind) for entry in entries])
    if bad.any():
        i = int(np.argmax(bad))
        raise ProblemError(
            f"Y must have a label of the same type in each row. Got {shown(entries[i], 60)} at row "
            f"{_name(value, 'index', i)}: drop or correct such rows."
        )
    return entries


def _kind(entries: NDArray[Any]) -> Any:
    """The type of labels that is among the entries, None if there is none."""
    return next((kind for kind in LABELS if any(isinstance(entry, kind) for entry in entries)), None)


def _name(value: Any, axis: str, i: int) -> str:
    """What a DataFrame or Series calls its row (`index`) or column (`columns`), the number in anything else."""
    if not hasattr(value, "iloc"):
        return str(i)
    name = getattr(value, axis)[i]
    return shown(name.item() if isinstance(name, np.generic) else name, 60)
