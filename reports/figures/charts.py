"""The figures that can be looked into on the page: which columns of a figure's rows are what.

A description and no drawing: the page's script makes traces of plotly's out of it. Figures whose picture says all, or
that are made of areas (heat maps, regions, diagrams of ranks), have none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pandas as pd

from .distribution import CURVES, REPORTED
from .width import CLOSE

GROUP = {"problem": "problem", "gamma": "gamma", "method": "method"}


@dataclass(frozen=True)
class Chart:
    """Columns of a figure's rows and what they stand for.

    x, y: values along the axes. rows: columns whose values are named along the y axis instead. series: what the
    legend names. titles: of both axes. panels: a panel for each value. lines: what parts lines of a series. low, high:
    ends of the bars around the value; x_error, y_error: their half lengths. log: the axes that are logarithmic, of
    `xy`. line: empty (points), `linear` or `hv` (steps). band: low and high as an area. hollow: (column, value) of
    hollow marks, which are ends as the others are beginnings. bound: a column drawn as a level across its panel.
    enough: the smallest x whose y is at most this is marked. slope: a column, of lines fitted in logarithms. median:
    large marks for the medians of a row. at: a line at this value of x. share: y is the share of the line's rows with
    at most this x. diagonal: a line where both are equal. apart: every panel has axes of its own. looks: of what the
    series are, `method`, `gamma` or `choice`. behind: column of the rows → column of the cells that a point stands
    for; empty where a point stands for no cells. prepare: makes the rows out of the figure's own.
    """

    x: str
    y: str
    series: str
    titles: tuple[str, str]
    rows: tuple[str, ...] = ()
    panels: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    low: str = ""
    high: str = ""
    x_error: str = ""
    y_error: str = ""
    log: str = ""
    line: str = ""
    band: bool = False
    hollow: tuple[str, str] | None = None
    bound: str = ""
    enough: float | None = None
    slope: str = ""
    median: bool = False
    at: float | None = None
    share: bool = False
    diagonal: bool = False
    apart: bool = False
    looks: str = "method"
    behind: Mapping[str, str] = field(default_factory=dict)
    prepare: Callable[[pd.DataFrame], pd.DataFrame] | None = None


def _ratios(frame: pd.DataFrame) -> pd.DataFrame:
    """A row for each ratio of a group."""
    words = {column: said for column, (said, _, _) in CURVES.items() if frame[column].notna().any()}
    long = frame.rename(columns=words).melt(
        ["problem", "data", "gamma"], list(words.values()), var_name="ratio", value_name="value"
    )
    return long.dropna(subset=["value"])


def _middle(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(middle=(frame["low"] + frame["high"]) / 2).drop(columns="base", errors="ignore")


def _measures(frame: pd.DataFrame) -> pd.DataFrame:
    """A row for the objective and one for the seconds of each rounding."""
    seconds = frame.assign(mean=frame["round_s"].clip(1e-4), low=float("nan"), high=float("nan"))
    measures = {"training objective / best known": frame, "seconds to round": seconds}
    return pd.concat([part.assign(measure=name) for name, part in measures.items()]).drop(columns="round_s")


def _from_the_edge(frame: pd.DataFrame) -> pd.DataFrame:
    """No noise at the left edge of the logarithmic axis, as in the picture."""
    least = frame["value"].where(frame["value"] > 0).groupby(frame["kind"]).transform("min")
    return frame.assign(at=frame["value"].clip(least / 10))


def _scores(title: str, at: float | None = None) -> Chart:
    return Chart(
        "mean",
        "",
        "method",
        (title, ""),
        rows=("problem",),
        panels=("gamma",),
        low="low",
        high="high",
        at=at,
        behind={**GROUP, "arm": "arm"},
    )


def _against(title: str) -> Chart:
    return Chart(
        "rival_score",
        "score",
        "method",
        (f"test {title} of the rival", f"test {title} of the reference"),
        panels=("method",),
        x_error="rival_error",
        y_error="error",
        diagonal=True,
        behind={"problem": "problem", "method": "method"},
    )


def _gap(title: str) -> Chart:
    return Chart(
        "seconds",
        "gap",
        "arm",
        ("seconds", title),
        panels=("problem", "gamma"),
        log="xy",
        line="hv",
        behind={**GROUP, "arm": "relaxation"},
    )


CHARTS = {
    "accuracy": _scores("test accuracy"),
    "r2": _scores("test R²"),
    "accuracy-paper": _scores("test accuracy, paper protocol (optimistic)"),
    "optimism": _scores("paper protocol − holdout, in test accuracy", 0.0),
    "against": _against("accuracy"),
    "against-r2": _against("R²"),
    "ratio": Chart(
        "certified_ratio",
        "",
        "gamma",
        ("certified ratio: proved lower bound / best network", ""),
        rows=("problem",),
        at=1.0,
        median=True,
        looks="gamma",
        behind={"data": "data", "gamma": "gamma"},
    ),
    "interval": Chart(
        "mean",
        "",
        "method",
        ("value / best known objective", ""),
        rows=("problem", "gamma"),
        low="low",
        high="high",
        log="x",
        hollow=("side", "upper"),
        at=1.0,
        behind=GROUP,
    ),
    "width": Chart(
        "width",
        "mean",
        "series",
        ("width m", "training objective / best known"),
        panels=("problem", "gamma"),
        low="low",
        high="high",
        log="xy",
        line="linear",
        bound="bound",
        enough=CLOSE,
        behind={**GROUP, "series": "line", "width": "width"},
    ),
    "distribution": Chart(
        "value",
        "share",
        "ratio",
        ("ratio", "share of problems"),
        panels=("gamma",),
        line="hv",
        at=REPORTED,
        share=True,
        behind={"data": "data", "gamma": "gamma"},
        prepare=_ratios,
    ),
    "scaling": Chart(
        "value",
        "middle",
        "gamma",
        ("", "relaxation / optimum"),
        panels=("factor",),
        low="low",
        high="high",
        log="x",
        line="linear",
        apart=True,
        looks="gamma",
        prepare=_middle,
    ),
    "activations": Chart(
        "below",
        "middle",
        "gamma",
        ("slope below 0", "relaxation / optimum"),
        panels=("sizes",),
        low="low",
        high="high",
        line="linear",
        apart=True,
        looks="gamma",
        prepare=_middle,
    ),
    "gap": _gap("proved gap"),
    "solver-gap": _gap("proved gap of the relaxation"),
    "profile": Chart(
        "factor",
        "mean",
        "method",
        ("factor of the best", "share of problems"),
        panels=("measure",),
        low="low",
        high="high",
        log="x",
        line="hv",
        band=True,
        apart=True,
    ),
    "tradeoff": Chart(
        "seconds",
        "accuracy",
        "method",
        ("seconds", "test accuracy"),
        panels=("problem", "gamma"),
        lines=("series",),
        low="low",
        high="high",
        log="x",
        line="linear",
        behind={**GROUP, "arm": "arm"},
    ),
    "runtime": Chart(
        "n",
        "median",
        "arm",
        ("training rows n", "seconds"),
        slope="slope",
        low="low",
        high="high",
        log="xy",
        behind={"problem": "problem", "gamma": "gamma", "arm": "timed", "n": "n"},
    ),
    "rounding": Chart(
        "mean",
        "",
        "rounding",
        ("", ""),
        rows=("problem", "gamma", "method"),
        panels=("measure",),
        low="low",
        high="high",
        log="x",
        apart=True,
        looks="choice",
        behind={**GROUP, "rounding": "rounding"},
        prepare=_measures,
    ),
    "rounding-noise": Chart(
        "at",
        "mean",
        "rounding",
        ("", "training objective / proved bound"),
        panels=("kind",),
        log="xy",
        line="linear",
        apart=True,
        looks="choice",
        prepare=_from_the_edge,
    ),
    "trends": Chart(
        "night",
        "change",
        "method",
        ("night", "change since the first night"),
        panels=("metric",),
        lines=("machine", "cell"),
        line="linear",
        apart=True,
    ),
}
