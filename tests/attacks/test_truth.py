"""The brute force itself: it meets closed forms and independent programs."""

import numpy as np
import pytest
from relaxbench.solvers.problem import Problem

from ..support.cases import circle_maximum, noise, one_feature, one_row, quarter_turns, separable
from ..support.oracles import by_patterns
from .truth import best_network, group_lasso, highest, truth, truth_on_a_line


def closed_forms():
    rng = np.random.default_rng(3)
    turn = np.linalg.qr(rng.standard_normal((2, 2)))[0]
    return {
        "one row": one_row([1.0, -2.0], [0.7, -1.1], 0.3),
        "one number": one_row([-2.0], [3.0], 0.1),
        "all penalty": one_row([1.0, 2.0], [0.7, -1.1], 4.0),
        "one feature": one_feature(rng.standard_normal(3), rng.standard_normal((3, 2)), 0.2),
        "orthogonal rows": separable(turn * [[0.8], [1.7]], np.array([[1.0, 0.4], [-0.8, 1.0]]), 0.2),
        "quarter turns": quarter_turns(0, 1),
    }


@pytest.mark.parametrize("name", closed_forms())
def test_the_truth_is_the_closed_form(name):
    case = closed_forms()[name]
    assert truth(case.problem) == pytest.approx(case.optimum, rel=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_the_truth_is_that_of_the_program_over_sign_patterns(seed):
    problem = noise(seed, 3, 2, 2)
    assert truth(problem) == pytest.approx(by_patterns(problem), rel=1e-6)


def test_dense_directions_alone_come_near():
    problem = quarter_turns(0, 1).problem
    found = problem.objective(group_lasso(problem))
    assert truth(problem) <= found <= truth(problem) * (1 + 1e-3)


def test_a_start_is_only_ever_improved_on():
    case = quarter_turns(1, 1)
    changed = Problem(case.problem.X + 1e-3, case.problem.Y, case.problem.gamma)
    assert changed.objective(best_network(changed, case.network)) <= changed.objective(case.network)


@pytest.mark.parametrize("seed", range(20))
def test_the_highest_point_of_the_circle_is_found(seed):
    rng = np.random.default_rng(seed)
    theta, X = rng.standard_normal((3, 2)), rng.standard_normal((3, 2 - seed % 2))
    assert highest(theta, X) == pytest.approx(circle_maximum(theta, X)[0], rel=1e-9)


@pytest.mark.parametrize("seed", range(10))
def test_the_truth_on_a_line_is_the_closed_form(seed):
    rng = np.random.default_rng(seed)
    x, y = rng.standard_normal(3), rng.standard_normal((3, 1))
    case = one_feature(x, y, 0.3)
    assert float(truth_on_a_line(x.tolist(), y[:, 0].tolist(), 0.3)) == pytest.approx(case.optimum, rel=1e-12)


def test_the_truth_on_a_line_holds_where_squares_would_vanish():
    assert truth_on_a_line([1e-163], [1.0], 1e-173) == pytest.approx(1e-10, rel=1e-9)
    assert float(truth_on_a_line([2.0], [3.0], 12.0)) == 4.5
