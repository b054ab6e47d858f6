"""SGD and L-BFGS: gradients, curvature, one step by hand, seeds, budgets, divergence."""

import jax
import numpy as np
import pytest
from jax.experimental import enable_x64
from relaxbench.baselines.common import OptionError
from relaxbench.baselines.descent import MOMENTUM, Data, Rule, compile_descent, loss_and_gradient
from relaxbench.baselines.lbfgs import lbfgs
from relaxbench.baselines.sgd import _start, sgd, sgd_seeds
from relaxbench.baselines.start import curvature_bound, random_network
from relaxbench.solvers.network import Network
from relaxbench.solvers.problem import Problem
from scipy.optimize import approx_fprime


def random_problem(n=12, d=2, c=3, gamma=0.1, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d))
    Y = np.maximum(X @ rng.normal(size=(d, 20)), 0) @ rng.normal(size=(20, c))
    return Problem(X, Y, gamma)


def flat(network):
    return np.concatenate([network.U.ravel(), network.V.ravel()])


def unflat(w, problem, m):
    return Network(w[: problem.d * m].reshape(problem.d, m), w[problem.d * m :].reshape(m, problem.c))


def test_gradient_equals_finite_differences_and_the_value_is_the_objective():
    problem = random_problem()
    network = random_network(problem, 4, np.random.default_rng(1))
    value, by = problem.objective_and_gradient(network)
    numeric = approx_fprime(flat(network), lambda w: problem.objective(unflat(w, problem, 4)), 1e-7)
    assert value == pytest.approx(problem.objective(network), rel=1e-14)
    np.testing.assert_allclose(flat(by), numeric, rtol=1e-4, atol=1e-4)


