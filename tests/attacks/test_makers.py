"""A maker that believes ‖Θᵀ(Xu)₊‖ to be half of what it is claims too much; the check does not."""

from dataclasses import replace

import pytest
from relaxbench.solvers.branch import branch
from relaxbench.solvers.certificates import quadratic as bound
from relaxbench.solvers.certificates import regions as branch_proof
from relaxbench.solvers.checker import verify
from relaxbench.solvers.cpp import cpp
from relaxbench.solvers.exact import plane, sphere
from relaxbench.solvers.hierarchy import tree as branch_hierarchy
from relaxbench.solvers.sdp import relax

from ..support.cases import noise, tight
from ..support.oracles import planted
from .honest import ARCS, CELLS, COVER, DNN
from .truth import best_network

pytestmark = pytest.mark.timeout(300)


def halved(function):
    return lambda *arguments, **options: 0.5 * function(*arguments, **options)


def belief_of_the_relaxation(monkeypatch):
    case = tight()["orthogonal rows"]
    monkeypatch.setattr(bound, "prove", halved(bound.prove))
    monkeypatch.setattr(bound, "dual_maximum", halved(bound.dual_maximum))
    return case.problem, case.optimum, relax(case.problem, solver="interior").certificate


def belief_in_cells(monkeypatch):
    """Θ is handed over twice as long, as it is taken for half as high."""
    problem, certify = noise(27, 5, 2, 2), branch_hierarchy.certify_regions
    monkeypatch.setattr(branch_proof, "prove_regions", halved(branch_proof.prove_regions))
    monkeypatch.setattr(
        branch_hierarchy,
        "certify_regions",
        lambda problem, reduced, theta, tree, cells, planes: certify(
            problem, reduced, 2 * theta, tree, [(cell, own, longer(point)) for cell, own, point in cells], planes
        ),
    )
    certificate = branch(problem, gap=1e-4, cells=40).certificate
    return problem, problem.objective(best_network(problem)), certificate


def longer(point):
    return replace(point, value=4 * point.value, z=4 * point.z)


def belief_on_arcs(monkeypatch):
    problem, maxima = noise(8, 5, 2, 2), plane.local_maxima

    def half_as_high(theta, X, activation):
        directions, heights = maxima(theta, X, activation)
        return directions, heights / 2

    monkeypatch.setattr(plane, "local_maxima", half_as_high)
    return problem, problem.objective(best_network(problem)), cpp(problem).certificate


def belief_in_a_cover(monkeypatch):
    (problem, optimum), cover = planted(1, (2, 1), 2, 0.1), sphere.cover

    def half_as_high(*arguments):
        made = cover(*arguments)
        return made and replace(made, eta=made.eta / 2)

    monkeypatch.setattr(sphere, "cover", half_as_high)
    return problem, optimum, cpp(problem, gap=1e-3).certificate


BELIEFS = {DNN: belief_of_the_relaxation, CELLS: belief_in_cells, ARCS: belief_on_arcs, COVER: belief_in_a_cover}


@pytest.mark.parametrize("kind", BELIEFS)
def test_a_maker_that_believes_in_half_is_not_believed(kind, monkeypatch):
    problem, optimum, certificate = BELIEFS[kind](monkeypatch)
    assert certificate.kind == kind
    assert certificate.lower_bound > optimum * (1 + 1e-3)  # the fault shows, without the check
    found = verify(certificate, problem.X, problem.Y, problem.gamma)
    assert found <= optimum * (1 + 1e-12)
    assert found < certificate.lower_bound * (1 - 1e-3)
