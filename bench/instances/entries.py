"""What is kept of an instance, a folder by its name: history.csv, lower.npz (Θ and its proof), upper.npz (U and V).

Only the arrays of the best bound on either side are kept. A bound whose arrays would be too large has the word
`recompute` for their sha256: the history says by which method it was made, and nothing rests on it.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ...errors import printable
from ..results.record import read_limited, write_atomically
from ..text import UsageError

Side = Literal["lower", "upper"]
Class = Literal["solved", "hard", "open"]
SIDES: tuple[Side, ...] = ("lower", "upper")
CLASSES: tuple[Class, ...] = ("solved", "hard", "open")
SOLVED, HARD = 1e-3, 0.5  # proved (upper − lower)/upper up to which an instance is `solved`, or `hard`; beyond, `open`
RECOMPUTE = "recompute"
MOST_BYTES = 150_000  # of a file of arrays
UNPACKED = 2**24  # bytes of its arrays: a small file must not take hours to check
MOST_HISTORY = 10_000_000


@dataclass(frozen=True)
class Bound:
    """A line of the history.

    value: the proved lower bound, or the network's objective. method, by: as the submitter gave them. seconds: of the
    method, None if not known. kind: of the certificate, or `network`. sha256: of the file of arrays, or `recompute`.
    """

    side: Side
    value: float
    method: str
    seconds: float | None
    date: str
    kind: str
    sha256: str
    by: str

    @property
    def kept(self) -> bool:
        """Whether its arrays were kept when it was the best."""
        return self.sha256 != RECOMPUTE


@dataclass(frozen=True)
class Entry:
    """The history of an instance's bounds, oldest first; empty where nobody has proved anything."""

    name: str
    history: tuple[Bound, ...] = ()

    def best(self, side: Side) -> Bound | None:
        """The last bound of a side with arrays: each is better than those before."""
        return next((bound for bound in reversed(self.history) if bound.side == side and bound.kept), None)

    @property
    def lines(self) -> list[dict[str, str | float]]:
        """Its bounds with arrays as rows of a table: instance, side, value, date."""
        kept = (bound for bound in self.history if bound.kept)
        return [{"instance": self.name, "side": one.side, "value": one.value, "date": one.date} for one in kept]

    @property
    def lower(self) -> float | None:
        """The best lower bound whose proof is kept."""
        return getattr(self.best("lower"), "value", None)

    @property
    def upper(self) -> float | None:
        """The objective of the best network that is kept."""
        return getattr(self.best("upper"), "value", None)

    @property
    def gap(self) -> float | None:
        """(upper − lower)/upper, None without both."""
        if self.lower is None or self.upper is None:
            return None
        return (self.upper - self.lower) / self.upper if self.upper > 0 else 0.0

    @property
    def kind(self) -> Class:
        """The class of the instance: `solved`, `hard` or `open`, by the gap that is proved."""
        if self.gap is None or self.gap > HARD:
            return "open"
        return "solved" if self.gap <= SOLVED else "hard"


COLUMNS = tuple(field.name for field in fields(Bound))


def read_entry(folder: Path, name: str) -> Entry:
    """The entry of an instance.

    Args:
        folder: with the entries.
        name: of the instance.

    Returns:
        The entry, without history if there is none.

    Raises:
        UsageError: a history that is none.
    """
    path = folder / name / "history.csv"
    if not path.exists():
        return Entry(name)
    try:
        lines = csv.DictReader(io.StringIO(read_limited(path, MOST_HISTORY).decode("utf-8"), newline=""), strict=True)
        found = tuple(_bound(line) for line in lines)
    except (ValueError, TypeError, KeyError, csv.Error) as error:  # ValueError: of our own errors too
        raise UsageError(f"{path} must be a history of bounds. Got a damaged one instead ({error}).") from None
    if tuple(lines.fieldnames or ()) != COLUMNS:
        raise UsageError(f"{path} must have the columns {', '.join(COLUMNS)}. Got {lines.fieldnames} instead.")
    return Entry(name, found)


def _bound(line: Mapping[str, Any]) -> Bound:
    value, seconds = float(line["value"]), float(line["seconds"]) if line["seconds"] else None
    if line["side"] not in SIDES or not math.isfinite(value) or None in line.values() or None in line:
        raise ValueError(f"a line for side {str(line['side'])[:20]!r} with value {str(line['value'])[:20]!r}")
    words = {name: printable(text) for name, text in line.items()}  # a history may come from anybody
    return Bound(
        side=line["side"],
        value=value,
        method=words["method"],
        seconds=seconds,
        date=words["date"],
        kind=words["kind"],
        sha256=words["sha256"],
        by=words["by"],
    )


def write_entry(folder: Path, entry: Entry, arrays: Mapping[Side, bytes]) -> None:
    """Write the history of an instance, and the files of arrays that have changed.

    The history comes last: until it is written, a file of arrays has a sha256 that is not in it, which `check` says.

    Args:
        folder: with the entries.
        entry: the whole history.
        arrays: content of the files of arrays that are new.

    Raises:
        OSError: the folder cannot be written to.
    """
    own = folder / entry.name
    own.mkdir(parents=True, exist_ok=True)
    for side, content in arrays.items():
        write_atomically(own / f"{side}.npz", content)
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for bound in entry.history:
        seconds = "" if bound.seconds is None else bound.seconds
        writer.writerow({**asdict(bound), "value": repr(bound.value), "seconds": seconds})
    write_atomically(own / "history.csv", text.getvalue().encode())


def packed(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Arrays as the content of an .npz file, the same bytes for the same arrays.

    Args:
        arrays: by name.

    Returns:
        The bytes.
    """
    file = io.BytesIO()
    np.savez_compressed(file, **{name: arrays[name] for name in sorted(arrays)})  # type: ignore[arg-type]
    return file.getvalue()


def too_large(arrays: Mapping[str, NDArray[Any]], content: bytes) -> bool:
    """Whether arrays are not kept.

    Args:
        arrays: by name.
        content: the same as a file.

    Returns:
        True where file or arrays are above their limits.
    """
    return len(content) > MOST_BYTES or sum(array.nbytes for array in arrays.values()) > UNPACKED
