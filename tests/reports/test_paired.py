"""Comparison of methods split by split, against SciPy and by hand; γ chosen by cross-validation in the report."""

import json

import numpy as np
import pandas as pd
import pytest
from relaxbench.bench.grid.data import Data
from relaxbench.bench.results.record import Record, write_record
from relaxbench.datasets import load
from relaxbench.reports.results import prepare
from relaxbench.reports.summary import chosen
from relaxbench.reports.tables.paired import compared, corrected_t, holm, paired
from relaxbench.reports.tables.scores import scores
from relaxbench.reports.tables.splits import GENERATED, ROWS
from relaxbench.reports.tables.splits import test_share as share_of
from scipy.stats import t, ttest_1samp, ttest_rel

from ..support.report_folder import make_rows, quick_report, write_folder


def results_of(differences, gamma=0.1, folder=None, other=0.8, **columns):
    """Splits on which nngp is at `other` and sdp better by these differences."""
    rows = []
    for split, difference in enumerate(differences):
        base = {"dataset": "iris", "data": f"d{split}", "gamma": gamma, "status": "ok", "n": 50, "n_test": 50}
        rows += [
            {**base, "method": "sdp", "test_accuracy": other + difference, "cell": f"s{split}", **columns},
            {**base, "method": "nngp", "test_accuracy": other, "cell": f"n{split}", **columns},
        ]
    return prepare(folder, pd.DataFrame(rows), pd.DataFrame(), {}, "")


def rows_of(results):
    return paired(results).data.to_dict("records")


def test_without_shared_rows_it_is_the_t_test_and_with_them_its_error_grows_as_published():
    x = np.random.default_rng(0).standard_normal(10) + 0.5
    test = ttest_1samp(x, 0.0)
    p, half = corrected_t(x, 0.0)
    assert p == pytest.approx(test.pvalue)
    assert x.mean() + half == pytest.approx(test.confidence_interval(0.95).high)
    _, wider = corrected_t(x, 1.0)  # as many test rows as training rows
    assert wider == pytest.approx(half * np.sqrt((1 / 10 + 1) / (1 / 10)))


@pytest.mark.parametrize(
    ("differences", "verdict", "counts"),
    [
        ([0.0] * 4, "no difference shown", (0, 4, 0)),
        ([0.1] * 4, "better", (4, 0, 0)),
        ([0.1, -0.1, 0.05, 0.0], "no difference shown", (2, 1, 1)),
        ([-0.1, -0.11, -0.09, -0.1], "worse", (0, 0, 4)),
    ],
)
def test_no_difference_is_said_to_be_none(differences, verdict, counts):
    table = paired(results_of(differences))
    (row,) = table.data.to_dict("records")
    assert row["verdict"] == verdict
    assert (row["wins"], row["ties"], row["losses"]) == counts
    assert row["difference"] == pytest.approx(np.mean(differences))
    assert (row["low"] <= 0 <= row["high"]) == (verdict == "no difference shown")
    assert table.rows[0][-1].text == verdict


X = [0.02, 0.05, -0.01, 0.04, 0.03, 0.04]  # differences on six splits


def test_generated_data_share_no_rows_so_the_test_is_the_plain_paired_one():
    results = results_of(X, dataset="random", n=25, n_test=25)
    cells = results.cells.pivot(index="data", columns="method", values="test_accuracy")
    expected = ttest_rel(cells["sdp"], cells["nngp"])
    (row,) = rows_of(results)
    interval = expected.confidence_interval(0.95)
    assert (row["p"], row["low"], row["high"]) == pytest.approx((expected.pvalue, interval.low, interval.high))
    assert row["difference"] == pytest.approx(0.17 / 6)
    assert (row["wins"], row["ties"], row["losses"], row["splits"]) == (5, 0, 1, 6)
    assert row["verdict"] == "better"
    assert [entry.text for entry in paired(results).rows[0]] == [
        *("random", "0.1", "nngp", "6", "0.0283", f"{interval.low:.4f} to {interval.high:.4f}", "5/0/1"),
        *(f"{expected.pvalue:.2g}", f"{expected.pvalue:.2g}", "better"),
    ]
    worse = rows_of(results_of([-x for x in X], dataset="random", n=25, n_test=25))[0]
    assert (worse["p"], worse["low"], worse["high"]) == pytest.approx((row["p"], -row["high"], -row["low"]))
    assert worse["verdict"] == "worse"


def test_one_seed_under_several_options_is_no_draw_of_its_own():
    share = lambda seeds: rows_of(results_of(X, dataset="random", n=20, n_test=30, data_seed=seeds))[0]["test_share"]  # noqa: E731
    assert share(7) == pytest.approx(1.5)  # the same teacher and rows six times: nothing is known of what they share
    results = results_of(X, dataset="random", n=20, n_test=30)
    results.cells["data_seed"] = np.repeat(np.arange(6.0), 2)
    assert rows_of(results)[0]["test_share"] == 0.0


