"""Covers in three to eight dimensions: never below any height, never above any network, refined without a break."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from relaxbench.solvers.atoms.search import ascend, starts
from relaxbench.solvers.checker import verify
from relaxbench.solvers.cpp import cpp
from relaxbench.solvers.exact.cover import Cover, cover
from relaxbench.solvers.network import Array, heights, whitener
from relaxbench.solvers.problem import Problem

from ..support.cases import teacher, train
from ..support.oracles import planted, prove

KINDS = ("normal", "ties", "thin", "lines", "one row counts")


def data(seed: int, d: int, c: int, kind: str) -> tuple[Array, Array]:
    """Θ (n, c) and X (n, d) of rank d on which something is degenerate."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 5))
    X = rng.integers(-2, 3, size=(n, d)).astype(float) if kind == "ties" else rng.normal(size=(n, d))
    X = np.vstack([X, -7 * X]) if kind == "lines" else X
    X = np.vstack([X, np.eye(d)])
    X[:, -1] *= 1e-3 if kind == "thin" else 1.0
    theta = rng.normal(size=(len(X), c))
    theta[1:] *= 1e-9 if kind == "one row counts" else 1.0
    return theta, X


def highest(theta: Array, X: Array, transform: Array) -> float:
    """The largest height that a search finds."""
    rng = np.random.default_rng(0)
    return float(ascend(theta, X, starts(theta, X, transform, rng, 60), rng)[1][0])


def proof_of(made: Cover, transform: Array) -> dict[str, Array]:
    return {"basis": np.eye(len(transform)), **made.proof(transform)}


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), d=st.integers(3, 8), c=st.integers(1, 5), kind=st.sampled_from(KINDS))
def test_no_direction_exceeds_what_roots_alone_prove(seed: int, d: int, c: int, kind: str) -> None:
    theta, X = data(seed, d, c, kind)
    transform = whitener(X)
    whole = {
        "basis": np.eye(d),
        "transform": transform,
        "splits": np.zeros(2**d, np.uint8),
        "offsets": np.arange(2**d),
    }
    proved = prove(theta, X, 1e300, whole)  # so large a γ that no leaf is bisected further
    rng = np.random.default_rng(seed)
    U = rng.normal(size=(d, 2000))
    assert np.max(heights(theta, np.maximum(X @ (U / np.linalg.norm(U, axis=0)), 0.0))) <= proved
    assert highest(theta, X, transform) <= proved


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), d=st.integers(3, 6), c=st.integers(1, 4), kind=st.sampled_from(KINDS))
@example(seed=711, d=3, c=1, kind="lines")
def test_a_cover_that_goes_on_proves_what_it_says(seed: int, d: int, c: int, kind: str) -> None:
    theta, X = data(seed, d, c, kind)
    transform = whitener(X)
    high = highest(theta, X, transform)
    made = None
    for share in (4.0, 1.7, 1.4):
        made = cover(theta, X, transform, share * high, begin=made)
        assert made is not None
        assert made.eta <= max(share * high, 1.01 * high) * (1 + 1e-6)
    proved = prove(theta, X, made.eta * (1 + 1e-6), proof_of(made, transform))
    assert high * (1 - 1e-9) <= proved <= made.eta * (1 + 1e-6)  # less where the checker finds a better t
    assert high <= made.eta * (1 + 1e-9)


def test_a_cover_goes_on_for_another_theta() -> None:
    theta, X = data(3, 4, 2, "normal")
    transform = whitener(X)
    first = cover(theta, X, transform, 1.5 * highest(theta, X, transform))
    assert first is not None
    other = theta[::-1].copy()
    unknown = replace(first, bounds=np.full_like(first.bounds, np.inf))
    again = cover(other, X, transform, 1.5 * highest(other, X, transform), begin=unknown)
    assert again is not None
    assert again.simplices >= first.simplices
    assert prove(other, X, again.eta * (1 + 1e-9), proof_of(again, transform)) == pytest.approx(again.eta, rel=1e-6)


def test_a_cover_that_meets_its_target_is_left_as_it_is() -> None:
    theta, X = data(4, 5, 2, "normal")
    transform = whitener(X)
    made = cover(theta, X, transform, 1.6 * highest(theta, X, transform))
    assert made is not None
    again = cover(theta, X, transform, 2.0 * made.eta, begin=made)
    assert again is not None
    np.testing.assert_array_equal(again.splits, made.splits)
    assert again.eta == pytest.approx(made.eta, rel=1e-6)


@pytest.mark.thorough
@pytest.mark.parametrize("d", range(3, 9))
def test_no_bound_exceeds_a_network(d: int) -> None:
    for kind in (KINDS[d % len(KINDS)], KINDS[(d + 2) % len(KINDS)]):
        theta, X = data(10 + d, d, 2, kind)
        problem = Problem(X, theta, 0.1)
        fit = cpp(problem, gap=0.05, budget=1.0)
        assert fit.certificate is not None
        assert fit.network is not None
        proved = verify(fit.certificate, problem.X, problem.Y, problem.gamma)
        least = min(problem.objective(network) for network in (fit.network, train(problem, 12, 2, 0)))
        assert proved <= least * (1 + 1e-9)
        assert proved >= fit.certificate.lower_bound * (1 - 1e-9)


@pytest.mark.thorough
def test_under_a_time_limit_six_dimensions_are_covered() -> None:
    problem, optimum = planted(4, (3, 2, 1), 3, 0.1)
    fit = cpp(problem, gap=0.02, budget=60.0)
    assert fit.certificate is not None
    assert fit.status == "ok"
    assert fit.certificate.kind == "cover"
    assert optimum * 0.98 <= verify(fit.certificate, problem.X, problem.Y, problem.gamma) <= optimum * (1 + 1e-9)


@pytest.mark.thorough
def test_a_cover_that_time_ran_out_for_still_has_a_bound() -> None:
    problem = teacher(1, n=60, d=6, c=3)
    fit = cpp(problem, gap=1e-6, budget=6.0)
    assert fit.certificate is not None
    assert fit.network is not None
    assert fit.status == "timeout"
    assert 0 < fit.certificate.lower_bound < problem.objective(fit.network)
