"""What the report says in words: a difference that was planted is told, with its test; noise never is."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from relaxbench.reports.figures import FIGURES
from relaxbench.reports.page.findings import counted, findings, listed
from relaxbench.reports.reading import read
from relaxbench.reports.results import prepare
from scipy.stats import binomtest, ttest_1samp

from ..support.report_folder import make_rows, quick_report, whole, write_folder

PROBLEMS = ("random (c=1)", "random (c=2)", "random (c=3)", "random (c=4)")


def results_of(lead, methods=("sdp", "nngp"), splits=8, seed=0, problems=4, measure="test_r2", **columns):
    """sdp better than nngp by lead[k] on problem k, all else noise; every split draws new data."""
    rng, rows = np.random.default_rng(seed), []
    for k in range(problems):
        for split in range(splits):
            base = {"dataset": "random", "c": k + 1, "data": f"{k}{split}", "gamma": 0.1, "status": "ok"}
            base |= {"n": 25, "d": 2, "n_test": 25, "runtime_s": 1.0, **columns}
            for method in methods:
                score = 0.5 + 0.01 * rng.normal() + (lead[k] if method == "sdp" else 0)
                cell = f"{method}{k}{split}"
                time = {"sdp": 2.0, "slow": 8.0}.get(method, 1.0) * (1 + split)
                rows.append({**base, "method": method, measure: score, "cell": cell, "runtime_s": time})
    return prepare(None, pd.DataFrame(rows), pd.DataFrame(), {}, "")


def said(results, words):
    return [text for text in map(str, findings(results)) if words in text]


def test_a_real_effect_is_told_with_its_problems_its_test_and_its_p():
    results = results_of((0.0, 0.1, 0.0, 0.0))
    (text,) = said(results, "On held-out rows")
    part = results.cells[results.cells["problem"] == "random (c=2)"].pivot(
        index="data", columns="method", values="test_r2"
    )
    p = 4 * ttest_1samp(part["sdp"] - part["nngp"], 0.0).pvalue  # Holm: the smallest of four
    found = re.search(
        r"sdp predicts better than nngp on 1 of 4 problems \(p = ([\d.e-]+)\), no difference is shown on 3", text
    )
    assert float(found[1]) == pytest.approx(p, rel=0.05)
    assert "Paired t-test over 8 splits" in text
    assert "Holm for all 4 comparisons" in text


def test_both_sides_are_told_and_methods_without_a_difference_are_named_together():
    results = results_of((0.1, -0.1, 0.1, 0.0), methods=("sdp", "nngp", "ntk"), measure="test_accuracy")
    ntk = results.cells["method"] == "ntk"
    lead = results.cells["problem"].map(dict(zip(PROBLEMS, (0.1, -0.1, 0.1, 0.0), strict=True)))
    results.cells.loc[ntk, "test_accuracy"] += lead[ntk]
    (text,) = said(results, "On held-out rows")
    assert re.search(
        r"sdp classifies better than nngp on 2 of 4 problems \(p ≤ [\d.e-]+\), "
        r"worse than nngp on 1 of 4 problems \(p = [\d.e-]+\), no difference is shown on 1 \(p = [\d.e-]+\); "
        r"no difference is shown between sdp and ntk \(4 problems, p ≥ [\d.e-]+\)\.",
        text,
    )


def test_one_split_supports_no_finding_however_large_the_lead():
    results = results_of((0.4,) * 4, splits=1)
    assert not said(results, "On held-out rows")
    (text,) = said(results, "No method is said to score better")
    assert "two splits" in text
    assert not findings(results_of((0.4,) * 4, splits=1, methods=("sdp",)))
    several = results_of((0.1,) * 4)
    several = replace(several, cells=several.cells[~several.cells["data"].str.match("[12][1-7]")])
    assert "on 2 of 2 problems" in said(several, "On held-out rows")[0]
    assert said(several, "On held-out rows")[0].endswith("2 more problems have no two splits to compare.")


def test_gamma_chosen_by_cross_validation_counts_its_problems():
    (text,) = said(results_of((0.0, 0.1, 0.0, 0.0), gamma_by="cv"), "On held-out rows")
    assert "on 1 of 4 problems" in text


@pytest.mark.thorough
@pytest.mark.parametrize("runs", [40, pytest.param(400, marks=pytest.mark.slow)])
def test_of_methods_that_differ_by_noise_alone_a_difference_is_told_in_at_most_one_run_of_twenty(runs):
    results, texts = results_of((0.0, 0.0), ("sdp", "nngp", "ntk"), splits=4, problems=2), []
    rng = np.random.default_rng(0)
    for _ in range(runs):
        results.cells["test_r2"] = rng.normal(size=len(results.cells))
        texts += said(results, "On held-out rows")
    told = ["better than" in text or "worse than" in text for text in texts]
    assert binomtest(sum(told), runs, 0.05, alternative="greater").pvalue > 0.01
    none = r"no difference is shown between sdp and nngp \(2 problems, p ≥ \S+\) and ntk \(2 problems, p ≥ \S+\)"
    assert all((re.search(none, text) is not None) != wrong for text, wrong in zip(texts, told, strict=True))


def test_times_are_told_apart_by_the_sign_test_over_the_data_drawn():
    results = results_of((0.0,) * 4, methods=("sdp", "nngp", "slow"))
    (text,) = said(results, "Sign test")
    p = 2 * binomtest(32, 32).pvalue
    assert "nngp takes less time than sdp on 32 of 32 draws of the data, in the median 0.5 times as long" in text
    assert "slow takes more time than sdp on 32 of 32 draws of the data, in the median 4 times as long" in text
    assert f"(p = {p:.2g})" in text


def test_that_no_difference_in_time_is_shown_is_told_with_its_p():
    (text,) = said(results_of((0.0,), splits=5, problems=1), "Sign test")  # 5 of 5 do not reach the level
    p = binomtest(5, 5).pvalue
    assert text.startswith(f"No difference in time is shown between sdp and nngp (5 draws, p = {p:.2g}). Sign test")
    assert "takes" not in text


@pytest.mark.thorough
def test_each_finding_names_its_figure_its_problems_and_its_p_or_that_nothing_is_tested():
    folder, _ = whole()
    found = findings(read(folder))
    assert found
    assert {finding.figure for finding in found} <= set(FIGURES)
    for finding in [*found, *findings(results_of((0.1,) * 4)), *findings(results_of((0.0,) * 4, splits=1))]:
        assert re.search(r"\d+ (problem|draw|more problem|numbers|data set)|\d+ \w+ data sets", finding.text), finding
        assert re.search(r"\bp [=<≥≤] |no test is needed|nothing is tested|gives no p|takes sdp and", finding.text)
    (scores,) = [one for one in findings(results_of((0.1,) * 4)) if "held-out" in one.text]
    assert (str(scores), scores.figure) == (scores.text, "r2")
    (scores,) = [one for one in findings(results_of((0.1,) * 4, measure="test_accuracy")) if "held-out" in one.text]
    assert scores.figure == "accuracy"


def test_findings_call_methods_by_their_labels():
    plain = results_of((0.1,) * 4)
    labels = {cell: ("", {"s": "SDP, tos", "n": "NNGP"}[cell[0]]) for cell in plain.cells["cell"]}
    rows = plain.cells.drop(columns=["problem", "arm", "called"])
    (text,) = said(prepare(None, rows, pd.DataFrame(), {}, "", labels=labels), "On held-out rows")
    assert "SDP, tos predicts better than NNGP on 4 of 4 problems" in text


def test_counts_and_lists_are_english():
    assert [counted(k, "data set") for k in (0, 1, 2)] == ["0 data sets", "1 data set", "2 data sets"]
    assert [listed(names) for names in ("a", "ab", "abc")] == ["a", "a and b", "a, b and c"]


def test_the_page_of_one_split_names_no_winner(tmp_path):
    rows = make_rows({"iris": (75, 4, 3, 0.9, 1)}, methods=("sdp", "sgd", "nngp"), gammas=(0.1,), seeds=(0,))
    rows += [{**row, "gamma_by": "cv", "cell": row["cell"][::-1]} for row in rows]
    text = quick_report(write_folder(tmp_path / "run", rows, records=False), figures=()).read_text(encoding="utf-8")
    summary = re.sub(r"<[^>]*>", " ", text[text.index('id="summary"') : text.index('id="figures"')])
    assert "No method is said to score better than another" in summary
    assert not re.search(r"classif\w+ best|fastest|of 0 problems", summary)
    assert re.search(r"\b1 +data set +iris", summary)
