"""Circuit cuts: true for every neuron, and a tighter bound that stays below the exact optimum."""

import numpy as np
import pytest
from relaxbench.solvers.branch import branch
from relaxbench.solvers.certificates.tree import LEAF, Circuits, Region, implications, leaves
from relaxbench.solvers.checker import verify
from relaxbench.solvers.conic.cuts import circuits, root
from relaxbench.solvers.conic.regions import separate, solve_relaxation
from relaxbench.solvers.problem import Problem
from relaxbench.solvers.reduced.reduction import reduce
from relaxbench.solvers.sdp import relax, sdp
from scipy.optimize import linprog

from ..support.cases import awkward, noise, quarter_turns, tight, train


@pytest.mark.parametrize("d", [2, 3, 4])
def test_forms_of_circuits_are_nonnegative_on_every_neuron(d):
    X = np.random.default_rng(d).standard_normal((9, d))
    found = circuits(X)
    assert len(found) >= 9
    np.testing.assert_allclose(found.C @ X, X[found.head], atol=1e-9)
    assert np.all(found.residual(X) < 1e-9)
    U = np.random.default_rng(0).standard_normal((d, 20000))
    s = np.abs(X @ U)
    cell = Region.build(X, np.zeros(9, int), found, Circuits.none(9))
    forms = cell.E @ np.vstack([s, U])
    assert forms.min() > -1e-12 * np.abs(forms).max()
    assert (forms[18:] > 1e-3).any(axis=1).mean() > 0.9  # not the trivial 0 ≥ 0
    np.testing.assert_allclose(forms[:9], np.maximum(X @ U, 0), atol=1e-12)
    np.testing.assert_allclose(forms[9:18], np.maximum(-X @ U, 0), atol=1e-12)


def test_there_are_no_circuits_among_independent_rows():
    assert len(circuits(np.eye(3))) == 0
    assert len(circuits(np.ones((4, 1)))) == 0


def split(tree, cell, number):
    """The tree with this cell split."""
    place = np.flatnonzero(np.array(tree) == LEAF)[cell]
    return [*tree[:place], number, LEAF, LEAF, *tree[place + 1 :]]


@pytest.mark.slow
def test_many_features_have_a_bound_with_cuts():
    problem = noise(0, 30, 14, 2)
    assert len(circuits(problem.X)) == 0
    relaxation = relax(problem, cuts=2)
    assert verify(relaxation.certificate, problem.X, problem.Y, problem.gamma) > 0
    assert branch(problem, gap=0.5, cells=4, cuts=2).certificate is not None


@pytest.mark.parametrize("seed", range(4))
def test_in_every_cell_the_forms_hold_and_the_tree_covers(seed):
    rng = np.random.default_rng(seed)
    n, d = 8, 2 + seed % 2
    X = rng.standard_normal((n, d))
    found, tree = circuits(X), [-1]
    for _ in range(4):
        signs = leaves(tree, n)
        cells = [Region.build(X, sign, found, implications(X, sign, np.flatnonzero(sign == 0))) for sign in signs]
        c = int(rng.integers(len(cells)))
        if len(cells[c].free):
            tree = split(tree, c, int(rng.choice(cells[c].free)))
    U = rng.standard_normal((d, 5000))
    covered = np.zeros(5000, bool)
    for sign in leaves(tree, n):
        cell = Region.build(X, sign, found, implications(X, sign, np.flatnonzero(sign == 0)))
        inside = np.all(sign[:, None] * (X @ U) >= 0, axis=0)
        covered |= inside
        assert inside.any()  # only cells with an inside are made
        V = U[:, inside]
        np.testing.assert_array_equal(
            np.sign(X @ V)[cell.sign != 0], np.repeat(cell.sign[cell.sign != 0, None], V.shape[1], 1)
        )
        forms = cell.E @ np.vstack([np.abs(X @ V)[cell.free], V])
        assert np.all(forms >= -cell.below[:, None] * np.linalg.norm(V, axis=0) - 1e-12)
        np.testing.assert_allclose(forms[:n], np.maximum(X @ V, 0), atol=1e-10)
        for k in cell.free:  # both signs occur in the cell
            for side in (1, -1):
                lowest = linprog(side * X[k], A_ub=-sign[:, None] * X, b_ub=np.zeros(n), bounds=(-1, 1)).fun
                assert lowest < -1e-9
    assert covered.all()


def test_the_list_of_splits_must_be_one_tree():
    assert len(leaves([2, -1, 0, -1, -1], 3)) == 3
    for wrong in ([2, -1], [-1, -1], [3, -1, -1], [], [-2]):
        with pytest.raises(ValueError, match=r"tree|Splits"):
            leaves(wrong, 3)


@pytest.mark.parametrize("seed", range(3))
def test_cuts_tighten_and_stay_below_every_network(seed):
    problem = noise(seed, 8, 3, 2, 0.05)
    plain, cut = relax(problem), relax(problem, cuts=4)
    upper = problem.objective(train(problem, width=20, starts=4, seed=0))
    below, lower = plain.certificate.lower_bound, cut.certificate.lower_bound
    assert below * (1 + 1e-3) < lower <= upper
    assert cut.certificate.kind == "cells"
    assert cut.info["cuts"] > 0
    assert verify(cut.certificate, problem.X, problem.Y, problem.gamma) == pytest.approx(lower, rel=1e-6)
    assert lower <= cut.value * (1 + 1e-6)


