"""Tables of proved bounds, best networks and ratios; proved numbers are rounded to the side that keeps them true."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN

import pandas as pd

from ..results import Results
from ..summary import ordered, stage
from .table import ABSENT, Entry, Row, Table, fixed, number

RATIOS = ("certified_ratio", "paper_ratio", "sdp_over_exact")
STAGES = {  # who proves how much: from the relaxation to the exact program
    "sdp": "relaxation",
    "cuts": "with circuit cuts",
    "branch": "hierarchy",
    "cpp": "exact program",
}


def tightness(results: Results) -> Table | None:
    """Tabulate bounds and who found them, certified ratio, the paper's ratio, exact value.

    Args:
        results: the results of a run.

    Returns:
        One row for each (problem, γ); None without any.
    """
    groups = results.tightness
    if groups[["lower_bound", "upper_bound", "exact_value", *RATIOS]].isna().all(axis=None):
        return None
    lines = _lines(groups, ("lower_bound", "upper_bound", "exact_value"), RATIOS, ("lower_method", "upper_method"))
    rows = tuple(
        (
            *_heads(line),
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
    """Compute the ratio to the optimum of each (data, γ) with a relaxation at every stage of tightening.

    Args:
        results: the results of a run.

    Returns:
        One row for each (data, γ). Columns: problem, data, gamma; paper, the ratio as the paper reports it; for each of
        STAGES the best lower bound that it proved over the best network known, which is at most its ratio to p*(∞);
        sdp_most, at least the ratio of the relaxation: its value over the best lower bound of any method. NaN for what
        did not run.
    """
    groups = results.tightness.set_index(["data", "gamma"])
    groups = groups[groups["relaxation_value"].notna() & (groups["upper_bound"] > 0)]
    cells = results.cells.dropna(subset=["lower_bound"])
    best = cells.assign(stage=stage(cells)).groupby(["data", "gamma", "stage"])["lower_bound"].max().unstack("stage")
    found = best.reindex(index=groups.index, columns=list(STAGES)).div(groups["upper_bound"], axis=0)
    found["sdp_most"] = (groups["relaxation_value"] / groups["lower_bound"]).clip(upper=1.0)
    found = found.assign(paper=groups["paper_ratio"], problem=groups["problem"]).reset_index()
    return found[["problem", "data", "gamma", "paper", *STAGES, "sdp_most"]]


def tightening(results: Results) -> Table | None:
    """Tabulate the paper's ratio and the certified ratio of every stage.

    Args:
        results: the results of a run.

    Returns:
        One row for each (problem, γ); None without two.
    """
    found = stages(results)
    shown = [name for name in STAGES if found[name].notna().any()]
    if len(shown) < 2:
        return None
    lines = _lines(found, (), ("paper", *shown, "sdp_most"))
    rows = tuple(
        (
            *_heads(line),
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


def _lines(
    groups: pd.DataFrame, values: Sequence[str], ratios: Sequence[str], methods: Sequence[str] = ()
) -> list[Row]:
    """One row for each (problem, γ): means of values and ratios, minima of the ratios, and the methods' names."""
    lines = []
    for (problem, gamma), part in ordered(groups).groupby(["problem", "gamma"], sort=False):
        line: Row = {"problem": problem, "gamma": gamma, "draws": len(part)}
        line |= {column: part[column].mean() for column in (*values, *ratios)}
        line |= {f"{column}_min": part[column].min() for column in ratios}
        line |= {column: ", ".join(sorted({name for name in part[column] if name})) for column in methods}
        lines.append(line)
    return lines


def _heads(line: Row) -> tuple[Entry, ...]:
    return Entry(line["problem"]), Entry(number(line["gamma"])), Entry(str(line["draws"]))


def _ratio(line: Row, column: str, rounding: str = ROUND_HALF_EVEN) -> Entry:
    if math.isnan(line[column]):
        return ABSENT
    smallest = f" ({fixed(line[f'{column}_min'], 4, rounding)})" if line["draws"] > 1 else ""
    return Entry(fixed(line[column], 4, rounding) + smallest)
