"""Rows of records → the tables of results and tightness: what depends on more than one row is computed here."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd

from ...solvers.fit import ENDED_EARLY, Status
from ..grid.model import MODEL
from .columns import COLUMNS, GROUP, TIGHTNESS_COLUMNS, Column

LITERAL = "cvxpy-scs"  # the solver that the paper's authors used on real data
ACCURATELY = ("random", "spiral")  # data on which they used MOSEK
UPPER = ("objective", "upper_bound")  # the columns that bound p*(∞) from above
COME_TO_AN_END = (Status.OK, Status.STALLED, Status.ITERATION_LIMIT)  # by themselves, whatever the clock
EXACT = 1e-2  # the largest proved gap at which the value of method cpp is called exact
ROUNDING = 1e-9  # relative: by how much that value may lie below the bound
FORMULA = r"('*[=+\-@\t\r])"  # how a text begins that a spreadsheet takes for a formula, quoted once or more, or not
BARE = {"data": ("[0-9a-f]{12}", "sha256:"), "machine": ("[0-9a-f]{8}", "m")}  # digits alone, and what marks them now
DTYPES = {"str": "string", "int": "Int64", "float": "float64", "bool": "boolean"}


def frame(rows: Sequence[dict[str, object]], columns: Sequence[Column] = COLUMNS) -> pd.DataFrame:
    """Make a DataFrame of exactly these columns, in this order, each of its kind.

    Args:
        rows: values by column; what a row lacks is missing.
        columns: the columns.

    Returns:
        The table.
    """
    return pd.DataFrame(
        {
            column.name: pd.Series([row.get(column.name) for row in rows], dtype=DTYPES[column.kind])
            for column in columns
        }
    )


def marked(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as this version writes it, so that it can be joined with those of earlier ones.

    They wrote hashes as digits alone, which are marked as text here, and knew one activation and one loss.

    Args:
        row: values by column.

    Returns:
        A new row.
    """
    known = {name: usual for name, usual in MODEL.items() if row.get(name) is None}
    return {name: _mark(name, value) for name, value in row.items()} | known


def marked_table(table: pd.DataFrame) -> pd.DataFrame:
    """The same for all rows of a table."""
    names = [name for name in BARE if name in table.columns]
    columns = {name: table[name].map(lambda value, name=name: _mark(name, value)) for name in names}
    columns |= {name: table[name].fillna(usual) for name, usual in MODEL.items() if name in table.columns}
    return table.assign(**{name: column.astype(table[name].dtype) for name, column in columns.items()})


def _mark(name: str, value: Any) -> Any:
    pattern, mark = BARE.get(name, ("", ""))
    return mark + value if pattern and isinstance(value, str) and re.fullmatch(pattern, value) else value


