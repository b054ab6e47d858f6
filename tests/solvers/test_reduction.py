"""Facial reduction: the merged problem is the user's problem, for every network, moment matrix and dual point."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from relaxbench.solvers.network import Network, ProblemError
from relaxbench.solvers.problem import Problem
from relaxbench.solvers.reduced.dual import quadratic_form, user_point
from relaxbench.solvers.reduced.reduction import parallel_rows, reduce

from ..support.cases import awkward, literal_factor


def messy(seed: int, n: int, d: int, c: int, kinds: list[str]) -> Problem:
    """Random rows followed by one row of each kind, in random order."""
    rng = np.random.default_rng(seed)
    rows = list(rng.standard_normal((n, d)))
    for kind in kinds:
        model = rows[rng.integers(n)]
        factor = {"duplicate": 1.0, "parallel": 3.7, "opposite": -0.3, "zero": 0.0, "tiny": 1e-20}[kind]
        rows.append(factor * model)
    X = np.array(rows)[rng.permutation(len(rows))]
    return Problem(X, rng.standard_normal((len(X), c)), 0.1)


problems = st.builds(
    messy,
    st.integers(0, 10**6),
    st.integers(1, 5),
    st.integers(1, 6),
    st.integers(1, 3),
    st.lists(st.sampled_from(["duplicate", "parallel", "opposite", "zero", "tiny"]), max_size=6),
)
RANK_DEFICIENT = Problem(
    np.random.default_rng(1).standard_normal((6, 2)) @ [[1, 0, 2, 1], [0, 1, -1, 1]], np.eye(6), 0.1
)
CASES = {name: problem for name, problem in awkward().items() if problem.X.any()} | {
    "rank deficient": RANK_DEFICIENT,
    "everything at once": messy(3, 4, 3, 2, ["zero", "duplicate", "opposite", "opposite", "parallel", "duplicate"]),
}


def in_row_space(reduced, U):
    return reduced.basis @ (reduced.basis.T @ U)


def reduced_neurons(reduced, network):
    """(s, u, v) rows (n+d+c, m) of a network whose u lie in the row space, in the reduced problem's units."""
    scale = np.sqrt(reduced.kappa / reduced.sigma)
    u = reduced.basis.T @ network.U / scale
    return np.vstack([np.abs(reduced.X @ u), u, network.V.T / scale])


def reduced_objective(reduced, neurons):
    """½ Σ w_r ‖F_r − ȳ_r‖² + γ/2 (tr U + tr V) + constant, as the docstring of Reduced states it."""
    n, d = reduced.n, reduced.d
    s, u, v = neurons[:n], neurons[n : n + d], neurons[n + d :]
    F = np.vstack([(s + reduced.X @ u) / 2 @ v.T, (s - reduced.X @ u) / 2 @ v.T])
    loss = 0.5 * np.sum(reduced.weight[:, None] * (F - reduced.target) ** 2)
    return loss + 0.5 * reduced.gamma * (np.sum(u**2) + np.sum(v**2)) + reduced.constant


def check_objective(problem, rng):
    reduced = reduce(problem)
    scale = np.sqrt(problem.scaled.kappa / problem.scaled.sigma)
    U = in_row_space(reduced, rng.standard_normal((problem.d, 4))) * scale
    network = Network(U, rng.standard_normal((4, problem.c)) * scale)
    expected = problem.objective(network)
    found = reduced.unit * reduced_objective(reduced, reduced_neurons(reduced, network))
    assert found == pytest.approx(expected, rel=1e-11)


def check_shape(problem):
    """What makes the reduced problem strictly feasible."""
    reduced = reduce(problem)
    gram = reduced.X.T @ reduced.X
    np.testing.assert_allclose(gram, np.diag(np.diag(gram)), atol=1e-12 * reduced.n)
    assert np.all(np.diag(gram) > 0)
    assert reduced.X.shape[1] == np.linalg.matrix_rank(problem.X)
    np.testing.assert_allclose(reduced.basis.T @ reduced.basis, np.eye(reduced.d), atol=1e-12)
    unit = reduced.X / np.linalg.norm(reduced.X, axis=1, keepdims=True)
    cosine = np.abs(unit @ unit.T)
    assert np.all(cosine[np.triu_indices(reduced.n, 1)] < 1)
    live = reduced.rep >= 0
    merged = reduced.coef[live, None] * (reduced.X @ reduced.basis.T)[reduced.rep[live]] * reduced.sigma
    np.testing.assert_allclose(merged, problem.X[live], atol=1e-9 * np.abs(problem.X).max())
    assert np.all(np.linalg.norm(problem.X[~live], axis=1) <= 1e-12 * np.linalg.norm(problem.X, axis=1).max())
    assert not reduced.coef[~live].any()


