"""Runs put together: one folder with the cells of several, and nothing of any lost.

A cell that several hold is there once. Where their records differ (on another machine the runtime does at least), that
of the first stands, and those of the others are kept in conflicts/<k>/, k counting the sources: a folder of a run like
any other, which `report`, `compare` and `verify` read. So it goes for cells that were asked for in the same words and
came out with another hash, as their code or data had changed.
"""

from __future__ import annotations

import shutil
import warnings
from collections import defaultdict
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..results.environment import environment_key
from ..results.folder import is_results_folder, load_environment, load_spec, own_record, read_plan
from ..results.plan import Row, united
from ..results.record import SIDE_FILES, DamagedRecord, Record, rewrite_extra
from ..results.store import Store
from ..text import UsageError, refuse_old
from .layout import CONFLICTS, LEFT_OUT, SPECS, lines_of
from .unpack import left_out, opened


@dataclass(frozen=True)
class Merged:
    """What came together. cells: with a row. shared: of them in several sources, everywhere the same.

    conflicts: how many cells each folder of conflicts holds, with the name of the source they are from.
    """

    folder: Path
    cells: int
    shared: int
    conflicts: Sequence[tuple[Path, str, int]] = ()


@dataclass(frozen=True)
class _Source:
    """A run to be merged: its number, its name for messages, and the rows of its plan that have ended, or have not."""

    number: int
    name: str
    folder: Path
    ended: dict[str, Row] = field(default_factory=dict)
    open: list[Row] = field(default_factory=list)

    def record(self, cell: str) -> Record:
        return own_record(self.folder / "cells" / cell, check_files=False)


def merge(sources: Sequence[str | Path], out: Path) -> Merged:
    """Put runs together in a new folder.

    Args:
        sources: folders of runs, or bundles; the first is the first to be believed.
        out: the new folder.

    Returns:
        What came together.

    Raises:
        UsageError: a source without records, or a folder that is not new.
    """
    refuse_old(out)
    with ExitStack() as stack:
        found = [(str(source), stack.enter_context(opened(source))) for source in sources]
        found = [one for name, folder in found for one in [(name, folder), *_conflicts(name, folder)]]
        return _merged([_read(k, name, folder) for k, (name, folder) in enumerate(found, 1)], out)


def _conflicts(name: str, folder: Path) -> list[tuple[str, Path]]:
    """The folders of conflicts of a source that is itself merged."""
    paths = (path for path in folder.glob(f"{CONFLICTS}/*") if path.name.isdigit() and path.is_dir())
    return [(f"{name} ({CONFLICTS}/{path.name})", path) for path in sorted(paths, key=lambda path: int(path.name))]


def _read(number: int, name: str, folder: Path) -> _Source:
    if not folder.is_dir() or not is_results_folder(folder):
        raise UsageError(f"{name} must be the folder of a run, or a bundle of one. Got something else instead.")
    source = _Source(number, name, folder)
    for row in read_plan(folder):
        if (folder / "cells" / str(row["cell"]) / "record.json").is_file():
            source.ended[str(row["cell"])] = row
        else:
            source.open.append(row)
    if not source.ended:
        raise UsageError(f"{name} must hold records (plan.json, cells/). Got none: only runs with records merge.")
    return source


def _merged(sources: Sequence[_Source], out: Path) -> Merged:
    kept: list[Row] = []
    places: dict[str, list[Path]] = defaultdict(list)  # of each cell: the folders below `out` that hold a record of it
    shared: set[str] = set()
    shelves = {source.number: (out / CONFLICTS / str(source.number), source) for source in sources}
    conflicting: dict[int, list[Row]] = {}
    for source in sources:
        new = {str(row["cell"]) for row in united(kept, source.ended.values())[len(kept) :]}
        for cell, row in source.ended.items():
            record = _whole(source, cell)
            if record is None:
                continue
            twin = next((place for place in places[cell] if _same(own_record(place, check_files=False), record)), None)
            if twin is not None:
                _complete(source, record, twin)
                shared.add(cell)
                continue
            target = out if cell in new else shelves[source.number][0]
            _copy_cell(source, cell, record, target)
            places[cell].append(target / "cells" / cell)
            (kept if cell in new else conflicting.setdefault(source.number, [])).append(row)
    differing = {place.name for found in places.values() for place in found if place.parent.parent != out}
    _finish(out, sources, [*kept, *united(kept, [row for source in sources for row in source.open])[len(kept) :]])
    found = [(*shelves[number], rows) for number, rows in conflicting.items()]
    for shelf, source, rows in found:
        _finish(shelf, [source], rows)
    told = [(shelf, source.name, len(rows)) for shelf, source, rows in found]
    return Merged(out, len(kept), len(shared - differing), told)


