"""Certified ratio, proved lower bound over best network, by data set and γ."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from ..results import Results
from ..summary import ordered
from .kind import FigureKind, NothingToShow
from .style import canvas, gamma_looks, legend, name_rows


def data(results: Results) -> pd.DataFrame:
    """One row a group, one (data, γ), that has a proved lower bound and a network."""
    rows = results.tightness.dropna(subset=["certified_ratio"])
    if rows.empty:
        raise NothingToShow(
            "No data set has both a proved lower bound and a network: it needs a method that proves bounds."
        )
    columns = ["problem", "data", "gamma", "lower_bound", "upper_bound", "certified_ratio"]
    return ordered(rows[columns])


def draw(frame: pd.DataFrame, looks: dict, width: float) -> Figure:
    """A row for each data set: small points are single draws, large ones the median for a γ."""
    names, gammas = list(dict.fromkeys(frame["problem"])), gamma_looks(frame["gamma"])
    figure, axes = canvas(width, len(names) * max(0.2, 0.13 * len(gammas)) + 0.75)
    axis = axes[0, 0]
    for k, (gamma, look) in enumerate(gammas.items()):
        part = frame[frame["gamma"] == gamma]
        y = np.array([names.index(name) for name in part["problem"]]) + 0.7 * ((k + 0.5) / len(gammas) - 0.5)
        axis.plot(part["certified_ratio"], y, **{**look, "linestyle": "none", "markersize": 2, "alpha": 0.35})
        median = part.groupby("problem")["certified_ratio"].median()
        y = np.array([names.index(name) for name in median.index]) + 0.7 * ((k + 0.5) / len(gammas) - 0.5)
        axis.plot(median, y, **{**look, "linestyle": "none", "markersize": 5, "markeredgecolor": "white", "mew": 0.5})
    name_rows(axis, names)
    low = min(0.9, np.floor(10 * frame["certified_ratio"].min()) / 10)
    axis.set_xlim(low - 0.02 * (1 - low), 1 + 0.02 * (1 - low))
    figure.supxlabel("certified ratio: proved lower bound / best network", fontsize=7.5)
    legend(figure, dict(gammas), name="γ = {:g}")
    return figure


def caption(frame: pd.DataFrame) -> str:
    """What the ratio means."""
    return (
        "Proved lower bound on the training objective divided by the objective of the best network found, by data set "
        "and γ. At 1 the network is proved optimal; the distance to 1 is what bound and network together leave open. "
        "Large points are medians, small ones single data sets drawn."
    )


FIGURE = FigureKind("ratio", "Certified ratio by data set and γ", data, draw, caption)
