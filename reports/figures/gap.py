"""Proved gap against time, from the traces: how soon a solver's bound closes in on the best network known.

And, where the relaxation ran with several solvers, on the relaxation's own value, which takes its looseness out.
"""

from collections.abc import Iterator

import pandas as pd
from matplotlib.figure import Figure

from ..results import Results
from ..summary import OURS, best_known, ordered, series, stage
from .kind import FigureKind, NothingToShow, left_out
from .style import PANELS, around, canvas, legend, log_x, log_y, only, panels, titles

TRACES = 400  # read at most
SMALLEST = 1e-9  # gaps below are drawn here


def data(results: Results) -> pd.DataFrame:
    """Best proved gap so far for each problem, γ and solver: 1 − bound / best known objective, at every improvement.

    One cell stands for the relaxation that several share, and one draw for the others of its kind.
    """
    curves = [curve for row, curve in _cells(results.cells, best_known(results), results) if curve is not None]
    if not curves:
        raise NothingToShow("No cell has a trace with proved bounds and a best known objective to compare them with.")
    return ordered(pd.concat(curves), "method", "arm", "seconds")


def solver_data(results: Results) -> pd.DataFrame:
    """The same for the solvers of one relaxation: 1 − bound / smallest strictly feasible value of our solver.

    A solver without a trace has a single row, for its end.
    """
    cells = results.cells[stage(results.cells) == "sdp"].dropna(subset=["lower_bound", "gamma"])
    value = cells[cells["solver"].isin(OURS)].groupby(["data", "gamma"])["relaxation_value"].min().rename("best")
    if cells["solver"].nunique() < 2 or value.empty:
        raise NothingToShow("The relaxation did not run with our solver and another one.")
    curves = [
        pd.DataFrame([{**_keys(row), "seconds": row["solve_s"], "gap": 1 - row["lower_bound"] / row["best"]}])
        if curve is None
        else curve
        for row, curve in _cells(cells, value[value > 0], results)
    ]
    if not curves:
        raise NothingToShow("No relaxation that our solver solved has a proved bound.")
    return ordered(pd.concat(curves), "method", "arm", "seconds")


def _cells(cells: pd.DataFrame, best: pd.Series, results: Results) -> Iterator[tuple[dict, pd.DataFrame | None]]:
    """One cell for each problem, γ and line, with `best` of its (data, γ), and the curve of its trace if it has one."""
    cells = cells.dropna(subset=["lower_bound", "gamma"]).join(best, on=["data", "gamma"]).dropna(subset=["best"])
    cells = cells.assign(arm=series(cells, rounded=False))
    cells = cells.sort_values(["data_seed", "seed", "width"], kind="stable")
    for row in cells.drop_duplicates(["problem", "gamma", "arm"]).head(TRACES).to_dict("records"):
        yield row, _curve(results, row)


def _keys(row: dict) -> dict:
    return {name: row[name] for name in ("problem", "gamma", "method", "arm")}


def _curve(results: Results, row: dict) -> pd.DataFrame | None:
    trace = results.trace(row["cell"])
    trace = trace[(trace["stage"] == "solve") & trace["bound"].notna()]
    if trace.empty:
        return None
    gap = 1 - trace["bound"].cummax() / row["best"]
    curve = pd.DataFrame(_keys(row), index=trace.index).assign(seconds=trace["seconds"], gap=gap)
    return curve[~curve["gap"].duplicated() | (curve.index == curve.index[-1])]


def draw(frame: pd.DataFrame, looks: dict, width: float) -> Figure:
    """One panel for each problem and γ, logarithmic both ways."""
    frame = frame.assign(gap=frame["gap"].clip(SMALLEST, 1))
    wanted = list(frame.groupby(["problem", "gamma"], sort=False))[:PANELS]
    rows, columns = panels(width, len(wanted), 4)
    figure, axes = canvas(width, rows * 1.45 + 0.5, rows, columns, sharey=True, sharex=True)
    shown = pd.concat([part for _, part in wanted])
    for axis, (_, part) in zip(axes.flat, wanted, strict=False):
        for arm, curve in part.groupby("arm", sort=False):
            look = looks[arm]
            axis.step(curve["seconds"], curve["gap"], where="post", color=look["color"], linestyle=look["linestyle"])
            axis.plot(curve["seconds"].iloc[-1], curve["gap"].iloc[-1], **{**look, "linestyle": "none"})
    titles(axes, [f"{problem}\nγ = {gamma:g}" for (problem, gamma), _ in wanted], width / columns)
    seconds = shown["seconds"][shown["seconds"] > 0]
    log_x(axes[0, 0], *around(seconds, 1.3), most=4) if len(seconds) else None
    low, high = around(shown["gap"], 1.5)
    log_y(axes[0, 0], low, min(1.3, high))
    only(axes, len(wanted))
    figure.supxlabel("seconds", fontsize=7.5)
    figure.supylabel("proved gap", fontsize=7.5)
    legend(figure, {arm: look for arm, look in looks.items() if (shown["arm"] == arm).any()}, lines=True)
    return figure


def caption(frame: pd.DataFrame) -> str:
    """What the steps are."""
    return (
        "Best proved gap so far against the time of the solver: 1 − lower bound / best objective known for the same "
        "data and γ (by any method, at any time). The mark is where the solver stopped. The gap need not reach zero: "
        "what remains is the looseness of the relaxation together with what the best network lacks. One data set drawn "
        f"and one seed for each curve; both axes are logarithmic.{left_out(frame, PANELS, 'the first')}"
    )


FIGURE = FigureKind("gap", "Proved gap against time by solver", data, draw, caption)


def solver_caption(frame: pd.DataFrame) -> str:
    """What the steps and single marks are."""
    return (
        "Proved gap of the relaxation itself against the time of its solver: 1 − lower bound / smallest value of a "
        "strictly feasible point. A mark is where a solver stopped; one without a line says nothing on the way. One "
        f"data set drawn for each curve; both axes are logarithmic.{left_out(frame, PANELS, 'the first')}"
    )


SOLVERS = FigureKind("solver-gap", "The relaxation's own gap against time by solver", solver_data, draw, solver_caption)
