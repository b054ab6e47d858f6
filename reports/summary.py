"""Averages with intervals over seeds and over data sets drawn, and the choice of one arm per method."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd

from ..bench.results.columns import Status
from .labels import options
from .results import Results

OURS = ("auto", "ipm")  # solvers of the relaxation; their relaxation_value belongs to a strictly feasible point

INTERVAL = "95 % t interval of the mean over data sets drawn, or over seeds"
CHOICE = "Of several settings of a method one is shown, chosen by training alone."
NOTES = (  # what these two mean, said once for all captions
    "Intervals of means are Student's t at 95 %, over the data sets drawn where there are several (seeds are averaged "
    "first) and over seeds otherwise, which says nothing of other data. A single run has none. They are of the mean "
    "alone, make no allowance for rows that splits share, and with few runs may reach beyond what a score can be.",
    "Of several settings of a method (width, solver, rounding, options) the one with the fewest failures, then with "
    "our own solver, then with the lowest mean training objective, is shown; the choice never sees test data.",
)


def summarise(cells: pd.DataFrame, by: Sequence[str], value: str) -> pd.DataFrame:
    """Average a column, with a 95 % interval of the mean.

    Args:
        cells: one row a cell; rows without a value are left out.
        by: the columns to group by; there is one average for each combination.
        value: the column to average.

    Returns:
        Columns `by`, mean, half (half width of the interval, NaN for a single run), low, high, runs (cells averaged),
        draws (distinct data).
    """
    from scipy.stats import t

    by = list(by)
    known = cells.dropna(subset=[value])
    draws = known.groupby([*by, "data"], dropna=False)[value].agg(["mean", "std", "count"]).reset_index()
    found = draws.groupby(by, dropna=False)
    table = found["mean"].agg(mean="mean", spread="std", draws="count").reset_index()
    table["runs"] = found["count"].sum().to_numpy()
    within = found["std"].first().to_numpy()
    many = (table["draws"] > 1).to_numpy()
    spread = np.where(many, table.pop("spread"), within)
    size = np.where(many, table["draws"], table["runs"])
    with np.errstate(invalid="ignore"):
        table["half"] = np.where(size > 1, t.ppf(0.975, np.maximum(size - 1, 1)) * spread / np.sqrt(size), np.nan)
    table["low"] = table["mean"] - table["half"].fillna(0.0)
    table["high"] = table["mean"] + table["half"].fillna(0.0)
    return table[[*by, "mean", "half", "low", "high", "runs", "draws"]]


def ordered(frame: pd.DataFrame, *more: str) -> pd.DataFrame:
    """Sort by problem (numbers in its name by their size), then γ from large to small, then further columns.

    Args:
        frame: a table with the columns problem and gamma.
        more: the further columns.

    Returns:
        The sorted table.
    """

    def key(column: pd.Series) -> pd.Series:
        if column.name == "problem":
            names = sorted(column.unique(), key=_natural)
            return column.map({name: k for k, name in enumerate(names)})
        return -column if column.name == "gamma" else column

    return frame.sort_values(["problem", "gamma", *more], key=key, kind="stable")


def _natural(name: str) -> list[str | int]:
    """A key in which n=200 comes before n=1000."""
    return [int(part) if k % 2 else part for k, part in enumerate(re.split(r"([0-9]+)", name))]


def chosen(cells: pd.DataFrame) -> pd.DataFrame:
    """Choose one arm per (problem, γ, method): fewest failures, our solver, lowest objective (see `CHOICE`).

    Args:
        cells: one row a cell.

    Returns:
        The cells of the arms chosen.
    """
    keys = ["problem", "gamma", "method"]
    known = cells.assign(failed=cells["status"] != Status.OK, foreign=~cells["solver"].isin(OURS))
    arms = known.groupby([*keys, "arm"], dropna=False, sort=False)
    ranking = arms.agg(failed=("failed", "mean"), foreign=("foreign", "min"), objective=("objective", "mean"))
    ranking = ranking.reset_index().sort_values(["failed", "foreign", "objective"], kind="stable")
    best = ranking.drop_duplicates(keys)[[*keys, "arm"]]
    return cells.merge(best, on=[*keys, "arm"])


def best_known(results: Results) -> pd.Series:
    """Look up the smallest objective of any network known.

    Args:
        results: the results of a run.

    Returns:
        The objectives by (data, gamma), where positive; named `best`.
    """
    best = results.tightness.set_index(["data", "gamma"])["upper_bound"].rename("best")
    return best[best > 0]


def with_best(results: Results) -> pd.DataFrame:
    """Compare the finished cells that have an objective with the best known.

    Args:
        results: the results of a run.

    Returns:
        These cells with `relative`, the objective over the best known of its (data, γ), and `ratio`, the group's
        certified ratio, which is the proved lower bound in the same unit.
    """
    ratio = results.tightness.set_index(["data", "gamma"])["certified_ratio"].rename("ratio")
    cells = results.done.dropna(subset=["objective", "gamma"]).join(ratio, on=["data", "gamma"])
    cells = cells.join(best_known(results), on=["data", "gamma"]).dropna(subset=["best"])
    return cells.assign(relative=cells["objective"] / cells["best"])


def series(cells: pd.DataFrame, *, rounded: bool = True) -> pd.Series:
    """Label each cell's arm without the width: what is drawn as one line over several widths.

    Args:
        cells: one row a cell.
        rounded: with the rounding; without it what is left is one relaxation and its solver.

    Returns:
        A label for each cell.
    """

    def label(called: str, arm: str, rounding: str) -> str:
        inside = arm.removeprefix(called).strip(" ()").split(", ")
        parts = [part for part in inside if part and not part.startswith("m=") and (rounded or part != rounding)]
        return called + (f" ({', '.join(parts)})" if parts else "")

    arms = cells[["called", "arm", "rounding"]].drop_duplicates("arm")
    names = {arm: label(called, arm, rounding) for called, arm, rounding in arms.itertuples(index=False)}
    return cells["arm"].map(names)


def stage(cells: pd.DataFrame) -> pd.Series:
    """Name the stage of tightening of each cell.

    Args:
        cells: one row a cell.

    Returns:
        The method, but `cuts` where it is a relaxation with circuit cuts, which is a tighter one.
    """
    tightened = {text: bool(options(text).get("cuts")) for text in cells["options"].unique()}
    return cells["method"].mask((cells["method"] == "sdp") & cells["options"].map(tightened).astype(bool), "cuts")
