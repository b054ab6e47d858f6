"""Comparison of roundings: the objective of the network that each makes out of the same relaxation, and its time."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from ..results import Results
from ..style import canvas, choice_looks, legend, log_x, name_rows, panels
from ..summary import with_best
from .kind import FigureKind, NothingToShow


def data(results: Results) -> pd.DataFrame:
    """For each problem, γ, method and rounding: objective over the best known, and seconds to round.

    Of several widths the largest is taken, so that the roundings are compared at one size of network.
    """
    cells = with_best(results)
    cells = cells[cells["rounding"] != ""]
    cells = cells[
        cells["width"].fillna(-1) == cells.groupby(["problem", "gamma", "method"])["width"].transform("max").fillna(-1)
    ]
    if cells.groupby("method")["rounding"].nunique().max() < 2 or cells.empty:
        raise NothingToShow("No method ran with two roundings: it needs `rounding` with several values.")
    rows = cells.groupby(["problem", "gamma", "method", "rounding"]).agg(
        mean=("relative", "mean"),
        low=("relative", "min"),
        high=("relative", "max"),
        round_s=("round_s", "median"),
        runs=("relative", "size"),
    )
    return rows.reset_index().sort_values(
        ["problem", "gamma", "method", "rounding"], ascending=[True, False, True, True]
    )


def draw(frame: pd.DataFrame, looks: dict, width: float) -> Figure:
    """Left the objective, right the seconds; one row for each problem and γ."""
    methods = frame["method"].nunique()
    labels = [
        f"{row.problem}, γ = {row.gamma:g}" + (f", {row.method}" if methods > 1 else "") for row in frame.itertuples()
    ]
    frame = frame.assign(label=labels)
    names = list(dict.fromkeys(labels))
    choices = choice_looks(frame["rounding"])
    rows, columns = panels(width, 2, 2)
    tall = len(names) * max(0.2, 0.09 * len(choices)) + 0.4
    figure, axes = canvas(width, rows * tall + 0.4, rows, columns, sharey=True)
    left, right = axes.flat
    for k, (rounding, look) in enumerate(choices.items()):
        part = frame[frame["rounding"] == rounding]
        y = np.array([names.index(name) for name in part["label"]]) + 0.76 * ((k + 0.5) / len(choices) - 0.5)
        bars = np.array([part["mean"] - part["low"], part["high"] - part["mean"]]).clip(0)
        left.errorbar(part["mean"], y, xerr=bars, capsize=1.5, elinewidth=0.8, **{**look, "linestyle": "none"})
        right.plot(part["round_s"].clip(1e-4), y, **{**look, "linestyle": "none"})
    for axis in axes.flat:
        name_rows(axis, names)
    log_x(left, 0.97, max(1.05, 1.1 * frame["high"].max()))
    seconds = frame["round_s"].clip(1e-4).dropna()
    if len(seconds):
        log_x(right, seconds.min() / 1.5, seconds.max() * 1.5)
    left.set_xlabel("training objective / best known")
    right.set_xlabel("seconds to round")
    legend(figure, choices)
    return figure


def caption(frame: pd.DataFrame) -> str:
    """What points and bars are."""
    return (
        "Objective of the network that each rounding makes, divided by the best known for the same data and "
        "γ, and the seconds that the rounding takes. Points are means (medians for seconds) over seeds and data sets "
        "drawn, bars reach from the smallest to the largest; the widest networks are compared. Axes are logarithmic."
    )


FIGURE = FigureKind("rounding", "Comparison of roundings", data, draw, caption)