def _whole(source: _Source, cell: str) -> Record | None:
    """The record of a cell; None with a warning if it is damaged."""
    try:
        return source.record(cell)
    except DamagedRecord as error:
        warnings.warn(f"{source.name}: {error} The cell is left out.", RuntimeWarning, stacklevel=2)
        return None


def _same(one: Record, other: Record) -> bool:
    """Whether two records of a cell tell the same, wherever each keeps its relaxation."""
    return dict(one.row) == dict(other.row) and dict(one.files) == dict(other.files)


def _fill(source: Path, target: Path) -> None:
    """Copy the files beside a record that are not there yet: a bundle may have left out large ones."""
    target.mkdir(parents=True, exist_ok=True)
    for name in SIDE_FILES:
        if (source / name).is_file() and not (target / name).exists():
            shutil.copyfile(source / name, target / name)


def _complete(source: _Source, record: Record, twin: Path) -> None:
    """Copy what the same record elsewhere lacks: files beside it, and beside the relaxation if that is the same too."""
    _fill(source.folder / "cells" / twin.name, twin)
    here, there = (
        _relaxation(source.folder, record),
        _relaxation(twin.parent.parent, own_record(twin, check_files=False)),
    )
    if here and there and _same_arrays(here, there):
        _fill(here, there)


def _relaxation(folder: Path, record: Record) -> Path | None:
    """The record of the relaxation that a cell shares with others, if there is one."""
    key = record.extra.get("relaxation")
    path = folder / "relaxations" / str(key)
    return path if isinstance(key, str) and key.isalnum() and (path / "record.json").is_file() else None


def _copy_cell(source: _Source, cell: str, record: Record, target: Path) -> None:
    """Copy a record, and the relaxation that it shares with others."""
    folder = target / "cells" / cell
    _fill(source.folder / "cells" / cell, folder)
    shutil.copyfile(source.folder / "cells" / cell / "record.json", folder / "record.json")
    shared = _relaxation(source.folder, record)
    if shared:
        name = _copy_relaxation(shared, target / "relaxations", f"x{source.number}")
        if name != shared.name:
            rewrite_extra(folder, {"relaxation": name})


def _copy_relaxation(source: Path, shelf: Path, prefix: str) -> str:
    """Copy the record of a relaxation, under its name or, if another has it, one with the prefix; returns the name."""
    target = shelf / source.name
    if (target / "record.json").is_file() and not _same_arrays(source, target):
        target = shelf / (prefix + source.name)
    if not (target / "record.json").is_file():
        _fill(source, target)
        shutil.copyfile(source / "record.json", target / "record.json")
        if target.name != source.name:
            rewrite_extra(target, {"key": target.name})
    return target.name


def _same_arrays(one: Path, other: Path) -> bool:
    """Whether two records of a relaxation hold the same certificate; how long it took may differ."""
    found = [own_record(path, check_files=False).files.get("arrays.npz") for path in (one, other)]
    return found[0] is not None and found[0] == found[1]


def _finish(folder: Path, sources: Sequence[_Source], plan: Sequence[Row]) -> None:
    """Write plan, specs, environments and tables of a folder that has its records."""
    specs = {source.number: text for source in sources if (text := load_spec(source.folder))}
    first = next(iter(specs.values()), "")
    with Store(folder) as store:
        store.begin(first, plan, _environment([load_environment(source.folder) for source in sources]))
        if lost := _left_out(folder, sources):
            store.write_text(LEFT_OUT, lines_of(lost))
        for number, text in specs.items():
            if text != first:
                (folder / SPECS).mkdir(exist_ok=True)
                store.write_text(f"{SPECS}/{number}.toml", text)
        store.write_tables()


def _left_out(folder: Path, sources: Sequence[_Source]) -> dict[str, str]:
    """The arrays, sha256 by name, that no source brought as a bundle was made without them."""
    known = {digest for source in sources for digest in left_out(source.folder).values()}
    lost = {}
    for path in sorted(folder.glob("*/*/record.json")) if known else ():
        place = path.parent
        digest = own_record(place, check_files=False).files.get("arrays.npz")
        if digest in known and not (place / "arrays.npz").exists():
            lost[f"{place.parent.name}/{place.name}/arrays.npz"] = digest
    return lost


def _environment(known: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The first environment, with the entries of all."""
    entries: dict[str, Any] = {}
    for environment in known:
        own = environment.get("environments")
        entries |= {key: entry for key, entry in own.items() if key not in entries} if isinstance(own, dict) else {}
        last = {name: value for name, value in environment.items() if name != "environments"}
        if last:
            entries.setdefault(str(last.get("key") or environment_key(last)), last)
    first = next((environment for environment in known if environment), {})
    return {**first, "environments": entries}
