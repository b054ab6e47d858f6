"""Degenerate data, extreme γ and units: a valid bound every time, from every solver; no exception, NaN or warning."""

import warnings

import numpy as np
import pytest
from relaxbench.solvers.checker import verify
from relaxbench.solvers.problem import Problem
from relaxbench.solvers.sdp import relax, round_relaxation, sdp

from ..support.cases import awkward, noise, one_feature, one_row, teacher, train

SOLVERS = ["auto", "ipm", "interior", "reduced-scs", "cvxpy-scs", "cvxpy-clarabel"]
ENDED = ("ok", "timeout", "stalled", "iteration_limit", "failed")
CONTRACT = [
    "one number",
    "one feature",
    "scalar output",
    "opposite duplicates",
    "parallel and zero rows",
    "all rows parallel",
    "fewer rows than features",
    "constant column",
    "nothing to fit",
    "no data",
]
BUDGET = 60  # so that a hang is a failure, not an endless test


def solve(problem):
    """The interior point's relaxation and its bound."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        relaxation = relax(problem, budget=BUDGET)
    bound = check(problem, relaxation)
    reached = relaxation.value - bound <= 1.1e-6 * relaxation.value
    assert (relaxation.status == "ok") == reached
    assert relaxation.message or relaxation.status in ("ok", "timeout")
    return relaxation, bound


def check(problem, relaxation):
    """What every solution keeps, whatever the data; returns its bound."""
    assert relaxation.status in ENDED[:-1]
    assert relaxation.factor.shape[0] == problem.n + problem.d + problem.c
    assert np.all(np.isfinite(relaxation.factor))
    assert np.isfinite(relaxation.value)
    bound = relaxation.certificate.lower_bound
    assert 0 <= bound < np.inf
    if relaxation.network is not None:
        assert bound <= problem.objective(relaxation.network)
    assert verify(relaxation.certificate, problem.X, problem.Y, problem.gamma) >= bound * (1 - 1e-7)
    return bound


def below_training(problem, bound):
    """No network that training finds lies below the bound."""
    return bound <= problem.objective(train(problem, width=10, starts=3, seed=0))


@pytest.mark.parametrize("name", CONTRACT)
@pytest.mark.parametrize("solver", SOLVERS)
def test_every_solver_keeps_the_contract(solver, name):
    problem = awkward()[name]
    relaxation = relax(problem, solver=solver, budget=BUDGET)
    if solver in ("auto", "ipm", "interior"):
        assert relaxation.status == "ok"
    if solver == "cvxpy-clarabel" and relaxation.status == "failed":  # the program as it is written has no interior
        assert relaxation.certificate is None
        with pytest.raises(ValueError, match="clarabel gave up"):
            round_relaxation(problem, relaxation, width=4, seed=0)
        fit = sdp(problem, solver=solver, width=4, seed=0)
        assert (fit.status, fit.certificate) == ("failed", None)
        assert np.all(np.isfinite(fit.predict(problem.X)))
        return
    bound = check(problem, relaxation)
    fit = round_relaxation(problem, relaxation, width=4, seed=0, rounding="tos", budget=0.05)
    assert fit.certificate is relaxation.certificate
    assert fit.network.U.shape == (problem.d, 4)
    assert fit.network.V.shape == (4, problem.c)
    assert np.all(np.isfinite(fit.predict(problem.X)))
    assert bound <= problem.objective(fit.network)
    assert below_training(problem, bound)
    if solver == "ipm":
        assert relaxation.value - bound <= 1.01e-6 * relaxation.value


@pytest.mark.parametrize("name", sorted(set(awkward()) - set(CONTRACT)))
@pytest.mark.parametrize("solver", SOLVERS)
def test_every_solver_says_how_it_ended(solver, name):
    """Extreme γ and units are beyond some of them, who say so; what is called proved is."""
    problem = awkward()[name]
    relaxation = relax(problem, solver=solver, budget=BUDGET)
    assert relaxation.status in ENDED
    assert relaxation.message or relaxation.status in ("ok", "timeout")
    if relaxation.certificate is not None:
        check(problem, relaxation)


def near(X, angle):
    """The rows once more, turned by about `angle`."""
    rng = np.random.default_rng(9)
    return np.vstack([X, X + angle * np.linalg.norm(X, axis=1, keepdims=True) * rng.standard_normal(X.shape)])


def extremes():
    base, rng = noise(1, 10, 3, 2), np.random.default_rng(2)
    X, Y = base.X, base.Y
    cases = {f"gamma {gamma:g}": Problem(X, Y, gamma) for gamma in (1e-6, 1e-4, 1.0, 10.0, 100.0, 1e3)}
    cases |= {
        f"angle {angle:g}": Problem(near(X, angle), np.vstack([Y, Y + 0.1]), 0.1)
        for angle in (1e-2, 1e-3, 1e-4, 1e-5, 1e-7, 1e-9)
    }
    return cases | {
        "rank one": Problem(np.outer(X[:, 0], [1.0, 2.0, -1.0]), Y, 0.1),
        "rank one, one side": Problem(np.outer(np.abs(X[:, 0]), [1.0, 2.0, -1.0]), Y, 0.1),
        "nearly rank one": Problem(np.outer(X[:, 0], [1.0, 2.0, -1.0]) + 1e-7 * X, Y, 0.1),
        "all rows equal": Problem(np.ones((10, 3)), Y, 0.1),
        "constant columns": Problem(np.column_stack([X, np.ones((10, 2)), np.zeros(10)]), Y, 0.1),
        "columns of three units": Problem(X * [1e-4, 1.0, 1e4], Y, 0.1),
        "rows of many units": Problem(X * np.logspace(-4, 4, 10)[:, None], Y, 0.1),
        "whole numbers": Problem(rng.integers(-1, 2, (12, 2)), rng.integers(0, 2, (12, 2)), 0.1),
        "one hot": Problem(X, np.eye(10)[:, :3] + np.eye(10)[:, 3:6], 0.1),
        "one output among ten": Problem(X, np.eye(10) * (np.arange(10) == 4), 0.1),
        "one row counts": Problem(X, Y * (np.arange(10) == 3)[:, None], 0.1),
        "unit vectors": Problem(np.vstack([np.eye(4), -np.eye(4)]), rng.standard_normal((8, 2)), 0.1),
        "many features": Problem(rng.standard_normal((4, 30)), Y[:4], 0.1),
        "hardly any data": Problem(1e-30 * X, Y, 0.1),
        "hardly any target": Problem(X, 1e-30 * Y, 0.1),
    }


ANGLES = [name for name in extremes() if name.startswith("angle")]  # all alike: every run has one of them


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if name in ANGLES[1:] else ()) for name in extremes()]
)
def test_extreme_data_have_a_valid_bound(name):
    problem = extremes()[name]
    relaxation, bound = solve(problem)
    assert 0 < bound <= relaxation.value * (1 + 1e-9)
    assert below_training(problem, bound)


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("angle", "gap"),
    [
        (1e-2, 1.01e-6),
        (1e-5, 1e-3),
        *(pytest.param(*one, marks=pytest.mark.slow) for one in ((1e-3, 2e-6), (1e-7, 1e-5), (1e-9, 1.01e-6))),
    ],
)
def test_nearly_parallel_rows_cost_little(angle, gap):
    """Down to 10⁻³ they are solved as they are; below, merging them costs a share of about their angle."""
    relaxation, bound = solve(extremes()[f"angle {angle:g}"])
    assert relaxation.value - bound <= gap * relaxation.value


@pytest.mark.parametrize("gamma", [1e-6, 0.3, 1e3])
@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 3, 4), (6, 1, 1), (6, 1, 3)])
def test_one_row_or_one_feature_has_its_closed_form(shape, gamma):
    problem = noise(4, *shape)
    planted = (
        one_feature(problem.X[:, 0], problem.Y, gamma)
        if shape[1] == 1
        else one_row(problem.X[0].tolist(), problem.Y[0].tolist(), gamma)
    )
    relaxation, bound = solve(planted.problem)
    assert bound <= planted.optimum * (1 + 1e-12)
    assert planted.optimum * (1 - 1e-12) <= relaxation.value
    assert relaxation.value - bound <= 1.01e-6 * relaxation.value


@pytest.mark.parametrize("d", [1, 3])
def test_nothing_to_learn_is_worth_half_the_squared_targets(d):
    problem = noise(5, 6, d, 2)
    relaxation, bound = solve(Problem(0 * problem.X, problem.Y, 0.1))
    half = 0.5 * np.sum(problem.Y**2)
    assert bound == pytest.approx(half, rel=1e-12)
    assert bound <= half
    assert relaxation.value == pytest.approx(half)
    relaxation, bound = solve(Problem(problem.X, 0 * problem.Y, 0.1))
    assert bound == relaxation.value == 0


@pytest.mark.parametrize(
    ("problem", "units"),
    [
        pytest.param(noise(6, 8, 3, 2), [(1e-6, 1e-6), (1e-6, 1e6), (1e6, 1e-6), (1e6, 1e6)], marks=pytest.mark.slow),
        (teacher(6, n=12), [(1e6, 1.0), (1.0, 1e-6)]),
    ],
    ids=["noise", "teacher"],
)
def test_units_do_not_change_the_relative_gap(problem, units):
    def outcome(x_unit, y_unit):
        relaxation, bound = solve(Problem(x_unit * problem.X, y_unit * problem.Y, x_unit * y_unit * problem.gamma))
        return relaxation.value / y_unit**2, (relaxation.value - bound) / relaxation.value

    value, gap = outcome(1.0, 1.0)
    for x_unit, y_unit in units:
        other_value, other_gap = outcome(x_unit, y_unit)
        assert other_gap == pytest.approx(gap, abs=1e-6)
        assert other_value == pytest.approx(value, rel=2e-6)


@pytest.mark.parametrize("budget", [1e-9, 1e-3, 0.05])
@pytest.mark.parametrize("name", ["parallel and zero rows", "fewer rows than features", "one number"])
def test_any_time_limit_leaves_a_valid_bound(name, budget):
    problem = awkward()[name]
    relaxation = relax(problem, budget=budget)
    assert relaxation.status in ("ok", "timeout")
    bound = relaxation.certificate.lower_bound
    assert 0 < bound <= relaxation.value < np.inf
    assert below_training(problem, bound)


@pytest.mark.parametrize("columns", [(1e2, 1, 1e-1), pytest.param((1e3, 1, 1e-3), marks=pytest.mark.slow)])
def test_badly_scaled_columns_do_not_make_rows_parallel(columns):
    problem = noise(1, 20, 3, 2)
    relaxation = relax(Problem(problem.X * np.array(columns), problem.Y, 0.1))
    assert relaxation.certificate.lower_bound >= 0.99 * relaxation.value
