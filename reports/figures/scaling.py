"""How tight the relaxation is as one thing at a time grows: the certified interval of its ratio to the optimum."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from ...bench.grid.model import MODEL
from ...bench.results.folder import load_extra
from ..results import Results
from ..tables.tightness import stages
from .kind import FigureKind, NothingToShow
from .style import SOFT, bars, canvas, gamma_looks, legend, only, panels

SIZES = {"n": "rows n", "d": "features d", "c": "outputs c", "teacher_width": "neurons of the teacher"}
FACTORS = {**SIZES, "gamma": "γ"}
TEACHER = 100  # neurons of the teacher of `random` unless given


def data(results: Results) -> pd.DataFrame:
    """For each factor, its value and γ: mean over draws of both ends of the interval, the rest at its usual value.

    low: the relaxation's proved bound over the best network; high: its value over the best bound of any method; the
    ratio SDP / optimum lies between them. base: the usual values of all that does not grow in this panel.
    """
    found = stages(results).dropna(subset=["sdp", "sdp_most"])
    groups = found.merge(_sizes(results), on="data")
    usual = {name: groups[name].mode().max() for name in SIZES}
    rows = []
    for factor in FACTORS:
        others = [name for name in SIZES if name != factor]
        part = groups[(groups[others] == pd.Series(usual)[others]).all(axis=1)]
        if part[factor].nunique() < 2:
            continue
        base = ", ".join(f"{name} = {usual[name]:g}".replace("_", " ") for name in others)
        means = part.assign(value=part[factor]).groupby(["value", "gamma"])
        table = means.agg(low=("sdp", "mean"), high=("sdp_most", "mean"), draws=("data", "nunique")).reset_index()
        rows.append(table.assign(factor=factor, base=base))
    if not any(table["factor"].iloc[0] in SIZES for table in rows):
        raise NothingToShow("No random data was drawn in two sizes: it needs the config `scaling`.")
    return pd.concat(rows)[["factor", "value", "gamma", "low", "high", "draws", "base"]]


def _sizes(results: Results) -> pd.DataFrame:
    """n, d, c and the teacher's width of the `random` data."""
    cells = results.cells[(results.cells["dataset"] == "random") & (results.cells["preprocess"] == "none")]
    cells = cells[~cells["bias"] & (cells[list(MODEL)] == pd.Series(MODEL)).all(axis=1)].drop_duplicates("data")
    widths = [_teacher(results, cell) for cell in cells["cell"]]
    return cells[["data", "n", "d", "c"]].assign(teacher_width=widths)


def _teacher(results: Results, cell: str) -> float:
    try:
        options = load_extra(results.folder, cell)["data"]["options"]
    except (ValueError, OSError, KeyError):
        return float(TEACHER)
    return float(options.get("teacher_width", TEACHER))


def draw(frame: pd.DataFrame, looks: dict, width: float) -> Figure:
    """One panel for each thing that grows; bars are the certified intervals, lines join their middles."""
    factors = list(dict.fromkeys(frame["factor"]))
    rows, columns = panels(width, len(factors), 5)
    figure, axes = canvas(width, 1.6 * rows + 0.5, rows, columns, sharey=True)
    gammas = gamma_looks(frame["gamma"])
    for axis, factor in zip(axes.flat, factors, strict=False):
        part = frame[frame["factor"] == factor]
        for k, (gamma, look) in enumerate(gammas.items()):
            line = part[part["gamma"] == gamma].sort_values("value") if factor != "gamma" else part[:0]
            beside = line["value"] * 1.05 ** (k - (len(gammas) - 1) / 2)  # so that bars do not hide each other
            bars(axis, beside, line, linestyle="-", **look)
        if factor == "gamma":
            axis.plot(part["value"], (part["low"] + part["high"]) / 2, color=SOFT, linewidth=1)
            for gamma, one in part.groupby("value", sort=False):
                bars(axis, one["value"], one, linestyle="none", **gammas[gamma])
        axis.set_xscale("log")
        axis.set_xticks(sorted(part["value"].unique()), [f"{value:g}" for value in sorted(part["value"].unique())])
        axis.xaxis.set_minor_locator(NullLocator())
        axis.set_xlabel(FACTORS[factor])
    only(axes, len(factors))
    figure.supylabel("relaxation / optimum", fontsize=7.5)
    legend(figure, dict(gammas), name="γ = {:g}")
    return figure


def caption(frame: pd.DataFrame) -> str:
    """What the bars are and what stays as it is."""
    bases = frame.drop_duplicates("factor")
    fixed = "; ".join(f"{FACTORS[row.factor]}: {row.base}" for row in bases.itertuples())
    return (
        "The relaxation's value over the optimum on random data as one thing at a time grows. Each bar is a certified "
        "interval, the mean over the data sets drawn: from the proved bound over the best network to the value over "
        f"the best proved bound. What stays as it is, by panel: {fixed}. Horizontal axes are logarithmic."
    )


FIGURE = FigureKind("scaling", "Tightness of the relaxation as the problem grows", data, draw, caption)
