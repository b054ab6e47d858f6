"""SMALL: the small data sets with their readers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..checks import refusing
from ..dataset import Array, Source
from ..named import check_content
from ..sampling import row_groups
from .coding import classes, features
from .published import PACKAGE, PUBLISHED, VERSION, Published, Size
from .reading import cells


@dataclass(frozen=True)
class Small:
    """A small data set. reader: what makes it; about: where it is from, in a word or two."""

    reader: Callable[[], Source]
    size: Size
    about: str

    @property
    def classifies(self) -> bool:
        """Whether it has labels."""
        return self.size.classes > 0


@dataclass(frozen=True)
class _Packaged:
    """A data set that scikit-learn ships. content: the hash of its rows in any order."""

    size: Size
    content: str
    source: str


_PACKAGED: Mapping[str, _Packaged] = {
    "wine": _Packaged(
        Size(178, 13, 3),
        "6eedf794fe98435b731c2c97d85c029355a59851af84d738f2aaac2f3dd98828",
        "UCI Machine Learning Repository, Wine",
    ),
    "breast_cancer": _Packaged(
        Size(569, 30, 2),
        "d85dd6cc7799e4be81abb592a7723235f0b59907e413365ffdbd4292934247f4",
        "UCI Machine Learning Repository, Breast Cancer Wisconsin (Diagnostic)",
    ),
    "digits": _Packaged(
        Size(1797, 61, 10),
        "4fc4da4683a3a8e5df54d9a99c30e1f014a1efef4061403f73235804a7f612df",
        "UCI Machine Learning Repository, Optical Recognition of Handwritten Digits, test part",
    ),
    "diabetes": _Packaged(
        Size(442, 10),
        "fb5fc438aefb7e20c0483fd261fa37b8e590aa93919266c32e316634758ba514",
        "Efron, Hastie, Johnstone and Tibshirani 2004",
    ),
    "linnerud": _Packaged(
        Size(20, 3, targets=3),
        "9ba18852a7d7d0d8f256eb05916ebea19946bb5ba6f51322bc614d7a2736f76c",
        "Linnerud's exercises, after Tenenhaus 1998",
    ),
}


def published(name: str, table: Published) -> Source:
    """A data set out of raw files.

    Args:
        name: its name, for errors.
        table: which files, and what is in them.

    Returns:
        Its rows, in the order of the files.

    Raises:
        DataError: the package that holds the files is not installed, or a file is not the original.
    """
    text = cells(table)
    with refusing(f"The raw files of {name}", f"install {PACKAGE} {VERSION}"):
        goals = [column % text.shape[1] for column in table.goals]
        columns = np.delete(text, [*goals, *table.drop], axis=1)
        X = features(columns)
        Y, labels = classes(text[:, goals[0]]) if table.size.classes else (text[:, goals].astype(np.float64), None)
    origin = {
        "source": f"{table.source}, raw files as shipped by {PACKAGE}",
        "version": f"{PACKAGE} {VERSION}, sha256 of each raw file in datasets/small/SHA256SUMS",
        "terms": f"those of the source; {PACKAGE} is under MIT and claims no rights in the data",
        "raw_columns": columns.shape[1],
    }
    return _source(X, Y, labels, origin, table.notes)


def packaged(name: str) -> Source:
    """A data set that scikit-learn ships, in its original units.

    Args:
        name: as in scikit-learn's `load_NAME`.

    Returns:
        The data.

    Raises:
        DataError: scikit-learn has changed it.
    """
    from sklearn import datasets

    table = _PACKAGED[name]
    bunch = getattr(datasets, f"load_{name}")(**({"scaled": False} if name == "diabetes" else {}))
    check_content(bunch.data, bunch.target, table.content, f"scikit-learn's {name}")
    X = bunch.data.astype(np.float64)
    labels: tuple[str, ...] | None = None
    Y: Any = bunch.target.astype(np.float64).reshape(len(X), -1)
    if table.size.classes:
        Y, labels = bunch.target.astype(np.int64), tuple(str(label) for label in bunch.target_names)
    origin = {
        "source": f"scikit-learn's load_{name}: {table.source}",
        "version": f"scikit-learn {version('scikit-learn')}, content sha256 {table.content}",
        "terms": "BSD-3-Clause (scikit-learn); the data's own are those of the source",
    }
    return _source(X, Y, labels, origin)


def _source(
    X: Array, Y: NDArray[Any], labels: tuple[str, ...] | None, origin: Mapping[str, Any], notes: tuple[str, ...] = ()
) -> Source:
    """The source, without features that are the same in all rows; its origin counts rows and those that repeat."""
    varied = ~(X[0] == X).all(axis=0)
    if not varied.all():
        left_out = ", ".join(map(str, np.flatnonzero(~varied)))
        notes += (f"Left out of {len(varied)} features, the same in all rows: {left_out} (counted from 0).",)
    X = X[:, varied]
    counts = {"rows": len(X), "repeated_rows": len(X) - int(row_groups(X).max()) - 1}
    return Source(X, Y, labels, {**origin, **counts}, warnings=notes)


SMALL: Mapping[str, Small] = {
    **{
        name: Small(partial(published, name, table), table.size, table.source.split(",")[0])
        for name, table in PUBLISHED.items()
    },
    **{name: Small(partial(packaged, name), table.size, "scikit-learn") for name, table in _PACKAGED.items()},
}
"""The small data sets, by name without `small/`."""
