"""The training problem: validation, objective, scaling and back, and the planted problems themselves."""

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from relaxbench.solvers.network import Network, ProblemError
from relaxbench.solvers.problem import Problem

from ..support.cases import noise, quarter_turns, tight, train

X, Y = [[1.0, 2.0], [3.0, 4.0]], [[1.0], [0.0]]
SCALES = [1e-6, 1.0, 1e6]


@pytest.mark.parametrize(
    ("x", "y", "gamma", "words"),
    [
        ([[1.0, np.nan], [3.0, 4.0]], Y, 0.1, ("X must be finite", "nan", "row 0, column 1")),
        (X, [[1.0], [np.inf]], 0.1, ("Y must be finite", "inf", "row 1, column 0")),
        (np.zeros((0, 2)), np.zeros((0, 1)), 0.1, ("X must have at least one row", "(0, 2)")),
        (X, np.zeros((2, 0)), 0.1, ("Y must have at least one row and one column", "(2, 0)")),
        (X, [[1.0]], 0.1, ("same number of rows", "2 and 1")),
        ([1.0, 2.0], Y, 0.1, ("X must have two dimensions", "(2,)")),
        (X, [[[1.0]], [[0.0]]], 0.1, ("Y must have two dimensions", "(2, 1, 1)")),
        (X, [], 0.1, ("Y must have at least one row and one column", "(0, 1)")),
        ([["a", "b"], ["c", "d"]], Y, 0.1, ("X must be a matrix of numbers",)),
        ([[1.0, 2.0], [3.0]], Y, 0.1, ("X must be a matrix of numbers",)),
        (X, Y, 0.0, ("gamma must be a finite number > 0", "0.0")),
        (X, Y, -1.0, ("gamma must be a finite number > 0", "-1.0")),
        (X, Y, np.nan, ("gamma must be a finite number > 0", "nan")),
        (X, Y, np.inf, ("gamma must be a finite number > 0", "inf")),
        (X, Y, "much", ("gamma must be a number > 0", "much")),
        (X, Y, None, ("gamma must be a number > 0", "None")),
        (X, Y, np.complex128(1), ("gamma must be a number > 0", "1+0j")),
        (np.array(X) + 1j, Y, 0.1, ("X must be a matrix of numbers", "complex numbers where real ones must be")),
        (X, np.array([[1.0], [np.complex128(1)]], dtype=object), 0.1, ("Y must be a matrix of numbers", "complex")),
        ([[10**400, 1], [1, 1]], Y, 0.1, ("X must be a matrix of numbers", "too large")),
    ],
)
def test_bad_input_is_named_in_one_line(x, y, gamma, words):
    with pytest.raises(ProblemError) as caught:
        Problem(x, y, gamma)
    assert isinstance(caught.value, ValueError)
    assert "\n" not in str(caught.value)
    for word in words:
        assert word in str(caught.value)


def test_data_are_copied_and_cannot_be_written_to():
    x = np.asfortranarray(np.array(X, dtype=np.float32))
    problem = Problem(x, Y, 1)
    x[:] = 7
    np.testing.assert_array_equal(problem.X, X)
    assert problem.X.dtype == problem.Y.dtype == np.float64
    assert problem.X.flags.c_contiguous
    assert (problem.n, problem.d, problem.c, problem.gamma) == (2, 2, 1, 1.0)
    with pytest.raises(ValueError, match="read-only"):
        problem.X[0, 0] = 5.0


def test_nothing_of_a_problem_can_be_changed():
    problem = Problem(X, Y, 0.1)
    for name in ("X", "Y", "gamma"):
        with pytest.raises(AttributeError):
            setattr(problem, name, 0.5)
    for held in (problem, copy.deepcopy(problem), pickle.loads(pickle.dumps(problem))):
        np.testing.assert_array_equal(held.X, X)
        for array in (held.X, held.Y, held.X.base):
            with pytest.raises((ValueError, AttributeError)):
                array.flags.writeable = True
        with pytest.raises(ValueError, match="read-only"):
            held.Y[0, 0] = 5.0


