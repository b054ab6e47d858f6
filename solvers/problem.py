"""The training problem, a network for it, and what every method returns.

    p*(m) = min_{U, V}  ½‖(XU)₊V − Y‖_F² + γ/2 (‖U‖_F² + ‖V‖_F²)          (arXiv 2410.22311, eq. 1)

There is no bias: a bias is a column of ones in X. p*(∞) is the limit for growing width m, which is
also the value of the completely positive program.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import RelaxbenchError

if TYPE_CHECKING:
    from .certificates.certificate import Certificate

Array = NDArray[np.float64]


class ProblemError(RelaxbenchError):
    """Data or γ from which no training problem can be made; the text names the value and the mend."""


@dataclass(frozen=True)
class Network:
    """Two-layer ReLU network x ↦ (xᵀU)₊V with U (d, m) and V (m, c).

    Both become float64, whatever real numbers they are given as. NaN and infinities are let in: a method may diverge.
    """

    U: Array
    V: Array

    def __post_init__(self) -> None:
        object.__setattr__(self, "U", _real(self.U, "U"))
        object.__setattr__(self, "V", _real(self.V, "V"))
        if self.U.ndim != 2 or self.V.ndim != 2 or self.U.shape[1] != self.V.shape[0]:
            raise ProblemError(f"U must be (d, m) and V (m, c). Got {self.U.shape} and {self.V.shape} instead.")

    @property
    def width(self) -> int:
        """Number of neurons m."""
        return int(self.U.shape[1])

    def predict(self, X: Array) -> Array:
        """Outputs (k, c) for the rows of X (k, d)."""
        return np.maximum(X @ self.U, 0.0) @ self.V


@dataclass(frozen=True)
class TraceRow:
    """One line of a method's progress; what does not apply is None."""

    seconds: float
    iteration: int
    value: float | None = None
    bound: float | None = None
    residual: float | None = None


@dataclass(frozen=True)
class Fit:
    """What any method returns.

    predict: (k, d) array → scores (k, c). value: the solver's own objective, believed by nobody.
    status: `ok` (what was asked for is reached), `timeout`, `stalled` or `iteration_limit` (the time limit, a lack of
    progress or the number of iterations ended the work before; what is here is the best so far), `diverged` or
    `unsupported`. iterates: networks met on the way, for the protocol `paper` alone.
    info: plain numbers and strings; `solve_s`, `round_s` and `iterations` become columns of the results.
    """

    predict: Callable[[Array], Array]
    network: Network | None = None
    bound: Certificate | None = None
    value: float | None = None
    trace: Sequence[TraceRow] = ()
    info: Mapping[str, float | int | str] = field(default_factory=dict)
    status: str = "ok"
    message: str = ""
    iterates: Sequence[Network] = ()


class Problem:
    """Training data with a regularisation strength, validated, that no method can change.

    X (n, d) and Y (n, c) become C-contiguous float64 copies that cannot be written to; γ is a float > 0.
    Raises ProblemError for anything else: no rows, complex numbers, NaN, infinities, shapes that disagree, γ ≤ 0.
    """

    def __init__(self, X: ArrayLike, Y: ArrayLike, gamma: float) -> None:
        self._X = _matrix(X, "X")
        self._Y = _matrix(Y, "Y")
        if len(self.X) != len(self.Y):
            raise ProblemError(
                f"X and Y must have the same number of rows. Got {len(self.X)} and {len(self.Y)} instead."
            )
        try:
            if np.iscomplexobj(gamma):
                raise TypeError
            self._gamma = float(gamma)
        except (TypeError, ValueError, OverflowError):
            raise ProblemError(f"gamma must be a number > 0. Got {gamma!r} instead.") from None
        if not (np.isfinite(self.gamma) and self.gamma > 0):
            raise ProblemError(f"gamma must be a finite number > 0. Got {gamma!r} instead.")

    def __reduce__(self) -> tuple[type[Problem], tuple[Array, Array, float]]:
        """Pickled and copied by its data, as arrays could be written to afterwards."""
        return Problem, (self.X, self.Y, self.gamma)

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

    def objective(self, network: Network) -> float:
        """½‖(XU)₊V − Y‖_F² + γ/2 (‖U‖_F² + ‖V‖_F²), an upper bound on p*(∞) for any network."""
        if network.U.shape[0] != self.d or network.V.shape[1] != self.c:
            raise ProblemError(
                f"The network must map {self.d} features to {self.c} outputs. "
                f"Got U {network.U.shape} and V {network.V.shape} instead."
            )
        residual = network.predict(self.X) - self.Y
        penalty = np.sum(network.U**2) + np.sum(network.V**2)
        return float(0.5 * np.sum(residual**2) + 0.5 * self.gamma * penalty)

    @cached_property
    def scaled(self) -> ScaledProblem:
        """The same problem at ‖X‖_F² = n and ‖Y‖_F² = nc, where tolerances mean something."""
        sigma, kappa = _scale(self.X, self.n), _scale(self.Y, self.n * self.c)
        return ScaledProblem(Problem(self.X / sigma, self.Y / kappa, self.gamma / kappa / sigma), sigma, kappa)


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
        """The original problem's network for one of the scaled problem: both layers times √(κ/σ)."""
        factor = np.sqrt(self.kappa / self.sigma)
        return Network(network.U * factor, network.V * factor)


def _scale(A: Array, count: int) -> float:
    """‖A‖_F/√count without overflow, and 1 for a zero matrix."""
    largest = float(np.max(np.abs(A)))
    if largest == 0.0:
        return 1.0
    return largest * float(np.linalg.norm(A / largest)) / float(np.sqrt(count))


def _real(value: ArrayLike, name: str) -> Array:
    """The value as a float64 array, not copied if it is one."""
    try:
        array = np.asarray(value)
        entries = array.ravel() if array.dtype == object else ()
        if np.iscomplexobj(array) or any(isinstance(entry, complex | np.complexfloating) for entry in entries):
            raise TypeError("complex numbers where real ones must be")
        return array.astype(np.float64, copy=False)
    except (TypeError, ValueError, OverflowError) as error:
        raise ProblemError(f"{name} must be a matrix of numbers. Got {type(value).__name__} ({error}).") from None


def _matrix(value: ArrayLike, name: str) -> Array:
    array = _real(value, name)
    if array.ndim != 2:
        raise ProblemError(f"{name} must have two dimensions. Got shape {array.shape} instead.")
    if 0 in array.shape:
        raise ProblemError(f"{name} must have at least one row and one column. Got shape {array.shape} instead.")
    bad = ~np.isfinite(array)
    if bad.any():
        i, j = (int(k[0]) for k in np.nonzero(bad))
        raise ProblemError(f"{name} must be finite. Got {array[i, j]} at row {i}, column {j}: drop or fill such rows.")
    return np.frombuffer(array.tobytes(), np.float64).reshape(array.shape)  # bytes can never be made writeable
