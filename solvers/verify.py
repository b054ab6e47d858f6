"""A second proof of every certificate, by other means than the code that made it: ball arithmetic.

For kind "doubly nonnegative", Q = λ blkdiag(0, I) − B (see bound.py) is built from the certificate's arrays in
106-bit balls, and proved positive definite by congruence: with R the inverse of an ordinary Cholesky factor of Q,
the balls of R Q Rᵀ must lie within distance < 1 of the identity in every row sum. Any z proves something, so both
z and λ are moved up by a little first, to leave room; the bound pays for it.
Ball arithmetic: F. Johansson, Arb, IEEE Transactions on Computers 66 (2017).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.linalg as sl

from .bound import KIND
from .certificate import Certificate
from .dual import maximum
from .problem import Array

if TYPE_CHECKING:
    import flint

PRECISION = 106
NAMES = {"rows": "iu", "rep": "iu", "coef": "iuf", "T_row": "iu", "T_column": "iu", "T_value": "iuf", "z": "iuf"}
CELLS = "cells"  # proved cell by cell, in branch_verify.py
CONES = ("arcs", "cover")  # kinds proved cone by cone, in cpp/check.py
ELIMINATE = 80  # order up to which elimination in balls takes no time


class CertificateError(ValueError):
    """Arrays that are no certificate for this data; the text says what does not fit."""


def verify(certificate: Certificate, X: Array, Y: Array, gamma: float) -> float:
    """The lower bound on p*(∞) that the certificate's arrays prove for X (n, d), Y (n, c) and γ.

    The recorded `lower_bound` plays no part. 0 if they prove nothing; raises CertificateError if they do not fit.
    """
    import flint

    theta = certificate.theta
    if theta.shape != Y.shape or theta.dtype.kind not in "iuf" or not np.isfinite(theta).all():
        raise CertificateError(f"Θ must be finite with the shape of Y, {Y.shape}. Got shape {theta.shape} instead.")
    before = flint.ctx.prec
    flint.ctx.prec = PRECISION
    try:
        if certificate.kind == KIND:
            largest = _doubly_nonnegative(theta, X, gamma, certificate.proof)
        elif certificate.kind == CELLS:
            from .branch_verify import largest_on_cells

            largest = largest_on_cells(theta, X, certificate.proof)
        else:
            largest = _cone_by_cone(certificate, X, gamma)
        return _bound(theta, Y, gamma, largest)
    finally:
        flint.ctx.prec = before


def _cone_by_cone(certificate: Certificate, X: Array, gamma: float) -> Any:
    import flint

    from .cpp.check import prove

    if certificate.kind not in CONES:
        raise CertificateError(f"kind must be one of {(KIND, CELLS, *CONES)}. Got {certificate.kind!r} instead.")
    proved = prove(certificate.theta, X, gamma, certificate.proof)
    return flint.arb(proved) if math.isfinite(proved) else None


def _bound(theta: Array, Y: Array, gamma: float, largest: Any) -> float:
    """t⟨Θ, Y⟩ − ½t²‖Θ‖² in balls, rounded down; `largest` is a ball ≥ max ‖Θᵀ(Xu)₊‖ or None."""
    import flint

    if largest is None:
        return 0.0
    linear = sum((flint.arb(a) * flint.arb(b) for a, b in zip(theta.flat, Y.flat, strict=True)), flint.arb(0))
    quadratic = sum((flint.arb(a) ** 2 for a in theta.flat), flint.arb(0))
    t = 1.0 if float(largest.upper()) <= 0 else min(1.0, float((flint.arb(gamma) / largest).lower()) * (1 - 1e-15))
    if float(quadratic.upper()) > 0:
        t = min(t, max(float(linear.mid() / quadratic.mid()), 0.0))
    proved = flint.arb(t) * linear - flint.arb(t) ** 2 * quadratic / 2
    return max(0.0, math.nextafter(float(proved.lower()), -math.inf))


def _doubly_nonnegative(theta: Array, X: Array, gamma: float, proof: Any) -> Any:
    """A ball ≥ max_{‖u‖=1} ‖Θᵀ(Xu)₊‖, or None."""
    import flint

    proof = named_arrays(proof, NAMES)
    rows, rep, coef = proof["rows"], proof["rep"], proof["coef"]
    _check_shapes(proof, rows, rep, coef, X)
    slip = ball_slip(theta, X, rows, rep, coef)
    if len(rows) == 0:
        return slip
    form = _Form(theta, X[rows], rep, coef, proof)
    limit, guess = float(gamma) ** 2, form.guess()
    squared = max(guess, 1e-4 * limit) if math.isfinite(guess) else limit
    room = least_room(lambda room: form.positive(squared * (1 + room), room))
    return None if room is None else flint.arb(squared * (1 + room)).sqrt() + slip


def least_room(enough: Callable[[float], bool]) -> float | None:
    """About the least room that is enough: the first power of ten, then within a tenth of the least; None if none is.

    What is proved loses `room`, which must not show beside what rounding costs the bound that is checked.
    """
    powers = 10.0 ** np.arange(-12.0, 3.0)
    room = next((float(power) for power in powers if enough(float(power))), None)
    if room is None or room <= powers[0]:
        return room
    low = 0.1 * room
    for _ in range(5):
        middle = (low * room) ** 0.5
        low, room = (low, middle) if enough(middle) else (middle, room)
    return room


def named_arrays(proof: Any, names: Mapping[str, str]) -> dict[str, np.ndarray]:
    """The proof's arrays by name, one-dimensional and finite: a comparison with NaN would pass for a proof."""
    arrays = {}
    for name, kinds in names.items():
        if name not in proof:
            raise CertificateError(
                f"The proof must hold {', '.join(names)}. Got {', '.join(proof) or 'nothing'} instead."
            )
        array = np.asarray(proof[name])
        if array.ndim != 1 or array.dtype.kind not in kinds or not np.isfinite(array).all():
            what = "finite numbers" if "f" in kinds else "whole numbers"
            raise CertificateError(
                f"{name} must be a list of {what}. Got {array.dtype} of shape {array.shape} instead."
            )
        arrays[name] = array
    return arrays


