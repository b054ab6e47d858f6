"""The safe lower bound: from any approximate dual point to a number that is proved in floating point.

For Θ (rows of the user's data) let h(u) = ‖Θᵀ(Xu)₊‖. If h(u) ≤ η‖u‖ for all u, then tΘ with t = min(1, γ/η)
is feasible for the dual of the training problem, and t⟨Θ, Y⟩ − ½t²‖Θ‖² ≤ p*(∞). The inequality is proved as in
reduced/dual.py: with merged rows A = (A_α, A_β), T ≥ 0 and any z,

    h(u)² ≤ (s, u)ᵀ B (s, u) ≤ λ‖u‖²   whenever   Q = λ blkdiag(0, I) − B ⪰ 0,

up to the difference between a row and the multiple of the representative that stands for it. Rounding is paid for
entry by entry: s_i = |x_i·u| ≤ ‖x_i‖‖u‖ and |u_k| ≤ ‖u‖, so an error E in Q costs at most mᵀ|E|m with
m = (‖x_1‖, …, ‖x_n‖, 1, …, 1). Backward error of Cholesky: N. J. Higham, Accuracy and Stability of Numerical
Algorithms, 2nd ed., theorem 10.3.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import scipy.linalg as sl

from ..activation import RELU, Activation
from ..loss import LOSS
from ..network import Array
from ..problem import Problem
from ..reduced.dual import DualPoint, dual_maximum, maximum, value
from ..reduced.lift import adjoint, project
from ..reduced.reduction import Reduced
from .certificate import Certificate, Kind

EPS = float(np.finfo(np.float64).eps)
TERMS = 16  # roundings for each term of a sum, and those of the products and sums beside it: far above what there are
LITTLE = 1e-9  # by which share the proof for linear networks falls short of the truth
SUMS = 1.000000000001  # covers the rounding in a sum of up to 4,000 nonnegative terms


def certify(problem: Problem, reduced: Reduced, point: DualPoint) -> Certificate:
    """The certificate that a dual point of the reduced problem gives for the user's problem.

    Args:
        problem: the user's.
        reduced: the same, reduced.
        point: the dual point, good or bad.

    Returns:
        A valid one always: a useless point gives a weak bound, in the worst case that of Θ = 0 on live rows.
    """
    # For Θ = 0, T = 0 any small z > 0 proves the inequality; here Xᵀ diag(z) X ⪯ ½ γ² I.
    z = 0.5 * reduced.gamma**2 / (reduced.n * np.sum(reduced.X**2, axis=1))
    nothing = DualPoint(np.zeros_like(reduced.target), np.zeros_like(point.T), z)
    certificate = _certificate(problem, reduced, nothing)
    if not all(np.isfinite(array).all() for array in (point.theta, point.T, point.z)):
        return certificate
    _, t, _ = value(reduced, point.theta, dual_maximum(reduced, point))
    better = _certificate(problem, reduced, DualPoint(t * point.theta, t**2 * point.T, t**2 * point.z))
    return max(certificate, better, key=lambda c: c.lower_bound)


def _certificate(problem: Problem, reduced: Reduced, point: DualPoint) -> Certificate:
    """The point in the user's rows and units, with what it proves."""
    return certify_at(problem, reduced, reduced.theta_back(point.theta, problem.Y), point)


def certify_at(problem: Problem, reduced: Reduced, theta: Array, point: DualPoint) -> Certificate:
    """The certificate for Θ on the user's rows.

    Args:
        problem: the user's.
        reduced: the same, reduced.
        theta: Θ (N, c).
        point: T and z, whose own Θ plays no part.

    Returns:
        The certificate with what it proves, however little.
    """
    n = reduced.n
    theta = LOSS[problem.loss].admissible(theta, problem.Y)
    T = np.triu(np.maximum(point.T, 0.0), 1)
    T[np.arange(n), n + np.arange(n)] = 0.0  # z is the multiplier of α_i β_i = 0
    row, column = np.nonzero(T)
    proof = {
        "rows": first_rows(reduced),
        "rep": reduced.rep,
        "coef": reduced.coef,
        "T_row": row,
        "T_column": column,
        "T_value": T[row, column] * reduced.kappa**2,
        "z": point.z * reduced.kappa**2,
    }
    return Certificate(
        Kind.DOUBLY_NONNEGATIVE,
        theta,
        proof,
        lower_bound(problem, theta, prove(theta, problem.X, proof, problem.activation)),
    )


def first_rows(reduced: Reduced) -> np.ndarray:
    """The user's row that each merged row stands for.

    Args:
        reduced: the problem.

    Returns:
        Row numbers (n,).
    """
    live = reduced.rep >= 0
    rows = np.full(reduced.n, -1)
    rows[reduced.rep[live][::-1]] = np.flatnonzero(live)[::-1]
    return rows


