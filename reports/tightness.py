"""The table of proved bounds, best networks and ratios; proved numbers are rounded to the side that keeps them true."""

from __future__ import annotations

import math
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN
from typing import cast

import pandas as pd

from .results import Results
from .tables import ABSENT, Entry, Row, Table, fixed, number, ordered

RATIOS = ("certified_ratio", "paper_ratio", "sdp_over_exact")


def tightness(results: Results) -> Table | None:
    """One row for each (problem, γ): bounds and who found them, certified ratio, the paper's ratio, exact value."""
    if results.tightness.empty:
        return None
    lines = [
        _line(str(problem), cast(float, gamma), part)
        for (problem, gamma), part in ordered(results.tightness).groupby(["problem", "gamma"], sort=False)
    ]
    rows = tuple(
        (
            *(Entry(line["problem"]), Entry(number(line["gamma"])), Entry(str(line["draws"]))),
            *(Entry(number(line["lower_bound"], 5, ROUND_FLOOR)), Entry(line["lower_method"] or "–")),
            *(Entry(number(line["upper_bound"], 5, ROUND_CEILING)), Entry(line["upper_method"] or "–")),
            *(_ratio(line, "certified_ratio", ROUND_FLOOR), _ratio(line, "paper_ratio")),
            *(Entry(number(line["exact_value"], 5)), _ratio(line, "sdp_over_exact")),
        )
        for line in lines
    )
    header = (
        *("data set", "γ", "draws", "lower bound", "proved by", "upper bound", "found by"),
        *("certified ratio", "paper's ratio", "exact value", "SDP / exact"),
    )
    caption = (
        "Proved lower bounds and best networks. Certified ratio: lower bound / upper bound. Paper's ratio: relaxation "
        "value / best SGD objective (a solver's word, not a proof). SDP / exact: relaxation value / exact value of the "
        "completely positive program, where one is known. Means over the data sets drawn, the smallest ratio in "
        "brackets. Lower bounds and certified ratios are rounded down, upper bounds up."
    )
    return Table("tightness", "Tightness of the relaxation", caption, header, rows, pd.DataFrame(lines))


def _line(problem: str, gamma: float, part: pd.DataFrame) -> Row:
    """The groups of one (problem, γ) in one row: means, and minima of the ratios."""
    line: Row = {"problem": problem, "gamma": gamma, "draws": len(part)}
    for column in ("lower_bound", "upper_bound", "exact_value", *RATIOS):
        line[column] = part[column].mean()
    for column in RATIOS:
        line[f"{column}_min"] = part[column].min()
    for column in ("lower_method", "upper_method"):
        line[column] = ", ".join(sorted({name for name in part[column] if name}))
    return line


def _ratio(line: Row, column: str, rounding: str = ROUND_HALF_EVEN) -> Entry:
    if math.isnan(line[column]):
        return ABSENT
    smallest = f" ({fixed(line[f'{column}_min'], 4, rounding)})" if line["draws"] > 1 else ""
    return Entry(fixed(line[column], 4, rounding) + smallest)