def results_table(rows: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """The table of results, with both gaps, to the best bounds of the group, filled in.

    Args:
        rows: rows of records.

    Returns:
        COLUMNS, one row a cell.
    """
    table = marked_table(frame(rows))
    return table.assign(
        gap=_relative(best_upper_bounds(table), table["lower_bound"]),
        gap_own=_relative(table["objective"], _of_group(table, table["lower_bound"], "max")),
    )


def _relative(upper: pd.Series, lower: pd.Series) -> pd.Series:
    """(upper − lower)/upper; missing where either is, or where that is no number."""
    with np.errstate(divide="ignore", invalid="ignore"):
        gap = (upper - lower) / upper
    return gap.where(np.isfinite(gap))


def as_csv(table: pd.DataFrame) -> pd.DataFrame:
    """Put an apostrophe before each text that a spreadsheet would run as a formula.

    Args:
        table: any table.

    Returns:
        A new table; `from_csv` turns it back.
    """
    return table.assign(**_replaced(table, f"^{FORMULA}", r"'\1"))


def from_csv(table: pd.DataFrame) -> pd.DataFrame:
    """What `as_csv` was given."""
    return table.assign(**_replaced(table, f"^'{FORMULA}", r"\1"))


def _replaced(table: pd.DataFrame, pattern: str, by: str) -> dict[str, pd.Series]:
    texts = table.select_dtypes("string")
    return {str(name): texts[name].str.replace(pattern, by, regex=True) for name in texts}


def best_upper_bounds(results: pd.DataFrame) -> pd.Series:
    """The smallest objective of any network known in the group of each row.

    Args:
        results: as from `load_results`.

    Returns:
        A value for each row; missing where there is no network.
    """
    return _of_group(results, results[list(UPPER)].min(axis=1), "min")


def _of_group(results: pd.DataFrame, values: pd.Series, extreme: Literal["min", "max"]) -> pd.Series:
    """For each row the smallest or largest of the values of its group."""
    return values.groupby([results[name] for name in GROUP]).transform(extreme)


def tightness_table(results: pd.DataFrame) -> pd.DataFrame:
    """How tight the bounds of each group are.

    Args:
        results: as from `load_results`.

    Returns:
        TIGHTNESS_COLUMNS, one row a group: best bounds on either side, ratios, and the exact value if there is one.
    """
    groups = [_tightness(group) for _, group in results.groupby(GROUP, sort=False)]
    return frame(groups, TIGHTNESS_COLUMNS)


def brought_nothing(row: Mapping[Any, Any]) -> bool:
    """Whether a row counts as failed.

    Args:
        row: a row of results.

    Returns:
        True for `failed`, `memory`, `diverged`, or ended early with neither network nor bound.
    """
    if row["status"] in ENDED_EARLY:
        return bool(pd.isna(row["objective"]) and pd.isna(row["lower_bound"]))
    return row["status"] in (Status.FAILED, Status.MEMORY, Status.DIVERGED)


def _tightness(group: pd.DataFrame) -> dict[str, Any]:
    first = group.iloc[0]
    lower = _extreme(group, "lower_bound", largest=True)
    upper = _extreme(group.assign(best=group[list(UPPER)].min(axis=1)), "best", largest=False)
    sgd = _extreme(group[group["method"] == "sgd"], "objective", largest=False)
    relaxations = group[(group["method"] == "sdp") & ~group["options"].map(_has_cuts).astype(bool)]
    literal = relaxations["solver"].fillna("") == LITERAL
    published, ours = (_extreme(relaxations[part], "relaxation_value", largest=True) for part in (literal, ~literal))
    relaxation = ours or published
    if not published or first["dataset"] in ACCURATELY:
        published = relaxation
    exact = _extreme(group[_exact(group)], "relaxation_value", largest=False)
    value = relaxation.get("relaxation_value")
    return {
        **{column.name: first[column.name] for column in TIGHTNESS_COLUMNS if column.name in first.index},
        "lower_bound": lower.get("lower_bound"),
        "lower_method": lower.get("method"),
        "upper_bound": upper.get("best"),
        "upper_method": upper.get("method"),
        "certified_ratio": _ratio(lower.get("lower_bound"), upper.get("best")),
        "relaxation_value": value,
        "paper_ratio": _ratio(published.get("relaxation_value"), sgd.get("objective")),
        "exact_value": exact.get("relaxation_value"),
        "sdp_over_exact": _ratio(value, exact.get("relaxation_value")),
    }


def _exact(group: pd.DataFrame) -> pd.Series:
    """Which rows know the exact value: those of method cpp that proved it as closely as they were asked to.

    The gap asked for, or EXACT where that is larger, has to hold the whole proved interval, up to the best network of
    the group, and the value itself, which is only what the solver reports.
    """
    asked = group["options"].map(_gap_asked_for).astype(float)
    value, lower = group["relaxation_value"], group["lower_bound"]
    within = (value - lower <= asked * value) & (value >= lower * (1 - ROUNDING))
    ended = (group["method"] == "cpp") & group["status"].isin(COME_TO_AN_END)
    return (ended & (group["gap"] <= asked) & within).fillna(False).astype(bool)


def _gap_asked_for(text: Any) -> float:
    gap = _options(text).get("gap", EXACT)
    return min(gap, EXACT) if isinstance(gap, int | float) else math.nan


def _has_cuts(text: Any) -> bool:
    """Whether the options of a cell ask for cuts, which tighten the relaxation."""
    return bool(_options(text).get("cuts"))


def _options(text: Any) -> dict[str, Any]:
    try:
        found = json.loads(text or "{}")
    except (ValueError, TypeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _extreme(group: pd.DataFrame, column: str, *, largest: bool) -> dict[str, Any]:
    """The row with the extreme value of a column; empty if no row has one."""
    known = group[group[column].notna()]
    if known.empty:
        return {}
    values = known[column].to_numpy()
    row = known.iloc[int(values.argmax() if largest else values.argmin())]
    return {str(name): value for name, value in row.items()}


def _ratio(numerator: float | None, denominator: float | None) -> float | None:
    return numerator / denominator if numerator is not None and denominator else None
