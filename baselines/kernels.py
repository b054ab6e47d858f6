"""Kernel ridge regression with the infinite-width kernels of the two-layer ReLU network, by neural-tangents.

Parameterisation (neural-tangents' "ntk", W_std = 1, no bias): the network is f(x) = m^{-½} Σ_j a_j (w_jᵀx/√d)₊ with all
w_j, a_j standard normal. With θ the angle between x and z, the kernels are the arc-cosine kernels

    NNGP(x, z) = ‖x‖‖z‖ (sin θ + (π − θ) cos θ) / (2π d)                 E over w of the product of two features
    NTK(x, z)  = NNGP(x, z) + xᵀz (π − θ) / (2π d)                       plus the first layer's tangents

The factor 1/d is part of the kernel; the ridge is added to it: the scores are K(x, X)(K + ridge·I)⁻¹Y. The prior's
regularisation is not the training objective's, so these methods have no network and no objective.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from ..solvers.problem import Array, Fit, Problem

Kernel = Literal["nngp", "ntk"]
Ridge = Literal["absolute", "relative"]


def nngp(
    problem: Problem,
    *,
    width: int | None = None,
    seed: int = 0,
    budget: float | None = None,
    ridge: Ridge = "absolute",
) -> Fit:
    """Ridge regression with the NNGP kernel; the ridge is γ, or γ × the mean of the kernel's diagonal if `relative`."""
    return _kernel_ridge("nngp", problem, ridge)


def ntk(
    problem: Problem,
    *,
    width: int | None = None,
    seed: int = 0,
    budget: float | None = None,
    ridge: Ridge = "absolute",
) -> Fit:
    """Ridge regression with the neural tangent kernel; the ridge is γ, or γ × its diagonal's mean if `relative`."""
    return _kernel_ridge("ntk", problem, ridge)


def kernel_matrix(kernel: Kernel, X1: Array, X2: Array | None = None) -> Array:
    """The kernel between the rows of X1 (k, d) and of X2 (l, d), or of X1 with itself: (k, l) float64."""
    return _compiled_kernel(kernel, X1, X2)()


def ridge_solve(K: Array, ridge: float, Y: Array) -> Array:
    """(K + ridge·I)⁻¹Y for a positive semidefinite K (n, n); the least-norm solution where that matrix is singular."""
    from scipy.linalg import LinAlgError, cho_factor, cho_solve, eigh

    A = K + ridge * np.eye(len(K))
    try:
        return cho_solve(cho_factor(A, lower=True), Y)
    except LinAlgError:
        w, Q = eigh(A)
        solid = w > len(w) * np.finfo(np.float64).eps * max(w[-1], 0.0)
        return (Q[:, solid] / w[solid]) @ (Q[:, solid].T @ Y)


def _kernel_ridge(kernel: Kernel, problem: Problem, ridge: Ridge) -> Fit:
    # The kernels are homogeneous of degree 2, so X/σ and ridge/σ² give the same scores without overflow.
    sigma = problem.scaled.sigma
    X = problem.scaled.problem.X
    neural_tangents()  # its import, which takes seconds, is no part of the work and none of the compilation
    begin = time.perf_counter()
    evaluate = _compiled_kernel(kernel, X, None)
    compiled = time.perf_counter()
    K = evaluate()
    shift = problem.gamma / sigma / sigma if ridge == "absolute" else problem.gamma * float(np.mean(np.diag(K)))
    weights = ridge_solve(K, shift, problem.Y)
    done = time.perf_counter()

    def predict(Z: Array) -> Array:
        return kernel_matrix(kernel, np.asarray(Z, dtype=np.float64) / sigma, X) @ weights

    return Fit(
        predict,
        info={
            "solve_s": done - compiled,
            "compile_s": compiled - begin,
            "ridge": shift * sigma * sigma,
            "kernel": f"{kernel}, ntk parameterisation, W_std = 1, no bias",
        },
    )


def _compiled_kernel(kernel: Kernel, X1: Array, X2: Array | None) -> Callable[[], Array]:
    import jax
    from jax.experimental import enable_x64

    stax = neural_tangents().stax
    layers = stax.Dense(1, W_std=1.0), stax.Relu(), stax.Dense(1, W_std=1.0)
    _, _, kernel_fn = stax.serial(*layers)
    operands = (X1,) if X2 is None else (X1, X2)
    with enable_x64():
        compiled = jax.jit(lambda *rows: kernel_fn(*rows, get=kernel)).lower(*operands).compile()

    def evaluate() -> Array:
        with enable_x64():
            return np.asarray(compiled(*operands))

    return evaluate


def neural_tangents() -> Any:
    """The module, imported without the log lines that TensorFlow, which comes with it, prints from native code."""
    import sys

    if "neural_tangents" not in sys.modules:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        sys.stderr.flush()
        kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 2)
        try:
            import neural_tangents  # noqa: F401
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            os.close(nowhere)
    return sys.modules["neural_tangents"]
