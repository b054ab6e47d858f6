"""The convex rivals: exact optima over all arrangements, optimality conditions, an independent solver."""

import cvxpy as cp
import numpy as np
import pytest
from relaxbench.baselines.arrangements import arrangements
from relaxbench.baselines.copositive import copositive
from relaxbench.baselines.lbfgs import lbfgs
from relaxbench.baselines.outputs import balanced, fit_outputs
from relaxbench.baselines.patterns import project_to_cone, sample_patterns
from relaxbench.baselines.sgd import sgd
from relaxbench.solvers.network import Network
from relaxbench.solvers.problem import Problem


def random_problem(n=4, d=2, c=1, gamma=0.1, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d))
    return Problem(X, np.maximum(X @ rng.normal(size=(d, 20)), 0) @ rng.normal(size=(20, c)) / 5, gamma)


def circle(count=40_000):
    angles = np.linspace(0, 2 * np.pi, count, endpoint=False)
    return np.vstack([np.cos(angles), np.sin(angles)])


def dual_value(problem, theta):
    """⟨Θ,Y⟩ − ½‖Θ‖², for Θ scaled into max ‖Θᵀ(Xu)₊‖ ≤ γ over a fine grid of the circle: p*(∞) but for 1e-7 (d = 2)."""
    highest = np.max(np.linalg.norm(theta.T @ np.maximum(problem.X @ circle(), 0.0), axis=0))
    theta = theta * min(1.0, problem.gamma / highest)
    return np.sum(theta * problem.Y) - 0.5 * np.sum(theta**2)


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_all_arrangements_of_a_scalar_problem_give_its_optimum(n):
    for seed in range(2):
        problem = random_problem(n=n, seed=seed)
        fit = arrangements(problem, seed=0)
        theta = problem.Y - fit.network.predict(problem.X)
        assert fit.value == pytest.approx(problem.objective(fit.network), rel=1e-12)
        assert fit.value == pytest.approx(dual_value(problem, theta), rel=1e-5)
        assert copositive(problem, seed=0).value == pytest.approx(fit.value, rel=2e-3)


@pytest.mark.parametrize("gamma", [0.1, 0.01])
def test_copositive_frank_wolfe_over_all_patterns_reaches_the_optimum_of_several_outputs(gamma):
    problem = random_problem(n=8, c=3, gamma=gamma)
    fit = copositive(problem, seed=0)
    exact = dual_value(problem, problem.Y - fit.network.predict(problem.X))
    assert exact <= fit.value <= exact * (1 + 5e-3)
    values = [row.value for row in fit.trace]
    assert np.all(np.diff(values) <= 1e-9 * values[0])
    for other in (arrangements(problem, seed=0), sgd(problem, width=20, seed=0), lbfgs(problem, width=20, seed=0)):
        assert exact <= other.value <= 1.05 * exact
    narrow = lbfgs(problem, width=1, seed=0)
    assert dual_value(problem, problem.Y - narrow.network.predict(problem.X)) < 0.9 * narrow.value


def test_gated_program_over_all_gates_is_below_the_optimum_and_satisfies_its_conditions():
    for c, seed in ((1, 0), (3, 1)):
        problem = random_problem(n=4, c=c, seed=seed)
        fit = arrangements(problem, seed=0, model="gated")
        upper = copositive(problem, seed=0).value
        assert 0.1 * upper < fit.value <= upper
        D, _ = sample_patterns(problem.X, 50, np.random.default_rng(0))
        assert D.shape[1] == 8
        theta = problem.Y - fit.predict(problem.X)
        heights = [np.linalg.norm(problem.X.T @ (D[:, k, None] * theta)) / problem.gamma for k in range(8)]
        assert max(heights) == pytest.approx(1.0, abs=1e-3)
        # By complementarity ⟨Θ, f(X)⟩ = γ Σ‖W_k‖, so the value follows from the residual alone.
        assert fit.value == pytest.approx(np.sum(theta * problem.Y) - 0.5 * np.sum(theta**2), rel=1e-4)


def test_more_patterns_and_rounds_never_hurt_and_a_number_says_what_it_bounds():
    problem = random_problem(n=12, d=3, c=2)
    fit = arrangements(problem, seed=0, patterns=10, rounds=3)
    values = [row.value for row in fit.trace]
    assert np.all(np.diff(values) <= 0)
    assert values[-1] < 0.98 * values[0]
    assert arrangements(problem, seed=0, patterns=60).value < fit.value
    for other, word in ((fit, "upper bound on p*(∞)"), (copositive(problem, seed=0, rounds=2), "upper bound on p*(∞)")):
        assert other.info["bound_on"].startswith(word)
    assert arrangements(problem, seed=0, model="gated").info["bound_on"].startswith("bounds nothing")


