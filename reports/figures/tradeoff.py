"""Test accuracy against runtime, every setting of every method."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from ..results import Results
from ..style import canvas, legend, log_x, only, panels, plain
from ..summary import series
from .kind import FigureKind, NothingToShow

PANELS = 12  # drawn at most; the CSV has all


def data(results: Results) -> pd.DataFrame:
    """Median runtime and mean test accuracy of each arm for each problem and γ."""
    cells = results.done.dropna(subset=["test_accuracy", "gamma"])
    cells = cells[cells["runtime_s"] > 0]
    if cells.empty:
        raise NothingToShow("No finished cell has a test accuracy: it needs data with labels.")
    rows = (
        cells.assign(series=series(cells))
        .groupby(["problem", "gamma", "method", "series", "arm"])
        .agg(
            width=("width", "first"),
            seconds=("runtime_s", "median"),
            accuracy=("test_accuracy", "mean"),
            low=("test_accuracy", "min"),
            high=("test_accuracy", "max"),
            runs=("test_accuracy", "size"),
        )
    )
    keys = ["problem", "gamma", "method", "series", "width"]
    return rows.reset_index().sort_values(keys, ascending=[True, False, True, True, True])


def draw(frame: pd.DataFrame, looks: dict, width: float) -> Figure:
    """One panel for each problem and γ; settings that differ only in width are joined."""
    wanted = list(frame.groupby(["problem", "gamma"], sort=False))[:PANELS]
    rows, columns = panels(width, len(wanted), 4)
    figure, axes = canvas(width, rows * 1.45 + 0.5, rows, columns, sharex=True)
    methods = {name: look for name, look in looks.items() if (frame["method"] == name).any()}
    for axis, ((problem, gamma), part) in zip(axes.flat, wanted, strict=False):
        for (method, _), curve in part.groupby(["method", "series"], sort=False):
            bars = np.array([curve["accuracy"] - curve["low"], curve["high"] - curve["accuracy"]]).clip(0)
            line = {**looks[method], "linewidth": 0.7}
            axis.errorbar(curve["seconds"], curve["accuracy"], yerr=bars, elinewidth=0.6, **line)
        axis.set_title(plain(f"{problem}\nγ = {gamma:g}"))
        axis.locator_params(axis="y", nbins=4)
    log_x(axes[0, 0], frame["seconds"].min() / 1.5, frame["seconds"].max() * 1.5)
    only(axes, len(wanted))
    figure.supxlabel("seconds", fontsize=7.5)
    figure.supylabel("test accuracy", fontsize=7.5)
    legend(figure, methods)
    return figure


def caption(frame: pd.DataFrame) -> str:
    """What points and bars are."""
    count = frame.groupby(["problem", "gamma"]).ngroups
    more = f" The first {PANELS} problems are drawn; the CSV has all {count}." if count > PANELS else ""
    return (
        "Accuracy on held-out rows against runtime; up and to the left is better. Each point is one setting of a "
        "method: mean accuracy and median runtime over its runs, bars from the lowest to the highest accuracy. "
        f"Settings of one method are joined in the order of their width. The axis of seconds is logarithmic.{more}"
    )


FIGURE = FigureKind("tradeoff", "Test accuracy against runtime", data, draw, caption)
