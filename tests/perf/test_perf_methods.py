"""Whole methods that are short, and the loops of the rivals, at two sizes each."""

from __future__ import annotations

import numpy as np
import pytest


@pytest.mark.parametrize("n", [15, 40])
def test_exact_in_the_plane(benchmark, n):
    from relaxbench.solvers.cpp import cpp
    from relaxbench.solvers.problem import Problem

    rng = np.random.default_rng(0)
    problem = Problem(rng.standard_normal((n, 2)), rng.standard_normal((n, 3)), 0.1)
    fit = benchmark(cpp, problem)
    assert fit.certificate is not None
    assert fit.certificate.lower_bound <= problem.objective(fit.network)


@pytest.mark.parametrize("kernel", ["nngp", "ntk"])
def test_kernel(benchmark, problem, kernel):
    from relaxbench.baselines.kernels import kernel_matrix

    kernel_matrix(kernel, problem.X, problem.X)  # compiles
    assert benchmark(kernel_matrix, kernel, problem.X, problem.X).shape == (problem.n, problem.n)


def test_gradient_descent(benchmark, problem):
    """A hundred epochs at width 100; the compilation is over before the clock starts."""
    from relaxbench.baselines.sgd import sgd

    def epochs():
        return sgd(problem, width=100, seed=0, epochs=100, patience=1000)

    epochs()
    assert benchmark(epochs).stats.iterations == 100


SHAPES = (  # n, d, c, width
    *((25, 2, 5, m) for m in (5, 10, 100, 200, 300)),
    *((60, 2, 3, m) for m in (100, 300)),
    *((75, 4, 3, 300), (175, 34, 2, 300), (384, 8, 2, 300), (686, 4, 2, 300), (1000, 20, 10, 300)),
)


@pytest.mark.parametrize("loop", ["fused", "jax"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_epochs(benchmark, shape, loop):
    """The two loops of gradient descent, fifty epochs; only `taskset -c 0` keeps JAX's to one core."""
    from relaxbench.baselines.descent import Rule, compile_descent
    from relaxbench.baselines.fused import compile_fused
    from relaxbench.baselines.sgd import _start
    from relaxbench.solvers.problem import Problem

    n, d, c, m = shape
    rng = np.random.default_rng(0)
    problem = Problem(rng.standard_normal((n, d)), rng.standard_normal((n, c)), 0.1)
    rule = Rule("momentum", None, safeguard=True)
    data, state = _start(problem.scaled.problem, m, [0], rule, 1e-6, 10**6)
    advance, _ = (compile_fused if loop == "fused" else compile_descent)(data, state, rule)
    assert benchmark(advance, data, state, 50).epoch[0] == 50
    benchmark.extra_info["us_per_epoch"] = 1e6 * benchmark.stats.stats.min / 50
