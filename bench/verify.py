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
from .store import load_arrays, load_extra, load_results
from .text import one_line

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
    """A Check for each objective and each lower bound in the folder's results, in the order of the table.

    An objective holds if the saved network has it; a lower bound if its certificate proves as much and no network of
    the group lies below it. Raises UsageError if the folder holds no results.
    """
    results = load_results(folder)
    best = results.groupby(["data", "gamma"])["objective"].transform("min")
    loaded: tuple[str, Dataset | None, str] = ("", None, "")
    for row, upper in zip(results.to_dict("records"), best, strict=True):
        bounds = [name for name in ("objective", "lower_bound") if not pd.isna(row[name])]
        if bounds and loaded[0] != row["data"] + str(row["dataset"]):
            loaded = (row["data"] + str(row["dataset"]), *_load(folder, row, data_dir))
        for bound in bounds:
            yield _check(Path(folder), row, bound, upper, *loaded[1:])


def forward_objective(U: NDArray[Any], V: NDArray[Any], X: NDArray[Any], Y: NDArray[Any], gamma: float) -> float:
    """½‖(XU)₊V − Y‖² + γ/2 (‖U‖² + ‖V‖²) for U (d, m), V (m, c), in extended precision where the machine has it."""
    U, V, X, Y = (np.asarray(A, dtype=np.longdouble) for A in (U, V, X, Y))
    Z = np.einsum("nd,dm->nm", X, U)
    R = np.einsum("nm,mc->nc", np.where(Z > 0, Z, 0), V) - Y
    return float((np.einsum("nc,nc", R, R) + gamma * (np.einsum("dm,dm", U, U) + np.einsum("mc,mc", V, V))) / 2)


def _load(folder: str | Path, row: Mapping[Any, Any], data_dir: Path | None) -> tuple[Dataset | None, str]:
    """The data of a row, or None and why they cannot be had."""
    try:
        return Data.from_locator(load_extra(folder, row["cell"])["data"], data_dir).load(), ""
    except (ValueError, OSError, KeyError, TypeError) as error:
        return None, one_line(error)


def _check(folder: Path, row: Mapping[Any, Any], bound: str, upper: float, data: Dataset | None, why: str) -> Check:
    label = " ".join(
        f"{row[name]}" for name in ("dataset", "method", "gamma", "width", "seed") if not pd.isna(row[name])
    )
    recorded = float(row[bound])

    def check(found: float | None, holds: bool, message: str = "") -> Check:
        return Check(row["cell"], label, bound, recorded, found, holds, message)

    if data is None:
        return check(None, False, why)
    try:
        arrays = load_arrays(folder, row["cell"])
        if bound == "objective":
            found = forward_objective(
                arrays["network_U"], arrays["network_V"], data.X_train, data.Y_train, row["gamma"]
            )
            holds = abs(found - recorded) <= SLACK * abs(found)
            return check(found, holds, "" if holds else "the saved network has another objective")
        found = _proved(row, recorded, arrays, data)
    except KeyError as error:
        return check(None, False, f"{error.args[0]} was not saved")
    except (ValueError, ArithmeticError, np.linalg.LinAlgError) as error:
        return check(None, False, one_line(error))
    if not recorded <= found + SLACK * abs(found):
        return check(found, False, "the certificate proves less")
    if not (pd.isna(upper) or recorded <= upper + SLACK * abs(upper)):
        return check(found, False, f"a network has objective {upper:.9g}, which is below")
    return check(found, True)


def _proved(row: Mapping[Any, Any], recorded: float, arrays: dict[str, NDArray[Any]], data: Dataset) -> float:
    from ..solvers.verify import verify as prove

    certificate = Certificate.from_arrays(str(row["certificate"]), arrays, recorded)
    return float(prove(certificate, data.X_train, data.Y_train, float(row["gamma"])))
