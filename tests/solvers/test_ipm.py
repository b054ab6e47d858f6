"""The interior point: strictly feasible values, proved gaps, known optima, time limits, the same bits every time."""

import os
import subprocess
import sys
import time

import numpy as np
import pytest
from relaxbench.bench.engine.bootstrap import pinned
from relaxbench.datasets import load
from relaxbench.solvers.certificates.quadratic import certify
from relaxbench.solvers.fit import Status
from relaxbench.solvers.ipm import loop as ipm
from relaxbench.solvers.ipm.bounds import record
from relaxbench.solvers.ipm.loop import interior_point
from relaxbench.solvers.ipm.state import SETTINGS
from relaxbench.solvers.network import ProblemError
from relaxbench.solvers.problem import Problem
from relaxbench.solvers.reduced.dual import dual_value
from relaxbench.solvers.reduced.reduction import reduce
from relaxbench.solvers.sdp import relax

from ..support.cases import noise, quarter_turns, teacher, tight, train

GAP = 1.01e-6  # asked for 1e-6; the proof may cost a little more


def check_feasible(reduced, Z):
    """Z ⪰ 0, α_i β_i = 0, all other products of α and β ≥ 0, by an explicit N."""
    n, d, X = reduced.n, reduced.d, reduced.X
    identity = np.eye(n)
    N = np.block([[identity, X], [identity, -X]]) / 2
    products = N @ Z[: n + d, : n + d] @ N.T
    eigenvalues = np.linalg.eigvalsh(Z)
    assert eigenvalues[0] >= -1e-14 * eigenvalues[-1]  # as far as eigenvalues can be computed
    i = np.arange(n)
    assert np.abs(products[i, n + i]).max() <= 1e-14 * np.abs(products).max()
    products[i, n + i] = products[n + i, i] = 0.0
    assert products.min() >= 0


def explicit_value(reduced, Z):
    """½ tr Ȳᵀ(W⁻¹ + K/γ)⁻¹Ȳ + γ/2 tr U + constant, with K by neurons: R Rᵀ = Z."""
    n, d = reduced.n, reduced.d
    R = np.linalg.cholesky(Z[: n + d, : n + d])
    s, Xu = R[:n], reduced.X @ R[n:]
    live = reduced.weight > 0
    H = np.vstack([s + Xu, s - Xu])[live] / 2
    inside = np.diag(1 / reduced.weight[live]) + H @ H.T / reduced.gamma
    fit = 0.5 * np.sum(reduced.target[live] * np.linalg.solve(inside, reduced.target[live]))
    return fit + reduced.gamma / 2 * np.sum(R[n:] ** 2) + reduced.constant


def relative_gap(relaxation):
    return (relaxation.value - relaxation.certificate.lower_bound) / relaxation.value


@pytest.mark.parametrize("gamma", [0.1, 0.01])
@pytest.mark.parametrize("seed", [0, 1, 2, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(3, 20))])
def test_the_papers_random_data_are_solved_to_a_proved_gap(seed, gamma):
    problem = teacher(seed, gamma=gamma)
    reduced = reduce(problem)
    state = interior_point(reduced)
    assert state.status == "ok"
    check_feasible(reduced, state.Z)
    assert state.upper == pytest.approx(explicit_value(reduced, state.Z), rel=1e-9)
    certificate = certify(problem, reduced, state.dual)
    assert 0 <= state.upper * reduced.unit - certificate.lower_bound <= GAP * state.upper * reduced.unit
    assert dual_value(reduced, state.dual) * reduced.unit == pytest.approx(certificate.lower_bound, rel=1e-8)


@pytest.mark.parametrize("name", tight())
def test_known_optima_lie_in_the_interval(name):
    planted = tight()[name]
    relaxation = relax(planted.problem)
    assert relaxation.certificate.lower_bound <= planted.optimum * (1 + 1e-12)
    assert planted.optimum * (1 - 1e-12) <= relaxation.value  # the relaxation is exact here, and the point feasible
    assert relative_gap(relaxation) <= GAP


@pytest.mark.parametrize("seed", range(2))
def test_planted_atoms_are_above_the_bound(seed):
    planted = quarter_turns(seed)
    relaxation = relax(planted.problem)
    assert relaxation.certificate.lower_bound <= planted.optimum * (1 + 1e-12)
    assert relaxation.value <= planted.optimum * (1 + GAP)
    assert relative_gap(relaxation) <= GAP


@pytest.mark.parametrize("shape", [(12, 3, 1), (10, 6, 3), (5, 9, 2)])
def test_iterates_stay_feasible_whenever_they_are_stopped(shape):
    reduced = reduce(noise(1, *shape))
    for iterations in (0, 1, 4):
        state = interior_point(reduced, gap=1e-9, iterations=iterations)
        check_feasible(reduced, state.Z)
        assert state.upper == pytest.approx(explicit_value(reduced, state.Z), rel=1e-9)
        assert state.lower <= state.upper


def test_the_trace_closes_in_from_both_sides():
    relaxation = relax(noise(3, 10, 2, 2))
    rows = relaxation.trace
    for better in (
        [row.seconds for row in rows],
        [row.iteration for row in rows],
        [-row.value for row in rows],
        [row.bound for row in rows],
    ):
        assert better == sorted(better)
    assert all(row.bound <= row.value for row in rows)
    assert rows[-1].value == relaxation.value
    assert rows[-1].bound == pytest.approx(relaxation.certificate.lower_bound, rel=1e-8)
    assert relaxation.stats.iterations == rows[-1].iteration
    assert 0 < rows[-1].seconds <= relaxation.stats.solve_s


