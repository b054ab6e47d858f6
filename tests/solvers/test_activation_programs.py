"""The relaxation, the exact program and every proof for other activations than the ReLU, against CVXPY and by hand."""

import cvxpy as cp
import numpy as np
import pytest
from relaxbench.solvers.activation import Activation
from relaxbench.solvers.atoms.search import ascend
from relaxbench.solvers.branch import branch
from relaxbench.solvers.certificates.certificate import Certificate
from relaxbench.solvers.checker import KINDS, CertificateError, NotChecked, verify
from relaxbench.solvers.checker.balls import precision
from relaxbench.solvers.cpp import cpp
from relaxbench.solvers.exact.arcs import local_maxima
from relaxbench.solvers.exact.cover import cover
from relaxbench.solvers.exchange.model import cvxpy_problem
from relaxbench.solvers.exchange.multipliers import certificate_of
from relaxbench.solvers.exchange.standard import standard_sdp
from relaxbench.solvers.ipm.many_outputs import EliminatedSystem
from relaxbench.solvers.network import whitener
from relaxbench.solvers.problem import Problem
from relaxbench.solvers.rounding import ROUNDINGS
from relaxbench.solvers.sdp import relax
from relaxbench.solvers.theta import certificate_for

from ..support.oracles import by_arcs, nuclear, relaxed

OTHERS = ("leaky:0.1", "leaky:0.5", "leaky:-0.5", "abs", "identity")
TABLE = {  # n = 12 of formulation, section 12: relaxation and exact program
    "relu": (0.62345, 0.62408),
    "leaky:0.1": (0.61093, 0.61118),
    "leaky:0.5": (0.90544, 0.90555),
    "abs": (2.36481, 3.04585),
}


def taught(activation, n=12, d=2, c=3, gamma=0.1, seed=1):
    """A teacher of 30 ReLU neurons, Y at ‖Y‖² = nc."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d))
    Y = np.maximum(X @ rng.normal(size=(d, 30)), 0) @ rng.normal(size=(30, c))
    return Problem(X, Y / np.linalg.norm(Y) * np.sqrt(c * n), gamma, activation)


def degenerate(activation, seed=3, d=2):
    """Rows that are merged: repeated, opposite, multiples of either sign, zero."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(4, d))
    X = np.vstack([X, X[0], -X[1], -2.0 * X[2], 0.5 * X[2], 0 * X[0]])
    return Problem(X, rng.normal(size=(len(X), 2)), 0.2, activation)


def checked(certificate, problem):
    """The bound that the checker proves, which is what is claimed."""
    proved = verify(certificate, *problem.parts)
    assert proved == pytest.approx(certificate.lower_bound, rel=1e-9)
    return proved


@pytest.mark.parametrize("activation", TABLE)
def test_the_values_of_the_formulation(activation):
    problem = taught(activation)
    relaxation, exact = relax(problem), cpp(problem, gap=1e-6)
    assert relaxation.value == pytest.approx(TABLE[activation][0], rel=2e-5)
    assert checked(relaxation.certificate, problem) >= (1 - 2e-6) * relaxation.value
    assert exact.value == pytest.approx(TABLE[activation][1], rel=2e-5)
    assert checked(exact.certificate, problem) >= (1 - 1e-6) * problem.objective(exact.network)


@pytest.mark.parametrize("activation", OTHERS)
def test_relaxation_and_exact_program_agree_with_cvxpy(activation):
    problem = taught(activation, n=7, seed=2)
    assert relax(problem).value == pytest.approx(relaxed(problem), rel=1e-5)
    assert cpp(problem, gap=1e-6).value == pytest.approx(by_arcs(problem), rel=1e-5)
    assert cvxpy_problem(problem).solve(solver="CLARABEL") == pytest.approx(relaxed(problem), rel=1e-4)


