"""Numbers that no run can have measured, and bounds that contradict a network: left out of the report, with a word."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

LARGEST = 1e100  # beyond it squares and ratios overflow, and no picture has room
AT_LEAST_ONE = ("n", "d", "c", "width")
AT_LEAST_ZERO = ("runtime_s", "solve_s", "round_s", "cpu_s", "setup_s", "peak_memory_mb", "iterations", "n_test")
SHARES = ("train_accuracy", "test_accuracy", "test_accuracy_paper", "balanced_accuracy")
SLACK = 1e-9  # relative: what two routes through floating point may differ by
GROUP = ["data", "gamma"]


def plausible(table: pd.DataFrame, columns: Iterable[str]) -> tuple[pd.DataFrame, list[str]]:
    """Leave out the numbers of a table that no run can have measured.

    Args:
        table: the table; it is copied.
        columns: names of the columns to look at.

    Returns:
        The table without impossible numbers in these columns, and a sentence for each column that had some.
    """
    table, texts = table.copy(), []
    for name in columns:
        wrong = table[name].notna() & ~_possible(name, table[name])
        if wrong.any():
            first = table.loc[wrong, [name, "cell" if "cell" in table else "data"]].iloc[0]
            texts.append(
                f"{wrong.sum()} of {name} left out, which no run can have ({first.iloc[0]:g}, {first.index[1]} "
                f"{first.iloc[1]}{' and others' if wrong.sum() > 1 else ''})"
            )
            table.loc[wrong, name] = np.nan
    return table, texts


def _possible(name: str, values: pd.Series) -> pd.Series:
    """Where a number can be one of its column; what is missing counts as one that cannot."""
    low = 1.0 if name in AT_LEAST_ONE else 0.0 if name in AT_LEAST_ZERO or name in SHARES else -LARGEST
    return values.between(low, 1.0 if name in SHARES else LARGEST)


def contradictions(cells: pd.DataFrame) -> tuple[list[str], set[tuple[str, float]]]:
    """Find each (data, γ) whose largest proved bound lies above a network.

    One of the two is wrong: nothing that is said to be proved of such a group can be believed.

    Args:
        cells: one row a cell.

    Returns:
        A sentence for each such group, and these groups.
    """
    known = cells.assign(best=cells[["objective", "upper_bound"]].min(axis=1))
    texts, groups = [], set()
    for (data, gamma), part in known[known["data"] != ""].groupby(GROUP):
        bounds, networks = part["lower_bound"].dropna(), part["best"].dropna()
        if bounds.empty or networks.empty or not bounds.max() > networks.min() + SLACK * abs(networks.min()):
            continue
        above, below = part.loc[bounds.idxmax()], part.loc[networks.idxmin()]
        where = f"{part['dataset'].iloc[0]} at γ = {gamma:g}"
        texts.append(
            f"The bound {bounds.max():.9g} of cell {above['cell']} ({above['method']}) lies above the network of cell "
            f"{below['cell']} ({below['method']}), whose objective is {networks.min():.9g}, on {where}: "
            "not to be trusted."
        )
        groups.add((str(data), float(gamma)))
    return texts, groups


def without(table: pd.DataFrame, groups: set[tuple[str, float]], columns: Iterable[str]) -> pd.DataFrame:
    """Empty columns in the rows of some (data, γ).

    Args:
        table: a table with the columns data and gamma.
        groups: the (data, γ).
        columns: names of the columns to empty.

    Returns:
        The table with these columns emptied in these rows.
    """
    if not groups:
        return table
    table, wrong = table.copy(), pd.MultiIndex.from_frame(table[GROUP]).isin(groups)
    for name in columns:
        table.loc[wrong, name] = np.nan if table[name].dtype == float else ""
    return table
