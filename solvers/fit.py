"""What every method returns: a predictor, the network and the certificate behind it, and how they came about."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any

from ..errors import short
from .certificates.certificate import Certificate
from .network import Array, Network


class Status(StrEnum):
    """How a method ended. Records and tables hold the plain words."""

    OK = "ok"  # what was asked for is reached; a solver that ends before that never says so
    STALLED = "stalled"  # no more progress was to be had; what is here is the best until then, as for the next two
    ITERATION_LIMIT = "iteration_limit"
    TIMEOUT = "timeout"
    MEMORY = "memory"  # the harness alone says so
    DIVERGED = "diverged"  # numbers that are not finite
    FAILED = "failed"  # nothing usable came out
    UNSUPPORTED = "unsupported"  # the method does not apply to this problem


ENDED_EARLY = (Status.TIMEOUT, Status.STALLED, Status.ITERATION_LIMIT)  # what is there by then counts


@dataclass(frozen=True)
class TraceRow:
    """One line of a method's progress; what does not apply is None."""

    seconds: float
    iteration: int
    value: float | None = None
    bound: float | None = None
    residual: float | None = None


@dataclass(frozen=True)
class Statistics:
    """What a method counted and timed itself; what it cannot tell is None.

    iterations: as the method counts them. In seconds: solve_s to solve or train, round_s to make a network out of a
    relaxation, network_s to make the network that a relaxation comes with, compile_s to compile, which the harness
    counts as set-up. relaxation_gap: the relative gap between a solver's own bounds on the relaxation.
    """

    iterations: int | None = None
    solve_s: float | None = None
    round_s: float | None = None
    network_s: float | None = None
    compile_s: float | None = None
    relaxation_gap: float | None = None

    def known(self) -> dict[str, Any]:
        """The numbers that are there, by name."""
        return {name: value for name, value in vars(self).items() if value is not None}

    @classmethod
    def of(cls, numbers: Mapping[str, Any]) -> Statistics:
        """Inverse of `known`.

        Args:
            numbers: by name; other names are ignored.

        Returns:
            The statistics.
        """
        return cls(**{field.name: numbers.get(field.name) for field in fields(cls)})


NOTHING = Statistics()


@dataclass(frozen=True)
class Fit:
    """What any method returns.

    predict: (k, d) array → scores (k, c). certificate: proves a lower bound on p*(∞), if there is one; the harness
    proves it again. value: the solver's own objective, believed by nobody.
    status: how it ended; a plain word of `Status` will do. iterates: networks met on the way, for the protocol `paper`
    alone.
    info: further plain numbers and strings, which are kept and shown. stats: what the harness counts with.
    objective, lower_bound: filled in by `relaxbench.fit`, which computes the one and has the other proved; what a
    method puts there is not read.
    """

    predict: Callable[[Array], Array]
    network: Network | None = None
    certificate: Certificate | None = None
    value: float | None = None
    trace: Sequence[TraceRow] = ()
    info: Mapping[str, float | int | str] = field(default_factory=dict)
    status: Status = Status.OK
    message: str = ""
    iterates: Sequence[Network] = ()
    stats: Statistics = NOTHING
    objective: float | None = None
    lower_bound: float | None = None

    def __repr__(self) -> str:
        facts = {
            "objective": _rounded(self.objective),
            "lower bound": _rounded(self.lower_bound) + ("" if self.gap is None else f" (gap {self.gap:.2g})"),
            "network": self.network,
            "certificate": self.certificate,
            "message": short(self.message, 300),
        }
        lines = [f"  {name:<12} {fact}" for name, fact in facts.items() if fact]
        return "\n".join([f"Fit: {self.status}", *lines])

    @property
    def gap(self) -> float | None:
        """(objective − lower bound)/objective; None where one of them is not known."""
        if self.objective is None or self.lower_bound is None:
            return None
        return (self.objective - self.lower_bound) / self.objective if self.objective > 0 else 0.0


def _rounded(number: float | None) -> str:
    return "" if number is None else f"{number:.6g}"
