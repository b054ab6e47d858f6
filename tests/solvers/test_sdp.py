"""The method `sdp`: every solver bounds the same truth, and bound ≤ relaxation ≤ any network."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from relaxbench.solvers import sdp as sdp_module
from relaxbench.solvers.conic.literal import solve_literal
from relaxbench.solvers.conic.reduced import solve_reduced
from relaxbench.solvers.ipm.loop import interior_point
from relaxbench.solvers.network import Network
from relaxbench.solvers.problem import Problem
from relaxbench.solvers.reduced.reduction import reduce
from relaxbench.solvers.relaxation import Relaxation, positive_factor
from relaxbench.solvers.sdp import relax, round_relaxation, sdp

from ..support.cases import awkward, literal_factor, noise, tight, train

SOLVED = 2e-6  # the value is that of a feasible point within the asked gap 1e-6 of the relaxation's optimum
SMALL = [(4, 2, 2), (6, 2, 1), (8, 2, 3), (5, 3, 2), (3, 4, 2)]


def over_kernel(problem):
    """The paper's program with MΛMᵀ = 0 solved: Λ = NZNᵀ with an orthonormal basis N of ker M, on the user's rows.

    So it has an interior, and a general solver can be believed to the digits it claims.
    """
    import cvxpy as cp
    from scipy.linalg import null_space

    n, d, c = problem.n, problem.d, problem.c
    M = np.hstack([-np.eye(n), np.eye(n), problem.X, np.zeros((n, c))])
    N = null_space(M)
    Z = cp.Variable((N.shape[1], N.shape[1]), PSD=True)
    Λ = N @ Z @ N.T
    αα, αβ, ββ = Λ[:n, :n], Λ[:n, n : 2 * n], Λ[n : 2 * n, n : 2 * n]
    off, upper = ~np.eye(n, dtype=bool), np.triu(np.ones((n, n), bool), 1)
    loss = cp.sum_squares(Λ[:n, 2 * n + d :] - problem.Y) / 2
    penalty = problem.gamma / 2 * (cp.trace(Λ[2 * n :, 2 * n :]))
    constraints = [cp.diag(αβ) == 0, αα[upper] >= 0, ββ[upper] >= 0, αβ[off] >= 0]
    return float(cp.Problem(cp.Minimize(loss + penalty), constraints).solve(solver="CLARABEL"))


@pytest.mark.parametrize("shape", SMALL)
def test_literal_reduced_and_interior_point_agree(shape):
    problem = noise(sum(shape), *shape, gamma=0.1 if shape[0] % 2 else 0.5)
    reduced, ours = reduce(problem), relax(problem)
    assert ours.value == pytest.approx(over_kernel(problem), rel=1e-5)
    solved = solve_reduced(reduced, backend="clarabel")
    assert solved.status == "ok"
    assert ours.value == pytest.approx(solved.value * reduced.unit, rel=1e-5)


def test_the_program_as_it_is_written_comes_near():
    """Without an interior a general solver gets within two percent, below as a rule, or gives up."""
    problems = [noise(sum(shape), *shape) for shape in SMALL]
    literal = [solve_literal(problem, backend="clarabel", eps=1e-7)[0] for problem in problems]
    solved = [(relax(p).value, r) for p, r in zip(problems, literal, strict=True) if r.status != "failed"]
    assert len(solved) >= 3
    for ours, theirs in solved:
        share = 0.985 if theirs.status == "ok" else 0.98
        assert share * ours <= theirs.value <= 1.001 * ours


def test_reduced_scs_agrees_too():
    problem = noise(2, 5, 2, 2)
    reduced = reduce(problem)
    solved = solve_reduced(reduced, backend="scs", eps=1e-7)
    assert solved.status == "ok"
    assert relax(problem).value == pytest.approx(solved.value * reduced.unit, rel=1e-5)


@pytest.mark.parametrize(
    "name",
    ["one number", "one feature", "opposite duplicates", "parallel and zero rows", "constant column", "huge units"],
)
def test_the_factor_is_a_solution_of_the_papers_program(name):
    """Λ = WWᵀ on the user's rows is feasible for the program as it is written, with the value that is reported."""
    problem = awkward()[name]
    relaxation = relax(problem)
    n, d, X = problem.n, problem.d, problem.X
    W = literal_factor(problem, relaxation.factor)
    M = np.hstack([-np.eye(n), np.eye(n), X, np.zeros((n, problem.c))])
    size = np.sqrt(np.outer(*2 * (np.sum(W**2, axis=1) + 1e-300,)))
    np.testing.assert_allclose(M @ W, 0, atol=1e-12 * np.abs(W).max())
    Λ = W @ W.T
    i = np.arange(n)
    assert np.all(np.abs(Λ[i, n + i]) <= 1e-9 * size.max())
    assert np.all(Λ[: 2 * n, : 2 * n] >= -1e-9 * size.max())
    # The best v for this (α, β, u): kernel ridge regression.
    K, penalty = Λ[:n, :n], np.trace(Λ[2 * n : 2 * n + d, 2 * n : 2 * n + d])
    fit = np.sum(problem.Y * np.linalg.solve(np.eye(n) + K / problem.gamma, problem.Y))
    assert relaxation.value == pytest.approx(0.5 * fit + problem.gamma / 2 * penalty, rel=1e-7)


