"""Decision regions for data in the plane: what each method learned, with the directions of the network's neurons."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.figure import Figure

from ...bench.grid.model import slope_below
from ..results import Array, Results
from ..summary import chosen
from .arccosine import hidden, ridge_scores
from .kind import FigureKind, NothingToShow
from .style import INK, OTHER_LOOKS, PAPER, SOFT, canvas, only, panels, titles

GRID = 80  # points along each side
NEURONS = 40  # drawn at most, the heaviest first
METHODS = 6  # drawn at most


def data(results: Results) -> pd.DataFrame:
    """Class at each point of a grid, the training rows and the neurons, for one or two plane data sets with labels.

    kind `grid` and `row`: point (x, y) and `value`, the class. kind `neuron`: u in (x, y), its offset where there is
    a bias column, and `value`, its weight ‖u‖‖v‖ over the largest.
    """
    cells = chosen(results.done).dropna(subset=["test_accuracy", "gamma"])
    cells = cells[cells["d"] - cells["bias"] == 2]
    parts: list[pd.DataFrame] = []
    for _, same in _rows(cells):
        found = same[same["data"] == same["data"].iloc[0]].drop_duplicates("method")
        parts += [part for row in found.to_dict("records") if (part := _method(results, row)) is not None]
    if not parts:
        raise NothingToShow("No data set in the plane (d = 2) with labels whose data and networks can be read.")
    return pd.concat(parts)


def _rows(cells: pd.DataFrame) -> list[tuple[Any, pd.DataFrame]]:
    """The rows of panels: two problems at their smallest γ, or one at its largest and its smallest."""
    found: list[tuple[Any, pd.DataFrame]] = list(cells.sort_values("gamma").groupby(["problem", "gamma"]))
    first = [item for k, item in enumerate(found) if k == 0 or item[0][0] != found[k - 1][0][0]]
    return first[:2] if len(first) > 1 else [found[-1], found[0]] if len(found) > 1 else found


def _method(results: Results, row: dict) -> pd.DataFrame | None:
    """The rows of one cell, or None if its data or its network cannot be read."""
    found, network = results.data(row["cell"]), results.network(row["cell"])
    ridge = float(results.info(row["cell"]).get("ridge") or "nan")  # of the kernels
    if found is None or (network is None and (row["method"] not in ("nngp", "ntk") or np.isnan(ridge))):
        return None
    X, Y = found
    reach = 1.08 * float(np.abs(X[:, :2]).max())
    side = np.linspace(-reach, reach, GRID)
    points = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    Z = np.column_stack([points, np.ones(len(points))]) if row["bias"] else points
    below = slope_below(row["activation"])
    if network is None:
        scores = ridge_scores(row["method"], X, Y, ridge, Z, below)
    else:
        scores = hidden(Z, network[0], below) @ network[1]
    keys = {name: row[name] for name in ("problem", "gamma", "method", "arm")}
    parts = [_points("grid", points, scores.argmax(axis=1)), _points("row", X[:, :2], Y.argmax(axis=1))]
    if network is not None:
        parts.append(_neurons(*network))
    return pd.concat(parts).assign(**keys)[[*keys, "kind", "x", "y", "offset", "value"]]


def _points(kind: str, points: Array, value: np.ndarray) -> pd.DataFrame:
    x, y = np.round(points, 6).T
    return pd.DataFrame({"kind": kind, "x": x, "y": y, "offset": np.nan, "value": value})


def _neurons(U: Array, V: Array) -> pd.DataFrame:
    weight = np.linalg.norm(U, axis=0) * np.linalg.norm(V, axis=1)
    heavy = np.argsort(-weight)[:NEURONS]
    heavy = heavy[weight[heavy] > 0.01 * weight.max()]
    offset = U[2, heavy] if len(U) > 2 else np.nan
    share = weight[heavy] / weight.max()
    return pd.DataFrame({"kind": "neuron", "x": U[0, heavy], "y": U[1, heavy], "offset": offset, "value": share})


def draw(frame: pd.DataFrame, looks: dict, width: float) -> Figure:
    """One panel a method and γ: regions pale, rows as points, neurons as rays (or, with a bias, as lines)."""
    lines = list(dict.fromkeys(zip(frame["problem"], frame["gamma"], strict=True)))
    methods = [name for name in looks if (frame["method"] == name).any()][:METHODS]
    wanted = [(problem, gamma, method) for problem, gamma in lines for method in methods]
    rows, columns = panels(width, len(wanted), min(len(methods), 6) if len(methods) > 2 else 4)
    figure, axes = canvas(width, rows * (width / columns + 0.32) + 0.1, rows, columns)
    count = int(frame.loc[frame["kind"] != "neuron", "value"].max()) + 1
    palette = (["#0072b2", "#e69f00", "#009e73"] + [look["color"] for look in OTHER_LOOKS]) * (1 + count // 8)
    shades = {"cmap": ListedColormap(palette[:count]), "norm": BoundaryNorm(np.arange(count + 1) - 0.5, count)}
    for axis, (problem, gamma, method) in zip(axes.flat, wanted, strict=False):
        part = frame[(frame["problem"] == problem) & (frame["gamma"] == gamma) & (frame["method"] == method)]
        axis.set_aspect("equal")
        axis.set_xticks([])
        axis.set_yticks([])
        if part.empty:
            axis.text(0.5, 0.5, "nothing to draw", transform=axis.transAxes, ha="center", va="center", color=SOFT)
            continue
        grid = part[part["kind"] == "grid"]
        classes = grid.pivot_table(index="y", columns="x", values="value")
        reach = classes.columns.max()
        axis.pcolormesh(classes.columns, classes.index, classes, alpha=0.3, rasterized=True, linewidth=0, **shades)
        _draw_neurons(axis, part[part["kind"] == "neuron"], reach)
        rows_ = part[part["kind"] == "row"]
        axis.scatter(
            rows_["x"], rows_["y"], c=rows_["value"], s=9, edgecolors=PAPER, linewidths=0.4, zorder=3, **shades
        )
        axis.set_xlim(-reach, reach)
        axis.set_ylim(-reach, reach)
    titles(axes, [f"{method}\n{problem}, γ = {gamma:g}" for problem, gamma, method in wanted], width / columns)
    only(axes, len(wanted))
    return figure


def _draw_neurons(axis: Axes, neurons: pd.DataFrame, reach: float) -> None:
    """Rays from the origin; where there is a bias, the lines on which the neurons switch."""
    columns = neurons[["x", "y", "offset", "value"]].to_numpy()
    for u, offset, weight in zip(columns[:, :2], columns[:, 2], columns[:, 3], strict=True):
        length = np.linalg.norm(u)
        if np.isnan(offset):
            tip = reach * u / length * max(weight, 0.15)
            axis.plot([0, tip[0]], [0, tip[1]], color=INK, linewidth=0.4 + 0.8 * weight, alpha=0.7)
        else:
            foot, along = -offset * u / length**2, np.array([-u[1], u[0]])
            axis.axline(foot, foot + along, color=INK, linewidth=0.3 + 0.5 * weight, alpha=0.15 + 0.4 * weight)


def caption(frame: pd.DataFrame) -> str:
    """What is drawn, and of which data."""
    return (
        "What each method learned from data in the plane (one draw, first seed): the background is the class "
        "that the method gives a point, the dots are the training rows in the colour of their label. Rays from the "
        f"origin are the directions of the network's heaviest neurons (at most {NEURONS}), longer and thicker for "
        "larger ‖u‖‖v‖; with a bias column, lines show where a neuron switches. Kernels have no neurons. Regions are "
        "cones where there is no bias, since all these models are then homogeneous."
    )


FIGURE = FigureKind("regions", "Decision regions and neurons in the plane", data, draw, caption)
