"""Where the time of a solve goes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Phases:
    """Seconds by phase. What is timed within another phase counts for the inner one alone."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._within = [0.0]

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        """Time what is in the `with` statement.

        Args:
            name: of the phase.
        """
        began = time.perf_counter()
        self._within.append(0.0)
        try:
            yield
        finally:
            spent = time.perf_counter() - began
            self.seconds[name] = self.seconds.get(name, 0.0) + spent - self._within.pop()
            self._within[-1] += spent
