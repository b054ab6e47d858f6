"""Two-layer networks and their algebra: directions and weights, balance, whitened coordinates, descent.

    f(x) = φ(xᵀU)V,   neuron j: input weights u_j (column of U), output weights v_j (row of V), φ(t) = t₊ or another
    activation (activation.py)

A neuron scaled by u_j ↦ t u_j, v_j ↦ v_j/t is the same function. Of all scalings ‖u_j‖ = ‖v_j‖ costs least, and then
γ/2 (‖U‖² + ‖V‖²) = γ Σ_j ‖u_j‖‖v_j‖: the training problem is a group lasso over unit directions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import RelaxbenchError
from .activation import RELU, Activation

Array = NDArray[np.float64]

LEAST_SHIFT = 1e-6  # in whitening, where the mean variance of a feature is 1/d


class ProblemError(RelaxbenchError):
    """Data, weights or γ from which no training problem can be made; the text names the value and the fix."""


@dataclass(frozen=True)
class Network:
    """Two-layer network x ↦ φ(xᵀU)V with U (d, m) and V (m, c), and φ the ReLU or another activation.

    Both become float64, whatever real numbers they are given as. NaN and infinities are let in: a method may diverge.
    activation: also as text, as `Problem` takes it.

    Raises:
        ActivationError: text that names no activation.
        ProblemError: shapes that do not fit together, or entries that are not real numbers.

    Example:
        >>> from relaxbench import Network
        >>> network = Network([[1.0, -1.0]], [[1.0], [1.0]])  # x ↦ |x|
        >>> network
        Network(d = 1, width = 2, c = 1)
        >>> network.predict([[-3.0]])
        array([[3.]])
    """

    U: Array
    V: Array
    activation: Activation = RELU

    def __post_init__(self) -> None:
        object.__setattr__(self, "activation", Activation.of(self.activation))
        object.__setattr__(self, "U", real(self.U, "U"))
        object.__setattr__(self, "V", real(self.V, "V"))
        if self.U.ndim != 2 or self.V.ndim != 2 or self.U.shape[1] != self.V.shape[0]:
            raise ProblemError(f"U must be (d, m) and V (m, c). Got {self.U.shape} and {self.V.shape} instead.")

    def __repr__(self) -> str:
        other = "" if self.activation == RELU else f", activation = {self.activation}"
        return f"Network(d = {self.U.shape[0]}, width = {self.width}, c = {self.V.shape[1]}{other})"

    @classmethod
    def zeros(cls, d: int, width: int, c: int, activation: Activation = RELU) -> Network:
        """A network of zero neurons.

        Args:
            d: features.
            width: neurons.
            c: outputs.
            activation: φ.

        Returns:
            The network.
        """
        return cls(np.zeros((d, width)), np.zeros((width, c)), activation)

    @property
    def width(self) -> int:
        """Number of neurons m."""
        return int(self.U.shape[1])

    def predict(self, X: Array) -> Array:
        """The network's outputs.

        Args:
            X: rows (k, d), also as a DataFrame.

        Returns:
            Outputs (k, c).
        """
        return self.activation(np.asarray(X) @ self.U) @ self.V

    def only(self, neurons: Any) -> Network:
        """The network of some of the neurons.

        Args:
            neurons: which, as an index of numpy's.

        Returns:
            The network of these.
        """
        return replace(self, U=self.U[:, neurons], V=self.V[neurons])


@dataclass(frozen=True)
class Layers:
    """A deep ReLU network (…((xᵀW_1)₊ W_2)₊ …)₊ W_{L+1}, as a predictor."""

    weights: tuple[Array, ...]

    def __call__(self, X: Array) -> Array:
        """The outputs (k, c) of rows X (k, d)."""
        rows = np.asarray(X, dtype=np.float64)
        for W in self.weights[:-1]:
            rows = np.maximum(rows @ W, 0.0)
        return np.asarray(rows @ self.weights[-1])


def heights(theta: Array, hidden: Array) -> Array:
    """The heights h(u) = ‖Θᵀφ(Xu)‖, which the dual bounds by γ‖u‖.

    Args:
        theta: Θ (n, c).
        hidden: φ(XU) (n, k), what neurons in the points make of the rows.

    Returns:
        Heights (k,).
    """
    return np.linalg.norm(theta.T @ hidden, axis=0)


def unit_columns(A: Array) -> Array:
    """The columns of a matrix at length 1.

    Args:
        A: matrix (d, m).

    Returns:
        (d, m); zero columns stay.
    """
    norms = np.linalg.norm(A, axis=0)
    return A / np.where(norms > 0, norms, 1.0)


def group_lasso(network: Network) -> tuple[Array, Array]:
    """The network as unit directions û_j and rows w_j = ‖u_j‖v_j.

    Args:
        network: its penalty is γ Σ‖w_j‖ when balanced.

    Returns:
        Directions (d, m), of which those of length 0 stay, and rows (m, c).
    """
    return unit_columns(network.U), network.V * np.linalg.norm(network.U, axis=0)[:, None]


def balance(network: Network) -> Network:
    """The same function with ‖u_j‖ = ‖v_j‖ for every neuron, the split of least ½(‖u_j‖² + ‖v_j‖²) = ‖u_j‖‖v_j‖.

    Args:
        network: to be balanced.

    Returns:
        The network; neurons with u_j = 0 or v_j = 0 contribute nothing and become 0 in both layers.
    """
    u, v = np.linalg.norm(network.U, axis=0), np.linalg.norm(network.V, axis=1)
    alive = (u > 0) & (v > 0)
    ratio = np.sqrt(np.divide(v, u, out=np.zeros_like(u), where=alive))
    inverse = np.divide(1.0, ratio, out=np.zeros_like(u), where=alive)
    return replace(network, U=network.U * ratio, V=network.V * inverse[:, None])


def whitening(X: Array, gamma: float) -> Array:
    """(XᵀX/n + γI)^(−½): in these coordinates features of different spread are equally far from their optimum.

    Args:
        X: rows (n, d).
        gamma: the shift γ, because the penalty bounds the curvature from below.

    Returns:
        Symmetric (d, d).
    """
    variance, Q = np.linalg.eigh(X.T @ X / len(X))
    return (Q / np.sqrt(np.maximum(variance, 0.0) + max(gamma, LEAST_SHIFT))) @ Q.T


def whitener(X: Array, rank: float = 0.0) -> Array:
    """T with TᵀXᵀXT = n·I: in y, u = Ty, the rows of X look the same from all sides.

    Args:
        X: rows (n, d), of rank r.
        rank: singular values up to this share of the largest count as 0.

    Returns:
        T (d, r).
    """
    values, rows = np.linalg.svd(X, full_matrices=False)[1:]
    solid = values > rank * values[0]
    return rows[solid].T * (np.sqrt(len(X)) / values[solid])


def descend(
    start: Network,
    evaluate: Callable[[Network], tuple[float, Network]],
    options: dict[str, Any],
    *,
    coordinates: Array | None = None,
    watch: Callable[[Network, float], bool] = lambda network, value: False,
) -> tuple[Network, float]:
    """L-BFGS over both layers at once.

    Args:
        start: the first network.
        evaluate: objective and gradient at a network (`Problem.objective_and_gradient`).
        options: those of SciPy's L-BFGS-B.
        coordinates: symmetric P (d, d); the method works on P⁻¹U.
        watch: called after each iteration; true ends the work there.

    Returns:
        The last network and its objective.
    """
    from scipy.optimize import OptimizeResult, minimize  # late, as it takes a while

    P, (d, m) = coordinates, start.U.shape

    def unpack(w: Array) -> Network:
        U = w[: d * m].reshape(d, m)
        return replace(start, U=U if P is None else P @ U, V=w[d * m :].reshape(m, -1))

    def function(w: Array) -> tuple[float, Array]:
        value, by = evaluate(unpack(w))
        return value, np.concatenate([(by.U if P is None else P @ by.U).ravel(), by.V.ravel()])

    def callback(intermediate_result: OptimizeResult) -> None:  # SciPy knows it by the name of its argument
        if watch(unpack(intermediate_result.x), float(intermediate_result.fun)):
            raise StopIteration

    first = start.U if P is None else np.linalg.solve(P, start.U)
    w = np.concatenate([first.ravel(), start.V.ravel()])
    found = minimize(function, w, jac=True, method="L-BFGS-B", callback=callback, options=options)
    return unpack(found.x), float(found.fun)


def real(value: ArrayLike, name: str) -> Array:
    """The value as a float64 array, not copied if it is one.

    Args:
        value: numbers, or nested sequences of these.
        name: what it is, for the message.

    Returns:
        The array, float64.

    Raises:
        ProblemError: entries that are not real numbers.
    """
    try:
        array = np.asarray(value)
        entries = array.ravel() if array.dtype == object else ()
        if np.iscomplexobj(array) or any(isinstance(entry, complex | np.complexfloating) for entry in entries):
            raise TypeError("complex numbers where real ones must be")
        return array.astype(np.float64, copy=False)
    except (TypeError, ValueError, OverflowError) as error:
        raise ProblemError(f"{name} must be a matrix of numbers. Got {type(value).__name__} ({error}).") from None
