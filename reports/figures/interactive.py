"""A figure made ready for the page's script: its description, its rows, thinned, and its looks in plotly's words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

import pandas as pd

from .charts import CHARTS, Chart
from .distribution import CURVES
from .kind import Looks
from .looks import method_looks
from .style import OTHER_LOOKS, choice_looks, gamma_looks

SYMBOLS = {  # matplotlib's marker: plotly's symbol
    **{"o": "circle", "s": "square", "^": "triangle-up", "v": "triangle-down", "<": "triangle-left"},
    **{">": "triangle-right", "D": "diamond", "d": "diamond-tall", "P": "cross", "X": "x", "*": "star"},
    **{"p": "pentagon", "h": "hexagon", "H": "hexagon2", "8": "octagon", ".": "circle", "": "circle"},
}
FILLS = {"full": "", "none": "-open", "left": "-dot", "right": "-open-dot", "top": "-dot", "bottom": "-open-dot"}
DASHES = {"-": "solid", "--": "dash", "-.": "dashdot", ":": "dot"}
THIN = 60  # points of a line in the page
MOST = 6000  # rows of a figure in the page


def described(name: str, frame: pd.DataFrame, looks: Looks) -> tuple[dict[str, Any], pd.DataFrame] | None:
    """Describe a figure to the page's script.

    Args:
        name: of the figure.
        frame: its rows.
        looks: of methods and arms, as matplotlib's keyword arguments.

    Returns:
        The description, ready for JSON, and the rows to draw; None for a figure that stays a picture. `left_out` says
        how many rows are not among them, of lines with more than THIN points or figures with more than MOST rows.
    """
    chart = CHARTS.get(name)
    if chart is None:
        return None
    rows = (chart.prepare(frame) if chart.prepare else frame).dropna(subset=[chart.series])
    kept = _thinned(rows, chart)
    names = list(dict.fromkeys(kept[chart.series]))
    order = {name: k for k, name in enumerate(looks)}
    names.sort(key=lambda name: -name if chart.looks == "gamma" else order.get(name, len(order)))
    found = {key: value for key, value in asdict(chart).items() if key != "prepare"}
    found |= {"looks": [_look(look) for look in _looks(chart, names, looks)], "names": names}
    return {**found, "left_out": len(rows) - len(kept)}, kept


def _thinned(rows: pd.DataFrame, chart: Chart) -> pd.DataFrame:
    """At most THIN points of a line, evenly taken with its last, and at most MOST rows."""
    if chart.line and not chart.share and len(rows):
        keys = list(dict.fromkeys([*chart.panels, *chart.lines, chart.series]))
        groups = rows.groupby(keys, dropna=False, sort=False)
        place, size = groups.cumcount(), groups[chart.x].transform("size")
        step = -(-size // THIN)
        rows = rows[(place % step == 0) | (place == size - 1)]
    return rows.iloc[:: -(-len(rows) // MOST)] if len(rows) > MOST else rows


def _looks(chart: Chart, names: list[Any], looks: Looks) -> Iterable[Mapping[str, Any]]:
    """The look of each series, the same as in the picture."""
    if chart.looks == "gamma":
        return [gamma_looks(names)[name] for name in names]
    if chart.looks == "choice":
        return [choice_looks(names)[name] for name in names]
    if chart.share:
        like = {words: (method, line) for words, method, line in CURVES.values()}
        known = {**looks, **method_looks(["sgd", "sdp", "branch"])}
        return [{**known.get(like[name][0], OTHER_LOOKS[0]), "linestyle": like[name][1]} for name in names]
    known = {**method_looks(names), **looks}
    return [known[name] for name in names]


def _look(look: Mapping[str, Any]) -> dict[str, str]:
    """plotly's words for matplotlib's."""
    line = look.get("linestyle", "-")
    dash = DASHES[line] if isinstance(line, str) else ",".join(f"{2 * length}px" for length in line[1])
    symbol = SYMBOLS[look.get("marker", "o")] + FILLS[look.get("fillstyle", "full")]
    return {"color": look["color"], "symbol": symbol, "dash": dash}
