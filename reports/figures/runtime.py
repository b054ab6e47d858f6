"""Runtime against the number of training rows, with the slope of a straight line fitted in logarithms.

Where a method ran with several solvers, each has a line of its own.
"""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from ...bench.results.columns import Status
from ..results import Results
from ..summary import CHOICE, chosen, series
from .kind import FigureKind, NothingToShow
from .style import around, canvas, legend, log_x, log_y


def data(results: Results) -> pd.DataFrame:
    """Median, fastest and slowest runtime of each arm for each problem and γ, with n and the slope of the fit."""
    several = results.cells.groupby("method")["solver"].transform("nunique") > 1
    solvers = results.cells[several].assign(arm=series(results.cells[several], rounded=False))
    others = chosen(results.cells[~several])
    cells = pd.concat([solvers, others.assign(arm=others["method"])])
    cells = cells[(cells["status"] == Status.OK) & (cells["runtime_s"] > 0) & cells["n"].notna()]
    if cells["n"].nunique() < 2:
        raise NothingToShow("All finished cells have the same number of rows n: it needs data sets of different size.")
    grouped = cells.groupby(["method", "arm", "problem", "gamma", "n"], dropna=False)["runtime_s"]
    rows = grouped.agg(median="median", low="min", high="max", runs="size").reset_index()
    slopes = {arm: _slope(part) for arm, part in rows.groupby("arm")}
    return rows.assign(slope=rows["arm"].map(slopes)).sort_values(["method", "arm", "n", "problem", "gamma"])


def _slope(part: pd.DataFrame) -> float:
    """Exponent of n by least squares in logarithms; NaN for fewer than three different n."""
    if part["n"].nunique() < 3:
        return float("nan")
    return float(np.polyfit(np.log(part["n"]), np.log(part["median"]), 1)[0])


def draw(frame: pd.DataFrame, looks: dict, width: float) -> Figure:
    """Points for (problem, γ), one line a method, or a solver where a method ran with several."""
    figure, axes = canvas(width, 3.0 if width > 5 else 2.9)
    axis = axes[0, 0]
    shown = {}
    for arm, look in looks.items():
        part = frame[frame["arm"] == arm]
        if part.empty:
            continue
        bars = np.array([part["median"] - part["low"], part["high"] - part["median"]]).clip(0)
        points = {**look, "linestyle": "none"}
        axis.errorbar(part["n"], part["median"], yerr=bars, elinewidth=0.6, alpha=0.85, **points)
        slope, name = part["slope"].iloc[0], arm
        if np.isfinite(slope):
            n = np.array([part["n"].min(), part["n"].max()])
            level = np.log(part["median"]).mean() - slope * np.log(part["n"]).mean()
            axis.plot(n, np.exp(level) * n**slope, color=look["color"], linestyle=look["linestyle"], lw=1, zorder=1)
            name = f"{arm}: slope {'−' if slope < 0 else ''}{abs(slope):.1f}"
        shown[name] = look
    log_x(axis, *around(frame["n"], 1.2))
    log_y(axis, *around(frame[["low", "high"]].to_numpy().ravel(), 1.4))
    axis.set_xlabel("training rows n")
    axis.set_ylabel("seconds")
    legend(figure, shown)
    return figure


def caption(frame: pd.DataFrame) -> str:
    """What points and lines are, and what the slope hides."""
    return (
        "Runtime against training rows n. Points are medians for one data set and γ, bars reach from the fastest to "
        "the slowest run. Lines are least-squares fits in logarithms; the legend has their slope (none "
        "for fewer than three sizes). The data sets also differ in d and c, so the slope is a description and no law. "
        "A method that ran with several solvers has a line for each. "
        f"{CHOICE} Both axes are logarithmic."
    )


FIGURE = FigureKind("runtime", "Runtime against n", data, draw, caption)
