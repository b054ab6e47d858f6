"""Two runs side by side: what differs, and means over the cells that both have, each run by itself."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from ..results import Results
from .table import Entry, Row, Table, gamma_text, number, records

MOST = 100  # differences in the table; the CSV has all
SIDES = ("other", "this")
MEANS = {
    "objective": "objective",
    "lower_bound": "lower bound",
    "test_accuracy": "test accuracy",
    "test_r2": "test R²",
    "runtime_s": "runtime (s)",
}
ORDER = ("regression", "failed", "missing", "advisory", "better")


def differing(results: Results) -> Table | None:
    """Every check that did not end `ok`, costs apart."""
    if results.beside is None:
        return None
    checks = results.beside.checks
    found = checks[(checks["verdict"] != "ok") & (checks["kind"] != "cost")]
    if found.empty:
        return None
    ranks = found["verdict"].map({name: k for k, name in enumerate(ORDER)})
    found = found.assign(rank=ranks).sort_values(["rank", "cell"], kind="stable").drop(columns="rank")
    rows = tuple(
        tuple(Entry(text) for text in (row["verdict"], row["cell"], row["column"], row["note"], *_values(row)))
        for row in records(found.head(MOST))
    )
    more = f" The first {MOST} of {len(found)} are shown; the CSV has all." if len(found) > MOST else ""
    caption = (
        "What relaxbench compare does not find equal, with the other run as BASE and this one as CAND: regression, "
        "worse here by more than the tolerance of the column, or a bound above a network; better likewise; failed, a "
        f"cell that fails here alone; missing, a cell that only one run has; advisory, not judged.{more}"
    )
    header = ("verdict", "cell", "column", "note", "other run", "this run", "worse by")
    return Table("differing", "Where the two runs differ", caption, header, rows, found, labels=4)


def side_by_side(results: Results) -> Table | None:
    """Means by data set, γ and method over the cells that both runs have."""
    if results.beside is None:
        return None
    checks = results.beside.checks
    found = checks[checks["column"].isin(MEANS) & checks["kind"].isin(["quality", "cost"]) & (checks["method"] != "")]
    values = {name: pd.to_numeric(found[name], errors="coerce") for name in SIDES}
    found = found.assign(**values).dropna(subset=list(SIDES))
    if found.empty:
        return None
    keys = ["dataset", "gamma", "method"]
    found = found.assign(gamma=found["gamma"].astype(float))
    groups = found.groupby([*keys, "column"], dropna=False, sort=False)
    means = groups[list(SIDES)].mean().assign(cells=groups.size()).reset_index()
    shown = [name for name in MEANS if (means["column"] == name).any()]
    rows = []
    for key, part in means.groupby(keys, dropna=False, sort=False):
        by = {row["column"]: row for row in records(part)}
        cells = max(row["cells"] for row in by.values())
        numbers = [number(by[name][side]) if name in by else "–" for name in shown for side in SIDES]
        rows.append(tuple(map(Entry, (key[0], gamma_text(float(key[1])), key[2], str(cells), *numbers))))
    header = ("data set", "γ", "method", "cells", *(f"{MEANS[name]}, {side}" for name in shown for side in SIDES))
    caption = (
        "Means over the cells that both runs have a value for, each run by itself: `this` is the run of this report, "
        f"`other` is {results.beside.name}. No other table or figure holds numbers of the other run."
    )
    return Table("side-by-side", "Two runs side by side, by method", caption, header, tuple(rows), means, labels=3)


def _values(row: Row) -> tuple[str, str, str]:
    return _text(row["other"]), _text(row["this"]), _text(row["change"])


def _text(value: Any) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "–"
    return number(float(value), 6) if isinstance(value, int | float) else str(value)
