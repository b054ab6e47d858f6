import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from relaxbench.bench.metrics import ContractError, accuracy, paper_accuracy, score
from relaxbench.datasets import Dataset
from relaxbench.solvers.problem import Fit, Network, Problem
from sklearn.metrics import balanced_accuracy_score, mean_squared_error, r2_score

ONE_HOT = np.eye(3)[[0, 1, 2, 2]]


def dataset(Y_train, Y_test, labels):
    rng = np.random.default_rng(0)
    X_train, X_test = rng.standard_normal((len(Y_train), 2)), rng.standard_normal((len(Y_test), 2))
    return Dataset(X_train, Y_train, X_test, Y_test, labels, "planted")


def constant(train, test):
    return lambda X: train if len(X) == len(train) else test


def test_accuracy_counts_the_largest_output():
    outputs = np.array([[0.9, 0.1, 0.0], [-1.0, -0.5, -2.0], [0.0, 0.3, 0.2], [0.0, 0.0, 0.1]])
    assert accuracy(outputs, ONE_HOT) == 0.75


@given(st.lists(st.lists(st.floats(-0.5, 1.5), min_size=2, max_size=2), min_size=1, max_size=6), st.integers(0, 63))
def test_paper_accuracy_is_the_best_over_thresholds_by_brute_force(rows, bits):
    outputs = np.array(rows)
    Y = np.eye(2)[[bits >> k & 1 for k in range(len(rows))]]
    best = 0
    for k in range(101):
        right = sum(
            all((o >= k / 100) == (y == 1) for o, y in zip(*pair, strict=True)) for pair in zip(rows, Y, strict=True)
        )
        best = max(best, right / len(rows))
    assert paper_accuracy([outputs], Y) == pytest.approx(best)


def test_paper_accuracy_takes_the_best_iterate():
    assert paper_accuracy([1 - ONE_HOT, ONE_HOT], ONE_HOT) == 1.0
    assert paper_accuracy([1 - ONE_HOT], ONE_HOT) == 0.0


def test_classification_columns_against_scikit_learn():
    outputs = np.eye(3)[[0, 1, 2, 0]]
    data = dataset(ONE_HOT, ONE_HOT, ("a", "b", "c"))
    columns = score(Problem(data.X_train, data.Y_train, 0.1), data, Fit(lambda X: outputs), None)
    assert columns == {
        "train_accuracy": 0.75,
        "test_accuracy": 0.75,
        "test_accuracy_paper": 0.75,
        "optimism": 0.0,
        "balanced_accuracy": pytest.approx(balanced_accuracy_score([0, 1, 2, 2], [0, 1, 2, 0])),
    }


def test_regression_columns_against_scikit_learn():
    rng = np.random.default_rng(1)
    Y_train, Y_test = rng.standard_normal((5, 4)), rng.standard_normal((4, 4))
    train, test = rng.standard_normal((5, 4)), rng.standard_normal((4, 4))
    Y_train[:, 1], train[:, 1] = 3.0, 3.0  # constant and met, constant and missed
    Y_train[:, 2] = 2.0
    data = dataset(Y_train, Y_test, None)
    columns = score(Problem(data.X_train, Y_train, 0.1), data, Fit(constant(train, test)), None)
    assert columns == {
        "train_r2": pytest.approx(r2_score(Y_train, train)),
        "test_r2": pytest.approx(r2_score(Y_test, test)),
        "test_rmse": pytest.approx(np.sqrt(mean_squared_error(Y_test, test))),
    }


def test_a_network_counts_for_what_it_is_not_for_what_predict_says():
    data = dataset(ONE_HOT, ONE_HOT, ("a", "b", "c"))
    problem = Problem(data.X_train, data.Y_train, 0.1)
    zero = Network(np.zeros((2, 1)), np.zeros((1, 3)))
    columns = score(problem, data, Fit(constant(ONE_HOT, ONE_HOT), zero), 1)
    assert columns["train_accuracy"] == 0.25  # all outputs equal: the first class
    assert columns["objective"] == 2.0


@pytest.mark.parametrize(
    ("fit", "width"),
    [
        (Fit(lambda X: np.zeros((len(X), 2))), None),
        (Fit(lambda X: np.zeros(len(X))), None),
        (Fit(lambda X: np.zeros((1, 3)), Network(np.zeros((2, 4)), np.zeros((4, 3)))), 3),
    ],
    ids=["too few outputs", "no columns", "too wide"],
)
def test_what_breaks_the_contract_is_refused(fit, width):
    data = dataset(ONE_HOT, ONE_HOT, ("a", "b", "c"))
    with pytest.raises(ContractError, match="must"):
        score(Problem(data.X_train, data.Y_train, 0.1), data, fit, width)


@pytest.mark.parametrize(("train", "test"), [(np.nan, 0.0), (0.0, np.nan)])
def test_outputs_that_are_not_finite_show(train, test):
    data = dataset(ONE_HOT, np.eye(3), ("a", "b", "c"))
    fit = Fit(constant(np.full((4, 3), train), np.full((3, 3), test)))
    columns = score(Problem(data.X_train, data.Y_train, 0.1), data, fit, None)
    assert not all(np.isfinite(value) for value in columns.values())
