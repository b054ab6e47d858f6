"""The checks of a comparison: soundness without tolerance, and deterministic quality column by column."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...solvers.fit import ENDED_EARLY, Status
from ..grid.tolerances import CHECKED, worsening
from ..results.columns import GROUP
from ..results.labels import Row
from ..results.tables import UPPER, brought_nothing
from .match import Matching, Pair

SOUNDNESS, QUALITY, COST, GRID = "soundness", "quality", "cost", "grid"
OK, REGRESSION, BETTER, FAILED, MISSING, ADVISORY = "ok", "regression", "better", "failed", "missing", "advisory"
BOUNDED, PROVED = ("bound", "objective"), ("recorded", "proved")  # what two values are called, beside base and cand


@dataclass(frozen=True)
class Check:
    """One thing looked at. kind: soundness, quality, cost or grid. cell: its label, or that of a problem.

    verdict: ok, regression, better, failed (a cell that did not fail before), missing (no counterpart), or advisory
    (shown, decides nothing). change: how much worse (+) or better (−), in the units of the column's tolerance; for a
    cost the ratio of candidate to base. names: what the values in base and cand are to be called, where they are not
    those of the two sides.
    """

    kind: str
    cell: str
    column: str
    base: float | str | None
    cand: float | str | None
    verdict: str
    change: float | None = None
    note: str = ""
    names: tuple[str, str] = ("base", "cand")


def soundness(sides: Mapping[str, Sequence[Row]], labels: Mapping[str, str]) -> Iterator[Check]:
    """No lower bound above the objective of any network, for each training problem that has both.

    Whichever side and method either is from, and whether the network is what the cell returned or the best it knew.

    Args:
        sides: rows of the results by side.
        labels: words for each cell, by hash.

    Returns:
        One check for each such problem.
    """
    groups: dict[tuple, list[tuple[str, Row]]] = defaultdict(list)
    for side, rows in sides.items():
        for row in rows:
            if row["gamma"] is not None:  # else no network is known to be one of the same problem
                groups[_problem(row)].append((side, row))
    for group in groups.values():
        bounds = [(row["lower_bound"], side, row) for side, row in group if row["lower_bound"] is not None]
        objectives = [(value, side, row) for side, row in group if (value := _upper(row)) is not None]
        if not bounds or not objectives:
            continue
        upper, upper_side, upper_row = min(objectives, key=lambda one: one[0])
        violating = [one for one in bounds if not one[0] <= upper]
        lower, lower_side, lower_row = max(violating or bounds, key=lambda one: one[0])
        note = f"bound of {labels[lower_row['cell']]} in {lower_side}, network of {labels[upper_row['cell']]} in "
        note += upper_side + (f"; {len(violating)} bounds lie above it" if len(violating) > 1 else "")
        name = f"{lower_row['dataset']} data={lower_row['data']} γ={lower_row['gamma']:g}"
        verdict = REGRESSION if violating else OK
        change = _finite((lower - upper) / abs(upper) if upper else None)
        shown = note if violating else ""
        yield Check(SOUNDNESS, name, "lower_bound ≤ objective", lower, upper, verdict, change, shown, BOUNDED)


def grid(matching: Matching, labels: Mapping[str, str]) -> Iterator[Check]:
    """One check for each cell that only one side has."""
    for row, why in matching.missing:
        note = "only in BASE" + (f", {why}" if why else "")
        yield Check(GRID, labels[row["cell"]], "status", str(row["status"]), None, MISSING, note=note)
    for row, why in matching.new:
        note = "only in CAND" + (f", {why}" if why else "")
        yield Check(GRID, labels[row["cell"]], "status", None, str(row["status"]), MISSING, note=note)


def quality(pairs: Iterable[Pair], labels: Mapping[str, str], tolerances: Mapping[str, float]) -> Iterator[Check]:
    """The status of each cell, and where both sides brought something every compared column.

    The gaps are computed again from the cells that brought something on both sides, so that neither another grid nor
    a crash elsewhere changes them.

    Args:
        pairs: cells that both sides have.
        labels: words for each cell, by hash.
        tolerances: of each compared column, by name.

    Returns:
        The checks.
    """
    brought = []
    for pair in pairs:
        yield _status(pair, labels[pair.cand["cell"]])
        if not (brought_nothing(pair.base) or brought_nothing(pair.cand)):
            brought.append(Pair(dict(pair.base), dict(pair.cand)))
    _gaps([pair.base for pair in brought])
    _gaps([pair.cand for pair in brought])
    for pair in brought:
        yield from _columns(pair, labels[pair.cand["cell"]], tolerances)


def _status(pair: Pair, label: str) -> Check:
    before, after = str(pair.base["status"]), str(pair.cand["status"])
    note = "; ".join(part for part in (pair.note, str(pair.cand["message"] or "") if before != after else "") if part)
    fails, failed = brought_nothing(pair.cand), brought_nothing(pair.base)
    if failed:
        verdict = ADVISORY if fails else BETTER
    elif fails:
        verdict = FAILED
    elif before == after:
        verdict = OK
    elif before in ENDED_EARLY and after in ENDED_EARLY:
        verdict = ADVISORY  # one reason to end early is as good as another; the other columns tell which brought more
    else:
        verdict = BETTER if after == Status.OK else REGRESSION
    return Check(QUALITY, label, "status", before, after, verdict, note=note)


def _columns(pair: Pair, label: str, tolerances: Mapping[str, float]) -> Iterator[Check]:
    limited = Status.TIMEOUT in (pair.base["status"], pair.cand["status"])
    another = pair.base["gamma"] != pair.cand["gamma"]
    for column in CHECKED:
        before, after = pair.base[column.name], pair.cand[column.name]
        if before is None:
            if after is not None:
                yield Check(QUALITY, label, column.name, None, after, BETTER, note="the base has none")
        elif after is None:
            yield Check(QUALITY, label, column.name, before, None, REGRESSION, note="lost")
        else:
            worse, tolerance = worsening(column, before, after), tolerances[column.name]
            verdict = OK if -tolerance <= worse <= tolerance else BETTER if worse < 0 else REGRESSION
            note = f"tolerance {tolerance:g}" if verdict == REGRESSION else ""
            if limited and verdict != OK:
                verdict, note = ADVISORY, "the time limit decided"
            elif another and verdict != OK and not column.name.startswith(("test_", "balanced_")):
                verdict, note = ADVISORY, "cross-validation chose another γ"
            yield Check(QUALITY, label, column.name, before, after, verdict, worse, note)


def _gaps(rows: Sequence[Any]) -> None:
    """Put into each row the gap to the best network known among these rows of its problem."""
    best: dict[tuple, float] = {}
    for row in rows:
        if (upper := _upper(row)) is not None:
            best[_problem(row)] = min(upper, best.get(_problem(row), upper))
    for row in rows:
        upper, lower = best.get(_problem(row)), row["lower_bound"]
        row["gap"] = _finite((upper - lower) / upper if upper and lower is not None else None)


def _problem(row: Row) -> tuple[Any, ...]:
    """The training problem of a row."""
    return tuple(row[name] for name in GROUP)


def _finite(value: float | None) -> float | None:
    """The value if it is a finite number; numbers near the largest overflow."""
    return value if value is not None and math.isfinite(value) else None


def _upper(row: Row) -> float | None:
    """The smallest objective of the networks that a row tells of."""
    return min((row[name] for name in UPPER if row[name] is not None), default=None)
