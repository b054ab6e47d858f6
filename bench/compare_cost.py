"""Costs side by side. From two runs at different times they are advice: only interleaved pairs (ab.py) are judged."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from .compare_checks import ADVISORY, COST, Check
from .compare_columns import COSTS
from .compare_match import Pair


def advice(pairs: Iterable[Pair], labels: Mapping[str, str], reference_ratio: float | None) -> Iterator[Check]:
    """Ratios of the costs of the cells that ended well on both sides, and their geometric mean by method.

    reference_ratio: how much slower the candidate's machine was at the reference workload; runtimes are divided by it,
    as they are if it is None.
    """
    ratios: dict[tuple[str, str], list[float]] = defaultdict(list)
    checks = []
    for pair in pairs:
        if pair.base["status"] != "ok" or pair.cand["status"] != "ok":
            continue
        for column in COSTS:
            before, after = pair.base[column], pair.cand[column]
            if not before or not after:
                continue
            ratio = after / before / ((reference_ratio or 1.0) if column == "runtime_s" else 1.0)
            ratios[str(pair.cand["method"]), column].append(ratio)
            checks.append(Check(COST, labels[pair.cand["cell"]], column, before, after, ADVISORY, ratio))
    for (method, column), found in ratios.items():
        mean = math.exp(sum(math.log(ratio) for ratio in found) / len(found))
        note = f"geometric mean over {len(found)} cells"
        yield Check(COST, f"all {method}", column, None, None, ADVISORY, mean, note)
    yield from checks
