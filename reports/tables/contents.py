"""Which tables a report has, and that of runtime."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import pandas as pd

from ...bench.results.columns import Status
from ..labels import FOLDS, relabelled, reworded
from ..results import Results
from ..summary import CHOICE, chosen, ordered
from .across import across
from .behind import behind
from .beside import differing, side_by_side
from .critical_width import critical_width
from .leaderboard import leaderboard
from .paired import paired
from .properties import properties
from .ranking import ranking
from .scores import failures, scores, wide
from .solvers import solver_table
from .table import Entry, Row, Table, number
from .tightness import tightening, tightness
from .trends import steps_table


def tables(results: Results) -> list[Table]:
    """Make every table for which the results hold at least one number.

    Args:
        results: the results of a run.

    Returns:
        The tables.
    """
    found = [
        *scores(results),
        paired(results),
        paired(results, FOLDS),
        *across(results),
        *properties(results),
        behind(results),
        _runtime(results),
        ranking(results),
        leaderboard(results),
        tightness(results),
        critical_width(results),
        tightening(results),
        solver_table(results),
        steps_table(results),
        differing(results),
        side_by_side(results),
    ]
    return [_called(table, results.labels) for table in found if table is not None]


METHODS = ("method", "against", "proved by", "found by")  # headings of columns that name methods


def _called(table: Table, labels: Mapping[str, str]) -> Table:
    """The table with methods called by their labels."""
    if not labels:
        return table

    def entry(head: str, one: Entry) -> Entry:
        known = labels.get(one.text, one.text) if head in METHODS else one.text
        return replace(one, text=reworded(one.text, labels) if head == "property" else known)

    return replace(
        table,
        title=reworded(table.title, labels),
        caption=reworded(table.caption, labels),
        header=tuple(reworded(head, labels) for head in table.header),
        rows=tuple(tuple(map(entry, table.header, row)) for row in table.rows),
        data=relabelled(table.data, labels),
        notes=tuple(reworded(note, labels) for note in table.notes),
    )


def _runtime(results: Results) -> Table | None:
    cells = chosen(results.cells)
    if cells["runtime_s"].isna().all():
        return None
    keys = ["problem", "gamma", "method"]
    done = cells[cells["status"] == Status.OK].groupby([*keys, "arm"], dropna=False)
    found = done["runtime_s"].agg(median="median", fastest="min", slowest="max", runs="count").reset_index()
    parts = done[["solve_s", "round_s", "cpu_s", "peak_memory_mb"]].median().reset_index()
    table = ordered(failures(cells).merge(found.merge(parts, on=[*keys, "arm"]), on=keys, how="left"))

    def text(row: Row) -> str:
        if math.isnan(row["median"]):
            return "–"
        span = f" ({number(row['fastest'], 3)}–{number(row['slowest'], 3)})" if row["runs"] > 1 else ""
        return number(row["median"], 3) + span

    def best(line: pd.DataFrame) -> set[str]:
        whole = line[(line["failed"] == 0) & line["median"].notna()]
        shown = whole["median"].map(lambda value: float(number(value, 3)))
        return set(whole["method"][shown == shown.min()]) if len(whole) else set()

    rows, notes = wide(results, table, text, best)
    caption = (
        "Runtime in seconds, solving and rounding included, loading and compiling not: median over runs "
        f"(fastest–slowest). {CHOICE} Bold: shortest median of the row among methods that finished every "
        "run, ties included."
    )
    return Table(
        "runtime",
        "Runtime in seconds",
        caption,
        ("data set", "γ", "n", "splits", *results.methods),
        rows,
        table,
        notes=notes,
    )
