"""The leaderboard: integrals of what was proved, ranks only where intervals separate, no word of a trace believed."""

import numpy as np
import pandas as pd
import pytest
from relaxbench.bench.instances.entries import read_entry
from relaxbench.bench.instances.known import recognise
from relaxbench.bench.results.record import Record, write_record
from relaxbench.datasets.instances import ENTRIES, instances
from relaxbench.reports.integrals import curves, integrals, mean_gap
from relaxbench.reports.reading import read
from relaxbench.reports.tables.contents import tables
from relaxbench.reports.tables.leaderboard import SHIFT, board, leaderboard, standings

from ..support.report_folder import write_folder

HARD = [one for one in instances() if read_entry(ENTRIES, one.name).kind == "hard"][:6]
END = 10.0


def cell(instance, method, **more):
    base = {"dataset": instance.dataset, "data": instance.data, "data_seed": 0, "gamma": instance.gamma}
    base |= {"n": instance.n, "d": instance.d, "c": instance.c, "preprocess": "none", "bias": False}
    base |= {"method": method, "status": "ok", "options": "{}", "cell": f"{method}{instance.name}".replace("-", "")}
    base["cell"] = "".join(letter for letter in base["cell"] if letter.isalnum())
    return {**base, "runtime_s": END, "solve_s": END, **more}


def folder(path, rows, traces, extra=None):
    write_folder(path, rows, records=False)
    for row in rows:
        write_record(path / "cells" / row["cell"], Record(row, extra or {}, {}, traces(row)))
    return read(path)


def test_the_integral_is_the_mean_of_the_gap_over_time():
    times, lower, upper = np.array([1.0, 3.0]), np.array([np.nan, 5.0]), np.array([10.0, 10.0])
    assert mean_gap(times, lower, upper, 5.0) == pytest.approx((3 * 1 + 2 * 0.5) / 5)
    assert mean_gap(np.array([0.0]), np.array([-3.0]), np.array([1.0]), 2.0) == 1.0  # clipped
    assert mean_gap(np.array([0.0]), np.array([0.0]), np.array([0.0]), 2.0) == 0.0  # nothing to fit, proved
    assert mean_gap(np.array([0.0]), np.array([2.0]), np.array([4.0]), 0.0) == 0.5


def test_an_independent_sum_over_a_fine_grid_agrees():
    rng = np.random.default_rng(0)
    times = np.sort(rng.uniform(0, 8, 12))
    lower, upper = np.maximum.accumulate(rng.uniform(0, 1, 12)), np.minimum.accumulate(rng.uniform(1, 3, 12))
    grid = (np.arange(200_000) + 0.5) * 9 / 200_000
    at = np.searchsorted(times, grid, side="right") - 1
    gaps = np.where(at < 0, 1.0, (upper[at] - lower[at]) / upper[at])
    assert mean_gap(times, lower, upper, 9.0) == pytest.approx(gaps.mean(), abs=1e-4)


def test_a_trace_counts_no_further_than_what_was_proved(tmp_path):
    row = cell(HARD[0], "cpp", lower_bound=4.0, objective=8.0, upper_bound=8.0)
    results = folder(
        tmp_path, [row], lambda row: [("solve", 1.0, 0, 2.0, 7.0, None), ("solve", 2.0, 1, 9.0, 1.0, None)]
    )
    times, lower, upper = curves(results, results.cells.iloc[0].to_dict())
    assert times.tolist() == [1.0, 2.0, END]
    assert lower.tolist() == [4.0, 4.0, 4.0]  # 7 was claimed on the way, 4 is proved
    assert upper.tolist() == [8.0, 8.0, 8.0]  # 2 is no network that was kept