def _check_shapes(proof: Any, rows: np.ndarray, rep: np.ndarray, coef: Array, X: Array) -> None:
    n = len(rows)
    if proof["z"].shape != (n,):
        raise CertificateError(f"z must have {n} entries.")
    check_merging(rows, rep, coef, X)
    i, j = proof["T_row"], proof["T_column"]
    if not len(i) == len(j) == len(proof["T_value"]):
        raise CertificateError("T_row, T_column and T_value must have one entry each for every entry of T.")
    if len(i) and not (i.min() >= 0 and max(i.max(), j.max()) < 2 * n and (i < j).all() and (j - i != n).all()):
        raise CertificateError("T must be given above its diagonal, without the pairs (α_i, β_i).")
    if np.any(proof["T_value"] < 0):
        raise CertificateError("T must be nonnegative.")


def check_merging(rows: np.ndarray, rep: np.ndarray, coef: Array, X: Array) -> None:
    """Raise CertificateError unless rows (n,), rep (N,) and coef (N,) say which rows of X (N, d) stand for which."""
    n = len(rows)
    if rep.shape != (len(X),) or coef.shape != (len(X),):
        raise CertificateError(f"rep and coef must have {len(X)} entries.")
    if rep.min() < -1 or rep.max() >= n or (n and not (rows.min() >= 0 and rows.max() < len(X))):
        raise CertificateError("rows and rep must be row numbers of X and of the representatives.")
    if not np.any(X[rows] != 0, axis=1).all():
        raise CertificateError("No zero row of X may stand for others.")


def ball_slip(theta: Array, X: Array, rows: np.ndarray, rep: np.ndarray, coef: Array) -> Any:
    """Ball of Σ_k ‖Θ_k‖ ‖x_k − coef_k x_rep(k)‖."""
    import flint

    total = flint.arb(0)
    for k in range(len(X)):
        other = np.zeros(X.shape[1]) if rep[k] < 0 else X[rows[rep[k]]]
        if rep[k] >= 0 and coef[k] == 1.0 and np.array_equal(other, X[k]):
            continue
        distance = sum(
            ((flint.arb(a) - flint.arb(coef[k]) * flint.arb(b)) ** 2 for a, b in zip(X[k], other, strict=True)),
            flint.arb(0),
        )
        size = sum((flint.arb(a) ** 2 for a in theta[k]), flint.arb(0))
        total += (distance * size).sqrt() if float(distance.upper()) > 0 else flint.arb(0)
    return total


