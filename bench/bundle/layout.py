"""Which files a bundle holds, and how large they may be: what is written by pack.py, and all that unpack.py takes."""

from __future__ import annotations

import os
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path

from ...errors import short, shown
from ..results.folder import TABLES
from ..results.record import SIDE_FILES
from ..text import UsageError

SUMS, LEFT_OUT, CITATION = "SHA256SUMS", "LEFT_OUT", "CITATION.txt"
CONFLICTS, SPECS = "conflicts", "specs"  # folders that merge.py adds to those of a run
MOST_FILES = 500_000
MOST_BYTES = 8 * 2**30  # of all files unpacked
MOST_RATIO, FREE = 200, 64 * 2**20  # unpacked to packed bytes, where there are more than FREE of the former

_TOP = "|".join(map(re.escape, ("spec.toml", "plan.json", "environment.json", *TABLES)))
_RECORD = "|".join(map(re.escape, ("record.json", *SIDE_FILES)))
_RUN = rf"{_TOP}|{SPECS}/[0-9]{{1,6}}\.toml|(?:cells|relaxations)/[A-Za-z0-9]{{1,128}}/(?:{_RECORD})"
OF_A_RUN = re.compile(rf"(?:{CONFLICTS}/[0-9]{{1,6}}/)?(?:{_RUN})")
OWN = (SUMS, LEFT_OUT, CITATION)


def files_of(run: Path) -> list[str]:
    """The files of a run's folder that go into a bundle, as `cells/…/record.json`, sorted; no links."""
    paths = (Path(folder) / name for folder, _, names in os.walk(run) for name in names)
    found = (path.relative_to(run).as_posix() for path in paths if path.is_file() and not path.is_symlink())
    return sorted(name for name in found if OF_A_RUN.fullmatch(name))


def lines_of(sums: Mapping[str, str]) -> str:
    """What SUMS and LEFT_OUT hold for sha256 by name of file: lines that `sha256sum -c` reads."""
    return "".join(f"{digest}  {name}\n" for name, digest in sums.items())


def admitted(archive: zipfile.ZipFile, path: Path) -> list[zipfile.ZipInfo]:
    """The members of an archive, judged by what they declare, before any is unpacked.

    Args:
        archive: the archive.
        path: its path, for messages.

    Returns:
        Its members: names of a bundle, each once, plain files of sizes that fit.

    Raises:
        UsageError: anything else.
    """
    members = archive.infolist()
    if len(members) > MOST_FILES:
        raise UsageError(f"{path} must hold at most {MOST_FILES:,} files. Got {len(members):,} instead.")
    seen: set[str] = set()
    for member in members:
        name = member.filename
        told = shown(short(name, 80))
        if name not in OWN and not OF_A_RUN.fullmatch(name):
            raise UsageError(f"{path} must hold the files of a run alone. Got {told}: make it by relaxbench bundle.")
        if name.lower() in seen:
            raise UsageError(f"{path} must hold each file once. Got {told} twice.")
        seen.add(name.lower())
        kind = member.external_attr >> 28  # of Unix: 8 is a plain file, 0 not said
        if kind not in (0, 8) or member.flag_bits & 1:
            raise UsageError(f"{path} must hold plain files. Got {told}, a link or encrypted, instead.")
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise UsageError(f"{path} must be a plain or deflated archive. Got {told} in another compression.")
    total, packed = sum(member.file_size for member in members), path.stat().st_size
    if total > MOST_BYTES or (total > FREE and total > MOST_RATIO * packed):
        raise UsageError(
            f"{path} must unpack to at most {MOST_BYTES:,} bytes and {MOST_RATIO} times its size. "
            f"Got {total:,} bytes in a file of {packed:,}."
        )
    return members
