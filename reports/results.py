"""A results folder made ready to draw: every column there, names safe to print, labels that tell cells apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
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
from .beside import Beside
from .labels import FOLDS, HOLDOUT, arms, distinct, method_labels, problems, shortened, trained_on, usual_models
from .plausible import LARGEST, contradictions, plausible, without

TEXT = tuple(column.name for column in COLUMNS if column.kind == "str")
NUMBERS = tuple(column.name for column in COLUMNS if column.kind in ("int", "float"))
GROUP_NUMBERS = tuple(column.name for column in TIGHTNESS_COLUMNS if column.kind in ("int", "float"))
PROVED = ("lower_bound", "lower_method", "certified_ratio", "exact_value", "sdp_over_exact")
Array = NDArray[np.float64]

RANKS = {name: k for k, name in enumerate(METHODS)}  # the order in which they are shown


class ReportError(RelaxbenchError):
    """A folder, figure name, format or style that no report can be made from; the text names the fix."""


@dataclass(frozen=True)
class Results:
    """What a run left behind.

    cells: one row a cell, every column of the results (`TEXT` as str, `NUMBERS` as float, `bias` as bool), plus
    `problem`, the data set with what distinguishes it in this folder, `arm`, the method likewise, `called`, the
    method's label or else its name, `dataset_label`, and `protocol`. Where γ was chosen (`gamma_by`) `gamma` is
    missing, so that such cells go together, and `gamma_chosen` has it.
    tightness: one row a training problem, with `problem`. In both tables `data` ends with the activation and the loss
    where they are not the usual ones, so that (data, γ) names a training problem. missing: what has not ended yet,
    lacking: what the run did not ask for or get, or what was left out of it, in words. alarms: bounds that lie above a
    network, in words; what is proved of their groups is left out of both tables. history: the nights up to this one, if
    the folder holds any (bench/results/history.py). beside: another run, compared with this one.
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
    beside: Beside | None = None

    @property
    def done(self) -> pd.DataFrame:
        """The cells that ended with status `ok`."""
        return self.cells[self.cells["status"] == Status.OK]

    def under(self, protocol: str) -> Results:
        """Take one protocol alone.

        Args:
            protocol: HOLDOUT or FOLDS.

        Returns:
            The same results without the cells of other protocols.
        """
        return replace(self, cells=self.cells[self.cells["protocol"] == protocol])

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
    def labels(self) -> dict[str, str]:
        """The label by the method's name, of those methods that one label names."""
        return method_labels(self.cells)

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

    def locator(self, cell: str) -> dict[str, Any]:
        """Load how the data of a cell are loaded again.

        Args:
            cell: name of the cell.

        Returns:
            Source, seed, options and the like; empty if it cannot be read.
        """
        try:
            return dict(load_extra(self.folder, cell).get("data") or {})
        except (ValueError, OSError, TypeError):
            return {}

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
    labels: Mapping[str, tuple[str, str]] | None = None,
) -> Results:
    """Make results from raw frames: columns that are missing are added empty, text printable, labels are built.

    Args:
        folder: the folder of the run.
        frame: one row a cell.
        tightness: one row a training problem.
        environment: versions and machine, as recorded.
        spec: text of the run's specification.
        missing: what has not ended yet, in words.
        lacking: what the run did not ask for or get, in words.
        history: the nights up to this one, if there are any.
        labels: those of data set and method that the config gives, by cell.

    Returns:
        The results, without impossible numbers and without what is proved of contradictory groups.
    """
    cells = frame.reindex(columns=[*TEXT, *NUMBERS, "bias"]).reset_index(drop=True)
    for column in TEXT:
        cells[column] = printable(cells[column])
    for column in NUMBERS:
        cells[column] = _numbers(cells[column])
    cells = cells.assign(**usual_models(cells))
    cells["bias"] = _numbers(cells["bias"]) == 1
    cells["data"] = trained_on(cells)
    alarms, doubtful = contradictions(cells)
    cells, left_out = plausible(without(cells, doubtful, ("lower_bound", "gap", "gap_own")), NUMBERS)
    picked = cells["gamma_by"].isin(["cv", "validation"])
    cells["gamma_chosen"], cells["gamma"] = cells["gamma"].where(picked), cells["gamma"].mask(picked)
    cells["protocol"] = np.where(cells["gamma_by"] == "validation", FOLDS, HOLDOUT)
    cells["method"] = cells["method"].map(shortened(cells["method"]))
    given = [(labels or {}).get(cell, ("", "")) for cell in cells["cell"]]
    for k, kind in enumerate(("dataset", "method")):
        own_labels = pd.Series([pair[k] for pair in given], index=cells.index, dtype=object)
        cells[f"{kind}_label"] = distinct(printable(own_labels), cells[kind])
    own = cells.pop("method_label")
    cells["called"] = own.mask(own == "", cells["method"])
    cells["problem"] = problems(cells)
    cells["arm"] = arms(cells)
    keys = cells[cells["data"] != ""].drop_duplicates("data").set_index("data")
    groups = tightness.reindex(columns=[column.name for column in TIGHTNESS_COLUMNS]).reset_index(drop=True)
    for name, kind, _ in TIGHTNESS_COLUMNS:
        groups[name] = printable(groups[name]) if kind == "str" else _numbers(groups[name])
    groups = groups.assign(**usual_models(groups))
    groups["data"] = trained_on(groups)
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
