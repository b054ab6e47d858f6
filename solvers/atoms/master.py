"""The program over finitely many directions: which of them, and how much of each.

For unit directions u_k with columns z_k = (Xu_k)₊ the training problem is the group lasso
min L(Σ z_k v_kᵀ) + γ Σ‖v_k‖. Writing γ‖v‖ = min_{s>0} γ/2 (‖v‖²/s + s) and minimising over v first leaves, for squares,

    min_{s ≥ 0}  f(s) = γ/2 [ tr Yᵀ(γI + Σ s_k z_k z_kᵀ)⁻¹Y + Σ s_k ],

the kernel view of the program (formulation: without v, the method is kernel learning): convex, smooth, one number a
direction, whatever the number of outputs. With Θ = γ(γI + K)⁻¹Y the gradient is γ/2 (1 − ‖Θᵀz_k‖²/γ²) and the
Hessian γ (ZᵀMZ) ∘ (ZᵀMYYᵀMZ), M = (γI + K)⁻¹. A primal–dual interior point method solves it: columns that are nearly
equal, of which column generation makes many, do not trouble it. The logistic loss has the same gradient; what else
there is to it is in entropic.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve, solve_triangular

from ..network import Array
from .entropic import Entropic, Point

TO_BOUNDARY = 0.99  # share of the way to the boundary of the cone that a step may go


@dataclass(frozen=True)
class Master:
    """Weights s (K,), the residual Θ (n, c) = Y − Σ z_k v_kᵀ, and the objective of the network that s stands for."""

    s: Array
    theta: Array
    value: float
    iterations: int


class View(Protocol):
    """The kernel view of one loss: f and what the method asks of it."""

    gamma: float

    def evaluate(self, s: Array) -> Point:
        """f and its gradient at weights s (K,)."""

    def hessian(self, s: Array, point: Any) -> Array:
        """The second derivatives of f at a point evaluated before (K, K)."""

    def gap(self, s: Array, point: Any) -> float:
        """f − D(tΘ) for the best t that keeps ‖tΘᵀz_k‖ ≤ γ."""

    def theta(self, s: Array) -> Array:
        """Θ (n, c)."""


def solve_master(
    Z: Array, Y: Array, gamma: float, s: Array, tol: float, loss: str = "squares", max_iter: int = 100
) -> Master:
    """Minimise f over s ≥ 0.

    Args:
        Z: columns (n, K).
        Y: targets (n, c).
        gamma: γ.
        s: the start (K,).
        tol: stops at a duality gap of tol·f.
        loss: which, as `Problem.loss`.
        max_iter: at most so many iterations.

    Returns:
        The best iterate.
    """
    view = _view(Z, Y, gamma, loss)
    s = _interior(s, Z, Y)
    point = view.evaluate(s)
    best, best_value, best_gap = s, point.f, np.inf
    z, iterations = None, 0
    while iterations < max_iter:
        gap = view.gap(s, point)
        if gap < best_gap:
            best, best_value, best_gap = s, point.f, gap
        if gap <= tol * point.f:
            break
        gradient = 0.5 * gamma * (1.0 - point.ratio)
        if z is None:
            mu = gap / len(s)
            z = np.maximum(gradient, mu / s)
        s, z, point, moved = _step(view, s, z, gradient, point)
        if not moved:
            break
        iterations += 1
    return Master(best, view.theta(best), best_value, iterations)


def objective(Z: Array, Y: Array, gamma: float, s: Array, loss: str = "squares") -> float:
    """Compute f(s), the objective of the network with these weights and the best outputs.

    Args:
        Z: columns (n, K).
        Y: targets (n, c).
        gamma: γ.
        s: weights (K,).
        loss: which, as `Problem.loss`.

    Returns:
        f(s).
    """
    return _view(Z, Y, gamma, loss).evaluate(s).f


def _view(Z: Array, Y: Array, gamma: float, loss: str) -> View:
    return Entropic(Z, Y, gamma) if loss == "logistic" else _Squares(Z, Y, gamma)


@dataclass(frozen=True)
class _SquaresPoint(Point):
    """P = ZᵀMY (K, c), W with WᵀW = ZᵀMZ; ratio = ‖P_k‖²."""

    P: Array
    W: Array


class _Squares:
    """The view for ½‖F − Y‖²; the part of Y out of reach of the columns stays in Θ."""

    def __init__(self, Z: Array, Y: Array, gamma: float) -> None:
        self.gamma = gamma
        tall = len(Z) > Z.shape[1]
        found: tuple[Array, Array] = np.linalg.qr(Z) if tall else (np.eye(len(Z)), Z)
        self.Q, self.R = found
        self.target = self.Q.T @ Y
        self.rest = Y - self.Q @ self.target
        self.constant = 0.5 * float(np.sum(self.rest**2))

    def evaluate(self, s: Array) -> _SquaresPoint:
        """f and its gradient at weights s (K,)."""
        L = np.linalg.cholesky(self._kernel(s))
        T = solve_triangular(L, self.target, lower=True, check_finite=False)
        W = solve_triangular(L, self.R, lower=True, check_finite=False)
        P = W.T @ T
        f = 0.5 * self.gamma * float(np.sum(T**2) + np.sum(s))
        return _SquaresPoint(f + self.constant, np.einsum("kc,kc->k", P, P), P, W)

    def hessian(self, s: Array, point: _SquaresPoint) -> Array:
        """The second derivatives of f (K, K)."""
        return self.gamma * (point.W.T @ point.W) * (point.P @ point.P.T)

    def gap(self, s: Array, point: Point) -> float:
        """f − D(tΘ) for the best t that keeps ‖tΘᵀz_k‖ ≤ γ.

        With Θ = γMY: ⟨Θ, Y⟩ = 2f − γΣs and ½‖Θ‖² = f − γ/2 Σ s_k (1 + ‖Θᵀz_k‖²/γ²), so nothing of size n is formed.
        """
        mass = self.gamma * float(np.sum(s))
        linear = 2 * point.f - mass
        half_square = point.f - 0.5 * (mass + self.gamma * float(s @ point.ratio))
        worst = float(np.sqrt(np.max(point.ratio)))
        t = min(1.0 / worst if worst > 0 else 1.0, 0.5 * linear / half_square)
        return point.f - (t * linear - t**2 * half_square)

    def theta(self, s: Array) -> Array:
        """Θ (n, c)."""
        factor = cho_factor(self._kernel(s), lower=True)
        return self.rest + self.Q @ (self.gamma * cho_solve(factor, self.target))

    def _kernel(self, s: Array) -> Array:
        return (self.R * s) @ self.R.T + self.gamma * np.eye(len(self.R))


def _interior(s: Array, Z: Array, Y: Array) -> Array:
    """A start with every weight positive; from nothing, the weights are those at which K matches ‖Y‖ in size."""
    total = float(np.sum(s))
    if total <= 0:
        total = float(np.linalg.norm(Y)) / max(float(np.sqrt(np.mean(np.sum(Z**2, axis=0)))), 1e-300)
    return np.maximum(s, 1e-2 * total / len(s))


def _step(view: View, s: Array, z: Array, gradient: Array, point: Point) -> tuple[Array, Array, Point, bool]:
    """One primal–dual Newton step towards s∘z = μ/10 on average, halved until the barrier function does not grow."""
    missing = float(np.sum(np.abs(s * (gradient - z))))
    mu = min(1.0, 0.1 + missing / float(s @ z)) * float(s @ z) / len(s)
    try:
        factor = cho_factor(view.hessian(s, point) + np.diag(z / s), lower=True, check_finite=False)
    except LinAlgError:
        return s, z, point, False
    ds = cho_solve(factor, mu / s - gradient, check_finite=False)
    dz = mu / s - z - z / s * ds
    length = min(1.0, TO_BOUNDARY * _room(s, ds), TO_BOUNDARY * _room(z, dz))
    before = _residual(s, gradient, s, z, mu)
    while length > 1e-8:
        new_s, new_z = s + length * ds, z + length * dz
        there = view.evaluate(new_s)
        after = _residual(s, 0.5 * view.gamma * (1.0 - there.ratio), new_s, new_z, mu)
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
