"""Forgeries that a check once took for proofs, each at the size at which it was worth something."""

from functools import cache

import numpy as np
import pytest
from relaxbench.solvers.branch import branch
from relaxbench.solvers.certificates.certificate import Certificate
from relaxbench.solvers.checker import verify
from relaxbench.solvers.problem import Problem
from sklearn.datasets import load_iris

from ..support.cases import noise
from .honest import ARCS, CELLS, COVER, DNN, Case, judge
from .line import on_a_line
from .truth import truth

NONE = np.zeros(0, int)
XOR = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
HALVES = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])


def apart(X, **arrays):
    """A proof in one cell for rows that all stand for themselves, with no multipliers but z = 0."""
    n = len(X)
    proof = {"rows": np.arange(n), "rep": np.arange(n), "coef": np.ones(n), "z": np.zeros(n), "tree": np.array([-1])}
    proof |= dict.fromkeys(("T_row", "T_column", "T_cell"), NONE)
    proof |= dict.fromkeys(("circuit_head", "circuit_cell", "circuit_form", "circuit_row"), NONE)
    return proof | {"T_value": np.zeros(0), "planes": np.zeros(0), "circuit_value": np.zeros(0)} | arrays


def circuit_of_itself(X, head, row, small=2.0**-150):
    """x_head = small·x_head + x_row, where `row` is the same row: what is left is a ball about 0."""
    circuit = {"circuit_head": [head], "circuit_cell": [-1], "circuit_form": [0, 0], "circuit_row": [head, row]}
    found = apart(X, **{name: np.array(value) for name, value in circuit.items()})
    forms = 2 * len(X)
    T = {"T_cell": [0], "T_row": [0], "T_column": [forms], "T_value": [1.0]}
    return found | {"circuit_value": np.array([small, 1.0])} | {name: np.array(value) for name, value in T.items()}


@pytest.mark.parametrize("small", [2.0**-150, 2.0**-53, 2.0**-106, 2.0**-128, 2.0**-1000, 5e-324])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_circuit_whose_rest_is_a_ball_about_zero(small, sign):
    problem = noise(0, 4, 2, 2)
    X, Y = np.vstack([problem.X, problem.X[:1]]), np.vstack([problem.Y, problem.Y[:1]])
    proof = circuit_of_itself(X, 0, 4, sign * small)
    for z in (0.0, 1.0, 1e6):
        tried = Certificate(CELLS, Y, proof | {"z": np.full(5, z)}, 0.0)
        judge(Case("a ball about 0", tried, X, Y, 0.1, truth(Problem(X, Y, 0.1))))


def test_the_circuit_of_itself_proves_nothing_about_iris():
    """Once all of ½‖Y‖² for one-hot classes at γ = 0.1."""
    iris = load_iris()
    X, Y = np.ascontiguousarray(iris.data[::5]), np.eye(3)[iris.target[::5]]
    X = np.vstack([X, X[:1]])
    Y = np.vstack([Y, Y[:1]])
    proof = circuit_of_itself(X, 0, len(X) - 1) | {"T_value": np.array([1e-9])}
    for z in (1.0, 20.0, 1e3):
        tried = Certificate(CELLS, Y, proof | {"z": np.full(len(X), z)}, 0.0)
        assert verify(tried, X, Y, 0.1) < 0.3 * np.sum(Y**2)


@cache
def truth_of_xor():
    return truth(Problem(XOR, HALVES, 0.01))


@pytest.mark.parametrize("power", [-540, -538, 1000])
def test_a_cover_by_cones_whose_squares_vanish(power):
    """Once 1.98 of ½‖Y‖² = 2 at 2^-538 or so, where a network has 0.04."""
    T = np.ldexp(np.eye(2), power)
    proof = {"basis": np.eye(2), "transform": T, "splits": np.zeros(4, np.uint8), "offsets": np.arange(4)}
    tried = Certificate(COVER, HALVES, proof, 0.0)
    judge(Case(f"transform 2^{power}", tried, XOR, HALVES, 0.01, truth_of_xor()))


