"""Critical-difference diagram (Demšar 2006): average ranks over data sets, and which methods no test tells apart."""

import pandas as pd
from matplotlib.figure import Figure

from ..labels import FOLDS
from ..results import Results
from ..tables.across import NAMES, p_text
from ..tables.boards import FEWEST, Board, boards, critical_difference, friedman
from ..tables.paired import LEVEL
from ..tables.scores import SEEN_SAID
from .kind import FigureKind, NothingToShow
from .style import INK, SOFT, canvas, plain

LEAST = 3  # methods; two are compared by Wilcoxon's test in the table


def data(results: Results) -> pd.DataFrame:
    """Average rank of each method, for accuracy and for R², and Nemenyi's p against each other method (`p NAME`)."""
    found = [_rows(board) for board in boards(results, FOLDS) if board.scores.shape[1] >= LEAST]
    if not found:
        raise NothingToShow(f"It needs {LEAST} methods with scores of protocol folds on {FEWEST} data sets.")
    return pd.concat(found, ignore_index=True)


def _rows(board: Board) -> pd.DataFrame:
    from scikit_posthocs import posthoc_nemenyi_friedman  # slow to import

    N, k = board.scores.shape
    F, p = friedman(board) or (float("nan"), float("nan"))
    nemenyi = posthoc_nemenyi_friedman(board.scores.reset_index(drop=True).to_numpy())
    nemenyi = pd.DataFrame(nemenyi.to_numpy(), board.scores.columns, [f"p {name}" for name in board.scores])
    shared = {"measure": NAMES[board.measure][1], "datasets": N, "left_out": len(board.left_out), "F": F, "p": p}
    table = pd.DataFrame({"rank": board.ranks, **shared, "critical_difference": critical_difference(k, N)})
    return table.join(nemenyi).sort_values("rank").rename_axis("method").reset_index()


def draw(frame: pd.DataFrame, looks: dict, width: float) -> Figure:
    """One panel a measure: ranks along the axis, best on the left; a bar joins methods that are not told apart."""
    from scikit_posthocs import critical_difference_diagram  # slow to import

    measures = list(dict.fromkeys(frame["measure"]))
    counts = [(frame["measure"] == measure).sum() for measure in measures]
    figure, axes = canvas(width, sum(0.85 + 0.16 * count for count in counts), len(measures))
    for axis, measure in zip(axes.flat, measures, strict=True):
        part = frame[frame["measure"] == measure].set_index("method")
        p = part[[f"p {name}" for name in part.index]].set_axis(part.index, axis=1)
        difference = part["critical_difference"].iloc[0]
        critical_difference_diagram(
            part["rank"],
            p,
            ax=axis,
            label_fmt_left="{label}  {rank:.2f} ",
            label_fmt_right=" {rank:.2f}  {label}",
            label_props={"fontsize": 7.5},
            marker_props={"s": 14},
            elbow_props={"linewidth": 1.0},
            crossbar_props={"color": INK, "linewidth": 2.2, "solid_capstyle": "butt"},
            color_palette={name: looks[name]["color"] for name in part.index},
            text_h_margin=0.02 * len(part),
        )
        low = axis.get_ylim()[0]
        axis.plot([1, 1 + difference], [2.3, 2.3], color=SOFT, linewidth=1.2, marker="|", markersize=5, clip_on=False)
        axis.text(1 + difference + 0.08, 2.3, f"critical difference {difference:.2f}", fontsize=7, va="center")
        axis.set_ylim(low - 0.4, 2.8)
        axis.set_xlim(1 - 0.18 * len(part), len(part) + 0.18 * len(part))
        axis.set_xticks(range(1, len(part) + 1))
        axis.spines["top"].set(visible=True, bounds=(1, len(part)))
        axis.grid(False)
        axis.set_title(plain(f"average rank by test {measure}, {part['datasets'].iloc[0]} data sets"), pad=2)
    return figure


def caption(frame: pd.DataFrame) -> str:
    """What was tested on how many data sets, and what the bars are."""
    tests = []
    for measure, part in frame.groupby("measure", sort=False):
        first = part.iloc[0]
        shown = "ranks differ" if first["p"] < LEVEL else "no difference is shown, nor does a missing bar show one"
        tests.append(
            f"{measure[0].upper()}{measure[1:]}: {len(part)} methods on {first['datasets']} data sets (left out: "
            f"{first['left_out']} data sets or methods, which the table over data sets names); Friedman's test, as "
            f"Iman and Davenport correct it, {p_text(first['p'])}, {shown}; critical difference "
            f"{first['critical_difference']:.2f}"
        )
    return (
        "Average ranks over data sets of test scores, means over folds; 1, on the left, is best. A bar joins methods "
        f"that Nemenyi's test does not tell apart at the level {LEVEL:g}: their ranks differ by less than the critical "
        f"difference. {'. '.join(tests)}. Wilcoxon's test with Holm's adjustment, which has more power for one method "
        f"against the others, is in the table over data sets. {SEEN_SAID}"
    )


FIGURE = FigureKind("critical-difference", "Average ranks over data sets", data, draw, caption)
