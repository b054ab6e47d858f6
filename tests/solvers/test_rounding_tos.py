"""The vectorised splitting against the published one, written out with dense p × p matrices."""

import numpy as np
import pytest
from relaxbench.datasets import load
from relaxbench.solvers.network import Network
from relaxbench.solvers.problem import Problem
from relaxbench.solvers.relaxation import Relaxation
from relaxbench.solvers.rounding import ROUNDINGS
from relaxbench.solvers.rounding.coordinates import KernelBasis, complementary
from relaxbench.solvers.rounding.tos import round_tos
from relaxbench.solvers.sdp import relax

from ..support.cases import literal_factor


def random_problem(rng, n, d, c, gamma=0.1):
    X = rng.standard_normal((n, d))
    Y = np.maximum(X @ rng.standard_normal((d, 50)), 0) @ rng.standard_normal((50, c)) / 5
    return Problem(X, Y, gamma)


def perturbed_networks(problem, rng, neurons=5):
    """A Λ* like a relaxation's: the lift of a network, not quite feasible any more, of rank `neurons`."""
    U, V = rng.standard_normal((problem.d, neurons)), rng.standard_normal((neurons, problem.c))
    factor = np.vstack([np.abs(problem.X @ U), U, V.T])
    return Relaxation(factor + 0.2 * rng.standard_normal(factor.shape), 0.0)


def constraint_matrix(problem):
    n, c = problem.n, problem.c
    return np.hstack([-np.eye(n), np.eye(n), problem.X, np.zeros((n, c))])


def published(problem, lifted, width, iterations, step=0.75):
    """The iterates W (p, width) of the paper's algorithm as it is printed, with nothing rearranged."""
    n, p = problem.n, len(lifted)
    M = constraint_matrix(problem)
    onto_kernel = np.eye(p) - np.linalg.pinv(M) @ M
    values, vectors = np.linalg.eigh(lifted)
    values, vectors = values[::-1], vectors[:, ::-1]
    vectors = vectors * np.where(vectors[: 2 * n].sum(axis=0) < 0, -1, 1)  # the sign of an eigenvector is free
    Z = np.zeros((p, width))
    rank = min(width, int(np.sum(values > 1e-10 * values[0])))
    Z[:, :rank] = vectors[:, :rank] * np.sqrt(values[:rank])
    eta = step / np.linalg.norm(lifted)
    for _ in range(iterations):
        W = onto_kernel @ Z
        yield W
        V = 2 * W - Z - 2 * eta * ((W @ W.T) @ W - lifted @ W)
        for j in range(width):
            for i in range(n):
                a, b = max(V[i, j], 0.0), max(V[n + i, j], 0.0)
                V[i, j], V[n + i, j] = (a, 0.0) if a >= b else (0.0, b)
        Z = Z - W + V


def weights(problem, W):
    n, d = problem.n, problem.d
    return Network(W[2 * n : 2 * n + d], W[2 * n + d :].T)


@pytest.mark.parametrize("width", [3, 12])
@pytest.mark.parametrize(("step", "iterations"), [(0.75, 25), (0.4, 200)])
def test_every_iterate_is_the_published_one(width, step, iterations):
    # at the published step 0.75 the iteration is unstable: rounding errors grow tenfold every six iterations
    rng = np.random.default_rng(1)
    problem = random_problem(rng, 8, 3, 2)
    relaxation = perturbed_networks(problem, rng)
    W = literal_factor(problem, relaxation.factor)
    fit = round_tos(problem, relaxation, width=width, seed=0, step=step, iterations=iterations)
    dense = [weights(problem, W) for W in published(problem, W @ W.T, width, iterations, step)]
    np.testing.assert_allclose([row.value for row in fit.trace], [problem.objective(w) for w in dense], rtol=1e-8)
    rank = min(width, 5)
    np.testing.assert_allclose(fit.iterates[0].U, dense[0].U[:, :rank], atol=1e-9)
    np.testing.assert_allclose(fit.iterates[0].V, dense[0].V[:rank], atol=1e-9)
    assert fit.network.width == width
    assert not fit.network.U[:, rank:].any()  # beyond the rank of Λ* nothing ever moves,
    assert not dense[-1].U[:, rank:].any()  # as published


def test_published_step_and_iterations_are_the_default():
    rng = np.random.default_rng(1)
    problem = random_problem(rng, 8, 3, 2)
    relaxation = perturbed_networks(problem, rng)
    named = ROUNDINGS["tos"](problem, relaxation, width=3, seed=0)
    spelt = round_tos(problem, relaxation, width=3, seed=0, step=0.75, iterations=1000)
    assert named.value == spelt.value
    assert len(named.trace) == 1000


def test_keeps_the_iterate_of_least_training_objective():
    rng = np.random.default_rng(2)
    problem = random_problem(rng, 10, 2, 3)
    fit = ROUNDINGS["tos"](problem, perturbed_networks(problem, rng), width=8, seed=0)
    values = [row.value for row in fit.trace]
    assert fit.value == min(values) == problem.objective(fit.network)
    assert fit.value < values[0]
    assert 50 <= len(fit.iterates) <= 100


