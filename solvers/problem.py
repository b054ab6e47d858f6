"""The training problem: its data, its objective with the gradient, and the scaling in which tolerances mean something.

    p*(m) = min_{U, V}  ½‖(XU)₊V − Y‖_F² + γ/2 (‖U‖_F² + ‖V‖_F²)          (arXiv 2410.22311, eq. 1)

or with another activation φ (activation.py) in place of (·)₊. There is no bias: a bias is a column of ones in X. p*(∞)
is the limit for growing width m, which is also the value of the completely positive program.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import short, shown, unknown
from .activation import RELU, Activation
from .loss import LOSS
from .network import Array, Network, ProblemError
from .tables import numbers, targets

LOSSES = tuple(LOSS)  # ½‖F − Y‖², or the cross-entropy of F's softmax, which a method has to support


class Problem:
    """Training data with a regularisation strength, validated, that no method can change.

    X and Y become C-contiguous float64 copies that cannot be written to.

    Args:
        X: numbers (n, d): an array, nested sequences, or a DataFrame of numeric columns.
        Y: targets: numbers (n, c), or (n,) for a single output; or labels (n,), which become a column of 0 and 1 for
            each class, in the order of `classes`. Text, booleans and categories (a categorical Series) are labels.
            Integers are numbers, not labels: classes that are numbered are given as text or categories.
        gamma: regularisation strength γ > 0.
        activation: what neurons make of their inputs: `relu`; `leaky:κ`, with slope −1 < κ < 1 below 0; `abs`; or
            `identity`, for linear networks.
        loss: `squares`, or `logistic`, the softmax cross-entropy Σ_i log Σ_j exp f_ij − ⟨F, Y⟩ in place of
            ½‖F − Y‖²: for one-hot targets of two classes or more.

    Raises:
        ActivationError: text that names no activation.
        ProblemError: anything else: no rows, text among numbers, missing values, infinities, shapes that disagree,
            γ ≤ 0; the text names the row and the column.

    Example:
        >>> from relaxbench import Problem
        >>> problem = Problem([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], ["no", "yes", "yes"], gamma=0.1)
        >>> problem
        Problem(n = 3, d = 2, c = 2, γ = 0.1, classes 'no', 'yes')
        >>> problem.Y[0]
        array([1., 0.])
    """

    def __init__(
        self,
        X: ArrayLike,
        Y: ArrayLike,
        gamma: float,
        activation: Activation | str = RELU,
        loss: str = LOSSES[0],
    ) -> None:
        self._activation, self._loss = Activation.of(activation), loss
        if loss not in LOSSES:
            raise ProblemError(unknown("loss", loss, LOSSES))
        self._X = _frozen(numbers(X, "X"))
        given, self._classes = targets(Y)
        self._Y = _frozen(given)
        if len(self.X) != len(self.Y):
            raise ProblemError(
                f"X and Y must have the same number of rows. Got {len(self.X)} and {len(self.Y)} instead."
            )
        if loss == "logistic":
            _check_one_hot(self.Y)
        try:
            if np.iscomplexobj(gamma):
                raise TypeError
            self._gamma = float(gamma)
        except (TypeError, ValueError, OverflowError):
            raise ProblemError(f"gamma must be a number > 0. Got {gamma!r} instead.") from None
        if not (np.isfinite(self.gamma) and self.gamma > 0):
            raise ProblemError(f"gamma must be a finite number > 0. Got {gamma!r} instead.")

    def __reduce__(self) -> tuple[type[Problem], tuple[Any, ...], dict[str, Any]]:
        """Pickled and copied by its data, as arrays could be written to afterwards."""
        return Problem, (self.X, self.Y, self.gamma, self.activation, self.loss), {"_classes": self._classes}

    def __repr__(self) -> str:
        sizes = f"n = {self.n}, d = {self.d}, c = {self.c}, γ = {self.gamma:g}"
        sizes += "" if self.activation == RELU else f", activation = {self.activation}"
        sizes += "" if self.loss == LOSSES[0] else f", loss = {self.loss}"
        return f"Problem({sizes}{self._named()})"

    def _named(self) -> str:
        """The classes, as many as fit."""
        if self._classes is None:
            return ""
        return ", classes " + short(", ".join(shown(each, 30) for each in self._classes))

    @property
    def X(self) -> Array:
        """Training rows (n, d)."""
        return self._X

    @property
    def Y(self) -> Array:
        """Targets (n, c)."""
        return self._Y

    @property
    def gamma(self) -> float:
        """Regularisation strength γ."""
        return self._gamma

    @property
    def activation(self) -> Activation:
        """φ, what neurons make of their inputs."""
        return self._activation

    @property
    def loss(self) -> str:
        """Which of LOSSES is minimised."""
        return self._loss

    @property
    def classes(self) -> NDArray[Any] | None:
        """The classes (c,), column by column of Y, where the targets were given as labels; else None."""
        return None if self._classes is None else np.array(self._classes)

    @property
    def n(self) -> int:
        """Number of training rows."""
        return int(self.X.shape[0])

    @property
    def d(self) -> int:
        """Number of features."""
        return int(self.X.shape[1])

    @property
    def c(self) -> int:
        """Number of outputs."""
        return int(self.Y.shape[1])

    @property
    def parts(self) -> tuple[Array, Array, float, str, str]:
        """X, Y, γ, and activation and loss as text: what says all of it in plain values."""
        return self.X, self.Y, self.gamma, str(self.activation), self.loss

    def on(self, X: ArrayLike, Y: ArrayLike, gamma: float | None = None) -> Problem:
        """The problem on other data: the same activation and loss.

        Args:
            X: numbers (k, e).
            Y: targets (k, f).
            gamma: γ; None for the same.

        Returns:
            The problem.
        """
        return Problem(X, Y, self.gamma if gamma is None else gamma, self.activation, self.loss)

    def hidden(self, U: Array) -> Array:
        """What neurons make of the training rows.

        Args:
            U: input weights (d, m).

        Returns:
            φ(XU) (n, m).
        """
        return self.activation(self.X @ U)

    def network(self, U: Array, V: Array) -> Network:
        """A network with the problem's activation.

        Args:
            U: input weights (d, m).
            V: output weights (m, c).

        Returns:
            The network.
        """
        return Network(U, V, self.activation)

    def objective(self, network: Network) -> float:
        """The training objective L(φ(XU)V) + γ/2 (‖U‖_F² + ‖V‖_F²), L(F) = ½‖F − Y‖_F² unless the loss is another.

        Args:
            network: U (d, m) and V (m, c).

        Returns:
            The objective, an upper bound on p*(∞) for any network.

        Raises:
            ProblemError: a network for other data.
        """
        self._check(network)
        return self._value(network, network.predict(self.X))

    def objective_and_gradient(self, network: Network) -> tuple[float, Network]:
        """The training objective and its gradient, with the activation's slope from the left at 0.

        Args:
            network: U (d, m) and V (m, c).

        Returns:
            The objective, and its derivatives by U and V in a Network.

        Raises:
            ProblemError: a network for other data.
        """
        self._check(network)
        Z = self.X @ network.U
        H = self.activation(Z)
        F = H @ network.V
        R = -LOSS[self.loss].slope(F, self.Y)
        by_U = self.X.T @ ((R @ network.V.T) * self.activation.slope(Z)) + self.gamma * network.U
        return self._value(network, F), Network(by_U, H.T @ R + self.gamma * network.V)

    def _value(self, network: Network, F: Array) -> float:
        penalty = np.sum(network.U**2) + np.sum(network.V**2)
        return float(LOSS[self.loss].value(F, self.Y) + 0.5 * self.gamma * penalty)

    def _check(self, network: Network) -> None:
        if network.U.shape[0] != self.d or network.V.shape[1] != self.c:
            raise ProblemError(
                f"The network must map {self.d} features to {self.c} outputs. "
                f"Got U {network.U.shape} and V {network.V.shape} instead."
            )
        if network.activation != self.activation:
            raise ProblemError(
                f"The network must have the problem's activation {self.activation}. Got {network.activation} instead: "
                "make it by Network(U, V, activation), or problem.network(U, V)."
            )

    @cached_property
    def scaled(self) -> ScaledProblem:
        """The same problem at ‖X‖_F² = n and ‖Y‖_F² = nc, where tolerances mean something; κ = 1 for one-hot targets
        of the logistic loss, which have no unit.
        """
        sigma = _scale(self.X, self.n)
        kappa = 1.0 if self.loss == "logistic" else _scale(self.Y, self.n * self.c)
        return ScaledProblem(self.on(self.X / sigma, self.Y / kappa, self.gamma / kappa / sigma), sigma, kappa)


@dataclass(frozen=True)
class ScaledProblem:
    """`problem` has X/σ, Y/κ and γ/(κσ); its objective is the original one divided by κ²."""

    problem: Problem
    sigma: float
    kappa: float

    @property
    def objective_unit(self) -> float:
        """Multiply an objective of the scaled problem by this, κ², to get the original one."""
        return self.kappa**2

    def network_back(self, network: Network) -> Network:
        """A network of the scaled problem in the original one: both layers times √(κ/σ).

        Args:
            network: of the scaled problem.

        Returns:
            The original problem's network.
        """
        factor = np.sqrt(self.kappa / self.sigma)
        return replace(network, U=network.U * factor, V=network.V * factor)

    def network_scaled(self, network: Network) -> Network:
        """A network of the original problem in the scaled one, the inverse of `network_back`.

        Args:
            network: of the original problem.

        Returns:
            The scaled problem's network.
        """
        factor = np.sqrt(self.sigma / self.kappa)
        return replace(network, U=network.U * factor, V=network.V * factor)


def _check_one_hot(Y: Array) -> None:
    """Raise ProblemError unless every row is 1 in one of several columns and else 0."""
    if Y.shape[1] < 2:
        raise ProblemError("Y must have a column for each of two classes or more for loss logistic. Got 1 class.")
    bad = np.flatnonzero(np.any((Y != 0) & (Y != 1), axis=1) | (np.sum(Y, axis=1) != 1))
    if bad.size:
        raise ProblemError(
            f"Y must be labels, or one-hot, for loss logistic. Got {Y[bad[0], :10].tolist()} in row {bad[0]} instead."
        )


def _scale(A: Array, count: int) -> float:
    """‖A‖_F/√count without overflow, and 1 for a zero matrix."""
    largest = float(np.max(np.abs(A)))
    if largest == 0.0:
        return 1.0
    return largest * float(np.linalg.norm(A / largest)) / float(np.sqrt(count))


def _frozen(array: Array) -> Array:
    """A C-contiguous copy that cannot be written to."""
    return np.frombuffer(array.tobytes(), np.float64).reshape(array.shape)  # bytes can never be made writeable
