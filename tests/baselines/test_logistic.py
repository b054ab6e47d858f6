"""Rivals with the logistic loss: gradients, kernel logistic regression against scikit-learn, deep networks."""

from __future__ import annotations

import numpy as np
import pytest
from relaxbench.baselines.deep import deep, objective_and_gradient
from relaxbench.baselines.descent import Data, loss_and_gradient
from relaxbench.baselines.kernels import kernel_matrix, nngp, ntk
from relaxbench.baselines.lbfgs import lbfgs
from relaxbench.baselines.sgd import sgd
from relaxbench.baselines.start import curvature_bound, random_network
from relaxbench.solvers.cpp import cpp
from relaxbench.solvers.loss import LOSS, softmax
from relaxbench.solvers.network import Layers
from relaxbench.solvers.problem import Problem


def labelled(n=20, d=2, c=3, gamma=0.2, seed=0, loss="logistic"):
    """Normal rows with labels that depend on them."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d))
    return Problem(
        X, np.eye(c)[np.argmax(X @ rng.normal(size=(d, c)) + rng.normal(size=(n, c)), axis=1)], gamma, loss=loss
    )


def test_gradient_in_jax_is_that_of_the_problem():
    import jax
    from jax.experimental import enable_x64

    problem = labelled()
    networks = [random_network(problem, 7, np.random.default_rng(k)) for k in range(3)]
    data = Data(problem.X, problem.X.T, problem.Y.T, problem.gamma, 0, None)
    weights = np.stack([w.U.T for w in networks]), np.stack([w.V.T for w in networks])
    with enable_x64():
        values, (dU, dV) = jax.device_get(loss_and_gradient(data, weights, loss="logistic"))
    for k, network in enumerate(networks):
        value, by = problem.objective_and_gradient(network)
        assert values[k] == pytest.approx(value, rel=1e-12)
        np.testing.assert_allclose(dU[k].T, by.U, atol=1e-12)
        np.testing.assert_allclose(dV[k].T, by.V, atol=1e-12)


@pytest.mark.thorough
def test_descent_and_lbfgs_come_near_the_optimum():
    problem = labelled()
    exact = cpp(problem)
    optimum = problem.objective(exact.network)
    trained = lbfgs(problem, width=30, seed=0, starts=2)
    descended = sgd(problem, width=30, seed=0, epochs=1000)
    for fit, share in ((trained, 5e-3), (descended, 5e-2)):
        objective = problem.objective(fit.network)
        assert exact.certificate.lower_bound <= objective <= optimum * (1 + share)
        assert fit.value == pytest.approx(objective, rel=1e-9)


@pytest.mark.parametrize("options", [{"optimizer": "adam"}, {"batch": 6}])
def test_other_ways_of_descent_fall(options):
    problem = labelled()
    fit = sgd(problem, width=10, seed=0, epochs=100, **options)
    assert problem.objective(fit.network) < 0.9 * 20 * np.log(3)


def test_curvature_bound_is_above_second_differences():
    problem, rng = labelled(n=8), np.random.default_rng(1)
    network = random_network(problem, 5, rng)
    bound = curvature_bound(problem, network)
    for _ in range(20):
        dU, dV = rng.normal(size=network.U.shape), rng.normal(size=network.V.shape)
        size = np.sum(dU**2) + np.sum(dV**2)
        by = [
            problem.objective_and_gradient(problem.network(network.U + t * dU, network.V + t * dV))[1]
            for t in (1e-6, -1e-6)
        ]
        second = (np.sum((by[0].U - by[1].U) * dU) + np.sum((by[0].V - by[1].V) * dV)) / 2e-6
        assert second <= bound * size


@pytest.mark.parametrize("c", [2, 3])
@pytest.mark.parametrize("method", [nngp, ntk])
def test_kernel_logistic_regression_is_that_of_scikit_learn(method, c):
    """On features ΦΦᵀ = K; scikit-learn's two-class form has half of the penalty: w = v_2 − v_1, ‖V‖² = ½‖w‖²."""
    from sklearn.linear_model import LogisticRegression

    problem = labelled(n=30, c=c)
    fit = method(problem, ridge="relative")
    new = np.random.default_rng(2).normal(size=(9, 2))
    K = kernel_matrix(method.__name__, problem.X, problem.X)
    w, Q = np.linalg.eigh(K)
    kept = w > 1e-10 * w[-1]
    features = Q[:, kept] * np.sqrt(w[kept])
    C = (2.0 if c == 2 else 1.0) / fit.info["ridge"]
    model = LogisticRegression(C=C, fit_intercept=False, tol=1e-10, max_iter=10_000)
    model.fit(features, np.argmax(problem.Y, axis=1))
    at = kernel_matrix(method.__name__, new, problem.X) @ Q[:, kept] / np.sqrt(w[kept])
    np.testing.assert_allclose(softmax(fit.predict(new)), model.predict_proba(at), atol=1e-5)


