"""The relaxation over several regions at once, against CVXPY, networks, and certificates that were tampered with."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from relaxbench.solvers.branch import branch
from relaxbench.solvers.certificates.regions import certify_regions
from relaxbench.solvers.certificates.tree import LEAF, Circuits, Region, leaves
from relaxbench.solvers.checker import verify
from relaxbench.solvers.conic.regions import RegionState, solve_relaxation
from relaxbench.solvers.reduced.reduction import reduce
from relaxbench.solvers.sdp import relax

from ..support.cases import noise, train
from ..support.oracles import relaxed


def solved(problem, tree):
    """The reduced problem, Θ, the regions of a tree with all products, solved together, and the value."""
    reduced, nothing = reduce(problem), Circuits.none(problem.n)
    states = []
    for sign in leaves(tree, reduced.n):
        region = Region.build(reduced.X, sign, nothing, nothing)
        i, j = np.nonzero(region.pairs)
        states.append(RegionState.fresh(region, i, j, np.zeros(len(i)), np.zeros(reduced.n)))
    theta, states, value = solve_relaxation(reduced, states, 60.0, 1e-8)
    return reduced, theta, states, value * reduced.unit


@pytest.mark.parametrize(("seed", "split"), [(0, [2]), (1, [0, 3])])
def test_value_and_bound_are_those_of_the_program_over_the_regions(seed, split):
    problem = noise(seed, 6, 3, 2, 0.05)
    tree = [split[0], LEAF, LEAF] if len(split) == 1 else [split[0], *2 * [split[1], LEAF, LEAF]]
    reduced, theta, states, value = solved(problem, tree)
    truth = relaxed(problem, split)
    assert relaxed(problem) < truth * (1 - 1e-4)  # the split is good for something
    assert value == pytest.approx(truth, rel=1e-5)
    parts = [(state.region, Circuits.none(problem.n), state.point()) for state in states]
    certificate = certify_regions(problem, reduced, theta, tree, parts)
    proved = verify(certificate, problem.X, problem.Y, problem.gamma)
    assert proved == pytest.approx(truth, rel=1e-5)
    assert proved <= problem.objective(train(problem, 16, 3, 0))


def test_the_measures_of_the_regions_add_up():
    problem = noise(1, 6, 3, 2, 0.05)
    reduced, theta, states, _ = solved(problem, [0, 3, LEAF, LEAF, 3, LEAF, LEAF])
    fitted = np.zeros((2 * problem.n, problem.c))
    for state in states:
        order = state.region.E.shape[1]
        fitted += state.region.E[: 2 * problem.n] @ state.Z[:order, order:]
    rows = reduced.loss_rows
    residual = reduced.weight[rows, None] * (reduced.target[rows] - fitted[rows])
    np.testing.assert_allclose(residual, theta[rows], atol=1e-5)


@cache
def branched():
    problem = noise(4, 8, 4, 2, 0.05)
    return problem, branch(problem, gap=1e-9, cells=2)


@pytest.mark.thorough
def test_branch_proves_the_program_over_its_own_regions():
    problem, fit = branched()
    split, *rest = fit.certificate.proof["tree"].tolist()
    assert rest == [LEAF, LEAF]
    truth = relaxed(problem, [split])
    assert fit.certificate.lower_bound == pytest.approx(truth, rel=1e-3)
    assert fit.certificate.lower_bound > relax(problem).certificate.lower_bound + 0.5 * (truth - relaxed(problem))
    assert verify(fit.certificate, problem.X, problem.Y, problem.gamma) >= fit.certificate.lower_bound * (1 - 1e-6)


@pytest.mark.parametrize("name", ["T_cell", "z", "tree", "theta"])
def test_a_forged_region_is_not_believed(name):
    problem, fit = branched()
    certificate = fit.certificate
    proof, theta = dict(certificate.proof), certificate.theta
    if name == "T_cell":  # each region with the other's multipliers
        order = np.argsort(1 - proof["T_cell"], kind="stable")
        proof |= {key: proof[key][order] for key in ("T_row", "T_column", "T_value")}
        proof["T_cell"] = 1 - proof["T_cell"][order]
    elif name == "z":
        proof["z"] = np.roll(proof["z"], problem.n)
    elif name == "tree":
        proof["tree"] = np.r_[(proof["tree"][0] + 1) % problem.n, LEAF, LEAF]
    else:
        theta = 1.05 * theta
    forged = replace(certificate, theta=theta, proof=proof)
    assert verify(forged, problem.X, problem.Y, problem.gamma) < certificate.lower_bound * (1 - 1e-4)