def test_a_network_holds_float64_whatever_real_numbers_it_is_made_of():
    problem, rng = noise(1, 4, 3, 2), np.random.default_rng(2)
    U, V = rng.standard_normal((3, 5)).astype(np.float32), rng.standard_normal((5, 2)).astype(np.float32)
    network, lists = Network(U, V), Network(U.tolist(), V.tolist())
    assert network.U.dtype == network.V.dtype == lists.U.dtype == np.float64
    expected = problem.objective(Network(U.astype(np.float64), V.astype(np.float64)))
    assert problem.objective(network) == problem.objective(lists) == expected
    assert Network(U.astype(np.float64) * np.nan, V).width == 5  # a method may diverge
    for wrong in (U * 1j, U.astype(complex).astype(object), [["a"] * 5] * 3):
        with pytest.raises(ProblemError, match="U must be a matrix of numbers"):
            Network(wrong, V)


def test_objective_is_the_papers_formula_term_by_term():
    problem, rng = noise(1, 4, 3, 2, gamma=0.3), np.random.default_rng(2)
    U, V = rng.standard_normal((3, 5)), rng.standard_normal((5, 2))
    total = 0.0
    for i in range(4):
        for k in range(2):
            output = sum(max(0.0, float(problem.X[i] @ U[:, j])) * V[j, k] for j in range(5))
            total += 0.5 * (output - problem.Y[i, k]) ** 2
    total += 0.15 * (sum(u**2 for u in U.flat) + sum(v**2 for v in V.flat))
    assert problem.objective(Network(U, V)) == pytest.approx(total, rel=1e-13)


def test_networks_that_do_not_fit_are_refused():
    with pytest.raises(ProblemError, match=r"\(2, 3\) and \(4, 1\)"):
        Network(np.zeros((2, 3)), np.zeros((4, 1)))
    for network in (Network(np.zeros((3, 2)), np.zeros((2, 1))), Network(np.zeros((2, 2)), np.zeros((2, 3)))):
        with pytest.raises(ProblemError, match="2 features to 1 outputs"):
            Problem(X, Y, 0.1).objective(network)


@pytest.mark.parametrize("x_scale", SCALES)
@pytest.mark.parametrize("y_scale", SCALES)
def test_scaling_keeps_every_network_and_its_objective(x_scale, y_scale):
    base, rng = noise(3, 7, 3, 2), np.random.default_rng(4)
    problem = Problem(base.X * x_scale, base.Y * y_scale, 0.1 * x_scale * y_scale)
    scaled = problem.scaled
    assert np.sum(scaled.problem.X**2) == pytest.approx(7, rel=1e-12)
    assert np.sum(scaled.problem.Y**2) == pytest.approx(14, rel=1e-12)
    assert scaled.problem.gamma == pytest.approx(base.scaled.problem.gamma, rel=1e-12)
    network = Network(rng.standard_normal((3, 4)), rng.standard_normal((4, 2)))
    back = scaled.network_back(network)
    expected = scaled.objective_unit * scaled.problem.objective(network)
    assert problem.objective(back) == pytest.approx(expected, rel=1e-12)
    np.testing.assert_allclose(back.predict(problem.X), scaled.kappa * network.predict(scaled.problem.X), rtol=1e-12)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.floats(-150, 150), st.floats(-150, 150))
def test_scale_comes_out_without_overflow(x_power, y_power):
    problem = Problem(np.array(X) * 10.0**x_power, np.array(Y) * 10.0**y_power, 1.0)
    assert problem.scaled.sigma == pytest.approx(10.0**x_power * np.sqrt(30 / 2), rel=1e-12)
    assert problem.scaled.kappa == pytest.approx(10.0**y_power * np.sqrt(1 / 2), rel=1e-12)


def test_zero_data_keep_their_scale():
    scaled = Problem(np.zeros((2, 2)), np.zeros((2, 1)), 0.1).scaled
    assert (scaled.sigma, scaled.kappa, scaled.problem.gamma) == (1.0, 1.0, 0.1)


@pytest.mark.parametrize("name", [*tight(), "quarter turns"])
def test_planted_optima_are_attained_and_not_beaten(name):
    planted = quarter_turns(1) if name == "quarter turns" else tight()[name]
    assert planted.problem.objective(planted.network) == pytest.approx(planted.optimum, rel=1e-13)
    trained = planted.problem.objective(train(planted.problem, width=10, starts=6, seed=0))
    assert planted.optimum <= trained * (1 + 1e-12)
    assert trained <= planted.optimum * (1 + 1e-4)
