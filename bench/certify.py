"""certify: how far is a trained network from the global optimum, provably?"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..solvers.certificates.certificate import Certificate
from ..solvers.cpp import SPHERE, row_space
from ..solvers.network import Network, balance
from ..solvers.problem import Problem
from .fit import fit
from .text import UsageError, require

Method = Literal["cpp", "branch", "sdp"]
FLAT, COVERED = 7, 200  # rank and rows up to which the sphere is covered well within a minute or two
REGIONS = 60  # training rows up to which the hierarchy of regions gets anywhere in a minute or an hour
WIDTH = 100  # neurons of the network that a relaxation is rounded to
WIDE = 400  # of the networks that are trained in the time that a relaxation leaves


@dataclass(frozen=True)
class Interval:
    """Where p*(∞), the optimum over networks of any width, is proved to lie, and what that says of a network.

    lower: proved by the checker, None if nothing was. upper: objective of `network`, the best one known: the user's own
    or one that was found. objective: that of the user's own, if there is one. method: which one made the bound.
    """

    lower: float | None
    upper: float
    network: Network
    certificate: Certificate | None
    method: Method
    seconds: float
    message: str
    objective: float | None = None

    @property
    def gap(self) -> float | None:
        """(upper − lower)/upper, at most so much of the best objective known is above the optimum."""
        return self._above(self.upper)

    @property
    def network_gap(self) -> float | None:
        """(objective − lower)/objective of the user's own network: it is at most so far above the optimum."""
        return None if self.objective is None else self._above(self.objective)

    @property
    def improvable(self) -> float | None:
        """(objective − upper)/objective: it is at least so far above the optimum, as a better network is known."""
        if self.objective is None:
            return None
        return (self.objective - self.upper) / self.objective if self.objective > 0 else 0.0

    def _above(self, objective: float) -> float | None:
        if self.lower is None:
            return None
        return (objective - self.lower) / objective if objective > 0 else 0.0


def certify(
    problem: Problem, network: Network | None = None, *, gap: float = 1e-2, timeout: float = 60.0, seed: int = 0
) -> Interval:
    """Prove an interval for the global optimum p*(∞), and look for a better network on the way.

    The method is chosen by size: `cpp`, which is exact, where the rows of X span at most five dimensions, or seven with
    at most 200 rows; else `branch` with at most 60 rows and squares as the loss; else `sdp`, the relaxation, whose gap
    stays open as a rule: what it leaves of the time goes to networks by `lbfgs`.

    Args:
        problem: X, Y and γ.
        network: the network to judge; None to bound the optimum alone.
        gap: the proved (upper − lower)/upper at which to stop.
        timeout: seconds for the method, after which the best so far counts; the check of its bound comes on top.
        seed: of what the method draws.

    Returns:
        The interval.

    Raises:
        RelaxbenchError: a network of other shapes or activation, or an argument out of range.

    Example:
        >>> import relaxbench as rb
        >>> problem = rb.Problem([[1.0], [2.0], [-1.0]], [[1.0], [2.0], [0.0]], gamma=0.1)
        >>> found = rb.certify(problem, rb.Network([[2.0]], [[0.5]]))
        >>> round(found.objective, 4), round(found.upper, 4)  # yours, and a better one
        (0.2125, 0.099)
        >>> 0.098 < found.lower <= found.upper  # no network of any width gets below
        True
    """
    began = time.perf_counter()
    require("problem", problem, Problem, "make one by relaxbench.Problem(X, Y, gamma)")
    if network is not None:
        require("network", network, Network, "make one by relaxbench.Network(U, V)")
    if not timeout > 0:
        raise UsageError(f"timeout must be a number of seconds > 0. Got {timeout!r} instead.")
    own = None if network is None else _objective(problem, network)
    method = _method(problem)
    found = fit(problem, method, width=WIDTH, seed=seed, budget=timeout, gap=gap)
    known = [Network.zeros(problem.d, 1, problem.c, problem.activation)]
    known += [] if network is None else [network, balance(network)]  # the same function, cheaper
    known += [] if found.network is None else [found.network]
    left = timeout - (time.perf_counter() - began)
    if method == "sdp" and left > 0 and (found.gap is None or found.gap > gap):
        trained = fit(problem, "lbfgs", width=WIDE, seed=seed, budget=left)
        known += [] if trained.network is None else [trained.network]
    best = min(known, key=problem.objective)
    certificate = found.certificate if found.lower_bound is not None else None
    upper, seconds = problem.objective(best), time.perf_counter() - began
    return Interval(found.lower_bound, upper, best, certificate, method, seconds, found.message, own)


def _objective(problem: Problem, network: Network) -> float:
    shape = (network.U.shape[0], network.V.shape[1])
    if shape != (problem.d, problem.c):
        fix = " (is it the bias of the hidden layer? Give --bias)" if shape == (problem.d + 1, problem.c) else ""
        raise UsageError(
            f"The network must have d = {problem.d} inputs and c = {problem.c} outputs, as the problem has. "
            f"Got d = {shape[0]} and c = {shape[1]} instead{fix}."
        )
    with np.errstate(over="ignore", invalid="ignore"):
        objective = problem.objective(network)
    if not math.isfinite(objective):
        raise UsageError(f"The network must have finite weights and outputs. Got an objective of {objective} instead.")
    return objective


def _method(problem: Problem) -> Method:
    rank = row_space(problem.scaled.problem.X).shape[1] if problem.X.any() else 0
    if rank <= SPHERE or (rank <= FLAT and problem.n <= COVERED):
        return "cpp"
    return "branch" if problem.n <= REGIONS and problem.loss == "squares" else "sdp"
