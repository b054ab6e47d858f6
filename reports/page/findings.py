"""The few most important things that the results say, in plain words and with the numbers and tests they rest on.

A difference between methods is told only where a paired test shows it, adjusted for every comparison that was made;
means alone support no sentence, and where the test shows nothing, that is said. What is proved (bounds) and what is
measured once (a ratio) is called so. Each finding names its problems, its test and the p, and the figure it belongs to.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR

import pandas as pd

from ..labels import FOLDS, HOLDOUT, reworded
from ..results import Results
from ..summary import chosen
from ..tables.across import overview, p_text
from ..tables.boards import Board, boards, friedman
from ..tables.paired import LEVEL, MEASURES, REFERENCE, UNDECIDED, compared, holm
from ..tables.table import fixed, number, records
from ..tables.trends import NIGHT, steps_table

MOST = 3
RECENT = 14  # nights
VERBS = {"test_accuracy": "classifies", "test_r2": "predicts"}


@dataclass(frozen=True)
class Finding:
    """What the results say, in a few sentences. figure: name of the one it belongs to, which may not be drawn."""

    text: str
    figure: str

    def __str__(self) -> str:
        return self.text


def findings(results: Results) -> list[Finding]:
    """Say what the results show, the most important first.

    Args:
        results: the results of a run.

    Returns:
        At most three findings; fewer when the results do not say more.
    """
    candidates = [_steps(results), _tightness(results), _across(results), _scores(results)]
    candidates += [_exact(results), _speed(results)]
    found = [Finding(reworded(one.text, results.labels), one.figure) for one in candidates if one is not None]
    return found[:MOST]


def counted(count: int, noun: str) -> str:
    """Write a count with its noun: `1 problem`, `2 problems`.

    Args:
        count: how many.
        noun: in the singular.

    Returns:
        The text.
    """
    return f"{count} {noun}" + ("" if count == 1 else "s")


def listed(names: Iterable[str]) -> str:
    """Write a list: `a`, `a and b`, `a, b and c`.

    Args:
        names: its entries.

    Returns:
        The text.
    """
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def _steps(results: Results) -> Finding | None:
    """How many numbers changed for good within the last RECENT nights of the history, and the one that did most."""
    table = steps_table(results)
    if table is None or results.history is None:
        return None
    nights = results.history["night"].drop_duplicates().nlargest(RECENT)
    data = table.data[(table.data["night"] >= f"{nights.min():{NIGHT}}") & table.data["change"].notna()]
    data = data[data["metric"] != "test_accuracy_paper"]  # optimistic: no finding rests on it
    if data.empty:
        return None
    most = data.loc[data["change"].abs().idxmax()]
    return Finding(
        f"Over the last {RECENT} nights {counted(len(data), 'lasting step')} in the {len(results.trends)} numbers "
        f"followed, as change-point detection sees it, which gives no p. The largest: {most['metric']} of "
        f"{most['cell']} went from {most['before']:.4g} to {most['after']:.4g} on {most['night']}.",
        "trends",
    )


def _tightness(results: Results) -> Finding | None:
    groups = results.tightness[results.tightness["certified_ratio"] > 0]
    if groups.empty:
        return None
    ordered = groups.sort_values("certified_ratio")
    best, worst = ordered.iloc[-1], ordered.iloc[0]
    middle = _open(groups["certified_ratio"].median())
    text = f"The global optimum is proved to lie at most {middle} below the best network"
    proof = "This is proved for each problem by itself, so that no test is needed."
    if len(groups) == 1:
        return Finding(f"{text} of {best['problem']} at γ = {best['gamma']:g}. {proof}", "ratio")
    return Finding(
        f"{text} known, in the median over {len(groups)} problems: at most {_open(best['certified_ratio'])} on "
        f"{best['problem']} at γ = {best['gamma']:g}, and {_open(worst['certified_ratio'])} on {worst['problem']} at "
        f"γ = {worst['gamma']:g}, where bound and network leave most open. {proof}",
        "ratio",
    )


def _open(ratio: float) -> str:
    """What a certified ratio leaves open, rounded up so that the sentence stays true."""
    return f"{fixed(max(100 * (1 - ratio), 0.0), 1, ROUND_CEILING)} %"


def _across(results: Results) -> Finding | None:
    """What tests over data sets show under the protocol of folds, for accuracy and for R²."""
    found = boards(results, FOLDS)
    text = " ".join(sentence for board in found if (sentence := _ranks(board, results)))
    several = any(friedman(board) for board in found)
    return Finding(text, "critical-difference" if several else "against") if text else None


def _ranks(board: Board, results: Results) -> str:
    """Whether the methods' ranks differ, and, only if so, where REFERENCE is shown to be ahead or behind."""
    N, k = board.scores.shape
    kind = "classification" if board.measure == "test_accuracy" else "regression"
    over = f"Over {N} {kind} data sets (protocol {FOLDS})"
    test = friedman(board)
    if test is not None and test[1] >= LEVEL:
        return f"{over} no difference between {k} methods is shown (Friedman's test of ranks, {p_text(test[1])})."
    text = f"{over} average ranks of {k} methods differ (Friedman's test, {p_text(test[1])})" if test else over
    if not board.rivals:
        return f"{text}." if test else ""
    table = overview(board, results).dropna(subset=["p"])
    shown = table[table["p_holm"] < LEVEL]
    clauses = [
        f"{REFERENCE} scores {'higher' if row['signed_ranks'] > 0 else 'lower'} than {row['method']} "
        f"({p_text(row['p_holm'])})"
        for row in records(shown)
    ]
    rest = table[table["p_holm"] >= LEVEL]
    names = [str(name) for name in rest["method"]]
    clauses += [f"no difference is shown between {REFERENCE} and {listed(names)} ({_least(rest)})"] if names else []
    adjusted = f", p adjusted by Holm for {len(table)} rivals" if len(table) > 1 else ""
    joined = ": " if test else " "
    return (
        f"{text}{joined}{'; '.join(clauses)} (Wilcoxon's signed-rank test over data sets{adjusted}, level {LEVEL:g})."
    )


