"""Which columns of the results are compared, which way is worse, and by how much they may get worse.

A config declares its own in a table `[tolerance]`, one number a column, such as `objective = 0.01`; `inf` switches a
column off. What it does not name has the default below. The tolerances of the candidate's config count.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from typing import Any, NamedTuple

from ...errors import unknown
from ..text import UsageError

LEAST_COUNT = 2  # iterations that never matter


class Checked(NamedTuple):
    """better: `higher` or `lower`. measure: `relative` to the base, `absolute`, or `count`, relative but at least 2."""

    name: str
    better: str
    measure: str
    tolerance: float


CHECKED = (
    Checked("lower_bound", "higher", "relative", 1e-4),
    Checked("objective", "lower", "relative", 5e-3),
    Checked("gap", "lower", "absolute", 1e-3),
    Checked("train_accuracy", "higher", "absolute", 5e-3),
    Checked("test_accuracy", "higher", "absolute", 5e-3),
    Checked("test_accuracy_paper", "higher", "absolute", 5e-3),
    Checked("balanced_accuracy", "higher", "absolute", 5e-3),
    Checked("train_r2", "higher", "absolute", 5e-3),
    Checked("test_r2", "higher", "absolute", 5e-3),
    Checked("test_rmse", "lower", "relative", 5e-3),
    Checked("iterations", "lower", "count", 0.1),
)
COSTS = ("runtime_s", "peak_memory_mb")


def worsening(column: Checked, base: float, cand: float) -> float:
    """How much worse the candidate is.

    Args:
        column: the compared column.
        base: value of the base.
        cand: value of the candidate.

    Returns:
        The difference in the units of the tolerance; negative if `cand` is better.
    """
    if base == cand:  # infinities too, whose difference is no number
        return 0.0
    worse = base - cand if column.better == "higher" else cand - base
    if math.isinf(worse) or column.measure == "absolute":
        return worse
    if column.measure == "count" and abs(worse) <= LEAST_COUNT:
        return 0.0
    return worse / abs(base) if base else math.copysign(math.inf, worse)


def check_tolerances(given: Mapping[str, Any]) -> dict[str, float]:
    """Check declared tolerances and add the defaults.

    Args:
        given: tolerances by column.

    Returns:
        The tolerance of every compared column.

    Raises:
        UsageError: an unknown column, or a value that is no tolerance.
    """
    tolerances = {column.name: column.tolerance for column in CHECKED}
    for name, value in given.items():
        if name not in tolerances:
            raise UsageError(unknown("column of [tolerance]", name, tolerances))
        if isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0:
            raise UsageError(f"tolerance.{name} must be a number ≥ 0 or inf. Got {value!r} instead.")
        tolerances[name] = float(value)
    return tolerances


def tolerances_of(spec: str, source: str) -> dict[str, float]:
    """The tolerances that a spec.toml declares, defaults where it says nothing.

    Args:
        spec: text of the spec.toml.
        source: where it is from, for the error.

    Returns:
        The tolerance of every compared column.

    Raises:
        UsageError: the text is no TOML, or a tolerance in it is wrong.
    """
    try:
        given = tomllib.loads(spec).get("tolerance", {})
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise UsageError(f"the spec.toml of {source} must be a TOML file. Got {error} instead.") from None
    if not isinstance(given, dict):
        raise UsageError(f"tolerance in the spec.toml of {source} must be a table. Got {given!r} instead.")
    return check_tolerances(given)
