"""Each metric over the nights of a history, with the lasting steps marked."""

import pandas as pd
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from ..results import Results
from ..tables.trends import STEPS_DRAWN, nights
from .kind import FigureKind, NothingToShow
from .style import INK, SOFT, canvas, legend, only, panels, plain


def data(results: Results) -> pd.DataFrame:
    """For every metric the median of each method night by night, and the cells that make the largest steps."""
    frame = nights(results)
    if frame.empty:
        raise NothingToShow("The folder holds no history of two nights: it needs `relaxbench nightly`.")
    return frame


def draw(frame: pd.DataFrame, looks: dict, width: float) -> Figure:
    """One panel a metric; thick lines are medians of a method on a machine, thin ones cells with a step."""
    frame = frame.assign(
        night=pd.to_datetime(frame["night"], utc=True, format="ISO8601"), cell=frame["cell"].fillna("")
    )
    metrics = dict(list(frame.groupby("metric", sort=False)))
    rows, columns = panels(width, len(metrics), 3)
    figure, axes = canvas(width, rows * 1.4 + 0.45, rows, columns, sharex=True)
    gone = {"color": SOFT, "marker": ".", "linestyle": "-"}  # methods that did not run on the last night
    for axis, (metric, part) in zip(axes.flat, metrics.items(), strict=False):
        for (method, _, cell), line in part.groupby(["method", "machine", "cell"]):
            look = {**looks.get(method, gone), "markersize": 2.5, "markevery": -(-len(line) // 20)}
            thin = {"linewidth": 0.6, "marker": "", "alpha": 0.7} if cell else {}
            axis.plot(line["night"], line["change"], **{**look, **thin})
            steps = line[line["step"].notna()]
            marks = {"linestyle": "none", "markersize": 5, "markeredgecolor": INK, "markevery": 1}
            for sign, marker in ((1, "^"), (-1, "v")):
                some = steps[steps["step"] * sign > 0]
                axis.plot(some["night"], some["change"], **{**look, **marks, "marker": marker})
        low, high = part["change"].min(), part["change"].max()
        if high - low < 1e-9:
            axis.set_ylim(low - 0.01, high + 0.01)
        axis.set_title(plain(metric))
        axis.locator_params(axis="y", nbins=4)
        axis.yaxis.set_major_formatter(PercentFormatter(1))
        locator = AutoDateLocator(minticks=2, maxticks=5)
        axis.xaxis.set_major_locator(locator)
        axis.xaxis.set_major_formatter(ConciseDateFormatter(locator, show_offset=False))
    only(axes, len(metrics))
    figure.supylabel("change since the first night", fontsize=7.5)
    legend(figure, {name: look for name, look in looks.items() if (frame["method"] == name).any()})
    return figure


def caption(frame: pd.DataFrame) -> str:
    """What lines and marks are."""
    count, (first, last) = frame["machine"].nunique(), (frame["night"].min()[:10], frame["night"].max()[:10])
    paper = " test_accuracy_paper is optimistic." if (frame["metric"] == "test_accuracy_paper").any() else ""
    return (
        f"Each metric over the nights from {first} to {last}, as its change since the first night: a share of it, or "
        "percentage points for accuracies, R² and gaps. Lines with points are medians over the cells of a method"
        + (f", one line for each of {count} machines, which are never mixed" if count > 1 else "")
        + ". Thin lines are cells whose level changed for good (kernel change-point detection, at least three nights "
        f"on either side; the {STEPS_DRAWN} largest of a metric); triangles mark the first night of the new level. The "
        f"table of steps says what else changed that night.{paper}"
    )


FIGURE = FigureKind("trends", "Metrics over the nights", data, draw, caption)