def test_kernels_of_squares_are_what_they_were():
    problem = labelled(loss="squares")
    K = kernel_matrix("nngp", problem.X, problem.X)
    scores = K @ np.linalg.solve(K + problem.gamma * np.eye(20), problem.Y)
    np.testing.assert_allclose(nngp(problem).predict(problem.X), scores, atol=1e-8)


def test_a_known_spectrum_serves_every_gamma():
    problem = labelled()
    first = nngp(problem)
    more = Problem(problem.X, problem.Y, 2.0, loss="logistic")
    np.testing.assert_allclose(nngp(more, warm=first).predict(more.X), nngp(more).predict(more.X), atol=1e-8)


@pytest.mark.parametrize("loss", ["squares", "logistic"])
def test_gradient_of_deep_networks(loss):
    problem, rng = labelled(loss=loss), np.random.default_rng(3)
    weights = [rng.normal(size=shape) for shape in ((2, 4), (4, 5), (5, 3))]
    value, gradients = objective_and_gradient(problem, weights)
    outputs = Layers(tuple(weights))(problem.X)
    penalty = 0.1 * sum(np.sum(W**2) for W in weights)
    assert value == pytest.approx(LOSS[loss].value(outputs, problem.Y) + penalty, rel=1e-12)
    steps = [rng.normal(size=W.shape) for W in weights]
    ends = [
        objective_and_gradient(problem, [W + t * s for W, s in zip(weights, steps, strict=True)])[0]
        for t in (1e-6, -1e-6)
    ]
    slope = sum(np.sum(g * s) for g, s in zip(gradients, steps, strict=True))
    assert (ends[0] - ends[1]) / 2e-6 == pytest.approx(slope, rel=1e-6)


@pytest.mark.parametrize("loss", ["squares", "logistic"])
def test_deep_with_one_hidden_layer_is_the_training_problem(loss):
    problem = labelled(loss=loss)
    fit = deep(problem, width=30, seed=0, depth=1, starts=2, iterations=1000)
    optimum = problem.objective(cpp(problem).network)
    assert fit.network is None
    assert optimum * (1 - 1e-6) <= fit.info["deep_objective"] <= optimum * 1.01
    penalty = 0.1 * sum(np.sum(W**2) for W in fit.predict.weights)
    value = LOSS[loss].value(fit.predict(problem.X), problem.Y) + penalty
    assert fit.info["deep_objective"] == pytest.approx(value, rel=1e-9)


@pytest.mark.parametrize("depth", [2, 3])
def test_deep_objective_is_in_the_users_units(depth):
    """X and Y in other units, and γ with them: the same network, up to its weights' scale."""
    problem = labelled(loss="squares")
    fit = deep(problem, width=6, seed=0, depth=depth, starts=1, iterations=20)
    gamma = problem.gamma * 100 * (10 / 5) ** (-2 / (depth + 1))
    other = deep(Problem(5 * problem.X, 10 * problem.Y, gamma), width=6, seed=0, depth=depth, starts=1, iterations=20)
    np.testing.assert_allclose(other.predict(5 * problem.X), 10 * fit.predict(problem.X), rtol=1e-6, atol=1e-6)


def test_deep_stops_in_time():
    fit = deep(labelled(n=200, d=10), width=200, seed=0, budget=0.0)
    assert fit.status == "timeout"
    assert fit.info["starts"] == 1
