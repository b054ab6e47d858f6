"""The rivals with other activations than the ReLU: gradients, kernels in closed form, known optima."""

import numpy as np
import pytest
from relaxbench.baselines.arrangements import arrangements
from relaxbench.baselines.copositive import copositive
from relaxbench.baselines.kernels import kernel_matrix, nngp, ntk
from relaxbench.baselines.lbfgs import lbfgs
from relaxbench.baselines.sgd import sgd
from relaxbench.solvers.activation import Activation
from relaxbench.solvers.cpp import cpp
from relaxbench.solvers.problem import Problem

from ..support.oracles import by_cones, nuclear

OTHERS = ("leaky:0.1", "leaky:-0.4", "abs", "identity")


def teacher(activation, n=10, d=2, c=2, seed=0):
    rng = np.random.default_rng(seed)
    X, U, V = rng.normal(size=(n, d)), rng.normal(size=(d, 5)), rng.normal(size=(5, c))
    return Problem(X, Activation.of(activation)(X @ U) @ V + 0.1 * rng.normal(size=(n, c)), 0.1, activation)


def arc_cosine(X, Z):
    """E[p₊q₊] and E[1[p > 0] 1[q > 0]] for p = w·x, q = w·z with w standard normal (Cho & Saul 2009), and for −z."""
    norms = np.outer(np.linalg.norm(X, axis=1), np.linalg.norm(Z, axis=1))
    θ = np.arccos(np.clip(X @ Z.T / norms, -1, 1))
    same = norms * (np.sin(θ) + (np.pi - θ) * np.cos(θ)) / (2 * np.pi), (np.pi - θ) / (2 * np.pi)
    opposite = norms * (np.sin(θ) - θ * np.cos(θ)) / (2 * np.pi), θ / (2 * np.pi)
    return same, opposite


@pytest.mark.thorough
@pytest.mark.parametrize("activation", OTHERS)
def test_kernels_have_their_closed_forms(activation):
    rng = np.random.default_rng(0)
    X, Z, φ = rng.normal(size=(6, 3)), rng.normal(size=(4, 3)), Activation.of(activation)
    (k1, k0), (k1_opposite, k0_opposite) = arc_cosine(X, Z)
    values = ((φ.a**2 + φ.b**2) * k1 + 2 * φ.a * φ.b * k1_opposite) / 3
    slopes = ((φ.a**2 + φ.b**2) * k0 - 2 * φ.a * φ.b * k0_opposite) / 3
    np.testing.assert_allclose(kernel_matrix("nngp", X, Z, below=φ.below), values, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(kernel_matrix("ntk", X, Z, below=φ.below), values + X @ Z.T * slopes, atol=1e-12)
    for name in ("nngp", "ntk"):
        drawn = kernel_matrix(name, X, Z, width=20_000, seed=1, below=φ.below)
        np.testing.assert_allclose(drawn, kernel_matrix(name, X, Z, below=φ.below), atol=0.06)
        deep = kernel_matrix(name, X, X, depth=3, below=φ.below)
        assert np.linalg.eigvalsh(deep)[0] > -1e-9
    diagonal = np.diag(kernel_matrix("nngp", X, X, depth=4, below=φ.below))
    np.testing.assert_allclose(diagonal, np.sum(X**2, axis=1) * (1 + φ.b**2) / 6, rtol=1e-9)


@pytest.mark.parametrize("method", [nngp, ntk])
def test_kernels_of_the_identity_are_linear_regression(method):
    problem = teacher("identity")
    weights = np.linalg.solve(problem.X.T @ problem.X, problem.X.T @ problem.Y)
    tiny = Problem(problem.X, problem.Y, 1e-9, "identity")
    np.testing.assert_allclose(method(tiny).predict(problem.X), problem.X @ weights, atol=1e-6)


@pytest.mark.parametrize("optimizer", ["momentum", "adam"])
@pytest.mark.parametrize("batch", [None, 4])
def test_descent_reaches_the_optimum_of_linear_networks(optimizer, batch):
    problem = teacher("identity")
    fit = sgd(problem, width=8, seed=0, epochs=5000, optimizer=optimizer, batch=batch)
    assert str(fit.network.activation) == "identity"
    assert fit.value == pytest.approx(problem.objective(fit.network), rel=1e-12)
    exact = batch is None and optimizer == "momentum"
    assert nuclear(problem) * (1 - 1e-7) <= fit.value <= nuclear(problem) * (1 + (1e-6 if exact else 2e-2))


@pytest.mark.thorough
@pytest.mark.parametrize("activation", ["leaky:0.1", "leaky:-0.4", "abs"])
def test_trained_networks_come_near_the_optimum(activation):
    problem = teacher(activation)
    exact = cpp(problem, gap=1e-6)
    lower = exact.certificate.lower_bound
    found = {
        "lbfgs": lbfgs(problem, width=50, seed=0, starts=3),
        "sgd": sgd(problem, width=50, seed=0, epochs=5000),
        "arrangements": arrangements(problem, seed=0),
        "copositive": copositive(problem, seed=0),
    }
    for name, fit in found.items():
        assert lower <= problem.objective(fit.network) <= 1.02 * exact.value, name
        assert str(fit.network.activation) == activation


def test_lbfgs_reaches_the_optimum_of_linear_networks():
    problem = teacher("identity", d=4, c=3, n=12)
    assert lbfgs(problem, width=20, seed=0).value == pytest.approx(nuclear(problem), rel=1e-6)


@pytest.mark.parametrize("activation", ["leaky:0.1", "abs"])
def test_all_arrangements_of_one_output_are_exact(activation):
    problem = teacher(activation, n=5, c=1)
    fit = arrangements(problem, seed=0, patterns=200)
    assert fit.value == pytest.approx(by_cones(problem), rel=1e-5)
    assert fit.value == pytest.approx(cpp(problem, gap=1e-6).value, rel=1e-5)
    gated = arrangements(problem, seed=0, model="gated", patterns=200)
    assert gated.value <= fit.value * (1 + 1e-6)
