"""The logistic loss through every solver: duality, proofs, forgeries, and the order of all methods."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from relaxbench.baselines.lbfgs import lbfgs
from relaxbench.solvers import checker
from relaxbench.solvers.checker import CertificateError
from relaxbench.solvers.cpp import cpp
from relaxbench.solvers.network import Network, ProblemError
from relaxbench.solvers.problem import Problem
from relaxbench.solvers.rounding import ROUNDINGS
from relaxbench.solvers.sdp import relax, round_relaxation
from relaxbench.solvers.verify import verify

GAP = 1e-3


def labelled(n=12, d=2, c=3, gamma=0.3, seed=0):
    """Normal rows with random labels; with the seed and the sizes as they are, those of formulation.md, section 13."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d))
    return Problem(X, np.eye(c)[rng.integers(0, c, n)], gamma, loss="logistic")


def awkward(seed):
    """A small problem with something odd about its rows, its labels or γ."""
    rng = np.random.default_rng(seed)
    n, d, c = rng.integers(1, 7), rng.integers(1, 3), rng.integers(2, 5)
    X = rng.normal(size=(n, d)) * 10.0 ** rng.integers(-3, 4)
    kind = seed % 8
    if kind == 1:
        X[rng.integers(n)] = 0.0
    elif kind == 2:
        X[-1] = -2.0 * X[0]
    elif kind == 3:
        X[-1] = X[0]
    elif kind == 4:
        X[:, -1] *= 1e-6
    elif kind == 5:
        X = np.round(X / np.abs(X).max() * 2)
    elif kind == 6:
        X = X + 1e-9 * rng.normal(size=X.shape)
        X[-1] = X[0] * (1 + 1e-9)
    labels = np.zeros(n, int) if kind == 7 else rng.integers(0, c, n)
    return Problem(
        X, np.eye(c)[labels], float(10.0 ** rng.uniform(-3, 1.5)) * float(np.abs(X).max() or 1), loss="logistic"
    )


@pytest.fixture(scope="module")
def known():
    """The problem of formulation.md, section 13, and its exact solution."""
    problem = labelled()
    return problem, cpp(problem)


def test_objective_and_gradient():
    problem, rng = labelled(n=9, d=3), np.random.default_rng(1)
    network = Network(rng.normal(size=(3, 5)), rng.normal(size=(5, 3)))
    F = network.predict(problem.X)
    P = np.exp(F) / np.exp(F).sum(axis=1, keepdims=True)
    penalty = 0.15 * (np.sum(network.U**2) + np.sum(network.V**2))
    value, by = problem.objective_and_gradient(network)
    assert value == pytest.approx(-np.sum(problem.Y * np.log(P)) + penalty, rel=1e-12)
    dU, dV = rng.normal(size=(3, 5)), rng.normal(size=(5, 3))
    up, down = (problem.objective(Network(network.U + t * dU, network.V + t * dV)) for t in (1e-6, -1e-6))
    assert (up - down) / 2e-6 == pytest.approx(np.sum(by.U * dU) + np.sum(by.V * dV), rel=1e-7)


@pytest.mark.parametrize(
    "Y", [[[1.0], [1.0]], [[1.0, 1.0], [0.0, 1.0]], [[0.5, 0.5], [0.0, 1.0]], [[0.0, 0.0], [0.0, 1.0]]]
)
def test_targets_that_are_not_one_hot_are_refused(Y):
    with pytest.raises(ProblemError, match="loss logistic"):
        Problem([[1.0], [2.0]], Y, 0.1, loss="logistic")


def test_labels_are_one_hot():
    problem = Problem([[1.0], [2.0]], ["a", "b"], 0.1, loss="logistic")
    assert problem.scaled.kappa == 1.0
    assert problem.scaled.problem.loss == "logistic"
    network = Network([[1.0]], [[2.0, -1.0]])
    there = problem.scaled.network_scaled(network)
    assert problem.scaled.problem.objective(there) == pytest.approx(problem.objective(network), rel=1e-12)


def test_exact_interval(known):
    """Over all directions the optimum is below that over 720 of them, 8.466187, by the fineness of these."""
    problem, fit = known
    upper = problem.objective(fit.network)
    proved = verify(fit.certificate, problem)
    assert fit.status == "ok"
    assert fit.certificate.kind == "arcs"
    assert (upper - proved) / upper < 1e-6
    assert 8.466187 * (1 - 2e-4) < proved <= upper < 8.466187


