"""Tables of proved bounds, best networks and ratios; proved numbers are rounded to the side that keeps them true."""

from __future__ import annotations

import json
import math
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN
from typing import cast

import pandas as pd

from .results import Results
from .tables import ABSENT, Entry, Row, Table, fixed, number, ordered

RATIOS = ("certified_ratio", "paper_ratio", "sdp_over_exact")
STAGES = {  # who proves how much: from the relaxation to the exact program
    "sdp": "relaxation",
    "cuts": "with circuit cuts",
    "branch": "hierarchy",
    "cpp": "exact program",
}


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


def stages(results: Results) -> pd.DataFrame:
    """One row for each (data, γ) with a relaxation: its ratio to the optimum at every stage of tightening.

    Columns: problem, data, gamma; paper, the ratio as the paper reports it; for each of STAGES the best lower bound
    that it proved over the best network known, which is at most its ratio to p*(∞); sdp_most, at least the ratio of
    the relaxation: its value over the best lower bound of any method. NaN for what did not run.
    """
    groups = results.tightness.set_index(["data", "gamma"])
    groups = groups[groups["relaxation_value"].notna() & (groups["upper_bound"] > 0)]
    cells = results.cells.dropna(subset=["lower_bound"])
    stage = cells["method"].where(cells["method"] != "sdp", cells["options"].map(_stage_of_sdp))
    best = cells.assign(stage=stage).groupby(["data", "gamma", "stage"])["lower_bound"].max().unstack("stage")
    found = best.reindex(index=groups.index, columns=list(STAGES)).div(groups["upper_bound"], axis=0)
    found["sdp_most"] = (groups["relaxation_value"] / groups["lower_bound"]).clip(upper=1.0)
    found = found.assign(paper=groups["paper_ratio"], problem=groups["problem"]).reset_index()
    return found[["problem", "data", "gamma", "paper", *STAGES, "sdp_most"]]


def _stage_of_sdp(options: str) -> str:
    try:
        found = json.loads(options or "{}")
    except (ValueError, RecursionError):
        return "sdp"
    return "cuts" if isinstance(found, dict) and found.get("cuts") else "sdp"


def tightening(results: Results) -> Table | None:
    """One row for each (problem, γ): the paper's ratio and the certified ratio of every stage; None without two."""
    found = stages(results)
    shown = [name for name in STAGES if found[name].notna().any()]
    if len(shown) < 2:
        return None
    lines = []
    for (problem, gamma), part in ordered(found).groupby(["problem", "gamma"], sort=False):
        line: Row = {"problem": problem, "gamma": gamma, "draws": len(part)}
        for name in ("paper", *shown, "sdp_most"):
            line |= {name: part[name].mean(), f"{name}_min": part[name].min()}
        lines.append(line)
    rows = tuple(
        (
            *(Entry(line["problem"]), Entry(number(line["gamma"])), Entry(str(line["draws"]))),
            *(_ratio(line, "paper"), *(_ratio(line, name, ROUND_FLOOR) for name in shown)),
            _ratio(line, "sdp_most", ROUND_CEILING),
        )
        for line in lines
    )
    header = ("data set", "γ", "draws", "paper's ratio", *(STAGES[name] for name in shown), "relaxation, at most")
    caption = (
        "How much of the optimum each stage proves: its lower bound / the best network of any method. Paper's ratio: "
        "relaxation value / best SGD objective, as its solver reports it. The relaxation's true ratio lies between "
        "its column and the last one, its value / the best lower bound of any method. Means over the data sets drawn, "
        "the smallest in brackets. Lower bounds of ratios are rounded down, upper ones up."
    )
    return Table("tightening", "From the relaxation to the optimum", caption, header, rows, pd.DataFrame(lines))


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
