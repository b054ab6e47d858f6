"""How tight the relaxation is for other activations: the certified interval of its ratio to the optimum."""

import pandas as pd
from matplotlib.figure import Figure

from ...bench.grid.model import MODEL, slope_below
from ..results import Results
from ..tables.tightness import stages
from .kind import FigureKind, NothingToShow
from .style import bars, canvas, gamma_looks, legend, only, panels


def data(results: Results) -> pd.DataFrame:
    """For each data set, activation and γ: mean over draws of both ends of the interval.

    below: κ, the slope of the activation below 0, which has slope 1 above. low: the relaxation's proved bound over the
    best network; high: its value over the best bound of any method; the ratio SDP / optimum lies between them.
    """
    found = stages(results).dropna(subset=["sdp", "sdp_most"])
    cells = results.cells.drop_duplicates("data")
    cells = cells[cells["loss"] == MODEL["loss"]]
    sizes = [f"{one.dataset}, n = {one.n:g}, d = {one.d:g}" for one in cells.itertuples()]
    known = cells[["data", "activation"]].assign(below=cells["activation"].map(slope_below), sizes=sizes)
    groups = found.merge(known, on="data")
    groups = groups[groups.groupby("sizes")["activation"].transform("nunique") > 1]
    if groups.empty:
        raise NothingToShow("No data set has the relaxation for two activations: it needs the config `activations`.")
    means = groups.groupby(["sizes", "activation", "below", "gamma"])
    table = means.agg(low=("sdp", "mean"), high=("sdp_most", "mean"), draws=("data", "nunique")).reset_index()
    return table.sort_values(["sizes", "gamma", "below"], ascending=[True, False, True], ignore_index=True)


def draw(frame: pd.DataFrame, looks: dict, width: float) -> Figure:
    """One panel a data set; bars are the certified intervals, lines join their middles."""
    names = list(dict.fromkeys(frame["sizes"]))
    rows, columns = panels(width, len(names), 4)
    figure, axes = canvas(width, 1.6 * rows + 0.5, rows, columns, sharey=True)
    gammas = gamma_looks(frame["gamma"])
    for axis, name in zip(axes.flat, names, strict=False):
        part = frame[frame["sizes"] == name]
        for k, (gamma, look) in enumerate(gammas.items()):
            line = part[part["gamma"] == gamma]
            beside = line["below"] + 0.02 * (k - (len(gammas) - 1) / 2)  # so that bars do not hide each other
            bars(axis, beside, line, linestyle="-", **look)
        axis.set_xticks([-1, 0, 1], ["abs", "relu", "identity"])
        axis.set_xlim(-1.12, 1.12)
        axis.set_title(name)
    only(axes, len(names))
    figure.supxlabel("slope below 0", fontsize=7.5)
    figure.supylabel("relaxation / optimum", fontsize=7.5)
    legend(figure, dict(gammas), name="γ = {:g}")
    return figure


def caption(frame: pd.DataFrame) -> str:
    """What the bars are."""
    draws = int(frame["draws"].max())
    means = f", means over at most {draws} data sets drawn" if draws > 1 else ""
    return (
        "The relaxation's value over the optimum against the slope of the activation below 0, which is −1 for the "
        "absolute value, 0 for the ReLU and 1 for the identity; above 0 the slope is 1. Each bar is a certified "
        "interval, from the proved bound over the best network to the value over the best proved bound"
        f"{means}."
    )


FIGURE = FigureKind("activations", "Tightness of the relaxation for other activations", data, draw, caption)
