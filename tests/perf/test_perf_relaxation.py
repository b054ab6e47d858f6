"""Facial reduction, the lift, the interior point and its steps, the safe bound, the rounding, the sphere's cones."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

_kept: dict = {}


def solved(problem):
    """What a solve of this problem met: arguments of its Newton system halfway, and the state at the end."""
    from relaxbench.solvers.ipm import loop as ipm
    from relaxbench.solvers.ipm.newton import NewtonSystem
    from relaxbench.solvers.reduced.reduction import reduce

    key = problem.X.shape
    if key not in _kept:
        met = []

        class Recorder(NewtonSystem):
            def __init__(self, *arguments):
                met.append(arguments)
                super().__init__(*arguments)

        reduced = reduce(problem)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(ipm, "NewtonSystem", Recorder)
            state = ipm.interior_point(reduced, iterations=16)
        _kept[key] = reduced, met[len(met) // 2], state
    return _kept[key]


def test_facial_reduction(benchmark, problem):
    from relaxbench.solvers.reduced.reduction import reduce

    assert benchmark(reduce, problem).n == problem.n


def test_lift(benchmark, problem):
    from relaxbench.solvers.reduced.lift import lift

    reduced, _, state = solved(problem)
    assert len(benchmark(lift, reduced.X, state.Z)) == 2 * reduced.n + reduced.c


def test_adjoint(benchmark, problem):
    from relaxbench.solvers.reduced.lift import adjoint, lift

    reduced, _, state = solved(problem)
    K = lift(reduced.X, state.Z)
    assert benchmark(adjoint, reduced.X, K).shape == state.Z.shape


def test_schur_assembly(benchmark, problem):
    from relaxbench.solvers.ipm.newton import NewtonSystem
    from relaxbench.solvers.ipm.schur import schur_rows
    from relaxbench.solvers.reduced.lift import lift

    reduced, arguments, _ = solved(problem)
    system = NewtonSystem(*arguments)
    Z, S = lift(reduced.X, system.it.Z), lift(reduced.X, system.S_inverse)
    assert len(benchmark(schur_rows, Z, S, system.pairs.i, system.pairs.j)) == len(system.pairs.i)


def test_newton_system_and_direction(benchmark, problem):
    from relaxbench.solvers.ipm.newton import NewtonSystem

    _, arguments, _ = solved(problem)
    direction = benchmark(lambda: NewtonSystem(*arguments).direction(0.0))
    assert np.isfinite(direction.Z).all()


def test_interior_point(benchmark, problem):
    """The whole solve; where its time goes is in the exported results."""
    from relaxbench.solvers.ipm.loop import interior_point

    reduced, _, _ = solved(problem)
    found = benchmark.pedantic(interior_point, (reduced,), rounds=3)
    benchmark.extra_info["iterations"] = found.iterations
    benchmark.extra_info |= {f"{name}_ms": 1e3 * seconds for name, seconds in found.phases.items()}
    assert found.gap <= 1e-6


def test_safe_bound(benchmark, problem):
    from relaxbench.solvers.certificates.quadratic import certify

    reduced, _, state = solved(problem)
    assert 0 < benchmark(certify, problem, reduced, state.dual).lower_bound < np.sum(problem.Y**2) / 2


def test_rounding_iterations(benchmark, problem):
    """Twenty at a time at width 100, with the start that comes before them."""
    from relaxbench.solvers.relaxation import Relaxation, positive_factor
    from relaxbench.solvers.rounding.tos import round_tos

    reduced, _, state = solved(problem)
    relaxation = Relaxation(reduced.factor_back(positive_factor(state.Z)), 0.0)
    fit = benchmark(round_tos, problem, relaxation, width=100, seed=0, iterations=20)
    assert np.isfinite(problem.objective(fit.network))


@cache
def sphere(d):
    """Θ (n, c), X (n, d), whitening and a target a tenth above the largest h found by sampling."""
    from relaxbench.solvers.network import whitener

    rng = np.random.default_rng(0)
    X, theta = rng.standard_normal((60, d)), rng.standard_normal((60, 3))
    U = rng.standard_normal((d, 20_000))
    h = np.linalg.norm(theta.T @ np.maximum(X @ (U / np.linalg.norm(U, axis=0)), 0), axis=0)
    return theta, X, whitener(X), 1.1 * float(h.max())


@pytest.mark.parametrize("d", [3, 4])
def test_cones_of_the_sphere_proof(benchmark, d):
    """About a hundred cones for d = 3, a thousand for d = 4; how many is in the exported results."""
    cover = pytest.importorskip("relaxbench.solvers.exact.cover").cover
    found = benchmark(cover, *sphere(d))
    benchmark.extra_info["cells"] = found.simplices
    assert found.eta <= sphere(d)[-1]
