"""Test accuracy, R² and optimism by data set and method, with intervals; a figure a protocol, never both in one."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from ...bench.results.columns import Status
from ..labels import HOLDOUT
from ..results import Results
from ..summary import CHOICE, INTERVAL, chosen, ordered, summarise
from .kind import FigureKind, NothingToShow
from .style import SOFT, canvas, legend, name_rows, only, panels


def _data(results: Results, column: str) -> pd.DataFrame:
    cells = chosen(results.under(HOLDOUT).cells)
    rows = summarise(cells[cells["status"] == Status.OK], ["problem", "gamma", "method", "arm"], column)
    if rows.empty:
        kind = "real-valued targets" if column == "test_r2" else "labels"
        raise NothingToShow(f"No finished cell of protocol holdout has {column}: it needs data with {kind}.")
    return ordered(rows, "method")


def data(results: Results) -> pd.DataFrame:
    """Mean test_accuracy (protocol holdout) for each problem, γ and method."""
    return _data(results, "test_accuracy")


def data_paper(results: Results) -> pd.DataFrame:
    """Mean test_accuracy_paper for each problem, γ and method."""
    return _data(results, "test_accuracy_paper")


def data_r2(results: Results) -> pd.DataFrame:
    """Mean test_r2 for each problem, γ and method."""
    return _data(results, "test_r2")


def data_optimism(results: Results) -> pd.DataFrame:
    """Mean optimism, test_accuracy_paper minus test_accuracy, for each problem, γ and method."""
    return _data(results, "optimism")


def draw(frame: pd.DataFrame, looks: dict, width: float, label: str = "test accuracy", lowest: float = 0.0) -> Figure:
    """One panel a γ, the last for γ by cross-validation; the methods of a data set lie above each other in its row."""
    frame = frame.assign(gamma=frame["gamma"].fillna(0.0))  # no γ is 0
    names, gammas = list(dict.fromkeys(frame["problem"])), sorted(frame["gamma"].unique(), reverse=True)
    methods = [name for name in looks if (frame["method"] == name).any()]
    rows, columns = panels(width, len(gammas), 2)
    tall = len(names) * max(0.2, 0.085 * len(methods)) + 0.65
    figure, axes = canvas(width, rows * tall + 0.3, rows, columns, sharex=True, sharey=True)
    for axis, gamma in zip(axes.flat, gammas, strict=False):
        for k, method in enumerate(methods):
            part = frame[(frame["gamma"] == gamma) & (frame["method"] == method)]
            y = np.array([names.index(name) for name in part["problem"]]) + 0.78 * ((k + 0.5) / len(methods) - 0.5)
            bars = np.array(
                [part["mean"] - part["low"].clip(lowest, 1), part["high"].clip(lowest, 1) - part["mean"]]
            ).clip(0)
            look = {**looks[method], "linestyle": "none"}
            axis.errorbar(part["mean"], y, xerr=bars, capsize=1.5, elinewidth=0.8, **look)
        name_rows(axis, names)
        axis.set_title(f"γ = {gamma:g}" if gamma else "γ by cross-validation")
    axes[0, 0].locator_params(axis="x", nbins=6)
    only(axes, len(gammas))
    figure.supxlabel(label, fontsize=7.5)
    highest = min(1.0, np.ceil(10 * frame["high"].max() + 0.2) / 10)
    smallest = max(lowest, np.floor(10 * frame["low"].min() - 0.2) / 10)
    room = 0.03 * (highest - smallest)
    axes[0, 0].set_xlim(smallest - room, highest + room)
    legend(figure, {method: looks[method] for method in methods})
    return figure


def draw_paper(frame: pd.DataFrame, looks: dict, width: float) -> Figure:
    """The same picture, labelled as optimistic."""
    return draw(frame, looks, width, "test accuracy, paper protocol (optimistic)")


def draw_r2(frame: pd.DataFrame, looks: dict, width: float) -> Figure:
    """The same picture for R², cut below −1."""
    return draw(frame, looks, width, "test R²", -1.0)


def draw_optimism(frame: pd.DataFrame, looks: dict, width: float) -> Figure:
    """The same picture for what the paper's protocol adds, which may be negative."""
    figure = draw(frame, looks, width, "paper protocol − holdout, in test accuracy", -1.0)
    for axis in figure.axes:
        axis.axvline(0, color=SOFT, linewidth=0.8, zorder=1)
    return figure


def caption(frame: pd.DataFrame) -> str:
    """What the points and bars are."""
    return (
        "Accuracy on held-out rows; nothing was tuned on them. Points are means, bars the "
        f"{INTERVAL}; bars are cut at 0 and 1. {CHOICE}"
    )


def caption_paper(frame: pd.DataFrame) -> str:
    """The same, with the warning that belongs to the protocol."""
    return (
        "Optimistic: the threshold and the iterate were picked on the test rows, as the paper's authors did. Do not "
        f"compare with the holdout accuracy. Points are means, bars the {INTERVAL}; bars are cut at 0 and 1. {CHOICE}"
    )


def caption_optimism(frame: pd.DataFrame) -> str:
    """What is subtracted, and how it can be negative."""
    return (
        "What picking threshold and iterate on the test rows adds to the accuracy of the same fits on the same rows: "
        "accuracy of the paper's protocol minus that of protocol holdout. It is negative where thresholded outputs, "
        "even at the best threshold, are right on fewer rows than the largest output. Points are means, bars the "
        f"{INTERVAL}. {CHOICE}"
    )


def caption_r2(frame: pd.DataFrame) -> str:
    """The same, for R²."""
    return (
        "R² on held-out rows, for real-valued targets; nothing was tuned on them. Points are means, bars the "
        f"{INTERVAL}; nothing below −1 is drawn. {CHOICE}"
    )


FIGURE = FigureKind("accuracy", "Test accuracy by data set and method", data, draw, caption)
PAPER = FigureKind(
    "accuracy-paper", "Test accuracy under the paper's protocol (optimistic)", data_paper, draw_paper, caption_paper
)
OPTIMISM = FigureKind("optimism", "Optimism of the paper's protocol", data_optimism, draw_optimism, caption_optimism)
R2 = FigureKind("r2", "Test R² by data set and method", data_r2, draw_r2, caption_r2)
