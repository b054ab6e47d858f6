"""What a run shows while it goes on, on stderr: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

from tqdm import tqdm

from ..results.tables import brought_nothing

QUIET_S = 10.0  # between plain lines


class Progress:
    """Counts finished, failed and remaining cells and names the ones in work."""

    def __init__(self, total: int, kept: int) -> None:
        self._failed = 0
        self._terminal = sys.stderr.isatty()
        self._spoken = time.monotonic()
        self._bar = tqdm(
            total=total,
            initial=kept,
            unit="cell",
            disable=not self._terminal,
            dynamic_ncols=True,
            bar_format="{n_fmt}/{total_fmt} cells |{bar:20}| {elapsed}<{remaining}{postfix}",
        )
        self._done, self._total = kept, total

    def finished(self, label: str, row: Mapping[str, Any]) -> None:
        """A cell came to its end with this row; what failed is named."""
        failed = brought_nothing(row)
        self._done += 1
        self._failed += failed
        self._bar.update(1)
        if failed:
            self.say(f"{label}: {row['status']}" + (f": {row['message']}" if row["message"] else ""))

    def in_work(self, labels: Sequence[str]) -> None:
        """Show the counts and what is in work; plain lines come every few seconds only."""
        counts = f"{self._done} finished, {self._failed} failed, {self._total - self._done} remaining"
        if self._terminal:
            shown = "; ".join(labels[:2]) + (f"; {len(labels) - 2} more" if len(labels) > 2 else "")
            self._bar.set_postfix_str(f"{self._failed} failed, {self._total - self._done} left: {shown}", refresh=True)
        elif time.monotonic() - self._spoken > QUIET_S:
            self._spoken = time.monotonic()
            self.say(f"{counts}; in work: {'; '.join(labels) or '-'}")

    def say(self, line: str) -> None:
        """A line that stays."""
        self._bar.write(line, file=sys.stderr)

    def close(self) -> None:
        """Leave the terminal as it was."""
        self._bar.close()
