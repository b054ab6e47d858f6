"""Methods compared split by split: on the same rows, with a test that knows that splits share rows."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from .results import Results
from .summary import chosen, ordered
from .tables import Entry, Row, Table, fixed, gamma_text, number, records

REFERENCE = "sdp"
LEVEL = 0.05
MEASURES = ("test_accuracy", "test_r2")


def paired(results: Results) -> Table | None:
    """REFERENCE against every other method: one row for each (problem, γ, method) with two splits or more."""
    table = compared(chosen(results.done))
    if table.empty:
        return None
    rows = tuple(
        (
            *(Entry(row["problem"]), Entry(gamma_text(row["gamma"])), Entry(row["method"])),
            *(Entry(f"{row['splits']:g}"), Entry(fixed(row["difference"], 4))),
            Entry(f"{fixed(row['low'], 4)} to {fixed(row['high'], 4)}"),
            *(Entry(f"{row['wins']}/{row['ties']}/{row['losses']}"), Entry(number(row["p"], 2)), Entry(row["verdict"])),
        )
        for row in records(table)
    )
    header = ("data set", "γ", "against", "splits", "difference", "95 % interval", "won/tied/lost", "p", REFERENCE)
    caption = (
        f"Test accuracy, or R² for real-valued targets (protocol holdout), of {REFERENCE} minus that of another method "
        "on the same splits; seeds are averaged first. Interval and p from the corrected resampled t-test, whose "
        "variance allows for rows that splits share (Nadeau & Bengio 2003); p is not corrected for the number of rows "
        f"of this table. A tie: p ≥ {LEVEL:g}, so no difference is shown, which does not prove that there is none."
    )
    return Table("paired", "Methods compared split by split", caption, header, rows, table, labels=3)


def compared(cells: pd.DataFrame) -> pd.DataFrame:
    """The numbers of `paired`, unrounded, for the chosen cells; no rows where nothing can be compared."""
    lines = [line for measure in MEASURES for line in _lines(cells, measure)]
    return ordered(pd.DataFrame(lines)) if lines else pd.DataFrame()


def corrected_t(differences: np.ndarray, test_share: float) -> tuple[float, float]:
    """p and half the 95 % interval of the mean of J paired differences, by the corrected resampled t-test.

    The variance of the mean is (1/J + test_share)·s², test_share = test rows / training rows, s² the sample variance.
    Nadeau & Bengio (2003), "Inference for the generalization error", Machine Learning 52. Without any variance p is 1
    where all differences are zero, else 0.
    """
    from scipy.stats import t

    J, mean = len(differences), float(np.mean(differences))
    error = math.sqrt((1 / J + test_share) * float(np.var(differences, ddof=1)))
    if error <= 1e-12 * abs(mean) or error == 0.0:
        return float(mean == 0.0), 0.0
    return float(2 * t.sf(abs(mean) / error, J - 1)), float(t.ppf(0.975, J - 1) * error)


def _lines(cells: pd.DataFrame, measure: str) -> list[Row]:
    lines = []
    for (problem, gamma), line in cells.dropna(subset=[measure]).groupby(["problem", "gamma"], dropna=False):
        scores = line.pivot_table(index="data", columns="method", values=measure)
        test_share = float(line["n_test"].max() / line["n"].max())
        for method in scores.columns.drop(REFERENCE, errors="ignore"):
            if REFERENCE not in scores:
                continue
            pairs = scores[[REFERENCE, method]].dropna()
            if len(pairs) < 2:
                continue
            differences = (pairs[REFERENCE] - pairs[method]).to_numpy()
            p, half = corrected_t(differences, test_share)
            mean = float(differences.mean())
            lines.append(
                {
                    **{"problem": problem, "gamma": gamma, "method": method, "measure": measure, "splits": len(pairs)},
                    **{"difference": mean, "low": mean - half, "high": mean + half, "p": p},
                    **{"wins": int((differences > 0).sum()), "ties": int((differences == 0).sum())},
                    "losses": int((differences < 0).sum()),
                    "verdict": "tie" if p >= LEVEL else "better" if mean > 0 else "worse",
                }
            )
    return lines
