"""Every rounding in the table keeps the same promises; ridge, merging and L-BFGS against independent computations."""

import numpy as np
import pytest
from relaxbench.datasets import load
from relaxbench.solvers.conic.literal import solve_literal
from relaxbench.solvers.cpp import cpp
from relaxbench.solvers.network import Network, balance
from relaxbench.solvers.problem import Problem
from relaxbench.solvers.relaxation import Relaxation
from relaxbench.solvers.rounding import ROUNDINGS, RoundingError, disturbed, ridge
from relaxbench.solvers.rounding.lbfgs import polish
from relaxbench.solvers.rounding.merge import fuse
from relaxbench.solvers.rounding.ridge import refit
from relaxbench.solvers.sdp import relax, round_relaxation
from scipy.optimize import check_grad

rng = np.random.default_rng(0)
PLAIN = Problem(rng.standard_normal((9, 2)), rng.standard_normal((9, 3)), 0.1)
WIDE = Problem(rng.standard_normal((4, 7)), rng.standard_normal((4, 1)), 0.05)
AWKWARD = Problem(  # a zero row, duplicate and opposite rows, a constant column, units far from one
    1e3 * np.array([[0.0, 0, 0], [1, 2, 1], [1, 2, 1], [-2, -4, -2], [3, 1, 1]]), 1e-2 * np.eye(5)[:, :2], 1e-3
)
HUGE = Problem(1e9 * np.tile(PLAIN.X, 2), PLAIN.Y, 0.1)  # columns twice, units that swamp those of v


@pytest.fixture
def short(monkeypatch):
    """L-BFGS of a few steps, for tests of promises that do not depend on where it ends."""
    monkeypatch.setattr("relaxbench.solvers.rounding.lbfgs.ITERATIONS", 30)


def some_relaxation(problem, rank=4, seed=0):
    """A factor as a solver returns it, s not quite |Xu|."""
    rng = np.random.default_rng(seed)
    U, V = rng.standard_normal((problem.d, rank)), rng.standard_normal((problem.c, rank))
    s = np.abs(problem.X @ U)
    return Relaxation(np.vstack([s + 0.1 * np.mean(s) * rng.standard_normal(s.shape), U, V]), 0.0)


def lifted(problem, network):
    pre = problem.X @ network.U
    W = np.vstack([np.maximum(pre, 0), np.maximum(-pre, 0), network.U, network.V.T])
    return W @ W.T


def check_feasible(problem, fit):
    """The network, lifted, is a feasible point of the exact program with the stated value."""
    n, d, Λ = problem.n, problem.d, lifted(problem, fit.network)
    M = np.hstack([-np.eye(n), np.eye(n), problem.X, np.zeros((n, problem.c))])
    np.testing.assert_allclose(M @ Λ @ M.T, 0, atol=1e-12 * np.max(np.abs(M) @ np.abs(Λ) @ np.abs(M.T)))
    assert not np.diag(Λ[:n, n : 2 * n]).any()
    assert Λ[: 2 * n, : 2 * n].min() >= 0
    value = 0.5 * np.sum((Λ[:n, 2 * n + d :] - problem.Y) ** 2) + 0.5 * problem.gamma * np.trace(Λ[2 * n :, 2 * n :])
    assert fit.value == pytest.approx(value)
    np.testing.assert_array_equal(fit.predict(problem.X), fit.network.predict(problem.X))


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("name", ROUNDINGS)
def test_promises_of_every_rounding(name):
    relaxation = some_relaxation(PLAIN)
    fit, again = (ROUNDINGS[name](PLAIN, relaxation, width=6, seed=3) for _ in range(2))
    check_feasible(PLAIN, fit)
    assert fit.status == "ok"
    assert fit.network.width == 6 or ("merge" in name and fit.network.width < 6)
    np.testing.assert_array_equal(fit.network.U, again.network.U)
    assert len(fit.iterates) <= 100
    assert fit.stats.iterations == len(fit.trace)
    assert [row.iteration for row in fit.trace] == list(range(len(fit.trace)))
    assert np.all(np.diff([row.seconds for row in fit.trace]) >= 0)
    if "merge" not in name:
        assert fit.value == pytest.approx(min(row.value for row in fit.trace), rel=1e-12)


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("name", ["tos", "tos-spread+lbfgs", "factor+ridge+merge", "gaussian+lbfgs+merge"])
@pytest.mark.parametrize("problem", [WIDE, AWKWARD, HUGE])
def test_awkward_data(name, problem):
    fit = ROUNDINGS[name](problem, some_relaxation(problem), width=6, seed=1)
    check_feasible(problem, fit)
    assert np.isfinite(fit.value)


