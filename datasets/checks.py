"""The error of this room, and checks of option values that raise it."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import RelaxbenchError, nearest, printable, short, shown

MAX_BYTES = 2 * 2**30
"""Most memory that one array of a data set may take unless the user allows more: 2 GiB."""


class DataError(RelaxbenchError):
    """Data or options from which no data set can be made; one line that names the value and the fix."""

    def __init__(self, message: str) -> None:
        super().__init__(printable(message))  # what came from a file or a user may hold anything


def show(value: object) -> str:
    """A value as it would be written in Python, cut short."""
    return shown(value, 80)


def quote(text: str) -> str:
    """A string from a file or a user in quotes, cut short."""
    return f"'{short(text, 60)}'"


def hint(value: object, valid: Iterable[str], otherwise: str = ".") -> str:
    """The end of a message: `: did you mean 'x'?` where something valid is near.

    Args:
        value: what was given.
        valid: what could have been meant.
        otherwise: the end where nothing is near.

    Returns:
        The end of the message.
    """
    found = nearest(value, valid)
    return f": did you mean {found!r}?" if found else otherwise


def whole(value: Any, name: str, least: int = 1, most: int = 10**12) -> int:
    """The value as an int; True, 3.0 and "3" are refused.

    Args:
        value: what was given.
        name: what it is, for the message.
        least: the least value allowed.
        most: the largest value allowed.

    Returns:
        The int.

    Raises:
        DataError: no int, or out of range.
    """
    try:
        number = operator.index(value)
    except TypeError:
        number = least - 1
    if isinstance(value, bool | np.bool_) or not least <= number <= most:
        raise DataError(f"{name} must be a whole number from {least} to {most:.0g}. Got {show(value)} instead.")
    return number


def real(value: Any, name: str, least: float = 0.0, most: float = 1e100) -> float:
    """The value as a float; True and "0.1" are refused.

    Args:
        value: what was given.
        name: what it is, for the message.
        least: the least value allowed.
        most: the largest value allowed.

    Returns:
        The float.

    Raises:
        DataError: no real number, or out of range.
    """
    if isinstance(value, bool) or not isinstance(value, Real) or not least <= value <= most:  # type: ignore[operator]
        raise DataError(
            f"{name} must be a number from {least:g} to {most:g}. Got {show(value)} instead: give {least:g} or more."
        )
    return float(value)


def fraction(value: Any, name: str) -> float:
    """The value as a float from 0 up to, but not, 1.

    Args:
        value: what was given.
        name: what it is, for the message.

    Returns:
        The float.

    Raises:
        DataError: no real number, or out of range.
    """
    if isinstance(value, bool) or not isinstance(value, Real) or not 0.0 <= value < 1.0:  # type: ignore[operator]
        raise DataError(
            f"{name} must be a number between 0 and 1, 0 included. Got {show(value)} instead: give 0.5, for example."
        )
    return float(value)


def flag(value: Any, name: str) -> bool:
    """The value as a bool; 0, 1 and strings are refused.

    Args:
        value: what was given.
        name: what it is, for the message.

    Returns:
        The bool.

    Raises:
        DataError: no bool.
    """
    if not isinstance(value, bool | np.bool_):
        raise DataError(f"{name} must be true or false. Got {show(value)} instead: write it without quotes.")
    return bool(value)


def fits(entries: int, what: str, max_bytes: int = MAX_BYTES) -> None:
    """Refuse arrays that are too large, before they are made.

    Args:
        entries: float64 entries of all arrays together.
        what: what they are, for the message.
        max_bytes: the most that they may take.

    Raises:
        DataError: more than `max_bytes`.
    """
    if 8 * entries > max_bytes:
        raise DataError(
            f"{what} must fit into {max_bytes:,} bytes. Got {8 * entries:,} bytes instead: "
            "take fewer rows or columns, or allow a file more with max_bytes."
        )


def finite(A: NDArray[np.float64], name: str) -> None:
    """Refuse NaN and infinities, naming the first one's place (counted from 0).

    Args:
        A: matrix.
        name: what it is, for the message.

    Raises:
        DataError: an entry that is not finite.
    """
    bad = ~np.isfinite(A)
    if bad.any():
        i, j = (int(k[0]) for k in np.nonzero(bad))
        raise DataError(f"{name} must be finite. Got {A[i, j]} at row {i}, column {j}: drop or fill such rows.")


@contextmanager
def refusing(what: str, fix: str) -> Iterator[None]:
    """Turn whatever a parser raises on hostile or damaged bytes into one DataError.

    The set of exceptions that zip, tokenizer and decoder raise on garbage is open, hence the broad catch.

    Args:
        what: what is parsed, for the message.
        fix: what to do about it, for the message.

    Raises:
        DataError: any exception in the block.
    """
    try:
        yield
    except DataError:
        raise
    except Exception as error:
        reason = short(str(error), 160)
        raise DataError(f"{what} must be readable. Got {type(error).__name__} ({reason}) instead: {fix}.") from None
