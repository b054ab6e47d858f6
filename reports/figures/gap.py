"""Proved gap against time, from the traces: how soon a solver's bound closes in on the best network known.

And, where the relaxation ran with several solvers, on the relaxation's own value, which takes its looseness out.
"""

import pandas as pd
from matplotlib.figure import Figure

from ..results import Results
from ..solver_table import OURS
from ..style import canvas, choice_looks, legend, log_x, log_y, only, panels, plain
from ..summary import best_known, series
from .kind import FigureKind, NothingToShow

PANELS = 12  # drawn at most; the CSV has all
TRACES = 400  # read at most
SMALLEST = 1e-9  # gaps below are drawn here


def data(results: Results) -> pd.DataFrame:
    """Best proved gap so far for each problem, γ and solver: 1 − bound / best known objective, at every improvement.

    One cell stands for the relaxation that several share, and one draw for the others of its kind.
    """
    cells = results.cells.dropna(subset=["lower_bound", "gamma"])
    cells = cells.join(best_known(results), on=["data", "gamma"]).dropna(subset=["best"])
    cells = cells.sort_values(["data_seed", "seed", "width"], kind="stable")
    cells = cells.drop_duplicates(["problem", "gamma", "method", "solver", "options"])
    several = cells.groupby("method")["solver"].transform("nunique") > 1
    cells = cells.assign(arm=cells["method"].where(~several, cells["method"] + " (" + cells["solver"] + ")"))
    cells = cells.drop_duplicates(["problem", "gamma", "arm"]).head(TRACES)
    found = [_curve(results, row) for row in cells.to_dict("records")]
    rows = pd.concat([curve for curve in found if curve is not None] or [pd.DataFrame()])
    if rows.empty:
        raise NothingToShow("No cell has a trace with proved bounds and a best known objective to compare them with.")
    return rows.sort_values(["problem", "gamma", "method", "arm", "seconds"], ascending=[True, False, True, True, True])


def solver_data(results: Results) -> pd.DataFrame:
    """The same for the solvers of the relaxation: 1 − bound / smallest strictly feasible value of our solver.

    A solver without a trace has a single line, for its end.
    """
    cells = results.cells[results.cells["method"] == "sdp"].dropna(subset=["lower_bound", "gamma"])
    value = cells[cells["solver"].isin(OURS)].groupby(["data", "gamma"])["relaxation_value"].min().rename("best")
    if cells["solver"].nunique() < 2 or value.empty:
        raise NothingToShow("The relaxation did not run with our solver and another one.")
    cells = cells.assign(arm=series(cells)).join(value[value > 0], on=["data", "gamma"]).dropna(subset=["best"])
    cells = cells.sort_values(["data_seed", "seed", "width"], kind="stable")
    cells = cells.drop_duplicates(["problem", "gamma", "arm"]).head(TRACES)
    curves = []
    for row in cells.to_dict("records"):
        end = {name: row[name] for name in ("problem", "gamma", "method", "arm")}
        end |= {"seconds": row["solve_s"], "gap": 1 - row["lower_bound"] / row["best"]}
        curve = _curve(results, row)
        curves.append(pd.DataFrame([end]) if curve is None else curve)
    rows = pd.concat(curves)
    return rows.sort_values(["problem", "gamma", "method", "arm", "seconds"], ascending=[True, False, True, True, True])


def _curve(results: Results, row: dict) -> pd.DataFrame | None:
    trace = results.trace(row["cell"])
    trace = trace[(trace["stage"] == "solve") & trace["bound"].notna()]
    if trace.empty:
        return None
    gap = 1 - trace["bound"].cummax() / row["best"]
    curve = pd.DataFrame({name: row[name] for name in ("problem", "gamma", "method", "arm")}, index=trace.index)
    curve = curve.assign(seconds=trace["seconds"], gap=gap)
    return curve[~curve["gap"].duplicated() | (curve.index == curve.index[-1])]


def draw(frame: pd.DataFrame, looks: dict, width: float) -> Figure:
    """One panel for each problem and γ, logarithmic both ways."""
    frame = frame.assign(gap=frame["gap"].clip(SMALLEST, 1))
    wanted = list(frame.groupby(["problem", "gamma"], sort=False))[:PANELS]
    rows, columns = panels(width, len(wanted), 4)
    figure, axes = canvas(width, rows * 1.45 + 0.5, rows, columns, sharey=True, sharex=True)
    lines: dict = {}
    several = frame.groupby("method")["arm"].transform("nunique") > 1
    own = choice_looks(frame["arm"][several])
    for axis, ((problem, gamma), part) in zip(axes.flat, wanted, strict=False):
        for (method, arm), curve in part.groupby(["method", "arm"], sort=False):
            look = lines.setdefault(arm, {**looks[method], "linestyle": "-", **own.get(arm, {})})
            axis.step(curve["seconds"], curve["gap"], where="post", color=look["color"], linestyle=look["linestyle"])
            axis.plot(curve["seconds"].iloc[-1], curve["gap"].iloc[-1], **{**look, "linestyle": "none"})
        axis.set_title(plain(f"{problem}\nγ = {gamma:g}"))
    seconds = frame["seconds"][frame["seconds"] > 0]
    log_x(axes[0, 0], 0.8 * seconds.min(), 1.3 * seconds.max()) if len(seconds) else None
    log_y(axes[0, 0], 0.6 * frame["gap"].min(), min(1.3, 1.5 * frame["gap"].max()))
    only(axes, len(wanted))
    figure.supxlabel("seconds", fontsize=7.5)
    figure.supylabel("proved gap", fontsize=7.5)
    legend(figure, lines, lines=True)
    return figure


def caption(frame: pd.DataFrame) -> str:
    """What the steps are."""
    count = frame.groupby(["problem", "gamma"]).ngroups
    more = f" The first {PANELS} problems are drawn; the CSV has all {count}." if count > PANELS else ""
    return (
        "Best proved gap so far against the time of the solver: 1 − lower bound / best objective known for the same "
        "data and γ (by any method, at any time). The mark is where the solver stopped. The gap need not reach zero: "
        "what remains is the looseness of the relaxation together with what the best network lacks. One data set drawn "
        f"and one seed for each curve; both axes are logarithmic.{more}"
    )


FIGURE = FigureKind("gap", "Proved gap against time by solver", data, draw, caption)


def solver_caption(frame: pd.DataFrame) -> str:
    """What the steps and single marks are."""
    count = frame.groupby(["problem", "gamma"]).ngroups
    more = f" The first {PANELS} problems are drawn; the CSV has all {count}." if count > PANELS else ""
    return (
        "Proved gap of the relaxation itself against the time of its solver: 1 − lower bound / smallest value of a "
        "strictly feasible point. A mark is where a solver stopped; one without a line says nothing on the way. One "
        f"data set drawn for each curve; both axes are logarithmic.{more}"
    )


SOLVERS = FigureKind("solver-gap", "The relaxation's own gap against time by solver", solver_data, draw, solver_caption)
