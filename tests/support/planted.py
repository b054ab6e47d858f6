"""Small methods for the tests of the harness, called as `planted.py:function`: good ones and broken ones."""

from __future__ import annotations

import contextlib
import ctypes
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from relaxbench.solvers.certificates.certificate import Certificate
from relaxbench.solvers.fit import Fit, Statistics, TraceRow
from relaxbench.solvers.network import Network
from relaxbench.solvers.problem import Problem


def note(name: str, line: str) -> None:
    """Append a line to a file in the folder PLANTED_NOTES, if there is one."""
    if "PLANTED_NOTES" in os.environ:
        with (Path(os.environ["PLANTED_NOTES"]) / name).open("a") as file:
            file.write(f"{line}\n")


def good(problem: Problem, *, width: int, seed: int, budget: float, scale: float = 0.1) -> Fit:
    """A random first layer and the best second one."""
    U = scale * np.random.default_rng(seed).standard_normal((problem.d, width))
    H = np.maximum(problem.X @ U, 0)
    V = np.linalg.solve(H.T @ H + problem.gamma * np.eye(width), H.T @ problem.Y)
    network = Network(U, V)
    trace = [TraceRow(0.0, 0, 2.0), TraceRow(0.1, 1, 1.0, bound=0.5)]
    return Fit(network.predict, network, trace=trace, info={"budget": budget}, stats=Statistics(iterations=7))


class Flatterer(Network):
    """A network that says what one would like to hear."""

    def predict(self, X: Any) -> Any:
        return np.zeros((len(X), self.V.shape[1]))


def single(problem: Problem, *, width: int, seed: int, budget: float, flatter: bool = False) -> Fit:
    """A random network in single precision, whatever `Network` makes of its arrays."""
    rng = np.random.default_rng(seed)
    network = (Flatterer if flatter else Network)(np.eye(problem.d, width), np.eye(width, problem.c))
    for name, shape in (("U", (problem.d, width)), ("V", (width, problem.c))):
        object.__setattr__(network, name, 1e3 * rng.standard_normal(shape).astype(np.float32))
    return Fit(network.predict, network)


def plain(problem: Problem, *, budget: float, mode: Literal["mean", "zero"] = "mean") -> Fit:
    """No width, no seed, no network; scores that do not depend on the row."""
    row = problem.Y.mean(axis=0) * (mode == "mean")
    return Fit(lambda X: np.tile(row, (len(X), 1)))


def weak(problem: Problem, lower: float, share: float = 0.0) -> Certificate:
    """A certificate that claims `lower` for Θ = share·Y.

    It proves by the triangle inequality alone that ‖Θᵀ(Xu)₊‖ ≤ Σ‖Θ_k‖‖x_k‖: little, but for a small share more than 0.
    """
    none, empty, n = np.zeros(0, dtype=int), np.zeros(0), problem.n
    proof = {"rows": none, "rep": np.full(n, -1), "coef": np.zeros(n), "z": empty}
    proof |= {"T_row": none, "T_column": none, "T_value": empty}
    return Certificate("doubly nonnegative", share * problem.Y, proof, lower)


def bounded(problem: Problem, *, budget: float, lower: float = 0.0, share: float = 0.0) -> Fit:
    """The zero network with a certificate that claims `lower`; Θ = 0 proves 0."""
    network = Network(np.zeros((problem.d, 1)), np.zeros((1, problem.c)))
    return Fit(network.predict, network, weak(problem, lower, share), value=lower)


def claiming(problem: Problem, *, budget: float, how: str = "nothing", lower: float = 1e3) -> Fit:
    """A bound of `lower` on a certificate with a fault, or with nothing behind it."""
    good, zero = weak(problem, lower), np.zeros_like(problem.Y)
    faults: dict[str, Any] = {
        "nothing": good,
        "empty proof": Certificate("doubly nonnegative", zero, {}, lower),
        "NaN": replace(good, theta=zero * np.nan),
        "shape": replace(good, theta=zero[1:]),
        "kind": replace(good, kind="oracle"),
        "no kind": replace(good, kind=""),
        "objects": replace(good, theta=zero.astype(object)),
        "no arrays": replace(good, theta=None, proof=None),
        "infinite": replace(good, lower_bound=np.inf),
        "no number": replace(good, lower_bound=np.nan),
        "text": replace(good, lower_bound="much"),
        "no certificate": 1e3,
    }
    return replace(bounded(problem, budget=budget), certificate=faults[how])


