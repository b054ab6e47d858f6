"""Methods compared split by split: on the same rows, with a test that knows which splits share rows (splits.py)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from ..labels import FOLDS, HOLDOUT
from ..results import Results
from ..summary import chosen, ordered
from .scores import SEEN_SAID
from .splits import test_share
from .table import Entry, Row, Table, fixed, gamma_text, number, records

REFERENCE = "sdp"
LEVEL = 0.05
MEASURES = ("test_accuracy", "test_r2")
UNDECIDED = "no difference shown"


def paired(results: Results, protocol: str = HOLDOUT) -> Table | None:
    """Compare REFERENCE with every other method.

    Args:
        results: the results of a run.
        protocol: whose scores; those of each are a family of their own.

    Returns:
        One row for each (problem, γ, method) with two splits or more; None without any.
    """
    table = compared(chosen(results.under(protocol).done), results)
    if table.empty:
        return None
    rows = tuple(
        (
            *(Entry(row["problem"]), Entry(gamma_text(row["gamma"], row["by"])), Entry(row["method"])),
            *(Entry(f"{row['splits']:g}"), Entry(fixed(row["difference"], 4))),
            Entry(f"{fixed(row['low'], 4)} to {fixed(row['high'], 4)}"),
            Entry(f"{row['wins']}/{row['ties']}/{row['losses']}"),
            *(Entry(number(row["p"], 2)), Entry(number(row["p_holm"], 2)), Entry(row["verdict"])),
        )
        for row in records(table)
    )
    header = (
        *("data set", "γ", "against", "splits", "difference", "95 % interval", "won/tied/lost"),
        *("p", "p (Holm)", REFERENCE),
    )
    caption = (
        f"Test accuracy, or R² for real-valued targets (protocol {protocol}), of {REFERENCE} minus that of another "
        "method on the same splits; seeds are averaged first. Interval and p of each row by itself from the paired "
        "t-test; where splits share test rows, with the variance corrected for it (Nadeau & Bengio 2003), where they "
        "have one test set in common, there is no row. Intervals of accuracies end at −1 and 1, as differences of "
        f"them do. p (Holm): adjusted for the {len(table)} rows of this table. {REFERENCE} is called better or worse "
        f"where it is below {LEVEL:g}; elsewhere no difference is shown, which does not prove that there is none."
    )
    name, title = "paired", "Methods compared split by split"
    if protocol == FOLDS:
        name, title, caption = "paired-folds", f"{title} (protocol folds)", f"{caption} {SEEN_SAID}"
    return Table(name, title, caption, header, rows, table, labels=3)


def compared(cells: pd.DataFrame, results: Results) -> pd.DataFrame:
    """Compute the numbers of `paired`, unrounded.

    Args:
        cells: the chosen cells.
        results: the results that they come from.

    Returns:
        One row for each comparison; no rows where nothing can be compared.
    """
    lines = [line for measure in MEASURES for line in _lines(cells, measure, results)]
    if not lines:
        return pd.DataFrame()
    table = pd.DataFrame(lines)
    table["p_holm"] = holm(table["p"].to_numpy())
    sides = np.where(table["difference"] > 0, "better", "worse")
    table["verdict"] = np.where(table["p_holm"] < LEVEL, sides, UNDECIDED)
    return ordered(table)


def corrected_t(differences: np.ndarray, test_share: float, step: float = 0.0) -> tuple[float, float]:
    """Test the mean of J paired differences by the corrected resampled t-test.

    The variance of the mean is (1/J + test_share)·s², s² the sample variance; splits.py says why. Few accuracies often
    differ by the same number of rows by chance: s² is at least step²/12, the variance of what rounding took away.

    Args:
        differences: the differences (J,).
        test_share: ρ/(1 − ρ), as in splits.py.
        step: what the differences are multiples of, 0 for real numbers.

    Returns:
        p and half the 95 % interval; without any variance p is 1 where all differences are zero, else 0.
    """
    from scipy.stats import t

    J, mean = len(differences), float(np.mean(differences))
    variance = max(float(np.var(differences, ddof=1)), step**2 / 12)
    error = math.sqrt((1 / J + test_share) * variance)
    if error <= 1e-12 * abs(mean):
        return float(mean == 0.0), 0.0
    return float(2 * t.sf(abs(mean) / error, J - 1)), float(t.ppf(0.975, J - 1) * error)


def holm(p: Sequence[float] | np.ndarray) -> np.ndarray:
    """Adjust the p-values of one family: rejecting those below a level errs at most that often, however dependent.

    Holm (1979), "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6.

    Args:
        p: the p-values (k,).

    Returns:
        Holm's adjusted p-values (k,).
    """
    p = np.asarray(p, dtype=float)
    order = np.argsort(p, kind="stable")
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)), 1.0)
    return adjusted


def _lines(cells: pd.DataFrame, measure: str, results: Results) -> list[Row]:
    lines = []
    for (problem, gamma), line in cells.dropna(subset=[measure]).groupby(["problem", "gamma"], dropna=False):
        scores = line.pivot_table(index="data", columns="method", values=measure)
        if REFERENCE not in scores or len(scores) < 2:
            continue
        share = _share(line, results)
        if math.isinf(share):
            continue
        accuracies = measure == "test_accuracy"
        reach = 1.0 if accuracies else math.inf
        step = 1 / line["n_test"].max() if accuracies and line["n_test"].notna().any() else 0.0
        for method in scores.columns.drop(REFERENCE):
            pairs = scores[[REFERENCE, method]].dropna()
            if len(pairs) < 2:
                continue
            differences = (pairs[REFERENCE] - pairs[method]).to_numpy()
            p, half = corrected_t(differences, share, step)
            mean = float(differences.mean())
            lines.append(
                {
                    **{"problem": problem, "gamma": gamma, "method": method, "measure": measure, "splits": len(pairs)},
                    **{"difference": mean, "low": max(mean - half, -reach), "high": min(mean + half, reach), "p": p},
                    **{"wins": int((differences > 0).sum()), "ties": int((differences == 0).sum())},
                    **{"losses": int((differences < 0).sum()), "test_share": share, "by": line["gamma_by"].iloc[0]},
                }
            )
    return lines


def _share(line: pd.DataFrame, results: Results) -> float:
    """`splits.test_share` of the splits of one problem."""
    n, n_test, first = float(line["n"].min()), float(line["n_test"].max()), line.iloc[0]
    share = test_share(first["dataset"], n, n_test, results.test_pool(first["cell"]))
    seeds = line.drop_duplicates("data")["data_seed"].dropna()
    # Data generated from one seed under several options have rows in common after all.
    return n_test / n if share == 0.0 and seeds.duplicated().any() else share
