"""Comparison of methods split by split, against SciPy and by hand; γ chosen by cross-validation in the report."""

import numpy as np
import pandas as pd
import pytest
from relaxbench.reports.paired import corrected_t, paired
from relaxbench.reports.results import prepare
from relaxbench.reports.scores import scores
from scipy.stats import ttest_1samp

from .reports_folder import make_rows, quick_report, write_folder


def results_of(differences, gamma=0.1, **columns):
    """Splits on which nngp is at 0.8 and sdp better by these differences."""
    rows = []
    for split, difference in enumerate(differences):
        base = {"dataset": "iris", "data": f"d{split}", "gamma": gamma, "status": "ok", "n": 50, "n_test": 50}
        rows += [
            {**base, "method": "sdp", "test_accuracy": 0.8 + difference, "cell": f"s{split}", **columns},
            {**base, "method": "nngp", "test_accuracy": 0.8, "cell": f"n{split}", **columns},
        ]
    return prepare(None, pd.DataFrame(rows), pd.DataFrame(), {}, "")


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
        ([0.0] * 4, "tie", (0, 4, 0)),
        ([0.1] * 4, "better", (4, 0, 0)),
        ([0.1, -0.1, 0.05, 0.0], "tie", (2, 1, 1)),
        ([-0.1, -0.11, -0.09, -0.1], "worse", (0, 0, 4)),
    ],
)
def test_a_tie_is_said_to_be_one(differences, verdict, counts):
    table = paired(results_of(differences))
    (row,) = table.data.to_dict("records")
    assert row["verdict"] == verdict
    assert (row["wins"], row["ties"], row["losses"]) == counts
    assert row["difference"] == pytest.approx(np.mean(differences))
    assert (row["low"] <= 0 <= row["high"]) == (verdict == "tie")
    assert table.rows[0][-1].text == verdict


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


def test_a_report_shows_given_and_chosen_gamma_apart(tmp_path):
    rows = make_rows({"iris": (75, 4, 3, 0.9, 2)}, methods=("sdp", "nngp"), gammas=(0.1, 0.01), seeds=(0,))
    for row in rows:
        row["gamma_by"] = "cv" if row["gamma"] == 0.01 else None
    index = quick_report(write_folder(tmp_path / "run", rows))
    table = pd.read_csv(index.parent / "tables" / "accuracy.csv")
    assert table["gamma"].isna().sum() == (table["gamma"] == 0.1).sum() == 2
    assert "by cv" in (index.parent / "tables" / "accuracy.md").read_text(encoding="utf-8")
