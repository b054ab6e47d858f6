"""The paper's rounding: three-operator splitting towards a low-rank factor of Λ* whose columns are neurons.

    min_W ½‖WWᵀ − Λ*‖_F²   over W (p, R) in ker M with α, β ≥ 0 and α∘β = 0 in every column

Source: arXiv 2410.22311, section 4.2; the splitting is that of Davis and Yin (2017), "A three-operator splitting
scheme and its optimization applications".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from ..fit import Fit, Status
from ..network import Array
from ..problem import Problem
from ..relaxation import Relaxation
from .coordinates import KernelBasis, complementary
from .progress import Progress, check_arguments, padded


def round_tos(
    problem: Problem,
    relaxation: Relaxation,
    *,
    width: int,
    seed: int,
    budget: float | None = None,
    step: float = 0.75,
    iterations: int = 1000,
) -> Fit:
    """The published rounding, on the user's rows and units.

    Args:
        problem: the training data and γ.
        relaxation: its solution Λ* as a factor.
        width: neurons of the network, ≥ 1; beyond the rank of Λ* the published zero columns never move: such neurons
            stay 0.
        seed: changes nothing, as nothing is drawn; ≥ 0.
        budget: seconds; None for no limit.
        step: the paper's (on MNIST it takes 0.1).
        iterations: the paper's (on MNIST it takes 10,000).

    Returns:
        Of its iterates the one of least training objective; status `timeout` when out of budget, `diverged` when the
        iterates left all bounds.

    Raises:
        RoundingError: an argument out of range, or a relaxation of another problem.
    """
    check_arguments(problem, relaxation, width, seed, budget)
    progress = Progress(problem, budget)
    basis = KernelBasis.of(problem)
    factor = basis.eigenfactor(problem, relaxation.factor)
    return _best_iterate(progress, basis, width, splitting(basis, factor, factor[:, :width], step), iterations)


def round_tos_spread(
    problem: Problem,
    relaxation: Relaxation,
    *,
    width: int,
    seed: int,
    budget: float | None = None,
    step: float = 0.4,
    iterations: int = 1000,
) -> Fit:
    """The published iteration with a stable step, from another factor of the same Λ*, whose columns all move.

    WQ with QQᵀ = I gives the same product as W: a random Q of `width` columns spreads the few eigenvectors over all
    neurons instead of leaving most of these at zero. The gradient 2(WWᵀW − Λ*W) has Lipschitz constant 4‖Λ*‖₂ along the
    leading eigenvector, so steps above 0.5/‖Λ*‖₂ ≥ 0.5/‖Λ*‖_F leave even a feasible Λ*.

    Args:
        problem: the training data and γ.
        relaxation: its solution Λ* as a factor.
        width: neurons of the network, ≥ 1.
        seed: where Q comes from, ≥ 0.
        budget: seconds; None for no limit.
        step: in units of 1/‖Λ*‖_F.
        iterations: the most iterations.

    Returns:
        Of its iterates the one of least training objective; status `timeout` when out of budget, `diverged` when the
        iterates left all bounds.

    Raises:
        RoundingError: an argument out of range, or a relaxation of another problem.
    """
    check_arguments(problem, relaxation, width, seed, budget)
    progress = Progress(problem, budget)
    basis = KernelBasis.of(problem)
    factor = basis.eigenfactor(problem, relaxation.factor)
    start = basis.spread(factor[:, :width], width, np.random.default_rng(seed))
    return _best_iterate(progress, basis, width, splitting(basis, factor, start, step), iterations)


def splitting(basis: KernelBasis, factor: Array, start: Array, step: float) -> Iterator[Array]:
    """The consistent iterates W of the published iteration, in the coordinates of a basis.

    With Z_0 = start and Λ* = factor factorᵀ, the iteration is

        W = proj_kerM(Z),  V = proj_compl(2W − Z − 2η(WWᵀW − Λ*W)),  Z ← Z − W + V,  η = step/‖Λ*‖_F.

    W, WWᵀW and Λ*W lie in ker M, where the coordinates are an isometry. Z − W is orthogonal to ker M: its rows off = (α
    − β)/√2 tell the rest, as u = −Xᵀ(α − β)/2 there. With T = XC⁻¹/√2 and y = W − 2η(WWᵀW − Λ*W) in coordinates, both
    projections come down to three products with T:

        t = T y_Cu − off,  s ← ½(y_s + |t|)₊,  Cu ← y_Cu + Tᵀ(t′ − t),  off ← off + t′ − T Cu,  t′ = s sign(t).

    Args:
        basis: the coordinates, q = n+d+c of them.
        factor: that of Λ*, in coordinates (q, r).
        start: Z_0, in coordinates (q, R).
        step: η in units of 1/‖Λ*‖_F.

    Returns:
        An endless iterator over W (q, R): one array, changed in place.
    """
    (n, d), w = basis.X_times_C_inverse.shape, start.copy()
    s, Cu, off = w[:n], w[n : n + d], np.zeros((n, w.shape[1]))
    T = basis.X_times_C_inverse / np.sqrt(2)
    descent = _descent(factor, step)
    while True:
        yield w
        w -= descent(w)
        t = T @ Cu
        t -= off
        s[:], nearest = complementary(s, t)
        off += nearest
        nearest -= t
        Cu += T.T @ nearest
        off -= T @ Cu


def _descent(factor: Array, step: float) -> Callable[[Array], Array]:
    """W (q, R) ↦ 2η(WWᵀW − Λ*W) in the cheapest order of products."""
    q, r = factor.shape
    Λ = factor @ factor.T
    norm = np.linalg.norm(Λ)
    η = step / norm if norm > 0 else 0.0

    def descent(w: Array) -> Array:
        if 3 * w.shape[1] > q:
            product = w @ w.T
            product -= Λ
            product *= 2 * η
            return product @ w
        gradient = w @ (w.T @ w)
        gradient -= Λ @ w if 2 * r > q else factor @ (factor.T @ w)
        gradient *= 2 * η
        return gradient

    return descent


def _best_iterate(progress: Progress, basis: KernelBasis, width: int, iterates: Iterator[Array], limit: int) -> Fit:
    """The best of the first `limit` iterates, with zero neurons up to `width`."""
    status, message = Status.OK, ""
    for k, w in enumerate(iterates, start=1):
        if not np.isfinite(progress.add(basis.network(w))):
            status, message = Status.DIVERGED, f"the splitting left all bounds after {k} iterations"
            break
        if k >= limit or progress.out_of_time:
            break
    return progress.fit(padded(progress.best, width), status=status, message=message)
