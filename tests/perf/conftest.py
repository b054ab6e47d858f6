"""Problems of two sizes, one thread for everything, and the machine's description in the exported results."""

from __future__ import annotations

import numpy as np
import pytest

SIZES = {"small": (25, 2, 5), "large": (100, 6, 3)}  # n, d, c


@pytest.fixture(params=SIZES)
def problem(request):
    """A teacher network's outputs with some noise, γ = 0.1."""
    from relaxbench.solvers.problem import Problem

    n, d, c = SIZES[request.param]
    rng = np.random.default_rng(0)
    X, U, V = rng.standard_normal((n, d)), rng.standard_normal((d, 20)), rng.standard_normal((20, c))
    return Problem(X, np.maximum(X @ U, 0) @ V + 0.1 * rng.standard_normal((n, c)), 0.1)


@pytest.fixture(autouse=True)
def one_thread():
    import numba
    from threadpoolctl import threadpool_limits

    numba.set_num_threads(1)
    with threadpool_limits(1):
        yield


def pytest_benchmark_update_machine_info(config, machine_info):
    from relaxbench.bench.results.environment import environment

    machine_info["relaxbench"] = environment(threads=1)
