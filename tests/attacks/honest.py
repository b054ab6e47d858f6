"""Honest certificates of every kind for small problems whose optimum is known, and the judge of what is forged."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
from relaxbench.solvers.branch import branch
from relaxbench.solvers.certificates.certificate import Certificate
from relaxbench.solvers.checker import CertificateError, verify
from relaxbench.solvers.cpp import cpp
from relaxbench.solvers.network import Array, Network
from relaxbench.solvers.problem import Problem
from relaxbench.solvers.sdp import relax

from ..support.cases import Planted, noise, quarter_turns, tight
from ..support.oracles import planted
from .truth import best_network, polished

DNN, CELLS, ARCS, COVER = "doubly nonnegative", "cells", "arcs", "cover"
KINDS = (DNN, CELLS, ARCS, COVER)
ROUNDING = Fraction(1, 10**12)  # of the truth, which is a float in most cases


@dataclass(frozen=True)
class Case:
    """A certificate, forged or not, the data it is shown with, and what no bound for these may exceed.

    Where `truth` is None it is the objective of a network near `network`, found when it is asked for.
    """

    name: str
    certificate: Any
    X: Array
    Y: Array
    gamma: float
    truth: float | Fraction | None
    network: Network | None = None

    @property
    def problem(self) -> Problem:
        return Problem(self.X, self.Y, self.gamma)

    @property
    def proof(self) -> dict[str, np.ndarray]:
        return dict(self.certificate.proof)

    def with_proof(self, name: str, **arrays: Any) -> Case:
        """The same with other arrays; None leaves one out."""
        proof = {key: value for key, value in {**self.certificate.proof, **arrays}.items() if value is not None}
        return replace(self, name=name, certificate=replace(self.certificate, proof=proof))

    def with_certificate(self, name: str, **fields: Any) -> Case:
        """The same with other fields of the certificate."""
        return replace(self, name=name, certificate=replace(self.certificate, **fields))

    def with_data(self, name: str, X: Array, Y: Array, gamma: float) -> Case:
        """The same certificate shown with other data."""
        return replace(self, name=name, X=X, Y=Y, gamma=gamma, truth=None)

    def most(self) -> float | Fraction:
        """What no bound may exceed."""
        if self.truth is not None:
            return self.truth
        assert self.network is not None
        # p*(∞) grows with γ, so that of a γ at which a network is easily trained is enough.
        unit = float(np.max(np.abs(self.X)) * np.max(np.abs(self.Y)))
        problem = Problem(self.X, self.Y, max(self.gamma, 1e-10 * unit))
        networks = [
            self.network,
            polished(problem, self.network, rounds=1),
            Network(0 * self.network.U, 0 * self.network.V),
        ]
        return min(problem.objective(network) for network in networks)


def _asked(case: Case) -> tuple[float, str | None]:
    """What the checker proves, or why it refuses."""
    try:
        return verify(case.certificate, case.X, case.Y, case.gamma), None
    except CertificateError as error:
        return 0.0, str(error)


def judge(case: Case) -> float | None:
    """The bound that the checker proves, None where it refuses; anything else, and any false bound, is a failure."""
    found, refusal = _asked(case)
    if refusal is not None:
        assert refusal, case.name
        assert "\n" not in refusal, case.name
        return None
    assert type(found) is float, (case.name, type(found))
    assert np.isfinite(found), (case.name, found)
    assert found >= 0, (case.name, found)
    if found > 0:
        truth = case.most()
        assert Fraction(found) <= Fraction(truth) * (1 + ROUNDING), (
            f"{case.name}: {found!r} proved, {float(truth)!r} true"
        )
    return found


def _case(name: str, problem: Problem, certificate: Certificate | None, network: Network) -> Case:
    assert certificate is not None
    truth = problem.objective(network)
    return Case(name, certificate, problem.X, problem.Y, problem.gamma, truth, network)


def _known(name: str, case: Planted, certificate: Certificate | None) -> Case:
    return _case(name, case.problem, certificate, case.network)


def lifted(case: Case, tree: list[int], planes: Array | None = None) -> Case:
    """A certificate of kind "doubly nonnegative" as one of "cells": the same multipliers in each cell of a tree."""
    proof, cells, none = case.proof, tree.count(-1), np.zeros(0, int)
    entries = len(proof["T_row"])
    proof = {
        **{name: proof[name] for name in ("rows", "rep", "coef")},
        "tree": np.array(tree),
        "planes": np.zeros(0) if planes is None else np.ravel(planes),
        **dict.fromkeys(("circuit_head", "circuit_cell", "circuit_form", "circuit_row"), none),
        "circuit_value": np.zeros(0),
        "T_cell": np.repeat(np.arange(cells), entries),
        **{name: np.tile(proof[name], cells) for name in ("T_row", "T_column", "T_value", "z")},
    }
    name = f"{case.name} in {cells} cells"
    return case.with_certificate(name, kind=CELLS, proof=proof)


def _dnn() -> Iterator[Case]:
    for name, case in (
        ("orthogonal rows", tight()["orthogonal rows"]),
        ("one number", tight()["one number"]),
        ("quarter turns", quarter_turns(0, 2)),
    ):
        yield _known(name, case, relax(case.problem, solver="interior").certificate)


def _cells() -> Iterator[Case]:
    for name, seed, cuts in (("loose rows", 27, 0), ("circuits", 13, 1)):
        problem = noise(seed, 5, 2, 2)
        yield _case(name, problem, branch(problem, gap=1e-7, cuts=cuts, cells=40).certificate, best_network(problem))
    turns, planes = honest(DNN)[2], np.array([[0.3, -1.0]])
    yield lifted(turns, [0, 4, -1, -1, 1, -1, -1], planes)


def _arcs() -> Iterator[Case]:
    for name, case in (("quarter turns", quarter_turns(0, 2)), ("one feature", tight()["one feature"])):
        yield _known(name, case, cpp(case.problem, gap=1e-8).certificate)
    problem = noise(8, 5, 2, 2)
    yield _case("loose rows", problem, cpp(problem, gap=1e-8).certificate, best_network(problem))


def _cover() -> Iterator[Case]:
    for name, blocks, extra, gap in (("one block", (3,), 1, 1e-6), ("two blocks", (2, 1), 2, 1e-3)):
        problem, _ = planted(1, blocks, extra, 0.1)
        fit = cpp(problem, gap=gap)
        assert fit.network is not None
        yield _case(name, problem, fit.certificate, polished(problem, fit.network))


MAKERS: Mapping[str, Callable[[], Iterator[Case]]] = {DNN: _dnn, CELLS: _cells, ARCS: _arcs, COVER: _cover}


@cache
def honest(kind: str) -> list[Case]:
    """Honest certificates of this kind."""
    cases = list(MAKERS[kind]())
    assert all(case.certificate.kind == kind for case in cases), [case.certificate.kind for case in cases]
    return cases


def everybody() -> list[Case]:
    """Honest certificates of all kinds."""
    return list(itertools.chain.from_iterable(honest(kind) for kind in KINDS))