def test_closed_form_for_two_rows():
    """Rows e_1 and e_2 of classes 1 and 2: by symmetry every row is fitted alone, min log(1 + e^{−√2 s}) + γs."""
    problem = Problem(np.eye(2), np.eye(2), 0.1, loss="logistic")
    s = np.log(np.sqrt(2) / 0.1 - 1) / np.sqrt(2)
    truth = 2 * (np.log1p(np.exp(-np.sqrt(2) * s)) + 0.1 * s)
    fit = cpp(problem)
    proved = verify(fit.certificate, problem)
    assert proved <= truth * (1 + 1e-12) <= problem.objective(fit.network) * (1 + 2e-12)
    assert proved == pytest.approx(truth, rel=1e-6)


@pytest.mark.parametrize("gamma", [10.0, 1e3])
def test_where_gamma_leaves_nothing_to_learn_the_bound_is_n_log_c(gamma):
    problem = labelled(gamma=gamma)
    fit = cpp(problem)
    assert verify(fit.certificate, problem) == pytest.approx(12 * np.log(3), rel=1e-9)
    relaxation = relax(problem)
    assert relaxation.value == pytest.approx(12 * np.log(3), rel=1e-6)
    assert verify(relaxation.certificate, problem) == pytest.approx(12 * np.log(3), rel=1e-5)


@pytest.mark.parametrize("solve", [cpp, partial(relax, gap=GAP)])
def test_zero_rows_cost_log_c(solve):
    problem = Problem(np.zeros((4, 2)), np.eye(4)[:, :4], 0.1, loss="logistic")
    found = solve(problem)
    assert verify(found.certificate, problem) == pytest.approx(4 * np.log(4), rel=1e-9)
    some = labelled(n=6)
    rows = np.vstack([some.X, np.zeros((3, 2))])
    more = Problem(rows, np.vstack([some.Y, np.eye(3)]), some.gamma, loss="logistic")
    added = verify(solve(more).certificate, more) - verify(solve(some).certificate, some)
    assert added == pytest.approx(3 * np.log(3), abs=0.01)


@pytest.mark.parametrize(("d", "c"), [(2, 3), (3, 2)])
def test_relaxation_is_below_the_exact_value_and_proved(d, c):
    problem = labelled(n=8, d=d, c=c, seed=2)
    relaxation = relax(problem, gap=GAP)
    proved = verify(relaxation.certificate, problem)
    assert relaxation.status == "ok"
    assert (relaxation.value - proved) / relaxation.value <= 1.1 * GAP
    exact = cpp(problem)
    assert proved <= problem.objective(exact.network)
    assert relaxation.value <= problem.objective(exact.network) * (1 + 1e-9)
    assert problem.objective(relaxation.network) >= verify(exact.certificate, problem)


def test_relaxation_agrees_with_cvxpy():
    """The kernel form with the entropies, stated in CVXPY: max over Θ of the dual is what both prove."""
    cvxpy = pytest.importorskip("cvxpy")
    problem = labelled(n=6, d=2, c=3, gamma=0.5, seed=3)
    n, d, c = problem.n, problem.d, problem.c
    Z = cvxpy.Variable((n + d + c, n + d + c), PSD=True)
    N = np.block([[np.eye(n), problem.X], [np.eye(n), -problem.X]]) / 2
    G = N @ Z[: n + d, : n + d] @ N.T
    F = (N @ Z[: n + d, n + d :])[:n]
    rows = [G >= 0, *(G[i, n + i] == 0 for i in range(n))]
    loss = sum(cvxpy.log_sum_exp(F[i]) - F[i] @ problem.Y[i] for i in range(n))
    penalty = problem.gamma / 2 * cvxpy.trace(Z[n:, n:])
    value = cvxpy.Problem(cvxpy.Minimize(loss + penalty), rows).solve(solver="CLARABEL")
    relaxation = relax(problem, gap=1e-4)
    assert relaxation.value == pytest.approx(value, rel=3e-4)
    assert verify(relaxation.certificate, problem) <= value * (1 + 1e-5)


@pytest.mark.parametrize("options", [{"solver": "cvxpy-scs"}, {"solver": "interior"}, {"cuts": 2}])
def test_what_the_relaxation_does_not_support_it_says(options):
    relaxation = relax(labelled(), **options)
    assert relaxation.status == "unsupported"
    assert "logistic" in relaxation.message
    assert relaxation.certificate is None


@pytest.mark.thorough
@pytest.mark.parametrize("rounding", ["gaussian", "tos+ridge", "factor+lbfgs+merge"])
def test_roundings_come_near_the_relaxation(rounding):
    problem = labelled(n=8, seed=2)
    relaxation = relax(problem, gap=1e-2)
    fit = round_relaxation(problem, relaxation, width=20, seed=0, rounding=rounding)
    assert rounding in ROUNDINGS
    assert relaxation.certificate.lower_bound <= problem.objective(fit.network) < 8 * np.log(3)


