"""Estimators: scikit-learn's own checks, and the networks and bounds of `fit` on the problem that they stand for."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from relaxbench.bench import estimators
from relaxbench.solvers.fit import Fit, Status
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import relaxbench as rb

from ..support import random_features

CLASSIFIER, REGRESSOR = rb.ConvexReluClassifier, rb.ConvexReluRegressor
FAST = f"{random_features.__file__}:train"


@parametrize_with_checks([CLASSIFIER(FAST), REGRESSOR(FAST)])
def test_scikit_learn_agrees(estimator, check):
    check(estimator)


@pytest.mark.slow
@parametrize_with_checks(
    [CLASSIFIER(width=10, gap=0.5), REGRESSOR(width=10, gap=0.5), CLASSIFIER("lbfgs", width=10, loss="logistic")]
)
def test_scikit_learn_agrees_with_the_relaxation(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def flowers():
    """Twenty-four flowers of three kinds, as a DataFrame with labels in words."""
    X, y = load_iris(return_X_y=True, as_frame=True)
    rows = np.random.default_rng(0).permutation(len(y))[:24]
    return StandardScaler().set_output(transform="pandas").fit_transform(X).iloc[rows], y.iloc[rows].map(
        "kind {}".format
    )


def with_ones(X):
    return np.hstack([np.asarray(X), np.ones((len(X), 1))])


@pytest.mark.thorough
def test_a_classifier_is_the_fit_of_its_problem(flowers):
    X, y = flowers
    model = CLASSIFIER(width=8, gamma=0.3, random_state=4).fit(X, y)
    problem = rb.Problem(with_ones(X), y, 0.3)
    fit = rb.fit(problem, width=8, seed=4, gap=1e-2, rounding="gaussian+lbfgs")
    np.testing.assert_array_equal(model.network_.U, fit.network.U)
    np.testing.assert_array_equal(model.network_.V, fit.network.V)
    assert (model.objective_, model.lower_bound_, model.gap_) == (fit.objective, fit.lower_bound, fit.gap)
    assert 0 < model.lower_bound_ <= model.objective_ == problem.objective(model.network_)
    assert rb.verify(model.certificate_, problem) >= model.lower_bound_ * (1 - 1e-6)
    assert (model.gamma_, model.status_, model.n_features_in_) == (0.3, "ok", 4)
    assert model.classes_.tolist() == problem.classes.tolist() == sorted(set(y))
    assert model.feature_names_in_.tolist() == list(X.columns)
    outputs = fit.network.predict(problem.X)
    np.testing.assert_array_equal(model.decision_function(X), outputs)
    assert model.predict(X).tolist() == problem.classes[outputs.argmax(axis=1)].tolist()
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.decision_function(X), outputs)


def test_without_a_bias_the_rows_stay_as_they_are(flowers):
    X, y = flowers
    model = CLASSIFIER(FAST, bias=False).fit(X, y)
    assert model.network_.U.shape[0] == 4
    np.testing.assert_array_equal(model.decision_function(X), model.network_.predict(X))
    assert CLASSIFIER(FAST).fit(X, y).network_.U.shape[0] == 5


def test_neither_names_nor_order_of_the_labels_matter(flowers):
    X, y = flowers
    names = {"kind 0": "z", "kind 1": "m", "kind 2": "a"}
    model, other = CLASSIFIER(FAST).fit(X, y), CLASSIFIER(FAST).fit(X, y.map(names))
    assert other.classes_.tolist() == ["a", "m", "z"]
    assert pd.Series(model.predict(X)).map(names).tolist() == other.predict(X).tolist()
    rows = np.random.default_rng(1).permutation(len(X))
    shuffled = CLASSIFIER(FAST).fit(X.iloc[rows], y.iloc[rows])
    np.testing.assert_allclose(shuffled.decision_function(X), model.decision_function(X), rtol=1e-7, atol=1e-9)


def test_two_classes_have_one_decision(flowers):
    X, y = flowers
    is_first = y == "kind 0"
    model = CLASSIFIER(FAST).fit(X, is_first)
    decision = model.decision_function(X)
    assert decision.shape == (24,)
    assert model.classes_.tolist() == [False, True]
    assert model.predict(X).tolist() == (decision > 0).tolist() == is_first.tolist()


@pytest.mark.thorough
def test_cross_entropy_has_probabilities(flowers):
    X, y = flowers
    model = CLASSIFIER(width=8, gamma=0.3, loss="logistic").fit(X, y)
    problem = rb.Problem(with_ones(X), y, 0.3, loss="logistic")
    assert model.objective_ == problem.objective(model.network_)
    assert 0 < model.lower_bound_ <= model.objective_
    found = model.predict_proba(X)
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-12)
    loss = log_loss(y, found, labels=model.classes_) * len(y)
    penalty = 0.15 * (np.sum(model.network_.U**2) + np.sum(model.network_.V**2))
    assert loss + penalty == pytest.approx(model.objective_)
    np.testing.assert_array_equal(model.classes_[found.argmax(axis=1)], model.predict(X))
    assert not hasattr(CLASSIFIER().fit(X, y), "predict_proba")


@pytest.mark.thorough
def test_a_regressor_keeps_the_shape_and_the_scale_of_its_targets(flowers):
    X = flowers[0][:12]
    targets = X.to_numpy()[:, :2] ** 2 + 3
    for y, shape in ((targets[:, 0], (12,)), (targets[:, :1], (12, 1)), (targets, (12, 2))):
        model = REGRESSOR(width=8, gamma=0.1).fit(X, y)
        fit = rb.fit(rb.Problem(with_ones(X), y, 0.1), width=8, gap=1e-2, rounding="gaussian+lbfgs")
        np.testing.assert_array_equal(model.predict(X), fit.network.predict(with_ones(X)).reshape(shape))
        assert model.lower_bound_ == fit.lower_bound <= model.objective_


def test_gamma_is_searched_in_a_pipeline(flowers):
    X, y = flowers
    gammas = [1e3, 0.1]
    pipeline = make_pipeline(StandardScaler(), CLASSIFIER(FAST))
    search = GridSearchCV(pipeline, {"convexreluclassifier__gamma": gammas}, cv=3).fit(X, y)
    scores = [
        cross_val_score(make_pipeline(StandardScaler(), CLASSIFIER(FAST, gamma=gamma)), X, y, cv=3) for gamma in gammas
    ]
    np.testing.assert_allclose(search.cv_results_["mean_test_score"], np.mean(scores, axis=1))
    assert search.best_params_ == {"convexreluclassifier__gamma": 0.1}
    assert search.best_estimator_[-1].gamma_ == 0.1


def test_gamma_is_chosen_by_cross_validation_and_follows_the_units(flowers):
    X, _ = flowers
    y = np.abs(X.to_numpy()[:, 0])
    model = REGRESSOR(FAST, gamma="cv").fit(X, y)
    unit = np.sqrt(np.mean(np.sum(with_ones(X) ** 2, axis=1))) * np.sqrt(np.mean(y**2))
    shares = np.array([10, 3, 1, 0.3, 0.1, 0.01, 0.001])
    assert np.isclose(model.gamma_ / unit, shares, rtol=1e-12).sum() == 1
    assert model.gamma_ < unit  # there is no noise
    np.testing.assert_array_equal(model.predict(X), REGRESSOR(FAST, gamma=model.gamma_).fit(X, y).predict(X))
    assert REGRESSOR(FAST, gamma="cv").fit(X, 1e3 * y).gamma_ == pytest.approx(1e3 * model.gamma_)
    noise = np.random.default_rng(0).standard_normal(24)
    assert REGRESSOR(FAST, gamma="cv").fit(X, noise).gamma_ > model.gamma_
    assert REGRESSOR("forest", gamma="cv").fit(X, y).gamma_ == 1.0  # γ plays no part


def test_cross_entropy_is_for_classes(flowers):
    with pytest.raises(rb.RelaxbenchError, match="Y must be labels, or one-hot"):
        REGRESSOR(loss="logistic").fit(flowers[0], np.arange(48.0).reshape(24, 2))


def test_a_kernel_predicts_without_a_network(flowers):
    X, y = flowers
    model = CLASSIFIER("rbf").fit(X, y)
    fit = rb.fit(rb.Problem(with_ones(X), y, 0.1), "rbf")
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.decision_function(X), fit.predict(with_ones(X)))
    assert [model.network_, model.objective_, model.lower_bound_, model.gap_, model.certificate_] == [None] * 5


def test_what_is_not_reached_is_said(flowers, monkeypatch):
    X, y = flowers
    with pytest.warns(ConvergenceWarning) as caught:
        model = CLASSIFIER(width=4, budget=0).fit(X, y)
    assert model.status_ == "timeout"
    assert "status timeout" in str(caught[0].message)
    assert caught[0].filename == __file__

    unproved = Fit(lambda rows: np.zeros((len(rows), 3)), certificate=model.certificate_, message="no luck")
    monkeypatch.setattr(estimators, "fit", lambda *_, **__: unproved)
    with pytest.warns(ConvergenceWarning, match="sdp proved no lower bound: no luck"):
        model = CLASSIFIER().fit(X, y)
    assert (model.lower_bound_, model.certificate_) == (None, None)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        CLASSIFIER("rbf").fit(X, y)  # which never proves one
    monkeypatch.setattr(estimators, "fit", lambda *_, **__: Fit(None, status=Status.UNSUPPORTED, message="too large"))
    with pytest.raises(rb.RelaxbenchError, match=r"must bring a predictor\. Got unsupported: too large"):
        CLASSIFIER().fit(X, y)


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"method": "sdpp"}, "Did you mean 'sdp'"),
        ({"gamma": "cvv"}, "gamma must be a number > 0 or \"cv\". Got 'cvv'"),
        ({"gamma": -1.0}, "gamma must be a finite number > 0. Got -1.0"),
        ({"gap": 2.0}, "option gap of method sdp: input should be less than 1. Got 2.0"),
        ({"width": 0}, "width must be greater than or equal to 1. Got 0"),
        ({"width": 0, "gamma": "cv"}, "width must be greater than or equal to 1. Got 0"),
        ({"budget": "x", "gamma": "cv"}, "budget must be a valid number. Got 'x'"),
        ({"loss": "logistics"}, "loss is unknown: 'logistics'. Did you mean 'logistic'?"),
        ({"bias": "no"}, "bias must be True or False. Got 'no'"),
        ({"random_state": -1}, "seed must be greater than or equal to 0. Got -1"),
    ],
)
def test_bad_parameters_are_named_when_they_are_used(parameters, words, flowers):
    model = clone(CLASSIFIER(**parameters))
    with pytest.raises(rb.RelaxbenchError) as caught:
        model.fit(*flowers)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    with pytest.raises(NotFittedError):
        model.predict(flowers[0])