def linear_proof(problem: Problem) -> Mapping[str, np.ndarray]:
    """The proof of ‖ΘᵀXu‖ ≤ η‖u‖ for any Θ and η ≥ (1 + LITTLE) ‖ΘᵀX‖: linear networks take no T and no merged rows.

    Args:
        problem: the user's, of activation `identity`.

    Returns:
        The arrays of kind "doubly nonnegative".
    """
    square = np.sum(problem.X**2, axis=1)
    live = np.flatnonzero(square > 0)
    rep = np.full(problem.n, -1)
    rep[live] = np.arange(len(live))
    z = LITTLE * problem.gamma**2 / (max(len(live), 1) * square[live])  # without any, nothing would be definite
    none, empty = np.zeros(0, dtype=int), np.zeros(0)
    proof = {"rows": live, "rep": rep, "coef": (rep >= 0).astype(np.float64)}
    return proof | {"T_row": none, "T_column": none, "T_value": empty, "z": z}


def lower_bound(problem: Problem, theta: Array, eta: float) -> float:
    """t⟨Θ, Y⟩ − ½t²‖Θ‖² rounded down, t = min(1, γ/η, best step); for the logistic loss Σ H(y_i − tθ_i) at min(1, γ/η).

    Args:
        problem: the user's.
        theta: Θ (N, c).
        eta: η with max_{‖u‖=1} ‖Θᵀ(Xu)₊‖ ≤ η.

    Returns:
        The bound, at least 0, which is always one.
    """
    if problem.loss == "logistic":
        t = min(1.0, problem.gamma / eta * (1 - 4 * EPS)) if eta > 0 else 1.0
        return LOSS[problem.loss].below(t * theta, problem.Y) if t > 0 else 0.0
    products, squares = theta * problem.Y, theta**2
    linear, quadratic = math.fsum(products.ravel()), math.fsum(squares.ravel())
    if not (math.isfinite(linear) and math.isfinite(quadratic)) or linear <= 0 or quadratic <= 0 or math.isnan(eta):
        return 0.0
    t = min(1.0, problem.gamma / eta * (1 - 4 * EPS) if eta > 0 else 1.0, linear / quadratic)
    error = 2 * EPS * (t * math.fsum(np.abs(products).ravel()) + t**2 * quadratic)
    return max(0.0, (t * linear - 0.5 * t**2 * quadratic) - error)


def prove(theta: Array, X: Array, proof: Mapping[str, np.ndarray], activation: Activation = RELU) -> float:
    """A proved η with ‖Θᵀφ(Xu)‖ ≤ η‖u‖ for all u.

    Args:
        theta: Θ (N, c).
        X: rows (N, d).
        proof: rows (n,) the representatives, rep (N,) and coef (N,) with x_k ≈ coef_k x_rows[rep_k] (rep −1: no
            representative), T_row, T_column, T_value an upper triangle of T over (α, β), z (n,).
        activation: φ.

    Returns:
        η, inf if the arrays prove nothing.
    """
    size = power_of_two(theta)
    unit = power_of_two(X)
    theta, X = theta / size, X / unit
    n, merged = len(proof["rows"]), X[proof["rows"]]
    A, slack = stand_ins(theta, X, proof["rows"], proof["rep"], proof["coef"], activation)
    T = np.zeros((2 * n, 2 * n))
    T[proof["T_row"], proof["T_column"]] = np.maximum(proof["T_value"], 0.0) / size**2
    T[np.arange(n), n + np.arange(n)] = 0.0
    T += T.T
    squared = _squared_maximum(merged, A, T, proof["z"] / size**2)
    if not np.isfinite(squared):
        return math.inf
    return above(above(math.sqrt(squared)), slack) * size * unit  # powers of two, which round nothing


def stand_ins(
    theta: Array, X: Array, rows: np.ndarray, rep: np.ndarray, coef: Array, activation: Activation = RELU
) -> tuple[Array, float]:
    """Θ summed onto α, β of the representatives.

    Args:
        theta: Θ (N, c).
        X: rows (N, d).
        rows: numbers of the representatives (n,).
        rep: the representative of each row (N,), −1 for none.
        coef: the multiple of it (N,).
        activation: φ, whose slopes are at most 1.

    Returns:
        A (2n, c) and slack, with ‖Θᵀφ(Xu) − Aᵀ(α, β)‖ ≤ slack·‖u‖.
    """
    n, live = len(rows), rep >= 0
    stand_in = np.zeros_like(X)
    stand_in[live] = coef[live, None] * X[rows][rep[live]]
    # Besides the difference of the rows: rounding in the sums of A, whose terms may cancel.
    a, b = activation.a, activation.b
    terms = int(np.bincount(rep[live]).max(initial=1)) + (b != 0)
    slip = np.linalg.norm(X - stand_in, axis=1) + (4 + terms) * EPS * np.linalg.norm(stand_in, axis=1)
    slack = SUMS * float(np.sum(np.linalg.norm(theta, axis=1) * slip))
    A = np.zeros((2 * n, theta.shape[1]))
    pull = np.abs(coef[live])[:, None] * theta[live]
    np.add.at(A, rep[live] + np.where(coef[live] > 0, 0, n), a * pull)
    if b:
        np.add.at(A, rep[live] + np.where(coef[live] > 0, n, 0), b * pull)
    return A, slack


