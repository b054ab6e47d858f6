"""submit: what does a submission prove, and does it move the instance? Nothing in it is believed.

A network is evaluated, a bound is what the checker proves from Θ and the arrays of a proof; for Θ alone a proof is
looked for. Numbers that a submission claims are not even read.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from ...datasets.instances import ENTRIES, Instance, load
from ...errors import printable, short
from ...solvers.certificates.certificate import Certificate
from ...solvers.checker import CertificateError
from ...solvers.checker import verify as prove
from ...solvers.network import Network, ProblemError
from ...solvers.problem import Problem
from ...solvers.theta import certificate_for
from ..results.record import sha256
from ..scoring.gate import MARGIN
from .entries import RECOMPUTE, SIDES, Bound, Entry, Side, packed, read_entry, too_large, write_entry
from .submission import Refused, Submission, finite

LOCK = ".lock"  # in the folder of the entries
BETTER = 1e-9  # relative: by less than that nothing is better
ROUGH = 1e-3  # relative, by which what Θ stands for may exceed what is proved, or a network's objective


@dataclass(frozen=True, eq=False)
class Found:
    """What a submission proves on one side. short_of: what its Θ stands for, where less than that was proved."""

    side: Side
    value: float
    kind: str
    arrays: Mapping[str, NDArray[Any]]
    short_of: float | None = None

    @cached_property
    def content(self) -> bytes:
        """The arrays as a file."""
        return packed(self.arrays)

    @property
    def large(self) -> bool:
        """Whether they are too large to be kept."""
        return too_large(self.arrays, self.content)


@dataclass(frozen=True)
class Outcome:
    """What came of a submission.

    found: what it proves. moved: the new lines of the history, none if it is no better. before, after: the entry.
    """

    found: tuple[Found, ...]
    moved: tuple[Bound, ...]
    before: Entry
    after: Entry


def submit(
    instance: Instance,
    submission: Submission,
    entries: Path = ENTRIES,
    *,
    method: str = "",
    by: str = "",
    seconds: float | None = None,
    timeout: float = 60.0,
    data_dir: Path | None = None,
) -> Outcome:
    """Judge a submission, and write what is better than what the instance has.

    Args:
        instance: from `find`.
        submission: networks, Θ, or both.
        entries: folder with the entries.
        method: how it was made.
        by: who made it.
        seconds: how long that took.
        timeout: seconds of the search for a proof, for Θ alone.
        data_dir: folder with original data files, used first.

    Returns:
        What was proved, and what has moved.

    Raises:
        Refused: it is forged, broken, or contradicts what is proved; nothing is written.
        RelaxbenchError: the data cannot be had, or the entry is damaged.
        OSError: the folder cannot be written to.
    """
    data, before = load(instance, data_dir), read_entry(entries, instance.name)
    found = _proved(Problem(data.X_train, data.Y_train, instance.gamma), submission, before, timeout)
    if not any(_improves(one, before) for one in found):
        return _settled(found, before, entries, method, by, seconds)
    entries.mkdir(parents=True, exist_ok=True)
    with FileLock(entries / LOCK):  # of two submissions at once the second is judged by what the first has left
        return _settled(found, read_entry(entries, instance.name), entries, method, by, seconds)


def _settled(found: list[Found], before: Entry, entries: Path, method: str, by: str, seconds: float | None) -> Outcome:
    """Refuse what contradicts the entry, and write what is better."""
    _contradictions(found, before)
    better = [one for one in found if _improves(one, before)]
    for one in found:
        if one.short_of is not None and one not in better:
            raise Refused(
                f"The proof must prove what its Θ stands for, {one.short_of:.9g}. Got a proof of {one.value:.9g} "
                "instead, which is no improvement."
            )
    today = datetime.now(UTC).date().isoformat()
    moved = tuple(
        Bound(
            side=one.side,
            value=one.value,
            method=_words(method),
            seconds=seconds,
            date=today,
            kind=one.kind,
            sha256=RECOMPUTE if one.large else sha256(one.content),
            by=_words(by),
        )
        for one in better
    )
    after = Entry(before.name, (*before.history, *moved))
    if moved:
        write_entry(entries, after, {one.side: one.content for one in better if not one.large})
    return Outcome(tuple(found), moved, before, after)


def _proved(problem: Problem, submission: Submission, before: Entry, timeout: float) -> list[Found]:
    """The best of the networks, and the bound."""
    networks = [_network(problem, network) for network in submission.networks]
    found = [min(networks, key=lambda one: one.value)] if networks else []
    if submission.theta is not None:
        known = [0.5 * float(np.sum(problem.Y**2)), *(one.value for one in found)]
        known += [] if before.upper is None else [before.upper]
        found.append(_bound(problem, submission, min(known), timeout))
    return found


def _network(problem: Problem, network: Network) -> Found:
    """A network's objective; refused where it is none for this problem."""
    if not (finite(network.U) and finite(network.V)):
        raise Refused("The network must have finite weights. Got NaN or infinities.")
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            value = problem.objective(network)
    except ProblemError as error:
        raise Refused(str(error)) from None
    nothing = 0.5 * float(np.sum(problem.Y**2))
    if not (math.isfinite(value) and value <= nothing):
        raise Refused(
            f"The network must be better than none at all, which costs {nothing:.9g}. Got an objective of {value:.9g} "
            "instead: is it of another instance?"
        )
    return Found("upper", value, "network", {"U": network.U, "V": network.V})


