"""The kernels against their closed forms, the ridge solver against singular matrices."""

import subprocess
import sys

import jax
import numpy as np
import pytest
from jax.experimental import enable_x64
from relaxbench.baselines.common import OptionError
from relaxbench.baselines.kernels import BLOCK, FEATURES, kernel_matrix, nngp, ntk
from relaxbench.baselines.weights import ridge_solve
from relaxbench.solvers.problem import Problem


def arc_cosine(kernel, X, Z):
    """Arc-cosine kernels of order 1 and 0 (Cho & Saul 2009) by angles from chords, which keeps parallel rows exact."""
    norms = np.linalg.norm(X, axis=1)[:, None], np.linalg.norm(Z, axis=1)[None, :]
    unit_X, unit_Z = (A / np.where(s.ravel() > 0, s.ravel(), 1)[:, None] for A, s in zip((X, Z), norms, strict=True))
    minus, plus = (np.linalg.norm(unit_X[:, None] + sign * unit_Z[None], axis=2) for sign in (-1, 1))
    theta = 2 * np.arctan2(minus, plus)
    order_1 = norms[0] * norms[1] * (np.sin(theta) + (np.pi - theta) * np.cos(theta)) / (2 * np.pi)
    order_0 = (X @ Z.T) * (np.pi - theta) / (2 * np.pi)
    return (order_1 if kernel == "nngp" else order_1 + order_0) / X.shape[1]


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(0)
    X, Z = rng.normal(size=(7, 3)), rng.normal(size=(4, 3))
    X[2], X[4], Z[1], Z[2] = 0.0, X[1], X[5], 0.0
    return X, Z


@pytest.mark.parametrize("kernel", ["nngp", "ntk"])
def test_kernels_equal_the_arc_cosine_kernels(kernel, rows):
    X, Z = rows
    for left, right, K in ((X, X, kernel_matrix(kernel, X, X)), (X, Z, kernel_matrix(kernel, X, Z))):
        closed = arc_cosine(kernel, left, right)
        np.testing.assert_allclose(K, closed, atol=1e-8, rtol=0)
        # neural-tangents takes the angle's sine from 1 − cos², which loses half the digits where rows are parallel.
        products = np.outer(np.linalg.norm(left, axis=1), np.linalg.norm(right, axis=1))
        crossing = np.abs(left @ right.T) < (1 - 1e-6) * products
        np.testing.assert_allclose(K[crossing], closed[crossing], atol=1e-10, rtol=0)
    wrong = arc_cosine("ntk" if kernel == "nngp" else "nngp", X, X)
    assert np.max(np.abs(kernel_matrix(kernel, X, X) - wrong)) > 0.1


@pytest.mark.parametrize(("method", "kernel"), [(nngp, "nngp"), (ntk, "ntk")])
@pytest.mark.parametrize("ridge", ["absolute", "relative"])
def test_scores_are_ridge_regression_with_the_closed_form(method, kernel, ridge, rows):
    X, Z = rows
    Y = np.random.default_rng(1).normal(size=(7, 2))
    K = arc_cosine(kernel, X, X)
    shift = 0.3 * (1.0 if ridge == "absolute" else np.mean(np.diag(K)))
    fit = method(Problem(X, Y, 0.3), ridge=ridge)
    expected = arc_cosine(kernel, Z, X) @ np.linalg.solve(K + shift * np.eye(7), Y)
    np.testing.assert_allclose(fit.predict(Z), expected, atol=1e-9)
    assert fit.info["ridge"] == pytest.approx(shift)
    assert fit.network is None
    assert fit.value is None


def test_nngp_is_the_mean_of_products_of_random_features(rows):
    X, _ = rows
    features = np.maximum(X @ np.random.default_rng(2).normal(size=(3, 200_000)) / np.sqrt(3), 0.0)
    np.testing.assert_allclose(kernel_matrix("nngp", X, X), features @ features.T / 200_000, atol=0.02)


def test_absolute_ridge_scales_with_the_data_and_relative_does_not(rows):
    X, Z = rows
    Y = np.random.default_rng(1).normal(size=(7, 2))
    for s in (1e-6, 1e3):
        relative = nngp(Problem(X * s, Y, 0.1), ridge="relative").predict(Z * s)
        np.testing.assert_allclose(relative, nngp(Problem(X, Y, 0.1), ridge="relative").predict(Z), rtol=1e-6)
        absolute = nngp(Problem(X * s, Y, 0.1 * s**2)).predict(Z * s)
        np.testing.assert_allclose(absolute, nngp(Problem(X, Y, 0.1)).predict(Z), rtol=1e-6)


