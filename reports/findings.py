"""The few most important things that the results say, in plain words and with the numbers they rest on."""

from __future__ import annotations

import math
from decimal import ROUND_CEILING

from .results import Results
from .summary import chosen, summarise
from .tables import fixed
from .trends import NIGHT, steps_table

MOST = 3
RECENT = 14  # nights


def findings(results: Results) -> list[str]:
    """At most three sentences, the most important first; fewer when the results do not say more."""
    candidates = [_steps(results), _tightness(results), _accuracy(results), _exact(results), _speed(results)]
    return [text for text in candidates if text][:MOST]


def _percent(value: float) -> str:
    return f"{100 * value:.1f} %"


def _steps(results: Results) -> str:
    """How many numbers changed for good within the last RECENT nights of the history, and the one that did most."""
    table = steps_table(results)
    if table is None or results.history is None:
        return ""
    recent = results.history["night"].drop_duplicates().nlargest(RECENT).min()
    data = table.data[(table.data["night"] >= f"{recent:{NIGHT}}") & table.data["change"].notna()]
    data = data[data["metric"] != "test_accuracy_paper"]  # optimistic: no finding rests on it
    if data.empty:
        return ""
    most = data.loc[data["change"].abs().idxmax()]
    return (
        f"Over the last {RECENT} nights {len(data)} of the numbers followed changed for good. The largest step: "
        f"{most['metric']} of {most['cell']} went from {most['before']:.4g} to {most['after']:.4g} on {most['night']}."
    )


def _tightness(results: Results) -> str:
    groups = results.tightness.dropna(subset=["certified_ratio"])
    if groups.empty:
        return ""
    ordered = groups.sort_values("certified_ratio")
    best, worst = ordered.iloc[-1], ordered.iloc[0]
    middle = _open(groups["certified_ratio"].median())
    text = f"The global optimum is proved to lie at most {middle} below the best network"
    if len(groups) == 1:
        return f"{text} of {best['problem']} at γ = {best['gamma']:g}."
    return (
        f"{text} known, in the median over {len(groups)} problems: at most {_open(best['certified_ratio'])} on "
        f"{best['problem']} at γ = {best['gamma']:g}, and {_open(worst['certified_ratio'])} on {worst['problem']} at "
        f"γ = {worst['gamma']:g}, where bound and network leave most open."
    )


def _open(ratio: float) -> str:
    """What a certified ratio leaves open, rounded up so that the sentence stays true."""
    return f"{fixed(100 * (1 - ratio), 1, ROUND_CEILING)} %"


def _accuracy(results: Results) -> str:
    rows = summarise(chosen(results.done), ["problem", "gamma", "method"], "test_accuracy")
    if rows.empty:
        return ""
    rows["best"] = rows["mean"].round(4) == rows.groupby(["problem", "gamma"])["mean"].transform("max").round(4)
    wins = rows.groupby("method")["best"].sum().sort_values(ascending=False, kind="stable")
    total = rows.groupby(["problem", "gamma"]).ngroups
    average = rows.groupby("method")["mean"].mean()
    if len(wins) == 1:
        return f"{wins.index[0]} reaches a mean test accuracy of {average.iloc[0]:.3f} over {total} problems."
    leaders = [name for name in wins.index if wins[name] == wins.iloc[0]]
    others = ", ".join(f"{name} on {int(wins[name])}" for name in wins.index if name not in leaders)
    share = f"each on {int(wins.iloc[0])}" if len(leaders) > 1 else f"on {int(wins.iloc[0])}"
    verb = "classify" if len(leaders) > 1 else "classifies"
    text = f"On held-out rows {' and '.join(leaders)} {verb} best, {share} of {total} problems"
    return text + (f" ({others}; ties count for each)." if others else " (ties count for each).")


def _speed(results: Results) -> str:
    cells = chosen(results.done)
    medians = cells.groupby("method")["runtime_s"].median().dropna().sort_values()
    if len(medians) < 2 or medians.iloc[0] <= 0:
        return ""
    fast, slow = medians.index[0], medians.index[-1]
    return (
        f"{fast} is the fastest with a median of {medians.iloc[0]:.3g} s a run, {slow} the slowest with "
        f"{medians.iloc[-1]:.3g} s: {medians.iloc[-1] / medians.iloc[0]:.3g} times as long."
    )


def _exact(results: Results) -> str:
    groups = results.tightness.dropna(subset=["sdp_over_exact"])
    if groups.empty or math.isnan(groups["sdp_over_exact"].min()):
        return ""
    below = int((groups["sdp_over_exact"] < 0.769).sum())
    return (
        f"Where the exact optimum is known ({len(groups)} problems), the relaxation reaches "
        f"{_percent(groups['sdp_over_exact'].min())} of it or more; {below} of them lie below the 76.9 % "
        "that the paper reports for its synthetic data."
    )
