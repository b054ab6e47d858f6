"""The method of the soak test: good cells, and one in ten with a planted fault. Called as `planted.py:work`."""

from __future__ import annotations

import ctypes
import os
import signal
import time

import numpy as np
from relaxbench.solvers.fit import Fit
from relaxbench.solvers.network import Network
from relaxbench.solvers.problem import Problem

FAULTS = ("crash", "hang", "memory", "exception", "nan")
EXPECTED = {"crash": "failed", "hang": "timeout", "memory": "memory", "exception": "failed", "nan": "diverged"}


def fault(seed: int) -> str | None:
    """The fault planted at this seed, one seed in ten having one; the kinds come equally often."""
    rng = np.random.default_rng(seed // 10)
    return FAULTS[(seed // 10) % len(FAULTS)] if seed % 10 == rng.integers(10) else None


def work(problem: Problem, *, seed: int, budget: float) -> Fit:
    """Random weights after a random pause of up to 20 ms, or the fault of the seed."""
    kind = fault(seed)
    rng = np.random.default_rng(seed)
    time.sleep(0.02 * rng.random())
    if kind == "crash":
        ctypes.string_at(0)
    if kind == "hang":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        while True:
            time.sleep(1)
    if kind == "memory":
        kept = np.ones(100_000_000)
        while kept[0]:
            time.sleep(1)
    if kind == "exception":
        os.listdir(f"/nowhere/{seed}")
    scale = np.nan if kind == "nan" else 0.1
    network = Network(scale * rng.standard_normal((problem.d, 3)), rng.standard_normal((3, problem.c)))
    return Fit(network.predict, network)


def idle(problem: Problem, *, seed: int, budget: float) -> Fit:
    """Nothing."""
    return Fit(lambda X: np.zeros((len(X), problem.c)))
