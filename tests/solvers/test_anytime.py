"""A bound and a network from some of the rows: both proofs hold for all of them, and forged ones prove no more."""

from dataclasses import replace

import numpy as np
import pytest
from relaxbench.solvers.anytime import LARGE, widened
from relaxbench.solvers.certificates.certificate import Certificate
from relaxbench.solvers.checker import verify
from relaxbench.solvers.problem import Problem
from relaxbench.solvers.sdp import relax, round_relaxation

from ..support.cases import teacher, train

ROWS = np.array([7, 2, 11, 5, 0, 9])


@pytest.fixture(scope="module", params=["relu", "leaky:0.5", "abs", "identity"])
def some(request):
    """All rows, the certificate of six of them, two of which are parallel, and the same for all rows."""
    base = teacher(3, n=14, d=3, c=2)
    X = base.X.copy()
    X[11] = -2 * X[2]
    problem = Problem(X, base.Y, 0.1, request.param)
    own = relax(problem.on(X[ROWS], base.Y[ROWS])).certificate
    return problem, own, widened(problem, ROWS, own)


def checked(problem, certificate):
    return verify(certificate, *problem.parts)


@pytest.mark.thorough
def test_what_some_rows_prove_holds_for_all_of_them(some):
    problem, own, wide = some
    assert wide.lower_bound == pytest.approx(own.lower_bound, rel=1e-9)
    assert checked(problem, wide) == pytest.approx(own.lower_bound, rel=1e-7)
    assert 0 < wide.lower_bound <= relax(problem).certificate.lower_bound * (1 + 1e-6)


def forged(problem, wide):
    """By name: certificates that claim more than they prove."""
    outside = np.setdiff1d(np.arange(problem.n), ROWS)
    theta = wide.theta.copy()
    theta[outside] = problem.Y[outside]
    yield "a Θ that nobody stands for", theta, wide.proof
    yield "everything twice", 2 * wide.theta, wide.proof
    rep, coef = wide.proof["rep"].copy(), wide.proof["coef"].copy()
    rep[outside], coef[outside] = 0, 1.0
    yield "a row that another stands for wrongly", theta, {**wide.proof, "rep": rep, "coef": coef}
    yield "multipliers left out", wide.theta, {**wide.proof, "T_value": 0 * wide.proof["T_value"]}


def test_forged_ones_prove_no_more(some):
    problem, _, wide = some
    best = problem.objective(train(problem, 30, 2, 0))
    for name, theta, proof in forged(problem, wide):
        found = checked(problem, Certificate(wide.kind, theta, proof, 2 * wide.lower_bound))
        assert found <= min(best, wide.lower_bound * (1 + 1e-6)), name


@pytest.fixture(scope="module")
def stopped():
    problem = teacher(1, n=LARGE + 40, d=6, c=3)
    relax(teacher(0, n=20, d=2))  # compiles
    return problem, [relax(problem, gap=1e-9, budget=seconds) for seconds in (0.4, 2.0)]


@pytest.mark.thorough
def test_a_timeout_leaves_a_bound_and_a_network(stopped):
    problem, relaxations = stopped
    for relaxation in relaxations:
        assert relaxation.status == "timeout"
        bounds = [row.bound for row in relaxation.trace]
        assert bounds == sorted(bounds)
        assert relaxation.trace[0].iteration == 0
        assert 0 < bounds[0] <= relaxation.certificate.lower_bound
        assert checked(problem, relaxation.certificate) == pytest.approx(relaxation.certificate.lower_bound, rel=1e-6)
    network = relaxations[-1].network
    assert relaxations[-1].certificate.lower_bound <= problem.objective(network) < 0.5 * np.sum(problem.Y**2)
    assert problem.objective(network) <= relaxations[-1].trace[0].value


@pytest.mark.thorough
def test_a_rounding_that_is_out_of_time_leaves_the_network_that_was_there(stopped):
    problem, relaxations = stopped
    known = relaxations[-1]
    fit = round_relaxation(problem, known, width=120, seed=0, budget=1e-6)
    assert fit.status == "timeout"
    assert problem.objective(fit.network) <= problem.objective(known.network)
    narrow = round_relaxation(problem, known, width=10, seed=0, budget=1e-6)
    assert narrow.network.width <= 10
    alone = round_relaxation(problem, replace(known, network=None), width=120, seed=0, budget=1e-6)
    assert problem.objective(fit.network) <= problem.objective(alone.network)
