"""The kernel view of the logistic loss, for the master program.

    f(s) = min_V Σ_i ℓ((ZS^½V)_i, y_i) + γ/2 (‖V‖² + Σ s_k) = max_Θ Σ_i H(y_i − θ_i) − 1/(2γ) Σ s_k‖Θᵀz_k‖² + γ/2 Σ s_k

As a maximum of functions that are linear in s it is convex, with gradient γ/2 (1 − ‖Θᵀz_k‖²/γ²) as for squares. With C
the Hessian of the loss by V, its own Hessian is 1/γ Dᵀ(I − γ(C + γI)⁻¹)D, column k of D being w_k/√s_k, w_k = Θᵀz_k,
at the place of feature k.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular

from ..logistic import Ridge, fit_ridge, mean_free
from ..loss import LOSS
from ..network import Array


@dataclass(frozen=True)
class Point:
    """f and ‖Θᵀz_k‖²/γ² (K,) at some s."""

    f: float
    ratio: Array


@dataclass(frozen=True)
class EntropicPoint(Point):
    """The ridge regression behind it, and w_k = Θᵀz_k as rows (K, c)."""

    ridge: Ridge
    w: Array


class Entropic:
    """The view for Σ_i log Σ_j exp f_ij − ⟨F, Y⟩."""

    def __init__(self, Z: Array, Y: Array, gamma: float) -> None:
        self.Z, self.Y, self.gamma = Z, Y, gamma
        self._theta = LOSS["logistic"].slope(np.zeros_like(Y), Y)
        self._E = mean_free(Y.shape[1])

    def evaluate(self, s: Array) -> EntropicPoint:
        """f and its gradient at weights s (K,)."""
        ridge = self._ridge(s)
        w = self.Z.T @ ridge.theta
        f = ridge.value + 0.5 * self.gamma * float(np.sum(s))
        self._theta = ridge.theta
        return EntropicPoint(f, np.einsum("kc,kc->k", w, w) / self.gamma**2, ridge, w)

    def hessian(self, s: Array, point: EntropicPoint) -> Array:
        """The second derivatives of f at a point evaluated before (K, K)."""
        w = point.w @ self._E / np.sqrt(s)[:, None]
        outer = (point.ridge.frame @ point.ridge.frame.T) * (w @ w.T)
        if point.ridge.factor is None:
            return outer / self.gamma  # above it, so that steps are short
        D = np.einsum("kr,ka->ark", point.ridge.frame, w).reshape(len(point.ridge.factor), -1)
        half = solve_triangular(point.ridge.factor, D, lower=True, check_finite=False)
        return np.asarray(outer / self.gamma - half.T @ half)

    def gap(self, s: Array, point: EntropicPoint) -> float:
        """f − D(tΘ) for the best t that keeps ‖tΘᵀz_k‖ ≤ γ."""
        worst = float(np.sqrt(np.max(point.ratio)))
        loss, theta = LOSS["logistic"], point.ridge.theta
        t = loss.step(theta, self.Y, 1.0 / worst if worst > 0 else np.inf)
        return point.f - loss.dual(t * theta, self.Y)

    def theta(self, s: Array) -> Array:
        """Θ (n, c)."""
        return self._ridge(s).theta

    def _ridge(self, s: Array) -> Ridge:
        """The best outputs, from those that the last Θ gives."""
        root = np.sqrt(s)
        return fit_ridge(self.Z * root, self.Y, self.gamma, root[:, None] * (self.Z.T @ self._theta) / self.gamma)