def test_a_lift_of_a_network_is_rounded_to_itself():
    # feasible, one neuron: Λ* = λλᵀ is a fixed point of the splitting, which a step within the bound does not leave
    rng = np.random.default_rng(3)
    problem = random_problem(rng, 9, 3, 2)
    U, V = rng.standard_normal((3, 1)), rng.standard_normal((1, 2))
    relaxation = Relaxation(np.vstack([np.abs(problem.X @ U), U, V.T]), 0.0)
    for name in ("tos-spread", "factor"):
        network = ROUNDINGS[name](problem, relaxation, width=4, seed=0).network
        np.testing.assert_allclose(network.predict(problem.X), np.maximum(problem.X @ U, 0) @ V, atol=1e-9)


def columns(parts):
    """α, β, u and v under one another, (p, R), from σ = α + β, τ = α − β, u and v."""
    σ, τ, u, v = parts
    return np.vstack([(σ + τ) / 2, (σ - τ) / 2, u, v])


def parts(problem, columns):
    n, d = problem.n, problem.d
    α, β, u, v = np.split(columns, [n, 2 * n, 2 * n + d])
    return α + β, α - β, u, v


@pytest.mark.parametrize(("n", "d"), [(7, 3), (3, 6)])
def test_coordinates_are_an_isometry_onto_the_kernel(n, d):
    rng = np.random.default_rng(4)
    problem = Problem(10 * rng.standard_normal((n, d)), rng.standard_normal((n, 2)), 0.1)
    basis, M = KernelBasis.of(problem), constraint_matrix(problem)
    w = rng.standard_normal((n + d + 2, 4))
    lifted = columns(basis.lift(w))
    np.testing.assert_allclose(basis.coordinates(*basis.lift(w)), w, atol=1e-10)
    np.testing.assert_allclose(lifted.T @ lifted, w.T @ w, atol=1e-10)
    np.testing.assert_allclose(M @ lifted, 0, atol=1e-10)

    def project(A):
        return columns(basis.lift(basis.coordinates(*parts(problem, A))))

    A, B = rng.standard_normal((2, 2 * n + d + 2, 5))
    np.testing.assert_allclose(project(A), A - np.linalg.pinv(M) @ (M @ A), atol=1e-10)
    np.testing.assert_allclose(project(project(A)), project(A), atol=1e-10)
    assert np.sum(project(A) * B) == pytest.approx(np.sum(A * project(B)))


def test_complementary_projection_is_the_nearest_point():
    a, b = np.random.default_rng(5).standard_normal((2, 6, 40))
    σ, τ = complementary(a + b, a - b)
    α, β = (σ + τ) / 2, (σ - τ) / 2
    assert min(α.min(), β.min()) >= 0
    assert not (α * β).any()
    candidates = [(np.maximum(a, 0), 0 * b), (0 * a, np.maximum(b, 0))]
    nearest = np.min([(x - a) ** 2 + (y - b) ** 2 for x, y in candidates], axis=0)
    np.testing.assert_allclose((α - a) ** 2 + (β - b) ** 2, nearest, atol=1e-14)


def test_spread_factor_has_the_same_product():
    rng = np.random.default_rng(6)
    problem = random_problem(rng, 8, 3, 2)
    basis = KernelBasis.of(problem)
    relaxation = perturbed_networks(problem, rng)
    W = literal_factor(problem, relaxation.factor)
    factor = basis.eigenfactor(problem, relaxation.factor)
    assert factor.shape[1] == 5
    assert np.all(np.diff(np.linalg.norm(factor, axis=0)) <= 0)
    wide = basis.spread(factor, 20, rng)
    for each in (factor, wide):
        lifted = columns(basis.lift(each))
        np.testing.assert_allclose(lifted @ lifted.T, W @ W.T, atol=1e-9)
    assert (np.linalg.norm(wide, axis=0) > 0).all()


@pytest.mark.slow
@pytest.mark.parametrize(("name", "seed"), [("random", 0), ("random", 1), ("random", 2), ("spiral", 0)])
@pytest.mark.parametrize("gamma", [0.1, 0.01])
def test_loss_is_no_worse_than_the_published_procedure_at_width_300(name, seed, gamma):
    data = load(name, seed=seed, **({"n": 25} if name == "random" else {"points": 7}))
    problem = Problem(data.X_train, data.Y_train, gamma)
    relaxation = relax(problem)
    W = literal_factor(problem, relaxation.factor)
    dense = min(problem.objective(weights(problem, W)) for W in published(problem, W @ W.T, 300, 1000))
    found = problem.objective(ROUNDINGS["tos"](problem, relaxation, width=300, seed=0).network)
    assert found <= dense * (1 + 1e-3)


def test_the_step_for_mnist_is_the_published_one():
    rng = np.random.default_rng(1)
    problem = random_problem(rng, 6, 2, 2)
    relaxation = perturbed_networks(problem, rng)
    named = ROUNDINGS["tos-mnist"](problem, relaxation, width=3, seed=0)
    W = literal_factor(problem, relaxation.factor)
    dense = [problem.objective(weights(problem, W)) for W in published(problem, W @ W.T, 3, 100, step=0.1)]
    np.testing.assert_allclose([row.value for row in named.trace[:100]], dense, rtol=1e-8)
    assert len(named.trace) == 10_000
