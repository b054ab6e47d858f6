"""Every bound proved again: objectives from the saved networks, lower bounds from the saved certificates.

None of the code that computed them takes part: the network is run through its own forward pass here, the certificate
through `solvers.checker`. What is checked are the numbers of the results table, on data loaded again and compared by
sha256, and before that whether table, plan and records tell of the same cells (records.py). A comparison that
meets NaN does not hold.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ...datasets import Dataset
from ...solvers.certificates.certificate import Certificate
from ..bundle.unpack import left_out
from ..canonical import canonical
from ..grid.data import Data
from ..grid.model import MODEL, slope_below
from ..results.folder import load_arrays, load_extra, load_results
from ..results.tables import best_upper_bounds
from ..text import UsageError, one_line
from .records import complaint, is_left_out, lost

BOUNDS = ("objective", "upper_bound", "lower_bound")
SAVED = {"objective": ("network",), "upper_bound": ("network", "relaxation")}  # names of the arrays behind a bound
SLACK = 1e-9  # relative, of objectives: two routes through floating point. What is proved has none.


@dataclass(frozen=True)
class Check:
    """One bound: what the table says, what came out here, and whether that makes the table true.

    bound: `record`, without numbers, for a cell that has none of the bounds but a record that is not right.
    left_out: it does not hold because a bundle was made without the arrays behind it.
    """

    cell: str
    label: str
    bound: str
    recorded: float | None
    found: float | None
    holds: bool
    message: str = ""
    left_out: bool = False


def verify(folder: str | Path, data_dir: Path | None = None) -> Iterator[Check]:
    """Check each objective, upper bound and lower bound in a folder's results.

    An objective holds if the saved network has it; an upper bound, where it is not the objective, if the best of the
    saved networks has it, that of the relaxation among them; a lower bound if its certificate proves as much and no
    network of the group lies below it. None of a cell holds whose record is damaged, another cell's, or not what the
    table says. Where a bundle left arrays out, what rests on them is not shown, and `left_out`.

    Args:
        folder: a run's folder.
        data_dir: folder with original data files, used first.

    Returns:
        One Check for each, in the order of the table, after those of cells that have a record but no row.

    Raises:
        UsageError: the folder holds no results.
    """
    folder, results = Path(folder), load_results(folder)
    for cell, message in lost(folder, results):
        yield Check(cell, "", "record", None, None, False, message)
    best, twice = best_upper_bounds(results), results["cell"].duplicated(keep=False)
    gone = left_out(folder)
    checker = _Checker(folder, data_dir, gone)
    for row, upper, again in zip(results.to_dict("records"), best, twice, strict=True):
        wrong = "the table holds this cell more than once" if again else complaint(folder, row, gone)
        bounds = [name for name in BOUNDS if not pd.isna(row[name])]
        if "upper_bound" in bounds and row["upper_bound"] == row["objective"]:
            bounds.remove("upper_bound")
        if wrong:
            for bound in bounds or ["record"]:
                recorded = None if bound == "record" else float(row[bound])
                yield Check(row["cell"], _label(row), bound, recorded, None, False, wrong)
            continue
        for bound in bounds:
            yield checker.check(row, bound, float(upper))


def forward_objective(
    U: NDArray[Any],
    V: NDArray[Any],
    X: NDArray[Any],
    Y: NDArray[Any],
    gamma: float,
    activation: str = "relu",
    loss: str = "squares",
) -> float:
    """L(φ(XU)V) + γ/2 (‖U‖² + ‖V‖²), in extended precision where the machine has it.

    Args:
        U: weights of the hidden layer (d, m).
        V: weights of the output layer (m, c).
        X: rows (n, d).
        Y: targets (n, c).
        gamma: γ.
        activation: φ, as the results name it.
        loss: L, as the results name it.

    Returns:
        The objective.

    Raises:
        ValueError: another name.
    """
    U, V, X, Y = (np.asarray(A, dtype=np.longdouble) for A in (U, V, X, Y))
    Z = np.einsum("nd,dm->nm", X, U)
    F = np.einsum("nm,mc->nc", np.where(Z > 0, Z, Z * slope_below(activation)), V)
    if loss == "logistic":
        behind = F - np.einsum("nc,nc->n", F, Y)[:, None]  # 0 in the column of the row's class
        top = np.max(behind, axis=1, keepdims=True)
        missed = np.sum(top[:, 0] + np.log(np.sum(np.exp(behind - top), axis=1)))
    else:
        missed = np.einsum("nc,nc", F - Y, F - Y) / 2
    return float(missed + gamma * (np.einsum("dm,dm", U, U) + np.einsum("mc,mc", V, V)) / 2)


def _best_objective(
    arrays: Mapping[str, NDArray[Any]], names: tuple[str, ...], data: Dataset, row: Mapping[Any, Any]
) -> float:
    """Smallest objective of the networks saved under these names; raises KeyError if none is, ValueError if it is none.

    Every length is compared: numpy would repeat a row or a column of length one.
    """
    saved = [name for name in names if f"{name}_U" in arrays] or names[:1]
    networks = [(arrays[f"{name}_U"], arrays[f"{name}_V"]) for name in saved]
    d, c = data.X_train.shape[1], data.Y_train.shape[1]
    for U, V in networks:
        if U.ndim != 2 or V.ndim != 2 or U.shape != (d, V.shape[0]) or V.shape != (U.shape[1], c):
            raise ValueError(f"the saved network must map {d} to {c}. Got U {U.shape} and V {V.shape} instead.")
        if U.dtype != np.float64 or V.dtype != np.float64:
            raise ValueError(f"the saved network must be float64. Got {U.dtype} and {V.dtype} instead.")
        if not (np.isfinite(U).all() and np.isfinite(V).all()):
            raise ValueError("the saved network must be finite. Got NaN or infinities.")
    model = float(row["gamma"]), str(row["activation"]), str(row["loss"])
    return min(forward_objective(U, V, data.X_train, data.Y_train, *model) for U, V in networks)


class _Checker:
    """Keeps the data of the last row, and what certificates prove that cells share."""

    def __init__(self, folder: Path, data_dir: Path | None, gone: Mapping[str, str]) -> None:
        self._folder, self._data_dir, self._gone = folder, data_dir, gone
        self._data: tuple[str, Dataset | None] = ("", None)
        self._proved: dict[str, float] = {}

    def check(self, row: Mapping[Any, Any], bound: str, upper: float) -> Check:
        recorded, found = float(row[bound]), None
        try:
            extra = load_extra(self._folder, row["cell"])
            if self._left_out(row["cell"], bound, extra.get("relaxation")):
                told = "the bundle was made without these arrays"
                return Check(row["cell"], _label(row), bound, recorded, None, False, told, left_out=True)
            own = not is_left_out(self._folder / "cells" / row["cell"], self._gone)
            data, arrays = self._load(str(row["data"]), extra["data"]), load_arrays(self._folder, row["cell"], own=own)
            if bound != "lower_bound":
                found = _best_objective(arrays, SAVED[bound], data, row)
                same = abs(found - recorded) <= SLACK * abs(found)
                message = "" if same else "the saved network has another objective"
            else:
                certificate = Certificate.from_arrays(str(row["certificate"]), arrays, recorded)
                found = self._prove(certificate, data, row)
                message = _complaint(recorded, found, upper)
        except KeyError as error:
            message = f"{error.args[0]} was not saved"
        except (ValueError, TypeError, OSError, ArithmeticError) as error:
            message = one_line(error)
        return Check(row["cell"], _label(row), bound, recorded, found, not message, message)

    def _left_out(self, cell: str, bound: str, shared: object) -> bool:
        """Whether a bundle left out what a bound rests on: the cell's own arrays, or those of its relaxation."""
        own = is_left_out(self._folder / "cells" / cell, self._gone)
        relaxation = bool(shared) and is_left_out(self._folder / "relaxations" / str(shared), self._gone)
        if bound == "lower_bound" and shared:
            return relaxation
        return own or (relaxation and bound == "upper_bound")

    def _load(self, short: str, locator: Mapping[str, Any]) -> Dataset:
        """The data of a row; those of the last row if they are the same."""
        key = canonical(locator)
        if self._data[0] != key or self._data[1] is None:
            data = Data.from_locator(locator, self._data_dir)
            if data.columns["data"] != short:
                raise UsageError(f"data must be {data.columns['data']}, as in the record. Got {short} instead.")
            self._data = (key, data.load())
        found = self._data[1]
        assert found is not None
        return found

    def _prove(self, certificate: Certificate, data: Dataset, row: Mapping[Any, Any]) -> float:
        """What the certificate proves; cells share a proof if everything that it rests on is the same."""
        from ...solvers.checker import verify as prove

        model = float(row["gamma"]), str(row["activation"]), str(row["loss"])
        key = _content(certificate, data, *model)
        if key not in self._proved:
            self._proved[key] = float(prove(certificate, data.X_train, data.Y_train, *model))
        return self._proved[key]


def _content(certificate: Certificate, data: Dataset, gamma: float, *model: str) -> str:
    """sha256 of all that a proof is made of: data, γ, activation, loss, kind, each array by name."""
    digest = hashlib.sha256(canonical([certificate.kind, gamma.hex(), *model]).encode())
    for name, array in sorted({"X": data.X_train, "Y": data.Y_train, **certificate.arrays()}.items()):
        digest.update(canonical([name, array.dtype.str, array.shape]).encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _complaint(recorded: float, proved: float, upper: float) -> str:
    """What is wrong with a lower bound; empty if nothing is. upper: best upper bound of the group, or NaN."""
    if not recorded <= proved:
        return "the certificate proves less"
    if not np.isnan(upper) and not recorded <= upper:
        return f"a network has objective {upper:.9g}, which is below"
    return ""


def _label(row: Mapping[Any, Any]) -> str:
    names = ("dataset", "activation", "loss", "method", "gamma", "width", "seed")
    return " ".join(f"{row[name]}" for name in names if not pd.isna(row[name]) and row[name] != MODEL.get(name))