@pytest.mark.parametrize("name", CASES)
def test_the_reduced_objective_is_the_users(name):
    check_shape(CASES[name])
    check_objective(CASES[name], np.random.default_rng(0))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(problems)
def test_the_reduced_objective_is_the_users_for_any_mixture_of_rows(problem):
    check_shape(problem)
    check_objective(problem, np.random.default_rng(0))


@settings(max_examples=40, deadline=None, derandomize=True)
@given(problems, st.integers(0, 10**6))
def test_neurons_come_back_as_the_users_neurons(problem, seed):
    reduced, rng = reduce(problem), np.random.default_rng(seed)
    U = in_row_space(reduced, rng.standard_normal((problem.d, 3)))
    network = Network(U, rng.standard_normal((3, problem.c)))
    back = reduced.factor_back(reduced_neurons(reduced, network))
    np.testing.assert_allclose(back, np.vstack([np.abs(problem.X @ U), U, network.V.T]), atol=1e-12)
    α = literal_factor(problem, back)[: problem.n]
    np.testing.assert_allclose(α, np.maximum(problem.X @ U, 0), atol=1e-12)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(problems, st.integers(0, 10**6))
def test_any_factor_comes_back_with_its_objective_and_its_constraints(problem, seed):
    """Not only neurons: for any R, Z = RRᵀ has the objective of the literal Λ that factor_back gives."""
    reduced, rng = reduce(problem), np.random.default_rng(seed)
    R = rng.standard_normal((reduced.n + reduced.d + reduced.c, 5))
    W = literal_factor(problem, reduced.factor_back(R))
    n, d = problem.n, problem.d
    α, u, v = W[:n], W[2 * n : 2 * n + d], W[2 * n + d :]
    live = reduced.rep >= 0  # what is not a multiple of a representative takes no part in the fit
    literal = 0.5 * np.sum((live[:, None] * (α @ v.T) - problem.Y) ** 2)
    literal += problem.gamma / 2 * (np.sum(u**2) + np.sum(v**2))
    assert reduced.unit * reduced_objective(reduced, R) == pytest.approx(literal, rel=1e-10)
    s, Xu = R[: reduced.n], reduced.X @ R[reduced.n : reduced.n + reduced.d]
    a, b = (s + Xu) / 2, (s - Xu) / 2
    np.testing.assert_allclose(a - b, reduced.X @ R[reduced.n : reduced.n + reduced.d], atol=1e-12)
    factor = np.sqrt(reduced.kappa * reduced.sigma) * np.abs(reduced.coef[live, None])
    side = np.where(reduced.coef[live, None] > 0, a[reduced.rep[live]], b[reduced.rep[live]])
    np.testing.assert_allclose(α[live], factor * side, atol=1e-11)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(problems, st.integers(0, 10**6))
def test_theta_comes_back_with_its_sums_and_its_dual_objective(problem, seed):
    reduced, rng = reduce(problem), np.random.default_rng(seed)
    theta = np.where(reduced.weight[:, None] > 0, rng.standard_normal(reduced.target.shape), 0.0)
    back = reduced.theta_back(theta, problem.Y)
    sums = np.zeros_like(theta)
    for k in np.flatnonzero(reduced.rep >= 0):
        sums[reduced.rep[k] + (0 if reduced.coef[k] > 0 else reduced.n)] += abs(reduced.coef[k]) * back[k]
    np.testing.assert_allclose(sums, reduced.kappa * theta, atol=1e-11)
    assert np.array_equal(back[reduced.rep < 0], problem.Y[reduced.rep < 0])
    live = reduced.weight > 0
    dual = np.sum(theta * reduced.target) - 0.5 * np.sum(theta[live] ** 2 / reduced.weight[live, None])
    expected = reduced.unit * (dual + reduced.constant)
    assert np.sum(back * problem.Y) - 0.5 * np.sum(back**2) == pytest.approx(expected, rel=1e-10, abs=1e-12)
    # No other Θ with these sums has a larger dual objective: the change that remains is orthogonal to Y − Θ.
    other = back + rng.standard_normal(back.shape)
    for r in range(reduced.n):
        for side in (reduced.coef > 0, reduced.coef < 0):
            k = np.flatnonzero((reduced.rep == r) & side)
            if len(k):
                direction = reduced.coef[k] / np.linalg.norm(reduced.coef[k])
                other[k] -= np.outer(direction, direction @ (other[k] - back[k]))
    other[reduced.rep < 0] = back[reduced.rep < 0]
    change = other - back
    assert np.sum(change * (problem.Y - back)) == pytest.approx(0, abs=1e-10 * (1 + np.sum(np.abs(change))))


