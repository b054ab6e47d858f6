"""The entrywise constraints, their adjoint and the objective without v, against explicit matrices."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from relaxbench.solvers.ipm.entries import coefficients, entries, most_used, scatter
from relaxbench.solvers.ipm.start import start
from relaxbench.solvers.problem import Problem
from relaxbench.solvers.reduced.kernel import kernel_value, kernel_values
from relaxbench.solvers.reduced.lift import adjoint, inequalities, lift, project
from relaxbench.solvers.reduced.reduction import reduce
from scipy.linalg import block_diag

from ..support.cases import awkward, noise

SIZES = [(1, 1, 0), (1, 1, 1), (4, 2, 0), (3, 5, 2), (6, 3, 4)]


def generators(X, k):
    """blkdiag(N, I_k) with N mapping (s, u) to (α, β) = ((s + Xu)/2, (s − Xu)/2)."""
    identity = np.eye(len(X))
    return block_diag(np.block([[identity, X], [identity, -X]]) / 2, np.eye(k))


def symmetric(rng, size):
    A = rng.standard_normal((size, size))
    return A + A.T


@pytest.mark.parametrize(("n", "d", "k"), SIZES)
def test_the_maps_are_products_with_n(n, d, k):
    rng = np.random.default_rng(n)
    X, Z, K = rng.standard_normal((n, d)), symmetric(rng, n + d + k), symmetric(rng, 2 * n + k)
    N = generators(X, k)
    np.testing.assert_allclose(lift(X, Z), N @ Z @ N.T, atol=1e-13)
    np.testing.assert_allclose(adjoint(X, K), N.T @ K @ N, atol=1e-13)
    columns = rng.standard_normal((2 * n, 3))
    np.testing.assert_allclose(project(X, columns), generators(X, 0).T @ columns, atol=1e-13)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(1, 6), st.integers(1, 6), st.integers(0, 3), st.integers(-8, 8), st.integers(0, 10**6))
def test_adjoint_is_the_adjoint_of_lift(n, d, k, power, seed):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d)) * 10.0**power
    Z, K = symmetric(rng, n + d + k), symmetric(rng, 2 * n + k)
    left, right = lift(X, Z) * K, Z * adjoint(X, K)
    assert np.sum(left) == pytest.approx(np.sum(right), abs=1e-13 * (np.abs(left).sum() + np.abs(right).sum()))


def test_a_neuron_lifts_to_its_two_halves():
    rng = np.random.default_rng(2)
    X, u = rng.standard_normal((5, 3)), rng.standard_normal(3)
    su = np.r_[np.abs(X @ u), u]
    αβ = np.r_[np.maximum(X @ u, 0), np.maximum(-X @ u, 0)]
    np.testing.assert_allclose(lift(X, np.outer(su, su)), np.outer(αβ, αβ), atol=1e-13)


CASES = [name for name, problem in awkward().items() if problem.X.any()]


@pytest.mark.parametrize("name", CASES)
def test_kernel_value_is_the_ridge_regression_on_explicit_features(name):
    """min over V of ½ Σ w_r ‖H_r V − ȳ_r‖² + γ/2 (‖V‖² + ‖U‖²), E = RRᵀ, H the (α, β)-rows of N R, by least squares."""
    reduced, rng = reduce(awkward()[name]), np.random.default_rng(0)
    R = rng.standard_normal((reduced.n + reduced.d, 4))
    H, root = generators(reduced.X, 0) @ R, np.sqrt(reduced.weight)[:, None]
    tall = np.vstack([root * H, np.sqrt(reduced.gamma) * np.eye(4)])
    V = np.linalg.lstsq(tall, np.vstack([root * reduced.target, np.zeros((4, reduced.c))]), rcond=None)[0]
    residual = reduced.target - H @ V
    penalty = reduced.gamma / 2 * (np.sum(V**2) + np.sum(R[reduced.n :] ** 2))
    value, theta = kernel_value(reduced, R @ R.T)
    assert value == pytest.approx(0.5 * np.sum((root * residual) ** 2) + penalty + reduced.constant, rel=1e-9)
    np.testing.assert_allclose(theta, root**2 * residual, atol=1e-7 * np.abs(reduced.target).max())


@pytest.mark.parametrize("gamma", [1e-6, 0.1, 1e3])
def test_kernel_value_is_the_papers_trace_formula(gamma):
    """Formulation: γ/2 [tr Yᵀ(γI + K_αα)⁻¹Y + tr K_uu], on rows that need no merging."""
    problem = noise(4, 5, 2, 3, gamma)
    reduced, scaled = reduce(problem), problem.scaled.problem
    E = symmetric(np.random.default_rng(1), 7)
    E = E @ E
    K = (generators(reduced.X, 0) @ E @ generators(reduced.X, 0).T)[:5, :5]
    inverse = np.linalg.inv(scaled.gamma * np.eye(5) + K)
    expected = scaled.gamma / 2 * (np.trace(scaled.Y.T @ inverse @ scaled.Y) + np.trace(E[5:, 5:]))
    assert kernel_value(reduced, E)[0] == pytest.approx(expected, rel=1e-9)


def test_a_matrix_far_from_positive_semidefinite_has_no_kernel_value():
    reduced = reduce(noise(4, 5, 2, 3))
    with pytest.raises(np.linalg.LinAlgError):
        kernel_value(reduced, -100 * np.eye(7))


def nearly_parallel():
    problem = noise(6, 4, 3, 2)
    return Problem(np.vstack([problem.X, 2 * problem.X + 1e-6]), np.vstack([problem.Y, problem.Y]), 0.1)


@pytest.mark.parametrize("name", [*CASES, "nearly parallel"])
def test_the_start_is_strictly_feasible(name):
    reduced = reduce(nearly_parallel() if name == "nearly parallel" else awkward()[name])
    E, n = start(reduced), reduced.n
    N = generators(reduced.X, 0)
    moments = N @ E @ N.T
    size = np.sqrt(np.outer(np.diag(moments), np.diag(moments)))
    i = np.arange(n)
    inside = ~np.eye(2 * n, dtype=bool)
    inside[i, n + i] = inside[n + i, i] = False
    assert np.linalg.eigvalsh(E)[0] > 0
    assert np.all(moments[inside] > 1e-14 * size[inside])
    np.testing.assert_allclose(moments[i, n + i], 0, atol=1e-14 * size.max())


@pytest.mark.parametrize("shape", [(1, 1, 1), (5, 2, 3), (4, 6, 1)])
def test_pairs_are_read_and_written_as_the_whole_matrix_is(shape):
    n, d, c = shape
    rng = np.random.default_rng(0)
    X, Z = rng.standard_normal((n, d)), rng.standard_normal((n + d + c, n + d + c))
    Z, forms = Z + Z.T, coefficients(n)
    i, j = (each.ravel() for each in np.meshgrid(np.arange(2 * n), np.arange(2 * n + c), indexing="ij"))
    np.testing.assert_allclose(entries(X, forms, Z, i, j), lift(X, Z)[i, j], atol=1e-13)
    y, K = rng.standard_normal(len(i)), np.zeros((2 * n + c, 2 * n + c))
    np.add.at(K, (i, j), y / 2)
    np.testing.assert_allclose(scatter(X, forms, n + d + c, i, j, y), adjoint(X, K + K.T), atol=1e-13)


def test_what_a_step_uses_up_is_found_among_the_excluded():
    n, d = 6, 3
    rng = np.random.default_rng(1)
    X, step = rng.standard_normal((n, d)), rng.standard_normal((n + d, n + d))
    step, excluded = step + step.T, inequalities(n) & (rng.random((2 * n, 2 * n)) < 0.7)
    slack = np.abs(rng.standard_normal((2 * n, 2 * n)))
    use = np.where(excluded, -lift(X, step) / np.maximum(slack, 0.1), 0.0).ravel()
    found, used, most = most_used(X, step, slack, excluded, 0.1, 1.5)
    order = np.argsort(found)
    np.testing.assert_array_equal(found[order], np.flatnonzero(use > 1.5))
    np.testing.assert_allclose(used[order], use[use > 1.5])
    assert most == pytest.approx(use.max())


def test_the_objective_of_multiples_is_that_of_each():
    reduced = reduce(noise(0, 7, 3, 2))
    E, scales = start(reduced), np.logspace(-6, 6, 9)
    each = [kernel_value(reduced, scale * E)[0] for scale in scales]
    np.testing.assert_allclose(kernel_values(reduced, E, scales), each, rtol=1e-9)
