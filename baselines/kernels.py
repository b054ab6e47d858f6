"""Kernel ridge regression with the NNGP and NTK kernels of the two-layer ReLU network, by neural-tangents.

Parameterisation (neural-tangents' "ntk", W_std = 1, no bias): the network is f(x) = m^{-½} Σ_j a_j (w_jᵀx/√d)₊ with all
w_j, a_j standard normal. With θ the angle between x and z, the kernels of infinite width are the arc-cosine kernels

    NNGP(x, z) = ‖x‖‖z‖ (sin θ + (π − θ) cos θ) / (2π d)                 E over w of the product of two features
    NTK(x, z)  = NNGP(x, z) + xᵀz (π − θ) / (2π d)                       plus the first layer's tangents

At a finite width m they are the same averages over m drawn neurons: NNGP(x, z) = 1/m Σ_j (w_jᵀx)₊(w_jᵀz)₊ / d, and the
NTK is the inner product of the gradients of the drawn network with one output.

The factor 1/d is part of the kernel; the ridge is added to it: the scores are K(x, X)(K + ridge·I)⁻¹Y. The prior's
regularisation is not the training objective's, so these methods have no network and no objective.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Literal

import numpy as np

from ..solvers.fit import Fit, Statistics
from ..solvers.network import Array
from ..solvers.problem import Problem
from .common import require_width

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
    """Ridge regression with the NNGP kernel.

    Args:
        problem: the training data and γ.
        width: None for the infinite width, else the number of neurons drawn.
        seed: where these neurons come from.
        budget: not used.
        ridge: γ, or γ × the mean of the kernel's diagonal if `relative`.

    Returns:
        The fitted predictor, without a network.

    Raises:
        OptionError: a width below 1.
    """
    return _kernel_ridge("nngp", problem, width, seed, ridge)


def ntk(
    problem: Problem,
    *,
    width: int | None = None,
    seed: int = 0,
    budget: float | None = None,
    ridge: Ridge = "absolute",
) -> Fit:
    """Ridge regression with the neural tangent kernel.

    Args:
        problem: the training data and γ.
        width: None for the infinite width, else the number of neurons drawn.
        seed: where these neurons come from.
        budget: not used.
        ridge: γ, or γ × the mean of the kernel's diagonal if `relative`.

    Returns:
        The fitted predictor, without a network.

    Raises:
        OptionError: a width below 1.
    """
    return _kernel_ridge("ntk", problem, width, seed, ridge)


def kernel_matrix(kernel: Kernel, X1: Array, X2: Array, width: int | None = None, seed: int = 0) -> Array:
    """The kernel between the rows of two arrays.

    Args:
        kernel: `nngp` or `ntk`.
        X1: rows (k, d).
        X2: rows (l, d).
        width: None for the infinite width, else the number of neurons drawn.
        seed: where these neurons come from.

    Returns:
        (k, l), float64.
    """
    return _compiled_kernel(kernel, X1, X2, width, seed)()


def ridge_solve(K: Array, ridge: float, Y: Array) -> Array:
    """The solution of (K + ridge·I)A = Y; the least-norm one where that matrix is singular.

    Args:
        K: positive semidefinite (n, n).
        ridge: the number on the diagonal, ≥ 0.
        Y: right-hand sides (n, c).

    Returns:
        (K + ridge·I)⁻¹Y (n, c).
    """
    from scipy.linalg import LinAlgError, cho_factor, cho_solve, eigh

    A = K + ridge * np.eye(len(K))
    try:
        return cho_solve(cho_factor(A, lower=True), Y)
    except LinAlgError:
        w, Q = eigh(A)
        solid = w > len(w) * np.finfo(np.float64).eps * max(w[-1], 0.0)
        return (Q[:, solid] / w[solid]) @ (Q[:, solid].T @ Y)


def _kernel_ridge(kernel: Kernel, problem: Problem, width: int | None, seed: int, ridge: Ridge) -> Fit:
    if width is not None:
        width = require_width(width, kernel)
    # The kernels are homogeneous of degree 2, so X/σ and ridge/σ² give the same scores without overflow.
    sigma, X = problem.scaled.sigma, problem.scaled.problem.X
    from . import tangents  # noqa: F401  # an import of seconds, which is no part of the work nor of the compilation

    begin = time.perf_counter()
    evaluate = _compiled_kernel(kernel, X, X, width, seed)
    compiled = time.perf_counter()
    K = evaluate()
    shift = problem.gamma / sigma / sigma if ridge == "absolute" else problem.gamma * float(np.mean(np.diag(K)))
    weights = ridge_solve(K, shift, problem.Y)
    done = time.perf_counter()

    def predict(Z: Array) -> Array:
        return kernel_matrix(kernel, np.asarray(Z, dtype=np.float64) / sigma, X, width, seed) @ weights

    return Fit(
        predict,
        info={"ridge": shift * sigma * sigma, "kernel": f"{kernel}, ntk parameterisation, W_std = 1, no bias"},
        stats=Statistics(solve_s=done - compiled, compile_s=compiled - begin),
    )


def _compiled_kernel(kernel: Kernel, X1: Array, X2: Array, width: int | None, seed: int) -> Callable[[], Array]:
    from jax.experimental import enable_x64

    compiled = _compile(kernel, X1.shape, X2.shape, width, seed)

    def evaluate() -> Array:
        with enable_x64():
            return np.asarray(compiled(X1, X2))

    return evaluate


@lru_cache(maxsize=32)
def _compile(kernel: Kernel, left: tuple[int, int], right: tuple[int, int], width: int | None, seed: int) -> Any:
    import jax
    from jax.experimental import enable_x64

    with enable_x64():
        function = _infinite(kernel) if width is None else _finite(kernel, left[1], width, seed)
        return jax.jit(function).lower(np.zeros(left), np.zeros(right)).compile()


def _infinite(kernel: Kernel) -> Callable[[Any, Any], Any]:
    from .tangents import stax

    _, _, kernel_fn = stax.serial(stax.Dense(1), stax.Relu(), stax.Dense(1))
    return lambda X1, X2: kernel_fn(X1, X2, get=kernel)


def _finite(kernel: Kernel, d: int, width: int, seed: int) -> Callable[[Any, Any], Any]:
    import jax

    from .tangents import empirical_nngp_fn, empirical_ntk_fn, stax

    hidden = stax.Dense(width), stax.Relu()
    # The NNGP of the drawn network averages over its hidden units: the last layer, being Gaussian, adds nothing.
    init, apply, _ = stax.serial(*hidden) if kernel == "nngp" else stax.serial(*hidden, stax.Dense(1))
    _, weights = init(jax.random.PRNGKey(seed), (-1, d))
    empirical = (empirical_nngp_fn if kernel == "nngp" else empirical_ntk_fn)(apply)
    return lambda X1, X2: empirical(X1, X2, weights)
