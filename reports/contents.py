"""Which tables a report has, and those of accuracy under each protocol, of R² for regression, and of runtime."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import cast

import pandas as pd

from .ranking import ranking
from .results import Results
from .solver_table import solver_table
from .summary import CHOICE, INTERVAL, chosen, summarise
from .tables import ABSENT, Entry, Row, Table, number, ordered, records
from .tightness import tightening, tightness
from .trends import steps_table


def tables(results: Results) -> list[Table]:
    """Every table for which the results hold at least one number."""
    holdout = "Accuracy on held-out rows; nothing was tuned on them."
    paper = "Optimistic: threshold and iterate were picked on the test rows, as the paper's authors did."
    squared = "R² on held-out rows, for real-valued targets; nothing was tuned on them."
    found = [
        _score(results, "accuracy", "Test accuracy (protocol holdout)", holdout, "test_accuracy"),
        _score(results, "accuracy-paper", "Test accuracy, paper protocol (optimistic)", paper, "test_accuracy_paper"),
        _score(results, "r2", "Test R² (protocol holdout)", squared, "test_r2"),
        _runtime(results),
        ranking(results),
        tightness(results),
        tightening(results),
        solver_table(results),
        steps_table(results),
    ]
    return [table for table in found if table is not None]


def _failures(cells: pd.DataFrame) -> pd.DataFrame:
    """Cells, failures and what they were (`2 timeout, 1 failed`) for each (problem, γ, method)."""
    keys = ["problem", "gamma", "method"]
    table = cells.groupby(keys, dropna=False)["status"].agg(cells="size", failed=lambda status: (status != "ok").sum())
    counts = cells[cells["status"] != "ok"].groupby([*keys, "status"], dropna=False).size().reset_index(name="count")
    texts = (counts["count"].astype(str) + " " + counts["status"]).groupby([counts[key] for key in keys], dropna=False)
    return table.join(texts.agg(", ".join).rename("failures")).reset_index()


def _wide(
    results: Results, table: pd.DataFrame, text: Callable[[Row], str], best: Callable[[pd.DataFrame], set[str]]
) -> tuple[tuple[tuple[Entry, ...], ...], tuple[str, ...]]:
    """Rows of a table, one for each (problem, γ) with one column a method, and their footnotes."""
    rows, notes = [], []
    for (problem, gamma), line in table.groupby(["problem", "gamma"], dropna=False, sort=False):
        by_method = {row["method"]: row for row in records(line)}
        winners = best(line)
        fields = []
        for method in results.methods:
            row = by_method.get(method)
            note = _note(row) if row else ""
            if note and note not in notes:
                notes.append(note)
            marks = (notes.index(note) + 1,) if note else ()
            fields.append(Entry(text(row), method in winners, marks) if row else ABSENT)
        rows.append((Entry(str(problem)), Entry(number(cast(float, gamma))), *fields))
    return tuple(rows), tuple(notes)


def _note(row: Row) -> str:
    """The footnote of a field some of whose runs did not finish."""
    if not row["failed"]:
        return ""
    rest = "" if row["failed"] == row["cells"] else "; the number is over the others"
    return f"Not finished: {row['failures']} of {row['cells']} runs{rest}."


def _score(results: Results, name: str, title: str, what: str, column: str) -> Table | None:
    cells = chosen(results.cells)
    if cells[column].isna().all():
        return None
    keys = ["problem", "gamma", "method"]
    found = summarise(cells[cells["status"] == "ok"], [*keys, "arm"], column)
    table = _failures(cells).merge(found, on=keys, how="left")
    scored = set(found["problem"])
    table = ordered(table[table["problem"].isin(scored)])

    def text(row: Row) -> str:
        if math.isnan(row["mean"]):
            return "–"
        return f"{row['mean']:.3f}" + ("" if math.isnan(row["half"]) else f" ± {row['half']:.3f}")

    def best(line: pd.DataFrame) -> set[str]:
        whole = line[(line["failed"] == 0) & line["mean"].notna()]
        return set(whole["method"][whole["mean"].round(3) == whole["mean"].max().round(3)]) if len(whole) else set()

    rows, notes = _wide(results, table, text, best)
    caption = (
        f"{what} Means; ± is the {INTERVAL}. {CHOICE} Bold: highest mean of the row among methods that finished every "
        "run, ties at three digits included."
    )
    return Table(
        name,
        title,
        caption,
        ("data set", "γ", *results.methods),
        rows,
        table.assign(measure=column),
        notes=notes,
    )


def _runtime(results: Results) -> Table | None:
    cells = chosen(results.cells)
    if cells["runtime_s"].isna().all():
        return None
    keys = ["problem", "gamma", "method"]
    done = cells[cells["status"] == "ok"].groupby([*keys, "arm"], dropna=False)
    found = done["runtime_s"].agg(median="median", fastest="min", slowest="max", runs="count").reset_index()
    parts = done[["solve_s", "round_s", "cpu_s", "peak_memory_mb"]].median().reset_index()
    table = ordered(_failures(cells).merge(found.merge(parts, on=[*keys, "arm"]), on=keys, how="left"))

    def text(row: Row) -> str:
        if math.isnan(row["median"]):
            return "–"
        span = f" ({number(row['fastest'], 3)}–{number(row['slowest'], 3)})" if row["runs"] > 1 else ""
        return number(row["median"], 3) + span

    def best(line: pd.DataFrame) -> set[str]:
        whole = line[(line["failed"] == 0) & line["median"].notna()]
        shown = whole["median"].map(lambda value: float(number(value, 3)))
        return set(whole["method"][shown == shown.min()]) if len(whole) else set()

    rows, notes = _wide(results, table, text, best)
    caption = (
        "Runtime in seconds, solving and rounding included, loading and compiling not: median over runs "
        f"(fastest–slowest). {CHOICE} Bold: shortest median of the row among methods that finished every "
        "run, ties included."
    )
    return Table(
        "runtime", "Runtime in seconds", caption, ("data set", "γ", *results.methods), rows, table, notes=notes
    )