def _least(undecided: pd.DataFrame) -> str:
    """The smallest p of tests that show nothing."""
    return f"p {'=' if len(undecided) == 1 else '≥'} {number(undecided['p_holm'].min(), 2)}"


def _scores(results: Results) -> Finding | None:
    """Where REFERENCE is shown to be better or worse than another method, and where no difference is shown."""
    cells = chosen(results.under(HOLDOUT).done)
    table = compared(cells, results)
    if table.empty:
        return _nothing_compared(cells)
    clauses, undecided = [], []
    for (measure, method), part in table.groupby(["measure", "method"], sort=False):
        text = _shown(part)
        if text:
            clauses.append(f"{REFERENCE} {VERBS[str(measure)]} {text}")
        else:
            undecided.append((str(method), part))
    if undecided:
        against = listed(f"{name} ({counted(len(part), 'problem')}, {_least(part)})" for name, part in undecided)
        clauses.append(f"no difference is shown between {REFERENCE} and {against}")
    said = "; ".join(clauses)
    fewest, most = table["splits"].min(), table["splits"].max()
    splits = f"{fewest}" if fewest == most else f"{fewest} to {most}"
    single = _problems(cells[cells[list(MEASURES)].notna().any(axis=1)]) - _problems(table)
    rest = f" {counted(single, 'more problem')} {'has' if single == 1 else 'have'} no two splits to compare." * (
        single > 0
    )
    family = "the one comparison" if len(table) == 1 else f"all {len(table)} comparisons"
    return Finding(
        f"On held-out rows {said}. Paired t-test over {splits} splits of each problem (data set and γ), corrected for "
        f"rows that splits share; p adjusted by Holm for {family}, level {LEVEL:g}.{rest}",
        _drawn(table["measure"]),
    )


def _drawn(measures: pd.Series) -> str:
    """The figure of these scores: that of accuracy, if there are any."""
    return "accuracy" if (measures == "test_accuracy").any() else "r2"


def _problems(table: pd.DataFrame) -> int:
    return table.groupby(["problem", "gamma"], dropna=False).ngroups