def _bound(problem: Problem, submission: Submission, most: float, timeout: float) -> Found:
    """What the checker proves; refused where that is nothing, or Θ stands for more than a network has."""
    theta = submission.theta
    assert theta is not None
    if theta.shape != problem.Y.shape or not finite(theta):
        raise Refused(
            f"theta must be {problem.Y.shape} finite numbers, as the targets are. "
            f"Got shape {theta.shape}{'' if finite(theta) else ', with NaN, infinities or no numbers,'} instead."
        )
    theta = np.asarray(theta, np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        value = float(np.sum(theta * problem.Y) - 0.5 * np.sum(theta**2))
    alone = submission.kind is None
    if value > most * (1 + ROUGH):
        raise Refused(
            f"theta must satisfy ‖Θᵀ(Xu)₊‖ ≤ γ‖u‖ for all u. Got one that stands for a bound of {value:.9g} instead, "
            f"above the objective {most:.9g} of a network."
        )
    try:
        if submission.kind is None:
            certificate = certificate_for(problem, theta, timeout)
        else:
            certificate = Certificate(submission.kind, theta, submission.proof or {}, value)
        proved = float(prove(certificate, problem.X, problem.Y, problem.gamma)) * (1 - MARGIN)
    except CertificateError as error:
        raise Refused(str(error)) from None
    if not proved > BETTER * 0.5 * float(np.sum(problem.Y**2)):
        raise Refused("theta and its proof must prove something for this instance. Got nothing that is proved.")
    exact = not alone or certificate.kind == "arcs"  # elsewhere a proof that we look for may be too weak
    missed = exact and proved < value * (1 - ROUGH)
    return Found("lower", proved, str(certificate.kind), certificate.arrays(), value if missed else None)


def _contradictions(found: list[Found], before: Entry) -> None:
    """Refuse what cannot be true together with what is there: one of the two is forged, or the checker is wrong."""
    known = {side: [one.value for one in found if one.side == side] for side in SIDES}
    known["lower"] += [] if before.lower is None else [before.lower]
    known["upper"] += [] if before.upper is None else [before.upper]
    if known["lower"] and known["upper"]:
        lower, upper = max(known["lower"]), min(known["upper"])
        if lower > upper * (1 + BETTER):
            raise Refused(
                f"ALARM: a lower bound of {lower:.12g} is proved and a network has the objective {upper:.12g}. Both "
                "cannot be true: run `relaxbench instances check`, and report it if all holds."
            )


def _improves(one: Found, before: Entry) -> bool:
    """Whether it is better than all that are kept; where its arrays are too large, than all."""
    values = [bound.value for bound in before.history if bound.side == one.side and (bound.kept or one.large)]
    if one.side == "upper":
        return not values or one.value < min(values) * (1 - BETTER)
    return not values or one.value > max(values) * (1 + BETTER)


def _words(text: str) -> str:
    return short(printable(text).strip(), 80)
