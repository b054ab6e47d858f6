"""What a data set's properties say about the lead of the reference over the best kernel."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..labels import FOLDS, HOLDOUT
from ..results import Results
from .across import NAMES
from .boards import FEWEST, Board, boards
from .paired import LEVEL, REFERENCE, UNDECIDED, holm
from .table import Entry, Table, fixed, number, records

KERNELS = ("nngp", "ntk", "rbf")


def properties(results: Results) -> list[Table]:
    """Tabulate Spearman's correlation of each property with the lead.

    Args:
        results: the results of a run.

    Returns:
        One table for each protocol and measure with FEWEST data sets or more.
    """
    found = []
    for protocol in (HOLDOUT, FOLDS):
        every = boards(results, protocol)
        for measure in NAMES:
            parts = [correlations(board) for board in every if board.measure == measure]
            table = pd.concat(parts) if parts else pd.DataFrame()
            found += [] if table.empty else [_table(table, protocol, measure)]
    return found


def correlations(board: Board) -> pd.DataFrame:
    """Correlate the properties of the data sets with the lead of REFERENCE over the best of KERNELS.

    Args:
        board: the scores.

    Returns:
        One row a property that varies and is known of FEWEST data sets: γ, property, data sets, ρ, p; no rows without
        REFERENCE or a kernel.
    """
    from scipy.stats import spearmanr

    kernels = [name for name in KERNELS if name in board.scores]
    if not kernels or REFERENCE not in board.scores:
        return pd.DataFrame()
    lead = (board.scores[REFERENCE] - board.scores[kernels].max(axis=1)).round(9)
    lines = []
    for name, values in _known(board).items():
        both = pd.DataFrame({"value": values, "lead": lead}).dropna()
        if len(both) < FEWEST or (both.nunique() < 2).any():
            continue
        found = spearmanr(both["value"], both["lead"])
        line = {"property": name, "datasets": len(both), "rho": float(found.statistic), "p": float(found.pvalue)}
        lines.append({"gamma": board.gamma, "by": board.by, "gamma_text": board.gamma_text, **line})
    return pd.DataFrame(lines)


def _known(board: Board) -> dict[str, pd.Series]:
    """Each property, by data set."""
    cells = board.cells.groupby("problem")
    best = 1 - board.scores.max(axis=1)
    gap = board.cells[board.cells["method"] == REFERENCE].groupby("problem")["gap"].mean()
    accuracies = board.measure == "test_accuracy"
    return {
        "n/d": cells["n"].mean() / cells["d"].mean(),
        **({"classes": cells["c"].max()} if accuracies else {}),
        f"noise (1 − best {NAMES[board.measure][1]})": best,
        f"certified gap of {REFERENCE}": gap.reindex(best.index).astype(float),
    }


def _table(table: pd.DataFrame, protocol: str, measure: str) -> Table:
    stem, words = NAMES[measure]
    table = table.assign(p_holm=holm(table["p"].to_numpy()))
    sides = np.where(table["rho"] > 0, "lead grows with it", "lead falls with it")
    table["verdict"] = np.where(table["p_holm"] < LEVEL, sides, UNDECIDED.replace("difference", "association"))
    rows = tuple(
        (
            *(Entry(row["gamma_text"]), Entry(row["property"]), Entry(f"{row['datasets']}")),
            *(Entry(fixed(row["rho"], 2)), Entry(number(row["p"], 2)), Entry(number(row["p_holm"], 2))),
            Entry(row["verdict"]),
        )
        for row in records(table)
    )
    caption = (
        f"Spearman's rank correlation ρ, over data sets, of a property with the lead of {REFERENCE}: its mean test "
        f"{words} minus that of the best of {', '.join(KERNELS)}, as far as they ran. p (Holm): adjusted for the "
        f"{len(table)} rows; {_supported(table)} An association is no cause, and the properties go together. The noise "
        f"is estimated from the same scores as the lead, and the best of several kernels is favoured by chance, most "
        f"where scores vary most: either alone may make a correlation. Protocol {protocol}."
    )
    name = f"properties-{stem}" + ("-folds" if protocol == FOLDS else "")
    title = f"Properties of data sets and the lead of {REFERENCE}, test {words} (protocol {protocol})"
    return Table(name, title, caption, ("γ", "property", "data sets", "ρ", "p", "p (Holm)", "shown"), rows, table)


def _supported(table: pd.DataFrame) -> str:
    """What the tests support, in a sentence's second half."""
    shown = list(dict.fromkeys(table.loc[table["p_holm"] < LEVEL, "property"]))
    if not shown:
        return f"at the level {LEVEL:g} no association is shown, which does not prove that there is none."
    return f"at the level {LEVEL:g} an association is shown for {', '.join(shown)}, and for nothing else."
