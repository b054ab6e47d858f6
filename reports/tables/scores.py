"""Tables of what is scored on test rows, one measure and one protocol a table, with one column a method."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import cast

import pandas as pd

from ...bench.results.columns import Status
from ..labels import FOLDS, HOLDOUT
from ..results import Results
from ..summary import CHOICE, INTERVAL, chosen, ordered, summarise
from .table import ABSENT, Entry, Row, Table, gamma_text, number, records

KEYS = ["problem", "gamma", "method"]


@dataclass(frozen=True)
class Score:
    """A table: its name and title, what its numbers are, the column, and which of them is the best, if any is."""

    name: str
    title: str
    what: str
    column: str
    best: str | None = "highest"


UNTUNED = "nothing was tuned on them"
SEEN = (
    "the choice of γ and of other hyper-parameters, made once on a validation split of the same rows, has seen test "
    "rows of the folds, for all methods alike (as in Arora et al. 2020)"
)
SEEN_SAID = f"{SEEN[0].upper()}{SEEN[1:]}."
SCORES = (
    Score("accuracy", "Test accuracy (protocol holdout)", f"Accuracy on held-out rows; {UNTUNED}.", "test_accuracy"),
    Score(
        "balanced-accuracy",
        "Balanced test accuracy (protocol holdout)",
        f"Mean over classes of the share of held-out rows of the class that are right; {UNTUNED}.",
        "balanced_accuracy",
    ),
    Score(
        "accuracy-paper",
        "Test accuracy, paper protocol (optimistic)",
        "Optimistic: threshold and iterate were picked on the test rows, as the paper's authors did.",
        "test_accuracy_paper",
    ),
    Score(
        "optimism",
        "Optimism of the paper's protocol",
        "What the paper's protocol adds to the accuracy of the same networks on the same rows: its accuracy minus that "
        "of protocol holdout. It is negative where thresholded outputs, even at the best threshold, are right on fewer "
        "rows than the largest output.",
        "optimism",
        None,
    ),
    Score(
        "r2",
        "Test R² (protocol holdout)",
        f"R² on held-out rows, for real-valued targets; {UNTUNED}.",
        "test_r2",
    ),
    Score(
        "rmse",
        "Test RMSE (protocol holdout)",
        f"Root mean squared error on held-out rows, for real-valued targets; {UNTUNED}.",
        "test_rmse",
        "lowest",
    ),
)
OF_FOLDS = tuple(
    replace(
        score,
        name=f"{score.name}-folds",
        title=score.title.replace(HOLDOUT, FOLDS),
        what=score.what.replace(UNTUNED, SEEN),
    )
    for score in SCORES
    if HOLDOUT in score.title
)


def scores(results: Results) -> list[Table]:
    """Tabulate each of SCORES for which a cell has a number, and the same for folds.

    Args:
        results: the results of a run.

    Returns:
        The tables.
    """
    found = []
    for protocol, measures in ((HOLDOUT, SCORES), (FOLDS, OF_FOLDS)):
        part = results.under(protocol)
        cells = chosen(part.cells)
        found += [_table(part, cells, score) for score in measures if cells[score.column].notna().any()]
    return found


def _table(results: Results, cells: pd.DataFrame, score: Score) -> Table:
    found = summarise(cells[cells["status"] == Status.OK], [*KEYS, "arm"], score.column)
    table = failures(cells).merge(found, on=KEYS, how="left")
    table = ordered(table[table["problem"].isin(set(found["problem"]))])
    sign = -1.0 if score.best == "lowest" else 1.0

    def text(row: Row) -> str:
        if math.isnan(row["mean"]):
            return "–"
        return f"{row['mean']:.3f}" + ("" if math.isnan(row["half"]) else f" ± {row['half']:.3f}")

    def best(line: pd.DataFrame) -> set[str]:
        whole = line[(line["failed"] == 0) & line["mean"].notna()]
        if score.best is None or whole.empty:
            return set()
        shown = (sign * whole["mean"]).round(3)
        return set(whole["method"][shown == shown.max()])

    rows, notes = wide(results, table, text, best)
    bold = (
        f" Bold: {score.best} mean of the row among methods that finished every run, ties at three digits included; "
        "which differences are shown, the table of methods compared split by split says."
        if score.best
        else ""
    )
    caption = f"{score.what} Means; ± is the {INTERVAL}. {CHOICE}{bold}"
    header = ("data set", "γ", "n", "splits", *results.methods)
    return Table(score.name, score.title, caption, header, rows, table.assign(measure=score.column), notes=notes)


def failures(cells: pd.DataFrame) -> pd.DataFrame:
    """Count what failed for each (problem, γ, method).

    Args:
        cells: one row a cell.

    Returns:
        n, splits, cells, by (what chose γ, if anything), failures and what they were (`2 timeout, 1 failed`).
    """
    grouped = cells.groupby(KEYS, dropna=False)
    table = grouped.agg(n=("n", "max"), splits=("data", "nunique"), cells=("status", "size"), by=("gamma_by", "first"))
    table["failed"] = grouped["status"].agg(lambda status: (status != Status.OK).sum())
    unfinished = cells[cells["status"] != Status.OK]
    counts = unfinished.groupby([*KEYS, "status"], dropna=False).size().reset_index(name="count")
    texts = (counts["count"].astype(str) + " " + counts["status"]).groupby([counts[key] for key in KEYS], dropna=False)
    return table.join(texts.agg(", ".join).rename("failures")).reset_index()


def wide(
    results: Results, table: pd.DataFrame, text: Callable[[Row], str], best: Callable[[pd.DataFrame], set[str]]
) -> tuple[tuple[tuple[Entry, ...], ...], tuple[str, ...]]:
    """Lay out a table with one row for each (problem, γ): n, splits and one column a method.

    Where methods have ended on different numbers of splits, the fewest and the most are given.

    Args:
        results: the results of a run.
        table: one row for each (problem, γ, method).
        text: what an entry shows of its row.
        best: the methods to mark among the rows of one (problem, γ).

    Returns:
        The rows, and their footnotes.
    """
    rows, notes = [], []
    for (problem, gamma), line in table.groupby(KEYS[:2], dropna=False, sort=False):
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
        splits = "–".join(f"{count:g}" for count in sorted({line["splits"].min(), line["splits"].max()}))
        sizes = (Entry(number(line["n"].max(), 12)), Entry(splits))
        shown = gamma_text(cast(float, gamma), line["by"].iloc[0])
        rows.append((Entry(str(problem)), Entry(shown), *sizes, *fields))
    return tuple(rows), tuple(notes)


def _note(row: Row) -> str:
    """The footnote of a field some of whose runs did not finish."""
    if not row["failed"]:
        return ""
    rest = "" if row["failed"] == row["cells"] else "; the number is over the others"
    return f"Not finished: {row['failures']} of {row['cells']} runs{rest}."