@st.composite
def small_problems(draw):
    """Up to six rows, some of them zero, doubled or turned round; γ from 10⁻³ to 10²; any units."""
    n, d, c = draw(st.integers(1, 6)), draw(st.integers(1, 4)), draw(st.integers(1, 3))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    X, Y = rng.standard_normal((n, d)), rng.standard_normal((n, c))
    for i in range(1, n):
        factor = draw(st.sampled_from([None, None, None, 0.0, 1.0, -0.7]))
        if factor is not None:
            X[i] = factor * X[i - 1]
    x_unit, y_unit = 10.0 ** draw(st.integers(-3, 3)), 10.0 ** draw(st.integers(-3, 3))
    return Problem(X * x_unit, Y * y_unit, 10.0 ** draw(st.floats(-3, 2)) * x_unit * y_unit)


@pytest.mark.thorough
@settings(max_examples=15, deadline=None, derandomize=True)
@given(small_problems(), st.integers(0, 10**6))
def test_bound_relaxation_network_in_this_order(problem, seed):
    relaxation = relax(problem)
    bound, value = relaxation.certificate.lower_bound, relaxation.value
    assert 0 <= bound <= value
    assert value - bound <= SOLVED * value
    rng = np.random.default_rng(seed)
    scale = np.sqrt(problem.scaled.kappa / problem.scaled.sigma)
    networks = [train(problem, 8, 3, seed), Network(np.zeros((problem.d, 1)), np.zeros((1, problem.c)))]
    networks += [Network(scale * rng.standard_normal((problem.d, 5)), scale * rng.standard_normal((5, problem.c)))]
    for network in networks:
        assert bound <= problem.objective(network)
        assert value <= problem.objective(network) * (1 + SOLVED)


@pytest.mark.parametrize("solver", ["auto", "interior"])
def test_sdp_rounds_what_relax_solves(solver):
    problem = noise(1, 5, 2, 2)
    relaxation = relax(problem, solver=solver)
    fit = sdp(problem, width=6, seed=1, solver=solver)
    assert fit.certificate.lower_bound == relaxation.certificate.lower_bound
    assert fit.value == relaxation.value
    again = round_relaxation(problem, relaxation, width=6, seed=1)
    np.testing.assert_array_equal(again.network.U, fit.network.U)
    assert fit.network.width == 6
    np.testing.assert_array_equal(fit.predict(problem.X), fit.network.predict(problem.X))
    assert fit.certificate.lower_bound <= problem.objective(fit.network)
    assert relaxation.stats.iterations > 0
    assert relaxation.stats.solve_s > 0


def test_a_relaxation_comes_with_an_interval():
    problem = noise(1, 8, 2, 2)
    relaxation = relax(problem)
    upper = problem.objective(relaxation.network)
    assert relaxation.certificate.lower_bound <= upper <= 1.5 * relaxation.certificate.lower_bound


def test_auto_is_the_interior_point():
    problem = noise(1, 5, 2, 2)
    assert relax(problem, solver="auto").value == relax(problem, solver="ipm").value


@pytest.mark.thorough
@pytest.mark.parametrize("solver", ["interior", "reduced-scs", "cvxpy-scs", "cvxpy-clarabel"])
def test_what_another_solver_claims_is_not_the_bound(solver):
    """The bound comes from its dual alone, repaired, so it holds where the claimed value is wrong either way."""
    for name in ("one number", "one feature", "orthogonal rows"):
        planted = tight()[name]
        relaxation = relax(planted.problem, solver=solver)
        assert relaxation.certificate.lower_bound <= planted.optimum * (1 + 1e-12)
        assert relaxation.certificate.lower_bound >= 0.97 * planted.optimum


