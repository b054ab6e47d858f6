"""The safe bound: below the optimum for any dual point whatever, and close to it for a good one."""

from fractions import Fraction
from functools import cache

import cvxpy as cp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from relaxbench.solvers.certificates.nothing import trivial_certificate
from relaxbench.solvers.certificates.quadratic import certify, lower_bound, prove
from relaxbench.solvers.conic.reduced import solve_reduced
from relaxbench.solvers.ipm.loop import interior_point
from relaxbench.solvers.problem import Problem
from relaxbench.solvers.reduced.dual import (
    DualPoint,
    dual_maximum,
    dual_value,
    maximum,
    quadratic_form,
    sharpen,
    sharper,
)
from relaxbench.solvers.reduced.reduction import parallel_rows, reduce

from ..support.cases import circle_maximum, noise, quarter_turns, sampled_maximum, tight, train

ROUNDING = 1e-12  # of our own arithmetic in the closed forms


@cache
def pool():
    """Problems with an upper bound on p*(∞): known ones first, then from training."""
    cases = [(planted.problem, planted.optimum) for planted in tight().values()]
    cases += [(planted.problem, planted.optimum) for planted in map(quarter_turns, range(2))]
    plane = noise(1, 6, 2, 2)
    merged = Problem(np.vstack([plane.X, -2 * plane.X[:3], plane.X[:2], 0 * plane.X[:1]]), np.eye(12)[:, :4], 0.05)
    for problem in (plane, merged, *(noise(d, 6, d, 2, 0.3) for d in (3, 4, 5, 6))):
        cases.append((problem, problem.objective(train(problem, width=12, starts=4, seed=0))))
    return cases


@cache
def solution(index):
    """The reduced problem and a good dual point."""
    reduced = reduce(pool()[index][0])
    point = solve_reduced(reduced, backend="clarabel").point
    return reduced, point


powers = st.one_of(st.none(), st.integers(-8, 8))


@st.composite
def garbage(draw):
    """(index into the pool, dual point): each part a multiple of a good one plus noise of any sign and size."""
    index = draw(st.integers(0, len(pool()) - 1))
    reduced, good = solution(index)
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    parts = []
    for array in (good.theta, good.T, good.z):
        keep = draw(st.sampled_from([1.0, 0.0, -1.0, 0.5, 2.0, 1e8, 1e-8]))
        power, density = draw(powers), draw(st.sampled_from([1.0, 0.3]))
        noise = rng.standard_normal(array.shape) * (rng.random(array.shape) < density)
        parts.append(keep * array + (0.0 if power is None else noise * 10.0**power))
    theta, T, z = parts
    if draw(st.booleans()):
        T = (T + T.T) / 2
    if draw(st.booleans()):
        z = np.abs(z)
    if draw(st.booleans()):
        return index, sharpen(reduced, DualPoint(theta, np.maximum(T + T.T, 0), z), rounds=5)
    return index, DualPoint(theta, T, z)


@pytest.mark.thorough
@settings(max_examples=50, deadline=None, derandomize=True)
@given(garbage())
def test_garbage_never_proves_too_much(case):
    index, point = case
    problem, upper = pool()[index]
    reduced = solution(index)[0]
    certificate = certify(problem, reduced, point)
    assert reduced.unit * reduced.constant * (1 - 1e-9) <= certificate.lower_bound <= upper * (1 + ROUNDING)
    eta = prove(certificate.theta, problem.X, certificate.proof)
    assert not np.isnan(eta)
    seen = sampled_maximum(certificate.theta, problem.X, np.random.default_rng(0), count=100)
    assert eta >= seen * (1 - ROUNDING)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(*(st.integers(1, k) for k in (5, 2, 3)), *(st.integers(-8, 8) for _ in range(3)), st.integers(0, 10**6))
