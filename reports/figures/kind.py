"""What a figure is: a name, the rows behind it, the drawing of those rows, and its caption."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from ..results import Results

Looks = dict[str, dict[str, Any]]


class NothingToShow(Exception):
    """The results hold nothing for this figure; the text says what would be needed."""


@dataclass(frozen=True)
class FigureKind:
    """One figure of the report.

    data: Results → the rows that are drawn, raising NothingToShow. draw: (rows, looks, width in inches) → figure;
    looks are matplotlib's keyword arguments for each method and arm. `draw` uses only its arguments and what its
    module imports from `style`, because the script beside the figure carries a copy. caption: rows → text. methods:
    whose looks it uses although no row names them.
    """

    name: str
    title: str
    data: Callable[[Results], pd.DataFrame]
    draw: Callable[[pd.DataFrame, Looks, float], Figure]
    caption: Callable[[pd.DataFrame], str]
    methods: tuple[str, ...] = ()


def left_out(frame: pd.DataFrame, most: int, which: str) -> str:
    """Say in a caption that not all problems (data and γ) are drawn.

    Args:
        frame: the data of the figure.
        most: how many problems are drawn.
        which: which ones these are, in words.

    Returns:
        The end of the caption; empty where all are drawn.
    """
    count = frame.groupby(["problem", "gamma"]).ngroups
    return f" Of {count} problems {most} are drawn, {which}; the CSV has all." if count > most else ""
