"""What every method returns: a predictor, the network and the certificate behind it, and how they came about."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from .certificates.certificate import Certificate
from .network import Array, Network


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
    status: `ok` (what was asked for is reached), `timeout`, `stalled` or `iteration_limit` (the time limit, a lack of
    progress or the number of iterations ended the work before; what is here is the best so far), `diverged` or
    `unsupported`. iterates: networks met on the way, for the protocol `paper` alone.
    info: plain numbers and strings; `solve_s`, `round_s` and `iterations` become columns of the results.
    """

    predict: Callable[[Array], Array]
    network: Network | None = None
    bound: Certificate | None = None
    value: float | None = None
    trace: Sequence[TraceRow] = ()
    info: Mapping[str, float | int | str] = field(default_factory=dict)
    status: str = "ok"
    message: str = ""
    iterates: Sequence[Network] = ()