def test_no_solution_is_not_rounded():
    problem = noise(1, 4, 2, 2)
    relaxation = Relaxation(np.zeros((8, 0)), float("nan"), status="failed", message="the backend gave up")
    with pytest.raises(ValueError, match="no solution to round: the backend gave up"):
        round_relaxation(problem, relaxation, width=3, seed=0)


@pytest.mark.parametrize("solver", ["interior", "cvxpy-scs", "cvxpy-clarabel"])
def test_out_of_time_is_said_where_it_is_true(solver):
    problem = noise(1, 16, 2, 2, 0.01)
    assert relax(problem, solver=solver, budget=0.03).status == "timeout"
    inaccurate = relax(noise(0, 8, 2, 2, 0.01), solver=solver, budget=100)
    assert inaccurate.status == "ok"
    assert inaccurate.stats.solve_s < 90


@pytest.mark.thorough
def test_ok_is_said_only_where_the_gap_is_reached(monkeypatch):
    problem = noise(1, 8, 2, 2, 0.01)
    whole = relax(problem, gap=1e-6)
    assert (whole.status, whole.message) == ("ok", "")
    assert whole.stats.relaxation_gap <= 1e-6
    beyond = relax(problem, gap=1e-15)  # rounding ends before
    assert beyond.status == "stalled"
    assert "where rounding ends" in beyond.message
    monkeypatch.setattr(interior_point, "__kwdefaults__", {**interior_point.__kwdefaults__, "iterations": 3})
    short = relax(problem, gap=1e-6)
    assert (short.status, short.message) == ("iteration_limit", "stopped after 3 iterations")
    assert short.certificate.lower_bound < whole.certificate.lower_bound


def test_a_warm_start_that_leads_nowhere_is_followed_by_a_cold_one(monkeypatch):
    """As on raw features, where the iterate of a large γ is of no use for a small one."""
    problem = noise(1, 8, 2, 2, 0.01)
    before = relax(Problem(problem.X, problem.Y, 0.1))
    cold = relax(problem)

    def solved(*args, warm=None, **more):
        return interior_point(*args, warm=warm, **more, iterations=120 if warm is None else 2)

    monkeypatch.setattr(sdp_module, "interior_point", solved)
    warm = relax(problem, warm=before)
    assert (warm.status, warm.message) == ("ok", "")
    assert warm.certificate.lower_bound == pytest.approx(cold.certificate.lower_bound, rel=1e-12)
    assert warm.stats.iterations == cold.stats.iterations + 2
    assert [row.iteration for row in warm.trace] == list(range(1, len(warm.trace) + 1))
    assert np.all(np.diff([row.seconds for row in warm.trace]) >= 0)


def test_sdp_hands_on_how_the_solver_ended(monkeypatch):
    problem = noise(1, 4, 2, 2)
    stalled = replace(relax(problem), status="stalled", message="no more progress")
    failed = Relaxation(np.zeros((8, 0)), float("nan"), status="failed", message="the backend gave up")
    for relaxation in (stalled, failed):
        monkeypatch.setattr(sdp_module, "relax", lambda *_, found=relaxation, **__: found)
        fit = sdp(problem, width=3, seed=0)
        assert (fit.status, fit.message) == (relaxation.status, relaxation.message)
        assert fit.network.width == 3
        assert np.all(np.isfinite(fit.predict(problem.X)))


def test_positive_factor_keeps_what_is_positive():
    rng = np.random.default_rng(0)
    Q = np.linalg.qr(rng.standard_normal((5, 5)))[0]
    kept = (Q[:, :3] * [4.0, 1.0, 1e-6]) @ Q[:, :3].T
    R = positive_factor(kept - 0.5 * np.outer(Q[:, 3], Q[:, 3]))
    assert R.shape == (5, 3)
    np.testing.assert_allclose(R @ R.T, kept, atol=1e-12)
    sizes = np.linalg.norm(R, axis=0)
    np.testing.assert_allclose(sizes, [2.0, 1.0, 1e-3], rtol=1e-6)
    assert positive_factor(np.zeros((3, 3))).shape == (3, 0)
