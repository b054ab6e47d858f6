"""Comparison of roundings: the objective of the network that each makes out of the same relaxation, and its time.

And out of worse ones: disturbed by noise, or solved to a wider gap.
"""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from ..labels import options
from ..results import Results
from ..summary import ordered, with_best
from .kind import FigureKind, NothingToShow
from .style import around, canvas, choice_looks, legend, log_x, log_y, name_rows, only, panels


def data(results: Results) -> pd.DataFrame:
    """For each problem, γ, method and rounding: objective over the best known, and seconds to round.

    Of several widths the largest is taken, so that the roundings are compared at one size of network, and of
    relaxations those solved best and not disturbed.
    """
    cells = _rounded(results)
    keys = [cells[key] for key in ("problem", "gamma", "method")]
    cells = cells[(cells["noise"] == 0) & (cells["gap"] == cells["gap"].groupby(keys).transform("min"))]
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
    return ordered(rows.reset_index(), "method", "rounding")


def data_noise(results: Results) -> pd.DataFrame:
    """For each rounding, geometric means of objective over proved bound by noise and by gap of the relaxation.

    Over the (data, γ, width) that have every value of the two for every rounding; noise is averaged over its seeds.
    """
    cells = _rounded(results).dropna(subset=["ratio"])
    cells["above"] = np.log(cells["relative"] / cells["ratio"])
    parts = []
    for kind, fixed in (("noise", "gap"), ("gap", "noise")):
        part = cells[cells[fixed] == cells[fixed].min()]
        part = part[part.groupby("rounding")[kind].transform("nunique") > 1]
        if part.empty:
            continue
        table = part.pivot_table(index=["data", "gamma", "width"], columns=["rounding", kind], values="above").dropna()
        mean, problems = np.exp(table.mean()), len(table)
        parts.append(mean.rename("mean").reset_index().rename(columns={kind: "value"}))
        parts[-1] = parts[-1].assign(kind=kind, problems=problems)
    frame = pd.concat(parts) if parts else pd.DataFrame(columns=["mean"])
    if frame.dropna(subset=["mean"]).empty:
        raise NothingToShow("No rounding ran on relaxations of several qualities: it needs `noise` or `gap` as a list.")
    return frame[["kind", "rounding", "value", "mean", "problems"]].sort_values(["kind", "rounding", "value"])


def _rounded(results: Results) -> pd.DataFrame:
    """Finished cells that rounded a relaxation, with its `noise` and `gap` out of their options."""
    cells = with_best(results)
    cells = cells[cells["rounding"] != ""]
    known = {text: options(text) for text in cells["options"].unique()}
    qualities = ("noise", "gap")
    return cells.assign(**{q: [float(known[text].get(q, 0.0)) for text in cells["options"]] for q in qualities})


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
        log_x(right, *around(seconds, 1.5))
    left.set_xlabel("training objective / best known")
    right.set_xlabel("seconds to round")
    legend(figure, choices)
    return figure


def draw_noise(frame: pd.DataFrame, looks: dict, width: float) -> Figure:
    """One panel for noise and one for the gap, as far as there are any."""
    kinds = [kind for kind in ("noise", "gap") if (frame["kind"] == kind).any()]
    choices = choice_looks(frame["rounding"])
    rows, columns = panels(width, len(kinds), 2)
    figure, axes = canvas(width, rows * 2.2 + 0.4, rows, columns, sharey=True)
    for axis, kind in zip(axes.flat, kinds, strict=False):
        part = frame[frame["kind"] == kind]
        least = part.loc[part["value"] > 0, "value"].min()
        for rounding, look in choices.items():
            line = part[part["rounding"] == rounding]
            axis.plot(line["value"].clip(least / 10), line["mean"], **look)
        axis.set_xscale("log")
        axis.set_xlabel("noise in the solution" if kind == "noise" else "relative gap of the relaxation")
    log_y(axes[0, 0], 1.0, 1.1 * frame["mean"].max())
    axes[0, 0].set_ylabel("training objective / proved bound")
    only(axes, len(kinds))
    legend(figure, choices)
    return figure


def caption_noise(frame: pd.DataFrame) -> str:
    """What is averaged, and where no noise is drawn."""
    return (
        "What each rounding makes of a worse solution: training objective over the best proved lower bound of the same "
        f"data and γ, geometric means over {int(frame['problems'].max())} problems (data, γ and width). Noise is "
        "Gaussian, as a share of the norm of the solution's factor; no noise is drawn at the left edge."
    )


def caption(frame: pd.DataFrame) -> str:
    """What points and bars are."""
    return (
        "Objective of the network that each rounding makes, divided by the best known for the same data and "
        "γ, and the seconds that the rounding takes. Points are means (medians for seconds) over seeds and data sets "
        "drawn, bars reach from the smallest to the largest; the widest networks are compared. Axes are logarithmic."
    )


FIGURE = FigureKind("rounding", "Comparison of roundings", data, draw, caption)
NOISE = FigureKind("rounding-noise", "Roundings of worse relaxations", data_noise, draw_noise, caption_noise)
