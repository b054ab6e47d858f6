"""What neurons make of their inputs: any function with one kink, φ(t) = a t₊ + b t₋ with t₋ = (−t)₊.

    relu (1, 0)      leaky:κ (1, −κ)      abs (1, 1)      identity (1, −1)

All the theory of ReLU networks holds for these as it stands: a neuron still has α = (Xu)₊ and β = (−Xu)₊, and only what
the loss reads changes, from α to aα + bβ. As φ(rt) = rφ(t) for r > 0, the penalty still is a group lasso.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import RelaxbenchError, shown

Array = NDArray[np.float64]

KINDS = ("relu", "leaky", "abs", "identity")
RULE = "activation must be relu, leaky:κ with −1 < κ < 1, abs or identity"


class ActivationError(RelaxbenchError):
    """Text that names no activation; it names the value and the fix."""


@dataclass(frozen=True)
class Activation:
    """φ(t) = a t₊ + b t₋, with t₋ = (−t)₊. As text it is what `Activation.of` reads.

    Example:
        >>> from relaxbench import Problem
        >>> Problem([[1.0], [2.0]], [[1.0], [0.0]], gamma=0.1, activation="leaky:0.1").activation
        Activation(a=1.0, b=-0.1)
    """

    a: float = 1.0
    b: float = 0.0

    @classmethod
    def of(cls, value: Activation | str) -> Activation:
        """The activation of that name.

        Args:
            value: `relu`, `leaky:κ`, `abs` or `identity`; an activation is taken as it is. leaky:0, leaky:1 and
                leaky:-1 are relu, identity and abs.

        Returns:
            The activation.

        Raises:
            ActivationError: anything else.
        """
        if isinstance(value, str):
            return NAMED[value] if value in NAMED else cls(1.0, -_slope(value))
        if not isinstance(value, Activation) or value.a != 1 or not -1 <= value.b <= 1:
            raise ActivationError(f"{RULE}. Got {shown(value, 60)} instead.")
        return value

    def __str__(self) -> str:
        names = {activation: name for name, activation in NAMED.items()}
        return names.get(self) or f"leaky:{self.below!r}"

    @property
    def below(self) -> float:
        """The slope below 0."""
        return 0.0 - self.b

    @property
    def kind(self) -> str:
        """Which of KINDS it is."""
        return str(self).partition(":")[0]

    def __call__(self, t: Array) -> Array:
        """φ entry by entry.

        Args:
            t: of any shape.

        Returns:
            φ(t).
        """
        up = np.maximum(t, 0.0)
        return up if self == RELU else self.a * up + self.b * np.maximum(-t, 0.0)

    def slope(self, t: Array) -> Array:
        """φ' entry by entry, that from the left at 0.

        Args:
            t: of any shape.

        Returns:
            a where t > 0, else −b.
        """
        return np.where(t > 0, self.a, self.below)

    def kinked(self, theta: Array, X: Array) -> tuple[Array, Array]:
        """Θᵀφ(Xu) as a ReLU part and a linear part, since φ(t) = (a + b) t₊ − b t.

        Args:
            theta: Θ (n, c).
            X: rows (n, d).

        Returns:
            Θ' (n, c) and L (c, d) with Θᵀφ(Xu) = Θ'ᵀ(Xu)₊ + Lu.
        """
        return (self.a + self.b) * theta, self.below * (theta.T @ X)


def _slope(text: str) -> float:
    """κ of leaky:κ."""
    name, _, number = text.partition(":")
    try:
        κ = float(number) if name == "leaky" else np.nan
    except ValueError:
        κ = np.nan
    if not -1 <= κ <= 1:
        raise ActivationError(f"{RULE}. Got {shown(text, 60)} instead.")
    return κ


NAMED = {"relu": Activation(), "abs": Activation(1.0, 1.0), "identity": Activation(1.0, -1.0)}
RELU = NAMED["relu"]
