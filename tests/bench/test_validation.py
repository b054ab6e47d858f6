"""Hyper-parameters chosen once for all folds: what is picked, on which rows, in which units, what is recorded."""

import json

import numpy as np
import pytest
from relaxbench.bench.engine.schedule import tasks
from relaxbench.bench.engine.task import Task
from relaxbench.bench.grid.cell import expand
from relaxbench.bench.grid.spec import check_spec
from relaxbench.bench.scoring.validation import SHARES, Candidates, choose, fit_folds
from relaxbench.bench.text import UsageError
from relaxbench.datasets import Dataset
from relaxbench.solvers.fit import Fit, Statistics
from sklearn.linear_model import Ridge

from ..support.work import perform

IRIS = {"name": "iris", "data_seed": "0..3", "folds": 4, "cap": 40, "preprocess": "standardize"}


def data(seed=0, n=40, labels=None, noise=1.0):
    """A linear map with noise: the less of it there is, the less ridge is best."""
    rng = np.random.default_rng(seed)
    W = np.random.default_rng(99).standard_normal((3, 2))
    X, Z = rng.standard_normal((n, 3)), rng.standard_normal((n, 3))
    return Dataset(X, X @ W + noise * rng.standard_normal((n, 2)), Z, Z @ W, labels, "planted")


def linear(settings):
    """Ridge regression; `wrong` turns its signs around."""
    sign = -1.0 if settings.get("wrong") else 1.0

    def fit(problem, budget):
        model = Ridge(alpha=problem.gamma, fit_intercept=False).fit(problem.X, problem.Y)
        return Fit(lambda Z: sign * model.predict(Z), stats=Statistics(compile_s=1.0))

    return fit


def test_the_choice_is_the_best_of_all_combinations_by_brute_force():
    split = data()
    chosen = choose(Candidates(linear, {"wrong": (True, False)}, (2, 0)), split, 60.0)
    unit = np.sum(split.X_train**2) / len(split.X_train)
    error = {}
    for share in SHARES:
        model = Ridge(alpha=share * unit, fit_intercept=False).fit(split.X_train, split.Y_train)
        error[share] = 1 - np.mean(
            np.sum((model.predict(split.X_test) - split.Y_test) ** 2, axis=0)
            / np.sum((split.Y_test - split.Y_test.mean(axis=0)) ** 2, axis=0)
        )
    assert chosen.share == max(error, key=error.get)
    assert chosen.settings == {"wrong": False}
    assert json.loads(chosen.text) == {"wrong": False}
    assert f"{chosen.share:g}: {error[chosen.share]:.4f}" in chosen.info["validation_scores"]


def test_of_equals_the_largest_gamma_and_the_first_settings_are_taken():
    constant = Candidates(
        lambda settings: lambda problem, budget: Fit(lambda Z: np.zeros((len(Z), 2))), {"k": (7, 8)}, None
    )
    chosen = choose(constant, data(), 60.0)
    assert (chosen.share, chosen.settings) == (1.0, {"k": 7})
    constant = Candidates(constant.fitting, {}, (0, 0))
    assert choose(constant, data(), 60.0).share == SHARES[0]


def test_behind_a_perfect_score_nothing_is_fitted_that_could_only_be_its_equal():
    split, fitted = data(), []

    def fitting(settings):
        def fit(problem, budget):
            fitted.append((settings["k"], problem.gamma))
            right = problem.gamma <= (0.3 if settings["k"] == 7 else 3.0)
            return Fit(lambda Z: split.Y_test if right else -split.Y_test)

        return fit

    chosen = choose(Candidates(fitting, {"k": (7, 8)}, (0, 0)), split, 60.0)
    assert (chosen.share, chosen.settings) == (3.0, {"k": 8})
    assert fitted == [(7, 10.0), (7, 3.0), (7, 1.0), (7, 0.3), (8, 10.0), (8, 3.0)]


@pytest.mark.parametrize(("unit", "power"), [((1, 1), 2 * 3), ((2, 0), 2**2), ((0, 0), 1), ((0, 2), 3**2)])
def test_gamma_moves_with_the_units_of_the_data_and_of_the_targets(unit, power):
    plain = data()
    scaled = Dataset(2 * plain.X_train, 3 * plain.Y_train, 2 * plain.X_test, 3 * plain.Y_test, None, "scaled")
    candidates = Candidates(linear, {}, unit)
    gammas = [candidates.problem(each, 0.1).gamma for each in (plain, scaled)]
    assert gammas[1] == pytest.approx(power * gammas[0])


