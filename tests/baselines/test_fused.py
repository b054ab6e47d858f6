"""The fused loop of gradient descent against JAX's, finite differences and itself."""

import numba
import numpy as np
import pytest
from relaxbench.baselines import fused
from relaxbench.baselines.descent import HALVINGS, Data, Rule, State, compile_descent
from relaxbench.baselines.fused import Room, compile_fused
from relaxbench.baselines.sgd import _start, sgd, sgd_seeds
from relaxbench.solvers.network import Network
from relaxbench.solvers.problem import Problem
from scipy.optimize import approx_fprime


def random_problem(n=12, d=2, c=3, gamma=0.1, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d))
    Y = np.maximum(X @ rng.normal(size=(d, 20)), 0) @ rng.normal(size=(20, c))
    return Problem(X, Y, gamma)


def both_ends(problem, *, width, epochs, rate=None, safeguard=True, patience=20, chunk=7):
    """The states of the fused loop, advanced in chunks, and of JAX's, advanced at once, and the data."""
    rule = Rule("momentum", None, safeguard)
    data, state = _start(problem.scaled.problem, width, [3], rule, rate, patience)
    advance, _ = compile_fused(data, state, rule)
    fine = state
    for done in range(0, epochs, chunk):
        fine = advance(data, fine, min(chunk, epochs - done))
    loop, _ = compile_descent(data, state, rule)
    return fine, State(*loop(data, state, epochs)), data


def assert_same(fine, other, rtol=1e-7):
    for name in ("stale", "halvings", "epoch", "running", "diverged", "rate"):
        assert getattr(fine, name)[0] == np.asarray(getattr(other, name))[0], name
    for name in ("best", "loss", "mark"):
        np.testing.assert_allclose(getattr(fine, name), getattr(other, name), rtol=rtol)
    for name in ("weights", "best_weights"):
        for mine, its in zip(getattr(fine, name), getattr(other, name), strict=True):
            np.testing.assert_allclose(mine, its, rtol=rtol, atol=rtol)


def scaled_objective(problem, weights, k=0):
    return problem.scaled.problem.objective(Network(weights[0][k].T, weights[1][k].T))


@pytest.mark.parametrize(
    ("shape", "width"),
    [
        ({}, 6),
        ({"n": 1, "d": 1, "c": 1}, 1),
        ({"n": 1, "d": 3, "c": 2}, 5),
        ({"n": 30, "d": 1, "c": 1}, 9),
        ({"n": 9, "d": 12, "c": 1}, 4),
        ({"n": 40, "d": 3, "c": 7, "gamma": 1e-6}, 33),
        ({"gamma": 100.0}, 8),
    ],
)
def test_it_goes_the_way_of_the_other_loop(shape, width):
    problem = random_problem(**shape)
    fine, other, _ = both_ends(problem, width=width, epochs=300, patience=50)
    assert_same(fine, other)
    assert scaled_objective(problem, fine.best_weights) == pytest.approx(fine.best[0], rel=1e-12)


@pytest.mark.parametrize("rate", [0.05, 1.0, 1e3, 1e200])
def test_a_run_that_blows_up_goes_back_like_the_other(rate):
    problem = random_problem()
    fine, other, _ = both_ends(problem, width=6, epochs=60, rate=rate)
    assert fine.halvings[0] > 0
    assert_same(fine, other)
    assert scaled_objective(problem, fine.best_weights) == pytest.approx(fine.best[0], rel=1e-12)


@pytest.mark.parametrize("rate", [10.0, 1e3, 1e150])
def test_a_run_that_diverges_ends_in_the_same_epoch(rate):
    problem = random_problem()
    fine, other, _ = both_ends(problem, width=6, epochs=200, rate=rate, safeguard=False)
    assert fine.diverged[0]
    assert not fine.running[0]
    assert fine.epoch[0] == np.asarray(other.epoch)[0] < 200
    assert scaled_objective(problem, fine.best_weights) == pytest.approx(fine.best[0], rel=1e-12)
    np.testing.assert_allclose(fine.best, other.best, rtol=1e-9)


