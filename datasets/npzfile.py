"""Arrays out of an .npz file that may be hostile: no pickles, every size checked before it is unpacked."""

from __future__ import annotations

import zipfile
from collections.abc import Collection
from math import prod
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from .checks import DataError, fits, hint, quote, refusing

_HEADER_LIMIT = 10_000


def read_npz(path: str, wanted: Collection[str], max_bytes: int) -> dict[str, NDArray[Any]]:
    """The arrays of a file by name, of numbers or strings.

    Args:
        path: the file.
        wanted: the names it may hold.
        max_bytes: the most that members and arrays may take, as declared.

    Returns:
        The arrays, all of them among `wanted`.

    Raises:
        DataError: anything but a zip archive of .npy members, a member that is not wanted, object arrays (they would
            need a pickle), structured types, members or arrays that are too large.
    """
    fix = "save it again with numpy.savez(path, X=…, y=…)"
    with refusing(path, fix), zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        names = [info.filename.removesuffix(".npy") for info in members]
        for info, name in zip(members, names, strict=True):
            if name not in wanted or name == info.filename or names.count(name) > 1:
                raise DataError(
                    f"{path} must hold arrays named {', '.join(wanted)} and no others, each once. "
                    f"Got {quote(info.filename)} instead{hint(name, wanted, ': leave it out.')}"
                )
            if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise DataError(f"{path} must be a plain or deflated archive. Got another compression instead: {fix}.")
        fits(sum(info.file_size for info in members) // 8, f"The unpacked content of {path}", max_bytes)
        return {name: _read_member(archive, info, name, max_bytes) for info, name in zip(members, names, strict=True)}


def _read_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str, max_bytes: int) -> NDArray[Any]:
    """One array: its header is read and judged first, then the whole member by numpy without pickles."""
    with archive.open(info) as stream:
        shape, dtype = _header(stream, name)
        if dtype.hasobject:
            raise DataError(
                f"{name} must hold numbers or strings. Got Python objects instead, which need a pickle, and loading "
                f"one runs code: save {name}.astype(float) or {name}.astype(str)."
            )
        count = prod(shape)
        fits(count, name, max_bytes)
        size = stream.tell() + count * dtype.itemsize
        if dtype.kind not in "biufcUSmM" or min(shape, default=1) < 0 or size != info.file_size:
            raise DataError(
                f"{name} must be a whole array of numbers or strings. Got a header for {dtype.kind!r} data of shape "
                f"{quote(str(shape))} in {info.file_size} bytes instead: save it again."
            )
    with archive.open(info) as stream:
        return npy.read_array(stream, allow_pickle=False, max_header_size=_HEADER_LIMIT)


def _header(stream: Any, name: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
    version = npy.read_magic(stream)
    if version not in ((1, 0), (2, 0)):
        raise DataError(f"{name} must be in npy format 1.0 or 2.0. Got {version} instead: save a plain array.")
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, _, dtype = read(stream, max_header_size=_HEADER_LIMIT)
    return shape, dtype
