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
