"""Scores of methods over many data sets, without gaps, and the tests that such scores allow.

After Demšar (2006), "Statistical comparisons of classifiers over multiple data sets", JMLR 7: a data set counts once,
with the mean over its splits, and what is compared are ranks within data sets.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ...bench.results.columns import Status
from ..results import Results
from ..summary import chosen
from .paired import LEVEL, MEASURES, REFERENCE
from .table import gamma_text

FEWEST = 5  # data sets; fewer support no test over data sets
COVERAGE = 0.9  # share of the data sets that a method must have finished to be compared
DIGITS = 10  # of scores, so that ties are not broken by floating point


@dataclass(frozen=True)
class Board:
    """Scores of one measure under one protocol and one γ.

    scores: mean over splits, a row a data set, a column a method, no gaps; errors: standard errors of these means, NaN
    for a single split. cells: what they are computed from. left_out: data sets and methods that are not compared, with
    the reason.
    """

    measure: str
    gamma: float
    by: str
    scores: pd.DataFrame
    errors: pd.DataFrame
    cells: pd.DataFrame
    left_out: tuple[str, ...]

    @property
    def gamma_text(self) -> str:
        """γ as tables show it."""
        return gamma_text(self.gamma, self.by)

    @property
    def rivals(self) -> list[str]:
        """The methods that REFERENCE is compared with; none without it."""
        return [name for name in self.scores if name != REFERENCE] if REFERENCE in self.scores else []

    @property
    def ranks(self) -> pd.Series:
        """Average rank of each method over the data sets, 1 for the highest score; ties share their ranks."""
        return self.scores.rank(axis=1, ascending=False).mean()


def boards(results: Results, protocol: str) -> list[Board]:
    """Find what can be compared over data sets: FEWEST data sets or more, and two methods.

    Args:
        results: the results of a run.
        protocol: whose scores.

    Returns:
        One board for each measure and γ.
    """
    part = results.under(protocol)
    cells = chosen(part.cells)
    return [
        board
        for measure in MEASURES
        for _, group in cells.groupby("gamma", dropna=False, sort=False)
        if (board := _board(group, measure, part.methods)) is not None
    ]


def friedman(board: Board) -> tuple[float, float] | None:
    """Test whether the methods' ranks differ at all: Friedman's test with the correction of Iman and Davenport (1980).

    Args:
        board: the scores.

    Returns:
        F and p; None for two methods, which Wilcoxon's test compares.
    """
    from scipy.stats import f, friedmanchisquare

    N, k = board.scores.shape
    if k < 3:
        return None
    if (board.scores.nunique(axis=1) == 1).all():
        return 0.0, 1.0
    square = float(friedmanchisquare(*board.scores.to_numpy().T).statistic)
    left = N * (k - 1) - square
    if left <= 1e-9 * N:  # the same order on every data set
        return math.inf, 0.0
    F = (N - 1) * square / left
    return F, float(f.sf(F, k - 1, (k - 1) * (N - 1)))


def critical_difference(k: int, N: int) -> float:
    """Find the difference of average ranks from which on Nemenyi's test tells two methods apart at LEVEL.

    Args:
        k: methods.
        N: data sets.

    Returns:
        The difference.
    """
    from scipy.stats import studentized_range

    return float(studentized_range.ppf(1 - LEVEL, k, np.inf) / math.sqrt(2) * math.sqrt(k * (k + 1) / (6 * N)))


def wilcoxon_p(differences: np.ndarray) -> float:
    """Test paired differences over data sets by Wilcoxon's signed ranks; zeros count half for either side.

    Args:
        differences: one a data set.

    Returns:
        The two-sided p.
    """
    from scipy.stats import wilcoxon

    return float(wilcoxon(differences, zero_method="zsplit").pvalue) if np.any(differences) else 1.0


def _board(group: pd.DataFrame, measure: str, methods: list[str]) -> Board | None:
    """The board of the cells of one γ."""
    problems = group["problem"].drop_duplicates()
    left_out = [f"{name} (no score)" for name in problems[~problems.isin(_scored(group, list(MEASURES)))]]
    cells = group[group["problem"].isin(_scored(group, [measure]))]
    forms = cells.groupby("dataset")["problem"].nunique()
    several = forms.index[forms > 1]  # not independent of each other
    left_out += [f"{name} (ran in several forms)" for name in several]
    cells = cells[~cells["dataset"].isin(several)]
    if cells.empty:
        return None
    wide, errors = _means(cells, measure, methods)
    wide, more = _without_gaps(wide)
    if wide.shape[0] < FEWEST or wide.shape[1] < 2:
        return None
    errors = errors.reindex(index=wide.index, columns=wide.columns)
    kept = cells[cells["problem"].isin(wide.index) & cells["method"].isin(wide.columns)]
    first = cells.iloc[0]
    return Board(measure, first["gamma"], first["gamma_by"], wide, errors, kept, (*left_out, *more))


def _scored(cells: pd.DataFrame, measures: list[str]) -> set[str]:
    return set(cells.loc[cells[measures].notna().any(axis=1), "problem"])


def _means(cells: pd.DataFrame, measure: str, methods: list[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Means and standard errors over splits, NaN where a method has not finished every split of a data set."""
    keys = ["problem", "method"]
    known = cells[(cells["status"] == Status.OK) & cells[measure].notna()]
    found = known.groupby([*keys, "data"])[measure].mean().groupby(keys).agg(["mean", "sem", "count"])
    splits = known.groupby("problem")["data"].nunique()
    failed = (cells.assign(failed=cells["status"] != Status.OK)).groupby(keys)["failed"].any()
    whole = (found["count"] == splits.reindex(found.index.get_level_values(0)).to_numpy()) & ~failed.reindex(
        found.index, fill_value=False
    )
    means = found["mean"].where(whole).round(DIGITS).unstack("method").reindex(columns=methods)
    return means, found["sem"].unstack("method")


def _without_gaps(wide: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """The largest part that a simple rule finds: the data sets of REFERENCE, methods that have nearly all, no gaps."""
    wanted = (
        wide[REFERENCE].notna() if REFERENCE in wide and wide[REFERENCE].notna().any() else wide.notna().any(axis=1)
    )
    left_out = [f"{name} ({REFERENCE} did not finish)" for name in wide.index[~wanted]]
    wide = wide[wanted]
    counts = wide.notna().sum()
    enough = counts >= COVERAGE * len(wide)
    left_out += [f"{name} (finished {counts[name]} of {len(wide)} data sets)" for name in wide.columns[~enough]]
    wide = wide.loc[:, enough]
    for name, row in wide[wide.isna().any(axis=1)].iterrows():
        left_out.append(f"{name} ({', '.join(row.index[row.isna()])} did not finish)")
    return wide.dropna(), left_out
