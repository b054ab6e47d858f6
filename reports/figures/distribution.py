"""Distribution over the problems of the ratio to the exact optimum, with tightening and as the paper reports it."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from ..results import Results
from ..summary import ordered
from ..tables.tightness import stages
from .kind import FigureKind, NothingToShow
from .style import INK, OTHER_LOOKS, canvas, legend, only, panels

REPORTED = 0.769  # the smallest ratio the paper reports, against the best SGD run, on its synthetic data
CURVES = {  # column: words, the method it looks like, line
    "paper_ratio": ("SDP / best SGD", "sgd", "--"),
    "sdp_over_exact": ("SDP / exact", "sdp", "-"),
    "cuts": ("bound with circuit cuts / best network", "cuts", "-."),
    "branch": ("bound of hierarchy / best network", "branch", (0, (1, 1))),
}


def data(results: Results) -> pd.DataFrame:
    """One row a group whose exact value is known: the relaxation over it and over the best SGD objective.

    The latter is the paper's ratio. Other groups are left out, so that all curves speak of the same problems.
    cuts and branch: what circuit cuts and the hierarchy prove, over the best network known.
    """
    rows = results.tightness.dropna(subset=["sdp_over_exact"])
    if rows.empty:
        raise NothingToShow(
            "No data set has a relaxation value with an exact value beside it: it needs method cpp, or more time for "
            "it."
        )
    rows = rows[["problem", "data", "gamma", "sdp_over_exact", "paper_ratio"]]
    more = stages(results)[["data", "gamma", "cuts", "branch"]]
    return ordered(rows.merge(more, on=["data", "gamma"], how="left"))


def draw(frame: pd.DataFrame, looks: dict, width: float) -> Figure:
    """A panel for each γ, in it one step curve for each ratio: the share of problems with at most this ratio."""
    gammas = sorted(frame["gamma"].unique(), reverse=True)
    curves = {
        column: (words, {**looks.get(method, OTHER_LOOKS[0]), "linestyle": line})
        for column, (words, method, line) in CURVES.items()
        if frame[column].notna().any()
    }
    rows, columns = panels(width, len(gammas), 3 if len(gammas) > 2 else 2)
    figure, axes = canvas(width, 1.9 * rows + 0.6, rows, columns, sharex=True, sharey=True)
    for axis, gamma in zip(axes.flat, gammas, strict=False):
        for column, (_, look) in curves.items():
            values = np.sort(frame.loc[frame["gamma"] == gamma, column].dropna())
            if not len(values):
                continue
            ratios, shares = np.array([values[0], *values]), np.arange(len(values) + 1) / len(values)
            line = {"color": look["color"], "linestyle": look["linestyle"]}
            axis.step(ratios, shares, where="post", **line)
            marks = slice(1, None, max(1, len(values) // 8))
            axis.plot(ratios[marks], shares[marks], **{**look, "linestyle": "none", "markersize": 3})
        axis.axvline(REPORTED, color=INK, linewidth=1, linestyle=":")
        axis.set_title(f"γ = {gamma:g}")
    lowest = min(np.nanmin(frame[list(curves)].to_numpy()), REPORTED)
    axes[0, 0].set_xlim(max(0, np.floor(20 * lowest - 0.5) / 20), 1.01)
    axes[0, 0].set_ylim(-0.02, 1.03)
    only(axes, len(gammas))
    figure.supxlabel("ratio at most", fontsize=7.5)
    figure.supylabel("share of problems", fontsize=7.5)
    paper = {"76.9 %, the paper's smallest": {"color": INK, "linestyle": ":"}}
    legend(figure, {**dict(curves.values()), **paper}, lines=True)
    return figure


def caption(frame: pd.DataFrame) -> str:
    """What the curves are."""
    paper = frame["paper_ratio"].notna().sum()
    tightened = (
        " With circuit cuts, and by the hierarchy of cells: lower bounds that these prove, over the best network known."
        if frame[["cuts", "branch"]].notna().any(axis=None)
        else ""
    )
    above = int((frame["paper_ratio"] > 1).sum())
    wrong = (
        f" {above} of these are above 1 and out of view: there the solver stopped far from a solution." if above else ""
    )
    return (
        f"Share of problems whose ratio is at most the value on the axis, over the {len(frame)} problems whose exact "
        f"optimum is known. SDP / exact: relaxation value over that optimum. SDP / best SGD: relaxation value over the "
        f"best SGD objective ({paper} problems), which is what the paper reports; SGD is no better than the optimum, "
        f"so where the solver is right this ratio is not above the true one.{wrong}{tightened} The dotted upright line "
        "is the smallest ratio that the paper reports for its synthetic data."
    )


FIGURE = FigureKind("distribution", "Distribution of SDP / exact", data, draw, caption, ("sgd", "sdp", "branch"))