@pytest.mark.parametrize("name", ["gaussian", "factor", "tos-spread"])
def test_another_seed_draws_another_network(name):
    one, two = (ROUNDINGS[name](PLAIN, some_relaxation(PLAIN), width=5, seed=seed).network for seed in (0, 1))
    assert not np.allclose(one.U, two.U)


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("name", [name for name in ROUNDINGS if name.startswith("factor+")])
def test_steps_never_raise_the_objective(name):
    start = name.rpartition("+")[0]
    before, after = (ROUNDINGS[k](PLAIN, some_relaxation(PLAIN), width=5, seed=2).value for k in (start, name))
    assert after <= before * (1 + 1e-6)


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("name", ROUNDINGS)
def test_a_spent_budget_still_gives_a_network(name):
    fit = ROUNDINGS[name](PLAIN, some_relaxation(PLAIN), width=5, seed=0, budget=1e-9)
    assert fit.status == "timeout"
    assert np.isfinite(PLAIN.objective(fit.network))


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("name", ROUNDINGS)
def test_an_empty_factor_gives_a_network(name):
    # what a solver returns that ran out of time before its first point
    empty = Relaxation(np.zeros((PLAIN.n + PLAIN.d + PLAIN.c, 0)), float("nan"), status="timeout")
    fit = ROUNDINGS[name](PLAIN, empty, width=3, seed=0)
    assert fit.value <= 0.5 * np.sum(PLAIN.Y**2) * (1 + 1e-12)


@pytest.mark.parametrize("wrong", [{"width": 0}, {"width": 2.5}, {"seed": -1}, {"budget": 0.0}])
@pytest.mark.parametrize("name", ["tos", "gaussian+lbfgs"])
def test_refuses_arguments_out_of_range(name, wrong):
    with pytest.raises(RoundingError, match="must be"):
        ROUNDINGS[name](PLAIN, some_relaxation(PLAIN), **{"width": 3, "seed": 0, **wrong})


def test_refuses_the_relaxation_of_another_problem():
    with pytest.raises(RoundingError, match="factor"):
        ROUNDINGS["factor"](PLAIN, some_relaxation(WIDE), width=3, seed=0)


def test_reaches_the_exact_optimum_where_it_is_known():
    # orthogonal rows with ⟨y_i, y_j⟩ ≤ 0: one neuron a row, γ‖y‖/‖x‖ − γ²/(2‖x‖²) each (see the literal SDP's tests)
    problem = Problem([[1.3, 0.0], [0.0, 0.6]], [[1.0, 0.2], [-0.5, 1.0]], 0.2)
    x, y = np.linalg.norm(problem.X, axis=1), np.linalg.norm(problem.Y, axis=1)
    optimum = np.sum(0.2 * y / x - 0.2**2 / (2 * x**2))
    relaxation, _ = solve_literal(problem, backend="clarabel", eps=1e-9)
    for name in ("tos+ridge", "factor+lbfgs+merge", "gaussian+lbfgs+merge"):
        fit = ROUNDINGS[name](problem, relaxation, width=10, seed=0)
        assert fit.value >= optimum * (1 - 1e-9)
        if "lbfgs" in name:
            assert fit.value == pytest.approx(optimum, rel=1e-4)
        if "lbfgs+merge" in name:
            assert (
                2 <= fit.network.width <= 4
            )  # of ten; two are enough, but L-BFGS stalls where a row is on a hyperplane
    # the SDP is exact here, so even the published rounding comes close
    assert ROUNDINGS["tos"](problem, relaxation, width=10, seed=0).value == pytest.approx(optimum, rel=0.05)


@pytest.mark.parametrize("m", [3, 30])
def test_ridge_solves_the_normal_equations(m):
    U = np.random.default_rng(m).standard_normal((PLAIN.d, m))
    H = np.maximum(PLAIN.X @ U, 0)
    V = ridge(PLAIN, U)
    np.testing.assert_allclose((H.T @ H + PLAIN.gamma * np.eye(m)) @ V, H.T @ PLAIN.Y, atol=1e-11)


def test_ridge_survives_a_gamma_below_the_precision():
    problem = Problem(PLAIN.X, PLAIN.Y, 1e-30)
    U = np.random.default_rng(0).standard_normal((2, 40))
    H = np.maximum(problem.X @ U, 0)
    best = np.linalg.lstsq(H, problem.Y, rcond=None)[0]
    assert np.sum((H @ ridge(problem, U) - problem.Y) ** 2) <= np.sum((H @ best - problem.Y) ** 2) + 1e-10


def test_balance_keeps_the_function_and_lowers_the_penalty():
    rng = np.random.default_rng(1)
    U, V = rng.standard_normal((2, 6)), rng.standard_normal((6, 3))
    U[:, 0], V[1] = 0, 0
    network = balance(Network(U, V))
    np.testing.assert_allclose(network.predict(PLAIN.X), np.maximum(PLAIN.X @ U, 0) @ V, atol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(network.U, axis=0), np.linalg.norm(network.V, axis=1), atol=1e-12)
    assert PLAIN.objective(network) < PLAIN.objective(Network(U, V))
    assert not network.U[:, :2].any()
    assert not network.V[:2].any()


