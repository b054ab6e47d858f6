"""The paper's SDP against closed forms, brute-force training and weak duality."""

import numpy as np
import pytest
from relaxbench.solvers.conic.literal import DualGuess, LiteralError, solve_literal, status_of
from relaxbench.solvers.problem import Problem
from scipy.optimize import minimize

from ..support.cases import literal_factor


def separable_optimum(X, Y, gamma):
    """p*(∞) for orthogonal rows of X with ⟨y_i, y_j⟩ ≤ 0 between different rows.

    One row alone is the group lasso min_t ½(‖x‖t − ‖y‖)² + γt, t ≥ 0: ½‖y‖² if γ ≥ ‖x‖‖y‖, else γ‖y‖/‖x‖ − γ²/(2‖x‖²).
    The sum over the rows is reached by one neuron a row, which is 0 on all others, and its Θ is dual feasible:
    ‖Θᵀ(Xu)₊‖² ≤ Σ ‖θ_i‖² (x_i·u)₊² ≤ γ²‖u‖², as the mixed terms ⟨θ_i, θ_j⟩ are not positive. The same sum of
    squares proves it within the SDP.
    """
    x, y = np.linalg.norm(X, axis=1), np.linalg.norm(Y, axis=1)
    return np.where(gamma >= x * y, y**2 / 2, gamma * y / x - gamma**2 / (2 * x**2)).sum()


ONE_ROW = Problem([[1.0, 2.0, -0.5]], [[0.7, -1.1]], 0.3)
ONE_ROW_STRONG_GAMMA = Problem([[1.0, 2.0, -0.5]], [[0.7, -1.1]], 3.0)
TWO_ROWS = Problem([[1.3, 0.0], [0.0, 0.6]], [[1.0, 0.2], [-0.5, 1.0]], 0.2)
SOME_ROTATION = np.linalg.qr(np.arange(9.0).reshape(3, 3) ** 2 + np.eye(3))[0]
THREE_ROWS = Problem(
    SOME_ROTATION * np.array([[0.8], [1.2], [2.0]]), [[1, 0, 0], [-0.4, 0.8, 0], [-0.1, -0.3, 1.2]], 0.2
)
CLOSED_FORM = [ONE_ROW, ONE_ROW_STRONG_GAMMA, TWO_ROWS, THREE_ROWS]


def best_network(problem, width, starts, rng):
    """The lowest training objective that L-BFGS finds from several random starts."""
    d, c = problem.d, problem.c

    def objective(w):
        U, V = w[: d * width].reshape(d, width), w[d * width :].reshape(width, c)
        pre = problem.X @ U
        H = np.maximum(pre, 0)
        R = H @ V - problem.Y
        gU = problem.X.T @ (R @ V.T * (pre > 0)) + problem.gamma * U
        gV = H.T @ R + problem.gamma * V
        value = 0.5 * np.sum(R**2) + 0.5 * problem.gamma * np.sum(w**2)
        return value, np.concatenate([gU.ravel(), gV.ravel()])

    runs = [
        minimize(objective, rng.standard_normal((d + c) * width) / 2, jac=True, method="L-BFGS-B")
        for _ in range(starts)
    ]
    return min(run.fun for run in runs)


def form(problem, dual):
    """B = Nᵀ(T + ΘΘᵀ/γ)N − z on (s, s) + Xᵀ diag(z) X on (u, u): B ⪯ γ I_u at an exact solution."""
    n, X = problem.n, problem.X
    N = np.block([[np.eye(n), X], [np.eye(n), -X]]) / 2
    K = dual.T.copy()
    K[:n, :n] += dual.theta @ dual.theta.T / problem.gamma
    B = N.T @ K @ N
    B[:n, :n] -= np.diag(dual.z)
    B[n:, n:] += X.T @ (dual.z[:, None] * X)
    return B


def repaired_bound(problem, dual):
    """A true lower bound from any guess with T ≥ 0: shift z, eliminate s, shrink Θ."""
    n, X, gamma = problem.n, problem.X, problem.gamma
    B = form(problem, dual)
    shift = max(np.linalg.eigvalsh(B[:n, :n])[-1], 0.0) + 1e-7
    C = shift * np.eye(n) - B[:n, :n]
    H = B[n:, n:] + shift * X.T @ X + B[n:, :n] @ np.linalg.solve(C, B[:n, n:])
    t = min(1.0, np.sqrt(gamma / np.linalg.eigvalsh(H)[-1]))
    return t * np.sum(dual.theta * problem.Y) - t**2 / 2 * np.sum(dual.theta**2)


@pytest.mark.parametrize("problem", CLOSED_FORM)
def test_clarabel_finds_the_closed_form(problem):
    relaxation, dual = solve_literal(problem, backend="clarabel", eps=1e-9)
    truth = separable_optimum(problem.X, problem.Y, problem.gamma)
    assert relaxation.status in (
        "ok",
        "stalled",
    )  # the program has no interior: how far Clarabel gets, rounding decides
    assert relaxation.value == pytest.approx(truth, rel=5e-3)
    theta = dual.theta
    assert np.sum(theta * problem.Y) - np.sum(theta**2) / 2 == pytest.approx(truth, rel=5e-3)


