"""The timing decision on simulated pairs: it finds what was planted, and the same code raises next to no alarm."""

import numpy as np
import pandas as pd
import pytest
from relaxbench.bench.ab import decide as ab_decide
from relaxbench.bench.ab.decide import decide, false_alarm_rate, pairs_needed

CELLS, PAIRS = 24, 16


def simulated(rng, slowdown=1.0, cells=CELLS, pairs=PAIRS, noise=0.03, busy=0.05):
    """Timings as a machine gives them: drift over the session, a load that comes and goes and hits all cells of a
    run alike, noise with a heavy tail; the first cell of the candidate slower by a factor. Sides in random order."""
    level = np.exp(rng.uniform(-4, 2, cells))
    runs = 2 * pairs
    drift = np.exp(np.cumsum(0.01 * rng.standard_normal(runs)))
    bursts = np.where(rng.random(runs) < busy, rng.uniform(1.2, 2.5, runs), 1.0)
    heavy = np.exp(noise * rng.standard_t(3, (runs, cells)).clip(-5, 15))
    seconds = level * drift[:, None] * bursts[:, None] * heavy
    lines = []
    for pair in range(pairs):
        base, cand = 2 * pair + rng.permutation(2)
        for cell in range(cells):
            factor = slowdown if cell == 0 else 1.0
            values = {"base": seconds[base, cell], "cand": seconds[cand, cell] * factor}
            lines.append({"cell": f"c{cell:02}", "cost": "runtime_s", "pair": pair, **values})
    return pd.DataFrame(lines)


@pytest.mark.thorough
def test_the_same_code_raises_alarms_in_at_most_5_percent_of_comparisons():
    rng = np.random.default_rng(1)
    alarms = sum((decide_only(simulated(rng, noise=0.3, busy=0.3))["verdict"] == "slower").any() for _ in range(120))
    assert alarms <= 6


def decide_only(timings):
    """`decide` without its intervals, which cost most of its time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ab_decide, "_intervals", lambda D: (np.zeros(len(D)), np.zeros(len(D))))
        return decide(timings, 0.1)


def test_a_solver_1_3_times_slower_is_found():
    rng = np.random.default_rng(2)
    found, others = 0, 0
    for _ in range(40):
        verdict = decide_only(simulated(rng, 1.3)).set_index("cell")["verdict"]
        found += verdict["c00"] == "slower"
        others += (verdict.drop("c00") == "slower").sum()
    assert found >= 35
    assert others <= 2


def test_an_effect_below_the_threshold_is_no_alarm_however_sure():
    rng = np.random.default_rng(3)
    timings = simulated(rng, 1.05, noise=1e-4, busy=0)
    row = decide(timings, 0.1).iloc[0]
    assert (row["cell"], row["verdict"]) == ("c00", "same")
    assert decide(timings, 0.02).iloc[0]["verdict"] == "slower"
    faster = timings.rename(columns={"base": "cand", "cand": "base"})
    assert decide(faster, 0.02).iloc[0]["verdict"] == "faster"


def test_numbers_of_a_decision():
    ratios = [1.2, 1.25, 1.3, 1.35, 1.4, 1.31, 1.29]
    lines = [{"cell": "a", "cost": "s", "pair": k, "base": 2.0, "cand": 2.0 * r} for k, r in enumerate(ratios)]
    (row,) = decide(pd.DataFrame(lines), 0.1).to_dict("records")
    assert row["ratio"] == pytest.approx(1.3)
    assert row["p"] == 2.0**-6
    assert row["pairs"] == 7
    assert row["base"] == 2.0
    assert row["cand"] == pytest.approx(2.6)
    assert 1.2 <= row["low"] < 1.3 < row["high"] <= 1.4
    assert row["verdict"] == "slower"


def test_holm_against_its_definition():
    p = np.array([0.01, 0.04, 0.03, 0.005, 0.9])
    assert ab_decide._holm(p) == pytest.approx([0.04, 0.09, 0.09, 0.025, 0.9])
    rng = np.random.default_rng(0)
    for _ in range(50):
        p = rng.random(6) ** 3
        rejected, order = set(), np.argsort(p)
        for k, one in enumerate(order):  # step down until one is not significant
            if p[one] > 0.05 / (len(p) - k):
                break
            rejected.add(int(one))
        assert rejected == set(np.flatnonzero(ab_decide._holm(p) <= 0.05).tolist())


def test_equal_costs_ties_and_lacking_pairs():
    lines = [{"cell": "even", "cost": "mb", "pair": k, "base": 100.0, "cand": 100.0} for k in range(8)]
    lines += [{"cell": "tied", "cost": "mb", "pair": k, "base": 100.0, "cand": 150.0} for k in range(8)]
    lines += [{"cell": "few", "cost": "mb", "pair": k, "base": 100.0, "cand": 150.0 + k} for k in range(3)]
    verdicts = decide(pd.DataFrame(lines), 0.1).set_index("cell")
    assert verdicts["verdict"].to_dict() == {"even": "same", "tied": "slower", "few": "same"}
    assert verdicts["pairs"].to_dict() == {"even": 8, "tied": 8, "few": 3}
    assert verdicts.loc["tied", "ratio"] == pytest.approx(1.5)


@pytest.mark.parametrize(("tests", "pairs"), [(1, 6), (24, 10), (96, 12), (1000, 16)])
def test_with_as_few_pairs_as_needed_a_perfect_record_counts_and_with_one_less_it_does_not(tests, pairs):
    assert pairs_needed(tests) == pairs
    for count, verdict in ((pairs, "slower"), (pairs - 1, "same")):
        lines = [
            {
                "cell": f"{c:04}",
                "cost": "s",
                "pair": k,
                "base": 1.0,
                "cand": 2.0 + k if c == 0 else 1 + 0.01 * (-2) ** -k,
            }
            for c in range(tests)
            for k in range(count)
        ]
        assert decide_only(pd.DataFrame(lines)).iloc[0]["verdict"] == verdict


def test_the_measured_false_alarm_rate(monkeypatch):
    rng = np.random.default_rng(4)
    timings = simulated(rng, noise=0.3, busy=0.3)
    assert false_alarm_rate(timings, 0.1, np.random.default_rng(0)) <= 0.05
    monkeypatch.setattr(ab_decide, "ALPHA", 1.0)  # a decision by the ratio alone cries wolf, and the rate says so
    assert false_alarm_rate(timings, 0.1, np.random.default_rng(0)) > 0.5


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_real_timings_of_the_same_code_raise_alarms_in_at_most_5_percent_of_comparisons():
    """60 comparisons of 8 cells by 12 pairs, each side the same eigendecompositions and products, on this machine."""
    from time import perf_counter

    rng = np.random.default_rng(5)
    matrices = [rng.standard_normal((size, size)) for size in (20, 40, 60, 80)]
    work = [lambda A=A: np.linalg.eigh(A + A.T) for A in matrices] + [lambda A=A: A @ A @ A for A in matrices]

    def once(function):
        begin = perf_counter()
        function()
        return perf_counter() - begin

    alarms = 0
    for _ in range(60):
        lines = []
        for pair in range(PAIRS):
            sides = {}
            for side in rng.permutation(["base", "cand"]):
                sides[side] = [once(function) for function in work]
            for cell, (base, cand) in enumerate(zip(sides["base"], sides["cand"], strict=True)):
                lines.append({"cell": cell, "cost": "s", "pair": pair, "base": base, "cand": cand})
        alarms += (decide_only(pd.DataFrame(lines))["verdict"] == "slower").any()
    assert alarms <= 3