@pytest.mark.parametrize("method", [nngp, ntk])
@pytest.mark.parametrize("ridge", ["absolute", "relative"])
def test_nothing_to_learn_from_gives_zero_scores(method, ridge):
    fit = method(Problem(np.zeros((3, 2)), np.ones((3, 1)), 0.1), ridge=ridge)
    np.testing.assert_array_equal(fit.predict(np.ones((2, 2))), np.zeros((2, 1)))


def test_ridge_solve_takes_singular_and_nearly_singular_matrices():
    rng = np.random.default_rng(3)
    G = rng.normal(size=(6, 3))
    K, Y = G @ G.T, G @ rng.normal(size=(3, 2))
    np.testing.assert_allclose(ridge_solve(K, 0.0, K @ Y), np.linalg.pinv(K) @ K @ Y, atol=1e-8)
    np.testing.assert_allclose(ridge_solve(K, 0.5, Y), np.linalg.solve(K + 0.5 * np.eye(6), Y), atol=1e-12)
    np.testing.assert_array_equal(ridge_solve(np.zeros((2, 2)), 0.0, np.ones((2, 1))), np.zeros((2, 1)))


def drawn_weights(seed, d, width):
    """The weights that neural-tangents draws: (d, width), and (width,) for the last layer."""
    from relaxbench.baselines.tangents import stax  # slow, so not at collection

    with enable_x64():
        init, _, _ = stax.serial(stax.Dense(width), stax.Relu(), stax.Dense(1))
        (first, _), _, (last, _) = init(jax.random.PRNGKey(seed), (-1, d))[1]
        return np.asarray(first), np.asarray(last)[:, 0]


def test_kernels_of_finite_width_are_those_of_the_drawn_network(rows):
    X, Z = rows
    W, a = drawn_weights(5, 3, 4)
    H, G = (np.maximum(A @ W / np.sqrt(3), 0) for A in (X, Z))
    on, on_Z = (np.heaviside(A @ W, 0) * a for A in (X, Z))
    tangent = H @ G.T / 4 + (on @ on_Z.T / 4) * (X @ Z.T) / 3
    away = (np.linalg.norm(X, axis=1)[:, None] > 0) & (np.linalg.norm(Z, axis=1) > 0)  # x = 0 sits on the kink
    np.testing.assert_allclose(kernel_matrix("ntk", X, Z, 4, 5)[away], tangent[away], atol=1e-12)


@pytest.mark.thorough
def test_finite_width_goes_to_infinite_width_and_depends_on_the_seed(rows):
    X, _ = rows
    for kernel in ("nngp", "ntk"):
        closed = arc_cosine(kernel, X, X)
        wide, narrow = (kernel_matrix(kernel, X, X, width, 1) for width in (20_000, 3))
        assert np.max(np.abs(wide - closed)) < 0.05 * np.max(closed)
        assert np.max(np.abs(narrow - closed)) > 0.05 * np.max(closed)
        assert not np.allclose(narrow, kernel_matrix(kernel, X, X, 3, 2))
    assert np.linalg.matrix_rank(kernel_matrix("nngp", X, X, 2, 1), tol=1e-10) <= 2


def test_scores_of_finite_width_use_one_draw_for_training_and_new_rows(rows):
    X, Z = rows
    Y = np.random.default_rng(1).normal(size=(7, 2))
    fit = nngp(Problem(X, Y, 0.3), width=5, seed=4)
    K, K_Z = (kernel_matrix("nngp", A, X, 5, 4) for A in (X, Z))
    np.testing.assert_allclose(fit.predict(Z), K_Z @ np.linalg.solve(K + 0.3 * np.eye(7), Y), atol=1e-9)
    with pytest.raises(OptionError, match="width must be an integer"):
        nngp(Problem(X, Y, 0.3), width=0)