def test_the_value_of_a_relaxation_is_no_network_and_a_claim_no_bound(tmp_path):
    rows = [
        cell(HARD[0], "sdp", lower_bound=4.0, objective=8.0, upper_bound=8.0, solve_s=3.0, round_s=7.0),
        cell(HARD[0], "branch", lower_bound=None, claimed_bound=7.0, objective=8.0),
        cell(HARD[0], "lbfgs", objective=8.0),
        cell(HARD[0], "mine.py:train", lower_bound=7.9, objective=8.0),
    ]
    lines = [("solve", 1.0, 0, 5.0, 4.0, None), ("round", 2.0, 1, 8.0, None, None)]
    results = folder(
        tmp_path,
        rows,
        lambda row: (
            [("solve", 0.0, 0, 8.0, 7.9, None)]
            if "mine" in row["method"]
            else lines[: 2 if row["method"] == "sdp" else 1]
        ),
    )
    found = {row["method"]: curves(results, row) for row in results.cells.to_dict("records")}
    times, lower, upper = found["sdp"]
    assert times.tolist() == [1.0, 5.0, END]  # the rounding began after three seconds
    assert np.isnan(upper[0])
    assert upper[1:].tolist() == [8.0, 8.0]
    assert lower.tolist() == [4.0, 4.0, 4.0]
    assert np.isnan(found["branch"][1]).all()
    assert [len(one) for one in found["mine.py:train"]] == [1, 1, 1]  # the times of a method of one's own: at its end
    scores = integrals(results).set_index("method")
    assert scores.loc["sdp", "integral"] == pytest.approx((5 * 1 + 5 * 0.5) / END)
    assert scores.loc["mine.py:train", "integral"] == 1.0
    assert scores["integral"].isna()[["branch", "lbfgs"]].all()  # nothing proved, so nothing to rank by
    assert scores.loc["lbfgs", "network_integral"] == pytest.approx((1 * 1 + 9 * 0.1 / 8) / END)


def planted(path, factors, only=HARD):
    """Methods that close the gap of each instance at the seconds of the instance times their factor."""
    rng = np.random.default_rng(1)
    at = {
        (one.name, method): s * f * rng.uniform(0.97, 1.03)
        for s, one in enumerate(only, 2)
        for method, f in factors.items()
    }
    rows = [cell(one, method, lower_bound=9.0, objective=10.0) for one in only for method in factors]
    names = {row["cell"]: key for row, key in zip(rows, at, strict=True)}
    return folder(path, rows, lambda row: [("solve", at[names[row["cell"]]], 0, 10.0, 9.0, None)])


def test_methods_that_separate_are_ranked_and_ties_share_a_rank():
    scores = pd.DataFrame(
        {
            "first": [0.01, 0.02, 0.01, 0.03, 0.02, 0.01],
            "tied": [0.30, 0.42, 0.28, 0.35, 0.41, 0.33],
            "as well": [0.31, 0.40, 0.29, 0.34, 0.42, 0.32],
            "last": [0.9, 0.95, 0.92, 0.97, 0.94, 0.91],
        }
    )
    found = standings(scores)
    assert found["rank"].to_dict() == {"first": 1, "tied": 2, "as well": 2, "last": 4}
    assert found.loc["first", "score"] == pytest.approx(np.exp(np.mean(np.log(scores["first"] + SHIFT))) - SHIFT)
    assert (found["low"] < found["score"]).all()
    assert (found["score"] < found["high"]).all()
    shuffled = standings(scores[["last", "as well", "first", "tied"]])
    assert shuffled["rank"].to_dict() == found["rank"].to_dict()


def test_ranks_differ_just_where_intervals_do_not_overlap():
    for seed in range(20):
        rng = np.random.default_rng(seed)
        found = standings(pd.DataFrame(rng.uniform(0, 1, (8, 1)) * rng.uniform(0.2, 1, (8, 4)), columns=list("abcd")))
        for _, one in found.iterrows():
            assert one["rank"] == 1 + sum(other["high"] < one["low"] for _, other in found.iterrows())


def test_intervals_do_not_hold_how_hard_the_instances_are():
    hardness = np.geomspace(1e-3, 1.0, 8)
    found = standings(pd.DataFrame({"a": 0.5 * (hardness + SHIFT) - SHIFT, "b": hardness}))
    assert found["rank"].tolist() == [1, 2]  # half of it on each instance, although they span three powers of ten
    assert found.loc["a", "high"] == pytest.approx(found.loc["a", "low"])