def test_a_run_ends_with_the_twelfth_halving():
    fine, other, data = both_ends(random_problem(), width=6, epochs=3000, patience=2, rate=1e-9)
    assert fine.halvings[0] == HALVINGS
    assert not fine.running[0]
    assert_same(fine, other)
    again = compile_fused(data, fine, Rule("momentum", None, True))[0](data, fine, 100)
    assert again.epoch[0] == fine.epoch[0]


def test_data_without_anything_to_learn():
    problem = Problem(np.zeros((4, 2)), np.zeros((4, 3)), 0.1)
    fine, other, _ = both_ends(problem, width=3, epochs=100, rate=0.1)
    assert_same(fine, other)


@pytest.mark.thorough
def test_the_gradient_is_that_of_finite_differences():
    problem = random_problem()
    n, d, c, m = problem.n, problem.d, problem.c, 4
    room = Room(np.empty((n, m)), np.empty((n, m)), np.empty((c, n)), np.empty((d + c, m)))
    X, XT, YT = problem.X, np.ascontiguousarray(problem.X.T), np.ascontiguousarray(problem.Y.T)
    W = np.random.default_rng(1).normal(size=(d + c, m))

    def value(w):
        U, VT = np.split(w.reshape(d + c, m), [d])
        return problem.objective(Network(U, VT.T))

    assert fused._gradient(X, XT, YT, W, 0.1, room) == pytest.approx(value(W.ravel()), rel=1e-13)
    np.testing.assert_allclose(room.dW.ravel(), approx_fprime(W.ravel(), value, 1e-7), rtol=1e-4, atol=1e-4)


def test_chunks_repetitions_and_company_change_no_bit():
    problem = random_problem(n=31, d=3, c=2)
    rule = Rule("momentum", None, True)
    data, state = _start(problem.scaled.problem, 37, [3, 1, 4], rule, None, 20)
    advance, _ = compile_fused(data, state, rule)
    whole = advance(data, state, 700)
    parts = advance(data, advance(data, advance(data, state, 1), 200), 499)
    for k, seed in enumerate([3, 1, 4]):
        alone = advance(*_start(problem.scaled.problem, 37, [seed], rule, None, 20), 700)
        for end, place in ((parts, k), (alone, 0)):
            for name in ("weights", "best_weights"):
                for mine, its in zip(getattr(whole, name), getattr(end, name), strict=True):
                    np.testing.assert_array_equal(mine[k], its[place])
            assert whole.best[k] == end.best[place]


def test_seeds_side_by_side_are_each_what_it_is_alone():
    problem = random_problem(n=80, d=4)
    together = sgd_seeds(problem, width=50, seeds=range(6), epochs=400)
    for seed, fit in enumerate(together):
        alone = sgd(problem, width=50, seed=seed, epochs=400)
        assert fit.value == alone.value
        np.testing.assert_array_equal(fit.network.U, alone.network.U)


def test_columns_first_are_taken_too():
    problem = random_problem()
    rule = Rule("momentum", None, True)
    data, state = _start(problem.scaled.problem, 5, [0], rule, None, 20)
    ends = [
        compile_fused(given, state, rule)[0](given, state, 50).best[0]
        for given in (data, Data(np.asfortranarray(data.X), *data[1:]))
    ]
    assert ends[0] == pytest.approx(ends[1], rel=1e-10)


def test_an_installation_that_cannot_be_written_to_compiles_for_itself(monkeypatch):
    asked = []

    def njit(**options):
        asked.append(options)
        if options.get("cache"):
            raise RuntimeError("cannot cache function: no locator available")
        return lambda function: function

    monkeypatch.setattr(numba, "njit", njit)
    assert fused._compiled.__wrapped__() is fused._descend
    assert [options.get("cache", False) for options in asked] == [True, False]
