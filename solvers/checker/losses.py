"""The last step of every check: from η with ‖Θᵀφ(Xu)‖ ≤ η‖u‖ for all u to the bound, Σ_i −ℓ*(−tθ_i) for t = γ/η.

For the logistic loss that is the entropy of the rows of Y − tΘ. It is finite only if these are probabilities, exactly:
the sum of a row of Θ must be 0 to the last digit, as no rounding of it could be made good.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from flint import arb
from numpy.typing import NDArray

from .arrays import CertificateError
from .balls import exact, floor, upper

Array = NDArray[np.float64]


def squares(theta: Array, Y: Array, gamma: float, largest: arb) -> float:
    """t⟨Θ, Y⟩ − ½t²‖Θ‖² rounded down, for a t ≤ 1 with t·`largest` ≤ γ; at least 0."""
    own, target = exact(theta.flat), exact(Y.flat)
    linear = sum((a * b for a, b in zip(own, target, strict=True)), arb(0))
    square = sum((a * a for a in own), arb(0))
    t = _share(gamma, largest)
    if square > 0:
        best = (linear / square).mid()  # beyond it the value falls again
        t = best if best < t else t
    if not t > 0:
        return 0.0
    return max(0.0, floor(t * linear - t * t * square / 2))


def logistic(theta: Array, Y: Array, gamma: float, largest: arb) -> float:
    """Σ_i H(y_i − tθ_i) rounded down, for a t ≤ 1 with t·`largest` ≤ γ.

    Raises:
        CertificateError: Y is not one-hot, or Y − Θ not row-stochastic.
    """
    if not (np.all((Y == 0) | (Y == 1)) and np.all(np.sum(Y, axis=1) == 1)):
        raise CertificateError("Y must be one-hot for the logistic loss. Got rows that are not.")
    if not np.all(theta <= Y):
        raise CertificateError("Y − Θ must be probabilities for the logistic loss. Got entries below 0.")
    if any(math.fsum(row) != 0.0 for row in theta):  # a sum that is rounded once is 0 only if it is 0
        raise CertificateError("Rows of Θ must sum to 0 exactly for the logistic loss. Got others.")
    t = _share(gamma, largest)
    if not t > 0:
        return 0.0
    wrong = [t * -x for x in exact(theta[(Y == 0) & (theta < 0)])]
    right = [1 - t * x for x in exact(theta[(Y == 1) & (theta < 1)])]
    return max(0.0, floor(sum((_term(p) for p in (*wrong, *right)), arb(0))))


def _term(p: arb) -> arb:
    """−p log p for a probability p; 0, which is not above it, where p may be 0."""
    return -p * p.log() if p > 0 else arb(0)


def _share(gamma: float, largest: arb) -> arb:
    """A t ≤ 1 with t·`largest` ≤ γ."""
    high = upper(largest)
    return (arb(gamma) / high).lower() if high > gamma else arb(1)


BOUNDS: dict[str, Callable[[Array, Array, float, arb], float]] = {"squares": squares, "logistic": logistic}