@pytest.mark.thorough
def test_methods_that_are_alike_are_seldom_ranked():
    """The intervals hold together at 95 %: of 400 classes of equals 20 may have a rank above 1, by chance more."""
    rng = np.random.default_rng(0)
    wrong = 0
    for _ in range(400):
        logs = rng.normal(-2, 1, (10, 1)) + rng.normal(0, 0.5, (10, 4))
        wrong += bool((standings(pd.DataFrame(np.exp(logs) - SHIFT, columns=list("abcd")))["rank"] > 1).any())
    assert wrong <= 30


def test_the_means_alone_rank_nobody():
    rng = np.random.default_rng(0)
    noise = rng.uniform(0.0, 1.0, (8, 2))
    assert standings(pd.DataFrame(noise + np.array([0.0, 0.02]), columns=["a", "b"]))["rank"].tolist() == [1, 1]
    assert standings(pd.DataFrame({"a": [0.01] * 6}))["rank"].isna().all()  # nobody to be ahead of
    assert standings(pd.DataFrame({"a": [0.01] * 4, "b": [0.9] * 4}))["rank"].isna().all()  # too few instances


@pytest.mark.thorough
def test_the_table_ranks_by_class_and_leaves_out_what_is_no_instance(tmp_path):
    results = planted(tmp_path, {"cpp": 0.1, "branch": 1.0, "lbfgs": 0.1})
    (table,) = [one for one in tables(results) if one.name == "leaderboard"]
    rows = {row[1].text: [entry.text for entry in row] for row in table.rows}
    assert rows["cpp"][:3] == ["hard", "cpp", "6"]
    assert (rows["cpp"][5], rows["branch"][5]) == ("1", "2")
    assert len(board(integrals(results)).rows) == 3
    other = [cell(HARD[0], "cpp", lower_bound=9.0, objective=10.0, data="sha256:000000000000", gamma=0.5)]
    assert leaderboard(folder(tmp_path / "other", other, lambda row: [("solve", 1.0, 0, 10.0, 9.0, None)])) is None


def test_a_method_that_only_trains_has_no_rank_among_those_that_prove(tmp_path):
    rows = [cell(one, "cpp", lower_bound=9.0, objective=10.0) for one in HARD]
    rows += [cell(one, "lbfgs", objective=10.0) for one in HARD]
    table = leaderboard(folder(tmp_path, rows, lambda row: [("solve", 1.0, 0, 10.0, 9.0, None)]))
    shown = {row[1].text: [entry.text for entry in row[3:]] for row in table.rows}
    assert shown["lbfgs"][:3] == ["–", "–", "–"]
    assert shown["lbfgs"][5] == shown["cpp"][5] == "1"


def test_results_without_traces_have_no_leaderboard(tmp_path):
    rows = [cell(one, "cpp", lower_bound=9.0, objective=10.0) for one in HARD]
    assert leaderboard(read(write_folder(tmp_path, rows, records=False))) is None


def test_an_instance_is_known_by_its_hash_or_by_how_its_data_are_loaded():
    one = next(one for one in instances() if one.name == "iris-std-bias-g0.1")
    locator = {
        "source": "iris",
        "seed": 0,
        "options": {"preprocess": "standardize", "bias": True, "test_fraction": 0.0},
    }
    assert recognise(one.data, 0.1, {}).name == one.name
    assert recognise("sha256:ffffffffffff", 0.1, locator) == recognise(one.data, 0.1, {})
    assert recognise(one.data, 0.2, locator) is None
    assert recognise("sha256:ffffffffffff", 0.1, {**locator, "options": {**locator["options"], "n": 30}}) is None
    assert recognise("sha256:ffffffffffff", 0.1, {**locator, "seed": 1}) is None
    assert recognise("sha256:ffffffffffff", 0.1, {}) is None
