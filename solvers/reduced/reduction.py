"""Facial reduction and scaling: the problem that every solver of the relaxation works on.

MΛMᵀ = 0 with Λ ⪰ 0 leaves the literal SDP (paper, eq. 8) without an interior. In the coordinates s = α + β
and u the constraint holds by itself: α = (s + Xu)/2, β = (s − Xu)/2. Zero rows, and rows that are multiples
of another row, take the interior away again, so they are merged here into weights and mean targets; the
columns of X become orthogonal by a thin SVD, and X, Y are brought to unit scale.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import scipy.linalg as sl

from ..activation import RELU, Activation
from ..network import Array, ProblemError
from ..problem import Problem
from .lift import Mix

PARALLEL = 3e-5  # radians: nearer rows leave slacks of 1e-10, below which rounding wins, so they become one row; the
# bound pays for the difference
RANK = 1e-10


@dataclass(frozen=True)
class Reduced:
    """min ½ Σ_r w_r ‖F_r − ȳ_r‖² + γ/2 (tr U + tr V) + constant over Z = [[S, Zsu, ·], [·, U, ·], [·, ·, V]] ⪰ 0.
    X (n, d) has orthogonal columns and unit mean squared row norm; the extended rows are α_1…α_n, β_1…β_n. Each merged
    row has two loss rows, one for its own multiples and one for those with the opposite sign: first the n that read
    aα + bβ, then the n that read bα + aβ; for the ReLU these are the extended rows themselves. weight (2n,), target
    (2n, c) and every Θ (2n, c) belong to the loss rows (weight 0: no loss there). Objectives times `unit` are in the
    user's units. User row k is coef[k] times row rep[k] (rep −1: a zero row); basis (d_user, d) brings u back.
    """

    X: Array
    weight: Array
    target: Array
    gamma: float
    constant: float
    unit: float
    rep: np.ndarray
    coef: Array
    basis: Array
    sigma: float
    kappa: float
    activation: Activation = RELU

    @property
    def n(self) -> int:
        """Number of merged rows."""
        return int(self.X.shape[0])

    @property
    def d(self) -> int:
        """Rank of X."""
        return int(self.X.shape[1])

    @property
    def c(self) -> int:
        """Number of outputs."""
        return int(self.target.shape[1])

    @cached_property
    def loss_rows(self) -> np.ndarray:
        """Those of the 2n loss rows that carry a loss, ascending."""
        return np.flatnonzero(self.weight > 0)

    @property
    def mix(self) -> Mix:
        """(a, b) of the loss rows, None where they are the extended rows."""
        return None if self.activation == RELU else (self.activation.a, self.activation.b)

    def mixed(self, A: Any) -> Any:
        """aA + bA' with A' the two halves exchanged, from extended rows to loss rows and, being symmetric, back.

        What loss rows read of forms on the extended rows; and of Θ on the loss rows, the one on extended rows that
        stands for it.

        Args:
            A: (2n, k), also an expression of CVXPY's.

        Returns:
            (2n, k).
        """
        if self.mix is None:
            return A
        a, b = self.mix
        return a * A + b * A[np.r_[self.n : 2 * self.n, : self.n]]

    def factor_back(self, factor: Array) -> Array:
        """A factor of this problem in the user's coordinates and units.

        Args:
            factor: rows (s, u, v) (n+d+c, r) of this problem.

        Returns:
            Rows (s, u, v) of the user's problem, r columns.
        """
        s, u, v = np.split(factor, [self.n, self.n + self.d])
        scale = np.sqrt(self.kappa / self.sigma)  # both layers: u_user = scale·u, v_user = scale·v
        rows = np.zeros((len(self.rep), factor.shape[1]))
        live = self.rep >= 0
        rows[live] = np.abs(self.coef[live])[:, None] * s[self.rep[live]] * (self.sigma * scale)
        return np.vstack([rows, self.basis @ u * scale, v * scale])

    def theta_back(self, theta: Array, Y: Array) -> Array:
        """Θ on the user's rows and in the user's units.

        Of all row-wise Θ with the merged sums given, this is the one nearest to Y, which makes the bound largest; zero
        rows get Θ = Y.

        Args:
            theta: Θ (2n, c) on the loss rows.
            Y: the user's targets (N, c).

        Returns:
            Θ (N, c).
        """
        residual = np.divide(theta, self.weight[:, None], out=np.zeros_like(theta), where=self.weight[:, None] > 0)
        prediction = self.target - residual  # of the loss rows, in the scaled problem
        back = Y.copy()
        live = self.rep >= 0
        side = self.rep[live] + np.where(self.coef[live] > 0, 0, self.n)
        back[live] -= self.kappa * np.abs(self.coef[live])[:, None] * prediction[side]
        return back


def reduce(problem: Problem, parallel: float = PARALLEL) -> Reduced:
    """Merge, rotate and scale the rows of a problem.

    What is merged or left out because it is nearly nothing costs no safety: the proof works on the user's rows.

    Args:
        problem: the user's.
        parallel: rows within this angle (radians) become one.

    Returns:
        The reduced problem.

    Raises:
        ProblemError: X = 0.
    """
    scaled = problem.scaled
    X0, Y0, gamma = scaled.problem.X, scaled.problem.Y, scaled.problem.gamma
    rep, coef = parallel_rows(X0, parallel, _evened(X0, gamma))
    live = rep >= 0
    if not live.any():
        raise ProblemError("X must have a row that is not zero. Got X = 0 instead: its optimum is ½‖Y‖².")
    first = np.unique(rep[live])
    position = np.full(len(X0), -1)
    position[first] = np.arange(len(first))
    rep = np.where(live, position[np.maximum(rep, 0)], -1)
    n = len(first)

    side = rep[live] + np.where(coef[live] > 0, 0, n)
    weight, weighted = np.zeros(2 * n), np.zeros((2 * n, problem.c))
    np.add.at(weight, side, coef[live] ** 2)
    np.add.at(weighted, side, np.abs(coef[live])[:, None] * Y0[live])
    target = np.divide(weighted, weight[:, None], out=np.zeros_like(weighted), where=weight[:, None] > 0)
    constant = 0.5 * float(np.sum(Y0[~live] ** 2))
    constant += 0.5 * float(np.sum((Y0[live] - np.abs(coef[live])[:, None] * target[side]) ** 2))

    A, singular, Bt = sl.svd(X0[first], full_matrices=False)
    rank = int(np.sum(singular > RANK * singular[0]))
    return Reduced(
        X=A[:, :rank] * singular[:rank],
        weight=weight,
        target=target,
        gamma=gamma,
        constant=constant,
        unit=scaled.objective_unit,
        rep=rep,
        coef=coef,
        basis=np.ascontiguousarray(Bt[:rank].T),
        sigma=scaled.sigma,
        kappa=scaled.kappa,
        activation=problem.activation,
    )


def _evened(X: Array, gamma: float) -> Array:
    """X in coordinates in which badly scaled columns weigh alike, as they do for trained neurons.

    Rows that differ in a small column alone are no more parallel than others, unless the column is below γ and useless.
    """
    A, singular, _ = sl.svd(X, full_matrices=False)
    size = singular / np.sqrt(len(X))
    return A * (singular / np.maximum(size, max(gamma, RANK * size[0])))


def parallel_rows(X: Array, angle: float = PARALLEL, metric: Array | None = None) -> tuple[np.ndarray, Array]:
    """For each row the first one it is a multiple of.

    Args:
        X: rows (n, d).
        angle: radians, between rows of X or, where given, of `metric`.
        metric: (n, any), the same rows in other coordinates.

    Returns:
        Numbers of these rows (n,) and the factors (n,); −1 and 0 for a zero row.
    """
    n = len(X)
    norm = np.linalg.norm(X, axis=1)
    live = norm > 1e-12 * norm.max(initial=0.0)
    live &= norm > 0
    unit = X if metric is None else metric
    length = np.linalg.norm(unit, axis=1)[:, None]
    unit = np.divide(unit, length, out=np.zeros_like(unit), where=live[:, None] & (length > 0))
    rep, coef = np.where(live, np.arange(n), -1), np.where(live, 1.0, 0.0)
    cosine = unit @ unit.T
    # A cosine within 1e-15 of 1 only says "nearer than 3e-8"; the distance itself decides.
    later, earlier = np.nonzero(np.tril(np.abs(cosine) > 1 - angle**2 - 1e-12, -1))
    sign = np.sign(cosine[later, earlier])
    near = np.linalg.norm(unit[later] - sign[:, None] * unit[earlier], axis=1) < angle
    for k, j, t in zip(later[near], earlier[near], sign[near], strict=True):
        if rep[k] == k and rep[j] == j:
            rep[k], coef[k] = j, t * norm[k] / norm[j]
    return rep, coef
