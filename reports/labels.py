"""Labels that tell cells apart: the data set and the method, each with what distinguishes it in this folder."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pandas as pd

LONGEST = 30  # letters of a name before a label shortens it
HOLDOUT, FOLDS = "holdout", "folds"  # protocols; a table or figure of scores on test rows shows one of them


def shortened(names: pd.Series) -> dict[str, str]:
    """Cut long names (paths of users' files) at the front, unless that would make two of them equal.

    Args:
        names: the names.

    Returns:
        The name to show by name.
    """
    short = {name: name if len(name) <= LONGEST else "…" + name[1 - LONGEST :] for name in names.unique()}
    return short if len(set(short.values())) == len(short) else {name: name for name in short}


def _varying(cells: pd.DataFrame, by: str, columns: Sequence[str]) -> dict[str, set[str]]:
    """For each column, the values of `by` within which it takes more than one value."""
    distinct = cells.groupby(by)[list(columns)].nunique()
    return {column: set(distinct.index[distinct[column] > 1]) for column in columns}


def problems(cells: pd.DataFrame) -> pd.Series:
    """Label data sets, with preprocessing and bias, and with n, d or c where these alone would not tell.

    Folds of one data set may differ by a row, and are one problem. A data set that ran under both protocols is two.

    Args:
        cells: one row a cell.

    Returns:
        A label for each cell.
    """
    cells = cells.assign(n=cells["n"].mask(cells["protocol"] == FOLDS))
    kinds = cells["dataset"] + "\n" + cells["preprocess"] + "\n" + cells["bias"].astype(str)
    sizes = _varying(cells.assign(kind=kinds), "kind", ["n", "d", "c", "protocol"])
    short = shortened(cells["dataset"])

    def label(dataset: str, preprocess: str, bias: bool, protocol: str, *numbers: float) -> str:
        parts = [preprocess] if preprocess not in ("", "none") else []
        parts += ["bias"] if bias else []
        parts += [FOLDS] if protocol == FOLDS and f"{dataset}\n{preprocess}\n{bias}" in sizes["protocol"] else []
        parts += [
            f"{name}={value:g}"
            for name, value in zip("ndc", numbers, strict=True)
            if f"{dataset}\n{preprocess}\n{bias}" in sizes[name] and not pd.isna(value)
        ]
        return " ".join([short[dataset], *([f"({', '.join(parts)})"] if parts else [])])

    return _labelled(cells, ["dataset", "preprocess", "bias", "protocol", "n", "d", "c"], label)


def arms(cells: pd.DataFrame) -> pd.Series:
    """Label the settings of a method: what tells them apart, and nothing else.

    Args:
        cells: one row a cell.

    Returns:
        A label for each cell.
    """
    differing = _varying(cells, "method", ["solver", "rounding", "width"])
    distinct = cells[["method", "options"]].drop_duplicates()
    table = pd.DataFrame([_options(text) for text in distinct["options"]], index=distinct["method"]).fillna("")
    shown = (table.groupby(level=0).nunique() > 1).to_dict(orient="index")

    def label(method: str, solver: str, rounding: str, width: float, text: str) -> str:
        parts = [solver] if method in differing["solver"] and solver else []
        parts += [rounding] if method in differing["rounding"] and rounding else []
        parts += [f"m={width:g}"] if method in differing["width"] and not pd.isna(width) else []
        parts += [f"{name}={value}" for name, value in _options(text).items() if shown[method][name]]
        return " ".join([method, *([f"({', '.join(parts)})"] if parts else [])])

    return _labelled(cells, ["method", "solver", "rounding", "width", "options"], label)


def options(text: str) -> dict[str, Any]:
    """Read the options of a cell out of their column.

    Args:
        text: JSON, as in the column.

    Returns:
        The options by name; what cannot be read is one option named `options`.
    """
    try:
        found = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {"options": text}
    return found if isinstance(found, dict) else {"options": text}


def _options(text: str) -> dict[str, str]:
    """The options of a cell apart from those with columns of their own."""
    return {name: str(value) for name, value in sorted(options(text).items()) if name not in ("solver", "rounding")}


def _labelled(cells: pd.DataFrame, columns: list[str], label: Any) -> pd.Series:
    """One label per distinct combination of the columns, spread over the rows."""
    if cells.empty:
        return pd.Series(dtype=str)
    codes = cells.groupby(columns, dropna=False, sort=False).ngroup()
    first = cells.loc[~codes.duplicated(), columns]
    labels = {codes[i]: label(*row) for i, *row in first.itertuples()}
    return codes.map(labels)