def test_the_proved_maximum_covers_the_circle(n, d, c, theta_power, T_power, z_power, seed):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d))
    X = np.vstack([X, -0.5 * X[: n // 2], 3 * X[:1]])
    rep, coef = parallel_rows(X)
    rows, rep = np.unique(rep, return_inverse=True)
    m = len(rows)
    row, column = np.nonzero(np.triu(rng.random((2 * m, 2 * m)) < 0.3, 1) & ~np.eye(2 * m, k=m, dtype=bool))
    theta, T = rng.standard_normal((len(X), c)) * 10.0**theta_power, rng.random(len(row)) * 10.0**T_power
    # Large enough for −B_ss ≻ 0 by diagonal dominance.
    z = np.full(m, 2 * (T.sum() + np.sum((np.abs(coef) @ np.abs(theta)) ** 2))) + rng.random(m) * 10.0**z_power
    proof = {"rows": rows, "rep": rep, "coef": coef, "T_row": row, "T_column": column, "T_value": T, "z": z}
    eta = prove(theta, X, proof)
    assert np.isfinite(eta)
    assert eta >= circle_maximum(theta, X)[0] * (1 - ROUNDING)


@pytest.mark.parametrize("name", tight())
def test_good_points_prove_the_closed_form(name):
    planted = tight()[name]
    reduced = reduce(planted.problem)
    point = solve_reduced(reduced, backend="clarabel").point
    certificate = certify(planted.problem, reduced, point)
    assert planted.optimum * (1 - 1e-5) <= certificate.lower_bound <= planted.optimum * (1 + ROUNDING)
    eta = prove(certificate.theta, planted.problem.X, certificate.proof)
    assert eta <= planted.problem.gamma * (1 + 1e-9)
    assert prove(1.001 * certificate.theta, planted.problem.X, certificate.proof) > eta * (1 + 1e-9)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e100, -1e100])
@pytest.mark.parametrize("part", ["theta", "T", "z"])
def test_numbers_that_are_none_prove_what_nothing_proves(bad, part):
    problem = Problem([[1.0, 2.0], [2.0, 4.0], [0.0, 0.0]], [[1.0], [1.0], [3.0]], 0.1)
    reduced = reduce(problem)
    arrays = {"theta": np.ones((2, 1)), "T": np.ones((2, 2)), "z": np.ones(1)}
    arrays[part] = arrays[part] * bad
    certificate = certify(problem, reduced, DualPoint(**arrays))
    # Θ = 0 on merged rows: ½ min_f (f − 1)² + (2f − 1)² = 1/10, and ½ · 3² from the zero row
    assert 4.6 * (1 - 1e-9) <= certificate.lower_bound <= problem.objective(train(problem, 2, 3, 0))


def test_opposite_duplicates_have_the_bound_of_no_network():
    rng = np.random.default_rng(0)
    X, Y = rng.standard_normal((5, 2)), rng.standard_normal((5, 2))
    problem = Problem(np.vstack([X, X]), np.vstack([Y, -Y]), 1e-3)
    reduced = reduce(problem)
    point = DualPoint(np.zeros((10, 2)), np.zeros((10, 10)), np.zeros(5))
    assert certify(problem, reduced, point).lower_bound == pytest.approx(np.sum(Y**2), rel=1e-9)


def test_nothing_to_learn_is_proved_exactly():
    rng = np.random.default_rng(0)
    X, Y = rng.standard_normal((5, 2)), rng.standard_normal((5, 2))
    assert trivial_certificate(Problem(0 * X, Y, 0.1)).lower_bound == pytest.approx(0.5 * np.sum(Y**2), rel=1e-12)
    assert trivial_certificate(Problem(X, 0 * Y, 0.1)).lower_bound == 0


def simple_proof(count, z):
    """All rows are the first one; no T."""
    none = np.zeros(0, int)
    return {
        "rows": np.array([0]),
        "rep": np.zeros(count, int),
        "coef": np.ones(count),
        "T_row": none,
        "T_column": none,
        "T_value": np.zeros(0),
        "z": np.array([z]),
    }


def test_rounding_in_long_sums_that_cancel_is_counted():
    """1 + 2000·10⁻¹⁶ − 1: the floating-point sum is 0, the true maximum is 2·10⁻¹³."""
    theta = np.r_[1.0, np.full(2000, 1e-16), -1.0][:, None]
    assert prove(theta, np.ones((2002, 1)), simple_proof(2002, 1e-30)) >= 2e-13


def test_what_a_representative_misses_is_counted():
    """Row 2 is 10⁻³ away from row 1, which stands for it; Θ is large there alone."""
    X, theta = np.array([[1.0, 0.0], [1.0, 1e-3]]), np.array([[-1.0], [1.0]])
    eta = prove(theta, X, simple_proof(2, 1e-8))
    assert circle_maximum(theta, X)[0] <= eta <= 1.01e-3 + 1e-4


def test_negative_multipliers_are_not_taken():
    """h = α₁ + α₂ with T₁₂ = −1 would pass for √(α₁² + α₂²), whose maximum √2 these z prove; the true one is 2."""
    pair = {"rows": np.arange(2), "rep": np.arange(2), "coef": np.ones(2), "z": np.full(2, 0.5)}
    entry = {"T_row": np.array([0]), "T_column": np.array([1]), "T_value": np.array([-1.0])}
    assert prove(np.ones((2, 1)), np.ones((2, 1)), pair | entry) >= 2


def test_the_proof_of_one_row_is_tight_and_not_beyond():
    """h(u) = θ‖x‖ exactly; z > θ²/4 proves η² ≥ ‖x‖² (θ²/4 + z + (θ²/4)²/(z − θ²/4)), least at z = θ²/2."""
    X, theta = np.array([[3.0, 4.0]]), np.array([[2.0]])
    for z, squared in ((2.0, 1 + 2 + 1 / 1), (3.0, 1 + 3 + 1 / 2), (1.5, 1 + 1.5 + 1 / 0.5)):
        assert prove(theta, X, simple_proof(1, z)) == pytest.approx(5 * np.sqrt(squared), rel=1e-9)
        assert prove(theta, X, simple_proof(1, z)) >= 10 * (1 - 1e-15)
    assert prove(theta, X, simple_proof(1, 0.5)) == np.inf  # −B_ss ⊁ 0


def test_lower_bound_takes_the_best_feasible_multiple():
    problem = Problem([[1.0]], [[3.0]], 0.5)
    theta = np.array([[2.0]])
    assert lower_bound(problem, theta, 0.25) == pytest.approx(6 - 2)
    assert lower_bound(problem, theta, 1.0) == pytest.approx(3 - 0.5)  # t = ½
    assert lower_bound(problem, 3 * theta, 0.25) == pytest.approx(9 - 4.5)  # t = ½ for its own sake
    for useless in (np.inf, np.nan):
        assert lower_bound(problem, theta, useless) == 0
    assert lower_bound(problem, -theta, 0.25) == 0


def test_lower_bound_is_rounded_down():
    rng = np.random.default_rng(0)
    for _ in range(50):
        Y, theta, gamma, eta = rng.random((3, 2)) + 1, rng.random((3, 2)), rng.random(), 1 + rng.random()
        t = Fraction(gamma) / Fraction(eta)
        linear = sum(Fraction(a) * Fraction(b) for a, b in zip(theta.flat, Y.flat, strict=True))
        exact = t * linear - t**2 * sum(Fraction(a) ** 2 for a in theta.flat) / 2
        bound = lower_bound(Problem(np.ones((3, 1)), Y, gamma), theta, eta)
        assert exact * (1 - Fraction(1, 10**13)) <= Fraction(bound) <= exact


@pytest.mark.parametrize("seed", range(4))
def test_the_gradient_of_the_maximum_is_that_of_finite_differences(seed):
    """`maximum` returns the (s, u) that attains λ_max(H); its change with z_i is (Xu)_i² − s_i²."""
    problem, rng = noise(seed, 5, 3, 2), np.random.default_rng(seed)
    reduced = reduce(problem)
    T = rng.random((10, 10))
    point = DualPoint(rng.standard_normal((10, 2)), T + T.T, 30 + 10 * rng.random(5))
    _, values, directions = maximum(quadratic_form(reduced, point, point.z), 5)
    assert values[-1] - values[-2] > 1e-3  # else it has no gradient
    s, u = directions[:5, -1], directions[5:, -1]
    for i, step in enumerate(1e-4 * np.eye(5)):
        up, down = (dual_maximum(reduced, DualPoint(point.theta, point.T, point.z + t)) for t in (step, -step))
        assert (up - down) / 2e-4 == pytest.approx((reduced.X[i] @ u) ** 2 - s[i] ** 2, rel=1e-5, abs=1e-7)


@pytest.mark.parametrize("seed", range(3))
def test_sharpening_finds_the_best_multipliers_of_the_diagonal(seed):
    """min over z of λ subject to λ blkdiag(0, I) − B(z) ⪰ 0, as a linear matrix inequality."""
    problem = noise(seed, 5, 2, 2)
    reduced, rng = reduce(problem), np.random.default_rng(seed)
    n, d, X = reduced.n, reduced.d, reduced.X
    T = 0.1 * rng.random((2 * n, 2 * n))
    start = DualPoint(rng.standard_normal((2 * n, 2)), T + T.T, np.full(n, 20.0))
    B = quadratic_form(reduced, start)
    z, λ = cp.Variable(n), cp.Variable()
    Q = cp.bmat([[cp.diag(z) - B[:n, :n], -B[:n, n:]], [-B[n:, :n], λ * np.eye(d) - B[n:, n:] - X.T @ cp.diag(z) @ X]])
    best = cp.Problem(cp.Minimize(λ), [Q >> 0]).solve(solver="CLARABEL")
    sharper = sharpen(reduced, start, rounds=100)
    assert best * (1 - 1e-7) <= dual_maximum(reduced, sharper) <= best * (1 + 1e-3)
    assert dual_maximum(reduced, start) > best * 1.5
    assert dual_value(reduced, sharper) >= dual_value(reduced, start)


def test_sharpening_mends_multipliers_that_prove_nothing():
    reduced = reduce(noise(0, 5, 2, 2))
    point = DualPoint(np.ones((10, 2)), np.zeros((10, 10)), np.full(5, -1.0))
    assert dual_maximum(reduced, point) == np.inf
    assert np.isfinite(dual_maximum(reduced, sharpen(reduced, point)))


def test_a_dual_that_misses_the_cone_by_little_loses_little():
    """Nearly parallel rows have large z, so that a margin which is small beside these costs much of the bound."""
    rng = np.random.default_rng(0)
    problem = Problem(rng.standard_normal((25, 2)), rng.standard_normal((25, 3)), 0.1)
    reduced = reduce(problem)
    good = interior_point(reduced, gap=1e-6).dual
    form = quadratic_form(reduced, good, good.z)[: reduced.n, : reduced.n]
    lowest = np.linalg.eigvalsh(-form)[0]
    assert lowest > 0
    missed = DualPoint(good.theta, good.T, good.z - lowest - 1e-13 * good.z.max())
    assert maximum(quadratic_form(reduced, missed, missed.z), reduced.n)[0] == np.inf
    best = certify(problem, reduced, good).lower_bound
    assert certify(problem, reduced, sharper(reduced, missed)).lower_bound == pytest.approx(best, rel=1e-5)
