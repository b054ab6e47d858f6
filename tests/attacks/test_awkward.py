"""Honest bounds are not refused, however awkward the data: what the second proof costs is rounding, and time."""

import time

import numpy as np
import pytest
from relaxbench.solvers.branch import branch
from relaxbench.solvers.checker import verify
from relaxbench.solvers.cpp import cpp
from relaxbench.solvers.problem import Problem
from relaxbench.solvers.sdp import relax

pytestmark = pytest.mark.timeout(3600)
SHAPES = ("plain", "nearly parallel", "nearly opposite", "duplicates", "zero rows", "rank one", "wide", "uneven rows")


def awkward(seed):
    """A small problem of one of the shapes, in units of 1e-100, 1 or 1e100."""
    rng = np.random.default_rng(seed)
    shape = SHAPES[seed % len(SHAPES)]
    n, d, c = int(rng.integers(2, 5)), int(rng.integers(1, 4)), int(rng.integers(1, 3))
    X = rng.standard_normal((n, d))
    if shape in ("nearly parallel", "nearly opposite"):
        sign, angle = (1 if shape == "nearly parallel" else -1), 10.0 ** rng.integers(-16, -3)
        X = np.vstack([X, sign * rng.uniform(0.5, 2) * X[:1] + angle * rng.standard_normal((1, d))])
    elif shape == "duplicates":
        X = np.vstack([X, X[:2], -X[:1]])
    elif shape == "zero rows":
        X = np.vstack([X, np.zeros((2, d))])
    elif shape == "rank one":
        X = np.outer(X[:, 0], rng.standard_normal(d))
    elif shape == "wide":
        X = rng.standard_normal((2, 6))
    elif shape == "uneven rows":
        X = X * 10.0 ** rng.integers(-4, 5, size=(n, 1))
    Y = rng.standard_normal((len(X), c))
    unit_X, unit_Y = 10.0 ** rng.choice([-100, 0, 100], size=2)
    gamma = 10.0 ** rng.uniform(-3, 0) * np.max(np.abs(X))
    return shape, Problem(X * unit_X, Y * unit_Y, gamma * unit_X * unit_Y)


def makers(problem, seed):
    """Certificates for the problem: of the relaxation always, of the other methods in turn."""
    yield lambda: relax(problem, solver="interior" if seed % 2 else "ipm").certificate
    if seed % 3 == 0 and np.linalg.matrix_rank(problem.X / np.max(np.abs(problem.X))) <= 2:
        yield lambda: cpp(problem, gap=1e-4).certificate
    if seed % 6 == 1:
        yield lambda: branch(problem, gap=1e-2, cells=20, cuts=seed // 6 % 2).certificate
    if seed % 30 == 29:
        yield lambda: cpp(problem, gap=2e-2, budget=10.0).certificate


def confirmed(seeds):
    """Asserts that every bound is confirmed; (seconds of the makers, seconds of the checks)."""
    times, refused = [], []
    for seed in seeds:
        shape, problem = awkward(seed)
        for make in makers(problem, seed):
            began = time.perf_counter()
            certificate = make()
            if certificate is None:  # the conic solver gave up
                continue
            made = time.perf_counter()
            found = verify(certificate, problem.X, problem.Y, problem.gamma)
            times.append((made - began, time.perf_counter() - made))
            if found < certificate.lower_bound * (1 - 1e-6):  # it may be higher, where the first proof lost more
                refused.append((seed, shape, certificate.kind, certificate.lower_bound, found))
    assert not refused
    return np.array(times).T


@pytest.mark.thorough
@pytest.mark.parametrize("part", range(3))
def test_honest_bounds_of_awkward_data_are_confirmed(part):
    confirmed(range(7 * part, 7 * part + 7))


@pytest.mark.slow
@pytest.mark.parametrize("part", range(10))
def test_honest_bounds_of_a_thousand_awkward_problems_are_confirmed(part):
    made, checked = confirmed(range(100 * part, 100 * part + 100))
    print(f"made: median {np.median(made):.3f} s, most {made.max():.3f} s; ", end="")
    print(f"checked: median {np.median(checked):.3f} s, most {checked.max():.3f} s")