def test_every_fold_gets_the_chosen_share_of_its_own_unit_and_test_rows_have_no_say():
    folds = [data(seed) for seed in (1, 2, 3)]
    candidates = Candidates(linear, {"wrong": (True, False)}, (2, 0))
    found = fit_folds(candidates, data(), folds, 60.0)
    share = choose(candidates, data(), 60.0).share
    for fold, (problem, fit, chosen) in zip(folds, found, strict=True):
        assert problem.gamma == pytest.approx(share * np.sum(fold.X_train**2) / len(fold.X_train))
        np.testing.assert_array_equal(problem.X, fold.X_train)
        assert json.loads(chosen) == {"wrong": False}
        assert fit.stats.compile_s == pytest.approx(1.0 + 2 * len(SHARES) / 3)
        assert fit.info["choice_s"] >= 0
    other = [Dataset(f.X_train, f.Y_train, 9 * f.X_test, -f.Y_test, None, "other") for f in folds]
    for (a, fit, _), (b, again, _) in zip(found, fit_folds(candidates, data(), other, 60.0), strict=True):
        assert a.gamma == b.gamma
        np.testing.assert_array_equal(fit.predict(np.eye(3)), again.predict(np.eye(3)))


def test_a_combination_that_fails_is_out_and_all_failing_is_said():
    def fitting(settings):
        def fit(problem, budget):
            if settings["k"]:
                raise ValueError("no")
            return Fit(lambda Z: np.zeros((len(Z), 2)))

        return fit

    assert choose(Candidates(fitting, {"k": (1, 0)}, None), data(), 60.0).settings == {"k": 0}
    with pytest.raises(RuntimeError, match="nothing could be chosen: ValueError: no"):
        choose(Candidates(fitting, {"k": (1,)}, None), data(), 60.0)


def test_fits_cut_short_make_the_folds_time_out():
    def fitting(settings):
        return lambda problem, budget: Fit(lambda Z: np.zeros((len(Z), 2)), status="timeout")

    ((_, fit, _),) = fit_folds(Candidates(fitting, {}, (1, 1)), data(), [data(1)], 1.0)
    assert fit.status == "timeout"
    assert f"cut {len(SHARES)} of {len(SHARES)} fits of the choice short" in fit.message


def cells(**more):
    return expand(check_spec({"dataset": [IRIS], "method": [{"name": "nngp"}], "gamma": "validation", **more}))


@pytest.mark.thorough
def test_folds_of_one_partition_are_one_task_and_rows_say_what_was_chosen():
    found = cells(method=[{"name": "nngp"}, {"name": "forest", "trees": 5}, {"name": "ridge"}], seed=[0, 1])
    assert len({cell.hash for cell in found}) == 16  # nngp and ridge draw nothing
    work = tasks(found, 60.0)
    assert sorted(len(task.cells) for task in work) == [4, 4, 4, 4]
    nngp, forest, _, ridge = (perform(task) for task in work)
    for results, known in ((nngp, True), (forest, False), (ridge, True)):
        assert {result.columns["status"] for result in results} == {"ok"}
        assert all((result.columns["gamma"] is not None) == known for result in results)
        assert len({result.columns["chosen"] for result in results}) == 1
        assert np.mean([result.columns["test_accuracy"] for result in results]) > 0.7
    assert set(json.loads(nngp[0].columns["chosen"])) == {"depth", "layer_bias", "ridge"}
    assert set(json.loads(forest[0].columns["chosen"])) == {"features", "leaf"}
    assert [cell.data.seed for cell in work[0].cells] == [0, 1, 2, 3]


def test_a_fold_computed_alone_has_the_numbers_that_it_has_with_the_others():
    found = cells(method=[{"name": "lbfgs", "starts": 1, "iterations": 50}], width=5)
    together, (alone,) = perform(Task(tuple(found), 60.0)), perform(Task((found[2],), 60.0))
    for name in ("gamma", "chosen", "objective", "test_accuracy"):
        assert together[2].columns[name] == alone.columns[name]


@pytest.mark.thorough
def test_each_bound_is_that_of_its_own_fold():
    found = cells(
        method=[{"name": "sdp", "gap": 0.05, "rounding": "gaussian"}], dataset=[{**IRIS, "cap": 10}], width=20
    )
    results = perform(Task(tuple(found), 120.0))
    assert all(0 < result.columns["lower_bound"] <= result.columns["objective"] for result in results)
    assert len({result.columns["lower_bound"] for result in results}) == 4


def test_gamma_by_validation_without_folds_is_refused_with_the_fix():
    with pytest.raises(UsageError, match=r'Got iris without: give its table folds = 4 and data_seed = "0\.\.3"'):
        cells(dataset=[{"name": "iris"}])


def test_the_config_small_names_sixty_one_data_sets_and_eight_methods():
    from relaxbench.bench.grid.resolve import resolve

    spec = resolve("small", {}, {})
    assert len(spec.dataset) == 61
    assert len(spec.method) == 8
