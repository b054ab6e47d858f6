"""Methods over many data sets: planted effects are found, noise is not, and the numbers are those of hand and brute
force."""

import numpy as np
import pytest
from relaxbench.reports.labels import FOLDS, HOLDOUT
from relaxbench.reports.page.findings import findings
from relaxbench.reports.tables.across import across, overview
from relaxbench.reports.tables.boards import boards, critical_difference, friedman, wilcoxon_p
from relaxbench.reports.tables.contents import tables
from relaxbench.reports.tables.paired import paired
from relaxbench.reports.tables.properties import correlations, properties
from relaxbench.reports.tables.scores import scores
from scipy.stats import spearmanr, wilcoxon

from ..support.many_sets import METHODS, many, many_rows, prepared


def tiny(table, measure="test_accuracy", **columns):
    """Each data set twice (two folds) at the scores of the table: method → one score a data set."""
    rows = [
        {"dataset": f"small/{k}", "data": f"{k}.{fold}", "data_seed": fold, "method": method, measure: score}
        for method, values in table.items()
        for k, score in enumerate(values)
        for fold in range(2)
        if score is not None
    ]
    fixed = {"status": "ok", "gamma_by": "validation", "n": 30, "d": 3, "c": 2, "n_test": 10, **columns}
    return prepared([{**fixed, "cell": f"c{k}", **row} for k, row in enumerate(rows)])


TINY = {"sdp": [1.0, 0.8, 0.6, 0.9, 0.5], "nngp": [0.95, 0.8, 0.5, 1.0, 0.46], "sgd": [0.8, 0.7, 0.57, 0.9, 0.48]}


def test_shares_of_the_best_ranks_and_counts_are_those_of_hand():
    results = tiny(TINY)
    (board,) = boards(results, FOLDS)
    table = overview(board, results).set_index("method")
    assert table["rank"].to_dict() == pytest.approx({"sdp": 1.4, "nngp": 2.1, "sgd": 2.5})
    assert table["p90"].to_dict() == pytest.approx({"sdp": 1.0, "nngp": 4 / 5, "sgd": 3 / 5})
    assert table["p95"].to_dict() == pytest.approx({"sdp": 4 / 5, "nngp": 3 / 5, "sgd": 2 / 5})
    assert table.loc["sdp", "pma"] == pytest.approx((1 + 1 + 1 + 0.9 + 1) / 5)
    assert table.loc["nngp", "pma"] == pytest.approx((0.95 + 1 + 5 / 6 + 1 + 0.92) / 5)
    assert table.loc["sdp", "mean"] == pytest.approx(0.76)
    assert table.loc["sdp", "spread"] == pytest.approx(np.std(TINY["sdp"], ddof=1))
    assert table.loc["nngp", ["higher", "equal", "lower"]].tolist() == [3, 1, 1]
    expected = wilcoxon(np.subtract(TINY["sdp"], TINY["sgd"]).round(9), zero_method="zsplit").pvalue
    assert table.loc["sgd", "p"] == pytest.approx(expected)


def test_ranks_are_those_of_a_brute_force_count():
    rng = np.random.default_rng(3)
    results = tiny({f"m{k}": rng.integers(0, 5, 20) / 10 for k in range(6)})
    (board,) = boards(results, FOLDS)
    for name in board.scores:
        others = board.scores.drop(columns=name)
        higher = others.gt(board.scores[name], axis=0).sum(axis=1)
        equal = others.eq(board.scores[name], axis=0).sum(axis=1)
        assert board.ranks[name] == pytest.approx((1 + higher + equal / 2).mean())
    assert friedman(board)[0] > 0
    assert board.rivals == []
    assert across(results)[0].rows[0][-1].text == "–"


Q = {2: 1.960, 3: 2.343, 4: 2.569, 5: 2.728, 6: 2.850, 7: 2.949, 8: 3.031, 9: 3.102, 10: 3.164}  # Demšar, table 5


@pytest.mark.parametrize(("k", "q"), Q.items())
def test_the_critical_difference_is_the_published_one(k, q):
    assert critical_difference(k, 30) == pytest.approx(q * np.sqrt(k * (k + 1) / 180), abs=1e-3)


