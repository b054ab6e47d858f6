"""Test accuracy against runtime, every setting of every method."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from ..results import Results
from ..summary import ordered, series
from .kind import FigureKind, NothingToShow, left_out
from .style import PANELS, around, canvas, legend, log_x, only, panels, titles


def data(results: Results) -> pd.DataFrame:
    """Median runtime and mean test accuracy of each arm for each problem and γ."""
    cells = results.done.dropna(subset=["test_accuracy", "gamma"])  # a given γ: protocol holdout
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
    return ordered(rows.reset_index(), "method", "series", "width")


def draw(frame: pd.DataFrame, looks: dict, width: float) -> Figure:
    """One panel for each problem and γ, one range a row; settings that differ only in width are joined."""
    wanted = list(frame.groupby(["problem", "gamma"], sort=False))[:PANELS]
    rows, columns = panels(width, len(wanted), 4)
    figure, axes = canvas(width, rows * 1.45 + 0.5, rows, columns, sharex=True, sharey="row")
    shown = pd.concat([part for _, part in wanted])
    methods = {name: look for name, look in looks.items() if (shown["method"] == name).any()}
    for axis, (_, part) in zip(axes.flat, wanted, strict=False):
        for (method, _), curve in part.groupby(["method", "series"], sort=False):
            bars = np.array([curve["accuracy"] - curve["low"], curve["high"] - curve["accuracy"]]).clip(0)
            line = {**looks[method], "linewidth": 0.7}
            axis.errorbar(curve["seconds"], curve["accuracy"], yerr=bars, elinewidth=0.6, **line)
    titles(axes, [f"{problem}\nγ = {gamma:g}" for (problem, gamma), _ in wanted], width / columns)
    for axis in axes[:, 0]:
        axis.locator_params(axis="y", nbins=4)
        low, high = axis.get_ylim()
        room = 0.04 * (high - low)  # for markers
        axis.set_ylim(max(low - room, -0.02), min(high + room, 1.02))
    log_x(axes[0, 0], *around(shown["seconds"], 1.5), most=4)
    only(axes, len(wanted))
    figure.supxlabel("seconds", fontsize=7.5)
    figure.supylabel("test accuracy", fontsize=7.5)
    legend(figure, methods)
    return figure


def caption(frame: pd.DataFrame) -> str:
    """What points and bars are."""
    return (
        "Accuracy on held-out rows against runtime; up and to the left is better. Each point is one setting of a "
        "method: mean accuracy and median runtime over its runs, bars from the lowest to the highest accuracy. "
        "Settings of one method are joined in the order of their width. Panels of a row share the range of accuracies; "
        "the axis of seconds is logarithmic." + left_out(frame, PANELS, "the first")
    )


FIGURE = FigureKind("tradeoff", "Test accuracy against runtime", data, draw, caption)
