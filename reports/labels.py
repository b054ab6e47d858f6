"""Labels that tell cells apart: the data set and the method, each with what distinguishes it in this folder.

Where the config gives a data set or method a label of its own, that takes the place of the name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from ..bench.grid.model import MODEL

LONGEST = 30  # letters of a name before a label shortens it
NAMED = ("method", "arm", "series", "reference", "lower_method", "upper_method")  # columns that name methods
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


def distinct(labels: pd.Series, names: pd.Series) -> pd.Series:
    """Leave out labels that two things have, or that are the name of another, as runs into one folder may give them.

    Args:
        labels: a label for each cell, empty for none.
        names: the names of what they are labels of.

    Returns:
        The labels that are left.
    """
    owners = names.groupby(labels).nunique()
    doubtful = set(owners.index[owners > 1])
    doubtful |= set(labels[labels.isin(set(names)) & (labels != names)])
    return labels.mask(labels.isin(doubtful), "")


def method_labels(cells: pd.DataFrame) -> dict[str, str]:
    """Find the methods that one label names, whatever their settings.

    Args:
        cells: one row a cell, with `called`.

    Returns:
        The label by the method's name.
    """
    found = cells.groupby("method")["called"].agg(["first", "nunique"])
    return {str(name): first for name, first, count in found.itertuples() if count == 1 and first != name}


def relabelled(frame: pd.DataFrame, labels: Mapping[str, str]) -> pd.DataFrame:
    """Put labels in place of methods' names.

    Args:
        frame: rows of a figure or table.
        labels: the label by the method's name.

    Returns:
        The rows with labels, also in columns `p NAME`.
    """
    if not labels:
        return frame
    named = {name: frame[name].map(lambda text: labels.get(text, text)) for name in NAMED if name in frame}
    ps = {f"p {name}": f"p {label}" for name, label in labels.items()}
    return frame.assign(**named).rename(columns=ps)


def reworded(text: str, labels: Mapping[str, str]) -> str:
    """Put labels in place of methods' names within a text.

    Args:
        text: a caption, a heading, a sentence.
        labels: the label by the method's name.

    Returns:
        The text; only whole words are replaced, none that are part of a path, an option or a longer name.
    """
    if not labels:
        return text
    names = "|".join(map(re.escape, sorted(labels, key=len, reverse=True)))
    whole = rf"(?<![\w./:+-])(?:{names})(?![\w/:+-]|\.\w)"
    return re.sub(whole, lambda found: labels[found[0]], text)


def _varying(cells: pd.DataFrame, by: str, columns: Sequence[str]) -> dict[str, set[str]]:
    """For each column, the values of `by` within which it takes more than one value."""
    distinct = cells.groupby(by)[list(columns)].nunique()
    return {column: set(distinct.index[distinct[column] > 1]) for column in columns}


def _models(cells: pd.DataFrame) -> list[list[str]]:
    """Activation and loss of each row where they are not the usual ones."""
    rows = cells[list(MODEL)].itertuples(index=False)
    return [[value for value, usual in zip(row, MODEL.values(), strict=True) if value != usual] for row in rows]


def usual_models(table: pd.DataFrame) -> dict[str, pd.Series]:
    """Activation and loss, the usual ones where a table is older than their columns.

    Args:
        table: with `activation` and `loss`, empty where they are not known.

    Returns:
        Both columns.
    """
    return {name: table[name].replace("", usual) for name, usual in MODEL.items()}


def trained_on(table: pd.DataFrame) -> pd.Series:
    """What each row was trained on, so that it names a training problem together with γ.

    Args:
        table: with `data`, `activation` and `loss`.

    Returns:
        The data, with activation and loss where they are not the usual ones.
    """
    texts = [
        " ".join([data, *model]) if data else "" for data, model in zip(table["data"], _models(table), strict=True)
    ]
    return pd.Series(texts, index=table.index, dtype=object)


def problems(cells: pd.DataFrame) -> pd.Series:
    """Label data sets, with preprocessing and bias, and with n, d or c where these alone would not tell.

    And with activation and loss where they are not the usual ones. Folds of one data set
    may differ by a row, and are one problem. A data set that ran under both protocols is two.
    Preprocessing and bias are left out where `dataset_label` says it all.

    Args:
        cells: one row a cell.

    Returns:
        A label for each cell.
    """
    own, short = cells["dataset_label"], cells["dataset"].map(shortened(cells["dataset"]))
    cells = cells.assign(n=cells["n"].mask(cells["protocol"] == FOLDS), name=own.mask(own == "", short))
    cells = cells.assign(model=[", ".join(each) for each in _models(cells)])
    kinds = cells["name"] + "\n" + cells["preprocess"] + "\n" + cells["bias"].astype(str) + "\n" + cells["model"]
    sizes = _varying(cells.assign(kind=kinds), "kind", ["n", "d", "c", "protocol"])
    forms = _varying(cells, "name", ["preprocess", "bias"])

    def label(name: str, own: str, preprocess: str, bias: bool, model: str, protocol: str, *numbers: float) -> str:
        kind = f"{name}\n{preprocess}\n{bias}\n{model}"
        parts = [preprocess] if preprocess not in ("", "none") and (not own or name in forms["preprocess"]) else []
        parts += ["bias"] if bias and (not own or name in forms["bias"]) else []
        parts += [model] if model else []
        parts += [FOLDS] if protocol == FOLDS and kind in sizes["protocol"] else []
        parts += [
            f"{letter}={value:g}"
            for letter, value in zip("ndc", numbers, strict=True)
            if kind in sizes[letter] and not pd.isna(value)
        ]
        return " ".join([name, *([f"({', '.join(parts)})"] if parts else [])])

    return _labelled(cells, ["name", "dataset_label", "preprocess", "bias", "model", "protocol", "n", "d", "c"], label)


def arms(cells: pd.DataFrame) -> pd.Series:
    """Label the settings of a method: what tells them apart, and nothing else.

    Args:
        cells: one row a cell; `called` has the method's label or name.

    Returns:
        A label for each cell.
    """
    differing = _varying(cells, "called", ["solver", "rounding", "width"])
    pairs = cells[["called", "options"]].drop_duplicates()
    table = pd.DataFrame([_options(text) for text in pairs["options"]], index=pairs["called"]).fillna("")
    shown = (table.groupby(level=0).nunique() > 1).to_dict(orient="index")

    def label(method: str, solver: str, rounding: str, width: float, text: str) -> str:
        parts = [solver] if method in differing["solver"] and solver else []
        parts += [rounding] if method in differing["rounding"] and rounding else []
        parts += [f"m={width:g}"] if method in differing["width"] and not pd.isna(width) else []
        parts += [f"{name}={value}" for name, value in _options(text).items() if shown[method][name]]
        return " ".join([method, *([f"({', '.join(parts)})"] if parts else [])])

    return _labelled(cells, ["called", "solver", "rounding", "width", "options"], label)


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