def test_friedman_is_that_of_demsar_s_example():
    """Average ranks of four methods on 14 data sets (his table 6): χ² = 9.28, F = 3.69, critical difference 1.25."""
    c45 = [0.763, 0.599, 0.954, 0.628, 0.882, 0.936, 0.661, 0.583, 0.775, 1.000, 0.940, 0.619, 0.972, 0.957]
    m = [0.768, 0.591, 0.971, 0.661, 0.888, 0.931, 0.668, 0.583, 0.838, 1.000, 0.962, 0.666, 0.981, 0.978]
    cf = [0.771, 0.590, 0.968, 0.654, 0.886, 0.916, 0.609, 0.563, 0.866, 1.000, 0.965, 0.614, 0.9751, 0.946]
    both = [0.798, 0.569, 0.967, 0.657, 0.898, 0.931, 0.685, 0.625, 0.875, 1.000, 0.962, 0.669, 0.975, 0.970]
    (board,) = boards(tiny({"c45": c45, "m": m, "cf": cf, "both": both}), FOLDS)
    ranks = {"c45": 3.143, "m": 2.000, "cf": 2.893, "both": 1.964}
    assert board.ranks.to_dict() == pytest.approx(ranks, abs=5e-4)
    assert critical_difference(4, 14) == pytest.approx(1.25, abs=5e-3)
    F, p = friedman(board)
    assert p < 0.05
    assert F > 3.5  # his has no correction for ties, which only makes it larger


@pytest.mark.parametrize(("order", "expected"), [((0.5, 0.5, 0.5), (0.0, 1.0)), ((0.9, 0.8, 0.7), (np.inf, 0.0))])
def test_the_extremes_of_friedman(order, expected):
    (board,) = boards(tiny({f"m{k}": [score] * 6 for k, score in enumerate(order)}), FOLDS)
    assert friedman(board) == expected
    assert wilcoxon_p(np.zeros(6)) == 1.0


def told(results):
    return [text for text in map(str, findings(results)) if "protocol folds" in text]


@pytest.mark.thorough
def test_a_planted_effect_is_found_and_told_with_its_test():
    results = many(lead={"sdp": 0.05, "ridge": -0.1})
    (board,) = boards(results, FOLDS)
    table = overview(board, results).set_index("method")
    assert table.index[0] == "sdp"
    assert (table["p_holm"].drop("sdp") < 0.05).all()
    assert table.loc["ridge", "wins"] > 5
    assert table.loc["ridge", "losses"] == 0
    (text,) = told(results)
    assert text.startswith("Over 33 classification data sets (protocol folds) average ranks of 8 methods differ")
    assert "sdp scores higher than ridge (p = " in text
    assert "no difference" not in text
    (worse,) = told(many(lead={"sdp": -0.1}))
    assert "sdp scores lower than nngp" in worse
    assert "higher" not in worse


@pytest.mark.thorough
def test_noise_is_told_as_no_difference():
    results = many(seed=5, measure="test_r2")
    (text,) = told(results)
    assert text.startswith("Over 33 regression data sets (protocol folds) no difference between 8 methods is shown")
    assert "higher" not in text
    (table,) = across(results)
    assert "no difference of average ranks is shown" in table.notes[0]
    assert "P90" not in table.header


@pytest.mark.thorough
def test_ranks_of_noise_differ_in_about_one_run_of_twenty():
    found = [boards(many(sets=8, methods=METHODS[:4], seed=seed), FOLDS)[0] for seed in range(40)]
    assert sum(friedman(board)[1] < 0.05 for board in found) <= 5  # of 40 runs with p = 0.05: more in one of 70


def test_what_is_left_out_is_named_with_the_reason():
    table = {name: [0.5 + 0.01 * k for k in range(20)] for name in ("sdp", "nngp", "ntk", "sgd")}
    table["sdp"][0], table["nngp"][3], table["sgd"][4:] = None, None, [None] * 16
    (board,) = boards(tiny(table), FOLDS)
    assert board.scores.shape == (18, 3)
    assert board.left_out == (
        *("small/0 (sdp did not finish)", "sgd (finished 3 of 19 data sets)", "small/3 (nngp did not finish)"),
    )
    results = many(sets=12, methods=("sdp", "nngp"))
    lost = (results.cells["dataset"] == "small/set-01") & (results.cells["data_seed"] == 2)
    results.cells.loc[lost & (results.cells["method"] == "nngp"), ["status", "test_accuracy"]] = ["timeout", np.nan]
    (board,) = boards(results, FOLDS)
    assert board.left_out == ("small/set-01 (standardize) (nngp did not finish)",)
    assert "Left out: 1, small/set-01" in across(results)[0].notes[0]


