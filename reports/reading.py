"""Reading a results folder, whole, partial or still running, and saying what is missing."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pandas as pd

from ..bench.results.alarms import unproved
from ..bench.results.folder import load_environment, load_results, load_spec, load_tightness, read_plan
from ..bench.results.history import load_history
from ..bench.results.tables import frame
from .results import ReportError, Results, prepare

LONGEST = 60  # letters of a label, as configs may have them


def read(folder: Path) -> Results:
    """Read the results in a folder.

    Args:
        folder: the folder of a run.

    Returns:
        The results, ready to draw.

    Raises:
        ReportError: it is not the folder of a run, or no cell has ended yet.
    """
    if not folder.is_dir():
        raise ReportError(f"DIR must be the folder of a run. Got {folder}, which is no folder, instead.")
    try:
        cells, tightness, rows = load_results(folder), load_tightness(folder), read_plan(folder)
    except ValueError as error:
        raise ReportError(str(error)) from None
    if cells.empty:
        raise ReportError(
            f"{folder} must hold at least one cell that has ended. Got none: wait for the run, or start it."
        )
    plan, missing = frame(rows), []
    open_cells = plan[~plan["cell"].isin(cells["cell"])]
    if len(open_cells):
        methods = ", ".join(f"{count} of {name}" for name, count in open_cells["method"].value_counts().items())
        missing.append(f"{len(open_cells)} of {len(plan)} cells have not ended ({methods})")
    lacking = []
    if tightness["lower_bound"].isna().all():
        lacking.append("no method proved a lower bound")
    if tightness["upper_bound"].isna().all():
        lacking.append("no method returned a network")
    if tightness["exact_value"].isna().all():
        lacking.append("no exact values (method cpp)")
    if claims := unproved(cells):
        lacking.append(claims)
    if any(folder.glob("conflicts/*/plan.json")):
        lacking.append("of some cells merged runs had another record too, kept in conflicts/ (relaxbench merge)")
    known = load_environment(folder), load_spec(folder)
    history, labels = _history(folder / "history.parquet"), {str(row["cell"]): _labels(row) for row in rows}
    return prepare(folder, cells, tightness, *known, missing, lacking, history, labels)


def _labels(row: dict[str, Any]) -> tuple[str, str]:
    """The labels of data set and method of a row of the plan, empty where it has none."""
    return str(row.get("dataset_label") or "")[:LONGEST], str(row.get("method_label") or "")[:LONGEST]


def _history(path: Path) -> pd.DataFrame | None:
    """The history that `relaxbench nightly` left; None with a warning if it cannot be read."""
    if not path.exists():
        return None
    try:
        return load_history(path)
    except ValueError as error:
        warnings.warn(f"{error} The report is made without it.", RuntimeWarning, stacklevel=2)
        return None
