"""Problems out of DataFrames, Series and labels, what is refused with which names, and how the results read."""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
from relaxbench.solvers.certificates.certificate import Certificate
from relaxbench.solvers.fit import Fit, Status
from relaxbench.solvers.network import Network, ProblemError
from relaxbench.solvers.problem import Problem

ROWS = list("pqr")
FRAME = pd.DataFrame({"age": [31, 42, 53], "height": [1.5, 1.75, 2.0]}, index=ROWS)
Y = [[1.0], [2.0], [3.0]]


@pytest.mark.parametrize(
    "X",
    [
        FRAME,
        FRAME.astype({"age": "Int64"}),
        FRAME.astype({"age": object}),
        FRAME.set_axis(["same", "same"], axis=1),
        FRAME.to_numpy(),
        FRAME.to_numpy().tolist(),
    ],
)
def test_a_frame_is_the_matrix_of_its_columns(X):
    problem = Problem(X, Y, 0.1)
    np.testing.assert_array_equal(problem.X, [[31, 1.5], [42, 1.75], [53, 2.0]])
    assert problem.classes is None


@pytest.mark.parametrize(
    "y", [[1, 2, 3], np.array([1, 2, 3]), pd.Series([1, 2, 3], ROWS), pd.DataFrame({"price": [1, 2, 3]}), Y]
)
def test_numbers_in_one_dimension_are_one_column_and_integers_are_no_labels(y):
    problem = Problem(FRAME, y, 0.1)
    np.testing.assert_array_equal(problem.Y, Y)
    assert problem.classes is None


@pytest.mark.parametrize(
    ("y", "classes"),
    [
        (["no", "yes", "no"], ["no", "yes"]),
        (np.array(["b", "c", "a"]), ["a", "b", "c"]),
        (pd.Series(["b", "c", "a"], ROWS), ["a", "b", "c"]),
        (pd.DataFrame({"species": ["b", "c", "a"]}), ["a", "b", "c"]),
        (pd.Categorical(["b", "b", "a"], ["b", "unused", "a"]), ["a", "b"]),
        (pd.Series([10, 9, 10], dtype="category"), [9, 10]),
        ([True, False, True], [False, True]),
        (np.array([b"x", b"y", b"x"]), [b"x", b"y"]),
    ],
)
def test_labels_become_a_column_for_each_class(y, classes):
    problem = Problem(FRAME, y, 0.1)
    given = y.iloc[:, 0] if isinstance(y, pd.DataFrame) else y
    assert problem.Y.tolist() == [[float(label == one) for one in classes] for label in given]
    for it in (problem, copy.deepcopy(problem), pickle.loads(pickle.dumps(problem))):
        assert it.classes.tolist() == classes
    assert problem.scaled.problem.classes is None


def test_true_and_false_in_a_matrix_stay_numbers():
    assert Problem(FRAME, np.eye(3, dtype=bool), 0.1).Y.tolist() == np.eye(3).tolist()


@pytest.mark.parametrize(
    ("X", "y", "words"),
    [
        (FRAME.assign(color=["red", "blue", "red"]), Y, ("X must be numbers", "'red'", "column 'color'")),
        (FRAME.assign(kind=pd.Categorical([1, 2, 1])), Y, ("column 'kind' of type category", "get_dummies")),
        (FRAME.assign(day=pd.Timestamp("2020-01-01")), Y, ("column 'day'",)),
        (FRAME.assign(mixed=[1.0, None, "x"]), Y, ("'x' in column 'mixed'",)),
        (FRAME.assign(gap=[1.0, None, 2.0]), Y, ("X must be finite", "nan at row 'q', column 'gap'")),
        (FRAME.assign(gap=pd.array([1, 2, None], "Int64")), Y, ("nan at row 'r', column 'gap'",)),
        (FRAME["age"], Y, ("X must have two dimensions", "(3,)")),
        (FRAME, pd.Series([1.0, None, 2.0], ROWS, name="price"), ("Y must be finite", "row 'q', column 'price'")),
        (FRAME, pd.DataFrame({"a": [1, 2, 3], "b": list("xyz")}), ("Y must be numbers", "'x' in column 'b'")),
        (FRAME, pd.Series(["a", None, "b"], ROWS), ("label of the same type", "at row 'q'")),
        (FRAME, pd.Series(["a", None, "b"], ROWS, dtype="category"), ("label of the same type", "at row 'q'")),
        (FRAME, pd.array([True, None, False]), ("label of the same type", "at row 1")),
        (FRAME, ["a", "b", 3], ("Got 3 at row 2",)),
        (FRAME, ["a", "b", float("nan")], ("Got nan at row 2",)),
        (FRAME, "abc", ("Y must be a matrix of numbers",)),
    ],
)
def test_what_is_no_number_and_no_label_is_named(X, y, words):
    with pytest.raises(ProblemError) as caught:
        Problem(X, y, 0.1)
    assert "\n" not in str(caught.value)
    for word in words:
        assert word in str(caught.value)


def test_networks_predict_from_frames():
    network = Network(np.eye(2), np.ones((2, 1)))
    assert network.predict(FRAME).tolist() == [[32.5], [43.75], [55.0]]


def test_results_read_in_a_few_lines_without_arrays():
    rng = np.random.default_rng(0)
    labels = [f"class number {i}" for i in range(200)]
    problem = Problem(rng.standard_normal((200, 30)), labels, 0.1)
    assert repr(problem).startswith("Problem(n = 200, d = 30, c = 200, γ = 0.1, classes 'class number 0', ")
    network = Network(rng.standard_normal((30, 100)), rng.standard_normal((100, 200)))
    assert repr(network) == "Network(d = 30, width = 100, c = 200)"
    certificate = Certificate("doubly nonnegative", rng.standard_normal((200, 3)), {"a": np.ones(500)}, 1.25)
    fit = Fit(network.predict, network, certificate, message="m" * 9999, objective=2.5, lower_bound=1.25)
    for words in ("Fit: ok", "2.5", "1.25 (gap 0.5)", repr(network), "doubly nonnegative", "Θ 200 × 3", "500 numbers"):
        assert words in repr(fit)
    for it in (problem, network, certificate, fit):
        assert len(repr(it).splitlines()) < 10
        assert len(repr(it)) < 800
    assert repr(Fit(network.predict, status=Status.FAILED)) == "Fit: failed"
