"""The interior point's linear algebra against explicit constraint matrices and the equations of its directions."""

import time

import numpy as np
import pytest
from relaxbench.solvers.ipm.boundary import SMALL, to_boundary
from relaxbench.solvers.ipm.many_outputs import EliminatedSystem
from relaxbench.solvers.ipm.newton import NewtonSystem
from relaxbench.solvers.ipm.phases import Phases
from relaxbench.solvers.ipm.points import Iterate, Pairs
from relaxbench.solvers.ipm.schur import schur_rows
from scipy.linalg import block_diag, sqrtm

SHAPES = [(1, 1, 1), (3, 2, 2), (4, 2, 1), (3, 4, 2)]
INSIDE = 1e-9


class Case:
    """A strictly feasible primal iterate and any positive dual one, for random data with every constraint explicit."""

    def __init__(self, n, d, c, seed=0, inequalities=True):
        rng = np.random.default_rng(seed)
        self.n, self.c, self.X = n, c, rng.standard_normal((n, d))
        self.rows = np.sort(rng.permutation(2 * n)[: n + n // 2])
        losses = c * len(self.rows)
        self.cost = np.r_[np.zeros(n), np.full(d + c, 0.15)]
        self.right = rng.standard_normal(losses)
        self.weight = np.repeat(rng.uniform(0.5, 3, len(self.rows)), c)
        i = np.r_[np.arange(n), np.repeat(self.rows, c)]
        j = np.r_[n + np.arange(n), 2 * n + np.tile(np.arange(c), len(self.rows))]
        self.pairs = Pairs(i, j, n, losses)
        upper, lower = np.nonzero(np.triu(np.ones((2 * n, 2 * n)), 1) - np.eye(2 * n, k=n))
        self.all = upper, lower
        self.Z = self.feasible(rng)
        chosen = rng.permutation(len(upper))[: len(upper) // 2] if inequalities else []
        self.pairs = self.pairs.add(upper[chosen], lower[chosen])
        R = rng.standard_normal((n + d + c, n + d + c))
        x = self.entries(self.Z)[self.pairs.first :]
        self.y = np.r_[rng.standard_normal(n + losses), rng.uniform(0.1, 1, len(x))]
        self.it = Iterate(self.Z, R @ R.T + 0.1 * np.eye(n + d + c), x, self.y, np.zeros(len(x)))

    def feasible(self, rng):
        """Second moments of random neurons and their v, which satisfy every constraint, with many of them."""
        U, V = rng.standard_normal((self.X.shape[1], 400)), rng.standard_normal((self.c, 400))
        R = np.vstack([np.abs(self.X @ U), U, V])
        return R @ R.T / 400

    def matrices(self, pairs=None):
        """A_k = ½ (n_i n_jᵀ + n_j n_iᵀ), n_i the rows of blkdiag(N, I)."""
        pairs = pairs or self.pairs
        identity = np.eye(self.n)
        N = block_diag(np.block([[identity, self.X], [identity, -self.X]]) / 2, np.eye(self.c))
        return [(np.outer(N[i], N[j]) + np.outer(N[j], N[i])) / 2 for i, j in zip(pairs.i, pairs.j, strict=True)]

    def entries(self, Z, pairs=None):
        return np.array([np.sum(A * Z) for A in self.matrices(pairs)])

    def system(self, kind=NewtonSystem):
        return kind(self.X, self.cost, self.right, self.weight, self.pairs, self.it, Phases())


def check_linear(case, system, step):
    """The primal and dual equations, which no scaling changes."""
    pairs, it = system.pairs, system.it
    n, first, A = pairs.n, pairs.first, case.matrices(pairs)
    after = np.array([np.sum(a * (it.Z + step.Z)) for a in A])
    y, x = it.y + step.y, it.x + step.x
    np.testing.assert_allclose(after[:n], 0, atol=INSIDE)
    np.testing.assert_allclose(after[n:first] + y[n:first] / case.weight, case.right, atol=INSIDE)
    np.testing.assert_allclose(after[first:], x, atol=INSIDE)
    dual = np.diag(case.cost) - sum(t * a for t, a in zip(y, A, strict=True))
    np.testing.assert_allclose(it.S + step.S, dual, atol=INSIDE)


def check_equations(case, system, mu, step, predictor=None):
    """All equations of the HKM direction, term by term: dZ + sym(Z dS S⁻¹) = μS⁻¹ − Z − sym(dZ' dS' S⁻¹)."""
    check_linear(case, system, step)
    it, first = system.it, system.pairs.first
    inverse = np.linalg.inv(it.S)
    turned = it.Z @ step.S @ inverse
    right = mu * inverse - it.Z
    towards = mu - it.x * it.y[first:]
    if predictor is not None:
        second = predictor.Z @ predictor.S @ inverse
        right = right - (second + second.T) / 2
        towards = towards - predictor.x * predictor.y[first:]
    size = np.abs(step.Z).max() + np.abs(turned).max()
    np.testing.assert_allclose(step.Z + (turned + turned.T) / 2, right, atol=INSIDE * size)
    np.testing.assert_allclose(it.x * step.y[first:] + it.y[first:] * step.x, towards, atol=INSIDE)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("inequalities", [True, False])
def test_directions_solve_their_equations(shape, inequalities):
    case = Case(*shape, inequalities=inequalities)
    system = case.system()
    predictor = system.direction(0.0)
    check_equations(case, system, 0.0, predictor)
    check_equations(case, system, 0.3, system.direction(0.3))
    check_equations(case, system, 0.3, system.direction(0.3, predictor), predictor)


@pytest.mark.parametrize("shape", SHAPES[1:])
def test_new_inequalities_enter_the_equations_centred(shape):
    case = Case(*shape)
    system = case.system()
    old = set(zip(case.pairs.i, case.pairs.j, strict=True))
    i, j = np.array([pair for pair in zip(*case.all, strict=True) if pair not in old]).T
    system.extend(i, j, 0.2)
    fresh = len(i)
    assert len(system.pairs.i) == len(case.pairs.i) + fresh
    np.testing.assert_allclose(system.it.x, case.entries(case.Z, system.pairs)[case.pairs.first :], atol=1e-12)
    np.testing.assert_allclose(system.it.x[-fresh:] * system.it.y[-fresh:], 0.2)
    predictor = system.direction(0.0)
    check_equations(case, system, 0.0, predictor)
    check_equations(case, system, 0.1, system.direction(0.1, predictor), predictor)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("grown", [False, True])
def test_eliminating_the_loss_rows_solves_the_equations_of_nesterov_and_todd(shape, grown):
    """dZ + W dS W = μS⁻¹ − Z − H with WSW = Z, and ZW⁻¹H + HW⁻¹Z = dZ'dS'W + W dS'dZ' for the predictor's steps."""
    case = Case(*shape)
    system = case.system(EliminatedSystem)
    if grown and shape != (1, 1, 1):
        old = set(zip(case.pairs.i, case.pairs.j, strict=True))
        i, j = np.array([pair for pair in zip(*case.all, strict=True) if pair not in old]).T
        system.extend(i, j, 0.2)
    it, first = system.it, system.pairs.first
    root = sqrtm(it.Z).real
    W = root @ np.linalg.inv(sqrtm(root @ it.S @ root).real) @ root
    np.testing.assert_allclose(W @ it.S @ W, it.Z, atol=1e-10 * np.abs(it.Z).max())
    inverse, W_inverse = np.linalg.inv(it.S), np.linalg.inv(W)

    predictor = system.direction(0.0)
    check_linear(case, system, predictor)
    size = np.abs(predictor.Z).max()
    np.testing.assert_allclose(predictor.Z + W @ predictor.S @ W, -it.Z, atol=1e-8 * size)

    step = system.direction(0.3, predictor)
    check_linear(case, system, step)
    H = 0.3 * inverse - it.Z - step.Z - W @ step.S @ W
    left, right = it.Z @ W_inverse @ H, predictor.Z @ predictor.S @ W
    np.testing.assert_allclose(left + left.T, right + right.T, atol=1e-7 * np.abs(right).max())
    towards = 0.3 - it.x * it.y[first:] - predictor.x * predictor.y[first:]
    np.testing.assert_allclose(it.x * step.y[first:] + it.y[first:] * step.x, towards, atol=INSIDE)


def test_a_direction_that_is_changed_breaks_its_equations():
    """The check itself: one entry of dy that is off by 10⁻⁶ of its size is seen."""
    case = Case(3, 2, 2)
    system = case.system()
    step = system.direction(0.3)
    for k in (0, 4, -1):
        step.y[k] *= 1 + 1e-6
        with pytest.raises(AssertionError):
            check_equations(case, system, 0.3, step)
        step.y[k] /= 1 + 1e-6
    check_equations(case, system, 0.3, step)


@pytest.mark.parametrize("shape", SHAPES)
def test_multiply_is_the_sum_of_the_matrices(shape):
    case = Case(*shape)
    expected = sum(t * A for t, A in zip(case.y, case.matrices(), strict=True))
    np.testing.assert_allclose(case.system().multiply(case.y), expected, atol=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_step_lengths_end_at_the_first_face(seed):
    """Z, x, the current inequalities, S and y stay positive up to the step and something ends there."""
    case = Case(3, 2, 2, seed)
    system = case.system()
    step = system.direction(0.0)
    it, first = case.it, case.pairs.first

    def primal_room(t):
        Z = it.Z + t * step.Z
        return min(np.linalg.eigvalsh(Z)[0], np.min(it.x + t * step.x), np.min(case.entries(Z)[first:]))

    def dual_room(t):
        return min(np.linalg.eigvalsh(it.S + t * step.S)[0], np.min((it.y + t * step.y)[first:]))

    for length, room in zip(system.step_lengths(step), (primal_room, dual_room), strict=True):
        assert 0 < length < np.inf
        assert room(length * (1 - 1e-7)) > 0
        assert room(length * (1 + 1e-6)) < 0


@pytest.mark.parametrize("which", ["Z", "S"])
def test_what_is_not_positive_definite_is_refused(which):
    case = Case(3, 2, 2)
    getattr(case.it, which)[0, 0] = -1.0
    with pytest.raises(np.linalg.LinAlgError):
        case.system()


def test_mu_is_complementarity_per_dimension():
    case = Case(3, 2, 2)
    it, first = case.it, case.pairs.first
    total = np.trace(it.Z @ it.S) + it.x @ it.y[first:]
    assert it.mu(first) == pytest.approx(total / (7 + len(it.x)))


@pytest.mark.parametrize("first", [0, 5])
@pytest.mark.parametrize("shape", SHAPES[1:])
def test_the_schur_matrix_is_made_of_traces(shape, first):
    """O_kl = ½ tr(A_k Z A_l S⁻¹ + A_k S⁻¹ A_l Z), lower triangle, rows from `first` on."""
    case = Case(*shape)
    system, A = case.system(), case.matrices()
    inverse = np.linalg.inv(case.it.S)
    expected = np.array([[np.trace(a @ case.Z @ b @ inverse + a @ inverse @ b @ case.Z) / 2 for b in A] for a in A])
    found = schur_rows(system.lifted_Z, system.lifted_S, case.pairs.i, case.pairs.j, first)
    np.testing.assert_allclose(found, np.tril(expected)[first:], atol=1e-12 * np.abs(expected).max())


@pytest.mark.parametrize("seed", range(5))
def test_long_matrices_end_their_steps_just_before_the_boundary(seed):
    """By Lanczos, against all eigenvalues; with clustered ones, as near the end."""
    rng = np.random.default_rng(seed)
    size = 3 * SMALL
    values = np.r_[-np.geomspace(1, 3, 5), rng.standard_normal(size - 5) * 0.1]
    Q = np.linalg.qr(rng.standard_normal((size, size)))[0]
    R = np.tril(rng.standard_normal((size, size))) + 20 * np.eye(size)
    step = R @ ((Q * values) @ Q.T) @ R.T
    length = to_boundary((step + step.T) / 2, np.linalg.inv(R))
    assert 0.99 / 3 <= length <= (1 + 1e-9) / 3


def test_phases_count_what_is_within_once():
    phases = Phases()
    with phases("outer"):
        with phases("inner"):
            time.sleep(0.02)
        with phases("inner"):
            time.sleep(0.01)
    assert phases.seconds["inner"] >= 0.03
    assert phases.seconds["outer"] < 0.02
