"""The table of critical widths: from which width on training comes near the optimum, beside what is proved about it."""

from __future__ import annotations

import math
from decimal import ROUND_CEILING, ROUND_FLOOR
from typing import cast

import numpy as np
import pandas as pd

from ..results import Results
from ..summary import ordered, with_best
from .table import ABSENT, Entry, Row, Table, fixed, number, records

NEAR = {"width_1": 1.01, "width_01": 1.001}  # column: loss over the best known that counts as near
HEADER = (
    *("data set", "γ", "draws", "width within 1 %", "width within 0.1 %", "atoms"),
    *("lower bound", "upper bound", "certified ratio", "test score at 1 %", "test score, widest"),
)
CAPTION = (
    "The smallest width at which training came within 1 % and 0.1 % of the best objective known. ≥ m: only the "
    "widest that was tried, m, came so near, so that the number is the end of the widths tried; > m: none did, up "
    "to m. Atoms: neurons of the network of method cpp, whose objective is proved to lie within the certified "
    "ratio of the optimum over all widths: a proved upper bound on the critical width at that accuracy. Test "
    "score: accuracy, or R² for real-valued targets, on held-out rows, of the network with the least training "
    "objective at that width. Over several data sets drawn: the largest widths and atoms, the smallest ratio, mean "
    "bounds and scores. Lower bounds and ratios are rounded down, upper bounds up."
)


def critical_width(results: Results) -> Table | None:
    """Tabulate critical widths, atoms, interval and test score of each (problem, γ) with at least two widths.

    Over several data sets drawn: the largest widths and atoms, the smallest certified ratio, means of the scores.

    Args:
        results: the results of a run.

    Returns:
        One row for each (problem, γ); None without any.
    """
    cells = with_best(results)
    trained = cells.dropna(subset=["width"])
    trained = trained[trained.groupby(["data", "gamma"])["width"].transform("nunique") > 1]
    if trained.empty:
        return None
    exact = cells[cells["method"] == "cpp"]
    lines = pd.DataFrame(
        [
            {
                "problem": part["problem"].iloc[0],
                "gamma": gamma,
                **_widths(part),
                "atoms": _atoms(results, exact[(exact["data"] == data) & (exact["gamma"] == gamma)]),
                "certified_ratio": part["ratio"].iloc[0],
                "best": part["best"].iloc[0],
            }
            for (data, gamma), part in trained.groupby(["data", "gamma"], sort=False)
        ]
    )
    frame = pd.DataFrame(
        [
            _joined(str(problem), cast(float, gamma), part)
            for (problem, gamma), part in ordered(lines).groupby(["problem", "gamma"], sort=False)
        ]
    )
    rows = tuple(_shown(line) for line in records(frame))
    return Table("critical_width", "Critical width", CAPTION, HEADER, rows, frame)


def _widths(part: pd.DataFrame) -> Row:
    """Critical widths (inf: none) and test scores of one (data, γ); a network counts for all larger widths too.

    width_1_at_end and the like: whether only the widest network tried, or none, came so near.
    """
    best = part.sort_values("relative", kind="stable").drop_duplicates("width").set_index("width").sort_index()
    loss = best["relative"].cummin()
    score = best["test_accuracy"].fillna(best["test_r2"])
    line: Row = {name: min(loss.index[loss <= limit], default=math.inf) for name, limit in NEAR.items()}
    enough = line["width_1"]
    ends = {f"{name}_at_end": line[name] >= loss.index.max() for name in NEAR}
    return {
        **line,
        **ends,
        "widest": loss.index.max(),
        "score_1": score[enough] if enough < math.inf else math.nan,
        "score_widest": score.iloc[-1],
    }


def _atoms(results: Results, exact: pd.DataFrame) -> float:
    """Neurons of the exact program's network that are not zero; NaN without one."""
    counts = []
    for cell in exact["cell"]:
        network = results.network(cell)
        if network is not None:
            counts.append(int(np.sum(np.any(network[0] != 0, axis=0) & np.any(network[1] != 0, axis=1))))
    return min(counts, default=math.nan)


def _joined(problem: str, gamma: float, part: pd.DataFrame) -> Row:
    largest = {name: part[name].max() for name in (*NEAR, "widest", "atoms")}
    ends = {name: bool(part[name].any()) for name in (f"{near}_at_end" for near in NEAR)}
    bounds = {"lower_bound": (part["best"] * part["certified_ratio"]).mean(), "upper_bound": part["best"].mean()}
    scores = {name: part[name].mean() for name in ("score_1", "score_widest")}
    ratio = {"certified_ratio": part["certified_ratio"].min()}
    return {"problem": problem, "gamma": gamma, "draws": len(part), **largest, **ends, **bounds, **ratio, **scores}


def _shown(line: Row) -> tuple[Entry, ...]:
    def width(name: str) -> Entry:
        if line[name] == math.inf:
            return Entry(f"> {line['widest']:.0f}")
        return Entry(f"{'≥ ' if line[f'{name}_at_end'] else ''}{line[name]:.0f}")

    return (
        *(Entry(line["problem"]), Entry(number(line["gamma"])), Entry(str(line["draws"]))),
        *(width(name) for name in NEAR),
        ABSENT if math.isnan(line["atoms"]) else Entry(f"{line['atoms']:.0f}"),
        *(Entry(number(line["lower_bound"], 5, ROUND_FLOOR)), Entry(number(line["upper_bound"], 5, ROUND_CEILING))),
        Entry(fixed(line["certified_ratio"], 4, ROUND_FLOOR)),
        *(Entry(fixed(line[name], 3)) for name in ("score_1", "score_widest")),
    )
