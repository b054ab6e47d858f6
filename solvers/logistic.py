"""Ridge regression for the logistic loss: min_V Σ_i ℓ((HV)_i, y_i) + γ/2 ‖V‖², by Newton's method.

Outputs that differ by a multiple of 1 have the same loss, so at the optimum the rows of V have sum 0: V = B Eᵀ with E
(c, c − 1) orthonormal. Where there are more columns than rows, H = ΦQᵀ with Q (r, n) orthonormal makes them n.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.linalg as sl

from .loss import LOSS, softmax
from .network import Array

STEPS = 100  # of Newton's method, which needs about ten
ENOUGH = 1e-15  # squared Newton decrement, relative to the objective: the step that it is of ends in rounding
LARGE = 2000  # unknowns beyond which Newton's matrices take longer than L-BFGS

_LOGISTIC = LOSS["logistic"]


@dataclass(frozen=True)
class Ridge:
    """The optimum: V (r, c), outputs F and Θ (n, c), the objective, and what its second derivatives are made of.

    frame: Q (r, min(n, r)). factor: lower Cholesky factor of the Hessian by B in the coordinates of Φ = HQ and E, with
    outputs before features; None where L-BFGS found it.
    """

    V: Array
    F: Array
    theta: Array
    value: float
    frame: Array
    factor: Array | None


def fit_ridge(H: Array, Y: Array, gamma: float, start: Array | None = None) -> Ridge:
    """Solve the program.

    Args:
        H: features (n, r).
        Y: one-hot targets (n, c).
        gamma: γ > 0.
        start: V (r, c) to begin with; 0 if None.

    Returns:
        The optimum.
    """
    n, r = H.shape
    if r > n:
        frame, lower = np.linalg.qr(H.T)
        features = lower.T
    else:
        frame, features = np.eye(r), H
    E = mean_free(Y.shape[1])
    B = np.zeros((features.shape[1], E.shape[1])) if start is None else frame.T @ start @ E
    if B.size > LARGE:
        B, factor = _lbfgs(features, Y, gamma, B, E), None
    else:
        B, factor = _newton(features, Y, gamma, B, E)
    F = features @ B @ E.T
    value = _LOGISTIC.value(F, Y) + 0.5 * gamma * float(np.sum(B**2))
    return Ridge(frame @ B @ E.T, F, _LOGISTIC.slope(F, Y), value, frame, factor)


def mean_free(c: int) -> Array:
    """Orthonormal basis E (c, c − 1) of the vectors of sum 0."""
    return np.asarray(sl.qr(np.eye(c) - 1.0 / c, pivoting=True)[0][:, : c - 1])


def blocks(F: Array, E: Array) -> Array:
    """The Hessian blocks of the loss, diag(p) − ppᵀ, in the coordinates of E.

    Args:
        F: outputs (n, c).
        E: basis (c, c − 1).

    Returns:
        (n, c − 1, c − 1).
    """
    P = softmax(F)
    mean = P @ E
    return np.einsum("nc,ca,cb->nab", P, E, E, optimize=True) - mean[:, :, None] * mean[:, None, :]


def _newton(features: Array, Y: Array, gamma: float, B: Array, E: Array) -> tuple[Array, Array]:
    """The optimal B and the Cholesky factor of the Hessian there, or next to there."""
    value = _objective(features, Y, gamma, B, E)
    for _ in range(STEPS):
        F = features @ B @ E.T
        gradient = gamma * B - features.T @ _LOGISTIC.slope(F, Y) @ E
        factor = sl.cholesky(_hessian(features, gamma, blocks(F, E)), lower=True, check_finite=False)
        step = sl.cho_solve((factor, True), -gradient.T.ravel(), check_finite=False).reshape(E.shape[1], -1).T
        decrement = -float(np.sum(gradient * step))
        length = 1.0
        while length > 1e-8:
            there = _objective(features, Y, gamma, B + length * step, E)
            if there <= value - 0.1 * length * decrement * (decrement > 1e-12 * value):
                break
            length /= 2
        else:
            return B, factor
        B, value = B + length * step, there
        if decrement <= ENOUGH * value:
            break
    return B, factor


def _hessian(features: Array, gamma: float, W: Array) -> Array:
    """γI + Σ_i W_i ⊗ φ_i φ_iᵀ, outputs before features."""
    r, k = features.shape[1], W.shape[1]
    found = np.zeros((k * r, k * r))
    for a in range(k):
        for b in range(a + 1):
            found[a * r : (a + 1) * r, b * r : (b + 1) * r] = features.T @ (W[:, a, b, None] * features)
            found[b * r : (b + 1) * r, a * r : (a + 1) * r] = found[a * r : (a + 1) * r, b * r : (b + 1) * r].T
    found[np.diag_indices_from(found)] += gamma
    return found


def _objective(features: Array, Y: Array, gamma: float, B: Array, E: Array) -> float:
    return _LOGISTIC.value(features @ B @ E.T, Y) + 0.5 * gamma * float(np.sum(B**2))


def _lbfgs(features: Array, Y: Array, gamma: float, B: Array, E: Array) -> Array:
    from scipy.optimize import minimize  # late, as it takes a while

    def function(x: Array) -> tuple[float, Array]:
        at = x.reshape(B.shape)
        gradient = gamma * at - features.T @ _LOGISTIC.slope(features @ at @ E.T, Y) @ E
        return _objective(features, Y, gamma, at, E), gradient.ravel()

    options = {"maxiter": 5000, "maxfun": 10_000, "ftol": 1e-15, "gtol": 1e-10, "maxcor": 30}
    return np.asarray(minimize(function, B.ravel(), jac=True, method="L-BFGS-B", options=options).x).reshape(B.shape)
