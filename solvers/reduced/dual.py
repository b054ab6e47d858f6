"""Dual points of the relaxation and the bounds they give after exact repair, in the reduced problem's units.

For Θ (2n, c) on the extended rows, T ≥ 0 (2n, 2n) and any z (n,), every u with s = |Xu| has (a Θ on the loss rows
stands for one on the extended rows, `Reduced.mixed`)

    ‖Θᵀ(α, β)‖² ≤ (s, u)ᵀ B (s, u),   B = Nᵀ(T + ΘΘᵀ)N + blkdiag(−diag z, Xᵀ diag(z) X),

because T, α, β ≥ 0 and s_i² = (x_i·u)². If −B_ss ≻ 0, maximising over s leaves uᵀHu, so that
max_{‖u‖=1} ‖Θᵀ(α, β)‖² ≤ λ_max(H): Θ scaled by γ/√λ_max(H) is feasible for the dual of the training problem.
The numbers here steer the solver; what is reported is proved in certificates/quadratic.py.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import scipy.optimize as so
from scipy.linalg import lapack

from ..network import Array
from .lift import adjoint, project
from .reduction import Reduced

MARGINS = 10.0 ** np.arange(-6, -13, -1)  # to which −B_ss is made definite, relative to the largest entry


@dataclass(frozen=True)
class DualPoint:
    """Θ (2n, c) on the loss rows, T (2n, 2n) symmetric with entries ≥ 0, z (n,); T and z in units of ‖Θ‖²."""

    theta: Array
    T: Array
    z: Array


def quadratic_form(reduced: Reduced, point: DualPoint, z: Array | None = None) -> Array:
    """B of the module's docstring.

    Args:
        reduced: the problem.
        point: Θ and T of the form.
        z: the multiplier (n,), left out if None.

    Returns:
        B (n+d, n+d).
    """
    B = adjoint(reduced.X, point.T)
    h = project(reduced.X, reduced.mixed(point.theta))
    B += h @ h.T
    return B if z is None else _with_z(reduced, B, z)


def _with_z(reduced: Reduced, B: Array, z: Array) -> Array:
    n, X = reduced.n, reduced.X
    B = B.copy()
    B[np.arange(n), np.arange(n)] -= z
    B[n:, n:] += X.T @ (z[:, None] * X)
    return B


def maximum(B: Array, n: int) -> tuple[float, Array, Array]:
    """λ_max(H) with all eigenvalues and the maximising directions.

    Args:
        B: the form (n+d, n+d).
        n: rows.

    Returns:
        λ_max(H), the eigenvalues of H (d,) and the (s, u) directions (n+d, d); (inf, …) if −B_ss ⊁ 0.
    """
    factor, info = lapack.dpotrf(-B[:n, :n], lower=1, clean=0)
    if info != 0:
        return np.inf, np.empty(0), np.empty((len(B), 0))
    solved = lapack.dpotrs(factor, B[:n, n:], lower=1)[0] if n else B[:0]
    H = B[n:, n:] + B[n:, :n] @ solved
    values, vectors = np.linalg.eigh((H + H.T) / 2)
    return float(values[-1]), values, np.vstack([solved @ vectors, vectors])


def value(reduced: Reduced, theta: Array, squared_norm: float) -> tuple[float, float, float]:
    """The dual objective of tΘ for the best t ≤ γ/√λ, in scaled units.

    Args:
        reduced: the problem.
        theta: Θ (2n, c).
        squared_norm: λ.

    Returns:
        (bound, t, d bound/d λ).
    """
    rows = reduced.loss_rows
    linear = float(np.sum(theta[rows] * reduced.target[rows]))
    quadratic = float(np.sum(theta[rows] ** 2 / reduced.weight[rows, None]))
    if linear <= 0 or quadratic <= 0 or not np.isfinite(squared_norm):
        return reduced.constant, 0.0, 0.0
    limit = reduced.gamma / np.sqrt(squared_norm) if squared_norm > 0 else np.inf
    t = min(limit, linear / quadratic)
    slope = -0.5 * t / squared_norm * (linear - t * quadratic) if t == limit else 0.0
    return t * linear - 0.5 * t**2 * quadratic + reduced.constant, t, slope


def dual_maximum(reduced: Reduced, point: DualPoint) -> float:
    """max_{‖u‖=1} ‖Θᵀ(α, β)‖² as a dual point bounds it.

    Args:
        reduced: the problem.
        point: the dual point.

    Returns:
        The bound, inf if the point bounds nothing.
    """
    return maximum(quadratic_form(reduced, point, point.z), reduced.n)[0]


def dual_value(reduced: Reduced, point: DualPoint) -> float:
    """Lower bound from a dual point as it stands, up to rounding.

    Args:
        reduced: the problem.
        point: the dual point.

    Returns:
        The bound in scaled units.
    """
    return value(reduced, point.theta, dual_maximum(reduced, point))[0]


def sharpen(reduced: Reduced, point: DualPoint, rounds: int = 30, until: float = np.inf) -> DualPoint:
    """The same Θ and T with z chosen to make the bound large: λ_max(H) is convex in z.

    Minimises a soft maximum of the eigenvalues of H by L-BFGS, gradient (Xu)_i² − s_i².

    Args:
        reduced: the problem.
        point: the dual point to start from.
        rounds: the most L-BFGS iterations at each of three temperatures.
        until: when to end with the best so far (`time.perf_counter`).

    Returns:
        The dual point with the best z met.
    """
    n = reduced.n
    base = quadratic_form(reduced, point)
    best, best_z = maximum(_with_z(reduced, base, point.z), n)[0], point.z
    if not np.isfinite(best):
        best_z = _definite_z(reduced, base, point.z)
        best = maximum(_with_z(reduced, base, best_z), n)[0]
    unit = float(np.mean(np.abs(best_z))) or 1.0

    def soft(x: Array, temperature: float) -> tuple[float, Array]:
        nonlocal best, best_z
        trial = x * unit
        top, values, directions = maximum(_with_z(reduced, base, trial), n)
        if not np.isfinite(top):
            return 10.0, np.zeros(n)  # well above the start at 1, near enough for the line search to interpolate
        if top < best:
            best, best_z = top, trial
        share = np.exp((values - top) / temperature)
        total = float(share.sum())
        Xu2 = (reduced.X @ directions[n:]) ** 2
        gradient = (Xu2 - directions[:n] ** 2) @ (share / total)
        scale = abs(start) or 1.0
        return (top + temperature * np.log(total)) / scale, gradient * unit / scale

    def watch(_: Array) -> None:
        if time.perf_counter() > until:
            raise StopIteration

    start = best
    for fraction in (1e-2, 1e-3, 1e-4):
        if not np.isfinite(start) or start <= 0 or time.perf_counter() > until:
            break
        so.minimize(
            soft,
            best_z / unit,
            args=(fraction * start,),
            jac=True,
            method="L-BFGS-B",
            callback=watch,
            options={"maxiter": rounds, "maxcor": 20},
        )
    return DualPoint(point.theta, point.T, best_z)


def sharper(reduced: Reduced, point: DualPoint) -> DualPoint:
    """A dual point as it stands, or with z from `sharpen` where that gives a better bound.

    Args:
        reduced: the problem.
        point: the dual point.

    Returns:
        The better one.
    """
    return max(point, sharpen(reduced, point), key=lambda candidate: dual_value(reduced, candidate))


def _definite_z(reduced: Reduced, base: Array, z: Array) -> Array:
    """z raised by a constant until diag(z) − B_ss ≻ 0, by the margin for which the bound is best.

    Large margins spoil the bound where z is large, as it is for nearly parallel rows; rounding forbids very small ones.
    """
    n = reduced.n
    lowest = float(np.linalg.eigvalsh(np.diag(z) - base[:n, :n])[0])
    size = max(float(np.max(np.abs(base[:n, :n]))), float(np.max(np.abs(z))), 1e-300)
    if lowest > 1e-12 * size:
        return z
    raised = [z + (margin * size - lowest) for margin in MARGINS]
    return min(raised, key=lambda trial: maximum(_with_z(reduced, base, trial), n)[0])


def user_point(reduced: Reduced, gamma: float, theta: Array, T: Array, z: Array) -> DualPoint:
    """The reduced problem's point for one on the user's rows and units, merged rows summed.

    The arrays are in the convention of `conic.literal.DualGuess`, where the form is divided by γ (the user's).

    Args:
        reduced: the problem.
        gamma: the user's γ.
        theta: Θ (N, c).
        T: symmetric (2N, 2N).
        z: (N,).

    Returns:
        The dual point.
    """
    live = reduced.rep >= 0
    size, positive = np.abs(reduced.coef), reduced.coef > 0
    side = np.where(
        np.r_[positive, ~positive], np.r_[reduced.rep, reduced.rep], np.r_[reduced.rep, reduced.rep] + reduced.n
    )
    merge = np.zeros((2 * reduced.n, 2 * len(live)))  # (α, β) of a user row are multiples of those that stand for it
    both = np.flatnonzero(np.r_[live, live])
    merge[side[both], both] = np.r_[size, size][both]
    merged_z = np.zeros(reduced.n)
    np.add.at(merged_z, reduced.rep[live], size[live] ** 2 * z[live])
    unit = gamma / reduced.kappa**2
    rows = theta.shape[0]
    merged_T = merge @ np.maximum(T, 0.0) @ merge.T * unit
    merged_T, merged_z = (merged_T + merged_T.T) / 2, merged_z * unit
    # Rows in opposite directions meet in α_i β_i = ¼ (s_i² − (Xu)_i²), whose multiplier is z.
    i = np.arange(reduced.n)
    merged_z -= merged_T[i, reduced.n + i] / 2
    merged_T[i, reduced.n + i] = merged_T[reduced.n + i, i] = 0.0
    return DualPoint(merge[:, :rows] @ theta / reduced.kappa, merged_T, merged_z)
