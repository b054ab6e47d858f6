"""The two sides of a comparison, and which cell of one is which cell of the other.

The hash of a cell holds the code that computed it, which is just what differs here. So cells are matched by what was
asked for: data, method, options, γ, width and seed.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..bundle.unpack import opened
from ..results.columns import STATUSES
from ..results.folder import load_environment, load_results, load_spec
from ..results.labels import Row, asked, rows_of
from ..text import UsageError


@dataclass(frozen=True)
class Side:
    """name: the path as given. rows: of the results, missing values as None. environment and spec: if there are any."""

    name: str
    rows: list[dict[str, Any]]
    environment: Mapping[str, Any]
    spec: str = ""


@dataclass(frozen=True)
class Pair:
    """A cell on both sides; note: what about the cell itself is not quite the same."""

    base: Row
    cand: Row
    note: str = ""


@dataclass(frozen=True)
class Matching:
    """missing and new: cells of the base, or of the candidate, without a counterpart, each with a note."""

    pairs: list[Pair]
    missing: list[tuple[Row, str]]
    new: list[tuple[Row, str]]


def read_side(path: str | Path) -> Side:
    """Read one side of a comparison.

    Args:
        path: the folder of a run, its results.parquet or results.csv, or a bundle.

    Returns:
        The side.

    Raises:
        UsageError: anything else, an unknown status, or a cell that is there twice.
    """
    with opened(path) as place:
        return _side(Path(path), place)


def _side(path: Path, place: Path) -> Side:
    """The side at `place`, called by the path that was given."""
    table = load_results(place)
    strange = table[~table["status"].isin(list(STATUSES))]
    if len(strange):
        raise UsageError(
            f"{path}: status must be one of {', '.join(STATUSES)}. Got {strange['status'].iloc[0]!r} instead."
        )
    folder = place if place.is_dir() else place.parent
    rows = rows_of(table)
    seen = set()
    for row in rows:
        key = (asked(row), row["data"], row["options"])
        if key in seen:
            raise UsageError(f"{path} must hold each cell once. Got {row['dataset']} {row['method']} twice.")
        seen.add(key)
    return Side(str(path), rows, load_environment(folder), load_spec(folder))


def match(base: Iterable[Row], cand: Iterable[Row]) -> Matching:
    """Pair the cells of two sides.

    First those alike in everything; then, where there is only one such cell on each side, those alike but for the last
    bits of the data, which differ between processors, or for options that the other side does not know.

    Args:
        base: rows of the side compared with.
        cand: rows of the side judged.

    Returns:
        The pairs, and the cells without a counterpart.
    """
    left = {(asked(row), row["data"], row["options"]): row for row in base}
    right = {(asked(row), row["data"], row["options"]): row for row in cand}
    pairs = [Pair(left.pop(key), right.pop(key)) for key in list(left) if key in right]
    pairs += _but_for_last_bits(left, right)
    pairs += _but_for_options(left, right)
    return Matching(
        pairs,
        [(row, _why(row, right.values())) for row in left.values()],
        [(row, _why(row, left.values())) for row in right.values()],
    )


def _but_for_last_bits(left: dict[Any, Row], right: dict[Any, Row]) -> list[Pair]:
    """Takes the pairs out of both."""
    mine, others = _by_rounded_data(left), _by_rounded_data(right)
    return [
        Pair(left.pop(keys[0]), right.pop(others[name][0]), "the data differ in their last bits")
        for name, keys in mine.items()
        if len(keys) == len(others[name]) == 1
    ]


def _by_rounded_data(side: dict[Any, Row]) -> dict[Any, list[Any]]:
    """The keys of the cells that are alike but for the last bits of their data."""
    found = defaultdict(list)
    for key, row in side.items():
        if row.get("data_rounded"):
            found[key[0], row["data_rounded"], key[2]].append(key)
    return found


def _but_for_options(left: dict[Any, Row], right: dict[Any, Row]) -> list[Pair]:
    """Takes the pairs out of both."""
    others = defaultdict(list)
    for key in right:
        others[key[:2]].append(key)
    agreeing = {key: [other for other in others[key[:2]] if _agree(key[2], other[2])] for key in left}
    counts: dict[Any, int] = defaultdict(int)
    for found in agreeing.values():
        for other in found:
            counts[other] += 1
    pairs = []
    for key, found in agreeing.items():
        if len(found) == 1 and counts[found[0]] == 1:
            names = sorted(_options(key[2]).keys() ^ _options(found[0][2]).keys())
            pairs.append(Pair(left.pop(key), right.pop(found[0]), f"only one side has option {', '.join(names)}"))
    return pairs


def _agree(options: str | None, others: str | None) -> bool:
    """Whether the options that both know are the same."""
    mine, theirs = _options(options), _options(others)
    return all(mine[name] == theirs[name] for name in mine.keys() & theirs.keys())


def _options(text: str | None) -> dict[str, Any]:
    try:
        found = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {"": text}
    return found if isinstance(found, dict) else {"": text}


def _why(row: Row, others: Iterable[Row]) -> str:
    """Why a cell may have no counterpart."""
    return "on other data" if any(asked(row) == asked(other) for other in others) else ""
