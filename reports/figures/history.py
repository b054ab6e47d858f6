"""Pictures of the instances' bounds, by themselves and over time: not of a run, but of the histories that are kept."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .style import GRID, INK, PAPER, SOFT, canvas, legend, name_rows, only, panels, plain, titles

LOWER: dict[str, Any] = {"color": "#0072b2", "marker": "o"}
UPPER: dict[str, Any] = {"color": "#d55e00", "marker": "s"}
ROW, PANEL, ONE = 0.135, 1.15, 3.4  # inches: height of a row and of a panel, and width of a panel by itself


def intervals(frame: pd.DataFrame, width: float) -> Figure:
    """One row for each instance, the narrowest interval first: where its optimum can lie, and the bounds before.

    Args:
        frame: lines of histories, oldest first: instance, side (`lower` or `upper`), value.
        width: of the figure in inches.

    Returns:
        The figure; values are shown over the best network's objective, hollow where a better one followed.
    """
    best = frame[frame["side"] == "upper"].groupby("instance")["value"].min().rename("best")
    frame = frame.join(best, on="instance").dropna(subset=["best"])
    frame = frame.assign(value=frame["value"] / frame["best"])
    last = frame.groupby(["instance", "side"])["value"].last().unstack("side").reindex(columns=["lower", "upper"])
    names = list(last["lower"].fillna(0.0).sort_values(ascending=False, kind="stable").index)
    figure, axes = canvas(width, ROW * len(names) + 0.8)
    axis = axes[0, 0]
    name_rows(axis, names, 5.5)
    axis.hlines(range(len(names)), [last["lower"].fillna(0.0)[name] for name in names], 1, color=GRID, linewidth=4)
    for side, look in (("lower", LOWER), ("upper", UPPER)):
        part = frame[frame["side"] == side]
        newest = ~part["instance"].duplicated(keep="last")
        for rows, fill in ((part[~newest], PAPER), (part[newest], look["color"])):
            y = [names.index(name) for name in rows["instance"]]
            axis.plot(rows["value"], y, **look, markerfacecolor=fill, linestyle="none", markersize=3.5)
    room = max(1 - float(frame["value"].min()), 1e-9)  # no more of it for networks that are far behind
    axis.set_xlim(1 - 1.05 * room, 1 + 1.05 * min(max(float(frame["value"].max()) - 1, 0.05 * room), room))
    axis.ticklabel_format(axis="x", useOffset=False)
    figure.supxlabel("value / best network's objective", fontsize=7.5)
    marks = {
        "lower bound": LOWER,
        "network": UPPER,
        "earlier": {"color": SOFT, "marker": "o", "markerfacecolor": PAPER},
    }
    legend(figure, marks)
    return figure


def histories(frame: pd.DataFrame, width: float) -> Figure:
    """A panel for each instance: its bounds over time, in steps, and between them where the optimum is proved to lie.

    Args:
        frame: lines of histories, oldest first: instance, side, value, date (as 2026-01-31).
        width: of the figure in inches.

    Returns:
        The figure. Where all lines of an instance are of one day, they stand in their order.
    """
    names = list(dict.fromkeys(frame["instance"]))
    rows, columns = panels(width, len(names), 5)
    figure, axes = canvas(width, (PANEL if len(names) > 1 else 2 * PANEL) * rows + 0.45, rows, columns)
    for axis, name in zip(axes.flat, names, strict=False):
        _steps(axis, frame[frame["instance"] == name])
    titles(axes, names, width / columns)
    only(axes, len(names))
    legend(figure, {"lower bound": LOWER, "network": UPPER})
    return figure


def _steps(axis: Axes, lines: pd.DataFrame) -> None:
    """The steps of one instance."""
    days = [date.fromisoformat(day) for day in lines["date"]]
    if len(set(days)) > 1:
        at = np.array([(day - days[0]).days for day in days], dtype=float)
        end, ticks = at[-1] + max(1.0, 0.1 * at[-1]), {0.0: lines["date"].iloc[0], at[-1]: lines["date"].iloc[-1]}
    else:
        at = np.arange(len(lines), dtype=float)
        end, ticks = float(len(lines)), {(len(lines)) / 2: lines["date"].iloc[0]}
    sides = {}
    for side, look in (("lower", LOWER), ("upper", UPPER)):
        chosen = (lines["side"] == side).to_numpy()
        value = np.where(chosen, lines["value"], np.nan)
        running = np.fmax.accumulate(value) if side == "lower" else np.fmin.accumulate(value)
        sides[side] = np.append(running, running[-1])
        axis.step(np.append(at, end), sides[side], where="post", color=look["color"])
        axis.plot(at[chosen], lines["value"][chosen], **look, linestyle="none", markersize=3)
    axis.fill_between(np.append(at, end), sides["lower"], sides["upper"], step="post", color=GRID, zorder=0)
    axis.set_xticks(list(ticks), [plain(text) for text in ticks.values()], fontsize=5.5)
    axis.tick_params(axis="y", labelsize=5.5)
    axis.set_xlim(-0.03 * end, end)
    axis.spines["bottom"].set_color(INK)