def _shown(part: pd.DataFrame) -> str:
    """`better than b on 1 of 3 problems (p = 0.01), no difference is shown on 2`; empty if nothing is shown."""
    method, total = part["method"].iloc[0], len(part)
    texts = []
    for side in ("better", "worse"):
        some = part[part["verdict"] == side]
        if len(some):
            sign = "=" if len(some) == 1 else "≤"
            on = f"on {len(some)} of {counted(total, 'problem')} (p {sign} {number(some['p_holm'].max(), 2)})"
            texts.append(f"{side} than {method} {on}")
    left = part[part["verdict"] == UNDECIDED]
    if texts and len(left):
        texts.append(f"no difference is shown on {len(left)} ({_least(left)})")
    return ", ".join(texts)


def _nothing_compared(cells: pd.DataFrame) -> Finding | None:
    """That no method is said to be better, where several could have been compared."""
    scored = cells[cells[list(MEASURES)].notna().any(axis=1)]
    if scored["method"].nunique() < 2:
        return None
    known = [measure for measure in MEASURES if scored[measure].notna().any()]
    return Finding(
        f"No method is said to score better than another on held-out rows: that takes {REFERENCE} and another method "
        f"on two splits of a problem or more, with test rows of their own, and none of "
        f"{counted(_problems(scored), 'problem')} has them.",
        _drawn(pd.Series(known)),
    )


def _speed(results: Results) -> Finding | None:
    """Which methods are shown to take less or more time than REFERENCE, by the sign test over data drawn."""
    from scipy.stats import binomtest

    cells = chosen(results.done)
    draws = cells["data"].mask(cells["protocol"] == FOLDS, cells["problem"])  # folds share a choice and most rows
    times = cells.groupby([draws, "method"])["runtime_s"].median().unstack("method")
    if REFERENCE not in times:
        return None
    lines = []
    for method in [name for name in results.methods if name in times and name != REFERENCE]:
        ratio = (times[method] / times[REFERENCE]).where((times[method] > 0) & (times[REFERENCE] > 0)).dropna()
        less, more = int((ratio < 1).sum()), int((ratio > 1).sum())
        if less + more:
            p = binomtest(less, less + more).pvalue
            lines.append({"method": method, "less": less, "more": more, "ratio": ratio.median(), "p": p})
    if not lines:
        return None
    table = pd.DataFrame(lines)
    table["p_holm"] = holm(table["p"])
    clauses = []
    for row in records(table[table["p_holm"] < LEVEL]):
        word, won = ("less", row["less"]) if row["less"] > row["more"] else ("more", row["more"])
        on = counted(row["less"] + row["more"], "draw")
        clauses.append(
            f"{row['method']} takes {word} time than {REFERENCE} on {won} of {on} of the data, in the median "
            f"{number(row['ratio'], 2)} times as long (p = {number(row['p_holm'], 2)})"
        )
    rest = [
        f"{row['method']} ({counted(row['less'] + row['more'], 'draw')}, p = {number(row['p_holm'], 2)})"
        for row in records(table[table["p_holm"] >= LEVEL])
    ]
    clauses += [f"no difference in time is shown between {REFERENCE} and {listed(rest)}"] if rest else []
    test = f"Sign test; p adjusted by Holm for {counted(len(table), 'comparison')}, level {LEVEL:g}."
    said = "; ".join(clauses)
    return Finding(f"{said[:1].upper() if said.startswith('no ') else said[:1]}{said[1:]}. {test}", "profile")


def _exact(results: Results) -> Finding | None:
    groups = results.tightness.dropna(subset=["sdp_over_exact"])
    if groups.empty:
        return None
    below = int((groups["sdp_over_exact"] < 0.769).sum())
    least = f"{fixed(100 * groups['sdp_over_exact'].min(), 1, ROUND_FLOOR)} %"
    return Finding(
        f"Where the exact optimum is known ({counted(len(groups), 'problem')}), the relaxation's value, as its solver "
        f"reports it, is {least} of it or more; {below} of them {'lies' if below == 1 else 'lie'} below the 76.9 % "
        "that the paper reports for its synthetic data. These are all such problems of the run, so nothing is tested.",
        "distribution",
    )
