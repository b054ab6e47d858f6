"""The everyday references against their formulas."""

import numpy as np
import pytest
from relaxbench.baselines.everyday import forest, rbf, ridge
from relaxbench.solvers.problem import Problem


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    return rng.normal(size=(20, 3)) + 2.0, rng.normal(size=(20, 2)) + 1.0, rng.normal(size=(5, 3)) + 2.0


@pytest.mark.parametrize("unit", [1.0, 1e4])
def test_ridge_has_the_closed_form_with_a_free_intercept(data, unit):
    X, Y, Z = data[0] * unit, data[1], data[2] * unit
    centred = X - X.mean(0)
    W = np.linalg.solve(centred.T @ centred + 0.7 * np.eye(3), centred.T @ (Y - Y.mean(0)))
    np.testing.assert_allclose(ridge(Problem(X, Y, 0.7)).predict(Z), (Z - X.mean(0)) @ W + Y.mean(0), rtol=1e-8)


@pytest.mark.parametrize("unit", [1.0, 1e-5])
def test_rbf_has_the_closed_form_in_any_unit(data, unit):
    X, Y, Z = data
    fit = rbf(Problem(X * unit, Y, 0.7))

    def kernel(A, B):
        return np.exp(-np.sum((A[:, None] - B[None]) ** 2, axis=2) / (3 * np.var(X)))

    expected = kernel(Z, X) @ np.linalg.solve(kernel(X, X) + 0.7 * np.eye(20), Y)
    np.testing.assert_allclose(fit.predict(Z * unit), expected, rtol=1e-8)


def test_forest_averages_training_targets_and_follows_its_seed(data):
    X, Y, Z = data
    labels = np.eye(2)[(X[:, 0] > 2).astype(int)]
    one, again, other = (forest(Problem(X, Y, 0.1), seed=s, trees=3).predict(Z) for s in (0, 0, 1))
    np.testing.assert_array_equal(one, again)
    assert not np.array_equal(one, other)
    assert np.all((Y.min(0) <= one) & (one <= Y.max(0)))
    scores = forest(Problem(X, labels, 0.1)).predict(X)
    np.testing.assert_allclose(scores.sum(1), 1.0)
    assert np.all(np.argmax(scores, 1) == np.argmax(labels, 1))


def test_one_output_keeps_two_dimensions(data):
    X, Y, Z = data
    for method in (ridge, rbf, forest):
        fit = method(Problem(X, Y[:, :1], 0.1))
        assert fit.predict(Z).shape == (5, 1)
        assert fit.network is None
        assert fit.stats.solve_s >= 0
