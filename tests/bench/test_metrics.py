import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from relaxbench.bench.scoring.metrics import ContractError, accuracy, calibration_error, paper_accuracy, r2, score
from relaxbench.datasets import Dataset
from relaxbench.solvers.fit import Fit
from relaxbench.solvers.network import Network
from relaxbench.solvers.problem import Problem
from sklearn.metrics import balanced_accuracy_score, log_loss, mean_squared_error, r2_score

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


@pytest.mark.parametrize(
    ("outputs", "best"),
    [
        ([0.97, 0.94], 1.0),  # at 0.95 or 0.96
        ([1.0, 0.995], 1.0),  # at 1 alone
        ([0.004, -0.5], 1.0),  # at 0 alone
        ([0.0149, 0.0101], 0.0),  # steps of 0.01 pass by
        ([1.5, 1.2], 0.0),  # no threshold is above 1
        ([-0.1, -0.2], 0.0),  # none is below 0
    ],
)
def test_thresholds_are_the_hundredths_from_0_to_1(outputs, best):
    assert paper_accuracy([np.array([outputs])], np.array([[1.0, 0.0]])) == best


@pytest.mark.parametrize(
    ("Y", "outputs"),
    [
        ([2.0, 2.0], [2.0, 2.0]),  # a constant that is met
        ([2.0, 2.0], [2.0, 3.0]),  # missed, Σ(output − y)² = 1
        ([2.0, 2.0], [2.0, 2.5]),
        ([0.0, 0.5], [0.1, 0.3]),  # Σ(y − ȳ)² = 1/8
        ([0.0, 1.0, 5.0], [0.5, 1.0, 4.0]),
    ],
)
def test_r2_of_one_output_is_that_of_scikit_learn(Y, outputs):
    Y, outputs = np.array(Y)[:, None], np.array(outputs)[:, None]
    assert r2(outputs, Y) == pytest.approx(r2_score(Y, outputs))


def test_a_single_test_row_counts():
    one = np.eye(3)[[1]]
    data = dataset(ONE_HOT, one, ("a", "b", "c"))
    fit = Fit(constant(ONE_HOT, np.array([[0.2, 0.7, 0.1]])))
    columns = score(Problem(data.X_train, data.Y_train, 0.1), data, fit, None)
    assert {name: columns[name] for name in ("test_accuracy", "test_accuracy_paper", "balanced_accuracy")} == {
        "test_accuracy": 1.0,
        "test_accuracy_paper": 1.0,
        "balanced_accuracy": 1.0,
    }


def test_balanced_accuracy_of_unequal_classes_and_optimism():
    truth, found = [0, 1, 1, 2, 2, 2, 2], [1, 1, 0, 2, 2, 0, 2]  # the class of one row is missed
    test = np.eye(4)[truth]  # and nobody is of the fourth
    outputs = np.where(np.eye(4)[found] == 1, 0.6, 0.5)
    data = dataset(ONE_HOT @ np.eye(3, 4), test, ("a", "b", "c", "d"))
    fit = Fit(constant(data.Y_train, outputs), iterates=[])
    columns = score(Problem(data.X_train, data.Y_train, 0.1), data, fit, None)
    assert columns["balanced_accuracy"] == pytest.approx(balanced_accuracy_score(truth, found))
    assert columns["test_accuracy"] == columns["test_accuracy_paper"] == pytest.approx(4 / 7)
    threshold_matters = np.where(np.eye(4)[truth] == 1, 0.6, 0.5) + 0.45 * (np.arange(7) == 0)[:, None]
    threshold_matters[0, 3] += 0.2  # largest, but all of the row is above every threshold
    again = score(Problem(data.X_train, data.Y_train, 0.1), data, Fit(constant(data.Y_train, threshold_matters)), None)
    assert again["test_accuracy"] == again["test_accuracy_paper"] == pytest.approx(6 / 7)
    shifted = Fit(constant(data.Y_train, np.where(np.eye(4)[truth] == 1, 1.4, 1.3)))
    worse = score(Problem(data.X_train, data.Y_train, 0.1), data, shifted, None)
    assert (worse["test_accuracy"], worse["test_accuracy_paper"], worse["optimism"]) == (1.0, 0.0, -1.0)