def test_each_round_of_cuts_keeps_what_was_proved():
    problem = noise(7, 8, 2, 2, 0.05)
    relaxations = [relax(problem, cuts=rounds) for rounds in (0, 1, 2, 4)]
    bounds = [relaxation.certificate.lower_bound for relaxation in relaxations]
    assert np.all(np.diff(bounds) >= -1e-6 * bounds[0])
    assert bounds[-1] > bounds[0] * (1 + 1e-4)
    trace = relaxations[-1].trace
    assert trace[-1].bound == bounds[-1]
    assert np.all(np.diff([[row.seconds, row.iteration] for row in trace], axis=0) >= 0)


@pytest.mark.parametrize("name", sorted(tight()))
def test_cuts_cannot_pass_the_optimum_where_the_relaxation_is_exact(name):
    planted = tight()[name]
    bound = relax(planted.problem, cuts=2).certificate.lower_bound
    assert planted.optimum * (1 - 1e-5) <= bound <= planted.optimum * (1 + 1e-12)


@pytest.mark.parametrize("seed", range(2))
def test_cuts_stay_below_a_planted_optimum(seed):
    planted = quarter_turns(seed)
    bound = relax(planted.problem, cuts=3).certificate.lower_bound
    assert bound <= planted.optimum * (1 + 1e-12)


@pytest.mark.parametrize("name", sorted(awkward()))
def test_awkward_data_has_a_bound_with_cuts(name):
    problem = awkward()[name]
    plain, cut = relax(problem), relax(problem, cuts=2)
    assert cut.certificate.lower_bound >= plain.certificate.lower_bound * (1 - 1e-6)
    assert cut.certificate.lower_bound <= problem.objective(train(problem, 12, 3, 0)) * (1 + 1e-9)


def test_what_is_too_large_keeps_the_plain_bound(monkeypatch):
    monkeypatch.setattr("relaxbench.solvers.conic.cuts.LARGEST", 10)
    relaxation = relax(noise(0, 8, 2, 2), cuts=1)
    assert "at most 10" in relaxation.message
    assert relaxation.certificate.kind == "doubly nonnegative"


@pytest.mark.parametrize("d", range(2, 7))
def test_products_of_forms_hold_on_every_neuron_of_awkward_rows(d):
    rng = np.random.default_rng(d)
    X = rng.standard_normal((12, d))
    X[3], X[4], X[5], X[6] = X[0], -2 * X[1], 0, X[0] + X[1]  # a copy, one opposite, zero, and three on one plane
    X = reduce(Problem(X, rng.standard_normal((12, 2)), 0.1)).X
    found = circuits(X)
    assert len(found) > len(X)
    cell = Region.build(X, np.zeros(len(X), int), found, Circuits.none(len(X)))
    U = rng.standard_normal((d, 3000))
    forms = cell.E @ np.vstack([np.abs(X @ U), U])
    i, j = np.nonzero(cell.pairs)
    which = rng.choice(len(i), min(len(i), 5000), replace=False)
    products = forms[i[which]] * forms[j[which]]
    assert products.min() >= -1e-9 * np.abs(forms).max() ** 2
    assert (products.max(axis=1) > 1e-6).mean() > 0.5  # not the trivial 0 ≥ 0


def test_new_products_are_spread_over_the_forms():
    problem = noise(1, 10, 3, 2, 0.05)
    reduced = reduce(problem)
    cell = Region.build(reduced.X, np.zeros(10, int), circuits(reduced.X), Circuits.none(10))
    state = root(reduced, relax(problem).certificate, cell)
    state = solve_relaxation(reduced, [state], 10.0, 1e-8)[1][0]
    before, limit = len(state.i), 1e-6 * state.mass
    some, new = separate(state, limit, 2)
    everything = separate(state, limit)[0]
    assert 0 < new == np.sum(some.value == 0)
    times = np.bincount(np.r_[some.i[-new:], some.j[-new:]])
    assert times.max() == 2
    assert np.bincount(np.r_[everything.i[before:], everything.j[before:]]).max() > 2


@pytest.mark.thorough
def test_many_circuits_with_few_products_each_prove_more(monkeypatch):
    problem = noise(0, 12, 3, 2, 0.05)
    spread = relax(problem, cuts=5)
    monkeypatch.setattr("relaxbench.solvers.conic.cuts.SPACE", (10, 12))
    monkeypatch.setattr("relaxbench.solvers.conic.cuts.SHARED", None)
    crowded = relax(problem, cuts=5).certificate.lower_bound
    proved = verify(spread.certificate, problem.X, problem.Y, problem.gamma)
    assert proved > crowded * (1 + 1e-3)
    assert proved <= problem.objective(train(problem, width=24, starts=4, seed=0))


def test_the_method_hands_cuts_on():
    problem = noise(3, 7, 2, 2, 0.05)
    fit = sdp(problem, width=10, seed=0, cuts=2, rounding="gaussian")
    assert fit.certificate.kind == "cells"
    assert fit.certificate.lower_bound <= problem.objective(fit.network)
