"""The losses by themselves: finite differences, closed forms, duality, and bounds that rounding cannot lift."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from flint import arb
from relaxbench.solvers.atoms.master import objective, solve_master
from relaxbench.solvers.checker.balls import precision
from relaxbench.solvers.checker.losses import logistic as logistic_bound
from relaxbench.solvers.logistic import blocks, fit_ridge, mean_free
from relaxbench.solvers.loss import LOSS, softmax
from scipy.special import logsumexp

LOGISTIC, SQUARES = LOSS["logistic"], LOSS["squares"]


def drawn(n=12, c=3, spread=3.0, seed=0):
    """Outputs (n, c) and one-hot labels."""
    rng = np.random.default_rng(seed)
    return spread * rng.normal(size=(n, c)), np.eye(c)[rng.integers(0, c, n)]


@pytest.mark.parametrize("loss", [LOGISTIC, SQUARES])
def test_slope_is_minus_the_gradient(loss):
    F, Y = drawn()
    direction = np.random.default_rng(1).normal(size=F.shape)
    step = 1e-5
    slope = (loss.value(F + step * direction, Y) - loss.value(F - step * direction, Y)) / (2 * step)
    assert slope == pytest.approx(-np.sum(loss.slope(F, Y) * direction), rel=1e-8)


def test_value_is_that_of_scipy_and_of_the_closed_form_for_two_classes():
    F, Y = drawn(n=40, c=4, spread=30.0)
    assert LOGISTIC.value(F, Y) == pytest.approx(np.sum(logsumexp(F, axis=1)) - np.sum(F * Y), rel=1e-13)
    F, Y = drawn(n=40, c=2, spread=20.0)
    margin = np.sum(F * (2 * Y - 1), axis=1)
    assert LOGISTIC.value(F, Y) == pytest.approx(np.sum(np.logaddexp(0, -margin)), rel=1e-13)
    assert LOGISTIC.value(np.array([[50.0, 0.0]]), np.array([[1.0, 0.0]])) == pytest.approx(math.exp(-50.0), rel=1e-12)
    assert LOGISTIC.value(np.array([[800.0, 0.0]]), np.array([[0.0, 1.0]])) == pytest.approx(800.0)


def test_hessian_blocks_are_the_derivatives_of_the_slope():
    F, Y = drawn(n=5)
    E = mean_free(3)
    np.testing.assert_allclose(E.T @ E, np.eye(2), atol=1e-14)
    np.testing.assert_allclose(E.sum(axis=0), 0, atol=1e-14)
    for a in range(2):
        moved = 1e-6 * E[:, a]
        change = -(LOGISTIC.slope(F + moved, Y) - LOGISTIC.slope(F - moved, Y)) @ E / 2e-6
        np.testing.assert_allclose(change, blocks(F, E)[:, a], atol=1e-9)


@pytest.mark.parametrize("loss", [LOGISTIC, SQUARES])
def test_the_dual_is_the_conjugate(loss):
    """ℓ(F) + ℓ*(−Θ) ≥ −⟨F, Θ⟩, with equality at the slope."""
    F, Y = drawn(seed=2)
    theta = loss.slope(F, Y)
    assert loss.value(F, Y) + np.sum(F * theta) == pytest.approx(loss.dual(theta, Y), rel=1e-12)
    other = loss.slope(drawn(seed=3)[0], Y)
    assert loss.value(F, Y) + np.sum(F * other) > loss.dual(other, Y)


def test_the_dual_is_infinite_outside_of_the_probabilities():
    _, Y = drawn()
    assert LOGISTIC.dual(0.01 * (1 - Y), Y) == -math.inf


@pytest.mark.parametrize("limit", [0.2, 1.0, 1e6])
@pytest.mark.parametrize("loss", [LOGISTIC, SQUARES])
def test_step_is_the_best_multiple(loss, limit):
    F, Y = drawn(seed=4)
    theta = 0.3 * loss.slope(F, Y)
    best = loss.step(theta, Y, limit)
    assert 0 <= best <= limit
    end = limit if loss is SQUARES else min(limit, 1 / theta.max())
    assert loss.dual(best * theta, Y) >= max(loss.dual(t * theta, Y) for t in np.linspace(0, end, 400)) - 1e-12


def test_step_of_nothing_is_zero():
    _, Y = drawn()
    assert LOGISTIC.step(np.zeros_like(Y), Y, 1.0) == 0.0
    assert LOGISTIC.dual(np.zeros_like(Y), Y) == 0.0


def test_admissible_rows_sum_to_zero_exactly_and_stay_where_they_were():
    for seed, spread in enumerate((0.0, 1.0, 10.0, 40.0, 300.0)):
        F, Y = drawn(n=200, c=7, spread=spread, seed=seed)
        theta = LOGISTIC.slope(F, Y)
        admissible = LOGISTIC.admissible(theta, Y)
        assert all(sum(map(Fraction, row), Fraction(0)) == 0 for row in admissible)
        assert np.all(admissible <= Y)
        np.testing.assert_allclose(admissible, theta, rtol=0, atol=1e-14)
        np.testing.assert_allclose(admissible[Y == 1], theta[Y == 1], rtol=1e-12)
    far = LOGISTIC.admissible(-5 * (1 - Y), Y)
    assert np.all(far <= Y)
    assert all(math.fsum(row) == 0 for row in far)


def test_below_is_below_the_true_entropy_and_next_to_it():
    """Against 128 bits; what the checker proves with t = 1 is the entropy itself."""
    for seed, spread in enumerate((0.0, 1.0, 10.0, 40.0)):
        F, Y = drawn(n=300, c=5, spread=spread, seed=seed)
        theta = LOGISTIC.admissible(LOGISTIC.slope(F, Y), Y)
        with precision():
            truth = logistic_bound(theta, Y, 1.0, arb(0.5))
        assert truth * (1 - 1e-12) < LOGISTIC.below(theta, Y) <= truth


def test_squares_below_is_below_the_exact_value():
    rng = np.random.default_rng(5)
    theta, Y = rng.normal(size=(2, 200, 3))
    exact = sum(Fraction(a) * Fraction(b) - Fraction(a) ** 2 / 2 for a, b in zip(theta.flat, Y.flat, strict=True))
    assert float(exact) - 1e-9 < SQUARES.below(theta, Y) <= exact


@pytest.mark.parametrize(("n", "c", "r"), [(12, 3, 5), (12, 3, 40), (30, 2, 8), (9, 4, 0)])
@pytest.mark.parametrize("gamma", [1.0, 1e-3])
def test_ridge_regression_is_stationary_and_has_no_gap(n, c, r, gamma):
    rng = np.random.default_rng(n + r)
    H, Y = rng.normal(size=(n, r)), drawn(n, c)[1]
    found = fit_ridge(H, Y, gamma)
    np.testing.assert_allclose(gamma * found.V, H.T @ found.theta, atol=1e-7)
    np.testing.assert_allclose(found.F, H @ found.V, atol=1e-9)
    dual = LOGISTIC.dual(found.theta, Y) - np.sum((H.T @ found.theta) ** 2) / (2 * gamma)
    assert found.value == pytest.approx(dual, rel=1e-12)
    np.testing.assert_allclose(fit_ridge(H, Y, gamma, start=found.V + 1).V, found.V, atol=1e-7)


def test_many_unknowns_are_left_to_lbfgs(monkeypatch):
    rng = np.random.default_rng(6)
    H, Y = rng.normal(size=(40, 10)), drawn(40, 5)[1]
    exact = fit_ridge(H, Y, 0.1)
    monkeypatch.setattr("relaxbench.solvers.logistic.LARGE", 1)
    found = fit_ridge(H, Y, 0.1)
    assert found.factor is None
    assert found.value == pytest.approx(exact.value, rel=1e-10)


def directions():
    """The data of formulation.md, section 13: n = 12, d = 2, c = 3, γ = .3, 720 directions."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(12, 2))
    Y = np.eye(3)[rng.integers(0, 3, 12)]
    angle = np.linspace(0, 2 * np.pi, 721)[:-1]
    return np.maximum(X @ np.array([np.cos(angle), np.sin(angle)]), 0), Y, 0.3