def deep(kernel, X, Z, depth, b):
    """The recursion of Jacot et al. 2018 and Lee et al. 2019 layer by layer, W_std = 1 and then √2, biases N(0, b²)."""

    def relu(k, p, q):  # E of φ(f)φ(g) and of φ'(f)φ'(g) for jointly normal f, g
        cosine = np.clip(k / np.sqrt(p * q), -1.0, 1.0)
        theta = np.arccos(cosine)
        return np.sqrt(p * q) * (np.sin(theta) + (np.pi - theta) * cosine) / (2 * np.pi), (np.pi - theta) / (2 * np.pi)

    d = X.shape[1]
    k, p, q = X @ Z.T / d + b**2, np.sum(X**2, 1)[:, None] / d + b**2, np.sum(Z**2, 1)[None] / d + b**2
    tangent = k
    for layer in range(depth):
        weight = 1.0 if layer == depth - 1 else 2.0
        mean, slope = relu(k, p, q)
        tangent = weight * mean + b**2 + weight * slope * tangent
        k, p, q = weight * mean + b**2, weight * p / 2 + b**2, weight * q / 2 + b**2
    return k if kernel == "nngp" else tangent


@pytest.mark.parametrize("kernel", ["nngp", "ntk"])
@pytest.mark.parametrize(("depth", "b"), [(1, 0.0), (1, 1.0), (2, 0.0), (3, 0.5), (5, 1.0)])
def test_deep_kernels_with_biases_equal_the_recursion(kernel, depth, b):
    rng = np.random.default_rng(8)
    X, Z = rng.normal(size=(9, 4)), rng.normal(size=(6, 4))
    found = kernel_matrix(kernel, X, Z, depth=depth, layer_bias=b)
    np.testing.assert_allclose(found, deep(kernel, X, Z, depth, b), atol=1e-10)
    assert np.max(np.abs(found - deep(kernel, X, Z, depth + 1, b))) > 1e-3


def test_blocks_meet_without_a_seam():
    rng = np.random.default_rng(9)
    X, Z = rng.normal(size=(BLOCK + 5, FEATURES + 3)), rng.normal(size=(2 * BLOCK + 1, FEATURES + 3))
    K = kernel_matrix("ntk", X, Z)
    assert K.shape == (BLOCK + 5, 2 * BLOCK + 1)
    np.testing.assert_allclose(K, arc_cosine("ntk", X, Z), atol=1e-10)
    assert kernel_matrix("ntk", X, Z[:0]).shape == (BLOCK + 5, 0)


@pytest.mark.parametrize("method", [nngp, ntk])
def test_one_decomposition_serves_every_ridge(method, rows):
    X, Z = rows
    Y = np.random.default_rng(1).normal(size=(7, 2))
    warm = None
    for gamma in (10.0, 0.1, 1e-3):
        warm = method(Problem(X, Y, gamma), warm=warm)
        np.testing.assert_allclose(warm.predict(Z), method(Problem(X, Y, gamma)).predict(Z), atol=1e-9)
    assert warm.predict.spectrum is not None
    other = method(Problem(X + 1.0, Y, 0.1), warm=warm)
    assert other.predict.spectrum is None
    np.testing.assert_allclose(other.predict(Z), method(Problem(X + 1.0, Y, 0.1)).predict(Z), atol=1e-12)


def test_the_bias_of_the_layers_is_in_units_of_the_data(rows):
    X, Z = rows
    Y = np.random.default_rng(1).normal(size=(7, 2))
    options = {"ridge": "relative", "depth": 2, "layer_bias": 0.7}
    small, large = (ntk(Problem(s * X, Y, 0.1), **options).predict(s * Z) for s in (1.0, 1e3))
    np.testing.assert_allclose(small, large, rtol=1e-8)


def test_drawn_networks_have_one_layer_and_no_bias(rows):
    for options in ({"depth": 2}, {"layer_bias": 0.1}):
        with pytest.raises(OptionError, match="depth must be 1 and layer_bias 0 for ntk of finite width"):
            ntk(Problem(rows[0], np.ones((7, 1)), 0.1), width=3, **options)


@pytest.mark.slow
def test_a_fit_prints_nothing():
    code = (
        "import numpy as np; from relaxbench.baselines.kernels import nngp;"
        "from relaxbench.solvers.problem import Problem; nngp(Problem(np.eye(2), np.eye(2), 0.1))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout + done.stderr == ""


def test_nobody_waits_for_tensorflow_and_whoever_wants_its_part_of_neural_tangents_gets_it():
    names = ("tensorflow", "neural_tangents.experimental")
    code = f"import sys, relaxbench.baselines.tangents; print(*[name in sys.modules for name in {names}])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout.split(), done.stderr) == (["False", "False"], "")
