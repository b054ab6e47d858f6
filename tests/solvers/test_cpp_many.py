"""Many rows: rounds without sliding, from half-way between the master's Θ and the best so far."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from relaxbench.solvers.activation import Activation
from relaxbench.solvers.atoms.columns import prune, solve
from relaxbench.solvers.atoms.grow import first, grow
from relaxbench.solvers.atoms.search import ascend, starts
from relaxbench.solvers.certificates.certificate import Certificate
from relaxbench.solvers.checker import verify
from relaxbench.solvers.cpp import cpp
from relaxbench.solvers.exact import pricing
from relaxbench.solvers.exact.arcs import local_maxima
from relaxbench.solvers.exact.pricing import above, between, climb, judge
from relaxbench.solvers.network import heights, whitener
from relaxbench.solvers.problem import Problem

from ..support.cases import teacher
from ..support.oracles import by_cones, planted


@pytest.mark.thorough
def test_a_planted_optimum_among_many_rows_is_found_and_proved() -> None:
    problem, optimum = planted(1, (2, 1), 220, 0.1)
    assert problem.n > pricing.MANY
    fit = cpp(problem, gap=1e-3)
    assert fit.certificate is not None
    assert fit.network is not None
    assert fit.status == "ok"
    stored = Certificate.from_arrays(fit.certificate.kind, fit.certificate.arrays(), fit.certificate.lower_bound)
    proved = verify(stored, problem.X, problem.Y, problem.gamma)
    assert proved >= stored.lower_bound * (1 - 1e-9)
    assert (1 - 1.2e-3) * optimum <= proved <= optimum * (1 + 1e-9)
    assert optimum * (1 - 1e-9) <= problem.objective(fit.network) <= optimum * (1 + 1.2e-3)


@pytest.mark.parametrize("seed", range(2))
def test_rounds_for_many_rows_agree_with_brute_force(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pricing, "MANY", 0)
    rng = np.random.default_rng(seed)
    problem = Problem(rng.normal(size=(4, 3)), rng.normal(size=(4, 1)), [0.05, 0.3][seed])
    exact = by_cones(problem)
    fit = cpp(problem, gap=1e-5)
    assert fit.certificate is not None
    assert fit.network is not None
    assert fit.certificate.lower_bound == pytest.approx(exact, rel=2e-5)
    assert problem.objective(fit.network) == pytest.approx(exact, rel=2e-5)


def test_a_round_drops_idle_columns_and_lowers_the_objective() -> None:
    problem = teacher(0, 60, 3, 2, 0.1).scaled.problem
    rng = np.random.default_rng(0)
    transform = whitener(problem.X)
    columns = first(problem, starts(problem.Y, problem.X, transform, rng, 100))
    new = above(problem, columns, climb(problem, columns.theta, columns.U, transform, rng, few=True)[1])
    after = grow(problem, columns, new, 1e-4)
    assert after.value < columns.value
    assert len(after.s) < len(columns.s) + new.shape[1]
    again = solve(problem, after.U, after.s, 1e-9)
    assert again.value <= after.value <= again.value * (1 + 2e-5)


def test_a_search_half_way_looks_between_two_thetas_and_says_how_high_it_is() -> None:
    problem = teacher(1, 40, 3, 2, 0.1).scaled.problem
    rng = np.random.default_rng(0)
    transform = whitener(problem.X)
    columns = first(problem, starts(problem.Y, problem.X, transform, rng, 50))
    zero = judge(problem, np.zeros_like(problem.Y), problem.gamma)
    assert zero.lower == 0
    theta = between(problem, columns.theta, zero)
    np.testing.assert_allclose(theta, 0.5 * columns.theta)
    twice = judge(problem, 4 * columns.theta, 2 * problem.gamma)
    np.testing.assert_allclose(between(problem, columns.theta, twice), 1.5 * columns.theta)
    point, directions = climb(problem, theta, columns.U, transform, rng, few=True)
    reached = heights(point.theta, problem.hidden(directions))
    assert point.height == pytest.approx(np.max(reached), rel=1e-12)
    new = above(problem, columns, directions)
    assert np.all(heights(columns.theta, problem.hidden(new)) > problem.gamma)
    left = directions.shape[1] - new.shape[1]
    assert left == np.sum(2 * reached <= problem.gamma * (1 + 1e-9))


@pytest.mark.parametrize("activation", ["relu", "leaky:0.3", "leaky:-0.5", "abs"])
@pytest.mark.parametrize("seed", range(4))
def test_one_great_circle_of_the_plane_holds_its_highest_direction(activation: str, seed: int) -> None:
    """From directions in which rows vanish as well, with rows on one line and rows that are zero."""
    rng = np.random.default_rng(seed)
    X, kind = rng.normal(size=(12, 2)), Activation.of(activation)
    X = np.vstack([X, -2 * X[:4], X[:2], np.zeros((2, 2)), np.eye(2), -np.eye(2)])
    theta = rng.normal(size=(len(X), 3))
    across = X[:12, ::-1] * [1.0, -1.0]
    U = np.vstack([across / np.linalg.norm(across, axis=1)[:, None], np.eye(2), -np.eye(2)]).T
    ends, height = ascend(theta, X, U, rng, kind, rounds=4)
    np.testing.assert_allclose(height, local_maxima(theta, X, kind)[1][0], rtol=1e-12)
    np.testing.assert_allclose(heights(theta, kind(X @ ends)), height, rtol=1e-12)


def test_pruning_ends_between_two_steps_when_it_is_late() -> None:
    problem = teacher(2, 30, 3, 2, 0.01).scaled.problem
    U = starts(problem.Y, problem.X, whitener(problem.X), np.random.default_rng(0), 60)
    columns = solve(problem, U, np.zeros(U.shape[1]), 1e-4)
    looks = itertools.count(1)
    few = prune(problem, columns, 1e-4, lambda: next(looks) < 0)
    made, again = next(looks) - 1, itertools.count(1)
    some = prune(problem, columns, 1e-4, lambda: next(again) > made - 4)
    assert len(few.s) < len(some.s) < len(columns.s)
    assert some.value <= columns.value * (1 + 1e-4)
    assert prune(problem, columns, 1e-4, lambda: True) is columns
