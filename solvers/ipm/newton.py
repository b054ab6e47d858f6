"""One iteration's linear algebra of the interior point: the HKM direction and its Schur matrix.

Constraints are pairs (i, j) of extended rows (those of lift.py, with the loss rows after them where they differ), A_k =
sym(n_i n_jᵀ), in the order: n diagonal ones (α_i, β_i) = 0; loss rows (r, v_k) + Θ_rk/w_r = ȳ_rk; active inequalities
(i, j) − x = 0 with x ≥ 0. S = C − Σ_k y_k A_k.

The Schur matrix is badly conditioned near the end, above all with nearly parallel rows, whose slacks are tiny from
the start. So its Cholesky factor only preconditions conjugate gradients on the operator itself, measured on the
direction that is really taken: without that, primal feasibility is lost long before the gap is closed.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import lapack

from ..network import Array
from ..reduced.lift import Mix, lift
from .boundary import ratio, to_boundary
from .entries import coefficients, entries, scatter
from .phases import Phases
from .points import Direction, Iterate, Pairs
from .schur import schur_rows

REFINE = 30  # conjugate gradient steps at most
ACCURATE = 1e-4  # error of a direction relative to the slacks and to the smallest eigenvalues of Z


class NewtonSystem:
    """Scaling at one iterate; `extend` adds constraints without factorising again what is there.

    X (n, d); cost: the diagonal of C (q,); right: ȳ on the loss rows; weight: w on the loss rows; phases: where
    the time is added up; mix: how the loss rows read α and β, as in lift.py.
    Raises numpy.linalg.LinAlgError if Z or S is not positive definite or the Schur matrix cannot be factorised.
    """

    def __init__(
        self,
        X: Array,
        cost: Array,
        right: Array,
        weight: Array,
        pairs: Pairs,
        it: Iterate,
        phases: Phases,
        mix: Mix = None,
    ) -> None:
        self.phases, self.mix = phases, mix
        self.X, self.cost, self.right, self.weight = X, cost, right, weight
        self.pairs, self.it, self.forms = pairs, it, coefficients(len(X), mix)
        self.chol_Z, self.chol_S = it.roots or (cholesky(it.Z), cholesky(it.S))
        self.inverse_chol_S = _inverse_lower(self.chol_S)
        self.S_inverse = self.inverse_chol_S.T @ self.inverse_chol_S
        inverse_chol_Z = _inverse_lower(self.chol_Z)
        self.Z_inverse_diagonal = np.einsum("ki,ki->i", inverse_chol_Z, inverse_chol_Z)[: len(X)]
        self.inverse_chol_Z = inverse_chol_Z
        self.lifted_Z = lift(X, it.Z, mix)
        self.ridge = 0.0
        with phases("assembly"):
            self._prepare()
        self._units()
        self._factorise()
        self._residuals()

    def multiply(self, y: Array) -> Array:
        """Apply the adjoint of the constraints.

        Args:
            y: one number a constraint (m,).

        Returns:
            Σ_k y_k A_k (q, q).
        """
        return scatter(self.X, self.forms, len(self.it.Z), self.pairs.i, self.pairs.j, y)

    def entries(self, A: Array) -> Array:
        """Apply the constraints.

        Args:
            A: symmetric (q, q).

        Returns:
            ⟨A_k, A⟩ of every constraint k (m,).
        """
        return entries(self.X, self.forms, A, self.pairs.i, self.pairs.j)

    def extend(self, i: np.ndarray, j: np.ndarray, mu: float) -> None:
        """Let inequalities in, centred at x = entry (i, j) of the lifted Z.

        Args:
            i: their rows.
            j: their columns.
            mu: the μ to centre at.
        """
        self.pairs = self.pairs.add(i, j)
        self.it = self.it.add(self.lifted_Z[i, j], mu)
        self._units()
        with self.phases("factor"):
            self._extend_factor(len(i))
        self._residuals()

    def direction(self, mu: float, predictor: Direction | None = None) -> Direction:
        """Compute the HKM direction.

        Args:
            mu: the μ to go towards.
            predictor: a direction whose second-order term (Mehrotra) is taken in.

        Returns:
            The step.
        """
        it, first = self.it, self.pairs.first
        base = mu * self.S_inverse - it.Z
        towards = np.full(len(it.x), mu)
        if predictor is not None:
            base = base - self._second_order(predictor)
            towards = towards - predictor.x * predictor.y[first:]
        slack_target = towards / it.y[first:]
        target = self._target(slack_target)
        right = target - self.entries(base - self.scaled_residual)
        y = self._solve(right)
        S = self.dual_residual - self.multiply(y)
        Z = base - self._scaled(S)
        y, S, Z = self._refine(target, y, S, Z)
        return Direction(Z, S, y, slack_target - it.x - it.x / it.y[first:] * y[first:])

    def step_lengths(self, step: Direction) -> tuple[float, float]:
        """Find the longest steps that stay in the cones (before any fraction to the boundary).

        Args:
            step: the direction.

        Returns:
            The primal and the dual step length.
        """
        with self.phases("lengths"):
            primal, dual = to_boundary(step.Z, self.inverse_chol_Z), to_boundary(step.S, self.inverse_chol_S)
        first = self.pairs.first
        if len(self.it.x):
            primal = min(primal, ratio(step.x, self.it.x), ratio(self.entries(step.Z)[first:], self.it.x))
            dual = min(dual, ratio(step.y[first:], self.it.y[first:]))
        return primal, dual

    def _units(self) -> None:
        """D in O = A (Z ⊗ S⁻¹) Aᵀ + D, and in what units a residual does harm, of every constraint."""
        pairs, it = self.pairs, self.it
        self.diagonal = np.concatenate([np.zeros(pairs.n), 1 / self.weight, it.x / it.y[pairs.first :]])
        self.harm = np.concatenate([4 * self.Z_inverse_diagonal, np.full(pairs.losses, 100.0), 1 / it.x])

    def _residuals(self) -> None:
        self.dual_residual = np.diag(self.cost) - self.multiply(self.it.y) - self.it.S
        self.scaled_residual = self._scaled(self.dual_residual)

    def _scaled(self, A: Array) -> Array:
        """sym(Z A S⁻¹): what a change −A of S does to Z."""
        B = self.it.Z @ A @ self.S_inverse
        return (B + B.T) / 2

    def _second_order(self, predictor: Direction) -> Array:
        """sym(dZ dS S⁻¹)."""
        B = predictor.Z @ predictor.S @ self.S_inverse
        return (B + B.T) / 2

    def _target(self, slack_target: Array) -> Array:
        """What A(dZ) + D dy has to be."""
        n, first, i, j = self.pairs.n, self.pairs.first, self.pairs.i, self.pairs.j
        target = -self.lifted_Z[i, j]
        target[n:first] += self.right - self.it.y[n:first] / self.weight
        target[first:] += slack_target
        return target

    def _refine(self, target: Array, y: Array, S: Array, Z: Array) -> tuple[Array, Array, Array]:
        """Conjugate gradients on A(dZ) + D dy = target, preconditioned by the factor, best iterate kept."""
        residual = target - self.entries(Z) - self.diagonal * y
        best = (self._error(residual), y, S, Z)
        search, rho = np.zeros_like(y), 1.0
        for step in range(REFINE):
            if best[0] < ACCURATE:
                break
            preconditioned = self._solve(residual)
            previous, rho = rho, float(residual @ preconditioned)
            search = preconditioned + (rho / previous) * search if step else preconditioned
            A = self.multiply(search)
            B = self._scaled(A)
            curvature = float(search @ (self.entries(B) + self.diagonal * search))
            if not (curvature > 0 and rho > 0):
                break
            length = rho / curvature
            y, S, Z = y + length * search, S - length * A, Z + length * B
            residual = target - self.entries(Z) - self.diagonal * y
            error = self._error(residual)
            if error < best[0]:
                best = (error, y, S, Z)
        return best[1:]

    def _error(self, residual: Array) -> float:
        """Largest residual in the units in which it does harm; near 1 it costs feasibility."""
        return float((np.abs(residual) * self.harm).max())

    def _prepare(self) -> None:
        """What the Schur matrix is made of."""
        self.lifted_S = lift(self.X, self.S_inverse, self.mix)

    def _schur_rows(self, first: int) -> Array:
        """Rows `first`… of the lower triangle of the matrix to factorise, its diagonal D included."""
        rows = schur_rows(self.lifted_Z, self.lifted_S, self.pairs.i, self.pairs.j, first)
        rows[np.arange(len(rows)), first + np.arange(len(rows))] += self.diagonal[first:]
        return rows

    def _solve(self, right: Array) -> Array:
        """Approximate solution of O y = right, m entries."""
        return self._back_substitute(right)

    def _back_substitute(self, right: Array) -> Array:
        """By blocks: the factor is upper triangular, [factor side; 0 corner] where it has been bordered."""
        if self.border is None:
            return lapack.dpotrs(self.factor, right, lower=0)[0]
        side, corner = self.border
        old = len(self.factor)
        upper = lapack.dtrtrs(self.factor, right[:old], trans=1)[0]
        lower = lapack.dpotrs(corner, right[old:] - side.T @ upper, lower=0)[0]
        return np.concatenate([lapack.dtrtrs(self.factor, upper - side @ lower)[0], lower])

    def _factorise(self) -> None:
        """Cholesky in place: where it fails for rounding, the matrix is assembled again with a ridge."""
        self.border: tuple[Array, Array] | None = None
        for ridge in (0.0, 1e-15, 1e-13, 1e-11, 1e-9, 1e-7):
            with self.phases("assembly"):
                matrix = self._schur_rows(0)
                matrix[np.diag_indices_from(matrix)] *= 1 + ridge
            with self.phases("factor"):
                self.factor, info = lapack.dpotrf(matrix.T, lower=0, clean=0, overwrite_a=1)
            self.ridge = ridge
            if info == 0:
                return
        raise np.linalg.LinAlgError("The Schur matrix cannot be factorised.")

    def _extend_factor(self, count: int) -> None:
        """Border the Cholesky factor by `count` constraints instead of computing it anew."""
        if self.border is not None:
            self._factorise()
            return
        old = len(self.factor)
        with self.phases("assembly"):
            rows = self._schur_rows(old)
        corner = np.asfortranarray(rows[:, old:].T)
        corner[np.diag_indices_from(corner)] *= 1 + self.ridge
        side = lapack.dtrtrs(self.factor, rows[:, :old].T, trans=1)[0]
        corner -= side.T @ side
        corner, info = lapack.dpotrf(corner, lower=0, clean=0, overwrite_a=1)
        if info != 0:
            self._factorise()
            return
        self.border = side, corner


def cholesky(A: Array) -> Array:
    """The factor L of A = L Lᵀ; raises numpy.linalg.LinAlgError where A is not positive definite."""
    return np.asarray(np.linalg.cholesky(A), dtype=np.float64)


def _inverse_lower(L: Array) -> Array:
    inverse, _ = lapack.dtrtri(L, lower=1)
    return np.tril(inverse)
