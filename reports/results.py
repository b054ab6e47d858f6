"""A results folder made ready to draw: every column there, names safe to print, labels that tell cells apart."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..bench.grid.registry import METHODS
from ..bench.results.columns import COLUMNS, TIGHTNESS_COLUMNS, Status
from ..bench.results.folder import load_arrays, load_data, load_extra, load_trace
from ..bench.results.history import METRICS, Step, Trend, steps, trends
from ..errors import RelaxbenchError
from .plausible import LARGEST, contradictions, plausible, without

TEXT = tuple(column.name for column in COLUMNS if column.kind == "str")
NUMBERS = tuple(column.name for column in COLUMNS if column.kind in ("int", "float"))
GROUP_NUMBERS = tuple(column.name for column in TIGHTNESS_COLUMNS if column.kind in ("int", "float"))
PROVED = ("lower_bound", "lower_method", "certified_ratio", "exact_value", "sdp_over_exact")
Array = NDArray[np.float64]

RANKS = {name: k for k, name in enumerate(METHODS)}  # the order in which they are shown
LONGEST = 30  # letters of a name before a label shortens it


class ReportError(RelaxbenchError):
    """A folder, figure name, format or style that no report can be made from; the text names the fix."""


@dataclass(frozen=True)
class Results:
    """What a run left behind.

    cells: one row a cell, every column of the results (`TEXT` as str, `NUMBERS` as float, `bias` as bool), plus
    `problem`, the data set with what distinguishes it in this folder, and `arm`, the method likewise. Where γ was
    chosen by cross-validation `gamma` is missing, so that such cells go together, and `gamma_chosen` has it.
    tightness: one row a group, one (data, γ), with `problem`. missing: what has not ended yet, lacking: what the run
    did not ask for or get, or what was left out of it, in words. alarms: bounds that lie above a network, in words;
    what is proved of their groups is left out of both tables. history: the nights up to this one, if the folder holds
    any (bench/results/history.py).
    """

    folder: Path
    cells: pd.DataFrame
    tightness: pd.DataFrame
    environment: dict[str, Any] = field(default_factory=dict)
    spec: str = ""
    missing: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()
    alarms: tuple[str, ...] = ()
    history: pd.DataFrame | None = None

    @property
    def done(self) -> pd.DataFrame:
        """The cells that ended with status `ok`."""
        return self.cells[self.cells["status"] == Status.OK]

    @cached_property
    def arms(self) -> list[str]:
        """Labels of all arms, in the order in which they are shown."""
        table = self.cells[["method", "arm", "width"]].drop_duplicates()
        table = table.assign(rank=table["method"].map(_rank)).sort_values(["rank", "method", "width", "arm"])
        return list(dict.fromkeys(table["arm"]))

    @cached_property
    def methods(self) -> list[str]:
        """Labels of all methods, in the order in which they are shown."""
        return sorted(set(self.cells["method"]), key=lambda name: (_rank(name), name))

    @cached_property
    def trends(self) -> list[tuple[Trend, list[Step]]]:
        """Every metric of every cell on every machine over the nights of the history, with its steps."""
        if self.history is None:
            return []
        found = [trend for metric in METRICS for trend in trends(self.history, metric)]
        return [(trend, steps(trend.values)) for trend in found]

    def trace(self, cell: str) -> pd.DataFrame:
        """Load the trace of a cell.

        Args:
            cell: name of the cell.

        Returns:
            Columns stage, seconds, iteration, value, bound, residual; no rows if it cannot be read.
        """
        try:
            found = load_trace(self.folder, cell)
        except (ValueError, OSError):
            return pd.DataFrame(columns=["stage", "bound"])
        return found[found["seconds"].between(0, LARGEST) & ~(found["bound"].abs() > LARGEST)]

    def network(self, cell: str) -> tuple[Array, Array] | None:
        """Load the network of a cell.

        Args:
            cell: name of the cell.

        Returns:
            U (d, m) and V (m, c), if the cell has a network that can be read.
        """
        try:
            arrays = load_arrays(self.folder, cell)
        except (ValueError, OSError):
            return None
        return (arrays["network_U"], arrays["network_V"]) if "network_U" in arrays else None

    def data(self, cell: str) -> tuple[Array, Array] | None:
        """Load the training data of a cell.

        Args:
            cell: name of the cell.

        Returns:
            X_train (n, d) and Y_train (n, c), if they can be loaded again.
        """
        try:
            arrays = load_data(self.folder, cell)
        except (ValueError, OSError):
            return None
        return arrays["X_train"], arrays["Y_train"]

    def test_pool(self, cell: str) -> int | None:
        """Count the rows that the test rows of every seed come from.

        Args:
            cell: name of the cell.

        Returns:
            Their number, 0 where each seed makes new ones, None if not recorded.
        """
        try:
            found = load_extra(self.folder, cell)["data"]["test_pool"]
        except (ValueError, OSError, KeyError, TypeError):
            return None
        return found if type(found) is int and found >= 0 else None

    def info(self, cell: str) -> dict[str, Any]:
        """Load what the method said about a cell.

        Args:
            cell: name of the cell.

        Returns:
            What it said; empty if it cannot be read.
        """
        try:
            return dict(load_extra(self.folder, cell).get("info") or {})
        except (ValueError, OSError):
            return {}


def prepare(
    folder: Path,
    frame: pd.DataFrame,
    tightness: pd.DataFrame,
    environment: dict[str, Any],
    spec: str,
    missing: Sequence[str] = (),
    lacking: Sequence[str] = (),
    history: pd.DataFrame | None = None,
) -> Results:
    """Make results from raw frames: columns that are missing are added empty, text printable, labels are built.

    Args:
        folder: the folder of the run.
        frame: one row a cell.
        tightness: one row a (data, γ).
        environment: versions and machine, as recorded.
        spec: text of the run's specification.
        missing: what has not ended yet, in words.
        lacking: what the run did not ask for or get, in words.
        history: the nights up to this one, if there are any.

    Returns:
        The results, without impossible numbers and without what is proved of contradictory groups.
    """
    cells = frame.reindex(columns=[*TEXT, *NUMBERS, "bias"]).reset_index(drop=True)
    for column in TEXT:
        cells[column] = printable(cells[column])
    for column in NUMBERS:
        cells[column] = _numbers(cells[column])
    cells["bias"] = _numbers(cells["bias"]) == 1
    alarms, doubtful = contradictions(cells)
    cells, left_out = plausible(without(cells, doubtful, ("lower_bound", "gap")), NUMBERS)
    cells["gamma_chosen"] = cells["gamma"].where(cells["gamma_by"] == "cv")
    cells["gamma"] = cells["gamma"].mask(cells["gamma_by"] == "cv")
    cells["method"] = cells["method"].map(shortened(cells["method"]))
    cells["problem"] = _problems(cells)
    cells["arm"] = _arms(cells)
    keys = cells[cells["data"] != ""].drop_duplicates("data").set_index("data")
    groups = tightness.reindex(columns=[column.name for column in TIGHTNESS_COLUMNS]).reset_index(drop=True)
    for name, kind, _ in TIGHTNESS_COLUMNS:
        groups[name] = printable(groups[name]) if kind == "str" else _numbers(groups[name])
    groups, more = plausible(without(groups, doubtful, PROVED), GROUP_NUMBERS)
    groups["problem"] = groups["data"].map(keys["problem"]).fillna(groups["dataset"]).astype(str)
    words = (*lacking, *left_out, *more)
    return Results(folder, cells, groups, environment, spec, tuple(missing), words, tuple(alarms), history)


def _rank(method: str) -> int:
    return RANKS.get(method, len(RANKS))


def printable(column: pd.Series) -> pd.Series:
    """Make a column printable: control characters would break SVG and tables.

    Args:
        column: any values.

    Returns:
        Text without control characters; nothing becomes the empty string.
    """
    texts = column.map(lambda value: "" if pd.isna(value) else str(value))
    unique = {text: "".join(c if c.isprintable() else " " for c in text).strip() for text in texts.unique()}
    return texts.map(unique).astype(str)


def _numbers(column: pd.Series) -> pd.Series:
    """float64 with NaN for what is missing; True and False become 1 and 0."""
    return pd.to_numeric(column, errors="coerce").astype("Float64").astype(float)


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


def _problems(cells: pd.DataFrame) -> pd.Series:
    """The data set with its preprocessing and bias, and with n, d or c where these alone would not tell."""
    kinds = cells["dataset"] + "\n" + cells["preprocess"] + "\n" + cells["bias"].astype(str)
    sizes = _varying(cells.assign(kind=kinds), "kind", ["n", "d", "c"])
    short = shortened(cells["dataset"])

    def label(dataset: str, preprocess: str, bias: bool, *numbers: float) -> str:
        parts = [preprocess] if preprocess not in ("", "none") else []
        parts += ["bias"] if bias else []
        parts += [
            f"{name}={value:g}"
            for name, value in zip("ndc", numbers, strict=True)
            if f"{dataset}\n{preprocess}\n{bias}" in sizes[name] and not pd.isna(value)
        ]
        return " ".join([short[dataset], *([f"({', '.join(parts)})"] if parts else [])])

    return _labelled(cells, ["dataset", "preprocess", "bias", "n", "d", "c"], label)


def _arms(cells: pd.DataFrame) -> pd.Series:
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
