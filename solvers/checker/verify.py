"""The door of the checker: what lower bound do a certificate's arrays prove for this data and γ?"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from flint import arb
from numpy.typing import NDArray

from . import arcs, cover, regions
from .arrays import CertificateError, NotChecked, Slopes, real
from .balls import NotProved, precision
from .losses import BOUNDS

Array = NDArray[np.float64]

# Each returns a number η with ‖Θᵀφ(Xu)‖ ≤ η‖u‖ for all u, or raises NotProved.
KINDS: dict[str, Callable[[Array, Array, float, Any, Slopes], arb]] = {
    "doubly nonnegative": regions.whole_space,
    "cells": regions.largest,
    "arcs": arcs.largest,
    "cover": cover.largest,
}


def verify(certificate: Any, X: Any, Y: Any, gamma: float, activation: str = "relu", loss: str = "squares") -> float:
    """The lower bound on p*(∞) that a certificate's arrays prove; 0, which is always one, if they prove nothing.

    Args:
        certificate: what it says of itself in `lower_bound` plays no part; `kind`, `theta` and `proof` do.
        X: training rows (n, d), float64.
        Y: targets (n, c), float64.
        gamma: regularisation strength γ > 0.
        activation: φ, what neurons make of their inputs.
        loss: what is minimised beside the penalty.

    Returns:
        A proved lower bound on min ½‖φ(XU)V − Y‖² + γ/2 (‖U‖² + ‖V‖²) over networks of any width.

    Raises:
        CertificateError: arrays that cannot be a certificate for this data: the text says why.
        NotChecked: the check would take more work than the limit allows.

    Source: weak duality of the training problem, docs/bounds.md.
    """
    X, Y, theta = real(X, "X", 2), real(Y, "Y", 2), real(certificate.theta, "Θ", 2)
    if len(X) != len(Y) or 0 in X.shape or 0 in Y.shape:
        raise CertificateError(f"X and Y must have the same rows, at least one. Got shapes {X.shape} and {Y.shape}.")
    if theta.shape != Y.shape:
        raise CertificateError(f"Θ must have the shape of Y, {Y.shape}. Got {theta.shape} instead.")
    gamma = float(gamma)
    if not (math.isfinite(gamma) and gamma > 0):
        raise CertificateError(f"γ must be a finite number > 0. Got {gamma!r} instead.")
    if loss not in BOUNDS:
        raise NotChecked(f"loss must be {' or '.join(BOUNDS)} to be checked. Got {str(loss)[:80]!r} instead.")
    slopes = _slopes(activation)
    kind = certificate.kind
    if not isinstance(kind, str) or kind not in KINDS:
        raise CertificateError(f"kind must be one of {', '.join(KINDS)}. Got {str(kind)[:80]!r} instead.")
    with precision(), np.errstate(all="ignore"):  # doubles that overflow are guesses of what to prove, and fail there
        try:
            return BOUNDS[loss](theta, Y, gamma, KINDS[kind](theta, X, gamma, certificate.proof, slopes))
        except (NotProved, OverflowError, ZeroDivisionError, np.linalg.LinAlgError):
            return 0.0


def _slopes(activation: Any) -> Slopes:
    """(a, b) of φ(t) = a t₊ + b (−t)₊; raises CertificateError for a name that is none of ours."""
    name, _, number = str(activation).partition(":")
    try:
        below = float(number) if name == "leaky" else {"relu": 0.0, "abs": -1.0, "identity": 1.0}[str(activation)]
    except (KeyError, ValueError):
        below = math.nan
    if not -1 <= below <= 1:
        raise CertificateError(
            f"activation must be relu, leaky:κ, abs or identity. Got {str(activation)[:80]!r} instead."
        )
    return 1.0, -below
