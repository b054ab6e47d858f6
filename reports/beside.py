"""Another run, compared with the one that is reported."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from ..errors import printable

TEXT = ("kind", "verdict", "cell", "column", "note", "dataset", "method")


@dataclass(frozen=True)
class Beside:
    """Another run (name), the base, and what a comparison said of the one that is reported: its numbers against these.

    verdict: the end of the matter in a line. checks: one row for each thing looked at, with kind (quality, cost, …),
    verdict, cell in words, column, other and this (the two values; text or numbers), change (how much worse than the
    base, in the units of the tolerance; of a cost the ratio), note, and the cell's dataset, method and gamma, where the
    row is of one cell. differences: between the machines and versions. notes: what a reader has to know.
    """

    name: str
    verdict: str
    checks: pd.DataFrame
    differences: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        clean = {name: self.checks[name].map(lambda text: printable(str(text))) for name in TEXT}
        object.__setattr__(self, "checks", self.checks.assign(**clean))
        for name in ("differences", "notes"):
            object.__setattr__(self, name, tuple(map(printable, getattr(self, name))))

    @property
    def counts(self) -> list[tuple[str, int]]:
        """How often each verdict fell, costs apart, which are advice."""
        judged = self.checks.loc[self.checks["kind"] != "cost", "verdict"]
        return [(str(name), int(count)) for name, count in judged.value_counts().items()]