class _Form:
    """B of bound.py without its z-terms as an exact ball matrix, and the test of λ blkdiag(0, I) − B."""

    def __init__(self, theta: Array, X: Array, rep: np.ndarray, coef: Array, proof: Any) -> None:
        import flint

        n, d = X.shape
        c = theta.shape[1]
        self.n, self.d, self.z = n, d, proof["z"]
        self.X = flint.arb_mat(X.tolist())
        # Xᵀ diag(z_room) X ⪯ ½ I, so half of the room for λ stays; evenly spread and in proportion to z, half each.
        norms = np.sum(X**2, axis=1)
        weight = np.abs(self.z) / max(float(np.abs(self.z) @ norms), 1e-300)
        self.z_room = 0.25 / (n * norms) + 0.25 * weight
        sides = [[[flint.arb(0)] * c for _ in range(n)] for _ in range(2)]
        for k in np.flatnonzero(rep >= 0):
            side, size = sides[0 if coef[k] > 0 else 1], flint.arb(abs(coef[k]))
            side[rep[k]] = [a + size * flint.arb(b) for a, b in zip(side[rep[k]], theta[k], strict=True)]
        alpha, beta = flint.arb_mat(sides[0]), flint.arb_mat(sides[1])
        h = _stack((alpha + beta) / 2, self.X.transpose() * (alpha - beta) / 2)
        self.B = h * h.transpose() + self._nonnegative(proof)

    def guess(self) -> float:
        """About the smallest λ that `positive` can prove, inf if there is none; nothing rests on it."""
        n = self.n
        B = np.array([float(entry.mid()) for entry in self.B.entries()]).reshape(n + self.d, n + self.d)
        X = np.array([float(entry.mid()) for entry in self.X.entries()]).reshape(n, self.d)
        B[np.arange(n), np.arange(n)] -= self.z
        B[n:, n:] += X.T @ (self.z[:, None] * X)
        return max(maximum(B, n)[0], 0.0)

    def positive(self, squared: float, room: float) -> bool:
        """Whether λ blkdiag(0, I) − B(z) is proved positive definite for λ = `squared` and z moved up by `room`."""
        import flint

        n, d = self.n, self.d
        z = self.z + self.z_room * (room * squared)
        outer = self.X.transpose() * flint.arb_mat(
            [[flint.arb(z[i]) * self.X[i, k] for k in range(d)] for i in range(n)]
        )
        Q = -self.B
        for i in range(n):
            Q[i, i] += flint.arb(z[i])
        for k in range(d):
            for m in range(d):
                Q[n + k, n + m] -= outer[k, m]
            Q[n + k, n + k] += flint.arb(squared)
        return definite(Q, n + d)

    def _nonnegative(self, proof: Any) -> flint.arb_mat:
        """Nᵀ T N."""
        import flint

        n = self.n
        blocks = {name: [[flint.arb(0)] * n for _ in range(n)] for name in ("ss", "su", "uu")}
        for i, j, value in zip(proof["T_row"], proof["T_column"], proof["T_value"], strict=True):
            # Row i of (α, β) is ½(s + Xu) or ½(s − Xu).
            p, q, sign_p, sign_q = int(i % n), int(j % n), 1 if i < n else -1, 1 if j < n else -1
            quarter = flint.arb(float(value)) / 4
            for a, b, sign_a, sign_b in ((p, q, sign_p, sign_q), (q, p, sign_q, sign_p)):
                blocks["ss"][a][b] += quarter
                blocks["su"][a][b] += sign_b * quarter
                blocks["uu"][a][b] += sign_a * sign_b * quarter
        ss, su, uu = (flint.arb_mat(blocks[name]) for name in ("ss", "su", "uu"))
        side = su * self.X
        corner = self.X.transpose() * uu * self.X
        return _stack(_beside(ss, side), _beside(side.transpose(), corner))


def definite(Q: Any, size: int) -> bool:
    """Whether the symmetric ball matrix Q (size, size) is proved positive definite.

    By congruence with a factor in double precision, which badly scaled data can defeat; then, for small matrices, by
    elimination in balls throughout.
    """
    if size == 0:
        return True
    return _by_congruence(Q, size) or (size <= ELIMINATE and _by_elimination(Q, size))


def _by_congruence(Q: Any, size: int) -> bool:
    import flint

    middle = np.array([float(entry.mid()) for entry in Q.entries()]).reshape(size, size)
    try:
        factor = sl.cholesky((middle + middle.T) / 2, lower=True, check_finite=False)
    except np.linalg.LinAlgError:
        return False
    R = sl.solve_triangular(factor, np.eye(size), lower=True, check_finite=False)
    if not (np.isfinite(R).all() and np.all(np.diag(R) > 0)):
        return False
    near = flint.arb_mat(np.tril(R).tolist())
    return _row_sums_below_one(near * Q * near.transpose(), size)


def _by_elimination(Q: Any, size: int) -> bool:
    """Whether all pivots of symmetric Gaussian elimination in balls are positive."""
    rows = Q.tolist()
    for k in range(size):
        pivot = rows[k][k]
        if not pivot > 0:
            return False
        for i in range(k + 1, size):
            if rows[k][i].is_zero():
                continue
            factor = rows[k][i] / pivot
            for j in range(i, size):
                rows[i][j] -= factor * rows[k][j]
    return True


def _row_sums_below_one(product: Any, size: int) -> bool:
    """Whether every ball of `product` is within a row sum < 1 of the identity."""
    entries = product.entries()
    for i in range(size):
        total = 0.0
        for j in range(size):
            entry = entries[i * size + j] - (1 if i == j else 0)
            total += float(entry.abs_upper())
        if not total * (1 + 1e-12) < 1:
            return False
    return True


def _stack(top: Any, bottom: Any) -> flint.arb_mat:
    import flint

    return flint.arb_mat(top.tolist() + bottom.tolist())


def _beside(left: Any, right: Any) -> flint.arb_mat:
    import flint

    return flint.arb_mat([a + b for a, b in zip(left.tolist(), right.tolist(), strict=True)])
