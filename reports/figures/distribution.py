"""Distribution of the ratio SDP / exact optimum over the problems, with the paper's 76.9 % marked."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ..results import Results
from ..style import INK, canvas, gamma_looks
from .kind import FigureKind, NothingToShow

REPORTED = 0.769  # the smallest ratio the paper reports, against the best SGD run, on its synthetic data


def data(results: Results) -> pd.DataFrame:
    """One row a group: relaxation value over the exact value, and over the best SGD objective (the paper's ratio)."""
    rows = results.tightness.dropna(subset=["sdp_over_exact", "paper_ratio"], how="all")
    if rows.empty:
        raise NothingToShow("No data set has a relaxation value with an exact value or an SGD objective beside it.")
    return rows[["problem", "data", "gamma", "sdp_over_exact", "paper_ratio"]].sort_values(["problem", "gamma"])


def draw(frame: pd.DataFrame, looks: dict, width: float) -> Figure:
    """One step curve for each γ and ratio: the share of problems with at most this ratio."""
    figure, axes = canvas(width, 2.6 if width > 5 else 2.5)
    axis = axes[0, 0]
    handles = []
    for gamma, look in gamma_looks(frame["gamma"]).items():
        for column, line, name in (("sdp_over_exact", "-", "SDP / exact"), ("paper_ratio", "--", "SDP / best SGD")):
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
    lowest = np.nanmin(frame[["sdp_over_exact", "paper_ratio"]].to_numpy())
    axis.set_xlim(
        max(0, np.floor(20 * min(lowest, REPORTED) - 0.5) / 20), max(1.01, 1.01 * float(frame.max().iloc[-1]))
    )
    axis.set_ylim(-0.02, 1.02)
    axis.set_xlabel("ratio at most")
    axis.set_ylabel("share of problems")
    figure.legend(handles=handles, loc="outside upper center", ncols=4 if width > 5 else 2, handlelength=3)
    return figure


def caption(frame: pd.DataFrame) -> str:
    """What the curves are."""
    exact, paper = frame["sdp_over_exact"].notna().sum(), frame["paper_ratio"].notna().sum()
    return (
        f"Share of problems whose ratio is at most the value on the axis. Solid: relaxation value over the exact "
        f"optimum ({exact} problems where it is known). Dashed: relaxation value over the best SGD objective ({paper} "
        "problems), which is what the paper reports; SGD is no better than the optimum, so this ratio is never above "
        "the true one. The dotted line is the smallest ratio that the paper reports for its synthetic data."
    )


FIGURE = FigureKind("distribution", "Distribution of SDP / exact", data, draw, caption)
