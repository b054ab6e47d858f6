"""Two runs side by side: each cell that both have, its value in this run against that in the other."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from ..results import Results
from .kind import FigureKind, NothingToShow
from .style import SOFT, canvas, legend, log_x, log_y, only, panels

MEASURES = {
    "objective": "training objective",
    "lower_bound": "lower bound",
    "test_accuracy": "test accuracy",
    "test_r2": "test R²",
    "runtime_s": "runtime (s)",
}
POSITIVE = ("objective", "lower_bound", "runtime_s")  # drawn on logarithmic axes
RINGS = {
    "regression": {"color": "#a40e26", "marker": "s"},
    "better": {"color": "#116329", "marker": "o"},
    "advisory": {"color": "#57606a", "marker": "D"},
}


def data(results: Results) -> pd.DataFrame:
    """Both values of every cell and measure that both runs have, with the verdict."""
    if results.beside is None:
        raise NothingToShow("It needs another run, given by --with.")
    checks = results.beside.checks
    found = checks[
        checks["column"].isin(MEASURES) & checks["kind"].isin(["quality", "cost"]) & (checks["method"] != "")
    ]
    found = found[["column", "dataset", "method", "gamma", "cell", "other", "this", "verdict", "change", "note"]]
    values = {name: pd.to_numeric(found[name], errors="coerce").astype(float) for name in ("other", "this")}
    kept = np.isfinite(values["other"]) & np.isfinite(values["this"])
    kept &= ~found["column"].isin(POSITIVE) | ((values["other"] > 0) & (values["this"] > 0))
    if not kept.any():
        raise NothingToShow("It needs cells that both runs have.")
    verdicts = found["verdict"].mask(found["column"] == "runtime_s", "not judged")
    return found.assign(**values, verdict=verdicts)[kept].reset_index(drop=True)


def draw(frame: pd.DataFrame, looks: dict, width: float) -> Figure:
    """One panel a measure; what was judged another way than `ok` has a ring."""
    names = [name for name in MEASURES if (frame["column"] == name).any()]
    rows, columns = panels(width, len(names), 4 if len(names) == 4 else 3)
    figure, axes = canvas(width, rows * (width / columns) * 1.0 + 0.45, rows, columns)
    for axis, name in zip(axes.flat, names, strict=False):
        part = frame[frame["column"] == name]
        values = part[["other", "this"]].to_numpy()
        low, high = float(values.min()), float(values.max())
        if name in POSITIVE:
            log_x(axis, low / 1.2, high * 1.2, 4)
            log_y(axis, low / 1.2, high * 1.2)
        else:
            margin = 0.06 * (high - low) or 0.05
            axis.set(xlim=(low - margin, high + margin), ylim=(low - margin, high + margin))
        axis.axline((low, low), (high * 1.1 + 1e-9, high * 1.1 + 1e-9), color=SOFT, linewidth=0.8, zorder=1)
        for method, points in part.groupby("method", sort=False):
            look = {**looks.get(method, {}), "linestyle": "none", "markersize": 3.5, "alpha": 0.8}
            axis.plot(points["other"], points["this"], **look)
        for verdict, look in RINGS.items():
            points = part[part["verdict"] == verdict]
            ring = {**look, "linestyle": "none", "markersize": 7, "fillstyle": "none", "markeredgewidth": 1.1}
            axis.plot(points["other"], points["this"], **ring)
        axis.set_title(MEASURES[name])
    only(axes, len(names))
    figure.supxlabel("the other run", fontsize=7.5)
    figure.supylabel("this run", fontsize=7.5)
    shown = {name: look for name, look in looks.items() if (frame["method"] == name).any()}
    words = {"regression": "worse here", "better": "better here", "advisory": "differs, not judged"}
    rings = {
        words[name]: {**look, "fillstyle": "none"} for name, look in RINGS.items() if (frame["verdict"] == name).any()
    }
    legend(figure, {**shown, **rings})
    return figure


def caption(frame: pd.DataFrame) -> str:
    """What a point and a ring are."""
    judged = frame[frame["verdict"] != "not judged"]
    differing = int((judged["verdict"] != "ok").sum())
    return (
        "A point is a cell that both runs have: its value in this run against that in the other; on the line they are "
        "equal. Rings mark what relaxbench compare does not find equal within the tolerance of the column, with the "
        f"other run as the base: {differing} of {len(judged)} values. Runtimes are as measured and not judged, as the "
        "runs did not take turns."
    )


FIGURE = FigureKind("beside", "Two runs side by side", data, draw, caption)
