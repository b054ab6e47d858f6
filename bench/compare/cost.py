"""Costs side by side. From two runs at different times they are advice: only interleaved pairs (ab/) are judged."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from ...solvers.fit import Status
from ..grid.tolerances import COSTS
from .checks import ADVISORY, COST, Check
from .match import Pair

LEAST = 1e-100  # no ratio of two runs is smaller; what is comes from numbers that are no costs


def advice(pairs: Iterable[Pair], labels: Mapping[str, str], reference_ratio: float | None) -> Iterator[Check]:
    """Ratios of the costs of the cells that ended well on both sides, and their geometric mean by method.

    reference_ratio: how much slower the candidate's machine was at the reference workload; runtimes are divided by it,
    as they are if it is None.
    """
    ratios: dict[tuple[str, str], list[float]] = defaultdict(list)
    checks = []
    for pair in pairs:
        if pair.base["status"] != Status.OK or pair.cand["status"] != Status.OK:
            continue
        for column in COSTS:
            before, after = pair.base[column], pair.cand[column]
            if before is None or after is None:
                continue
            ratio = _ratio(before, after, (reference_ratio or 1.0) if column == "runtime_s" else 1.0)
            note = "" if ratio else "no ratio: a cost must be a number above 0"
            checks.append(Check(COST, labels[pair.cand["cell"]], column, before, after, ADVISORY, ratio, note))
            if ratio:
                ratios[str(pair.cand["method"]), column].append(ratio)
    for (method, column), found in ratios.items():
        mean = float(np.exp(np.mean(np.log(found))))
        note = f"geometric mean over {len(found)} cells"
        yield Check(COST, f"all {method}", column, None, None, ADVISORY, mean, note)
    yield from checks


def _ratio(before: float, after: float, reference_ratio: float) -> float | None:
    """How much more the candidate costs; None where the numbers, as a damaged table may hold them, have no ratio."""
    if not (before > 0 and after > 0):
        return None
    ratio = after / before / reference_ratio
    return ratio if LEAST < ratio < 1 / LEAST else None
