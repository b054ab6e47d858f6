"""The hierarchy: between the relaxation and every network, monotone, proved by arrays that nobody can bend."""

from contextlib import suppress
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from relaxbench.datasets import load
from relaxbench.solvers.branch import branch
from relaxbench.solvers.certificates.certificate import Certificate
from relaxbench.solvers.certificates.regions import RegionPoint, certify_regions, prove_regions
from relaxbench.solvers.certificates.tree import LEAF, Circuits, Region, leaves
from relaxbench.solvers.checker import CertificateError, verify
from relaxbench.solvers.checker.regions import largest
from relaxbench.solvers.conic.cuts import circuits
from relaxbench.solvers.problem import Problem
from relaxbench.solvers.reduced.reduction import reduce
from relaxbench.solvers.sdp import relax

from ..support.cases import awkward, circle_maximum, noise, quarter_turns, sampled_maximum, tight, train

TIGHT = 1e-12  # of the closed forms


def random_problem(seed):
    """n ≤ 8, d ≤ 3, c ≤ 3, with duplicates, opposite, parallel, zero and collinear rows, and γ of any size."""
    rng = np.random.default_rng(seed)
    n, d, c = int(rng.integers(1, 9)), int(rng.integers(1, 4)), int(rng.integers(1, 4))
    X, Y = rng.standard_normal((n, d)), rng.standard_normal((n, c))
    for k in range(1, n):
        kind = rng.integers(0, 8)
        if kind < 3:
            X[k] = (X[k - 1], -2 * X[k - 1], 0 * X[k])[kind]
        elif kind == 3:
            X[k] = X[k - 1] + np.eye(d)[0]
    gamma = 10.0 ** rng.choice([-5.0, -2.0, -1.0, 0.0, 3.0])
    return Problem(X, Y, gamma)


def check_order(problem, cells):
    plain = relax(problem).certificate.lower_bound
    cut = relax(problem, cuts=2).certificate.lower_bound
    fit = branch(problem, gap=1e-4, cells=cells)
    upper = min(problem.objective(train(problem, 16, 3, 0)), problem.objective(fit.network))
    rounding = 1e-9 * 0.5 * float(np.sum(problem.Y**2))
    assert plain <= cut + rounding
    assert plain <= fit.certificate.lower_bound + rounding
    assert max(cut, fit.certificate.lower_bound) <= upper + rounding
    assert fit.value == pytest.approx(problem.objective(fit.network))
    proved = verify(fit.certificate, problem.X, problem.Y, problem.gamma)
    assert proved >= fit.certificate.lower_bound - 1e-6 * upper
    assert proved <= upper + rounding


@pytest.mark.parametrize("seed", range(12))
def test_order_of_bounds_on_random_problems(seed):
    check_order(random_problem(seed), cells=4)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 400))
def test_order_of_bounds_on_many_random_problems(seed):
    check_order(random_problem(seed), cells=12)


@pytest.mark.parametrize("name", sorted(tight()))
def test_nothing_passes_a_known_optimum(name):
    planted = tight()[name]
    fit = branch(planted.problem, gap=1e-9, cells=4)
    assert planted.optimum * (1 - 1e-5) <= fit.certificate.lower_bound <= planted.optimum * (1 + TIGHT)


@pytest.mark.parametrize("gamma", [0.3, 0.1])
def test_splits_close_the_gap_in_the_plane(gamma):
    problem = noise(6, 8, 2, 2, gamma)
    plain = relax(problem).certificate.lower_bound
    fit = branch(problem, gap=1e-3, cells=24)
    upper = min(fit.value, problem.objective(train(problem, 24, 8, 0)))
    assert plain < upper * (1 - 1e-2)  # there is something to close
    assert upper * (1 - 1e-3) <= fit.certificate.lower_bound <= upper
    assert fit.value <= upper * (1 + 1e-2)
    assert [row.bound for row in fit.trace] == sorted(row.bound for row in fit.trace)


def test_ok_is_said_only_of_a_gap_that_is_proved():
    problem = noise(6, 8, 2, 2, 0.3)
    few, enough = branch(problem, gap=1e-3, cells=2), branch(problem, gap=0.1, cells=24)
    assert few.value - few.certificate.lower_bound > 1e-3 * few.value
    assert few.status == "iteration_limit"
    assert "of at most 2 regions" in few.message
    assert enough.value - enough.certificate.lower_bound <= 0.1 * enough.value
    assert (enough.status, enough.message) == ("ok", "")


@pytest.mark.parametrize("seed", range(2))
def test_splits_never_pass_a_planted_optimum(seed):
    planted = quarter_turns(seed)
    fit = branch(planted.problem, gap=1e-9, cells=4)
    assert planted.optimum * (1 - 1e-5) <= fit.certificate.lower_bound <= planted.optimum * (1 + TIGHT)


