"""The exact program against closed forms, brute force over sign patterns, and problems planted with their optimum."""

from __future__ import annotations

import numpy as np
import pytest
from relaxbench.solvers.cpp import cpp
from relaxbench.solvers.fit import Fit
from relaxbench.solvers.network import ProblemError
from relaxbench.solvers.problem import Problem

from ..support.oracles import by_cones, by_patterns, dense_maximum, prove


def interval(problem: Problem, **options: float) -> tuple[float, float, Fit]:
    """Proved interval for p*(∞): the certificate is proved again, the network evaluated."""
    fit = cpp(problem, **options)
    assert fit.certificate is not None
    assert fit.network is not None
    theta = fit.certificate.theta
    assert prove(theta, problem.X, problem.gamma, fit.certificate.proof) <= problem.gamma * (1 + 1e-12)
    dual = np.sum(theta * problem.Y) - 0.5 * np.sum(theta**2)
    assert fit.certificate.lower_bound <= dual
    assert fit.certificate.lower_bound == pytest.approx(dual, rel=1e-9, abs=1e-12)
    upper = problem.objective(fit.network)
    assert fit.certificate.lower_bound <= upper
    return fit.certificate.lower_bound, upper, fit


@pytest.mark.parametrize("gamma", [1e-3, 0.1, 1.0, 100.0])
@pytest.mark.parametrize("x", [[2.0], [-3.0], [0.6, -0.8], [1.0, 2.0, -2.0]])
def test_one_row_has_a_closed_form(x: list[float], gamma: float) -> None:
    X, Y = np.array([x]), np.array([[1.0, -2.0, 0.5]])
    r, y = np.linalg.norm(X), np.linalg.norm(Y)
    # one neuron along ±x with output along y: min ½(r s − y)² + γ s
    s = max(0.0, (y - gamma / r) / r)
    exact = 0.5 * (r * s - y) ** 2 + gamma * s
    lower, upper, _ = interval(Problem(X, Y, gamma))
    assert lower == pytest.approx(exact, rel=1e-6)
    assert upper == pytest.approx(exact, rel=1e-6)


def test_one_feature_splits_into_two_sides() -> None:
    rng = np.random.default_rng(1)
    X, Y, gamma = rng.normal(size=(30, 1)), rng.normal(size=(30, 2)), 0.7
    exact = 0.0
    for side in (X > 0, X < 0):
        x, y = X[side[:, 0]], Y[side[:, 0]]
        pull, power = np.linalg.norm(x.T @ y), np.sum(x**2)
        s = max(0.0, (pull - gamma) / power)
        v = s * (x.T @ y) / pull
        exact += 0.5 * np.sum((x @ v - y) ** 2) + gamma * s
    lower, upper, fit = interval(Problem(X, Y, gamma))
    assert lower == pytest.approx(exact, rel=1e-6)
    assert upper == pytest.approx(exact, rel=1e-6)
    assert fit.network is not None
    assert fit.network.width <= 2


@pytest.mark.parametrize("seed", range(6))
def test_the_plane_agrees_with_brute_force(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n, c, gamma = 2 + seed % 3, 1 + seed % 3, [0.02, 0.3][seed % 2]
    problem = Problem(rng.normal(size=(n, 2)), rng.normal(size=(n, c)), gamma)
    exact = by_patterns(problem)
    lower, upper, _ = interval(problem)
    assert lower == pytest.approx(exact, rel=1e-5)
    assert upper == pytest.approx(exact, rel=1e-5)
    if c == 1:
        assert exact == pytest.approx(by_cones(problem), rel=1e-5)


def awkward() -> dict[str, Problem]:
    """Data on which something is degenerate."""
    rng = np.random.default_rng(7)
    X, Y = rng.normal(size=(12, 2)), rng.normal(size=(12, 2))
    return {
        "zero rows": Problem(np.vstack([X, np.zeros((3, 2))]), np.vstack([Y, np.ones((3, 2))]), 0.1),
        "duplicates": Problem(np.vstack([X, X]), np.vstack([Y, -Y]), 0.1),
        "parallel rows": Problem(np.vstack([X, -2 * X, 0.5 * X]), np.vstack([Y, Y, Y]), 0.1),
        "collinear": Problem(np.outer(rng.normal(size=12), [1.0, 2.0]), Y, 0.1),
        "all zero": Problem(np.zeros((3, 2)), np.ones((3, 1)), 0.1),
        "nothing to fit": Problem(X, np.zeros((12, 2)), 0.1),
        "tiny gamma": Problem(X, Y, 1e-7),
        "huge gamma": Problem(X, Y, 1e7),
        "tiny data": Problem(X * 1e-90, Y * 1e-60, 0.1e-150),
        "huge data": Problem(X * 1e90, Y * 1e60, 0.1e150),
        "rank two in five": Problem(X @ rng.normal(size=(2, 5)), Y, 0.1),
        "nearly parallel": Problem(np.vstack([X, X + 1e-9 * rng.normal(size=X.shape)]), np.vstack([Y, Y]), 0.1),
    }


@pytest.mark.parametrize("name", awkward())
def test_awkward_data_still_gets_a_tight_interval(name: str) -> None:
    lower, upper, fit = interval(awkward()[name])
    assert upper - lower <= 1e-6 * upper
    assert fit.status == "ok"


def test_the_interval_covers_the_spiral_in_a_moment() -> None:
    radius = np.tile(np.linspace(0, 1, 20), 3)
    angle = np.concatenate([np.linspace(4 * k, 4 * k + 4, 20) for k in range(3)])
    X = np.column_stack([radius * np.sin(angle), radius * np.cos(angle)])
    Y = np.repeat(np.eye(3), 20, axis=0)
    for gamma in (0.1, 0.01):
        lower, upper, fit = interval(Problem(X, Y, gamma))
        assert upper - lower <= 1e-6 * upper
        assert fit.network is not None
        assert fit.network.width <= 60 * 3  # Carathéodory: no more atoms than numbers to fit


def test_the_time_limit_is_kept_and_said() -> None:
    rng = np.random.default_rng(3)
    problem = Problem(rng.normal(size=(400, 2)), rng.normal(size=(400, 3)), 1e-3)
    lower, upper, fit = interval(problem, budget=0.05)
    assert fit.status == "timeout"
    assert lower < upper


def test_a_gap_out_of_range_is_refused() -> None:
    with pytest.raises(ProblemError, match="gap must be"):
        cpp(Problem([[1.0]], [[1.0]], 0.1), gap=0.0)


@pytest.mark.parametrize("seed", range(5))
def test_arcs_bound_every_direction_and_no_more_than_that(seed: int) -> None:
    rng = np.random.default_rng(seed)
    X, theta = rng.normal(size=(15, 2)), rng.normal(size=(15, 3))
    eta, seen = prove(theta, X, 1.0, {}), dense_maximum(theta, X, seed)
    assert seen <= eta <= seen * (1 + 1e-5)


def test_arcs_refuse_a_theta_that_is_too_long() -> None:
    rng = np.random.default_rng(0)
    problem = Problem(rng.normal(size=(25, 2)), rng.normal(size=(25, 5)), 0.1)
    fit = cpp(problem)
    assert fit.certificate is not None
    assert prove(1.01 * fit.certificate.theta, problem.X, problem.gamma, fit.certificate.proof) > problem.gamma


def test_arcs_stay_sound_beyond_the_plane() -> None:
    rng = np.random.default_rng(0)
    X, theta = rng.normal(size=(15, 3)), rng.normal(size=(15, 2))
    assert prove(theta, X, 1.0, {}) >= dense_maximum(theta, X)
