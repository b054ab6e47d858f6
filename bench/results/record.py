"""A record on disk: one folder that counts only if its record.json is there and every byte is as it was written.

`arrays.npz`, `trace.csv` and `traceback.txt` are written first, `record.json` last, each to a temporary name, flushed
to the disk and renamed. record.json holds the sha256 of the other files and of itself.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import stat
import zipfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...datasets.checks import MAX_BYTES
from ...datasets.npzfile import read_npz
from ...errors import RelaxbenchError
from ..canonical import canonical, plain
from ..text import one_line

TRACE_COLUMNS = ("stage", "seconds", "iteration", "value", "bound", "residual")
SIDE_FILES = ("arrays.npz", "trace.csv", "traceback.txt")
MAX_RECORD_BYTES = 256 * 2**20  # of record.json and of trace.csv; arrays may have MAX_BYTES
TraceLine = tuple[str, float, int, float | None, float | None, float | None]


class DamagedRecord(RelaxbenchError):
    """A record that is not what was written: cut off, edited, or with a flipped bit."""


@dataclass(frozen=True)
class Record:
    """row: the columns of the results. extra: what is kept beside them (limits, info, hash of the relaxation).

    files: sha256 of each file beside record.json, in a record that was read.
    """

    row: Mapping[str, Any]
    extra: Mapping[str, Any] = field(default_factory=dict)
    arrays: Mapping[str, NDArray] = field(default_factory=dict)
    trace: Sequence[TraceLine] = ()
    traceback: str = ""
    files: Mapping[str, str] = field(default_factory=dict)


def write_record(folder: Path, record: Record) -> None:
    """Replace whatever is in a folder by a record; a crash at any moment leaves none, or the new one whole.

    Args:
        folder: folder of the record, made if it does not exist.
        record: what to write.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("record.json", *SIDE_FILES):
        (folder / name).unlink(missing_ok=True)
    files = {name: content for name, content in _side_files(record).items() if content}
    for name, content in files.items():
        _replace(folder / name, content)
    document = {
        "row": plain(record.row),
        "extra": plain(record.extra),
        "files": {name: sha256(content) for name, content in files.items()},
    }
    write_atomically(folder / "record.json", _with_checksum(document))
    _sync(folder.parent)


def read_record(folder: Path, *, check_files: bool | Collection[str]) -> Record:
    """Read the row and extra of a record; arrays and trace are not loaded.

    Args:
        folder: folder of the record.
        check_files: whether the files beside it are compared with their sha256 as well, or which of them.

    Returns:
        The record without its arrays and trace.

    Raises:
        FileNotFoundError: there is none.
        DamagedRecord: it is not what was written.
    """
    raw = read_limited(folder / "record.json", MAX_RECORD_BYTES)
    try:
        document = json.loads(raw)
        row, extra, files = document["row"], document["extra"], document["files"]
        whole = raw == _with_checksum({"row": row, "extra": extra, "files": files})
        whole = whole and files.keys() <= set(SIDE_FILES) and isinstance(row, dict) and isinstance(extra, dict)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        whole = False
    if not whole:
        raise DamagedRecord(f"{folder / 'record.json'} must be as it was written. Got other bytes instead.")
    checked = SIDE_FILES if check_files is True else check_files or ()
    for name, expected in ((name, files[name]) for name in checked if name in files):
        path = folder / name
        if not path.is_file() or sha256(read_limited(path, MAX_BYTES)) != expected:
            raise DamagedRecord(f"{path} must be as it was written. Got other bytes, or no file, instead.")
    return Record(row, extra, files=files)


def rewrite_extra(folder: Path, changes: Mapping[str, Any]) -> None:
    """Change what a record keeps beside its row.

    Args:
        folder: folder of the record.
        changes: what to put into its extra.

    Raises:
        DamagedRecord: it is not what was written.
    """
    record = read_record(folder, check_files=False)
    document = {"row": record.row, "extra": plain({**record.extra, **changes}), "files": record.files}
    write_atomically(folder / "record.json", _with_checksum(document))


def read_arrays(folder: Path) -> dict[str, NDArray]:
    """Read the arrays of a record, without pickles and within MAX_BYTES.

    Args:
        folder: folder of the record.

    Returns:
        The arrays by name; empty if it has none.

    Raises:
        DamagedRecord: the file does not read.
    """
    path = folder / "arrays.npz"
    if not path.is_file():
        return {}
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name.removesuffix(".npy") for name in archive.namelist()]
        return read_npz(str(path), [name for name in names if name.isidentifier()], MAX_BYTES)
    except (ValueError, OSError, EOFError, zipfile.BadZipFile, NotImplementedError) as error:
        raise DamagedRecord(f"{path} must be as it was written. Got {one_line(error)} instead.") from None


def read_trace(folder: Path) -> list[TraceLine]:
    """Read the trace of a record.

    Args:
        folder: folder of the record.

    Returns:
        Its lines (TRACE_COLUMNS); empty if it has none.

    Raises:
        DamagedRecord: the file does not read.
    """
    path = folder / "trace.csv"
    if not path.is_file():
        return []
    try:
        text = read_limited(path, MAX_RECORD_BYTES).decode()
        return [
            (stage, float(seconds), int(iteration), _number(value), _number(bound), _number(residual))
            for stage, seconds, iteration, value, bound, residual in list(csv.reader(io.StringIO(text, newline="")))[1:]
        ]
    except (ValueError, csv.Error) as error:
        raise DamagedRecord(f"{path} must be as it was written. Got {one_line(error)} instead.") from None


def read_limited(path: Path, limit: int) -> bytes:
    """The bytes of a regular file of at most `limit` bytes; raises FileNotFoundError, or DamagedRecord for another."""
    found = path.stat()
    if not stat.S_ISREG(found.st_mode) or found.st_size > limit:
        raise DamagedRecord(f"{path} must be a file of at most {limit:,} bytes. Got {found.st_size:,}, or no file.")
    return path.read_bytes()


def _number(text: str) -> float | None:
    return float(text) if text else None


def write_atomically(path: Path, content: bytes) -> None:
    """Write to a temporary name beside `path`, flush to the disk, rename: readers see the old file or the new one."""
    _replace(path, content)
    _sync(path.parent)


def _replace(path: Path, content: bytes) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:  # Ctrl-C as well
        temporary.unlink(missing_ok=True)
        raise


def _side_files(record: Record) -> dict[str, bytes]:
    arrays, trace = io.BytesIO(), io.StringIO(newline="")
    if record.arrays:
        np.savez(arrays, **record.arrays)  # type: ignore[arg-type]
    if record.trace:
        writer = csv.writer(trace, lineterminator="\n")
        writer.writerow(TRACE_COLUMNS)
        writer.writerows(record.trace)
    contents = arrays.getvalue(), trace.getvalue().encode(), record.traceback.encode(errors="replace")
    return dict(zip(SIDE_FILES, contents, strict=True))


def _with_checksum(document: dict[str, Any]) -> bytes:
    whole = {**document, "checksum": sha256(canonical(document).encode(errors="surrogatepass"))}
    return (json.dumps(whole, indent=1, sort_keys=True) + "\n").encode()


def sha256(content: bytes) -> str:
    """Hash of a file.

    Args:
        content: its bytes.

    Returns:
        Hexadecimal digits.
    """
    return hashlib.sha256(content).hexdigest()


def _sync(folder: Path) -> None:
    """Flush the folder's entries to the disk, where the system can (Windows cannot open a folder)."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(descriptor)
    except OSError:  # some network file systems refuse; the file itself is on the disk
        pass
    finally:
        os.close(descriptor)
