"""The table of all methods with all settings: what they finished, how fast, how near the optimum they came."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from ...bench.results.columns import GAPS, Status
from ..results import Results
from ..summary import with_best
from .table import Entry, Row, Table, fixed, number

SHIFT = 1.0  # seconds, of the shifted geometric mean


def ranking(results: Results) -> Table:
    """Rank the arms; runtimes are compared only on problems that every arm finished with every seed.

    Args:
        results: the results of a run.

    Returns:
        One row an arm.
    """
    cells = results.cells.assign(failed=results.cells["status"] != Status.OK)
    finished = cells.pivot_table(index=["data", "gamma"], columns="arm", values="failed", aggfunc="sum").eq(0)
    common = finished.index[finished.all(axis=1)]
    shared = cells[cells.set_index(["data", "gamma"]).index.isin(common)]
    best = with_best(results)
    lines = [
        _line(arm, cells[cells["arm"] == arm], shared[shared["arm"] == arm], best[best["arm"] == arm])
        for arm in results.arms
    ]
    times = [number(line["runtime_shifted_geometric_mean_s"], 3) for line in lines]
    objectives = [fixed(line["objective_over_best_geometric_mean"], 4) for line in lines]
    rows = tuple(
        (
            *(Entry(line["arm"]), Entry(str(line["cells"])), Entry(str(line["finished"]))),
            *(Entry(time, time == _smallest(times)), Entry(objective, objective == _smallest(objectives))),
            *(Entry(number(line["median_gap"], 3)), Entry(number(line["median_gap_own"], 3))),
        )
        for line, time, objective in zip(lines, times, objectives, strict=True)
    )
    header = ("method", "cells", "finished", "runtime (s)", "objective / best", "gap", "network gap")
    caption = (
        f"Every method with every setting. Runtime: shifted geometric mean (shift {SHIFT:g} s) over the {len(common)} "
        f"problems (one data set and γ) of {len(finished)} that every line finished with every seed. Objective / best: "
        "geometric mean over the cells that finished of the training objective over the best known for the same data "
        "and γ; kernels have none. Gap: median of (best objective − proved bound of the cell) / best objective. "
        "Network gap: median of (objective − best proved bound for the same data and γ) / objective, for every method "
        "with a network. Bold: smallest, ties as shown included."
    )
    return Table("methods", "All methods and settings", caption, header, rows, pd.DataFrame(lines), labels=1)


def _line(arm: str, part: pd.DataFrame, shared: pd.DataFrame, best: pd.DataFrame) -> Row:
    times = shared.groupby(["data", "gamma"])["runtime_s"].mean()
    return {
        "arm": arm,
        "cells": len(part),
        "finished": int((~part["failed"]).sum()),
        "runtime_shifted_geometric_mean_s": float(np.exp(np.log(times + SHIFT).mean()) - SHIFT)
        if len(times)
        else math.nan,
        "objective_over_best_geometric_mean": float(np.exp(np.log(best["relative"]).mean())) if len(best) else math.nan,
        **{f"median_{name}": float(part[name].median()) if part[name].notna().any() else math.nan for name in GAPS},
    }


def _smallest(texts: list[str]) -> str:
    """The text of the smallest number among those that are one; the empty string if none is."""
    return min((text for text in texts if text != "–"), key=float, default="")