def test_splits_of_a_named_set_share_as_many_rows_as_its_size_says():
    (row,) = rows_of(results_of(X))  # 50 of the 150 rows of iris are for test, whatever n is
    error = np.std(X, ddof=1) * np.sqrt(1 / 6 + 50 / 100)
    assert row["test_share"] == pytest.approx(0.5)
    assert (row["high"] - row["low"]) / 2 == pytest.approx(2.570581835636314 * error)  # t of 5 degrees, a table's
    assert rows_of(results_of(X, n=10))[0]["test_share"] == pytest.approx(0.5)


def recorded(folder, pool):
    """A folder whose records say that the test rows come from `pool` rows."""
    locator = {"test_pool": pool} if pool is not None else {}
    rows = [{"cell": f"{letter}{k}", "dataset": "file:b.csv", "method": "sdp"} for letter in "sn" for k in range(5)]
    write_folder(folder, [{**row, "data": "d", "gamma": 1.0, "options": "{}", "status": "ok"} for row in rows])
    for row in rows:
        write_record(folder / "cells" / row["cell"], Record(row, {"data": locator}))
    return folder


LOST = [-0.88, -0.52, -0.80, -0.64, -0.76]  # by .72 on average


@pytest.mark.parametrize(("pool", "share"), [(570, 1.0), (None, 285 / 40)])
def test_a_subsample_for_training_shares_no_more_test_rows_than_all_rows_do(tmp_path, pool, share):
    """40 training rows are used of 285, and 285 tested on; without a record nothing is known of the other 245."""
    folder = recorded(tmp_path / "run", pool)
    (row,) = rows_of(results_of(LOST, folder=folder, other=0.95, dataset="file:b.csv", n=40, n_test=285))
    error = np.sqrt((1 / 5 + share) * np.var(LOST, ddof=1))
    assert row["test_share"] == pytest.approx(share)
    assert row["p"] == pytest.approx(2 * student(5).sf(abs(np.mean(LOST)) / error))
    assert (row["verdict"] == "worse") == (pool == 570)


def test_one_test_set_for_all_splits_compares_nothing(tmp_path):
    results = results_of(
        LOST, folder=recorded(tmp_path / "run", 285), other=0.95, dataset="file:b.csv", n=40, n_test=285
    )
    assert paired(results) is None


def student(J):
    return t(J - 1)


def test_intervals_of_accuracies_end_where_accuracies_do():
    (row,) = rows_of(results_of([0.15, -0.75, 0.1], n=40, n_test=285, dataset="file:x.csv"))
    assert row["low"] == -1.0
    assert 0.9 < row["high"] <= 1.0
    columns = {"test_r2": [0.5, -9.0, 0.4, 0.5], "test_accuracy": np.nan}
    results = results_of([0.0, 0.0])
    results.cells[list(columns)] = pd.DataFrame(columns)
    (row,) = rows_of(results)
    assert row["measure"] == "test_r2"
    assert row["low"] < -1 < 1 < row["high"]  # R² has no lower end


def test_what_two_few_accuracies_agree_in_by_chance_is_no_certainty():
    p, half = corrected_t(np.array([0.04, 0.04]), 0.5, step=0.02)
    error = np.sqrt((1 / 2 + 0.5) * 0.02**2 / 12)
    assert p == pytest.approx(2 * student(2).sf(0.04 / error))
    assert half == pytest.approx(student(2).ppf(0.975) * error)
    assert corrected_t(np.array([0.04, 0.04]), 0.5) == (0.0, 0.0)
    assert corrected_t(np.zeros(3), 0.5) == (1.0, 0.0)
    rough = np.array([0.04, 0.08, 0.02])  # more spread than steps make: they change nothing
    assert corrected_t(rough, 0.5, step=0.02) == corrected_t(rough, 0.5)
    (row,) = rows_of(results_of([0.02, 0.02]))
    assert row["verdict"] == "no difference shown"


def null_splits(rng, size, test_rows, J, disagree=0.05):
    """Differences of two equally good classifiers on J random test parts of the same rows."""
    rows = rng.choice([-1, 0, 1], size=size, p=[disagree, 1 - 2 * disagree, disagree])
    return np.array([rng.permutation(rows)[:test_rows].mean() for _ in range(J)])


@pytest.mark.parametrize("J", [2, 5])
def test_equally_good_methods_are_told_apart_in_at_most_one_of_twenty_runs(J):
    rng, runs = np.random.default_rng(J), 600
    found = [null_splits(rng, 150, 75, J) for _ in range(runs)]
    wrong = np.mean([corrected_t(x, 1.0, 1 / 75)[0] < 0.05 for x in found])
    assert wrong < 0.07  # 0.05 and two standard errors of 600 runs
    if J == 5:  # the oracle tells: without the correction seven times as often
        assert np.mean([corrected_t(x, 0.0, 1 / 75)[0] < 0.05 for x in found]) > 0.25


@pytest.mark.parametrize(
    ("p", "expected"),
    [
        ([0.01, 0.04, 0.03], [0.03, 0.06, 0.06]),
        ([0.04], [0.04]),
        ([0.5, 0.4], [0.8, 0.8]),
        ([0.9, 0.8, 0.001, 0.02], [1.0, 1.0, 0.004, 0.06]),
        ([], []),
    ],
)
def test_p_values_are_adjusted_as_holm_does(p, expected):
    assert holm(p).tolist() == pytest.approx(expected)


