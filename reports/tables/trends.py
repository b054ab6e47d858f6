"""The nights of a history made ready to draw and to list: every metric, and the lasting changes in it."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from ...bench.results.history import METRICS, Step, Trend, what_changed
from ..labels import shortened
from ..results import Results, printable
from .table import Entry, Row, Table, number, records

STEPS_DRAWN = 8  # of a metric, the largest; the table has more
NIGHT = "%Y-%m-%d %H:%M"
STEPS_LISTED = 100  # newest; the CSV has all
COLUMNS = ("metric", "method", "machine", "cell", "night", "change", "step")


def nights(results: Results) -> pd.DataFrame:
    """List every metric of every line in every night.

    change: against the line's first night, as a share of it, or as a difference for what is a share itself. A line
    with an empty `cell` is the median over the cells of a method on a machine; the others are the cells with the
    largest steps, and `step` is the change of level on the night where one begins, else missing.

    Args:
        results: the results of a run, with its history.

    Returns:
        One row for each metric, line and night: COLUMNS; no rows without a history of two nights.
    """
    if results.history is None or results.history["night"].nunique() < 2:
        return pd.DataFrame(columns=COLUMNS)
    frames = []
    for metric in METRICS:
        mine = [(trend, found) for trend, found in results.trends if trend.metric == metric]
        frames += list(_medians(trend for trend, _ in mine))
        stepping = sorted((one for one in mine if one[1]), key=lambda one: -_largest(*one))
        frames += [_line(trend, found) for trend, found in stepping[:STEPS_DRAWN]]
    table = pd.concat(frames, ignore_index=True)[list(COLUMNS)]
    table["night"] = [night.isoformat() for night in table["night"]]
    for name in ("method", "cell", "machine"):
        table[name] = printable(table[name])
    return table.assign(method=table["method"].map(shortened(table["method"]))).dropna(subset=["change"])


def steps_table(results: Results) -> Table | None:
    """Tabulate the lasting changes of level, newest first, with what else changed that night.

    Args:
        results: the results of a run, with its history.

    Returns:
        One row a change; None without any.
    """
    lines = [
        {
            "night": f"{step.night:{NIGHT}}",
            "metric": trend.metric,
            "cell": trend.label,
            "machine": trend.machine,
            "before": step.before,
            "after": step.after,
            "change": _change(step.before, step.after, trend.metric),
            "changed": "; ".join(what_changed(results.history, step.night, trend.machine)) or "nothing known",
        }
        for trend, found in results.trends
        for step in found
        if results.history is not None
    ]
    if not lines:
        return None
    data = pd.DataFrame(lines).sort_values("night", ascending=False, kind="stable")
    for name in ("cell", "machine", "changed"):
        data[name] = printable(data[name])
    more = f" The newest {STEPS_LISTED} of {len(data)}; the CSV has all." if len(data) > STEPS_LISTED else ""
    caption = (
        "Lasting changes of level, at least three nights long on either side, in the history of one cell on one "
        "machine: the first night of the new level, the medians of both, the change (a share of the level before, or a "
        f"difference for what is a share itself), and what else was not as on the night before.{more}"
    )
    header = ("night", "metric", "cell", "machine", "what else changed", "before", "after", "change")
    rows = tuple(_entries(row) for row in records(data.head(STEPS_LISTED)))
    return Table("steps", "Steps over the nights", caption, header, rows, data, labels=5)


def _medians(found: Iterable[Trend]) -> Iterable[pd.DataFrame]:
    """For each method and machine the median change over its cells, night by night."""
    lines = [_line(trend, []).assign(cell="", step=float("nan")) for trend in found]
    if lines:
        for _, part in pd.concat(lines).groupby(["method", "machine"]):
            median = part.groupby("night")["change"].median()
            first = part.iloc[0][["metric", "method", "machine", "cell", "step"]].to_dict()
            yield pd.DataFrame({"night": median.index, "change": median.to_numpy(), **first})


def _line(trend: Trend, found: list[Step]) -> pd.DataFrame:
    """One cell night by night."""
    known = trend.values.dropna()
    begins = {step.night: _change(step.before, step.after, trend.metric) for step in found}
    return pd.DataFrame(
        {
            "metric": trend.metric,
            "method": trend.method,
            "machine": trend.machine,
            "cell": trend.label,
            "night": known.index,
            "change": [_change(known.iloc[0], value, trend.metric) for value in known],
            "step": [begins.get(night, float("nan")) for night in known.index],
        }
    )


def _largest(trend: Trend, found: list[Step]) -> float:
    return max(abs(_change(step.before, step.after, trend.metric)) for step in found)


def _entries(row: Row) -> tuple[Entry, ...]:
    texts = [row[name] for name in ("night", "metric", "cell", "machine", "changed")]
    return tuple(Entry(text) for text in (*texts, *(number(row[name]) for name in ("before", "after", "change"))))


def _change(before: float, after: float, metric: str) -> float:
    """A difference, for a metric that is a share, or a relative one, which is NaN where there was nothing before."""
    if METRICS[metric] == "absolute":
        return after - before
    return (after - before) / abs(before) if before else float("nan")
