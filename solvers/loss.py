"""The two losses: what they cost, their slope Θ, and their part of the dual, Σ_i −ℓ*(−θ_i), rounded down where asked.

    squares    ½‖F − Y‖²                                  Θ = Y − F     dual ⟨Θ, Y⟩ − ½‖Θ‖²
    logistic   Σ_i log Σ_j exp f_ij − ⟨F, Y⟩, Y one-hot   Θ = Y − P     dual Σ_i H(p_i), P = Y − Θ row-stochastic

P = softmax(F) has rows of sum 1, and H is the entropy. Both duals are concave in t along tΘ; for the logistic loss
Y − tΘ = (1 − t)Y + tP stays row-stochastic, so that any Θ is made feasible by making it smaller.
"""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

EPS = float(np.finfo(np.float64).eps)
TERM = 64 * EPS  # relative error of one −p log p in float64: far above what logarithms of any library have
HALVINGS = 60  # of an interval in t: to the last digits
DIGITS = 52  # of the grid on which a row of Θ is stored


class Loss(Protocol):
    """What the methods ask of a loss. F, Y and Θ are (n, c)."""

    def value(self, F: Array, Y: Array) -> float:
        """Σ_i ℓ(f_i, y_i)."""

    def slope(self, F: Array, Y: Array) -> Array:
        """Θ, minus the gradient by F."""

    def dual(self, theta: Array, Y: Array) -> float:
        """Σ_i −ℓ*(−θ_i), −inf where it is not finite."""

    def step(self, theta: Array, Y: Array, limit: float) -> float:
        """The t in [0, limit] for which the dual of tΘ is largest."""

    def admissible(self, theta: Array, Y: Array) -> Array:
        """The nearest Θ at which the dual is finite, exactly so in the arithmetic of float64."""

    def below(self, theta: Array, Y: Array) -> float:
        """A number at or below the dual of an admissible Θ, in spite of rounding."""


class Squares:
    """½‖F − Y‖²."""

    def value(self, F: Array, Y: Array) -> float:
        """½‖F − Y‖²."""
        return 0.5 * float(np.sum((F - Y) ** 2))

    def slope(self, F: Array, Y: Array) -> Array:
        """Y − F."""
        return Y - F

    def dual(self, theta: Array, Y: Array) -> float:
        """⟨Θ, Y⟩ − ½‖Θ‖²."""
        return float(np.sum(theta * Y) - 0.5 * np.sum(theta**2))

    def step(self, theta: Array, Y: Array, limit: float) -> float:
        """⟨Θ, Y⟩/‖Θ‖² where the limit allows it."""
        linear, square = float(np.sum(theta * Y)), float(np.sum(theta**2))
        return max(min(limit, linear / square if square > 0 else 0.0), 0.0)

    def admissible(self, theta: Array, Y: Array) -> Array:
        """Θ itself."""
        return theta

    def below(self, theta: Array, Y: Array) -> float:
        """⟨Θ, Y⟩ − ½‖Θ‖² less all that rounding may have added to it."""
        terms = theta * Y
        size = float(np.sum(np.abs(terms)) + np.sum(theta**2))
        return float(np.sum(terms) - 0.5 * np.sum(theta**2)) - (theta.size + 8) * 2.0**-53 * size


class Logistic:
    """Softmax cross-entropy Σ_i log Σ_j exp f_ij − ⟨F, Y⟩, for one-hot Y."""

    def value(self, F: Array, Y: Array) -> float:
        """Σ_i log Σ_j exp(f_ij − f_iy), y the class of row i."""
        margins = F - np.sum(F * Y, axis=1, keepdims=True)
        top = np.max(margins, axis=1)  # ≥ 0, and 0 where the class's output is the largest
        rest = np.exp(margins - top[:, None])
        # log1p of what the others add, so that no small loss is lost beside 1.
        others = np.sum(rest * (1 - Y), axis=1)
        right = np.where(top > 0, top + np.log(np.sum(rest, axis=1)), np.log1p(others))
        return float(np.sum(right))

    def slope(self, F: Array, Y: Array) -> Array:
        """Y − softmax(F); the entry of a row's class is the sum of the others, not 1 less a number near 1."""
        others = softmax(F) * (1 - Y)
        return Y * np.sum(others, axis=1, keepdims=True) - others

    def dual(self, theta: Array, Y: Array) -> float:
        """Σ_i H(y_i − θ_i)."""
        if np.any(theta > Y):
            return -math.inf
        return float(np.sum(entropies(theta, Y)))

    def step(self, theta: Array, Y: Array, limit: float) -> float:
        """Where Σ_i H(y_i − tθ_i) is largest: its slope in t, ⟨Θ, log(Y − tΘ)⟩, falls."""
        high = min(limit, 1.0 / max(float(np.max(theta, initial=0.0)), 1e-300))
        if high <= 0 or not np.any(theta):
            return 0.0

        def rising(t: float) -> bool:
            with np.errstate(divide="ignore", invalid="ignore"):
                logs = np.where(Y > 0, np.log1p(-t * theta), np.log(np.maximum(-t * theta, 0.0)))
                return bool(np.sum(np.where(theta != 0, theta * logs, 0.0)) >= 0)

        if rising(high):
            return high
        low = 0.0
        for _ in range(HALVINGS):
            middle = 0.5 * (low + high)
            low, high = (middle, high) if rising(middle) else (low, middle)
        return low

    def admissible(self, theta: Array, Y: Array) -> Array:
        """Rows of sum 0, exactly, with Y − Θ ≥ 0: the entries of a row are multiples of one power of two."""
        c = Y.shape[1]
        others = np.maximum(-theta, 0.0) * (1 - Y)
        total = np.sum(others, axis=1, keepdims=True)
        others = others / np.maximum(total * (1 + c * EPS), 1.0)
        unit = np.ldexp(1.0, np.maximum(np.frexp(np.minimum(total, 1.0))[1], -900) - DIGITS)
        others = np.floor(others / unit) * unit
        return Y * np.sum(others, axis=1, keepdims=True) - others

    def below(self, theta: Array, Y: Array) -> float:
        """Σ_i H(y_i − θ_i), less the error of each term and of the sum."""
        return max(0.0, math.fsum(entropies(theta, Y).ravel()) * (1 - TERM))


def entropies(theta: Array, Y: Array) -> Array:
    """The terms −p log p, p = Y − Θ, each to a relative error below TERM.

    Args:
        theta: Θ (n, c), at most Y.
        Y: one-hot (n, c).

    Returns:
        Terms (n, c), 0 for p = 0.
    """
    p = Y - theta
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.where(Y > 0, np.log1p(-theta), np.log(-theta))
        return np.where(p > 0, -p * logs, 0.0)


def softmax(F: Array) -> Array:
    """Probabilities: exp F over its row sums.

    Args:
        F: outputs (n, c).

    Returns:
        (n, c).
    """
    powers = np.exp(F - np.max(F, axis=1, keepdims=True))
    return np.asarray(powers / np.sum(powers, axis=1, keepdims=True))


LOSS: dict[str, Loss] = {"squares": Squares(), "logistic": Logistic()}