def test_a_time_limit_leaves_a_valid_interval():
    problem = teacher(0, n=80, d=4, c=3)
    began = time.perf_counter()
    relaxation = relax(problem, budget=0.05)
    assert time.perf_counter() - began < 60
    assert relaxation.status == "timeout"
    assert relaxation.stats.iterations < relax(problem).stats.iterations
    best = problem.objective(train(problem, 30, 2, 0))
    assert 0 < relaxation.certificate.lower_bound <= best
    assert relaxation.certificate.lower_bound <= relaxation.value < np.inf
    reduced = reduce(problem)
    check_feasible(reduced, interior_point(reduced, budget=0.05).Z)


def test_a_looser_gap_is_reached_sooner():
    problem = noise(3, 10, 2, 2)
    loose, close = relax(problem, gap=1e-2), relax(problem, gap=1e-8)
    assert loose.stats.iterations < close.stats.iterations
    assert GAP < relative_gap(loose) <= 1e-2
    assert relative_gap(close) <= 1e-7
    assert loose.certificate.lower_bound <= close.value
    assert close.certificate.lower_bound <= loose.value


def test_every_late_iterate_proves_what_its_complementarity_promises(monkeypatch):
    """Inequalities that were just let in must not void the bound of the iterate."""
    iris = load("iris")
    reduced = reduce(Problem(iris.X_train, iris.Y_train, 0.01))
    promised = []

    def recorded(state):
        record(state)
        it = state.it
        promised.append((state.gap, (len(it.Z) + len(it.x)) * it.mu(state.pairs.first) / state.upper))

    monkeypatch.setattr(ipm, "record", recorded)
    state = interior_point(reduced, gap=1e-6)
    late = [pair for pair in promised if 1e-6 < pair[1] < 1e-2]
    assert state.gap <= 1e-6
    assert len(late) >= 5
    assert all(gap <= 10 * complementarity for gap, complementarity in late)


@pytest.mark.parametrize(
    ("gamma", "other"),
    [(0.1, 10.0), *(pytest.param(*pair, marks=pytest.mark.slow) for pair in ((0.1, 0.01), (0.01, 0.03)))],
)
def test_another_gamma_starts_where_the_last_came_by(gamma, other):
    X, Y = teacher(2, n=30, d=3).X, teacher(2, n=30, d=3).Y
    cold = relax(Problem(X, Y, other))
    warm = relax(Problem(X, Y, other), warm=relax(Problem(X, Y, gamma)))
    assert relative_gap(warm) <= GAP
    assert warm.certificate.lower_bound <= cold.value
    assert cold.certificate.lower_bound <= warm.value
    assert warm.stats.iterations < cold.stats.iterations


def test_a_warm_start_of_other_data_is_refused():
    with pytest.raises(ProblemError, match="same X and Y"):
        relax(noise(3, 10, 2, 2), warm=relax(noise(3, 11, 2, 2)))


def test_the_same_problem_gives_the_same_bits():
    problem = Problem(*(np.vstack([A, A[:3]]) for A in (teacher(5, n=12).X, teacher(5, n=12).Y)), 0.1)
    first, second = relax(problem), relax(problem)
    assert first.value == second.value
    assert first.certificate.lower_bound == second.certificate.lower_bound
    assert np.array_equal(first.factor, second.factor)
    arrays = second.certificate.arrays()
    for name, array in first.certificate.arrays().items():
        assert np.array_equal(array, arrays[name]), name


TWICE = """
import hashlib, numba, numpy as np
from relaxbench.solvers.ipm.loop import interior_point
from relaxbench.solvers.problem import Problem
from relaxbench.solvers.reduced.reduction import reduce
rng = np.random.default_rng(0)
problem = reduce(Problem(rng.standard_normal((100, 4)), rng.standard_normal((100, 3)), 0.1))
print(numba.get_num_threads())
for _ in range(2):
    end = interior_point(problem, iterations=6)
    print(hashlib.sha256(end.Z.tobytes() + end.dual.theta.tobytes() + end.dual.T.tobytes()).hexdigest())
"""


@pytest.mark.thorough
def test_two_threads_give_the_same_bits_every_time():
    command, environment = [sys.executable, "-c", TWICE], {**os.environ, **pinned(2)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=300)
    threads, first, second = done.stdout.split()
    assert threads == "2"
    assert first == second


def test_termination_is_decided_in_one_place_and_in_this_order():
    state = ipm.init(reduce(noise(1, 6, 2, 1)), 1e-6, None)
    assert ipm.check(state, 0.0, 5) is None  # one iteration is always made
    state.iterations = 5
    assert ipm.check(state, None, 5) == (Status.ITERATION_LIMIT, "stopped after 5 iterations")
    assert ipm.check(state, 0.0, 5) == (Status.TIMEOUT, "")
    state.idle = SETTINGS.patience
    assert ipm.check(state, 0.0, 5)[0] == Status.STALLED
    state.gap_wanted = 1.0
    assert ipm.check(state, 0.0, 5) == (Status.OK, "")
