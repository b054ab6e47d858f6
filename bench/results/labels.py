"""What was asked for in a cell: as a key that is the same from run to run, and in words."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from ..grid.model import MODEL, model_of

ASKED = ("dataset", "n", "data_seed", "preprocess", "bias", "method", "gamma", "width", "seed")
ALWAYS_SHOWN = {"dataset", "method", "gamma"}
SHOWN = (
    *("dataset", "n", "data_seed", "preprocess", "bias", *MODEL),
    *("method", "solver", "rounding", "gamma", "width", "seed"),
)
Row = Mapping[str, Any]


def rows_of(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of a table as dictionaries.

    Args:
        table: any table.

    Returns:
        The rows, with None for what is missing.
    """
    plain = table.astype(object).where(table.notna(), None)
    return [{str(name): value for name, value in row.items()} for row in plain.to_dict("records")]


def labels(rows: Iterable[Row]) -> dict[str, str]:
    """A few words for each cell.

    Args:
        rows: rows of results.

    Returns:
        Words by the cell's hash: what always matters, what varies, and all options where that is needed.
    """
    rows = list(rows)
    varying = [name for name in SHOWN if name in ALWAYS_SHOWN or len({row[name] for row in rows}) > 1]
    words = {row["cell"]: " ".join(_words(row, varying)) for row in rows}
    meanings = defaultdict(set)
    for row in rows:
        meanings[words[row["cell"]]].add((asked(row), row["options"]))
    return {
        row["cell"]: words[row["cell"]] + (f" {row['options']}" if len(meanings[words[row["cell"]]]) > 1 else "")
        for row in rows
    }


def key_of(row: Row) -> str:
    """What was asked for in a cell, as text that is the same from run to run."""
    data = str(row["data"]).removeprefix("sha256:")  # as histories of earlier versions have it
    return json.dumps([*asked(row), data, row["options"]], ensure_ascii=False)


def asked(row: Row) -> tuple[Any, ...]:
    """What was asked for in a cell.

    Args:
        row: a row of results.

    Returns:
        The columns ASKED, in place of a γ that was chosen how it was; then activation and loss if they are not the
        usual ones, which keys of earlier versions do not name.
    """
    plain = (row["gamma_by"] or row[name] if name == "gamma" else row[name] for name in ASKED)
    return (*plain, *model_of(row).values())


def _words(row: Row, names: Iterable[str]) -> Iterable[str]:
    for name in names:
        value = row[name]
        if value is None or (name == "bias" and not value) or value == MODEL.get(name):
            continue
        if name in ("dataset", "method", "solver", "rounding", "preprocess", *MODEL):
            yield str(value)
        elif name == "bias":
            yield "bias"
        elif name == "gamma" and row["gamma_by"]:
            yield f"γ by {row['gamma_by']}"
        else:
            yield f"{'γ' if name == 'gamma' else name}={value:g}"