@pytest.mark.thorough
def test_scs_comes_near_the_closed_form_and_near_clarabel():
    # without facial reduction SCS stalls a few tenths of a percent below the truth, whatever its tolerance
    relaxation, _ = solve_literal(TWO_ROWS, backend="scs", eps=1e-5, budget=20)
    assert relaxation.value == pytest.approx(separable_optimum(TWO_ROWS.X, TWO_ROWS.Y, TWO_ROWS.gamma), rel=1e-2)

    rng = np.random.default_rng(3)
    problem = Problem(rng.standard_normal((5, 2)), rng.standard_normal((5, 2)), 0.2)
    scs, _ = solve_literal(problem, backend="scs", eps=1e-5, budget=20)
    clarabel, _ = solve_literal(problem, backend="clarabel", eps=1e-9)
    assert scs.value == pytest.approx(clarabel.value, rel=1e-2)


def test_is_exact_for_two_rows_and_two_features():
    # four generators (α, β): doubly nonnegative is completely positive, and X is invertible, so SDP = p*(∞)
    rng = np.random.default_rng(7)
    for _ in range(3):
        problem = Problem(rng.standard_normal((2, 2)), rng.standard_normal((2, 2)), 0.2)
        relaxation, _ = solve_literal(problem, backend="clarabel", eps=1e-9)
        assert relaxation.value == pytest.approx(best_network(problem, 8, 6, rng), rel=2e-3)


def test_is_below_every_network():
    rng = np.random.default_rng(11)
    problem = Problem(rng.standard_normal((8, 3)), rng.standard_normal((8, 2)), 0.3)
    relaxation, dual = solve_literal(problem, backend="clarabel", eps=1e-8)
    best = best_network(problem, 20, 4, rng)
    assert 0.5 * best < relaxation.value <= best * (1 + 1e-3)
    bound = repaired_bound(problem, dual)
    assert 0.97 * relaxation.value < bound <= best


@pytest.mark.thorough
@pytest.mark.parametrize("backend", ["scs", "clarabel"])
@pytest.mark.parametrize("problem", [TWO_ROWS, THREE_ROWS])
def test_dual_has_the_stated_signs(problem, backend):
    _, dual = solve_literal(problem, backend=backend, eps=1e-5 if backend == "scs" else 1e-9, budget=20)
    truth = separable_optimum(problem.X, problem.Y, problem.gamma)
    i = np.arange(problem.n)
    assert np.array_equal(dual.T, dual.T.T)
    assert dual.T.min() > -1e-9
    assert not dual.T[i, problem.n + i].any()
    assert 0.97 * truth < repaired_bound(problem, dual) <= truth
    turned = DualGuess(dual.theta, dual.T, -dual.z)
    assert repaired_bound(problem, turned) < 0.97 * truth


def test_factor_holds_the_solution_in_the_users_rows():
    relaxation, dual = solve_literal(THREE_ROWS, backend="clarabel", eps=1e-9)
    n, d = THREE_ROWS.n, THREE_ROWS.d
    assert relaxation.factor.shape[0] == n + d + THREE_ROWS.c
    W = literal_factor(THREE_ROWS, relaxation.factor)
    assert np.min((W @ W.T)[: 2 * n, : 2 * n]) > -1e-3
    # Without an interior α∘β is as large as the root of what Clarabel leaves open, which differs by processor.
    np.testing.assert_allclose(np.sum(W[:n] * W[n : 2 * n], axis=1), 0, atol=3e-3)
    np.testing.assert_allclose(W[:n] @ W[2 * n + d :].T, THREE_ROWS.Y - dual.theta, atol=3e-3)


@pytest.mark.parametrize("backend", ["scs", "clarabel"])
def test_time_limit_ends_with_timeout(backend):
    rng = np.random.default_rng(0)
    problem = Problem(rng.standard_normal((14, 2)), rng.standard_normal((14, 3)), 0.1)
    relaxation, _ = solve_literal(problem, backend=backend, eps=1e-12, budget=0.05)
    assert relaxation.status == "timeout"
    assert "time limit" in relaxation.message
    assert relaxation.factor.shape[0] == 14 + 2 + 3


def test_statuses_are_mapped_explicitly():
    assert status_of("scs", "optimal", out_of_time=False) == ("ok", "")
    assert status_of("scs", "optimal_inaccurate", out_of_time=False)[0] == "iteration_limit"
    assert status_of("clarabel", "optimal_inaccurate", out_of_time=False)[0] == "stalled"
    assert status_of("clarabel", "user_limit", out_of_time=False)[0] == "iteration_limit"
    assert status_of("scs", "unbounded", out_of_time=False)[0] == "failed"
    assert status_of("scs", "optimal_inaccurate", out_of_time=True)[0] == "timeout"
    with pytest.raises(LiteralError, match="documents"):
        status_of("scs", "a_new_status", out_of_time=False)


@pytest.mark.parametrize(
    "wrong", [{"backend": "mosek"}, {"eps": 0.0}, {"eps": float("nan")}, {"budget": 0.0}, {"budget": -1.0}]
)
def test_refuses_arguments_out_of_range(wrong):
    with pytest.raises(LiteralError, match="must be"):
        solve_literal(TWO_ROWS, **{"backend": "scs", **wrong})