@pytest.mark.parametrize("activation", OTHERS)
def test_merged_rows_change_nothing(activation):
    problem = degenerate(activation)
    live = np.any(problem.X != 0, axis=1)
    exact = by_arcs(problem.on(problem.X[live], problem.Y[live])) + 0.5 * np.sum(problem.Y[~live] ** 2)
    fit = cpp(problem, gap=1e-6)
    assert fit.value == pytest.approx(exact, rel=1e-5)
    assert checked(fit.certificate, problem) <= exact * (1 + 1e-6)
    found = relax(problem)
    assert checked(found.certificate, problem) == pytest.approx(found.value, rel=1e-5)
    assert found.value <= exact * (1 + 1e-6)


@pytest.mark.parametrize("activation", OTHERS)
def test_the_literal_program_is_the_same_relaxation(activation):
    problem = taught(activation, n=4, seed=2)
    loose, found = relax(problem, solver="cvxpy-scs"), relax(problem)  # without an interior, SCS comes no nearer
    assert loose.value == pytest.approx(found.value, rel=3e-2)
    assert checked(loose.certificate, problem) >= (1 - 3e-2) * found.value


@pytest.mark.thorough
@pytest.mark.parametrize("activation", OTHERS)
def test_cuts_hierarchy_and_cover_in_three_dimensions(activation):
    problem = degenerate(activation, d=3)
    plain, cut = relax(problem), relax(problem, cuts=3)
    split, exact = branch(problem, gap=1e-3, cuts=2), cpp(problem, gap=1e-3)
    bounds = [checked(one.certificate, problem) for one in (plain, cut, split, exact)]
    assert bounds[0] <= bounds[1] * (1 + 1e-9)
    upper = min(problem.objective(fit.network) for fit in (split, exact))
    assert max(bounds) <= upper
    assert min(bounds[2:]) >= upper * (1 - 2e-3)


@pytest.mark.parametrize("activation", OTHERS)
def test_the_loss_rows_may_be_eliminated(activation, monkeypatch):
    problem = degenerate(activation, d=3)
    value = relax(problem).value
    monkeypatch.setattr("relaxbench.solvers.ipm.loop.NewtonSystem", EliminatedSystem)
    assert relax(problem).value == pytest.approx(value, rel=1e-5)


@pytest.mark.parametrize("activation", ["leaky:0.5", "abs"])
def test_a_given_theta_is_proved(activation):
    for d in (2, 3):
        problem = degenerate(activation, d=d)
        fit = cpp(problem, gap=1e-3)
        found = certificate_for(problem, 1.5 * fit.certificate.theta, timeout=10)
        assert checked(found, problem) >= (1 - 5e-3) * fit.certificate.lower_bound


@pytest.mark.parametrize("activation", ["leaky:0.5", "abs"])
@pytest.mark.parametrize(("form", "solver", "off"), [("reduced", "CLARABEL", 1e-4), ("literal", "SCS", 5e-2)])
def test_multipliers_of_outside_solvers_prove_a_bound(activation, form, solver, off):
    problem = taught(activation, n=4 if form == "reduced" else 2, seed=4)
    program = standard_sdp(problem, form)
    Z = [cp.Variable((order, order), PSD=True) for order in program.orders]
    flat = cp.hstack([cp.vec(one, order="C") for one in Z])
    split = program.A.shape[0] - program.inequalities
    weight = symmetric(program)
    rows = (program.A @ weight) @ flat
    equal, above = rows[:split] == program.b[:split], rows[split:] >= program.b[split:]
    model = cp.Problem(cp.Minimize(cp.sum((program.C @ weight) @ flat)), [equal, above])
    model.solve(solver=solver, **({"max_iters": 3000} if solver == "SCS" else {}))
    value = relax(problem).value
    assert program.offset + program.scale * model.value == pytest.approx(value, rel=off)
    multipliers = np.r_[-equal.dual_value, above.dual_value]
    assert checked(certificate_of(problem, program, multipliers), problem) >= (1 - off) * value


def symmetric(program):
    """The matrix by which entries above the diagonal count twice."""
    from scipy import sparse

    weights = []
    for order in program.orders:
        i, j = np.divmod(np.arange(order**2), order)
        weights.append(np.where(i == j, 1.0, 2.0))
    return sparse.diags(np.concatenate(weights))


