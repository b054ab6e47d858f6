"""A bundle, which anybody may have made, unpacked where it can do no harm.

Names and sizes are judged before anything is unpacked (layout.py), every byte is counted while it is, and each file is
compared with its sha256.
"""

from __future__ import annotations

import hashlib
import re
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from ...errors import printable, short, shown
from ..results.record import read_limited
from ..text import UsageError
from .layout import LEFT_OUT, SUMS, admitted

CHUNK = 2**20
MOST_SUMS = 128 * 2**20  # bytes of SHA256SUMS
LINE = re.compile(r"([0-9a-f]{64})  (.+)")


def is_bundle(path: Path) -> bool:
    """Whether a path is meant as that of a bundle."""
    return path.suffix == ".zip" and not path.is_dir()


@contextmanager
def opened(path: str | Path) -> Iterator[Path]:
    """A run's folder, whether it is given as a folder or as a bundle.

    Args:
        path: a bundle, `….zip`; anything else is taken as it is.

    Yields:
        The folder; that of a bundle has its name and goes when the block ends.

    Raises:
        UsageError: a file that is no bundle, or one that is damaged or means harm.
    """
    path = Path(path)
    if not is_bundle(path):
        yield path
        return
    with TemporaryDirectory(prefix="relaxbench-") as place:
        folder = Path(place) / (path.stem.strip(".") or "bundle")
        unpack(path, folder)
        yield folder


def unpack(path: Path, folder: Path) -> None:
    """Unpack a bundle.

    Args:
        path: the bundle.
        folder: where its files go; made.

    Raises:
        UsageError: as `opened`.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = admitted(archive, path)
            sums = _sums(archive, members, path)
            for member in members:
                digest = _write(archive, member, folder / member.filename)
                if sums.get(member.filename, digest) != digest:
                    told = shown(short(member.filename))
                    raise UsageError(f"{path} must be as it was made. Got other bytes in {told}.")
    except UsageError:
        raise
    except FileNotFoundError:
        raise UsageError(f"{path} must exist: a bundle, made by relaxbench bundle.") from None
    except Exception as error:  # what zip and decoders raise on garbage is an open set
        reason = short(printable(str(error)), 160)
        raise UsageError(f"{path} must be a bundle. Got a file that does not read ({reason}).") from None


def left_out(folder: Path) -> dict[str, str]:
    """The arrays that a bundle does not hold on purpose.

    Args:
        folder: where it was unpacked, or any folder of a run.

    Returns:
        The sha256 by name, `cells/…/arrays.npz`; empty where nothing was left out.

    Raises:
        UsageError: a list that is none.
    """
    path = folder / LEFT_OUT
    if not path.is_file():
        return {}
    lines = [LINE.fullmatch(line) for line in read_limited(path, MOST_SUMS).decode(errors="replace").splitlines()]
    found = {line[2]: line[1] for line in lines if line and line[2].endswith("/arrays.npz")}
    if len(found) != len(lines):
        raise UsageError(f"{path} must list files of arrays, each once. Got another list.")
    return found


def _sums(archive: zipfile.ZipFile, members: Sequence[zipfile.ZipInfo], path: Path) -> dict[str, str]:
    """The sha256 of each file by name, as the bundle says; raises UsageError unless it says it of all and no others."""
    sizes = {member.filename: member.file_size for member in members}
    if not 0 <= sizes.get(SUMS, -1) <= MOST_SUMS:
        raise UsageError(f"{path} must hold {SUMS}. Got none, or too large a one: make it by relaxbench bundle.")
    lines = [LINE.fullmatch(line) for line in archive.read(SUMS).decode().splitlines()]
    sums = {line[2]: line[1] for line in lines if line}
    if len(sums) != len(lines) or sums.keys() != sizes.keys() - {SUMS}:
        raise UsageError(f"{path} must list all of its files in {SUMS}, each once. Got another list.")
    return sums


def _write(archive: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path) -> str:
    """Write a member, never more of it than it declares; returns its sha256."""
    target.parent.mkdir(parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    with archive.open(member) as source, target.open("xb") as file:
        while chunk := source.read(CHUNK):
            size += len(chunk)
            if size > member.file_size:
                raise zipfile.BadZipFile(f"{member.filename} is larger than it declares")
            digest.update(chunk)
            file.write(chunk)
    return digest.hexdigest()
