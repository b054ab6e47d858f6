"""What every method returns: a predictor, the network and the certificate behind it, and how they came about."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

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
class Fit:
    """What any method returns.

    predict: (k, d) array → scores (k, c). value: the solver's own objective, believed by nobody.
    status: how it ended; a plain word of `Status` will do. iterates: networks met on the way, for the protocol `paper`
    alone.
    info: plain numbers and strings; `solve_s`, `round_s` and `iterations` become columns of the results.
    """

    predict: Callable[[Array], Array]
    network: Network | None = None
    bound: Certificate | None = None
    value: float | None = None
    trace: Sequence[TraceRow] = ()
    info: Mapping[str, float | int | str] = field(default_factory=dict)
    status: Status = Status.OK
    message: str = ""
    iterates: Sequence[Network] = ()
