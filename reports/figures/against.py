"""The reference against each rival over many data sets: one point a data set, above the diagonal where it leads."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from ..labels import FOLDS
from ..results import Results
from ..tables.boards import FEWEST, Board, boards
from ..tables.paired import REFERENCE
from ..tables.scores import SEEN_SAID
from .kind import FigureKind, NothingToShow
from .style import PAPER, SOFT, canvas, only, panels, plain


def data(results: Results) -> pd.DataFrame:
    """Mean test accuracy over folds of REFERENCE and each rival by data set, with standard errors."""
    return _data(results, "test_accuracy")


def data_r2(results: Results) -> pd.DataFrame:
    """The same for test R²."""
    return _data(results, "test_r2")


def _data(results: Results, measure: str) -> pd.DataFrame:
    found = [board for board in boards(results, FOLDS) if board.measure == measure and board.rivals]
    if not found:
        raise NothingToShow(
            f"It needs {REFERENCE} and another method with {measure} of protocol folds on {FEWEST} data sets."
        )
    (board,) = found  # γ is chosen in all folds: there is one group
    return pd.concat([_rows(board, rival) for rival in board.rivals], ignore_index=True)


def _rows(board: Board, rival: str) -> pd.DataFrame:
    scores, errors = board.scores, board.errors
    columns = {"reference": REFERENCE, "method": rival, "left_out": len(board.left_out)}
    columns |= {"score": scores[REFERENCE], "error": errors[REFERENCE]}
    columns |= {"rival_score": scores[rival], "rival_error": errors[rival]}
    table = pd.DataFrame(columns).assign(lead=(scores[REFERENCE] - scores[rival]).round(9))
    return table.rename_axis("problem").reset_index()


def draw(frame: pd.DataFrame, looks: dict, width: float, label: str = "accuracy", lowest: float = 0.0) -> Figure:
    """One panel a rival, all on the same axes."""
    methods = [name for name in looks if (frame["method"] == name).any()]
    rows, columns = panels(width, len(methods), 4)
    figure, axes = canvas(width, rows * (width / columns) * 1.02 + 0.25, rows, columns, sharex=True, sharey=True)
    low = max(lowest, float(frame[["score", "rival_score"]].min().min()))
    low, high = low - 0.04 * (1 - low), 1 + 0.02 * (1 - low)
    step = 0.1 if low > 0.55 else 0.2
    ticks = np.arange(np.ceil(low / step), round(1 / step) + 1) * step
    for axis, method in zip(axes.flat, methods, strict=False):
        part = frame[frame["method"] == method]
        x, y = part["rival_score"].clip(low), part["score"].clip(low)
        bars = {"xerr": part["rival_error"].fillna(0), "yerr": part["error"].fillna(0)}
        axis.plot([low, high], [low, high], color=SOFT, linewidth=0.8, zorder=1)
        look = {**looks[method], "linestyle": "none", "markersize": 2.6}
        axis.errorbar(x, y, **bars, elinewidth=0.7, alpha=0.85, **look)
        above, below = int((part["lead"] > 0).sum()), int((part["lead"] < 0).sum())
        behind = {"facecolor": PAPER, "edgecolor": "none", "alpha": 0.75, "pad": 1}
        words = {"transform": axis.transAxes, "fontsize": 7, "bbox": behind}
        axis.text(0.04, 0.96, f"{above} above", va="top", **words)
        axis.text(0.96, 0.04, f"{below} below", ha="right", **words)
        axis.set(xlim=(low, high), ylim=(low, high))
        axis.set_title(plain(method))
        axis.set_xticks(ticks)
        axis.set_yticks(ticks)
    only(axes, len(methods))
    figure.supxlabel(f"test {label} of the rival", fontsize=7.5)
    figure.supylabel(plain(f"test {label} of {frame['reference'].iloc[0]}"), fontsize=7.5)
    return figure


def draw_r2(frame: pd.DataFrame, looks: dict, width: float) -> Figure:
    """The same picture for R²; what is below 0 is drawn at the edge."""
    return draw(frame, looks, width, "R²")


def caption(frame: pd.DataFrame) -> str:
    """What points, bars and counts are."""
    count, left_out = frame["problem"].nunique(), frame["left_out"].iloc[0]
    return (
        f"{count} data sets (left out: {left_out} data sets or methods, which the table over data sets names): test "
        f"score of {REFERENCE} against that of each rival, means over folds; above the diagonal {REFERENCE} scores "
        "higher. Bars are one standard error over folds, which makes no allowance for training rows that folds "
        "share. The counts are of means and untested; data sets on the diagonal are in neither. "
        f"{SEEN_SAID}"
    )


def caption_r2(frame: pd.DataFrame) -> str:
    """The same, and where negative scores are."""
    return f"{caption(frame)} Scores below 0 are drawn at the lower end of the axes; the CSV has them."


FIGURE = FigureKind("against", "Accuracy against each rival over data sets", data, draw, caption)
R2 = FigureKind("against-r2", "R² against each rival over data sets", data_r2, draw_r2, caption_r2)