def _squared_maximum(X: Array, A: Array, T: Array, z: Array) -> float:
    """Proved λ with ‖A_αᵀα + A_βᵀβ‖² ≤ λ‖u‖² for all u."""
    n, d = X.shape
    if n == 0:
        return 0.0
    B = _form(X, A, T, z)
    magnitude = np.concatenate([np.linalg.norm(X, axis=1), np.ones(d)])
    size = _form(np.abs(X), np.abs(A), T, np.abs(z), absolute=True)
    return proved_maximum(B, n, magnitude, rounding_of(size, magnitude, sum((*A.shape, *X.shape))))


def rounding_of(size: Array, magnitude: Array, terms: int) -> float:
    """What rounding in the entries of a form may add at unit u.

    Args:
        size: the same sums with every term made positive.
        magnitude: as in `proved_maximum`.
        terms: the lengths of all sums that an entry goes through, added up.

    Returns:
        A bound on it.
    """
    return TERMS * terms * EPS * float(magnitude @ size @ magnitude)


def proved_maximum(B: Array, n: int, magnitude: Array, rounding: float) -> float:
    """Proved λ with (s, u)ᵀ B (s, u) ≤ λ‖u‖² for all s (n,) and u (d,) with |(s, u)_i| ≤ magnitude_i ‖u‖.

    Args:
        B: (n+d, n+d), for any form that differs from it by at most `rounding`·‖u‖² there.
        n: entries of s.
        magnitude: (n+d,).
        rounding: as `rounding_of` gives it.

    Returns:
        λ, inf if nothing is proved.
    """
    d = len(B) - n
    guess = _largest(B, n)
    if not np.isfinite(guess):
        return math.inf
    for step in range(12):
        relative = 1e-13 * 8.0**step
        trial = guess * (1 + relative) + rounding * relative
        Q = -B
        Q[n + np.arange(d), n + np.arange(d)] += trial
        shift = relative * np.abs(np.diag(Q))
        Q[np.diag_indices_from(Q)] += shift
        if np.any(np.diag(Q) <= 0):
            continue
        try:
            sl.cholesky(Q, lower=True, check_finite=False)
        except np.linalg.LinAlgError:
            continue
        spread = np.sqrt(np.diag(Q)) * magnitude
        cholesky = 2 * (n + d + 2) * EPS * float(np.sum(spread)) ** 2
        shifted = float(shift @ magnitude**2)
        return above(trial, rounding, cholesky, shifted)
    return math.inf


def above(*terms: float) -> float:
    """A number at or above the exact sum."""
    return math.nextafter(math.fsum(terms), math.inf)


def _form(X: Array, A: Array, T: Array, z: Array, absolute: bool = False) -> Array:
    """B of reduced/dual.py from merged rows X (n, d); with `absolute`, the same sum with every term made positive."""
    n = len(X)
    if absolute:
        K = T + A @ A.T
        folded = (K[:n] + K[n:]) / 2
        folded = (folded[:, :n] + folded[:, n:]) / 2
        B = np.block([[folded, folded @ X], [X.T @ folded, X.T @ folded @ X]])
        B[np.arange(n), np.arange(n)] += z
    else:
        h = project(X, A)
        B = adjoint(X, T) + h @ h.T
        B[np.arange(n), np.arange(n)] -= z
    B[n:, n:] += X.T @ (z[:, None] * X)
    return (B + B.T) / 2


def _largest(B: Array, n: int) -> float:
    """Approximate λ_max(B_uu + B_us (−B_ss)⁻¹ B_su), inf if −B_ss is not positive definite."""
    return max(maximum(B, n)[0], 0.0)


def power_of_two(A: Array) -> float:
    """The power of two at or above the largest |entry|, 1 for a zero matrix: dividing by it rounds nothing."""
    largest = float(np.max(np.abs(A), initial=0.0))
    return 2.0 ** math.frexp(largest)[1] if largest > 0 and math.isfinite(largest) else 1.0
