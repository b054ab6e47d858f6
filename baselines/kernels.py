"""Kernel regression with the NNGP and NTK kernels of the two-layer network, by neural-tangents.

Parameterisation (neural-tangents' "ntk", W_std = 1, no bias): the network is f(x) = m^{-½} Σ_j a_j φ(w_jᵀx/√d) with all
w_j, a_j standard normal. With θ the angle between x and z the kernels of infinite width are, for the ReLU, arc-cosine
kernels (for any slope below 0: reports/figures/arccosine.py)

    NNGP(x, z) = ‖x‖‖z‖ (sin θ + (π − θ) cos θ) / (2π d)                 E over w of the product of two features
    NTK(x, z)  = NNGP(x, z) + xᵀz (π − θ) / (2π d)                       plus the first layer's tangents

At a finite width m they are the same averages over m drawn neurons: NNGP(x, z) = 1/m Σ_j φ(w_jᵀx)φ(w_jᵀz) / d, and the
NTK is the inner product of the gradients of the drawn network with one output.

With `depth` L > 1 there are L hidden layers; the L − 1 further ones have a W_std (ReLU: √2) that keeps the NNGP's
diagonal (ReLU: ‖x‖²/(2d)) for any L. `layer_bias` b adds a bias of standard deviation b to every layer.

The factor 1/d is part of the kernel; the ridge is added to it: the scores are K(x, X)(K + ridge·I)⁻¹Y, which minimise
½‖F − Y‖² + ½ ridge ‖f‖² in the kernel's norm. With the logistic loss they minimise Σ_i log Σ_j exp f_ij − ⟨F, Y⟩ with
the same penalty: kernel logistic regression. The prior's regularisation is not the training objective's, so these
methods have no network and no objective.

Kernels of infinite width are computed in blocks of BLOCK × BLOCK rows, features filled up with zeros to a multiple of
FEATURES (and scaled by √(d'/d), which leaves xᵀz/d as it is), so that a program is compiled once for all data.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any, Literal

import numpy as np
from annotated_types import Ge, Le

from ..solvers.fit import Fit, Statistics
from ..solvers.network import Array
from ..solvers.problem import Problem
from .common import OptionError, require_width
from .weights import logistic_weights, ridge_solve, shifted_solve, spectrum_of

BLOCK = 256  # rows
FEATURES = 64

Name = Literal["nngp", "ntk"]
Ridge = Literal["absolute", "relative"]
Depth = Annotated[int, Ge(1), Le(20)]
Deviation = Annotated[float, Ge(0)]


@dataclass(frozen=True)
class Kernel:
    """Which kernel: that of infinite width, or that of `width` neurons drawn from `seed`."""

    name: Name
    depth: int = 1
    layer_bias: float = 0.0
    width: int | None = None
    seed: int = 0
    below: float = 0.0  # slope of the activation below 0

    def __post_init__(self) -> None:
        if self.width is None:
            return
        require_width(self.width, self.name)
        if self.depth > 1 or self.layer_bias > 0:
            raise OptionError(
                f"depth must be 1 and layer_bias 0 for {self.name} of finite width. "
                f"Got {self.depth} and {self.layer_bias:g} instead."
            )


@dataclass(frozen=True, eq=False)
class KernelPredictor:
    """K(Z, X) @ weights for new rows Z. X: training rows over `unit`, K: their kernel, with its spectrum if known."""

    kernel: Kernel
    unit: float
    X: Array
    K: Array
    spectrum: tuple[Array, Array] | None
    weights: Array

    def __call__(self, Z: Array) -> Array:
        """The scores (k, c) of rows Z (k, d)."""
        rows = np.asarray(Z, dtype=np.float64) / self.unit
        return _compiled(self.kernel, rows, self.X)() @ self.weights


def nngp(
    problem: Problem,
    *,
    width: int | None = None,
    seed: int = 0,
    budget: float | None = None,
    ridge: Ridge = "absolute",
    depth: Depth = 1,
    layer_bias: Deviation = 0.0,
    warm: Fit | None = None,
) -> Fit:
    """Ridge regression with the NNGP kernel, or logistic regression where that is the problem's loss.

    Args:
        problem: the training data and γ.
        width: None for the infinite width, else the number of neurons drawn.
        seed: where these neurons come from.
        budget: not used.
        ridge: γ, or γ × the mean of the kernel's diagonal if `relative`.
        depth: hidden layers, 1 where the width is finite.
        layer_bias: standard deviation of the biases of all layers, in units of the root mean square of x/√d over the
            training rows; 0 where the width is finite.
        warm: a fit with the same kernel to the same X, whose decomposition serves every γ.

    Returns:
        The fitted predictor, without a network.

    Raises:
        OptionError: a width below 1, or a finite one with another depth or with biases.
    """
    kernel = Kernel("nngp", depth, layer_bias, width, seed, problem.activation.below)
    return _kernel_ridge(kernel, problem, ridge, warm)


def ntk(
    problem: Problem,
    *,
    width: int | None = None,
    seed: int = 0,
    budget: float | None = None,
    ridge: Ridge = "absolute",
    depth: Depth = 1,
    layer_bias: Deviation = 0.0,
    warm: Fit | None = None,
) -> Fit:
    """Ridge regression with the neural tangent kernel, or logistic regression where that is the problem's loss.

    Args:
        problem: the training data and γ.
        width: None for the infinite width, else the number of neurons drawn.
        seed: where these neurons come from.
        budget: not used.
        ridge: γ, or γ × the mean of the kernel's diagonal if `relative`.
        depth: hidden layers, 1 where the width is finite.
        layer_bias: standard deviation of the biases of all layers, in units of the root mean square of x/√d over the
            training rows; 0 where the width is finite.
        warm: a fit with the same kernel to the same X, whose decomposition serves every γ.

    Returns:
        The fitted predictor, without a network.

    Raises:
        OptionError: a width below 1, or a finite one with another depth or with biases.
    """
    return _kernel_ridge(Kernel("ntk", depth, layer_bias, width, seed, problem.activation.below), problem, ridge, warm)


def kernel_matrix(
    name: Name,
    X1: Array,
    X2: Array,
    width: int | None = None,
    seed: int = 0,
    depth: int = 1,
    layer_bias: float = 0.0,
    below: float = 0.0,
) -> Array:
    """The kernel between the rows of two arrays.

    Args:
        name: `nngp` or `ntk`.
        X1: rows (k, d).
        X2: rows (l, d).
        width: None for the infinite width, else the number of neurons drawn.
        seed: where these neurons come from.
        depth: hidden layers.
        layer_bias: standard deviation of the biases of all layers.
        below: the slope of the activation below 0.

    Returns:
        (k, l), float64.

    Raises:
        OptionError: a width below 1, or a finite one with another depth or with biases.
    """
    return _compiled(Kernel(name, depth, layer_bias, width, seed, below), X1, X2)()


def _kernel_ridge(kernel: Kernel, problem: Problem, ridge: Ridge, warm: Fit | None) -> Fit:
    # In these units x/√d has root mean square 1. Without biases the kernels are homogeneous of degree 2, so that the
    # ridge over unit² gives the same scores, and nothing overflows.
    unit = problem.scaled.sigma / math.sqrt(problem.d)
    X = problem.X / unit
    from . import tangents  # noqa: F401  # an import of seconds, which is no part of the work nor of the compilation

    begin = time.perf_counter()
    evaluate = _compiled(kernel, X, X)
    compiled = time.perf_counter()
    known = _same(warm, kernel, X)
    K = known.K if known else evaluate()
    shift = problem.gamma / unit / unit if ridge == "absolute" else problem.gamma * float(np.mean(np.diag(K)))
    logistic = problem.loss == "logistic"
    spectrum = (known and known.spectrum) or (spectrum_of(K) if known or logistic else None)
    if spectrum is None:
        weights = ridge_solve(K, shift, problem.Y)
    else:
        weights = (logistic_weights if logistic else shifted_solve)(*spectrum, shift, problem.Y)
    done = time.perf_counter()
    other = f", slope {kernel.below:g} below 0" if kernel.below else ""
    about = (
        f"{kernel.name}{other}, ntk parameterisation, W_std = 1, depth {kernel.depth}, layer bias {kernel.layer_bias:g}"
    )
    return Fit(
        KernelPredictor(kernel, unit, X, K, spectrum, weights),
        info={"ridge": shift * unit * unit, "kernel": about},
        stats=Statistics(solve_s=done - compiled, compile_s=compiled - begin),
    )


def _same(warm: Fit | None, kernel: Kernel, X: Array) -> KernelPredictor | None:
    """What is known already from a fit with that kernel to these rows."""
    known = warm.predict if warm else None
    if isinstance(known, KernelPredictor) and known.kernel == kernel and np.array_equal(known.X, X):
        return known
    return None


def _compiled(kernel: Kernel, X1: Array, X2: Array) -> Callable[[], Array]:
    """The kernel between rows as a function without arguments, its program compiled."""
    from jax.experimental import enable_x64

    sizes = len(X1), len(X2)
    if kernel.width is not None:
        program = _compile(kernel, X1.shape, X2.shape)
        blocks = tuple(max(size, 1) for size in sizes)
    else:
        d = X1.shape[1]
        wide = -(-d // FEATURES) * FEATURES
        program = _compile(kernel, (BLOCK, wide), (BLOCK, wide))
        X1, X2, blocks = _filled(X1, wide), _filled(X2, wide), (BLOCK, BLOCK)

    def evaluate() -> Array:
        with enable_x64():
            rows = [
                np.concatenate(
                    [program(X1[i : i + blocks[0]], X2[j : j + blocks[1]]) for j in range(0, len(X2), blocks[1])],
                    axis=1,
                )
                for i in range(0, len(X1), blocks[0])
            ]
        return np.concatenate(rows)[: sizes[0], : sizes[1]]

    return evaluate


@lru_cache(maxsize=32)
def _compile(kernel: Kernel, left: tuple[int, int], right: tuple[int, int]) -> Any:
    import jax
    from jax.experimental import enable_x64

    with enable_x64():
        function = _infinite(kernel) if kernel.width is None else _finite(kernel, left[1], kernel.width)
        return jax.jit(function).lower(np.zeros(left), np.zeros(right)).compile()


def _filled(X: Array, wide: int) -> Array:
    """The rows filled up with zeros to whole blocks and `wide` features, scaled so that xᵀz over the width stays."""
    n, d = X.shape
    filled = np.zeros((max(-(-n // BLOCK), 1) * BLOCK, wide))
    filled[:n, :d] = X * math.sqrt(wide / d)
    return filled


def _infinite(kernel: Kernel) -> Callable[[Any, Any], Any]:
    from .tangents import activation, stax

    b, φ = kernel.layer_bias or None, activation(kernel.below)
    deeper = [stax.Dense(1, math.sqrt(2 / (1 + kernel.below**2)), b), φ] * (kernel.depth - 1)
    _, _, kernel_fn = stax.serial(stax.Dense(1, 1.0, b), φ, *deeper, stax.Dense(1, 1.0, b))
    return lambda X1, X2: kernel_fn(X1, X2, get=kernel.name)


def _finite(kernel: Kernel, d: int, width: int) -> Callable[[Any, Any], Any]:
    import jax

    from .tangents import activation, empirical_nngp_fn, empirical_ntk_fn, stax

    hidden = stax.Dense(width), activation(kernel.below)
    # The NNGP of the drawn network averages over its hidden units: the last layer, being Gaussian, adds nothing.
    init, apply, _ = stax.serial(*hidden) if kernel.name == "nngp" else stax.serial(*hidden, stax.Dense(1))
    _, weights = init(jax.random.PRNGKey(kernel.seed), (-1, d))
    empirical = (empirical_nngp_fn if kernel.name == "nngp" else empirical_ntk_fn)(apply)
    return lambda X1, X2: empirical(X1, X2, weights)