@pytest.mark.parametrize("orthonormal", [True, False])
def test_linear_networks_are_nuclear_norm_regression(orthonormal):
    rng = np.random.default_rng(5)
    for d, c in ((2, 3), (4, 2)):
        X = rng.normal(size=(9, d))
        X = np.linalg.qr(X)[0] if orthonormal else X
        problem = Problem(X, rng.normal(size=(9, c)), 0.3, "identity")
        optimum = nuclear(problem)
        assert relax(problem).value == pytest.approx(optimum, rel=1e-6)
        for fit in (cpp(problem, gap=1e-6), branch(problem, gap=1e-6)):
            assert problem.objective(fit.network) == pytest.approx(optimum, rel=1e-6)
            assert checked(fit.certificate, problem) == pytest.approx(optimum, rel=1e-6)


@pytest.mark.thorough
@pytest.mark.parametrize("activation", OTHERS)
def test_every_rounding_makes_a_network_of_the_activation(activation):
    problem = taught(activation)
    relaxation = relax(problem)
    for name in ("tos", "tos-spread+ridge", "factor+lbfgs", "gaussian", "gaussian+lbfgs+merge"):
        fit = ROUNDINGS[name](problem, relaxation, width=20, seed=0)
        assert str(fit.network.activation) == activation
        assert fit.value == problem.objective(fit.network) >= relaxation.certificate.lower_bound
    assert fit.value <= 1.02 * problem.objective(relaxation.network)


@pytest.mark.thorough
@pytest.mark.parametrize("d", [2, 3])
def test_a_certificate_is_none_for_another_activation(d):
    problem = degenerate("leaky:0.5", d=d)
    certificates = [one.certificate for one in (relax(problem), relax(problem, cuts=2), cpp(problem, gap=1e-2))]
    for other in ("relu", "abs", "identity"):
        another = Problem(*problem.parts[:3], other)
        upper = another.objective(cpp(another, gap=1e-2).network)
        assert max(verify(certificate, *another.parts) for certificate in certificates) <= upper


@pytest.mark.parametrize("activation", OTHERS)
@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 20))])
def test_heights_are_proved_above_the_truth_and_near_it(activation, seed):
    rng = np.random.default_rng(seed)
    φ, slopes = Activation.of(activation), (Activation.of(activation).a, Activation.of(activation).b)
    for d in (2, 3):
        X = np.vstack([rng.normal(size=(5, d)), np.zeros((1, d))])
        X = np.vstack([X, -X[0], 3 * X[1], X[2] + 1e-9])
        theta, U = rng.normal(size=(len(X), 2)), rng.normal(size=(d, 20_000))
        seen = np.max(np.linalg.norm(theta.T @ φ(X @ U / np.linalg.norm(U, axis=0)), axis=0))
        with precision():
            if d == 2:
                η = float(KINDS["arcs"](theta, X, 1.0, {}, slopes))
                assert η == pytest.approx(local_maxima(theta, X, φ)[1][0], rel=1e-9)
            else:
                transform = whitener(X)
                made = cover(theta, X, transform, 1.05 * seen, activation=φ)
                proof = {"basis": np.eye(3), **made.proof(transform)}
                η = float(KINDS["cover"](theta, X, 1.05 * seen, proof, slopes))
                assert η <= made.eta * (1 + 1e-9)
                high = ascend(theta, X, np.eye(3), rng, φ)[1][0]
                assert high == pytest.approx(seen, rel=0.02) or high < seen
        assert seen <= η <= 1.06 * seen


def test_the_checker_refuses_what_it_does_not_know():
    problem = taught("abs", n=4)
    certificate = relax(problem).certificate
    for name in ("tanh", "leaky:2", "leaky:", "leaky:nan", None):
        with pytest.raises(CertificateError, match="activation must be"):
            verify(certificate, *problem.parts[:3], name)
    with pytest.raises(CertificateError, match="Y must be one-hot"):
        verify(certificate, *problem.parts[:3], "abs", "logistic")
    with pytest.raises(NotChecked, match="loss must be"):
        verify(certificate, *problem.parts[:3], "abs", "hinge")
    assert isinstance(certificate, Certificate)
