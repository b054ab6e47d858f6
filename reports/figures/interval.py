"""The certified interval of each problem: proved lower bounds on one side, networks found on the other."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from ..results import Results
from ..summary import best_known, ordered
from .kind import FigureKind, NothingToShow, left_out
from .style import GRID, INK, PAPER, SOFT, around, canvas, legend, log_x, name_rows

ROWS = 60  # drawn at most, the widest intervals first; the CSV has all


def data(results: Results) -> pd.DataFrame:
    """For each problem, γ, method and side: the method's best value over the best known objective, mean over draws.

    side: `lower` for proved bounds, `upper` for networks, those met on the way too. Timeouts count.
    """
    bounded = results.tightness.dropna(subset=["certified_ratio"]).set_index(["data", "gamma"]).index
    best = best_known(results)
    cells = results.cells.join(best[best.index.isin(bounded)], on=["data", "gamma"]).dropna(subset=["best"])
    cells = cells.assign(lower=cells["lower_bound"], upper=cells[["objective", "upper_bound"]].min(axis=1))
    if cells.empty:
        raise NothingToShow("No data set has both a proved lower bound and a network: it needs a method that proves.")
    keys = ["problem", "gamma", "data", "method"]
    sides = []
    for side, extreme in (("lower", "max"), ("upper", "min")):
        values = cells.assign(value=cells[side] / cells["best"]).dropna(subset=["value"])
        one = values.groupby(keys)["value"].agg(extreme).reset_index().groupby(["problem", "gamma", "method"])["value"]
        sides.append(one.agg(mean="mean", low="min", high="max", draws="size").reset_index().assign(side=side))
    rows = pd.concat(sides)[["problem", "gamma", "side", "method", "mean", "low", "high", "draws"]]
    return ordered(rows, "side", "method")


def draw(frame: pd.DataFrame, looks: dict, width: float) -> Figure:
    """One row for each problem and γ; a bar from the best bound to the best network."""
    keys = list(dict.fromkeys(zip(frame["problem"], frame["gamma"], strict=True)))
    lower = frame[frame["side"] == "lower"].groupby(["problem", "gamma"])["mean"].max()
    widest = set(sorted(keys, key=lambda key: lower[key])[:ROWS])
    keys = [key for key in keys if key in widest]
    names = [f"{problem}, γ = {gamma:g}" for problem, gamma in keys]
    figure, axes = canvas(width, 0.21 * len(names) + 0.95)
    axis = axes[0, 0]
    name_rows(axis, names)
    axis.hlines(range(len(keys)), [max(lower[key], 1e-9) for key in keys], 1, color=GRID, linewidth=5)
    shown = {name: look for name, look in looks.items() if (frame["method"] == name).any()}
    marks = {
        "upper": {"fillstyle": "full", "markerfacecolor": PAPER},  # hollow, also over the bar
        "lower": {"fillstyle": "full"},
    }
    for side in marks:
        for k, (method, look) in enumerate(shown.items()):
            part = frame[(frame["side"] == side) & (frame["method"] == method) & (frame["mean"] > 0)]
            row = pd.Series(
                [
                    keys.index(key) if key in widest else np.nan
                    for key in zip(part["problem"], part["gamma"], strict=True)
                ]
            )
            y = row.to_numpy() + 0.5 * ((k + 0.5) / len(shown) - 0.5)
            axis.plot(part["mean"], y, **{**look, **marks[side], "linestyle": "none"})
    axis.axvline(1, color=INK, linewidth=0.8, zorder=1.5)  # behind the marks
    low, high = around(frame["mean"][frame["mean"] > 0], 1.07)
    log_x(axis, min(0.9, low), max(1.1, high))
    figure.supxlabel("value / best known objective", fontsize=7.5)
    sides = {"proved bound": "lower", "network": "upper"}
    looks = {name: {"color": SOFT, "marker": "o", **marks[side]} for name, side in sides.items()}
    legend(figure, {**{name: {**look, **marks["lower"]} for name, look in shown.items()}, **looks})
    return figure


def caption(frame: pd.DataFrame) -> str:
    """What the marks are."""
    return (
        "Where the optimum can lie. Filled marks are each method's best proved lower bound, hollow ones the objective "
        "of its best network, both divided by the best objective known for the same data and γ (the line at 1). The "
        "optimum lies within the grey bar. Means over the data sets drawn; the axis is logarithmic."
        + left_out(frame, ROWS, "those with the widest intervals")
    )


FIGURE = FigureKind("interval", "Certified interval by problem", data, draw, caption)
