"""Every bound proved again: objectives from the saved networks, lower bounds from the saved certificates.

None of the code that computed them takes part: the network is run through its own forward pass here, the certificate
through `solvers.verify`. What is checked are the numbers of the results table, on data loaded again and compared by
sha256.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..datasets import Dataset
from ..solvers.certificate import Certificate
from .cell import Data
from .record import canonical
from .store import load_arrays, load_extra, load_results
from .tables import best_upper_bounds
from .text import UsageError, one_line

BOUNDS = ("objective", "upper_bound", "lower_bound")
SAVED = {"objective": ("network",), "upper_bound": ("network", "relaxation")}  # names of the arrays behind a bound
SLACK = 1e-9  # relative: two routes through floating point


@dataclass(frozen=True)
class Check:
    """One bound: what the table says, what came out here, and whether that makes the table true."""

    cell: str
    label: str
    bound: str
    recorded: float
    found: float | None
    holds: bool
    message: str = ""


def verify(folder: str | Path, data_dir: Path | None = None) -> Iterator[Check]:
    """A Check for each objective, upper bound and lower bound in the folder's results, in the order of the table.

    An objective holds if the saved network has it; an upper bound, where it is not the objective, if the best of the
    saved networks has it, that of the relaxation among them; a lower bound if its certificate proves as much and no
    network of the group lies below it. Raises UsageError if the folder holds no results.
    """
    results = load_results(folder)
    best = best_upper_bounds(results)
    checker = _Checker(Path(folder), data_dir)
    for row, upper in zip(results.to_dict("records"), best, strict=True):
        for bound in BOUNDS:
            if not pd.isna(row[bound]) and (bound != "upper_bound" or row[bound] != row["objective"]):
                yield checker.check(row, bound, float(upper))


def forward_objective(U: NDArray[Any], V: NDArray[Any], X: NDArray[Any], Y: NDArray[Any], gamma: float) -> float:
    """½‖(XU)₊V − Y‖² + γ/2 (‖U‖² + ‖V‖²) for U (d, m), V (m, c), in extended precision where the machine has it."""
    U, V, X, Y = (np.asarray(A, dtype=np.longdouble) for A in (U, V, X, Y))
    Z = np.einsum("nd,dm->nm", X, U)
    R = np.einsum("nm,mc->nc", np.where(Z > 0, Z, 0), V) - Y
    return float((np.einsum("nc,nc", R, R) + gamma * (np.einsum("dm,dm", U, U) + np.einsum("mc,mc", V, V))) / 2)


def _best_objective(arrays: Mapping[str, NDArray[Any]], names: tuple[str, ...], data: Dataset, gamma: float) -> float:
    """Smallest objective of the networks saved under these names; raises KeyError if none is."""
    saved = [name for name in names if f"{name}_U" in arrays] or names[:1]
    networks = [(arrays[f"{name}_U"], arrays[f"{name}_V"]) for name in saved]
    return min(forward_objective(U, V, data.X_train, data.Y_train, gamma) for U, V in networks)


class _Checker:
    """Keeps the data of the last row, and what certificates prove that cells share."""

    def __init__(self, folder: Path, data_dir: Path | None) -> None:
        self._folder, self._data_dir = folder, data_dir
        self._data: tuple[str, Dataset | None] = ("", None)
        self._proved: dict[str, float] = {}

    def check(self, row: Mapping[Any, Any], bound: str, upper: float) -> Check:
        names = ("dataset", "method", "gamma", "width", "seed")
        label = " ".join(f"{row[name]}" for name in names if not pd.isna(row[name]))
        recorded, found = float(row[bound]), None
        try:
            extra = load_extra(self._folder, row["cell"])
            data, arrays = self._load(str(row["data"]), extra["data"]), load_arrays(self._folder, row["cell"])
            if bound != "lower_bound":
                found = _best_objective(arrays, SAVED[bound], data, float(row["gamma"]))
                same = abs(found - recorded) <= SLACK * abs(found)
                message = "" if same else "the saved network has another objective"
            else:
                found = self._prove(extra["relaxation"] or row["cell"], row, arrays, data)
                message = _complaint(recorded, found, upper)
        except KeyError as error:
            message = f"{error.args[0]} was not saved"
        except (ValueError, TypeError, OSError, ArithmeticError) as error:
            message = one_line(error)
        return Check(row["cell"], label, bound, recorded, found, not message, message)

    def _load(self, sha256: str, locator: Mapping[str, Any]) -> Dataset:
        """The data of a row; those of the last row if they are the same."""
        key = canonical(locator)
        if self._data[0] != key or self._data[1] is None:
            data = Data.from_locator(locator, self._data_dir)
            if not data.sha256.startswith(sha256):
                raise UsageError(
                    f"data must be {data.sha256[:12]}, as in the record. Got {sha256} in the table instead."
                )
            self._data = (key, data.load())
        found = self._data[1]
        assert found is not None
        return found

    def _prove(self, key: str, row: Mapping[Any, Any], arrays: dict[str, NDArray[Any]], data: Dataset) -> float:
        from ..solvers.checker import verify as prove

        if key not in self._proved:
            certificate = Certificate.from_arrays(str(row["certificate"]), arrays, float(row["lower_bound"]))
            self._proved[key] = float(prove(certificate, data.X_train, data.Y_train, float(row["gamma"])))
        return self._proved[key]


def _complaint(recorded: float, proved: float, upper: float) -> str:
    """What is wrong with a lower bound; empty if nothing is. upper: best upper bound of the group, or NaN."""
    if not recorded <= proved + SLACK * abs(proved):
        return "the certificate proves less"
    if not np.isnan(upper) and recorded > upper + SLACK * abs(upper):
        return f"a network has objective {upper:.9g}, which is below"
    return ""