def broken(problem: Problem, *, width: int, seed: int, budget: float) -> Fit:
    """A way to break for each seed; even seeds are well."""
    if seed == 1:
        ctypes.string_at(0)
    if seed == 3:
        os._exit(0)
    if seed == 5:
        raise ValueError("planted\nin two lines")
    if seed == 7:
        network = Network(np.full((problem.d, width), np.nan), np.zeros((width, problem.c)))
        return Fit(network.predict, network)
    if seed == 9:
        return None  # type: ignore[return-value]
    if seed == 11:
        return Fit(lambda X: np.zeros((len(X), problem.c + 1)))
    if seed == 13:
        return good(problem, width=width + 1, seed=seed, budget=budget)
    if seed == 15:
        sys.exit(3)
    if seed == 17:
        raise MemoryError
    if seed == 19:
        return Fit(lambda X: X, status="splendid")
    return good(problem, width=width, seed=seed, budget=budget)


def hang(problem: Problem, *, width: int, seed: int, budget: float) -> Fit:
    """Odd seeds ignore SIGTERM, start a child that does so too, and wait for ever; who they are goes to `pids`."""
    if seed % 2:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        child = subprocess.Popen(["sleep", "600"])
        note("pids", f"{os.getpid()} {child.pid}")
        while True:
            time.sleep(1)
    return good(problem, width=width, seed=seed, budget=budget)


def hog(problem: Problem, *, width: int, seed: int, budget: float) -> Fit:
    """Odd seeds take memory until somebody stops them."""
    kept = []
    while seed % 2:
        kept.append(np.ones(40_000_000))
    return good(problem, width=width, seed=seed, budget=budget)


def slow(problem: Problem, *, width: int, seed: int, budget: float, seconds: float = 0.5) -> Fit:
    """A good one that takes its time and leaves a line in `calls` when it is done."""
    note("pids", str(os.getpid()))
    time.sleep(seconds)
    note("calls", str(seed))
    return good(problem, width=width, seed=seed, budget=budget)


def threads(problem: Problem, *, seed: int, budget: float) -> Fit:
    """A Fit whose info says how many threads linear algebra has here."""
    from threadpoolctl import threadpool_info

    most = max(library["num_threads"] for library in threadpool_info())
    return Fit(lambda X: np.zeros((len(X), problem.c)), info={"most_threads": most, "pid": os.getpid()})


def fussy(problem: Problem, *, budget: float) -> Fit:
    """No network, and a `predict` that cannot do with no rows at all."""

    def predict(X):
        if len(X) == 0:
            raise ValueError("planted: no rows")
        return np.tile(problem.Y.mean(axis=0), (len(X), 1))

    return Fit(predict)


def meddling(problem: Problem, *, width: int, seed: int, budget: float, what: str) -> Fit:
    """Makes its task easier than it is: other targets, another γ, an objective of its own, or rows made zero later."""
    with contextlib.suppress(AttributeError, ValueError):
        if what == "attribute":
            problem.__dict__["Y"] = np.zeros_like(problem.Y)
        elif what == "values":
            problem.Y.flags.writeable = True
            problem.Y[:] = 0.0
        elif what == "gamma":
            problem.__dict__["gamma"] = 1e-9
        elif what == "objective":
            problem.__dict__["objective"] = lambda network: 0.0

    def wipe(X: np.ndarray) -> np.ndarray:
        X.flags.writeable = True
        X[:] = 0.0
        return np.zeros((len(X), problem.c))

    network = Network(np.ones((problem.d, width)), np.ones((width, problem.c)))
    return Fit(wipe) if what == "predict" else Fit(network.predict, network)


def drawing(problem: Problem, *, budget: float) -> Fit:
    """Draws from the generators that a process has of its own, and takes the order of a set as it comes."""
    order = [int(text) for text in {str(k) for k in range(9)}]
    U = np.random.standard_normal((problem.d, 3)) + random.random() + order[0] / (1 + order[1])  # noqa: NPY002
    network = Network(U, np.ones((3, problem.c)))
    return Fit(network.predict, network)