def test_units_do_not_matter():
    problem = random_problem(n=6, c=2)
    big = Problem(problem.X * 1e3, problem.Y * 1e-2, problem.gamma * 10)
    for method in (arrangements, copositive):
        assert method(big, seed=0).value == pytest.approx(1e-4 * method(problem, seed=0).value, rel=1e-5)
    gated = arrangements(problem, seed=0, model="gated").predict(problem.X)
    np.testing.assert_allclose(
        arrangements(big, seed=0, model="gated").predict(big.X), 1e-2 * gated, rtol=1e-3, atol=1e-5
    )


@pytest.mark.parametrize(("method", "options"), [(arrangements, {"rounds": 1000}), (copositive, {"rounds": 10**6})])
def test_budget_ends_the_work_with_a_network(method, options):
    problem = random_problem(n=40, d=6, c=3, gamma=1e-5)
    fit = method(problem, seed=0, budget=0.2, **options)
    assert fit.status == "timeout"
    assert fit.message
    assert fit.value == pytest.approx(problem.objective(fit.network), rel=1e-10)
    assert fit.value <= 0.5 * np.sum(problem.Y**2)


def test_output_weights_are_those_of_an_independent_solver():
    problem = random_problem(n=10, d=3, c=2)
    U = np.random.default_rng(3).normal(size=(3, 8))
    network = fit_outputs(problem, Network(U, np.zeros((8, 2))))
    V = cp.Variable((8, 2))
    H = np.maximum(problem.X @ (U / np.linalg.norm(U, axis=0)), 0.0)
    loss = 0.5 * cp.sum_squares(H @ V - problem.Y) + problem.gamma * cp.sum(cp.norm(V, 2, axis=1))
    program = cp.Problem(cp.Minimize(loss))
    program.solve(solver=cp.SCS, eps=1e-9)
    assert problem.objective(network) == pytest.approx(program.value, rel=1e-6)
    np.testing.assert_allclose(np.linalg.norm(network.U, axis=0), np.linalg.norm(network.V, axis=1), rtol=1e-12)


def test_balancing_keeps_the_function_and_drops_idle_neurons():
    rng = np.random.default_rng(0)
    U, V, X = rng.normal(size=(3, 5)), rng.normal(size=(5, 2)), rng.normal(size=(7, 3))
    V[2], U[:, 4] = 0.0, 0.0
    network = balanced(Network(U, V))
    assert network.width == 3
    np.testing.assert_allclose(network.predict(X), np.maximum(X @ U, 0) @ V, atol=1e-12)
    assert balanced(Network(0 * U, V)).width == 1


def test_projection_to_a_cone_is_that_of_an_independent_solver():
    rng = np.random.default_rng(4)
    X = rng.normal(size=(9, 4))
    D, _ = sample_patterns(X, 6, rng)
    for k in range(D.shape[1]):
        g = rng.normal(size=4)
        u, sides = cp.Variable(4), (2 * D[:, k] - 1)
        cp.Problem(cp.Minimize(cp.sum_squares(u - g)), [cp.multiply(sides, X @ u) >= 0]).solve(solver=cp.CLARABEL)
        np.testing.assert_allclose(project_to_cone(X, D[:, k], g), u.value, atol=1e-5)
    inside = X[0] * 0 + np.linalg.lstsq(X, np.ones(9), rcond=None)[0]
    pattern = (X @ inside >= 0).astype(float)
    np.testing.assert_allclose(project_to_cone(X, pattern, inside), inside, atol=1e-12)


def test_patterns_are_different_true_and_all_of_them_in_the_plane():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(6, 2))
    D, U = sample_patterns(np.vstack([X, np.zeros((1, 2)), 2 * X[:1]]), 100, rng)
    assert D.shape == (8, 12)
    assert len(np.unique(D, axis=1).T) == 12
    np.testing.assert_array_equal(D[:6], X @ U >= 0)
    np.testing.assert_array_equal(D[7], D[0])
    assert sample_patterns(X, 5, rng)[0].shape[1] == 5