def test_a_budget_that_is_over_still_gives_a_bound():
    relaxation = relax(labelled(n=30, d=3), budget=0.0)
    assert relaxation.status == "timeout"
    assert relaxation.certificate.lower_bound >= 0


def forged(problem, certificate, **changes):
    """What the checker makes of the certificate with other arrays."""
    return checker.verify(replace(certificate, **changes), *problem.parts)


def test_forged_thetas_are_refused(known):
    problem, fit = known
    theta = fit.certificate.theta
    for other, words in (
        (theta * (1 + 1e-12), "exactly"),
        (theta + 1e-3 * problem.Y, "exactly"),
        (theta - 2 * theta.min() * (1 - problem.Y), "below 0"),
        (2 * problem.Y - 1, "below 0|exactly"),
    ):
        with pytest.raises(CertificateError, match=words):
            forged(problem, fit.certificate, theta=other)


def test_theta_of_other_data_proves_no_more_than_is_true(known):
    problem, fit = known
    upper = problem.objective(fit.network)
    doubled = Problem(10 * problem.X, problem.Y, problem.gamma, loss="logistic")
    assert forged(doubled, fit.certificate) <= doubled.objective(cpp(doubled).network)
    entropy = np.full_like(problem.Y, 0.25)  # n log c is above the optimum: Θ of uniform P is not feasible
    uniform = (1 - problem.Y) * -entropy
    uniform += problem.Y * -uniform.sum(axis=1, keepdims=True)
    assert forged(problem, fit.certificate, theta=uniform) < upper < 12 * np.log(3)
    other = Problem(problem.X, problem.Y[::-1], problem.gamma, loss="logistic")
    if not np.array_equal(other.Y, problem.Y):
        with pytest.raises(CertificateError):
            forged(other, fit.certificate)


def test_a_claim_above_the_proof_is_refused(known):
    problem, fit = known
    with pytest.raises(CertificateError, match="must prove the bound"):
        verify(replace(fit.certificate, lower_bound=fit.certificate.lower_bound * 1.001), problem)


def test_a_certificate_of_squares_is_none_for_the_logistic_loss(known):
    problem, fit = known
    squares = Problem(problem.X, problem.Y, problem.gamma)
    with pytest.raises(CertificateError):
        forged(problem, cpp(squares).certificate)
    assert forged(squares, fit.certificate) <= squares.objective(cpp(squares).network)


def check_order(seed):
    """SDP ≤ exact ≤ network, by the checker's own numbers."""
    problem = awkward(seed)
    exact = cpp(problem, gap=GAP)
    upper = problem.objective(exact.network)
    proved = verify(exact.certificate, problem)
    assert proved <= upper * (1 + 1e-12), seed
    assert upper - proved <= GAP * upper + 1e-12, (seed, upper, proved)
    return problem, upper, proved


def check_relaxation(seed):
    """The relaxation's proved bound and value below the exact value."""
    problem, upper, _ = check_order(seed)
    relaxation = relax(problem, gap=1e-2)
    assert verify(relaxation.certificate, problem) <= upper * (1 + 1e-12), seed
    assert problem.objective(lbfgs(problem, width=4, seed=0, starts=1, iterations=200).network) >= upper * (1 - GAP)


@pytest.mark.parametrize("seed", range(60))
def test_order(seed):
    check_order(seed)


@pytest.mark.thorough
@pytest.mark.parametrize("seed", range(6))
def test_order_of_the_relaxation(seed):
    check_relaxation(seed)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(30))
def test_order_of_thousands(part):
    for seed in range(60 + 100 * part, 160 + 100 * part):
        check_order(seed)
    for seed in range(6 + 10 * part, 16 + 10 * part):
        check_relaxation(seed)


@pytest.mark.thorough
@pytest.mark.parametrize("activation", ["leaky:0.3", "abs", "identity"])
def test_other_activations_and_merged_rows(activation):
    """Opposite and parallel rows among them, for which the loss reads bα + aβ."""
    rng = np.random.default_rng(3)
    X = rng.normal(size=(8, 2))
    X[-1], X[-2] = -2 * X[0], 3 * X[1]
    problem = Problem(X, np.eye(3)[rng.integers(0, 3, 8)], 0.2, activation, "logistic")
    exact, relaxation = cpp(problem), relax(problem, gap=GAP)
    upper = problem.objective(exact.network)
    assert upper * (1 - 1e-6) <= verify(exact.certificate, problem) <= upper
    assert verify(relaxation.certificate, problem) <= upper
    assert relaxation.value - verify(relaxation.certificate, problem) <= 1.1 * GAP * relaxation.value
    assert relaxation.value <= upper * (1 + GAP)
