"""Why the reference method is behind: each reason on results made up for it, and none where there is nothing to say."""

import numpy as np
import pandas as pd
import pytest
from relaxbench.reports.results import Results, prepare
from relaxbench.reports.tables.behind import behind

BOUND, BEST = 0.995, 1.0  # proved lower bound and best network known, at every γ


def table(lead=-0.1, objective=1.0, fit=0.9, fit_other=0.9, gammas=(0.1,), by="given", bound=BOUND, cv_gamma=0.1):
    """`behind` of three splits on which nngp is at 0.8 and sdp better by `lead` (at γ number k by lead + 0.05 k)."""
    rows, groups = [], []
    for split in range(3):
        base = {"dataset": "iris", "data": f"d{split}", "status": "ok", "n": 50, "n_test": 50, "gamma_by": by}
        for k, gamma in enumerate(gammas):
            ours = {
                "method": "sdp",
                "objective": objective,
                "train_accuracy": fit,
                "test_accuracy": 0.8 + lead + 0.05 * k,
            }
            theirs = {"method": "nngp", "train_accuracy": fit_other, "test_accuracy": 0.8}
            used = cv_gamma if by == "cv" else gamma
            rows += [{**base, "gamma": used, "cell": f"{m['method']}{split}{k}", **m} for m in (ours, theirs)]
            groups.append({"data": f"d{split}", "gamma": used, "lower_bound": bound, "upper_bound": BEST})
    return behind(prepare(None, pd.DataFrame(rows), pd.DataFrame(groups), {}, ""))


def why(**case):
    return table(**case).data["why"].tolist()


def test_nothing_is_said_where_it_is_not_behind():
    assert table(lead=0.0) is None
    assert table(lead=0.1) is None
    assert table(lead=-1e-16) is None
    assert table(lead=-0.005) is None  # a lower mean alone, by a quarter of a test row


@pytest.mark.parametrize(
    ("case", "reason"),
    [
        ({}, "optimum reached, as proved"),
        ({"bound": 0.5}, "optimum not proved, no better network known"),
        ({"objective": 1.2}, "optimum missed: a better network is known"),
        ({"bound": np.nan}, "no bound"),
        ({"fit": 0.95}, "overfits: fits the training rows better"),
        ({"fit": 0.85}, "underfits: fits the training rows less"),
        ({"fit": 0.9}, "fits the training rows as well as the other"),
    ],
)
def test_optimum_and_fit_are_told_apart(case, reason):
    (text,) = why(**case)
    assert reason in text.split("; ")
    assert len(text.split("; ")) == 2  # one word on the optimum, one on the fit, none on γ: there is only one


def test_its_numbers_are_those_of_the_splits_lost():
    (row,) = table(objective=1.25, fit=0.95, fit_other=0.85).data.to_dict("records")
    assert row["gap"] == pytest.approx(1 - BOUND / 1.25)
    assert row["excess"] == pytest.approx(0.25)
    assert (row["fit"], row["fit_other"]) == pytest.approx((0.95, 0.85))
    assert (row["losses"], row["splits"]) == (3, 3)


def test_another_gamma_of_the_run_is_named_where_it_does_better():
    better, worse = why(gammas=(0.1, 0.01))  # shown from large to small; sdp is at 0.7 and at 0.75
    assert "γ 0.01 has a higher mean: 0.750 against 0.700" in better
    assert "no other γ of the run has a higher mean" in worse


@pytest.mark.parametrize(("gamma", "ends"), [(0.001, True), (100.0, True), (0.1, False)])
def test_a_gamma_at_the_end_of_the_grid_of_cross_validation_is_told(gamma, ends, monkeypatch):
    monkeypatch.setattr(Results, "info", lambda self, cell: {"cv_scores": "100: 0.5, 0.1: 0.7, 0.001: 0.6"})
    (text,) = why(by="cv", cv_gamma=gamma)
    assert ("γ at an end of the grid tried in 3 of 3" in text) == ends