@pytest.mark.parametrize(
    "name", ["no data", "nothing to fit", "constant column", "tiny units", "huge units", "one number"]
)
def test_awkward_data(name):
    problem = awkward()[name]
    fit = branch(problem, gap=1e-3, cells=4)
    assert relax(problem).certificate.lower_bound <= fit.certificate.lower_bound * (1 + 1e-9)
    assert fit.certificate.lower_bound <= fit.value * (1 + 1e-9)
    assert verify(fit.certificate, problem.X, problem.Y, problem.gamma) == pytest.approx(
        fit.certificate.lower_bound, rel=1e-6
    )


@cache
def solved():
    """A problem with cells and cuts in its certificate, which verify accepts."""
    problem = noise(4, 8, 2, 2, 0.02)
    fit = branch(problem, gap=1e-2, cells=12, cuts=1)
    return problem, fit.certificate


def test_the_proof_bounds_the_true_maximum():
    problem, certificate = solved()
    assert len(certificate.proof["tree"]) >= 5
    assert len(certificate.proof["circuit_head"])
    eta = prove_regions(certificate.theta, problem.X, certificate.proof)
    truth = circle_maximum(certificate.theta, problem.X)[0]
    assert truth <= eta <= truth * (1 + 1e-2)
    stored = Certificate.from_arrays("cells", certificate.arrays(), certificate.lower_bound)
    assert verify(stored, problem.X, problem.Y, problem.gamma) == pytest.approx(certificate.lower_bound, rel=1e-6)


@pytest.mark.parametrize("seed", range(30))
def test_altered_arrays_never_prove_too_much(seed):
    problem, certificate = solved()
    rng = np.random.default_rng(seed)
    proof = {name: array.copy() for name, array in certificate.proof.items()}
    theta = certificate.theta.copy()
    name = rng.choice(["theta", "T_value", "z", "circuit_value", "coef", "T_row", "T_cell", "circuit_head", "tree"])
    array = theta if name == "theta" else proof[name]
    where = rng.integers(0, array.size, 3)
    if array.dtype.kind == "f":
        array.flat[where] *= rng.choice([-1.0, 0.0, 0.5, 2.0, 1e3])
    else:
        array.flat[where] = rng.integers(-1, 8, 3)
    truth = circle_maximum(theta, problem.X)[0]
    try:
        eta = prove_regions(theta, problem.X, proof)
    except (ValueError, IndexError):
        eta = np.inf
    assert eta >= truth * (1 - 1e-12)
    upper = problem.objective(train(problem, 16, 3, 0))
    altered = replace(certificate, theta=theta, proof=proof)
    with suppress(CertificateError):
        assert verify(altered, problem.X, problem.Y, problem.gamma) <= upper


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("tree", lambda a: a[:-1]),
        ("tree", lambda a: np.r_[a, -1]),
        ("tree", lambda a: np.array([-1])),
        ("tree", lambda a: np.array([0, 0, -1, -1, -1])),
        ("T_value", lambda a: -a),
        ("T_value", lambda a: a * np.nan),
        ("T_column", lambda a: a + 10**6),
        ("T_cell", lambda a: a - 1),
        ("planes", lambda a: np.r_[a, 1.0]),
        ("circuit_cell", lambda a: a + 10**6),
        ("z", lambda a: a[:-1]),
        ("circuit_row", lambda a: 0 * a),
        ("circuit_form", lambda a: a[:-1]),
        ("rows", lambda a: a - 10**3),
    ],
)
def test_arrays_that_are_no_certificate_are_named(name, change):
    problem, certificate = solved()
    proof = {**certificate.proof, name: change(certificate.proof[name])}
    with pytest.raises(CertificateError):
        verify(replace(certificate, proof=proof), problem.X, problem.Y, problem.gamma)


@pytest.mark.thorough
def test_planes_split_where_no_row_does():
    problem = noise(1, 8, 3, 2, 0.02)
    fit = branch(problem, gap=1e-5)
    proof, theta = dict(fit.certificate.proof), fit.certificate.theta
    assert len(proof["planes"]) >= 3
    assert fit.certificate.lower_bound >= fit.value * (1 - 1e-5)
    assert verify(fit.certificate, problem.X, problem.Y, problem.gamma) == pytest.approx(
        fit.certificate.lower_bound, rel=1e-9
    )
    truth = sampled_maximum(theta, problem.X, np.random.default_rng(0))
    for planes in (proof["planes"], -proof["planes"], proof["planes"][::-1], 0 * proof["planes"]):
        altered = {**proof, "planes": planes}
        assert prove_regions(theta, problem.X, altered) >= truth * (1 - 1e-12)
        proved = verify(replace(fit.certificate, proof=altered), problem.X, problem.Y, problem.gamma)
        assert proved <= fit.value


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("d", "gamma"), [(2, 0.01), *(pytest.param(*one, marks=pytest.mark.slow) for one in ((2, 0.1), (3, 0.01)))]
)
def test_the_hierarchy_alone_closes_the_gap_on_random_data(d, gamma):
    data = load("random", seed=56, n=25, d=d, c=5)  # of the hundred draws the hardest at d = 2
    problem = Problem(data.X_train, data.Y_train, gamma)
    fit = branch(problem, gap=1e-2)
    assert fit.certificate.lower_bound >= 0.99 * fit.value
    assert relax(problem).certificate.lower_bound < 0.97 * fit.value


