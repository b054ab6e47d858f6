"""Distribution over the problems of the ratio to the exact optimum, with tightening and as the paper reports it."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ..results import Results
from ..style import INK, canvas, gamma_looks
from ..tightness import stages
from .kind import FigureKind, NothingToShow

REPORTED = 0.769  # the smallest ratio the paper reports, against the best SGD run, on its synthetic data
CURVES = {
    "paper_ratio": ("SDP / best SGD", "--"),
    "sdp_over_exact": ("SDP / exact", "-"),
    "cuts": ("cuts", "-."),
    "branch": ("hierarchy", ":"),
}


def data(results: Results) -> pd.DataFrame:
    """One row a group: the relaxation over the exact value and over the best SGD objective (the paper's ratio).

    cuts and branch: what circuit cuts and the hierarchy prove, over the best network known.
    """
    rows = results.tightness.dropna(subset=["sdp_over_exact", "paper_ratio"], how="all")
    if rows.empty:
        raise NothingToShow("No data set has a relaxation value with an exact value or an SGD objective beside it.")
    rows = rows[["problem", "data", "gamma", "sdp_over_exact", "paper_ratio"]]
    more = stages(results)[["data", "gamma", "cuts", "branch"]]
    return rows.merge(more, on=["data", "gamma"], how="left").sort_values(["problem", "gamma"])


def draw(frame: pd.DataFrame, looks: dict, width: float) -> Figure:
    """One step curve for each γ and ratio: the share of problems with at most this ratio."""
    figure, axes = canvas(width, 2.6 if width > 5 else 2.8)
    axis = axes[0, 0]
    handles = []
    for gamma, look in gamma_looks(frame["gamma"]).items():
        for column, (name, line) in CURVES.items():
            values = np.sort(frame.loc[frame["gamma"] == gamma, column].dropna())
            if not len(values):
                continue
            style = {"color": look["color"], "linestyle": line}
            axis.step([values[0], *values], np.arange(len(values) + 1) / len(values), where="post", **style)
            if len(values) <= 40:
                shares = np.arange(1, len(values) + 1) / len(values)
                axis.plot(values, shares, color=look["color"], marker=look["marker"], linestyle="none", markersize=3)
            handles.append(Line2D([], [], **style, marker=look["marker"], label=f"{name}, γ = {gamma:g}"))
    axis.axvline(REPORTED, color=INK, linewidth=1, linestyle=":")
    axis.text(REPORTED, 1.03, "76.9 % (paper)", ha="center", va="bottom", fontsize=7)
    known = frame[list(CURVES)]
    lowest, highest = np.nanmin(known.to_numpy()), np.nanmax(known.to_numpy())
    axis.set_xlim(max(0, np.floor(20 * min(lowest, REPORTED) - 0.5) / 20), max(1.01, 1.01 * highest))
    axis.set_ylim(-0.02, 1.02)
    axis.set_xlabel("ratio at most")
    axis.set_ylabel("share of problems")
    figure.legend(handles=handles, loc="outside upper center", ncols=4 if width > 5 else 2, handlelength=2.5)
    return figure


def caption(frame: pd.DataFrame) -> str:
    """What the curves are."""
    exact, paper = frame["sdp_over_exact"].notna().sum(), frame["paper_ratio"].notna().sum()
    tightened = (
        " Dash-dotted and dotted, where they were computed: lower bounds proved with circuit cuts and by the hierarchy "
        "of cells, over the best network known."
        if frame[["cuts", "branch"]].notna().any(axis=None)
        else ""
    )
    return (
        f"Share of problems whose ratio is at most the value on the axis. Solid: relaxation value over the exact "
        f"optimum ({exact} problems where it is known). Dashed: relaxation value over the best SGD objective ({paper} "
        "problems), which is what the paper reports; SGD is no better than the optimum, so this ratio is never above "
        f"the true one.{tightened} The thin dotted line is the smallest ratio that the paper reports for its synthetic "
        "data."
    )


FIGURE = FigureKind("distribution", "Distribution of SDP / exact", data, draw, caption)
