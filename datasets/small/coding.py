"""Cells of text → features and classes; the rule stands in this folder's `__init__.py`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..dataset import Array

MISSING = "?"


def features(columns: NDArray[np.str_]) -> Array:
    """Columns of text as numbers.

    Args:
        columns: text (rows, columns).

    Returns:
        (rows, features), NaN where a number is missing.
    """
    return np.hstack([_coded(column) for column in columns.T])


def classes(column: NDArray[np.str_]) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """A column of labels as the position of each in the classes.

    Args:
        column: labels (rows,).

    Returns:
        Positions (rows,), and the classes in order.
    """
    order = _in_order(column)
    place = {label: k for k, label in enumerate(order)}
    return np.array([place[label] for label in column.tolist()], dtype=np.int64), tuple(order)


def _coded(column: NDArray[np.str_]) -> Array:
    """The features (rows, ·) of one column: its numbers, or 0 and 1 for each level."""
    numbers = _numbers(np.where(column == MISSING, "nan", column))
    if numbers is not None:
        return numbers[:, None]
    return (column[:, None] == np.array(_in_order(column))).astype(np.float64)


def _in_order(column: NDArray[np.str_]) -> list[str]:
    """The different values: by value where all are numbers, else by spelling."""
    values = np.unique(column)
    numbers = _numbers(values)
    return values.tolist() if numbers is None else values[np.argsort(numbers, kind="stable")].tolist()


def _numbers(values: NDArray[np.str_]) -> Array | None:
    """The values as numbers, or None where one of them is none."""
    try:
        return values.astype(np.float64)
    except ValueError:
        return None
