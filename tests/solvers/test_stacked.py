"""The method `stacked`: layers of their own, proofs that are theirs alone."""

from __future__ import annotations

import numpy as np
import pytest
from relaxbench.solvers.loss import LOSS
from relaxbench.solvers.problem import Problem
from relaxbench.solvers.sdp import relax
from relaxbench.solvers.stacked import stacked
from relaxbench.solvers.verify import verify

from relaxbench import fit as run


def labelled(loss="squares"):
    """Rows inside and outside of a circle."""
    X = np.random.default_rng(0).normal(size=(12, 2))
    return Problem(
        np.hstack([X, np.ones((12, 1))]), np.eye(2)[(np.sum(X**2, axis=1) > 1.4).astype(int)], 0.1, loss=loss
    )


@pytest.fixture(scope="module")
def made():
    """Two layers of squares."""
    problem = labelled()
    return problem, stacked(problem, width=6, seed=0, depth=2, gap=1e-3)


@pytest.mark.thorough
def test_it_has_no_certificate_and_says_whose_the_bounds_are(made):
    _, fit = made
    assert fit.certificate is None
    assert fit.network is None
    assert "none is proved for the whole network" in fit.message


def test_every_layer_is_below_its_own_objective(made):
    _, fit = made
    for k in (1, 2):
        assert 0 < fit.info[f"layer_{k}_bound"] <= fit.info[f"layer_{k}_objective"]


def test_the_bounds_are_those_of_the_layers_programs(made):
    problem, fit = made
    first = relax(problem, gap=1e-3)
    assert fit.info["layer_1_bound"] == pytest.approx(verify(first.certificate, problem), rel=1e-6)
    U, W, V = fit.predict.weights
    layer = problem.on(np.maximum(problem.X @ U, 0), problem.Y)
    second = relax(layer, gap=1e-3)
    assert fit.info["layer_2_bound"] == pytest.approx(verify(second.certificate, layer), rel=2e-3)
    assert fit.info["layer_2_objective"] == pytest.approx(layer.objective(layer.network(W, V)), rel=1e-9)


def test_outputs_and_objective_are_those_of_all_layers(made):
    problem, fit = made
    U, W, V = fit.predict.weights
    outputs = np.maximum(np.maximum(problem.X @ U, 0) @ W, 0) @ V
    np.testing.assert_allclose(fit.predict(problem.X), outputs)
    penalty = 0.05 * sum(np.sum(part**2) for part in (U, W, V))
    assert fit.info["deep_objective"] == pytest.approx(LOSS["squares"].value(outputs, problem.Y) + penalty)


def test_the_front_door_reports_no_bound(made):
    problem, _ = made
    fit = run(problem, method="stacked", width=4, depth=1, gap=1e-2)
    assert fit.lower_bound is None
    assert fit.gap is None


@pytest.mark.thorough
def test_the_logistic_loss_and_a_single_layer():
    problem = labelled("logistic")
    fit = stacked(problem, width=6, seed=0, depth=1, gap=1e-2)
    assert fit.info["layer_1_objective"] == pytest.approx(fit.info["deep_objective"], rel=1e-9)


def test_without_time_a_layer_says_that_it_is_missing():
    fit = stacked(labelled(), width=6, seed=0, budget=0.0)
    assert fit.status != "ok"
    assert "layer" in fit.message
