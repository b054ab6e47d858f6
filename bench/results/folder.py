"""A run's folder, and what anyone can read from it.

    cells/<hash>/          a record each (record.py)          relaxations/<hash>/  relaxations that cells share
    plan.json              the cells (plan.py)                damaged/             records set aside
    results.parquet, .csv  one row a cell                     tightness.csv        one row a group
    spec.toml              the run as resolved                environment.json     versions, machine, calibration

The tables are written when a run ends (store.py). While it goes on, or after it was killed, `load_results` reads the
records.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
from numpy.typing import NDArray

from ...datasets.checks import MAX_BYTES
from ..text import UsageError
from .columns import COLUMNS, Column, Kind
from .record import SIDE_FILES, TRACE_COLUMNS, DamagedRecord, Record, read_arrays, read_limited, read_record, read_trace
from .tables import DTYPES, frame, from_csv, marked, marked_table, results_table, tightness_table

MAX_TEXT_BYTES = 10 * 2**20  # of spec.toml and environment.json
MAX_ROWS = 10**6
CELL = (
    *("dataset", "n", "preprocess", "bias", "method", "gamma", "width", "seed", "data_seed", "options", "data"),
    "cell",
)
NEEDED = (*CELL, "status", "objective", "lower_bound")  # the other columns may be newer than a table
OTHERS = [name for name in SIDE_FILES if name != "arrays.npz"]  # beside a record whose arrays a bundle left out
TABLES = ("results.parquet", "results.csv", "tightness.csv")
OURS = {"cells", "relaxations", "damaged", "plan.json", "spec.toml", "environment.json", *TABLES}


def is_results_folder(folder: Path) -> bool:
    """Whether a run wrote this folder, or began to."""
    return any((folder / name).exists() for name in OURS)


def load_results(folder: str | Path) -> pd.DataFrame:
    """The results of a run, whatever their status.

    Args:
        folder: a run's folder, also while the run goes on, or a results.parquet or results.csv.

    Returns:
        COLUMNS, one row for each cell of the plan that has ended. Columns that are newer than the table are missing in
        every row.

    Raises:
        UsageError: there are no results, or none that can be read.
    """
    path = Path(folder)
    if path.is_dir():
        if not is_results_folder(path):
            raise UsageError(f"{path} must be the folder of a run. Got a folder without results: give --out of a run.")
        if not (path / "results.parquet").is_file():
            return results_from_records(path)
        path = path / "results.parquet"
    if not path.is_file():
        raise UsageError(f"{path} must exist: the folder of a run, or its results.parquet or results.csv.")
    return _read_table(path, COLUMNS)


def read_parquet(path: Path, most_rows: int) -> pd.DataFrame:
    """Read a parquet file of at most `most_rows` rows, its size checked before it is unpacked; raises UsageError."""
    from pyarrow.parquet import ParquetFile  # late: it is slow to import

    if path.stat().st_size > MAX_BYTES:
        raise UsageError(f"{path} must have at most {MAX_BYTES:,} bytes. Got more.")
    declared = ParquetFile(path).metadata
    unpacked = sum(declared.row_group(k).total_byte_size for k in range(declared.num_row_groups))
    if declared.num_rows > most_rows or unpacked > MAX_BYTES:
        raise UsageError(f"{path} must have at most {most_rows:,} rows. Got {declared.num_rows:,}, or huge ones.")
    return pd.read_parquet(path)


def load_tightness(folder: str | Path) -> pd.DataFrame:
    """The best bounds of each group (data, gamma), computed from the results of a run.

    Args:
        folder: as for `load_results`.

    Returns:
        TIGHTNESS_COLUMNS, one row a group.

    Raises:
        UsageError: there are no results, or none that can be read.
    """
    return tightness_table(load_results(folder))


def load_plan(folder: str | Path) -> pd.DataFrame:
    """All cells of the last run, ended or not, and of earlier ones that ended.

    Args:
        folder: a run's folder.

    Returns:
        COLUMNS as known before the work, one row a cell; no rows without a plan.json.

    Raises:
        UsageError: plan.json is damaged.
    """
    return frame(read_plan(Path(folder)))


def load_arrays(folder: str | Path, cell: str, *, own: bool = True) -> dict[str, NDArray[Any]]:
    """The arrays of a cell, as far as it has them.

    What belongs to a relaxation that cells share is read from relaxations/: its certificate, and its own network.

    Args:
        folder: a run's folder.
        cell: hash of a cell that has ended.
        own: whether its own file of arrays must be there; False where a bundle left it out.

    Returns:
        network_U (d, m), network_V (m, c), certificate_…, and relaxation_U and relaxation_V, by name.

    Raises:
        UsageError: the folder does not hold the cell, or its record is damaged.
    """
    record = _record(Path(folder), cell, own or OTHERS)
    arrays = read_arrays(Path(folder) / "cells" / cell)
    shared = record.extra.get("relaxation")
    if _is_hash(shared) and not any(name.startswith("certificate_") for name in arrays):
        found = read_arrays(Path(folder) / "relaxations" / str(shared))
        arrays |= {name: array for name, array in found.items() if name.startswith("certificate_")}
        arrays |= {f"relaxation_{side}": found[f"network_{side}"] for side in "UV" if f"network_{side}" in found}
    return arrays


def load_record(folder: str | Path, cell: str, *, own: bool = True) -> Record:
    """Row and extra of a cell, every byte of its record compared.

    Args:
        folder: a run's folder.
        cell: hash of a cell that has ended.
        own: as for `load_arrays`.

    Returns:
        The record without its arrays.

    Raises:
        UsageError: it has no record, or none that is whole.
    """
    record = _record(Path(folder), cell, own or OTHERS)
    return replace(record, row=marked(record.row))


def load_relaxation_extra(folder: str | Path, key: str, *, own: bool = True) -> dict[str, Any]:
    """What the record of a relaxation keeps beside its numbers, empty without one; raises UsageError if damaged."""
    try:
        return (
            dict(own_record(Path(folder) / "relaxations" / key, check_files=own or OTHERS).extra)
            if _is_hash(key)
            else {}
        )
    except FileNotFoundError:
        return {}
    except DamagedRecord as error:
        raise UsageError(str(error)) from None


def load_trace(folder: str | Path, cell: str) -> pd.DataFrame:
    """Progress of a cell.

    Args:
        folder: a run's folder.
        cell: hash of a cell that has ended.

    Returns:
        stage (solve or round), seconds from the stage's start, iteration, value, bound, residual.

    Raises:
        UsageError: as `load_arrays`.
    """
    _record(Path(folder), cell, ["trace.csv"])
    kinds: tuple[Kind, ...] = ("str", "float", "int", "float", "float", "float")
    columns = [Column(name, kind, "") for name, kind in zip(TRACE_COLUMNS, kinds, strict=True)]
    lines = read_trace(Path(folder) / "cells" / cell)
    return frame([dict(zip(TRACE_COLUMNS, line, strict=True)) for line in lines], columns)


def load_extra(folder: str | Path, cell: str) -> dict[str, Any]:
    """What the record of a cell keeps beside its row.

    Args:
        folder: a run's folder.
        cell: hash of a cell that has ended.

    Returns:
        limits, info, code, relaxation, data (how to load them again).

    Raises:
        UsageError: as `load_arrays`.
    """
    return dict(_record(Path(folder), cell, []).extra)


def load_data(folder: str | Path, cell: str) -> dict[str, NDArray[Any]]:
    """The data of a cell, loaded again from where the run had them.

    Args:
        folder: a run's folder.
        cell: hash of a cell that has ended.

    Returns:
        X_train (n, d), Y_train (n, c), X_test, Y_test, by name.

    Raises:
        RelaxbenchError: they cannot be had, or are no longer the same.
        OSError: their file cannot be read.
    """
    from ..grid.data import Data  # late: the tables are read without the rooms that make the data

    try:
        data = Data.from_locator(load_extra(folder, cell)["data"], None).load()
    except (KeyError, TypeError) as error:
        raise UsageError(f"the record of cell {cell} must say where its data are. Got {error!r} instead.") from None
    return {name: getattr(data, name) for name in ("X_train", "Y_train", "X_test", "Y_test")}


def load_environment(folder: str | Path) -> dict[str, Any]:
    """environment.json; empty if the folder has none."""
    try:
        found = json.loads(read_limited(Path(folder) / "environment.json", MAX_TEXT_BYTES))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def load_spec(folder: str | Path) -> str:
    """spec.toml as text; empty if the folder has none."""
    try:
        return read_limited(Path(folder) / "spec.toml", MAX_TEXT_BYTES).decode()
    except (OSError, ValueError):
        return ""


def results_from_records(folder: Path) -> pd.DataFrame:
    """The results as the records of the plan have them, with a warning for each that is damaged."""
    return results_table(list(_rows(folder, (str(row["cell"]) for row in read_plan(folder)))))


def read_plan(folder: Path) -> list[dict[str, Any]]:
    """The rows of plan.json, empty without one; raises UsageError if it is damaged."""
    try:
        plan = json.loads(read_limited(folder / "plan.json", MAX_BYTES))
        valid = isinstance(plan, list) and all(isinstance(row, dict) and _is_hash(row.get("cell")) for row in plan)
    except FileNotFoundError:
        return []
    except (OSError, ValueError, RecursionError):
        valid = False
    if not valid:
        raise UsageError(
            f"{folder / 'plan.json'} must be as it was written. Got other bytes: run again with --out {folder}."
        )
    return [marked(row) for row in plan]


def own_record(folder: Path, *, check_files: bool | Collection[str]) -> Record:
    """`read_record`, which also raises DamagedRecord for the record of another folder that was copied here."""
    record = read_record(folder, check_files=check_files)
    key = record.row.get("cell") if folder.parent.name == "cells" else record.extra.get("key")
    if key not in (None, folder.name):
        raise DamagedRecord(f"{folder / 'record.json'} must be the record of {folder.name}. Got that of {key} instead.")
    return record


def _rows(folder: Path, cells: Iterable[str]) -> Iterable[dict[str, Any]]:
    for cell in cells:
        try:
            yield marked(own_record(folder / "cells" / cell, check_files=False).row)
        except FileNotFoundError:
            continue
        except DamagedRecord as error:
            warnings.warn(f"{error} The row is left out; run again to compute it.", RuntimeWarning, stacklevel=2)


def _is_hash(cell: object) -> bool:
    return isinstance(cell, str) and cell.isalnum() and cell.isascii()


def _record(folder: Path, cell: str, check_files: bool | Collection[str] = True) -> Record:
    if not _is_hash(cell) or not (folder / "cells" / cell / "record.json").is_file():
        raise UsageError(f"cell must be the hash of a cell that has ended in {folder}. Got {cell!r} instead.")
    try:
        return own_record(folder / "cells" / cell, check_files=check_files)
    except DamagedRecord as error:
        raise UsageError(f"{error} Run again with --out {folder} to compute it.") from None


def _read_table(path: Path, columns: Sequence[Column]) -> pd.DataFrame:
    """A table from .parquet or .csv made into exactly these columns and kinds; raises UsageError for anything else."""
    dtypes = {column.name: DTYPES[column.kind] for column in columns}
    try:
        if path.suffix == ".parquet":
            table = read_parquet(path, MAX_ROWS)
        elif path.stat().st_size > MAX_BYTES:
            raise UsageError(f"{path} must have at most {MAX_BYTES:,} bytes. Got more.")
        else:
            table = from_csv(pd.read_csv(path, dtype=dtypes, keep_default_na=False, na_values=[""], nrows=MAX_ROWS))
        lacking = [name for name in NEEDED if name not in table.columns]
        if lacking:
            raise UsageError(f"{path} must be a table of results. Got one without column {lacking[0]!r}.")
        return marked_table(table.reindex(columns=list(dtypes)).astype(dtypes))
    except (OSError, ValueError, TypeError, KeyError) as error:
        if isinstance(error, UsageError):
            raise
        reason = " ".join(str(error).split())[:200]
        raise UsageError(f"{path} must be a table of results. Got a file that does not read ({reason}).") from None
