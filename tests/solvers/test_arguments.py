"""What the solvers refuse: values that their annotations do not allow, in one line with the value and the fix."""

import time

import numpy as np
import pytest
from relaxbench.solvers.arguments import checked
from relaxbench.solvers.branch import branch
from relaxbench.solvers.cpp import cpp
from relaxbench.solvers.network import ProblemError
from relaxbench.solvers.sdp import relax, round_relaxation, sdp

from ..support.cases import noise

PROBLEM = noise(1, 4, 2, 2)
WRONG = [
    ({"solver": "mosek"}, "solver is unknown: 'mosek'. Valid: auto, ipm, interior"),
    ({"solver": "cvxpy-sc"}, "Did you mean 'cvxpy-scs'?"),
    ({"rounding": "gauss"}, "Did you mean 'gaussian'?"),
    ({"gap": -1}, "gap must be greater than 0. Got -1 instead."),
    ({"gap": 1.0}, "gap must be less than 1. Got 1.0 instead."),
    ({"gap": float("nan")}, "gap must be less than 1. Got nan instead."),
    ({"gap": "1e-3"}, "gap must be a valid number. Got '1e-3' instead."),
    ({"eps": 0.0}, "eps must be greater than 0. Got 0.0 instead."),
    ({"eps": np.inf}, "eps must be less than inf. Got inf instead."),
    ({"cuts": -1}, "cuts must be greater than or equal to 0. Got -1 instead."),
    ({"cuts": 1.5}, "cuts must be a valid integer. Got 1.5 instead."),
    ({"cells": 0}, "cells must be greater than or equal to 1. Got 0 instead."),
    ({"noise": -0.1}, "noise must be greater than or equal to 0. Got -0.1 instead."),
    ({"width": 0}, "width must be greater than or equal to 1. Got 0 instead."),
    ({"width": 2.5}, "width must be a valid integer. Got 2.5 instead."),
    ({"seed": -1}, "seed must be greater than or equal to 0. Got -1 instead."),
    ({"budget": -1.0}, "budget must be greater than or equal to 0. Got -1.0 instead."),
    ({"budget": float("nan")}, "budget must be greater than or equal to 0. Got nan instead."),
    ({"budget": "long"}, "budget must be a valid number. Got 'long' instead."),
    ({"warm": 3}, "warm must be an instance of Relaxation. Got 3 instead."),
]
DOORS = {
    relax: {"solver", "gap", "eps", "cuts", "budget", "warm"},
    round_relaxation: {"width", "seed", "budget", "rounding", "noise"},
    sdp: {"width", "seed", "budget", "solver", "gap", "cuts", "rounding"},
    branch: {"width", "seed", "budget", "gap", "cells", "cuts"},
    cpp: {"width", "seed", "budget", "gap"},
}


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)
@pytest.mark.parametrize(("wrong", "words"), WRONG, ids=lambda value: str(value) if isinstance(value, dict) else "")
def test_every_door_refuses_what_it_cannot_use(door, wrong, words):
    if not wrong.keys() <= DOORS[door]:
        pytest.skip("not an argument of this function")
    given = {**({"width": 3, "seed": 0} if door in (sdp, round_relaxation) else {}), **wrong}
    data = (PROBLEM, relax(PROBLEM, gap=0.5)) if door is round_relaxation else (PROBLEM,)
    began = time.perf_counter()
    with pytest.raises(ProblemError) as caught:
        door(*data, **given)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert time.perf_counter() - began < 60


def test_numbers_of_numpy_are_numbers():
    fit = sdp(PROBLEM, width=np.int64(3), seed=np.int32(1), gap=np.float32(0.1), budget=np.float64(60))
    assert fit.network.width == 3


@pytest.mark.parametrize("solver", ["ipm", "interior", "cvxpy-scs", "cvxpy-clarabel"])
def test_no_time_at_all_is_a_time_limit(solver):
    relaxation = relax(PROBLEM, solver=solver, budget=0)
    assert relaxation.status == "timeout"
    if relaxation.factor.size:
        fit = round_relaxation(PROBLEM, relaxation, width=3, seed=0, budget=0)
        assert fit.status == "timeout"


@pytest.mark.parametrize("d", [2, 3, 7])
def test_no_time_at_all_still_gives_an_interval(d):
    problem = noise(1, 10, d, 2)
    for exact in (cpp, branch):
        fit = exact(problem, budget=0)
        assert fit.status in ("ok", "timeout")
        assert fit.certificate.lower_bound <= problem.objective(fit.network)


def test_a_checked_function_keeps_its_name_and_its_defaults():
    @checked
    def double(value, *, times: int = 2):
        """Twice."""
        return value * times

    assert (double.__name__, double.__doc__) == ("double", "Twice.")
    assert (double("a"), double("a", times=3)) == ("aa", "aaa")
