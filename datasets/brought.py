"""possum and cifar10: later experiments of the paper's authors, read from files that the user brings with --data."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from ..errors import short
from .checks import DataError, refusing
from .dataset import Source

POSSUM = "possum.csv"
_NUMBERS = ("site", "age", "hdlngth", "skullw", "taill", "footlgth", "earconch", "eye", "chest", "belly")
_BINARY = {"Pop": "Vic", "sex": "m"}  # 1 stands for that level, 0 for the other
_TARGET = "totlngth"

BATCHES = tuple(f"data_batch_{k}.bin" for k in range(1, 6))
TEST_BATCH = "test_batch.bin"
_PIXELS = 3 * 32 * 32
_CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


def possum(*, data_dir: Path | None) -> Source:
    """Body measures of possums, R's DAAG::possum: total length by twelve others; rows with a missing value are dropped.

    Args:
        data_dir: the folder with possum.csv, as R's write.csv puts it out; the row names may stand in front.

    Returns:
        The data, 101 rows of the 104.

    Raises:
        DataError: no such file, or one that is not that table.
    """
    import pandas as pd

    path = _brought(data_dir, POSSUM, "possum", "R's write.csv(DAAG::possum, 'possum.csv') makes it")
    with refusing(str(path), "write it anew with R's write.csv"):
        table = pd.read_csv(path)
        wanted = [*_NUMBERS, *_BINARY, _TARGET]
        if missing := [name for name in wanted if name not in table]:
            raise DataError(
                f"{short(str(path), 200)} must have the columns {', '.join(wanted)}. Got none {missing[0]}."
            )
        whole = table[wanted].dropna()
        columns = [whole[name].astype(np.float64) for name in _NUMBERS]
        columns += [(whole[name] == level).astype(np.float64) for name, level in _BINARY.items()]
        X, Y = np.column_stack(columns), whole[[_TARGET]].to_numpy(np.float64)
    origin = {"source": "Lindenmayer et al. 1995, DAAG::possum", "version": _version([path]), "terms": "GPL-3 (DAAG)"}
    return Source(X, Y, None, {**origin, "read_from": str(path)})


def cifar10(*, data_dir: Path | None) -> Source:
    """CIFAR-10: 32 × 32 pixels in three colours, 0 to 255, ten classes, with its own test set.

    Args:
        data_dir: the folder with the six .bin files of the binary version; the Python version is pickled, which
            nobody should read from a file of unknown origin.

    Returns:
        The data.

    Raises:
        DataError: a file is missing or not of that form.
    """
    fix = "take the binary version, cifar-10-binary.tar.gz, and give its folder"
    paths = [_brought(data_dir, file, "cifar10", fix) for file in (*BATCHES, TEST_BATCH)]
    X, y = (np.concatenate(parts) for parts in zip(*map(_batch, paths[:-1]), strict=True))
    X_test, y_test = _batch(paths[-1])
    origin = {"source": "CIFAR-10, Krizhevsky 2009", "version": _version(paths), "terms": "as published by the author"}
    return Source(X, y, _CLASSES, {**origin, "read_from": str(data_dir)}, X_test, y_test)


def _batch(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Pixels and labels of a file of records: one byte for the label, 3072 for the pixels."""
    with refusing(str(path), "restore the original file"):
        raw = np.fromfile(path, dtype=np.uint8)
    if not len(raw) or len(raw) % (_PIXELS + 1):
        raise DataError(
            f"{short(str(path), 200)} must hold records of {_PIXELS + 1} bytes. Got {len(raw)} bytes instead: "
            "restore the original file."
        )
    records = raw.reshape(-1, _PIXELS + 1)
    if records[:, 0].max() >= len(_CLASSES):
        raise DataError(f"{short(str(path), 200)} must have labels below 10. Got {records[:, 0].max()} instead.")
    return records[:, 1:].astype(np.float64), records[:, 0].astype(np.int64)


def _brought(data_dir: Path | None, file: str, name: str, fix: str) -> Path:
    """The path of a file in the user's folder; raises DataError if it is not there."""
    if data_dir is None or not (data_dir / file).is_file():
        where = "no data folder" if data_dir is None else f"{short(str(data_dir), 200)} without it"
        raise DataError(f"{name} must have {file} in the folder of --data. Got {where}: {fix}.")
    return data_dir / file


def _version(paths: list[Path]) -> str:
    return ", ".join(f"{path.name} sha256 {hashlib.sha256(path.read_bytes()).hexdigest()}" for path in paths)
