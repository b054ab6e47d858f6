"""The plan of a folder: the cells of the last run, and those of earlier runs that have ended and are others.

A cell of an earlier run gives way to one of the last that was asked for in the same words and came out with another
hash, because its code or its data have changed since.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from ..canonical import canonical
from ..grid.model import model_of

Row = dict[str, Any]

ASKED = ("dataset", "data_seed", "preprocess", "bias", "method", "gamma", "gamma_by", "width", "seed")


def united(plan: Sequence[Row], earlier: Iterable[Row]) -> list[Row]:
    """Unite a plan with those of earlier runs.

    Args:
        plan: rows of the plan.
        earlier: rows of earlier plans.

    Returns:
        The plan, then the earlier rows that none of it takes the place of.
    """
    rivals: dict[str, list[Row]] = defaultdict(list)
    for row in plan:
        for place in _places(row):
            rivals[place].append(row)

    def replaced(old: Row) -> bool:
        return any(_same_options(row, old) for place in _places(old) for row in rivals.get(place, ()))

    return [*plan, *(old for old in earlier if not replaced(old))]


def _places(row: Row) -> list[str]:
    """What was asked for but for the options, twice: on these data, and on data asked for in these words."""
    asked = [*(row.get(name) for name in ASKED), *model_of(row).values()]
    return [canonical([asked, name, row[name]]) for name in ("data", "data_asked") if row.get(name) is not None]


def _same_options(row: Row, old: Row) -> bool:
    """Whether the options are the same, or only one side knows some of them because its code is another."""
    if row.get("options") == old.get("options"):
        return True
    mine, others = _options(row), _options(old)
    return row.get("code") != old.get("code") and all(
        mine[name] == others[name] for name in mine.keys() & others.keys()
    )


def _options(row: Row) -> dict[str, Any]:
    try:
        found = json.loads(row.get("options") or "{}")
    except (ValueError, TypeError, RecursionError):
        found = None
    return found if isinstance(found, dict) else {"": row.get("options")}
