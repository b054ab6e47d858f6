"""The exact program beyond the plane: planted optima, brute force, and covers that must not prove what is not so."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from relaxbench.solvers.atoms.search import ascend
from relaxbench.solvers.certificates.certificate import Certificate
from relaxbench.solvers.checker import verify
from relaxbench.solvers.cpp import cpp
from relaxbench.solvers.exact import sphere
from relaxbench.solvers.exact.cover import cover
from relaxbench.solvers.exact.lines import merge_lines
from relaxbench.solvers.fit import Fit
from relaxbench.solvers.network import Array, heights, whitener
from relaxbench.solvers.problem import Problem
from relaxbench.solvers.sdp import relax

from ..support.cases import noise, teacher
from ..support.oracles import by_cones, planted, prove


def interval(problem: Problem, **options: float) -> tuple[float, float, Fit]:
    """Proved interval for p*(∞): the certificate proved again from its arrays, the network evaluated."""
    fit = cpp(problem, **options)
    assert fit.certificate is not None
    assert fit.network is not None
    stored = Certificate.from_arrays(fit.certificate.kind, fit.certificate.arrays(), fit.certificate.lower_bound)
    assert verify(stored, problem.X, problem.Y, problem.gamma) >= stored.lower_bound * (1 - 1e-9)
    upper = problem.objective(fit.network)
    assert stored.lower_bound <= upper
    return stored.lower_bound, upper, fit


@pytest.mark.parametrize(
    ("blocks", "extra", "gamma"), [((2, 1), 12, 0.1), ((1, 2), 5, 1.0), ((2, 2), 6, 0.3), ((3, 1), 4, 0.02)]
)
def test_a_planted_optimum_is_found_and_proved(blocks: tuple[int, ...], extra: int, gamma: float) -> None:
    problem, optimum = planted(1, blocks, extra, gamma)
    lower, upper, fit = interval(problem, gap=1e-4)
    assert fit.status == "ok"
    assert fit.info["route"] == "sphere"
    assert lower <= optimum * (1 + 1e-9)
    assert upper >= optimum * (1 - 1e-9)
    assert upper - lower <= 1.2e-4 * upper


@pytest.mark.slow
@pytest.mark.parametrize("blocks", [(2, 2, 1), (1, 1, 3)])
def test_a_planted_optimum_in_five_dimensions(blocks: tuple[int, ...]) -> None:
    problem, optimum = planted(2, blocks, 10, 0.1)
    lower, upper, _ = interval(problem, gap=1e-3)
    assert lower <= optimum * (1 + 1e-9)
    assert upper >= optimum * (1 - 1e-9)
    assert upper - lower <= 1.2e-3 * upper


@pytest.mark.parametrize("seed", range(3))
def test_three_dimensions_agree_with_brute_force(seed: int) -> None:
    rng = np.random.default_rng(seed)
    problem = Problem(rng.normal(size=(4, 3)), rng.normal(size=(4, 1)), [0.05, 0.3, 1.0][seed])
    exact = by_cones(problem)
    lower, upper, _ = interval(problem, gap=1e-5)
    assert lower == pytest.approx(exact, rel=2e-5)
    assert upper == pytest.approx(exact, rel=2e-5)


def awkward() -> dict[str, Problem]:
    """Data of rank three on which something is degenerate."""
    rng = np.random.default_rng(7)
    X, Y = rng.normal(size=(9, 3)), rng.normal(size=(9, 2))
    return {
        "zero rows": Problem(np.vstack([X, np.zeros((3, 3))]), np.vstack([Y, np.ones((3, 2))]), 0.1),
        "duplicates": Problem(np.vstack([X, X]), np.vstack([Y, -Y]), 0.1),
        "parallel rows": Problem(np.vstack([X, -2 * X]), np.vstack([Y, Y]), 0.1),
        "multiples that pull apart": Problem(np.vstack([X, 300 * X, -0.01 * X]), np.vstack([Y, -Y, Y]), 0.01),
        "as many rows as columns": Problem(X[:3], Y[:3], 0.1),
        "nothing to fit": Problem(X, np.zeros((9, 2)), 0.1),
        "tiny gamma": Problem(X, Y, 1e-6),
        "huge gamma": Problem(X, Y, 1e6),
        "huge data": Problem(X * 1e90, Y * 1e60, 0.1e150),
        "rank three in seven": Problem(X @ rng.normal(size=(3, 7)), Y, 0.1),
        "one column tiny": Problem(X * [1.0, 1.0, 1e-6], Y, 0.1),
        "integers, many ties": Problem(rng.integers(-1, 2, size=(12, 3)), rng.integers(0, 2, size=(12, 2)), 0.1),
    }


@pytest.mark.thorough
@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", awkward())
def test_awkward_data_still_gets_its_interval(name: str) -> None:
    lower, upper, fit = interval(awkward()[name], gap=1e-3)
    assert upper - lower <= 1.2e-3 * upper
    assert fit.status == "ok"


@pytest.mark.thorough
def test_the_same_seed_gives_the_same_answer() -> None:
    rng = np.random.default_rng(5)
    problem = Problem(rng.normal(size=(15, 3)), rng.normal(size=(15, 2)), 0.1)
    one, two = cpp(problem, seed=3), cpp(problem, seed=3)
    assert one.certificate is not None
    assert two.certificate is not None
    assert one.network is not None
    assert two.network is not None
    np.testing.assert_array_equal(one.network.U, two.network.U)
    np.testing.assert_array_equal(one.certificate.theta, two.certificate.theta)
    assert all(
        np.array_equal(one.certificate.proof[name], two.certificate.proof[name]) for name in one.certificate.proof
    )


@pytest.mark.thorough
@pytest.mark.parametrize("d", [3, 6])
def test_the_trace_never_gets_worse_and_ends_at_the_result(d: int) -> None:
    rng = np.random.default_rng(6)
    fit = cpp(Problem(rng.normal(size=(20, d)), rng.normal(size=(20, 2)), 0.1))
    assert fit.certificate is not None
    values = [row.value for row in fit.trace if row.value is not None]
    bounds = [row.bound for row in fit.trace if row.bound is not None]
    assert values == sorted(values, reverse=True)
    assert bounds == sorted(bounds)
    assert bounds[-1] == pytest.approx(fit.certificate.lower_bound, rel=1e-6)
    assert bounds[-1] <= values[-1]


@pytest.mark.thorough
def test_at_the_time_limit_the_interval_still_holds() -> None:
    rng = np.random.default_rng(3)
    problem = Problem(rng.normal(size=(200, 5)), rng.normal(size=(200, 3)), 1e-2)
    lower, upper, fit = interval(problem, budget=1.0)
    assert fit.status == "timeout"
    assert "gap" in fit.message
    assert 0 <= lower < upper


def test_beyond_five_dimensions_the_network_is_strong_and_the_bound_the_relaxations() -> None:
    problem, optimum = planted(4, (3, 2, 2), 3, 0.1)
    fit = cpp(problem)
    assert fit.certificate is not None
    assert fit.network is not None
    assert fit.info["route"] == "search"
    upper = problem.objective(fit.network)
    assert optimum * (1 - 1e-9) <= upper <= optimum * 1.001
    assert 0 < fit.certificate.lower_bound <= optimum


def test_beyond_five_dimensions_an_open_gap_is_not_ok() -> None:
    problem = noise(2, 8, 6, 2, 0.05)
    fit = cpp(problem, gap=5e-3)
    assert fit.certificate is not None
    assert fit.network is not None
    upper = problem.objective(fit.network)
    assert upper - fit.certificate.lower_bound > 5e-3 * upper
    assert fit.status == "stalled"
    assert "too many dimensions" in fit.message


def test_rows_on_one_line_count_as_one() -> None:
    rng = np.random.default_rng(0)
    X, theta = rng.normal(size=(4, 3)), rng.normal(size=(16, 2))
    X = np.vstack([X, -3 * X, 1e-9 * X, np.zeros((4, 3))])
    merged, rows, L = merge_lines(theta, X)
    assert rows.shape == (4, 3)
    U = rng.normal(size=(3, 50))
    np.testing.assert_allclose(
        merged.T @ np.maximum(rows @ U, 0) + L @ U, theta.T @ np.maximum(X @ U, 0), rtol=1e-12, atol=1e-12
    )


def covered(theta: Array, X: Array, slack: float) -> tuple[float, dict[str, Array]]:
    """η and the proof of a cover whose target is `slack` above the highest direction that a search finds."""
    transform = whitener(X)
    rng = np.random.default_rng(0)
    high = ascend(theta, X, np.hstack([np.eye(X.shape[1]), -np.eye(X.shape[1])]), rng)[1][0]
    made = cover(theta, X, transform, high * (1 + slack))
    assert made is not None
    return made.eta, {"basis": np.eye(X.shape[1]), **made.proof(transform)}


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    n=st.integers(3, 14),
    c=st.integers(1, 3),
    slack=st.sampled_from([0.5, 0.05, 1e-3]),
    kind=st.sampled_from(["normal", "ties", "thin", "lines"]),
)
def test_no_direction_exceeds_what_a_cover_proves(seed: int, n: int, c: int, slack: float, kind: str) -> None:
    rng = np.random.default_rng(seed)
    X = rng.integers(-2, 3, size=(n, 3)).astype(float) if kind == "ties" else rng.normal(size=(n, 3))
    X = np.vstack([X, -7 * X]) if kind == "lines" else X
    X = np.vstack([X, np.eye(3)]) * ([1.0, 1.0, 1e-3] if kind == "thin" else [1.0, 1.0, 1.0])
    theta = rng.normal(size=(len(X), c))
    eta, proof = covered(theta, X, slack)
    proved = prove(theta, X, eta * (1 + 1e-9), proof)
    assert proved == pytest.approx(eta, rel=1e-6)
    U = rng.normal(size=(3, 4000))
    U = np.hstack([U, X.T, -X.T, np.cross(X[:, None], X[None]).reshape(-1, 3).T])
    U = U[:, np.linalg.norm(U, axis=0) > 1e-9]
    U = ascend(theta, X, (U / np.linalg.norm(U, axis=0))[:, :300], rng)[0]
    assert np.max(heights(theta, np.maximum(X @ U, 0.0))) <= proved
    assert np.max(heights(theta, np.maximum(X @ U, 0.0))) >= proved / (1 + slack) * 0.99


@pytest.mark.thorough
def test_a_cover_does_not_prove_a_longer_theta() -> None:
    rng = np.random.default_rng(0)
    problem = Problem(rng.normal(size=(20, 3)), rng.normal(size=(20, 2)), 0.1)
    fit = cpp(problem)
    assert fit.certificate is not None
    assert fit.certificate.kind == "cover"
    assert prove(fit.certificate.theta, problem.X, problem.gamma, fit.certificate.proof) <= problem.gamma * (1 + 1e-12)
    assert prove(1.01 * fit.certificate.theta, problem.X, problem.gamma, fit.certificate.proof) > problem.gamma


def test_a_cover_with_a_flaw_proves_nothing() -> None:
    rng = np.random.default_rng(1)
    X, theta = rng.normal(size=(10, 3)), rng.normal(size=(10, 2))
    eta, proof = covered(theta, X, 0.05)
    sound = prove(theta, X, eta, proof)
    assert np.isfinite(sound)
    splits = proof["splits"]
    leaf_too_few, node_turned_leaf = splits[:-1], splits.copy()
    node_turned_leaf[0] = 0
    singular = proof["transform"].copy()
    singular[0] = singular[1]
    flaws = {
        "a leaf too few": {"splits": leaf_too_few},
        "a node turned leaf": {"splits": node_turned_leaf},
        "an edge that is none": {"splits": np.where(splits == 1, 9, splits).astype(np.uint8)},
        "a root left out": {"offsets": proof["offsets"][:-1]},
        "roots out of order": {"offsets": proof["offsets"][::-1].copy()},
        "a transform that maps the sphere to a plane": {"transform": singular},
        "a transform that is not finite": {"transform": np.full((3, 3), np.nan)},
        "a basis of another shape": {"basis": np.eye(4)},
        "no transform": {"transform": None},
    }
    for name, flaw in flaws.items():
        bad = {key: value for key, value in {**proof, **flaw}.items() if value is not None}
        assert prove(theta, X, eta, bad) == np.inf, name


def test_a_basis_that_misses_a_direction_pays_for_it() -> None:
    rng = np.random.default_rng(2)
    X, theta = rng.normal(size=(10, 4)), rng.normal(size=(10, 2))
    basis = np.eye(4, 3)
    eta, proof = covered(theta, X @ basis, 0.05)
    U = rng.normal(size=(4, 20_000))
    seen = np.max(heights(theta, np.maximum(X @ (U / np.linalg.norm(U, axis=0)), 0.0)))
    assert eta < seen
    assert prove(theta, X, eta, {**proof, "basis": basis}) >= seen


def test_an_ascent_reports_the_height_of_its_end_even_where_the_gradient_vanishes():
    """At (-1, 1, 0)/√2 one row is left, and rounding of its gradient would make a circle out of u and u."""
    X = np.array([[0.0, -1.0, 1.0], [1.0, 0.0, -2.0], [-2.0, 2.0, 0.0]])
    theta = np.array([[-0.05], [0.03], [-0.025]])
    directions = np.random.default_rng(0).normal(size=(3, 60))
    directions = np.hstack(
        [np.array([[-1.0], [1.0], [0.0]]) / np.sqrt(2), directions / np.linalg.norm(directions, axis=0)]
    )
    ends, height = ascend(theta, X, directions, np.random.default_rng(1))
    np.testing.assert_allclose(height, heights(theta, np.maximum(X @ ends, 0.0)), rtol=1e-9, atol=1e-15)


def test_great_circles_climb_to_the_maximum_of_the_arcs() -> None:
    rng = np.random.default_rng(0)
    X, theta = rng.normal(size=(30, 3)), rng.normal(size=(30, 2))
    U = rng.normal(size=(3, 40_000))
    dense = np.max(heights(theta, np.maximum(X @ (U / np.linalg.norm(U, axis=0)), 0.0)))
    ends, height = ascend(theta, X, np.eye(3), np.random.default_rng(1))
    np.testing.assert_allclose(heights(theta, np.maximum(X @ ends, 0.0)), height, rtol=1e-9)
    np.testing.assert_allclose(np.linalg.norm(ends, axis=0), 1.0, rtol=1e-12)
    assert height[0] >= dense * (1 - 1e-3)


def test_without_a_cover_the_relaxation_bounds(monkeypatch):
    problem = teacher(3, n=10, d=3, c=2)
    monkeypatch.setattr(sphere, "_prove", lambda *_: None)
    fit = cpp(problem, gap=1e-3)
    assert fit.status == "stalled"
    assert "could not be covered" in fit.message
    assert fit.certificate.lower_bound == pytest.approx(relax(problem).certificate.lower_bound, rel=1e-9)
    assert fit.certificate.lower_bound <= problem.objective(fit.network)


def test_a_search_that_the_clock_cut_says_so(monkeypatch):
    problem = teacher(3, n=8, d=6, c=2)
    monkeypatch.setattr(sphere, "SEARCH", 0.0)
    monkeypatch.setattr("relaxbench.solvers.cpp.DEEP", 5)  # or a cover would close the gap
    assert cpp(problem, gap=1e-3, budget=300.0).status == "timeout"