@pytest.mark.parametrize(
    ("train", "test", "names"),
    [
        (1, 0, set()),
        (1, 1, {"test_rmse"}),
        (2, 1, {"train_r2", "test_rmse"}),
        (1, 2, {"test_r2", "test_rmse"}),
        (2, 2, {"train_r2", "test_r2", "test_rmse"}),
    ],
)
def test_which_regression_columns_so_few_rows_give(train, test, names):
    rng = np.random.default_rng(2)
    Y_train, Y_test = rng.standard_normal((train, 2)), rng.standard_normal((test, 2))
    data = dataset(Y_train, Y_test, None)
    columns = score(Problem(data.X_train, Y_train, 0.1), data, Fit(lambda X: np.ones((len(X), 2))), None)
    assert columns.keys() == names
    if test:
        assert columns["test_rmse"] == pytest.approx(np.sqrt(mean_squared_error(Y_test, np.ones((test, 2)))))


def test_a_network_as_wide_as_asked_for_is_taken_and_may_be_narrower():
    data = dataset(ONE_HOT, ONE_HOT, ("a", "b", "c"))
    problem = Problem(data.X_train, data.Y_train, 0.1)
    for width in (4, 5, None):
        network = Network(np.zeros((2, 4)), np.zeros((4, 3)))
        assert score(problem, data, Fit(network.predict, network), width)["objective"] == 2.0


def test_probabilities_of_the_logistic_loss_against_scikit_learn():
    rng = np.random.default_rng(1)
    Y = np.eye(3)[rng.integers(0, 3, 200)]
    data = dataset(ONE_HOT, Y, ("a", "b", "c"))
    outputs = 2 * rng.standard_normal((200, 3)) + Y
    fit = Fit(constant(np.eye(3)[[0, 1, 2, 0]], outputs))
    columns = score(Problem(data.X_train, data.Y_train, 0.1, loss="logistic"), data, fit, None)
    P = np.exp(outputs) / np.exp(outputs).sum(axis=1, keepdims=True)
    assert columns["test_log_loss"] == pytest.approx(log_loss(np.argmax(Y, axis=1), P), rel=1e-12)
    assert columns["test_brier"] == pytest.approx(np.mean(np.sum((P - Y) ** 2, axis=1)))
    assert columns["test_accuracy"] == accuracy(outputs, Y)
    assert columns["test_accuracy_paper"] == paper_accuracy([P], Y)


def test_calibration_error_by_hand():
    P = np.array([[0.95, 0.05], [0.94, 0.06], [0.55, 0.45], [0.5, 0.5]])
    Y = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [0.0, 1.0]])
    # .95 and .94 share a bin: |½ − .945| twice; .55 (bin 8) and .5 (bin 7) are alone: .45 and .5
    assert calibration_error(P, Y) == pytest.approx((2 * 0.445 + 0.45 + 0.5) / 4)
    assert calibration_error(np.array([[1.0, 0.0]] * 5), np.array([[1.0, 0.0]] * 5)) == 0.0


def test_calibration_error_by_brute_force():
    rng = np.random.default_rng(2)
    P, Y = rng.dirichlet(np.ones(4), size=300), np.eye(4)[rng.integers(0, 4, 300)]
    sure, right = P.max(axis=1), np.argmax(P, axis=1) == np.argmax(Y, axis=1)
    total = 0.0
    for k in range(15):
        inside = (sure >= k / 15) & (sure < (k + 1) / 15)
        total += abs(right[inside].mean() - sure[inside].mean()) * inside.sum() / 300 if inside.any() else 0.0
    assert calibration_error(P, Y) == pytest.approx(total)


def test_squares_have_no_probabilities():
    data = dataset(ONE_HOT, ONE_HOT, ("a", "b", "c"))
    columns = score(Problem(data.X_train, data.Y_train, 0.1), data, Fit(lambda X: np.eye(3)[[0, 1, 2, 0]]), None)
    assert not {"test_log_loss", "test_brier", "test_ece"} & columns.keys()
