"""What every method of this room needs: option errors, the clock of a budget, thinned traces."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated

from annotated_types import Ge, Gt

from ..errors import RelaxbenchError
from ..solvers.fit import TraceRow

TRACE_ROWS = 200

Count = Annotated[int, Ge(1)]
Positive = Annotated[float, Gt(0)]


class OptionError(RelaxbenchError):
    """A width, seed or option that a method cannot work with; the text names the value and the fix."""


@dataclass(frozen=True)
class Clock:
    """Wall-clock seconds since the call, against a budget in seconds (None: no limit)."""

    budget: float | None
    start: float = field(default_factory=time.perf_counter)

    def seconds(self) -> float:
        """Seconds since the start."""
        return time.perf_counter() - self.start

    def left(self) -> float:
        """Seconds left, infinite without a budget."""
        return float("inf") if self.budget is None else self.budget - self.seconds()


def require_width(width: int | None, method: str) -> int:
    """The width as an int.

    Args:
        width: neurons, an integer ≥ 1.
        method: name of the method, for the message.

    Returns:
        The width.

    Raises:
        OptionError: anything but an integer ≥ 1.
    """
    if width is None or width != int(width) or width < 1:
        raise OptionError(
            f"width must be an integer ≥ 1 for {method}. Got {width!r} instead: give a number of neurons."
        )
    return int(width)


def require_positive(**values: float | None) -> None:
    """Raises OptionError for the first option that is not greater than 0; None means that it is not set."""
    for name, value in values.items():
        if value is not None and not value > 0:
            raise OptionError(f"{name} must be greater than 0. Got {value!r} instead.")


def thin(rows: Sequence[TraceRow], limit: int = TRACE_ROWS) -> list[TraceRow]:
    """A thinned trace: evenly spread rows, with the first and the last.

    Args:
        rows: of a trace.
        limit: the most rows to keep.

    Returns:
        At most `limit` rows.
    """
    if len(rows) <= limit:
        return list(rows)
    step = (len(rows) - 1) / (limit - 1)
    return [rows[round(k * step)] for k in range(limit)]