@pytest.mark.parametrize("x", [1e-163, 1e-200, 1e-300, 5e-324, -1e-163])
def test_a_row_that_is_talked_away_as_its_square_vanishes(x):
    """Rows that no row stands for; a network has 1e-10 where ½ was once proved."""
    for gamma in (1e-173, 5e-324, abs(x) * 1e-3):
        for case in on_a_line(f"x = {x}", np.array([x]), np.ones(1), max(gamma, 5e-324), np.ones(1)):
            judge(case)
        proof = {"rows": NONE, "rep": np.array([-1]), "coef": np.zeros(1), "z": np.zeros(0)}
        proof |= {"T_row": NONE, "T_column": NONE, "T_value": np.zeros(0)}
        for case in on_a_line(f"x = {x}", np.array([x]), np.ones(1), max(gamma, 5e-324), np.ones(1)):
            if case.certificate.kind == DNN:
                judge(case.with_certificate(f"{case.name}, no representatives", proof=proof))


@pytest.mark.parametrize("kind", [ARCS, COVER])
@pytest.mark.parametrize("size", [1e-162, 1e-200])
def test_rows_of_theta_whose_squares_vanish_count(kind, size):
    """Θ = Y below 1e-162: it was left out, and so feasible for any γ."""
    gamma = 1e-3 * size
    Y = size * HALVES
    proof = {"basis": np.eye(2), "transform": np.eye(2), "splits": np.zeros(4, np.uint8), "offsets": np.arange(4)}
    tried = Certificate(kind, Y, proof if kind == COVER else {}, 0.0)
    found = verify(tried, XOR, Y, gamma)
    assert found <= 0.01 * size * size


def test_a_tree_too_deep_for_recursion_does_not_stop_the_check():
    problem = noise(1, 3, 2, 1)
    deep, d = 20_000, 2
    planes = np.random.default_rng(0).standard_normal(deep * d)
    tree = np.r_[3 + np.arange(deep), np.full(deep + 1, -1)]
    proof = apart(problem.X, tree=tree, planes=planes, z=np.ones(3 * (deep + 1)))
    judge(Case("deep", Certificate(CELLS, problem.Y, proof, 0.0), problem.X, problem.Y, 0.1, truth(problem)))


@pytest.mark.parametrize("kind", [DNN, CELLS, ARCS, COVER])
@pytest.mark.parametrize("dtype", [np.longdouble, np.float16, np.float32, object, complex])
def test_theta_of_any_type_does_not_stop_the_check(kind, dtype):
    for case in on_a_line("types", np.array([1.0, -2.0]), np.ones(2), 0.1, np.ones(2)):
        if case.certificate.kind == kind:
            theta = case.certificate.theta.astype(dtype)
            judge(case.with_certificate(f"{case.name} {dtype}", theta=theta))


@pytest.mark.parametrize("size", [1e150, 1e160, 1e200, 1e300, 1.7e308])
def test_data_whose_squares_overflow_do_not_stop_the_check(size):
    for case in on_a_line("huge", size * np.array([1.0, -0.7]), np.ones(2), 0.1, np.ones(2)):
        judge(case)
    for case in on_a_line("huge", np.array([1.0, -0.7]), size * np.ones(2), 0.1, size * np.ones(2)):
        judge(case)


@pytest.mark.parametrize("dtype", [np.uint8, np.int8])
def test_narrow_integers_do_not_wrap(dtype):
    """Representative 126 of 130 is number 256 among the β, which is 0 to uint8."""
    count = 130
    x = np.linspace(1, 2, count)
    for case in on_a_line("narrow", np.r_[x, -x], np.ones(2 * count), 0.1, np.ones(2 * count)):
        if case.certificate.kind != DNN or len(case.proof["rows"]) > 1:
            continue
        rows = np.arange(count)
        turned = {"rows": rows, "rep": np.r_[rows, rows], "coef": np.r_[np.ones(count), -np.ones(count)]}
        it = case.with_proof(f"{case.name} {dtype}", **turned, z=np.ones(count))
        judge(it.with_proof(it.name, rep=it.proof["rep"].astype(dtype), rows=rows.astype(dtype)))


def test_the_bound_of_another_problem_is_not_taken_over():
    one, other = noise(27, 5, 2, 2), noise(28, 5, 2, 2)
    certificate = branch(one, gap=1e-3, cells=40).certificate
    judge(Case("moved", certificate, other.X, other.Y, other.gamma, truth(other)))