def test_refit_reaches_the_group_lasso_optimum():
    # stationarity for fixed directions: ‖Θᵀz_j‖ = γ for neurons in use and ≤ γ for the rest, z_j = (Xû_j)₊
    rng = np.random.default_rng(2)
    start = Network(rng.standard_normal((2, 8)), rng.standard_normal((8, 3)))
    network = refit(PLAIN, start, seed=0).network
    theta = PLAIN.Y - network.predict(PLAIN.X)
    z = np.maximum(PLAIN.X @ (start.U / np.linalg.norm(start.U, axis=0)), 0)
    correlation = np.linalg.norm(theta.T @ z, axis=0)
    used = np.linalg.norm(network.U, axis=0) > 0.05
    assert used.any()
    np.testing.assert_allclose(correlation[used], PLAIN.gamma, rtol=1e-2)
    assert correlation.max() <= PLAIN.gamma * 1.01


def test_gradient_is_that_of_the_objective():
    rng = np.random.default_rng(3)
    d, c, m = PLAIN.d, PLAIN.c, 4

    def unpack(x):
        return Network(x[: d * m].reshape(d, m), x[d * m :].reshape(m, c))

    def gradient(x):
        by = PLAIN.objective_and_gradient(unpack(x))[1]
        return np.concatenate([by.U.ravel(), by.V.ravel()])

    for _ in range(5):
        x = rng.standard_normal((d + c) * m)
        assert PLAIN.objective_and_gradient(unpack(x))[0] == pytest.approx(PLAIN.objective(unpack(x)))
        error = check_grad(lambda x: PLAIN.objective(unpack(x)), gradient, x)
        assert error < 1e-5 * np.linalg.norm(gradient(x))


def test_polish_moves_neurons_that_are_zero():
    start = Network(np.zeros((2, 12)), np.zeros((12, 3)))
    fit = polish(PLAIN, start, seed=0)
    assert fit.value < 0.6 * PLAIN.objective(start)


def test_merge_keeps_predictions_of_neurons_that_agree():
    rng = np.random.default_rng(4)
    base = Network(rng.standard_normal((2, 3)), rng.standard_normal((3, 3)))
    scale = np.array([0.5, 2.0, 1.0])
    doubled = Network(np.hstack([base.U, base.U * scale]), np.vstack([base.V, base.V[::-1]]))
    fused = fuse(PLAIN, doubled, seed=0)
    assert fused.network.width == 3
    np.testing.assert_allclose(fused.predict(PLAIN.X), doubled.predict(PLAIN.X), atol=1e-10)
    assert fused.value < PLAIN.objective(doubled)


def test_merge_leaves_neurons_that_differ_and_drops_idle_ones():
    rng = np.random.default_rng(5)
    network = Network(np.array([[1.0, 0, -1, 0], [0, 1, 0, 0]]), rng.standard_normal((4, 3)))
    fused = fuse(PLAIN, network, seed=0).network
    assert fused.width == 3
    np.testing.assert_allclose(fused.predict(PLAIN.X), network.predict(PLAIN.X), atol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("gamma", [0.1, 0.01])
def test_best_rounding_is_within_one_percent_of_the_exact_optimum(gamma):
    ratios = []
    for seed in range(8):
        data = load("random", seed=seed)
        problem = Problem(data.X_train, data.Y_train, gamma)
        fit = ROUNDINGS["gaussian+lbfgs"](problem, relax(problem), width=100, seed=0)
        ratios.append(fit.value / cpp(problem).certificate.lower_bound)
    assert min(ratios) >= 1 - 1e-9
    assert np.quantile(ratios, 0.95) < 1.01


def test_noise_moves_each_part_of_the_solution_by_its_share_and_leaves_the_bound():
    relaxation = relax(PLAIN)
    moved = disturbed(PLAIN, relaxation, 0.1, seed=3)
    for rows in (slice(0, 9), slice(9, 11), slice(11, 14)):
        change = moved.factor[rows] - relaxation.factor[rows]
        assert np.linalg.norm(change) == pytest.approx(0.1 * np.linalg.norm(relaxation.factor[rows]))
    np.testing.assert_array_equal(disturbed(PLAIN, relaxation, 0.1, seed=3).factor, moved.factor)
    assert np.any(disturbed(PLAIN, relaxation, 0.1, seed=4).factor != moved.factor)
    given, noisy = (
        round_relaxation(PLAIN, relaxation, width=20, seed=3, rounding="factor+ridge", noise=noise)
        for noise in (0.0, 0.1)
    )
    assert np.any(given.network.U != noisy.network.U)
    assert given.certificate is noisy.certificate is relaxation.certificate