def test_master_over_720_directions():
    """Primal and dual 8.466187, as CVXPY has them."""
    Z, Y, gamma = directions()
    master = solve_master(Z, Y, gamma, np.zeros(720), 1e-8, "logistic")
    assert master.value == pytest.approx(8.466187, abs=1e-6)
    height = np.max(np.linalg.norm(master.theta.T @ Z, axis=0))
    dual = LOGISTIC.dual(LOGISTIC.step(master.theta, Y, gamma / height) * master.theta, Y)
    assert master.value - dual <= 1e-8 * master.value


@pytest.mark.parametrize("every", [12, 60])
def test_master_agrees_with_cvxpy_on_primal_and_dual(every):
    cvxpy = pytest.importorskip("cvxpy")
    Z, Y, gamma = directions()
    Z = Z[:, ::every]
    V, P = cvxpy.Variable((Z.shape[1], 3)), cvxpy.Variable((12, 3))
    loss = sum(cvxpy.log_sum_exp(Z[i] @ V) - (Z[i] @ V) @ Y[i] for i in range(12))
    primal = cvxpy.Problem(cvxpy.Minimize(loss + gamma * cvxpy.sum(cvxpy.norm(V, 2, axis=1))))
    rows = [cvxpy.norm((Y - P).T @ Z[:, k]) <= gamma for k in range(Z.shape[1])]
    dual = cvxpy.Problem(cvxpy.Maximize(cvxpy.sum(cvxpy.entr(P))), [*rows, cvxpy.sum(P, axis=1) == 1])
    value = solve_master(Z, Y, gamma, np.zeros(Z.shape[1]), 1e-9, "logistic").value
    assert value == pytest.approx(primal.solve(solver="CLARABEL"), rel=1e-6)
    assert value == pytest.approx(dual.solve(solver="CLARABEL"), rel=1e-6)


def test_gradient_of_the_kernel_view_by_finite_differences():
    Z, Y, gamma = directions()
    Z = Z[:, ::80]
    s = np.random.default_rng(7).uniform(0.2, 1.0, Z.shape[1])
    theta = fit_ridge(Z * np.sqrt(s), Y, gamma).theta
    gradient = 0.5 * gamma * (1 - np.sum((theta.T @ Z) ** 2, axis=0) / gamma**2)
    for k in range(len(s)):
        step = 1e-5 * np.eye(len(s))[k]
        by_k = (objective(Z, Y, gamma, s + step, "logistic") - objective(Z, Y, gamma, s - step, "logistic")) / 2e-5
        assert by_k == pytest.approx(gradient[k], abs=1e-8)


def test_softmax_of_huge_outputs():
    np.testing.assert_allclose(softmax(np.array([[1e4, 0.0], [-1e4, -1e4]])), [[1, 0], [0.5, 0.5]])