@settings(max_examples=40, deadline=None, derandomize=True)
@given(problems, st.integers(0, 10**6))
def test_a_dual_point_on_the_users_rows_says_the_same_on_the_merged_ones(problem, seed):
    """‖Θᵀα‖² + γ (α, β)ᵀT(α, β) − γ Σ z_i (s_i² − (Xu)_i²) for the user's (s, u) is (s, u)ᵀB(s, u), reduced."""
    reduced, rng = reduce(problem), np.random.default_rng(seed)
    n = problem.n
    theta, z, T = rng.standard_normal(problem.Y.shape), rng.standard_normal(n), rng.random((2 * n, 2 * n))
    point = user_point(reduced, problem.gamma, theta, T + T.T, z)
    i = np.arange(reduced.n)
    assert not point.T[i, reduced.n + i].any()  # what T says of α_i β_i is z's to say
    B = quadratic_form(reduced, point, point.z)
    R = rng.standard_normal((reduced.n + reduced.d + reduced.c, 1))
    s, u, _ = np.split(reduced.factor_back(R)[:, 0], [n, n + problem.d])
    live = reduced.rep >= 0
    Xu = live * (problem.X @ u)
    α, β = (s + Xu) / 2, (s - Xu) / 2
    αβ = np.r_[α, β]
    literal = np.sum((theta.T @ α) ** 2) / problem.gamma + αβ @ (T + T.T) @ αβ - np.sum(z * (s**2 - Xu**2))
    su = R[: reduced.n + reduced.d, 0]
    unit = reduced.kappa**3 * reduced.sigma  # Θ² is in κ², (s, u) in κσ
    assert unit * (su @ B @ su) == pytest.approx(problem.gamma * literal, rel=1e-9, abs=1e-9)


def test_parallel_rows_are_found_with_their_factors():
    X = np.array([[1.0, 2.0], [0.0, 0.0], [-2.0, -4.0], [1.0, 2.0 + 1e-3], [0.5, 1.0], [3.0, 6.0 + 3e-3]])
    rep, coef = parallel_rows(X)
    assert rep.tolist() == [0, -1, 0, 3, 0, 3]
    np.testing.assert_allclose(coef, [1, 0, -2, 1, 0.5, 3])


@pytest.mark.parametrize("angle", [1e-9, 1e-5, 1e-3])
def test_rows_within_the_angle_are_one_and_others_are_not(angle):
    base, side = np.array([[0.6, 0.8]]), np.array([[-0.8, 0.6]])
    for share in (1e-3, 0.4, 0.9, 1.1, 3.0, 100.0):
        turned = base + share * angle * side
        rep, coef = parallel_rows(np.vstack([base, 5 * turned, -2 * turned]), angle)
        assert rep.tolist() == ([0, 0, 0] if share < 1 else [0, 1, 1])
        np.testing.assert_allclose(coef, [1, 5, -2] if share < 1 else [1, 1, -0.4], rtol=1e-5)


def test_what_is_merged_unasked_is_near():
    """Rows that differ in the fourth digit stay apart."""
    problem = Problem([[1.0, 2.0], [1.0, 2.001]], [[1.0], [0.0]], 0.1)
    assert reduce(problem).n == 2
    assert reduce(problem, parallel=1e-2).n == 1


def test_nothing_but_zero_rows_is_refused():
    with pytest.raises(ProblemError, match="a row that is not zero"):
        reduce(Problem(np.zeros((3, 2)), np.ones((3, 1)), 0.1))


def test_merging_weighs_rows_by_the_square_of_their_factor():
    """x, 2x, −3x with targets y₁, y₂, y₃ worked out by hand."""
    Y = np.array([[1.0], [4.0], [5.0]])
    reduced = reduce(Problem([[1.0], [2.0], [-3.0]], Y, 0.1))
    np.testing.assert_allclose(reduced.weight, [5.0, 9.0])
    np.testing.assert_allclose(reduced.kappa * reduced.target[:, 0], [(1 + 8) / 5, 15 / 9])
    # ½ min_f (f − 1)² + (2f − 4)² = ½ · 4/5
    assert reduced.unit * reduced.constant == pytest.approx(0.4)
