"""Training objective against width, with the proved lower bound as a line and the certified band above it."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..results import Results
from ..summary import ordered, series, with_best
from .kind import FigureKind, NothingToShow, left_out
from .style import INK, PANELS, PAPER, SOFT, around, canvas, legend, log_x, log_y, only, panels, titles

HIGHEST = 4.0  # networks this many times worse than the best known leave the panel, lest nothing else be seen
ASIDE = 1.09  # between marks of several methods at one width
CLOSE = 1.01  # a width is enough when its loss is within one per cent of the best known


def data(results: Results) -> pd.DataFrame:
    """For each problem, γ, method, setting and width: mean, smallest and largest objective over the best known.

    The best known objective is that of the same data and γ; `bound` is the mean proved lower bound over it.
    """
    cells = with_best(results).dropna(subset=["width"])
    if cells["width"].nunique() < 2:
        raise NothingToShow("No method finished with two widths: it needs `width` with several values.")
    keys = ["problem", "gamma", "method", "series", "width"]
    rows = (
        cells.assign(series=series(cells))
        .groupby(keys)
        .agg(
            mean=("relative", "mean"),
            low=("relative", "min"),
            high=("relative", "max"),
            runs=("relative", "size"),
            bound=("ratio", "mean"),
            mean_objective=("objective", "mean"),
        )
    )
    return ordered(rows.reset_index(), "method", "series", "width")


def draw(frame: pd.DataFrame, looks: dict, width: float) -> Figure:
    """One panel for each problem and γ, logarithmic both ways, all on one scale."""
    groups = dict(list(frame.groupby(["problem", "gamma"], sort=False)))
    best = sorted(groups, key=lambda key: -groups[key]["width"].nunique())[:PANELS]
    wanted = [key for key in groups if key in set(best)]
    rows, columns = panels(width, len(wanted), 4)
    figure, axes = canvas(width, rows * 1.45 + 0.45, rows, columns, sharey=True, sharex=True)
    shown = pd.concat([groups[key] for key in wanted])
    lines = {name: look for name, look in looks.items() if (shown["series"] == name).any()}
    top = min(max(1.08, 1.25 * shown["high"].max()), HIGHEST)
    for axis, key in zip(axes.flat, wanted, strict=False):
        part = groups[key]
        for name, curve in part.groupby("series", sort=False):
            bars = np.array([curve["mean"] - curve["low"], curve["high"] - curve["mean"]]).clip(0)
            axis.errorbar(curve["width"], curve["mean"], yerr=bars, capsize=1.5, elinewidth=0.8, **lines[name])
        _mark_above(axis, part, lines, top)
        bound = part["bound"].iloc[0]
        if bound > 0:
            axis.axhspan(bound, 1, color=SOFT, alpha=0.15, linewidth=0)
            axis.axhline(bound, color=INK, linewidth=1.2)
        _mark_enough(axis, part)
    titles(axes, [f"{problem}\nγ = {gamma:g}" for problem, gamma in wanted], width / columns)
    lowest = shown["bound"].where(shown["bound"] > 0).min()
    log_x(axes[0, 0], *around(shown["width"], 1.3), most=4)
    log_y(
        axes[0, 0],
        min(0.95, 0.95 * lowest) if lowest > 0 else 0.95,
        top,
    )
    only(axes, len(wanted))
    figure.supxlabel("width m", fontsize=7.5)
    figure.supylabel("training objective / best known", fontsize=7.5)
    if lowest > 0:
        lines["proved lower bound"] = {"color": INK, "linestyle": "-", "marker": ""}
    if (shown["mean"] > top).any():
        lines["above the frame"] = {"color": SOFT, "linestyle": "none", "marker": "^"}
    legend(figure, lines, lines=True)
    return figure


def _mark_above(axis: Axes, part: pd.DataFrame, lines: dict, top: float) -> None:
    """A triangle at the upper edge, beside others there, for each mean above the frame, in its method's colour."""
    above = part[part["mean"] > top]
    names = [name for name in lines if (above["series"] == name).any()]
    for k, name in enumerate(names):
        at = above.loc[above["series"] == name, "width"] * ASIDE ** (k - (len(names) - 1) / 2)
        edge = {"color": lines[name]["color"], "fillstyle": lines[name].get("fillstyle", "full")}
        axis.plot(
            *(at, [1] * len(at)),
            linestyle="none",
            marker="^",
            clip_on=False,
            transform=axis.get_xaxis_transform(),
            **edge,
        )


def _mark_enough(axis: Axes, part: pd.DataFrame) -> None:
    """A dotted line at the smallest width that is enough; in words where that is the widest tried, or none is."""
    enough, widest = part.loc[part["mean"] <= CLOSE, "width"].min(), part["width"].max()
    if enough <= widest:
        axis.axvline(enough, color=SOFT, linewidth=0.9, linestyle=":")
    if not enough < widest:
        word, behind = (
            "≥" if enough == widest else ">",
            {"facecolor": PAPER, "edgecolor": "none", "alpha": 0.8, "pad": 0.8},
        )
        place = axis.get_xaxis_transform()
        text = axis.text(widest * 0.93, 0.05, f"{word} {widest:g}", transform=place, ha="right", va="bottom", color=INK)
        text.set(fontsize=6.5, bbox=behind)


def caption(frame: pd.DataFrame) -> str:
    """What points, line and band are, and how many panels were left out."""
    return (
        "Training objective of the networks found, divided by the best objective known for the same data and γ. "
        "Points are means over seeds and data sets drawn, bars reach from the smallest to the largest. The line "
        "without points is the proved lower bound (its mean over the data sets drawn), the grey band reaches from "
        "it to the best known network: the optimum lies in it. The dotted line marks the smallest width whose "
        "mean is within 1 % of the best; ≥ m says that this is the widest that was tried, so that the line marks the "
        "end of the widths and not a critical one; > m, without a line, that none came so near. Both axes are "
        f"logarithmic; triangles at the upper edge stand for means of more than {HIGHEST:g} times the best known."
        + left_out(frame, PANELS, "those with most widths")
    )


FIGURE = FigureKind("width", "Training objective against width, with the proved bound", data, draw, caption)
