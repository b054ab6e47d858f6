"""Do the table, the plan and the records of a folder tell of the same cells? What `verify` asks before any number."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from ..canonical import canonical
from ..grid.cell import hash_of_record, hash_of_relaxation
from ..grid.model import model_of
from ..results.folder import load_plan, load_record, load_relaxation_extra, own_record
from ..results.record import DamagedRecord
from ..text import UsageError, one_line


def lost(folder: Path, results: pd.DataFrame) -> Iterator[tuple[str, str]]:
    """The cells of the plan that have a record but no row in the results, and why that is."""
    known = set(results["cell"])
    for cell in load_plan(folder)["cell"]:
        if cell in known or not (folder / "cells" / cell / "record.json").exists():
            continue
        try:
            load_record(folder, cell)
        except UsageError as error:
            yield cell, one_line(str(error))
        else:
            yield cell, "the results have no row of this cell"


def not_run(folder: str | Path, results: pd.DataFrame) -> int:
    """Count the cells of the plan that have neither a row nor a record: not run yet, or removed.

    Args:
        folder: a run's folder.
        results: its results.

    Returns:
        How many.
    """
    folder, known = Path(folder), set(results["cell"])
    plan = [cell for cell in load_plan(folder)["cell"] if cell not in known]
    return sum(not (folder / "cells" / cell / "record.json").exists() for cell in plan)


def is_left_out(place: Path, left_out: Mapping[str, str]) -> bool:
    """Whether a bundle holds the arrays of a record on purpose not: they are those of the record, and are not there.

    Args:
        place: folder of the record.
        left_out: as `bundle.unpack.left_out` has it.

    Returns:
        False for arrays that are there, or that should be.
    """
    listed = left_out.get(f"{place.parent.name}/{place.name}/arrays.npz")
    if listed is None or (place / "arrays.npz").exists():
        return False
    try:
        return own_record(place, check_files=False).files.get("arrays.npz") == listed
    except (UsageError, DamagedRecord, OSError):
        return False


def complaint(folder: Path, row: Mapping[Any, Any], left_out: Mapping[str, str]) -> str:
    """What is wrong with the record of a row; empty if it is the cell's own and says the same as the row."""
    try:
        own = not is_left_out(folder / "cells" / row["cell"], left_out)
        record = load_record(folder, row["cell"], own=own)
        for name, value in record.row.items():
            if name in row and not _same(row[name], value):
                return f"the table says {name} = {row[name]}, the record {value}"
        if "code" not in record.extra or "data" not in record.extra:  # of an earlier version
            return ""
        if not str(row["cell"]).endswith(hash_of_record(record.row, record.extra)):
            return "the record is not that of the cell by whose hash it is named"
        return _relaxation_complaint(folder, record.row, record.extra, left_out)
    except (UsageError, OSError) as error:
        return one_line(str(error))
    except (KeyError, TypeError, ValueError) as error:
        return f"the record lacks what it must say: {one_line(error)}"


def _relaxation_complaint(
    folder: Path, row: Mapping[str, Any], extra: Mapping[str, Any], left_out: Mapping[str, str]
) -> str:
    """What is wrong with the relaxation that a record names; empty if it is the cell's own, or none was kept."""
    key = extra.get("relaxation")
    own = not is_left_out(folder / "relaxations" / str(key), left_out)
    found = load_relaxation_extra(folder, key, own=own) if key else {}
    asked = found.get("asked")
    if asked is None:  # there is none, or one of an earlier version; what it proves is checked all the same
        return ""
    mine = {"data": extra["data"]["sha256"], "method": row["method"], "gamma": row["gamma"], "code": extra["code"]}
    options = json.loads(row["options"])
    fits = all(asked[name] == value for name, value in mine.items()) and model_of(asked) == model_of(row)
    fits = fits and all(name in options and options[name] == value for name, value in asked["options"].items())
    if not fits or not str(key).endswith(hash_of_relaxation(asked)):
        return "the record names the relaxation of other cells"
    return ""


def _same(shown: Any, recorded: Any) -> bool:
    if recorded is None or pd.isna(shown):
        return recorded is None and bool(pd.isna(shown))
    return bool(shown == recorded) or canonical(shown) == canonical(recorded)
