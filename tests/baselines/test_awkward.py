"""Every baseline on problems that break careless code: finite scores, the right shapes, honest values."""

import numpy as np
import pytest
from relaxbench.baselines.arrangements import arrangements
from relaxbench.baselines.copositive import copositive
from relaxbench.baselines.everyday import forest, rbf, ridge
from relaxbench.baselines.kernels import nngp, ntk
from relaxbench.baselines.lbfgs import lbfgs
from relaxbench.baselines.sgd import sgd
from relaxbench.solvers.problem import Problem

METHODS = {
    "nngp": (nngp, {"width": None}),
    "ntk": (ntk, {"width": None, "ridge": "relative"}),
    "sgd": (sgd, {"width": 4, "epochs": 2000}),
    "sgd-adam-batches": (sgd, {"width": 4, "epochs": 600, "optimizer": "adam", "batch": 4}),
    "lbfgs": (lbfgs, {"width": 4, "starts": 2, "iterations": 100}),
    "arrangements": (arrangements, {"width": None, "patterns": 4, "rounds": 1}),
    "arrangements-gated": (arrangements, {"width": None, "patterns": 4, "model": "gated"}),
    "copositive": (copositive, {"width": None, "patterns": 4, "rounds": 3}),
    "ridge": (ridge, {"width": None}),
    "rbf": (rbf, {"width": None}),
    "forest": (forest, {"width": None, "trees": 5}),
}


def awkward_problems():
    rng = np.random.default_rng(5)
    X, Y = rng.normal(size=(6, 3)), rng.normal(size=(6, 2))
    one_hot = np.eye(2)[rng.integers(0, 2, 6)]
    parallel = np.vstack([X[:2], 2 * X[:2], -X[:1], np.zeros((1, 3))])
    yield from {
        "c=1": (X, Y[:, :1]),
        "c=10": (X, rng.normal(size=(6, 10))),
        "one class": (X, np.ones((6, 1))),
        "duplicate rows": (X[[0, 0, 1, 1, 2, 2]], one_hot),
        "parallel and zero rows": (parallel, Y),
        "constant column": (np.column_stack([X, np.ones(6)]), one_hot),
        "n<d": (rng.normal(size=(3, 7)), Y[:3]),
        "n=1": (X[:1], Y[:1]),
        "Y=0": (X, 0 * Y),
        "X=0": (0 * X, Y),
        "raw 1e3": (X * 1e3, one_hot),
        "raw 1e-6": (X * 1e-6, one_hot),
        "targets 1e6": (X, Y * 1e6),
    }.items()


@pytest.mark.parametrize(("data"), [pytest.param(data, id=name) for name, data in awkward_problems()])
@pytest.mark.parametrize("name", METHODS)
def test_awkward_problems_give_finite_fits(name, data):
    method, options = METHODS[name]
    problem = Problem(*data, gamma=0.1)
    fit = method(problem, seed=0, budget=20.0, **options)
    scores = fit.predict(np.vstack([problem.X, np.zeros((1, problem.d))]))
    assert fit.status == "ok"
    assert scores.shape == (problem.n + 1, problem.c)
    assert np.isfinite(scores).all()
    assert all(np.isfinite(v) for v in fit.info.values() if not isinstance(v, str))
    if fit.network is not None:
        objective = problem.objective(fit.network)
        assert fit.value == pytest.approx(objective, rel=1e-8, abs=1e-12 * np.sum(problem.Y**2))
        assert objective <= 0.5 * np.sum(problem.Y**2) * (1 + 1e-6) + 1e-6
