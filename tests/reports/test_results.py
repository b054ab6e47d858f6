"""How results are made ready: labels, averages with intervals, the choice among settings."""

import numpy as np
import pandas as pd
import pytest
from relaxbench.bench.results.tables import results_table, tightness_table
from relaxbench.reports.results import prepare
from relaxbench.reports.summary import chosen, ordered, series, summarise, with_best
from scipy import stats

from ..support.report_folder import make_rows

SMALL = {"iris": (75, 4, 3, 0.96, 1)}


def ready(rows, folder="unused"):
    frame = results_table(rows)
    return prepare(folder, frame, tightness_table(frame), {}, "")


def test_labels_name_only_what_differs():
    rows = make_rows(SMALL, methods=("sgd", "nngp"), gammas=(0.1,), widths=(5, 10), seeds=(0,))
    results = ready(rows)
    assert set(results.cells["problem"]) == {"iris"}
    assert results.arms == ["sgd (m=5)", "sgd (m=10)", "nngp"]
    biased = [{**row, "bias": True, "d": 5, "data": "b", "cell": row["cell"] + "b"} for row in rows]
    assert set(ready(rows + biased).cells["problem"]) == {"iris", "iris (bias)"}
    longer = [{**row, "n": 100, "data": "c", "cell": row["cell"] + "c"} for row in rows]
    assert set(ready(rows + longer).cells["problem"]) == {"iris (n=75)", "iris (n=100)"}


def test_labels_show_options_that_differ_and_survive_bad_ones():
    rows = make_rows(SMALL, methods=("sdp",), gammas=(0.1,), seeds=(0,))
    cuts = [{**rows[0], "options": f'{{"cuts":{k},"solver":"ipm","tolerance":1}}', "cell": str(k)} for k in (0, 3)]
    assert ready(cuts).arms == ["sdp (cuts=0)", "sdp (cuts=3)"]
    odd = [{**rows[0], "options": text, "cell": text} for text in ("[1]", "{", "{}")]
    assert len(ready(odd).arms) == 3


def test_long_names_are_cut_unless_they_would_coincide():
    paths = ["/a/very/long/path/to/somebody's/own/method.py:train", "/another/very/long/path/to/method.py:fit"]
    rows = make_rows(SMALL, methods=("nngp",), gammas=(0.1,))
    names = ready([{**rows[0], "method": path, "cell": path} for path in paths]).methods
    assert all(len(name) <= 30 and name.startswith("…") for name in names)
    same_end = ["/a" * 30 + "/x.py:fit", "/b" + "/a" * 29 + "/x.py:fit"]
    assert set(ready([{**rows[0], "method": path, "cell": path} for path in same_end]).methods) == set(same_end)


def test_control_characters_never_reach_a_label():
    rows = make_rows(SMALL, methods=("nngp",), gammas=(0.1,), dataset="a\x00b\nc")
    assert list(ready(rows).cells["problem"]) == ["a b c"]


def frame_of(values):
    return pd.DataFrame(values, columns=["problem", "data", "score"])


def test_the_interval_is_students_over_seeds_of_one_data_set():
    scores = [0.5, 0.6, 0.9]
    row = summarise(frame_of([("p", "x", score) for score in scores]), ["problem"], "score").iloc[0]
    low, high = stats.t.interval(0.95, 2, np.mean(scores), stats.sem(scores))
    assert (row["mean"], row["low"], row["high"]) == pytest.approx((np.mean(scores), low, high))
    assert (row["runs"], row["draws"]) == (3, 1)


def test_the_interval_is_over_data_sets_where_several_were_drawn():
    draws = {"x": [0.2, 0.4], "y": [0.5, 0.7], "z": [0.9, 0.9]}
    row = summarise(frame_of([("p", k, score) for k, v in draws.items() for score in v]), ["problem"], "score").iloc[0]
    means = [0.3, 0.6, 0.9]
    assert row["half"] == pytest.approx(stats.t.ppf(0.975, 2) * stats.sem(means))
    assert (row["mean"], row["runs"], row["draws"]) == (pytest.approx(0.6), 6, 3)


def test_a_single_run_has_no_interval_and_missing_scores_no_row():
    table = summarise(frame_of([("p", "x", 0.5), ("q", "x", np.nan)]), ["problem"], "score")
    assert list(table["problem"]) == ["p"]
    assert np.isnan(table["half"]).all()


def test_the_choice_among_settings_sees_failures_and_objective_but_no_test_data():
    rows = make_rows(SMALL, methods=("sgd",), gammas=(0.1,), widths=(5, 10, 100), seeds=(0, 1))
    for row in rows:
        row["objective"] = {5: 1.0, 10: 2.0, 100: 3.0}[row["width"]]
        row["test_accuracy"] = {5: 0.1, 10: 0.2, 100: 0.99}[row["width"]]
    assert set(chosen(ready(rows).cells)["width"]) == {5}
    rows[0]["status"] = "timeout"
    assert set(chosen(ready(rows).cells)["width"]) == {10}


def test_the_choice_prefers_our_solver_to_a_slightly_lower_objective():
    rows = make_rows(SMALL, methods=("sdp",), gammas=(0.1,), seeds=(0,))[:1]
    rows[0] |= {"solver": "auto", "objective": 1.0}
    rows.append({**rows[0], "solver": "cvxpy-scs", "objective": 0.999, "cell": "other"})
    assert set(chosen(ready(rows).cells)["solver"]) == {"auto"}


def test_problems_are_in_the_order_of_their_size_and_gammas_from_large_to_small():
    names = ["random (n=1000)", "iris", "random (n=200)"]
    frame = pd.DataFrame({"problem": names * 2, "gamma": [0.1] * 3 + [1.0] * 3})
    found = ordered(frame)
    assert found["problem"].tolist() == ["iris"] * 2 + ["random (n=200)"] * 2 + ["random (n=1000)"] * 2
    assert found["gamma"].tolist() == [1.0, 0.1] * 3


def test_the_choice_of_kernels_needs_no_objective():
    rows = make_rows(SMALL, methods=("nngp",), gammas=(0.1,))
    assert len(chosen(ready(rows).cells)) == 1


def test_objectives_are_compared_within_their_group():
    results = ready(make_rows(SMALL, methods=("sgd",), widths=(5, 100), seeds=(0, 1)))
    cells = with_best(results)
    for _, group in cells.groupby(["data", "gamma"]):
        assert group["relative"].min() == 1.0
        assert np.allclose(group["relative"], group["objective"] / group["objective"].min())


def test_a_series_is_what_differs_in_width_alone():
    rows = make_rows(SMALL, methods=("sdp", "sgd"), gammas=(0.1,), widths=(5, 10), seeds=(0,))
    rows += [{**row, "rounding": "gaussian", "width": 10, "cell": "g"} for row in rows[:1]]
    cells = ready(rows).cells
    assert set(cells["arm"]) == {"sdp (tos, m=300)", "sdp (gaussian, m=10)", "sgd (m=5)", "sgd (m=10)"}
    assert set(series(cells)) == {"sdp (tos)", "sdp (gaussian)", "sgd"}