def test_four_data_sets_are_too_few():
    results = many(sets=4)
    assert boards(results, FOLDS) == across(results) == properties(results) == told(results) == []


def both_protocols():
    return prepared([*many_rows(sets=6, methods=METHODS[:3]), *many_rows(sets=6, methods=METHODS[:4], by="cv", seed=1)])


@pytest.mark.thorough
def test_protocols_are_never_mixed():
    results = both_protocols()
    assert set(results.under(FOLDS).cells["gamma_by"]) == {"validation"}
    found = {table.name: table for table in tables(results)}
    for name in ("accuracy", "across-accuracy", "paired", "properties-accuracy"):
        holdout, folds = found[name], found[f"{name}-folds"]
        assert "protocol folds" not in holdout.title + holdout.caption
        assert "protocol folds" in folds.title + folds.caption
        shown = lambda table: {entry.text for row in table.rows for entry in row if entry.text.startswith("by ")}  # noqa: E731
        assert (shown(holdout), shown(folds)) == ({"by cv"}, {"by validation"})
    means = results.under(FOLDS).cells.groupby(["problem", "method"])["test_accuracy"].mean()
    table = found["accuracy-folds"].data.set_index(["problem", "method"])["mean"]
    assert table.to_dict() == pytest.approx(means.to_dict())
    assert len(set(results.cells["problem"])) == 12
    assert found["accuracy"].header[4:] == ("sdp", "nngp", "ntk", "rbf")
    assert found["accuracy-folds"].header[4:] == ("sdp", "nngp", "ntk")


def test_scores_of_folds_say_what_has_seen_test_rows():
    results = many(sets=5)
    (table,) = scores(results)
    assert table.name == "accuracy-folds"
    for text in (table.caption, paired(results, FOLDS).caption, across(results)[0].caption):
        assert "has seen test rows of the folds" in text
    assert paired(results) is None
    assert paired(results, FOLDS).data["test_share"].between(0.2, 0.6).all()
    assert set(paired(results, FOLDS).data["splits"]) == {4}


def test_folds_that_differ_by_a_row_are_one_problem():
    assert many(sets=6).cells["problem"].nunique() == 6


def test_a_data_set_in_several_forms_is_left_out():
    rows = many_rows(sets=6, methods=METHODS[:2], by="cv")
    rows += [{**row, "preprocess": "none", "cell": row["cell"] + "x"} for row in rows if row["dataset"].endswith("03")]
    (board,) = boards(prepared(rows), HOLDOUT)
    assert board.left_out == ("small/set-03 (ran in several forms)",)
    assert len(board.scores) == 5


def test_a_property_that_drives_the_lead_is_found_and_the_others_are_not():
    results = many(methods=("sdp", "nngp", "rbf"), noise=0.001, seed=4)
    sdp = results.cells["method"] == "sdp"
    results.cells.loc[sdp, "test_accuracy"] -= 0.2 * results.cells.loc[sdp, "c"] / 10
    (board,) = boards(results, FOLDS)
    table = correlations(board).set_index("property")
    lead = board.scores["sdp"] - board.scores[["nngp", "rbf"]].max(axis=1)
    classes = board.cells.groupby("problem")["c"].max()
    assert table.loc["classes", "rho"] == pytest.approx(spearmanr(classes, lead).statistic)
    (shown,) = properties(results)
    verdicts = shown.data.set_index("property")["verdict"]
    assert verdicts["classes"] == "lead falls with it"
    assert verdicts["certified gap of sdp"] == "no association shown"
    assert "an association is shown for classes, and for nothing else" in shown.caption
    (none,) = properties(many(seed=1))
    assert "no association is shown" in none.caption
    assert set(none.data["verdict"]) == {"no association shown"}


def test_two_methods_are_compared_without_friedman():
    results = many(methods=("sdp", "nngp"), lead={"sdp": 0.1})
    (text,) = told(results)
    assert text.startswith("Over 33 classification data sets (protocol folds) sdp scores higher than nngp (p = ")
    assert "Friedman" not in text