def test_compiled_gradient_equals_the_plain_one_for_every_network_of_a_batch():
    problem = random_problem()
    networks = [random_network(problem, 5, np.random.default_rng(k)) for k in range(3)]
    with enable_x64():
        data = Data(problem.X, problem.X.T, problem.Y.T, problem.gamma, None, None)
        weights = tuple(np.stack([getattr(w, name).T for w in networks]) for name in "UV")
        loss, (dU, dV) = jax.device_get(jax.jit(loss_and_gradient)(data, weights))
    for k, network in enumerate(networks):
        value, by = problem.objective_and_gradient(network)
        assert float(loss[k]) == pytest.approx(value, rel=1e-13)
        np.testing.assert_allclose(dU[k].T, by.U, rtol=1e-10, atol=1e-10)
        np.testing.assert_allclose(dV[k].T, by.V, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("seed", range(5))
def test_curvature_bound_is_above_the_hessian(seed):
    problem = random_problem(seed=seed, n=6)
    network = random_network(problem, 3, np.random.default_rng(seed))

    def gradient(w):
        _, by = problem.objective_and_gradient(unflat(w, problem, 3))
        return flat(by)

    w = flat(network)
    hessian = np.array([(gradient(w + e) - gradient(w - e)) / 2e-6 for e in 1e-6 * np.eye(len(w))])
    top = np.linalg.eigvalsh(0.5 * (hessian + hessian.T))[-1]
    assert top < curvature_bound(problem, network) < 30 * top


def test_the_first_steps_are_those_of_the_heavy_ball():
    problem = random_problem()
    rate, scaled = 1e-4, problem.scaled
    network = scaled.network_back(random_network(scaled.problem, 4, np.random.default_rng(7)))
    losses, velocity = [], (0.0, 0.0)
    for _ in range(4):
        value, by = problem.objective_and_gradient(network)
        losses.append(value)
        velocity = (MOMENTUM * velocity[0] + by.U, MOMENTUM * velocity[1] + by.V)
        network = Network(network.U - rate * velocity[0], network.V - rate * velocity[1])
    fit = sgd(problem, width=4, seed=7, epochs=4, learning_rate=rate)
    assert fit.value == pytest.approx(min(losses), rel=1e-10)
    for row in fit.trace:
        assert row.value == pytest.approx(losses[row.iteration - 1], rel=1e-10)


@pytest.mark.parametrize("gamma", [0.1, 0.01])
def test_sgd_comes_down_to_lbfgs(gamma):
    problem = random_problem(gamma=gamma)
    best = lbfgs(problem, width=20, seed=0, starts=2, iterations=1000)
    fits = sgd_seeds(problem, width=20, seeds=range(3))
    for fit in fits:
        assert fit.status == "ok"
        assert fit.value == pytest.approx(problem.objective(fit.network), rel=1e-10)
        values = [row.value for row in fit.trace]
        assert values[-1] < 0.02 * values[0]
        assert fit.value <= min(values) * (1 + 1e-12)
        assert len(values) <= 200
    assert best.value == pytest.approx(problem.objective(best.network), rel=1e-10)
    assert min(fit.value for fit in fits) == pytest.approx(best.value, rel=0.01)


def test_scalar_problem_has_a_known_optimum():
    # One row, one feature, one output: p* = min over s = uv of ½(s − y)² + γs = γy − γ²/2 for y > γ.
    problem = Problem([[1.0]], [[2.0]], 0.5)
    for fit in (sgd(problem, width=3, seed=0), lbfgs(problem, width=3, seed=0)):
        assert fit.value == pytest.approx(0.5 * 2 - 0.125, rel=1e-6)


def test_seeds_run_together_give_what_each_gives_alone():
    problem = random_problem()
    together = sgd_seeds(problem, width=10, seeds=[3, 1, 4], epochs=500)
    for seed, fit in zip([3, 1, 4], together, strict=True):
        alone = sgd(problem, width=10, seed=seed, epochs=500)
        np.testing.assert_allclose(fit.network.U, alone.network.U, rtol=1e-6, atol=1e-8)
        assert fit.stats.iterations == alone.stats.iterations
        assert fit.stats.solve_s == pytest.approx(fit.info["shared_s"] / 3)
    assert len({round(fit.value, 8) for fit in together}) == 3


def descend_as_one_batch(problem, rule, width=6, seeds=(3, 1, 4), epochs=200):
    data, state = _start(problem.scaled.problem, width, seeds, rule, None, 20)
    advance, _ = compile_descent(data, state, rule)
    return advance(data, state, epochs)


@pytest.mark.thorough
@pytest.mark.parametrize("rule", [Rule("momentum", None, True), Rule("adam", 5, True)])
def test_a_batch_of_runs_is_its_runs_one_by_one(rule):
    # Accelerators descend all seeds in one batch; a CPU runs the same loop with batches of one.
    problem = random_problem()
    together = descend_as_one_batch(problem, rule)
    for k, seed in enumerate((3, 1, 4)):
        alone = descend_as_one_batch(problem, rule, seeds=(seed,))
        np.testing.assert_allclose(together.best_weights[0][k], alone.best_weights[0][0], rtol=1e-6, atol=1e-8)
        for name in ("best", "rate", "halvings", "epoch", "running"):
            np.testing.assert_allclose(getattr(together, name)[k], getattr(alone, name)[0], rtol=1e-6)


def test_a_run_that_has_stopped_is_carried_along_unchanged():
    problem = random_problem()
    state = descend_as_one_batch(problem, Rule("momentum", None, True), epochs=20_000)
    assert not np.any(state.running)
    assert len(set(np.asarray(state.epoch).tolist())) > 1
    assert np.all(np.asarray(state.halvings) == 12)


def test_the_first_steps_of_adam():
    problem = random_problem()
    rate, scaled = 1e-3, problem.scaled
    # The guard of the division is felt by tiny gradients only, so the units of the scaled problem do not show.
    network = scaled.network_back(random_network(scaled.problem, 4, np.random.default_rng(7)))
    losses, first, second = [], 0.0, 0.0
    for step in range(1, 5):
        value, by = problem.objective_and_gradient(network)
        losses.append(value)
        gradient = flat(by)
        first, second = 0.9 * first + 0.1 * gradient, 0.999 * second + 0.001 * gradient**2
        move = first / (1 - 0.9**step) / np.sqrt(second / (1 - 0.999**step))
        network = unflat(flat(network) - rate * move, problem, 4)
    fit = sgd(problem, width=4, seed=7, epochs=4, learning_rate=rate, optimizer="adam")
    assert fit.value == pytest.approx(min(losses), rel=1e-6)
    for row in fit.trace:
        assert row.value == pytest.approx(losses[row.iteration - 1], rel=1e-6)


def test_one_epoch_of_minibatches_is_one_of_the_possible_orders():
    problem = random_problem(n=3)
    rate, scaled = 1e-2, problem.scaled
    start = scaled.network_back(random_network(scaled.problem, 4, np.random.default_rng(7)))
    possible = []
    for last in range(3):
        network, velocity = start, 0.0
        for rows in ([k for k in range(3) if k != last], [last]):
            share = len(rows) / 3
            part = Problem(problem.X[rows], problem.Y[rows], problem.gamma * share)
            _, by = part.objective_and_gradient(network)
            velocity = MOMENTUM * velocity + flat(by) / share
            network = unflat(flat(network) - rate * velocity, problem, 4)
        possible.append(problem.objective(network))
    assert np.ptp(possible) > 1e-4 * possible[0]
    fit = sgd(problem, width=4, seed=7, epochs=2, learning_rate=rate, batch=2)
    assert min(abs(fit.trace[-1].value - value) for value in possible) < 1e-9 * possible[0]


def test_minibatches_of_all_rows_are_no_minibatches():
    problem = random_problem()
    full, batch = (sgd(problem, width=4, seed=0, epochs=50, batch=b).value for b in (None, problem.n + 1))
    assert full == batch


@pytest.mark.thorough
@pytest.mark.parametrize("batch", [None, 4])
def test_adam_comes_down_as_well(batch):
    problem = random_problem()
    best = lbfgs(problem, width=20, seed=0, starts=2, iterations=1000)
    fit = sgd(problem, width=20, seed=0, optimizer="adam", batch=batch, epochs=4000)
    assert fit.value == pytest.approx(best.value, rel=0.05)


@pytest.mark.parametrize(("method", "options"), [(sgd, {"epochs": 500}), (lbfgs, {"iterations": 20})])
def test_a_seed_is_reproducible(method, options):
    problem = random_problem()
    one, again, other = (method(problem, width=6, seed=s, **options).value for s in (0, 0, 1))
    assert one == again != other


@pytest.mark.parametrize(
    ("method", "options"), [(sgd, {"epochs": 10**9, "patience": 10**9}), (lbfgs, {"starts": 10**6})]
)
def test_budget_ends_the_work_with_the_best_so_far(method, options):
    problem = random_problem(n=200)
    method(problem, width=100, seed=0, budget=0.01, **options)  # leaves compilation and imports behind
    fit = method(problem, width=100, seed=0, budget=0.8, **options)
    assert fit.status == "timeout"
    assert fit.message
    assert fit.stats.solve_s < 2.6
    assert fit.value == pytest.approx(problem.objective(fit.network), rel=1e-10)
    assert fit.value < 0.5 * np.sum(problem.Y**2)


def test_divergence_is_said_and_leaves_no_nan():
    fit = sgd(random_problem(), width=10, seed=0, learning_rate=10.0)
    assert fit.status == "diverged"
    assert "learning rate" in fit.message
    assert np.isfinite(fit.value)
    assert all(np.isfinite(row.value) for row in fit.trace)
    assert np.isfinite(fit.network.U).all()


@pytest.mark.parametrize("width", [None, 0, 2.5])
def test_a_width_is_needed(width):
    for method in (sgd, lbfgs):
        with pytest.raises(OptionError, match="width must be an integer"):
            method(random_problem(), width=width, seed=0)
    with pytest.raises(OptionError, match="at least one seed"):
        sgd_seeds(random_problem(), width=3, seeds=[])


@pytest.mark.parametrize("option", ["epochs", "learning_rate", "batch", "patience"])
def test_options_have_to_be_positive(option):
    with pytest.raises(OptionError, match=f"{option} must be greater than 0. Got 0 instead"):
        sgd(random_problem(), width=3, seed=0, **{option: 0})