def test_a_missing_cell_or_multiplier_costs_the_bound():
    problem, certificate = solved()
    proof = {**certificate.proof, "T_value": 0 * certificate.proof["T_value"]}
    weaker = verify(replace(certificate, proof=proof), problem.X, problem.Y, problem.gamma)
    assert weaker < certificate.lower_bound * (1 - 1e-3)


@pytest.mark.thorough
@pytest.mark.parametrize("d", [3, 5])
def test_the_proof_holds_in_more_dimensions(d):
    problem = noise(d, 7, d, 2, 0.05)
    fit = branch(problem, gap=1e-3, cells=6)
    if fit.certificate.kind == "cells":
        eta = prove_regions(fit.certificate.theta, problem.X, fit.certificate.proof)
        assert sampled_maximum(fit.certificate.theta, problem.X, np.random.default_rng(0)) <= eta
    assert fit.certificate.lower_bound <= problem.objective(train(problem, 20, 4, 1))


@pytest.mark.thorough
def test_the_time_limit_is_kept_and_the_seed_repeats():
    problem = noise(9, 8, 3, 2, 0.01)
    first, second = (branch(problem, gap=1e-12, cells=3, seed=1) for _ in range(2))
    np.testing.assert_array_equal(first.network.U, second.network.U)
    assert first.certificate.lower_bound == second.certificate.lower_bound
    late = branch(problem, gap=1e-12, cells=64, budget=1e-3)
    assert late.status == "timeout"
    assert 0 < late.certificate.lower_bound <= late.value


def test_the_certificate_names_walls_after_the_circuits_that_are_in_use():
    """A multiplier of a wall and α_0, and one of the last circuit: the others have no place in the certificate."""
    problem = noise(3, 6, 2, 2)
    reduced = reduce(problem)
    n, planes = reduced.n, np.array([[1.0, 0.3]])
    pool = circuits(reduced.X)
    F = len(pool)
    assert F >= 3
    tree, nothing = [n, LEAF, LEAF], Circuits.none(n + 1)
    parts = []
    for sign in leaves(tree, n + 1):
        region = Region.build(reduced.X, sign, pool, nothing, planes)
        i, j = np.array([0, 1]), np.array([2 * n + F, 2 * n + F - 1])
        parts.append((region, nothing, RegionPoint(i, j, np.array([1e-6, 1e-6]), np.full(n, 1e-3))))
    certificate = certify_regions(problem, reduced, 0.1 * reduced.target, tree, parts, planes)
    assert certificate.proof["circuit_head"].tolist() == [pool.head[-1]]
    assert certificate.proof["T_row"].tolist() == [0, 1, 0, 1]
    assert certificate.proof["T_column"].tolist() == [2 * n + 1, 2 * n, 2 * n + 1, 2 * n]
    assert verify(certificate, problem.X, problem.Y, problem.gamma) >= certificate.lower_bound


def test_circuits_that_miss_their_row_cost_no_less_than_in_the_second_proof():
    """Multipliers of forms that may lie far below zero; both proofs count by how much, the first more coarsely."""
    problem = noise(3, 6, 2, 2)
    reduced = reduce(problem)
    n, pool, none = reduced.n, circuits(reduced.X), Circuits.none(reduced.n)
    region = Region.build(reduced.X, np.zeros(n, int), pool, none)
    point = RegionPoint(np.array([0, 2 * n]), np.array([2 * n, 2 * n + 1]), np.array([0.01, 0.01]), np.full(n, 100.0))
    certificate = certify_regions(problem, reduced, reduced.target, [LEAF], [(region, none, point)])
    found = []
    for factor in (1.0, 1.3):
        proof = {**certificate.proof, "circuit_value": factor * certificate.proof["circuit_value"]}
        first = prove_regions(certificate.theta, problem.X, proof)
        second = float(largest(certificate.theta, problem.X, problem.gamma, proof))
        assert second * (1 - 1e-9) <= first <= second * (1 + 1e-5)
        found.append(first)
    assert found[1] > found[0] * (1 + 1e-5), "what is missed costs something"
