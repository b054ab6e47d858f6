"""Slower or not? The decision from paired measurements, and how often it cries wolf.

Each pair is one measurement of either side, taken one after the other in random order. If the code is the same, the
sides are exchangeable within a pair whatever the machine did meanwhile, so the log ratios are symmetric about 0, and
two tests are exact: Wilcoxon's signed-rank test, which sees small effects in little noise, and the sign test, which a
machine that is busy now and then disturbs less. Twice the smaller p counts. An alarm takes both: a median ratio above
1 + threshold, and significance after Holm's correction over all cells and costs (S. Holm, Scandinavian Journal of
Statistics 6, 1979).
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

ALPHA = 0.05  # largest probability of any false alarm in one comparison
RESAMPLES = 2000
RELABELLINGS = 200


def decide(timings: pd.DataFrame, threshold: float) -> pd.DataFrame:
    """Decide from paired measurements which cells became slower or faster.

    Args:
        timings: at least one row; columns cell, cost, pair, base and cand, one row for each cell, cost and pair,
            costs > 0; a pair that a cell lacks is left out for it.
        threshold: least ratio − 1 that is an alarm.

    Returns:
        One row for each cell and cost, with columns cell, cost, pairs (how many), base, cand (medians), ratio (median
        of cand/base), low and high (95 % bootstrap interval of it), p (of slower, corrected by Holm) and verdict:
        `slower`, `faster` or `same`.
    """
    logs = _log_ratios(timings)
    D = logs.to_numpy()
    ratio, slower, p = _judge(D, threshold)
    _, faster, _ = _judge(-D, threshold)
    low, high = _intervals(D)
    medians = timings.groupby(["cell", "cost"])[["base", "cand"]].median().loc[logs.index]
    return pd.DataFrame(
        {
            "cell": logs.index.get_level_values("cell"),
            "cost": logs.index.get_level_values("cost"),
            "pairs": np.isfinite(D).sum(axis=1),
            "base": medians["base"].to_numpy(),
            "cand": medians["cand"].to_numpy(),
            "ratio": ratio,
            "low": low,
            "high": high,
            "p": p,
            "verdict": np.where(slower, "slower", np.where(faster, "faster", "same")),
        }
    )


def pairs_needed(tests: int) -> int:
    """Fewest pairs with which one of so many tests can be significant at all: 2·2⁻ᵏ ≤ ALPHA/tests.

    Args:
        tests: cells times costs.

    Returns:
        The number of pairs k.
    """
    return math.ceil(math.log2(2 * max(tests, 1) / ALPHA))


def false_alarm_rate(timings: pd.DataFrame, threshold: float, rng: np.random.Generator) -> float:
    """Share of A/A comparisons with any alarm, for timings of the same code on both sides.

    Each of RELABELLINGS comparisons swaps the sides of every pair by the toss of a coin, all cells of a pair together,
    and decides as `decide` does; so the noise, and what it has in common between cells, is the measured one.

    Args:
        timings: as for `decide`.
        threshold: as for `decide`.
        rng: tosses the coins.

    Returns:
        A number in [0, 1].
    """
    D = _log_ratios(timings).to_numpy()
    signs = rng.choice([-1.0, 1.0], size=(RELABELLINGS, D.shape[1]))
    return float(np.mean([_judge(D * sign, threshold)[1].any() for sign in signs]))


def _log_ratios(timings: pd.DataFrame) -> pd.DataFrame:
    """log(cand/base), one row for each cell and cost, one column a pair, NaN where a pair is lacking."""
    ratios = np.log(timings["cand"] / timings["base"])
    return timings.assign(ratio=ratios).pivot_table(index=["cell", "cost"], columns="pair", values="ratio")


def _judge(D: NDArray[np.float64], threshold: float) -> tuple[NDArray, NDArray, NDArray]:
    """Ratio (m,), alarm (m,) and corrected p (m,) of log ratios D (m, pairs)."""
    ratio, p = np.exp(np.nanmedian(D, axis=1)), _holm(_one_sided(D))
    return ratio, (ratio > 1 + threshold) & (p <= ALPHA), p


def _one_sided(D: NDArray[np.float64]) -> NDArray[np.float64]:
    """p (m,) that each row of D tends above 0: twice the smaller of the sign test's and the signed-rank test's."""
    up, moved = np.sum(D > 0, axis=1), np.sum(np.isfinite(D) & (D != 0), axis=1)
    sign = stats.binom.sf(up - 1, moved, 0.5)
    return np.minimum(2 * np.minimum(sign, _signed_rank(D)), 1.0)


def _signed_rank(D: NDArray[np.float64]) -> NDArray[np.float64]:
    """All rows without ties, zeros and gaps at once, as they are many; the others one by one."""
    ranked = np.sort(np.abs(D), axis=1)
    plain = np.isfinite(D).all(axis=1) & (ranked[:, 0] > 0) & (np.diff(ranked, axis=1) > 0).all(axis=1)
    p = np.ones(len(D))
    if plain.any():
        p[plain] = stats.wilcoxon(D[plain], axis=1, alternative="greater", method="exact").pvalue
    for k in np.flatnonzero(~plain):
        moved = D[k][np.isfinite(D[k]) & (D[k] != 0)]
        if len(moved):
            p[k] = stats.wilcoxon(moved, alternative="greater").pvalue
    return p


def _holm(p: NDArray[np.float64]) -> NDArray[np.float64]:
    order = np.argsort(p)
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)), 1.0)
    return adjusted


def _intervals(D: NDArray[np.float64]) -> tuple[NDArray, NDArray]:
    """95 % percentile bootstrap intervals of the median ratio of each row."""
    ends = np.full((len(D), 2), np.nan)
    for k, row in enumerate(D):
        known = row[np.isfinite(row)]
        if len(known) > 1:
            rng = np.random.default_rng(k)
            found = stats.bootstrap((known,), np.median, n_resamples=RESAMPLES, method="percentile", random_state=rng)
            ends[k] = np.exp(found.confidence_interval)
    return ends[:, 0], ends[:, 1]
