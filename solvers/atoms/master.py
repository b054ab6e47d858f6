"""The program over finitely many directions: which of them, and how much of each.

For unit directions u_k with columns z_k = (Xu_k)₊ the training problem is the group lasso
min ½‖Σ z_k v_kᵀ − Y‖² + γ Σ‖v_k‖. Writing γ‖v‖ = min_{s>0} γ/2 (‖v‖²/s + s) and minimising over v first leaves

    min_{s ≥ 0}  f(s) = γ/2 [ tr Yᵀ(γI + Σ s_k z_k z_kᵀ)⁻¹Y + Σ s_k ],

the kernel view of the program (formulation: without v, the method is kernel learning): convex, smooth, one number a
direction, whatever the number of outputs. With Θ = γ(γI + K)⁻¹Y the gradient is γ/2 (1 − ‖Θᵀz_k‖²/γ²) and the
Hessian γ (ZᵀMZ) ∘ (ZᵀMYYᵀMZ), M = (γI + K)⁻¹. A primal–dual interior point method solves it: columns that are nearly
equal, of which column generation makes many, do not trouble it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve, solve_triangular

from ..network import Array

TO_BOUNDARY = 0.99  # share of the way to the boundary of the cone that a step may go


@dataclass(frozen=True)
class Master:
    """Weights s (K,), the residual Θ (n, c) = Y − Σ z_k v_kᵀ, and the objective of the network that s stands for."""

    s: Array
    theta: Array
    value: float
    iterations: int


@dataclass(frozen=True)
class _Point:
    """f, P = ZᵀMY (K, c), W with WᵀW = ZᵀMZ, and ‖Θᵀz_k‖²/γ² = ‖P_k‖² (K,) at some s."""

    f: float
    P: Array
    W: Array
    ratio: Array


def solve_master(Z: Array, Y: Array, gamma: float, s: Array, tol: float, max_iter: int = 100) -> Master:
    """Minimise f over s ≥ 0.

    Args:
        Z: columns (n, K).
        Y: targets (n, c).
        gamma: γ.
        s: the start (K,).
        tol: stops at a duality gap of tol·f.
        max_iter: at most so many iterations.

    Returns:
        The best iterate.
    """
    Q, R, target, rest = _reach(Z, Y)
    constant = 0.5 * float(np.sum(rest**2))

    s = _interior(s, Z, Y, gamma)
    point = _evaluate(R, target, gamma, s)
    best, best_point, best_gap = s, point, np.inf
    z, iterations = None, 0
    while iterations < max_iter:
        gap = _gap(point, s, gamma, constant)
        if gap < best_gap:
            best, best_point, best_gap = s, point, gap
        if gap <= tol * (point.f + constant):
            break
        gradient = 0.5 * gamma * (1.0 - point.ratio)
        if z is None:
            mu = gap / len(s)
            z = np.maximum(gradient, mu / s)
        s, z, point, moved = _step(R, target, gamma, s, z, gradient, point)
        if not moved:
            break
        iterations += 1
    theta = gamma * cho_solve(cho_factor(_kernel(R, gamma, best), lower=True), target)
    return Master(best, rest + Q @ theta, best_point.f + constant, iterations)


def objective(Z: Array, Y: Array, gamma: float, s: Array) -> float:
    """Compute f(s), the objective of the network with these weights and the best outputs.

    Args:
        Z: columns (n, K).
        Y: targets (n, c).
        gamma: γ.
        s: weights (K,).

    Returns:
        f(s).
    """
    _, R, target, rest = _reach(Z, Y)
    return _evaluate(R, target, gamma, s).f + 0.5 * float(np.sum(rest**2))


def _reach(Z: Array, Y: Array) -> tuple[Array, Array, Array, Array]:
    """Q, R with Z = QR, QᵀY, and the part of Y out of reach of these columns, which stays in the residual."""
    Q, R = np.linalg.qr(Z) if len(Z) > Z.shape[1] else (np.eye(len(Z)), Z)
    target = Q.T @ Y
    return Q, R, target, Y - Q @ target


def _interior(s: Array, Z: Array, Y: Array, gamma: float) -> Array:
    """A start with every weight positive; from nothing, the weights are those at which K matches ‖Y‖ in size."""
    total = float(np.sum(s))
    if total <= 0:
        total = float(np.linalg.norm(Y)) / max(float(np.sqrt(np.mean(np.sum(Z**2, axis=0)))), 1e-300)
    return np.maximum(s, 1e-2 * total / len(s))


def _kernel(R: Array, gamma: float, s: Array) -> Array:
    return (R * s) @ R.T + gamma * np.eye(len(R))


def _evaluate(R: Array, target: Array, gamma: float, s: Array) -> _Point:
    L = np.linalg.cholesky(_kernel(R, gamma, s))
    T = solve_triangular(L, target, lower=True, check_finite=False)
    W = solve_triangular(L, R, lower=True, check_finite=False)
    P = W.T @ T
    return _Point(0.5 * gamma * float(np.sum(T**2) + np.sum(s)), P, W, np.einsum("kc,kc->k", P, P))


def _gap(point: _Point, s: Array, gamma: float, constant: float) -> float:
    """f − D(tΘ) for the best t that keeps ‖tΘᵀz_k‖ ≤ γ.

    With Θ = γMY: ⟨Θ, Y⟩ = 2f − γΣs and ½‖Θ‖² = f − γ/2 Σ s_k (1 + ‖Θᵀz_k‖²/γ²), so nothing of size n is formed.
    """
    mass = gamma * float(np.sum(s))
    linear = 2 * (point.f + constant) - mass
    half_square = point.f + constant - 0.5 * (mass + gamma * float(s @ point.ratio))
    worst = float(np.sqrt(np.max(point.ratio)))
    t = min(1.0 / worst if worst > 0 else 1.0, 0.5 * linear / half_square)
    return point.f + constant - (t * linear - t**2 * half_square)


def _step(
    R: Array, target: Array, gamma: float, s: Array, z: Array, gradient: Array, point: _Point
) -> tuple[Array, Array, _Point, bool]:
    """One primal–dual Newton step towards s∘z = μ/10 on average, halved until the barrier function does not grow."""
    hessian = gamma * (point.W.T @ point.W) * (point.P @ point.P.T)
    missing = float(np.sum(np.abs(s * (gradient - z))))
    mu = min(1.0, 0.1 + missing / float(s @ z)) * float(s @ z) / len(s)
    try:
        factor = cho_factor(hessian + np.diag(z / s), lower=True, check_finite=False)
    except LinAlgError:
        return s, z, point, False
    ds = cho_solve(factor, mu / s - gradient, check_finite=False)
    dz = mu / s - z - z / s * ds
    length = min(1.0, TO_BOUNDARY * _room(s, ds), TO_BOUNDARY * _room(z, dz))
    before = _residual(s, gradient, s, z, mu)
    while length > 1e-8:
        new_s, new_z = s + length * ds, z + length * dz
        there = _evaluate(R, target, gamma, new_s)
        after = _residual(s, 0.5 * gamma * (1.0 - there.ratio), new_s, new_z, mu)
        if after <= (1 - 0.01 * length) * before:
            return new_s, new_z, there, True
        length /= 2
    return s, z, point, False


def _residual(unit: Array, gradient: Array, s: Array, z: Array, mu: float) -> float:
    """Size of the conditions ∇f = z, s∘z = μ, in units of the objective."""
    return float(np.linalg.norm(np.concatenate([unit * (gradient - z), s * z - mu])))


def _room(x: Array, dx: Array) -> float:
    """Largest t with x + t·dx ≥ 0."""
    shrinking = dx < 0
    return float(np.min(-x[shrinking] / dx[shrinking], initial=np.inf))
