"""Store: the folder of a run while the run holds it, and all that is written to it. What is read: folder.py."""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import pandas as pd
from filelock import FileLock, Timeout

from ..text import UsageError
from .folder import TABLES, is_results_folder, load_environment, own_record, read_plan, results_from_records
from .plan import united
from .record import DamagedRecord, Record, write_atomically, write_record
from .tables import as_csv, tightness_table


class Store:
    """The folder of a run, held by one run at a time: use it in a `with` statement.

    Raises UsageError if the folder cannot be made or written to, holds something else, or is held by another run.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = FileLock(folder / ".lock")

    def __enter__(self) -> Store:
        try:
            if self.folder.is_dir() and any(self.folder.iterdir()) and not is_results_folder(self.folder):
                raise UsageError(
                    f"--out must be a new, empty or results folder. Got {self.folder} with other files in it."
                )
            (self.folder / "cells").mkdir(parents=True, exist_ok=True)
            self._lock.acquire(timeout=0)
        except Timeout:
            raise UsageError(f"--out must be free. Got {self.folder}, which another run is working on.") from None
        except OSError as error:
            raise UsageError(
                f"--out must be a folder that can be written to. Got {self.folder} ({error.strerror}) instead."
            ) from None
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._lock.release()

    def begin(self, spec: str, plan: Sequence[dict[str, Any]], environment: dict[str, Any]) -> None:
        """Write what is known before the work: spec.toml, plan.json, environment.json. The tables of before go.

        Args:
            spec: text of spec.toml.
            plan: rows of the cells; what earlier plans held and has ended stays, unless one of these takes its place.
            environment: content of environment.json.
        """
        plan = united(plan, self._ended())
        for name in TABLES:
            (self.folder / name).unlink(missing_ok=True)
        self.write_text("spec.toml", spec)
        self.write_text("plan.json", json.dumps(plan, indent=0))
        self.write_text("environment.json", json.dumps(environment, indent=2))

    def _ended(self) -> list[dict[str, Any]]:
        """The cells of the plan so far that have a record; none of a plan that is damaged."""
        try:
            before = read_plan(self.folder)
        except UsageError as error:
            warnings.warn(f"{error} The rows of earlier runs are left out.", RuntimeWarning, stacklevel=2)
            return []
        return [row for row in before if (self.folder / "cells" / str(row["cell"]) / "record.json").is_file()]

    def write_text(self, name: str, text: str) -> None:
        """Write a file of the folder atomically.

        Args:
            name: name of the file in the folder.
            text: its content.
        """
        write_atomically(self.folder / name, text.encode())

    def add_environment(self, maker: Mapping[str, Any]) -> None:
        """Give the environment that made a row an entry in environment.json, unless it has one.

        Args:
            maker: the environment, with its `key`.
        """
        known = load_environment(self.folder)
        entries = known.setdefault("environments", {})
        if isinstance(entries, dict) and maker["key"] not in entries:
            entries[maker["key"]] = dict(maker)
            self.write_text("environment.json", json.dumps(known, indent=2))

    def get(self, shelf: str, key: str) -> Record | None:
        """Read a record; a damaged one is moved to damaged/ with a warning.

        Args:
            shelf: `cells` or `relaxations`.
            key: hash of the cell or relaxation.

        Returns:
            The record without its arrays; None if there is none or it is damaged.
        """
        folder = self.folder / shelf / key
        try:
            return own_record(folder, check_files=True)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except DamagedRecord as error:
            self._set_aside(folder)
            warnings.warn(f"{error} It was moved to damaged/ and is computed again.", RuntimeWarning, stacklevel=2)
            return None

    def put(self, shelf: str, key: str, record: Record) -> None:
        """Write a record; when this returns it is on the disk.

        Args:
            shelf: `cells` or `relaxations`.
            key: hash of the cell or relaxation.
            record: what to write.
        """
        write_record(self.folder / shelf / key, record)

    def write_tables(self) -> pd.DataFrame:
        """Write results.parquet, results.csv and tightness.csv from the records of the plan; returns the results."""
        results = results_from_records(self.folder)
        tightness = tightness_table(results)
        for name, write in (
            ("results.csv", lambda path: as_csv(results).to_csv(path, index=False)),
            ("tightness.csv", lambda path: as_csv(tightness).to_csv(path, index=False)),
            ("results.parquet", lambda path: results.to_parquet(path, index=False)),
        ):
            temporary = self.folder / f".{name}.tmp"
            write(temporary)
            temporary.replace(self.folder / name)
        return results

    def _set_aside(self, folder: Path) -> None:
        shelf = self.folder / "damaged"
        shelf.mkdir(exist_ok=True)
        names = (f"{folder.name}-{k}" for k in range(1, 10**6))
        shutil.move(folder, next(shelf / name for name in names if not (shelf / name).exists()))