def several(p_better, others):
    """sdp against nngp, by the differences given, and against methods that differ from it by noise alone."""
    rng, rows = np.random.default_rng(1), []
    for split, difference in enumerate(p_better):
        base = {"dataset": "random", "data": f"d{split}", "gamma": 0.1, "status": "ok", "n": 25, "n_test": 25}
        rows += [{**base, "method": "sdp", "test_r2": 0.5}, {**base, "method": "nngp", "test_r2": 0.5 - difference}]
        rows += [{**base, "method": f"m{k}", "test_r2": 0.5 + 0.01 * rng.normal()} for k in range(others)]
    rows = [{**row, "cell": str(k)} for k, row in enumerate(rows)]
    return prepare(None, pd.DataFrame(rows), pd.DataFrame(), {}, "")


def test_the_verdict_is_that_of_the_whole_table():
    table = compared(chosen(several(X, 0).done), several(X, 0)).set_index("method")
    assert table.loc["nngp", "p"] == table.loc["nngp", "p_holm"] == pytest.approx(ttest_1samp(X, 0.0).pvalue)
    assert table.loc["nngp", "verdict"] == "better"
    results = several(X, 5)
    table = compared(chosen(results.done), results).set_index("method")
    assert len(table) == 6
    assert table.loc["nngp", "p"] == pytest.approx(ttest_1samp(X, 0.0).pvalue)
    assert table.loc["nngp", "p_holm"] == pytest.approx(6 * table.loc["nngp", "p"])
    assert table.loc["nngp", "verdict"] == "no difference shown"
    texts = [entry.text for entry in paired(results).rows[-1]]
    assert texts[-1] == "no difference shown"
    assert texts[6] == "5/0/1"


@pytest.mark.parametrize("name", [*GENERATED, *ROWS])
def test_a_data_set_says_how_many_rows_its_test_rows_come_from(name):
    small = {"n": 20, "n_test": 10} if name == "mnist" else {}
    pool = load(name, **small).provenance["test_pool"]
    assert pool == (0 if name in GENERATED else ROWS[name])
    assert share_of(name, 20, 10, None) == share_of(name, 20, 10, pool)


def test_a_file_says_so_too_and_the_record_keeps_it(tmp_path):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40, 2)), np.arange(40) % 2
    np.savez(tmp_path / "split.npz", X=X, y=y)
    np.savez(tmp_path / "own.npz", X=X, y=y, X_test=X[:12], y_test=y[:12])
    found = [load(f"file:{tmp_path / name}", n=10).provenance["test_pool"] for name in ("split.npz", "own.npz")]
    assert found == [40, 12]
    old = {"source": "iris", "seed": 0, "options": {}, "sha256": "x", "n": 1, "d": 1, "c": 1, "n_test": 1}
    assert Data.from_locator(old, None).locator["test_pool"] is None
    assert json.loads(json.dumps(Data.from_locator({**old, "test_pool": 40}, None).locator))["test_pool"] == 40


@pytest.mark.parametrize(
    ("dataset", "pool", "share"),
    [("spiral", None, 0.0), ("mine", 0, 0.0), ("mine", None, 3 / 7), ("mine", 33, 0.1), ("mine", 3, np.inf)],
)
def test_the_share_of_test_rows(dataset, pool, share):
    assert share_of(dataset, 7, 3, pool) == pytest.approx(share)


def test_one_split_or_no_reference_compares_nothing():
    assert paired(results_of([0.1])) is None
    results = results_of([0.1, 0.2])
    others = results.cells[results.cells["method"] != "sdp"]
    assert paired(prepare(None, others, pd.DataFrame(), {}, "")) is None


def test_cells_whose_gamma_was_chosen_are_one_row_whatever_it_is():
    results = results_of([0.1, 0.2], gamma_by="cv")
    results.cells.loc[0, "gamma_chosen"] = 10.0
    (table,) = scores(results)
    assert [[entry.text for entry in row] for row in table.rows] == [
        ["iris", "by cv", "50", "2", "0.950 ± 0.635", "0.800 ± 0.000"]
    ]
    assert paired(results).rows[0][1].text == "by cv"
    partial = prepare(None, results_of([0.1, 0.2]).cells.iloc[:3], pd.DataFrame(), {}, "")
    assert scores(partial)[0].rows[0][3].text == "1–2"


@pytest.mark.thorough
def test_a_report_shows_given_and_chosen_gamma_apart(tmp_path):
    rows = make_rows({"iris": (75, 4, 3, 0.9, 2)}, methods=("sdp", "nngp"), gammas=(0.1, 0.01), seeds=(0,))
    for row in rows:
        row["gamma_by"] = "cv" if row["gamma"] == 0.01 else None
    index = quick_report(write_folder(tmp_path / "run", rows), figures=())
    table = pd.read_csv(index.parent / "tables" / "accuracy.csv")
    assert table["gamma"].isna().sum() == (table["gamma"] == 0.1).sum() == 2
    assert "by cv" in (index.parent / "tables" / "accuracy.md").read_text(encoding="utf-8")
