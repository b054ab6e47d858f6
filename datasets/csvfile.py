"""A table out of a .csv file: a header, numeric features, one column `label` or `target`."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import short
from .checks import DataError, fits, hint, quote, refusing, show
from .dataset import Array

_HEADER_LIMIT = 4 * 2**20
_BYTE_ORDER_MARKS = (  # the longer first: the mark of UTF-32-LE begins with that of UTF-16-LE
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_BAD_CELL = re.compile(
    r"In CSV column #(\d+): (?:Row #(\d+): )?CSV conversion error to double: invalid value '(.*)'", re.S
)


def read_csv(path: str, max_bytes: int) -> tuple[Array, Array | NDArray[np.object_], bool]:
    """Rows and labels or targets of a CSV file.

    The file is UTF-8, or UTF-16 or UTF-32 with a byte order mark, separated by commas. Rows in messages are counted
    with the header as row 1, blank lines left out.

    Args:
        path: the file.
        max_bytes: the most that its table may take.

    Returns:
        X (n, d), then labels (n,) as strings or targets (n, 1), and whether they are labels.

    Raises:
        DataError: a file that is none of that.
    """
    with refusing(path, "make it a CSV file in UTF-8"):
        size = Path(path).stat().st_size
        fits(size // 2, f"The table in {path}", max_bytes)  # a cell takes at least two bytes there
        text = _decode(Path(path).read_bytes(), path).lstrip("\r\n")
        names = _header(text, path)
        goal = _goal(names, path)
        table = _parse(text, names, goal, path)
    columns = [table[i] for i in range(len(names)) if i != goal]
    X = np.column_stack([np.asarray(column) for column in columns])
    _finite(X, [names[i] for i in range(len(names)) if i != goal])
    if names[goal] == "target":
        Y = np.asarray(table[goal])[:, None]
        _finite(Y, ["target"])
        return X, Y, False
    labels = np.array([label.strip() for label in table[goal].to_pylist()], dtype=object)
    empty = np.flatnonzero(labels == "")
    if len(empty):
        raise DataError(f"label must be given in every row. Got none at row {empty[0] + 2}: drop or fill such rows.")
    broken = next((label for label in labels if "\n" in label or "\r" in label), None)
    if broken is not None:  # a quote that is never closed swallows the rest of the file
        raise DataError(f"label must be on one line. Got {quote(broken)} instead: close the quotation mark.")
    return X, labels, True


def _decode(raw: bytes, path: str) -> str:
    encoding = next((name for mark, name in _BYTE_ORDER_MARKS if raw.startswith(mark)), "utf-8")
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path} must be text in UTF-8, or in UTF-16 with a byte order mark. "
            f"Got byte 0x{raw[error.start]:02x} at position {error.start} instead: save it as UTF-8."
        ) from None
    if "\0" in text:
        raise DataError(
            f"{path} must be text. Got a zero byte at position {text.index(chr(0))} instead: save it as CSV in UTF-8."
        )
    return text


def _header(text: str, path: str) -> list[str]:
    """The column names, one each and all different."""
    line = io.StringIO(text[:_HEADER_LIMIT], newline=None).readline()
    if len(line) >= _HEADER_LIMIT:
        raise DataError(f"The header of {path} must be a line of less than 4 MiB. Got more instead: is it a CSV file?")
    names = [name.strip() for name in next(csv.reader([line]), [])]
    if not any(names):
        raise DataError(f"{path} must have a header row and data. Got an empty file instead: write column names first.")
    for place, name in enumerate(names):
        if name == "":
            raise DataError(
                f"Every column of {path} must have a name. Got an empty one at column {place}: "
                "name it, or write the file without row numbers (index=False in pandas)."
            )
    twice, times = Counter(names).most_common(1)[0]
    if times > 1:
        raise DataError(f"The column names of {path} must differ. Got {quote(twice)} {times} times: rename it.")
    return names


def _goal(names: list[str], path: str) -> int:
    """The place of the column `label` or `target`."""
    found = [place for place, name in enumerate(names) if name in ("label", "target")]
    if len(found) != 1 or len(names) < 2:
        got = "both" if len(found) == 2 else show(names)
        hints = (hint(name, ("label", "target"), "") for name in names[:1000])
        near = next(filter(None, hints), ".") if not found else "."
        raise DataError(
            f"{path} must have a header with one column 'label' (classes) or 'target' (numbers), separated by commas, "
            f"and at least one feature. Got {got} instead{near}"
        )
    return found[0]


def _parse(text: str, names: list[str], goal: int, path: str) -> Any:
    """The rows under the header as a pyarrow table: float64 columns, and strings for the labels."""
    import pyarrow
    from pyarrow import csv as arrow_csv

    raw = text.encode()
    places = [str(place) for place in range(len(names))]
    types = {place: pyarrow.float64() for place in places}
    if names[goal] == "label":
        types[places[goal]] = pyarrow.string()
    try:
        return arrow_csv.read_csv(
            pyarrow.BufferReader(raw),
            arrow_csv.ReadOptions(
                use_threads=False,  # one thread numbers the rows in its messages
                block_size=min(len(raw) + 1, 2**31 - 1),  # one block, or a long row would straddle two
                column_names=places,
                skip_rows_after_names=1,
            ),
            arrow_csv.ParseOptions(newlines_in_values=True),
            arrow_csv.ConvertOptions(column_types=types, null_values=[], strings_can_be_null=False),
        )
    except pyarrow.ArrowInvalid as error:
        cell = _BAD_CELL.match(str(error))
        if cell is None:
            raise DataError(f"{path} must be a table. Got {short(str(error), 160)} instead: fix that row.") from None
        where = f"row {cell[2]}, " if cell[2] else ""
        raise DataError(
            f"Features and targets must be numbers. Got {quote(cell[3])} at {where}column {quote(names[int(cell[1])])} "
            f"of {path}: drop or fill such rows, or code the column as numbers."
        ) from None


def _finite(A: Array, names: list[str]) -> None:
    bad = ~np.isfinite(A)
    if bad.any():
        i, j = (int(k[0]) for k in np.nonzero(bad))
        raise DataError(
            f"Features and targets must be finite. Got {A[i, j]} at row {i + 2}, column {quote(names[j])}: "
            "drop or fill such rows."
        )
