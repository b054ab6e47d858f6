"""Performance profiles (Dolan & Moré 2002) of runtime and of training objective, with bands over seeds."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from ...bench.results.columns import Status
from ..results import Results
from ..summary import CHOICE, chosen
from .kind import FigureKind, NothingToShow
from .style import canvas, legend, log_x, panels

MEASURES = {"runtime_s": "runtime", "objective": "training objective"}
POINTS = 160  # of each curve
FARTHEST = 1e4  # largest factor drawn


def data(results: Results) -> pd.DataFrame:
    """Share of the problems that a method solves within `factor` times the best method's number.

    Mean, smallest and largest share over the method's seeds. A problem is one (data, γ); a run that did not finish
    solves nothing. The best is taken over all methods and seeds.
    """
    cells = chosen(results.cells.dropna(subset=["gamma"]))
    found = [_profiles(cells, column, name) for column, name in MEASURES.items()]
    rows = pd.concat([part for part in found if part is not None] or [pd.DataFrame()])
    if rows.empty:
        raise NothingToShow("Fewer than two methods finished on the same problem: there is nothing to compare.")
    return rows


def _profiles(cells: pd.DataFrame, column: str, name: str) -> pd.DataFrame | None:
    methods = cells.groupby("method")[column].transform("count") > 0
    cells = cells[methods].assign(value=cells[column].where((cells["status"] == Status.OK) & (cells[column] > 0)))
    if cells["method"].nunique() < 2:
        return None
    keys = ["data", "gamma"]
    best = cells.groupby(keys)["value"].transform("min")
    cells = cells.assign(factor=(cells["value"] / best).fillna(np.inf), seed=cells["seed"].fillna(-1))
    total = cells.groupby(keys).ngroups
    finite = cells["factor"][np.isfinite(cells["factor"])]
    if finite.empty:
        return None
    factors = np.geomspace(1, max(1.1, min(FARTHEST, 1.1 * finite.max())), POINTS)
    rows = []
    for method, part in cells.groupby("method"):
        curves = np.array(
            [np.searchsorted(np.sort(run), factors, side="right") / total for _, run in part.groupby("seed")["factor"]]
        )
        shares = {"mean": curves.mean(axis=0), "low": curves.min(axis=0), "high": curves.max(axis=0)}
        rows.append(
            pd.DataFrame({"measure": name, "method": method, "factor": factors, **shares, "seeds": len(curves)})
        )
    return pd.concat(rows)


def draw(frame: pd.DataFrame, looks: dict, width: float) -> Figure:
    """One panel a measure."""
    measures = list(dict.fromkeys(frame["measure"]))
    rows, columns = panels(width, len(measures), 2)
    figure, axes = canvas(width, rows * 2.1 + 0.4, rows, columns, sharey=True)
    methods = [name for name in looks if (frame["method"] == name).any()]
    lines = {name: {**looks[name], "linestyle": ["-", "--", "-.", ":"][k % 4]} for k, name in enumerate(methods)}
    for axis, measure in zip(axes.flat, measures, strict=True):
        for k, (method, look) in enumerate(lines.items()):
            part = frame[(frame["measure"] == measure) & (frame["method"] == method)]
            if part.empty:
                continue
            spots = {"markevery": (8 + 5 * k, 32), "markersize": 3.5}
            axis.step(part["factor"], part["mean"], where="post", **{**look, **spots})
            axis.fill_between(
                part["factor"], part["low"], part["high"], step="post", color=look["color"], alpha=0.18, lw=0
            )
        log_x(axis, 1, frame.loc[frame["measure"] == measure, "factor"].max())
        axis.set_xlabel(f"{measure} / best {measure}")
        axis.set_ylim(-0.02, 1.03)
    figure.supylabel("share of problems", fontsize=7.5)
    legend(figure, lines, lines=True)
    return figure


def caption(frame: pd.DataFrame) -> str:
    """How to read the curves."""
    return (
        "Performance profiles: the share of problems (one data set and γ) on which a method is within a factor of the "
        "best method. Higher is better; the value at 1 is the share on which it is the best, the right end the share "
        "it finishes at all. Lines are means over seeds, bands reach from the worst seed to the best. Runtime compares "
        f"methods that answer different questions; kernels have no training objective. {CHOICE} The axes of factors "
        "are logarithmic."
    )


FIGURE = FigureKind("profile", "Performance profiles", data, draw, caption)
