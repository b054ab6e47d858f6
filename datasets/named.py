"""Iris, ionosphere, Pima and bank notes, every byte checked against a pinned sha256."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import short
from .checks import DataError, refusing
from .dataset import Array, Source

SHIPPED = Path(__file__).with_name("files")


@dataclass(frozen=True)
class Original:
    """A file as its publisher gave it out: comma-separated, no header row, the label in the last column."""

    file: str
    sha256: str
    source: str
    terms: str
    warnings: tuple[str, ...] = ()


IONOSPHERE = Original(
    "ionosphere.data",
    "46d52186b84e20be52918adb93e8fb9926b34795ff7504c24350ae0616a04bbd",
    "UCI Machine Learning Repository 52, doi 10.24432/C5W01B",
    "CC BY 4.0",
    ("Feature 1 is 0 in every row.",),
)
PIMA = Original(
    "pima-indians-diabetes.csv",
    "6bfe5d0f379d17a0e0819b996407e3c09bf80febd4287f2ed212190dfff154af",
    "NIDDK, Smith et al. 1988, published by UCI on Kaggle",
    "CC0",
    ("Zeros in features 1 to 5 stand for missing values and are kept as they are.",),
)
BANKNOTE = Original(
    "data_banknote_authentication.txt",
    "d0539aaed2139ba7a587b3e34fb345ce503ff7d5d33dbf9912d8e195ce425cb9",
    "UCI Machine Learning Repository 267, doi 10.24432/C55P57",
    "CC BY 4.0",
)

IRIS_CONTENT = "8979bc4785b3c40037b3674a4a97aa080b6f26f1653f114d667d5955bcbdeb5b"


def uci(original: Original, *, data_dir: Path | None) -> Source:
    """The original file from `data_dir` where it is there, else the shipped copy.

    Args:
        original: which file, and its checksum.
        data_dir: a folder that may hold the original file.

    Returns:
        The data.

    Raises:
        DataError: the file was changed.
    """
    own = None if data_dir is None else data_dir / original.file
    path = own if own is not None and own.exists() else SHIPPED / original.file
    check_file(path, original.sha256)
    with refusing(str(path), "restore the original file"):
        cells = np.loadtxt(path, delimiter=",", dtype=str, encoding="ascii")
        labels, Y = np.unique(cells[:, -1], return_inverse=True)
        X = cells[:, :-1].astype(np.float64)
    origin = {
        "source": original.source,
        "version": f"{original.file}, sha256 {original.sha256}",
        "terms": original.terms,
        "read_from": "shipped copy" if path is not own else str(path),
    }
    return Source(X, Y, tuple(labels.tolist()), origin, warnings=original.warnings)


def iris() -> Source:
    """Fisher's iris as scikit-learn has it."""
    from sklearn.datasets import load_iris

    bunch = load_iris()
    check_content(bunch.data, bunch.target, IRIS_CONTENT, "scikit-learn's iris")
    origin = {
        "source": "scikit-learn's load_iris, after Fisher 1936",
        "version": f"scikit-learn {version('scikit-learn')}, content sha256 {IRIS_CONTENT}",
        "terms": "BSD-3-Clause; UCI 53 is CC BY 4.0",
    }
    differs = "Differs from the UCI file in three cells (rows 34 and 37), which the UCI file has wrong."
    labels = tuple(str(name) for name in bunch.target_names)
    return Source(bunch.data, bunch.target, labels, origin, warnings=(differs,))


def check_file(path: Path, sha256: str) -> None:
    """Refuse a file that is not the original, byte for byte.

    Args:
        path: the file.
        sha256: checksum of the original.

    Raises:
        DataError: another file, or one that cannot be read.
    """
    with refusing(str(path), "make it a readable file"), path.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if found != sha256:
        raise DataError(
            f"{short(str(path), 200)} must be the original file, sha256 {sha256}. Got sha256 {found} instead: "
            "restore the original or take the file away."
        )


def content_sha256(X: Array, y: NDArray[Any]) -> str:
    """Hash of the rows whatever their order: [X, y] as little-endian float64, rows sorted.

    Args:
        X: rows (n, d).
        y: targets or labels as numbers, (n,) or (n, c).

    Returns:
        The hash in hexadecimal digits.
    """
    A = np.column_stack([X, y]).astype("<f8")
    return hashlib.sha256(A[np.lexsort(A.T[::-1])].tobytes()).hexdigest()


def check_content(X: Array, y: NDArray[Any], sha256: str, what: str) -> None:
    """Refuse data that a package has changed.

    Args:
        X: rows (n, d).
        y: targets or labels as numbers, (n,) or (n, c).
        sha256: `content_sha256` of the original.
        what: what the data are, for the message.

    Raises:
        DataError: other data.
    """
    found = content_sha256(X, y)
    if found != sha256:
        raise DataError(
            f"{what} must have content sha256 {sha256}. Got {found} instead: install the version in constraints.txt."
        )
