"""A comparison with all of its values, for a report that shows two runs side by side."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from ..results.labels import labels
from .checks import BOUNDED
from .comparison import Comparison, compare_sides
from .match import read_side

COLUMNS = ("kind", "verdict", "cell", "column", "other", "this", "change", "note", "dataset", "method", "gamma")


def beside(other: str | Path, this: str | Path) -> tuple[Comparison, pd.DataFrame]:
    """Compare a run with another one, which is the base.

    Args:
        other: the other run, as for `compare`.
        this: the run to be judged.

    Returns:
        The comparison, and COLUMNS, one row a check: the values in either run (numbers or text), and what the cell was
        asked for, where the check is of one cell.

    Raises:
        UsageError: as `compare`.
    """
    left, right = read_side(other), read_side(this)
    names = labels([*left.rows, *right.rows])
    rows = {names[row["cell"]]: row for row in (*left.rows, *right.rows)}
    comparison = compare_sides(left, right)
    table = []
    for check in comparison.checks:
        row = rows.get(check.cell, {})
        asked = (row.get("dataset") or "", row.get("method") or "", row.get("gamma"))
        before, after, note = check.base, check.cand, check.note
        if check.names == BOUNDED:  # the two values are not those of the two sides
            before, after, note = None, None, f"{BOUNDED[0]} {before}, {BOUNDED[1]} {after}; {note}"
        table.append((check.kind, check.verdict, check.cell, check.column, before, after, check.change, note, *asked))
    return comparison, pd.DataFrame(table, columns=list(COLUMNS))
