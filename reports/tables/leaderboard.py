"""The leaderboard: methods on the instances, class by class, by what they proved and how soon.

Nobody is ranked by means alone: a method is ahead of another only where their intervals, over the instances of the
class and all of them at once, do not overlap.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from ..integrals import integrals
from ..results import Results
from .boards import FEWEST
from .paired import LEVEL
from .table import ABSENT, Entry, Row, Table, fixed

SHIFT = 0.01  # of the shifted geometric mean of integrals, which are from 0 to 1
CLASSES = ("solved", "hard", "open")
MEASURES = {"integral": "proved gap", "network_integral": "network gap"}
HEADER = (
    *("class", "method", "instances", "proved gap", "interval", "rank"),
    *("network gap", "interval", "rank"),
)
CAPTION = (
    "Methods on the instances of each class. Proved gap: the primal–dual integral, which is the mean over time of "
    "(upper − lower)/upper, both sides proved by the method itself, and 1 before it has both. Time is that of the "
    "method, from its start until the last of the methods has ended on the instance, the same for all; what one has at "
    "its end stands until then. Of a trace no bound counts beyond what the checker proved in the end, and no network "
    "below its objective; the time is the method's own word. Methods that prove no bound have none and are not ranked "
    "by it. Network gap: the same with the best lower bound of any method in place of the own one, so what is measured "
    f"is the network alone. Both are shifted geometric means (shift {SHIFT:g}) over the instances that every method of "
    "the class ended on. Interval: Student's t, over the instances, of the mean difference of a method's logarithm "
    "from the mean of all methods on the same instance, so that it does not hold how hard the instances are; of all "
    "methods of the class and measure together at 95 %. Rank: one more than the number of methods whose intervals lie "
    "below, so methods are ranked only where their intervals separate, and others share their rank, which does not "
    f"prove them equal. With fewer than {FEWEST} instances nobody is ranked. Cells that are no instance are left out."
)


def leaderboard(results: Results) -> Table | None:
    """Rank the methods on the instances.

    Args:
        results: the results of a run.

    Returns:
        One row for each class and method; None without instances or traces.
    """
    found = integrals(results)
    return board(found) if len(found) else None


def board(scores: pd.DataFrame) -> Table:
    """The table of these scores.

    Args:
        scores: as `integrals` makes them; classes may be others than when they were made.

    Returns:
        One row for each class and method.
    """
    lines = [line for kind in CLASSES for line in _lines(kind, scores[scores["kind"] == kind])]
    best = {
        (measure, kind): [line[f"{measure}_rank"] for line in lines if line["kind"] == kind].count(1)
        for measure in MEASURES
        for kind in CLASSES
    }

    def entries(line: Row, measure: str) -> tuple[Entry, ...]:
        rank, first = line[f"{measure}_rank"], line[f"{measure}_rank"] == 1 and best[measure, line["kind"]] == 1
        interval = f"{fixed(line[f'{measure}_low'], 3)}–{fixed(line[f'{measure}_high'], 3)}"
        return (
            Entry(fixed(line[measure], 3), first),
            ABSENT if math.isnan(line[f"{measure}_low"]) else Entry(interval),
            ABSENT if math.isnan(rank) else Entry(f"{rank:g}", first),
        )

    rows = tuple(
        (
            *(Entry(line["kind"]), Entry(line["method"]), Entry(str(line["instances"]))),
            *(entry for measure in MEASURES for entry in entries(line, measure)),
        )
        for line in lines
    )
    return Table("leaderboard", "Leaderboard of the instances", CAPTION, HEADER, rows, pd.DataFrame(lines))


def _lines(kind: str, scores: pd.DataFrame) -> list[Row]:
    """The lines of a class, those of smaller proved gaps first."""
    if scores.empty:
        return []
    found = {measure: standings(wide(scores, measure)) for measure in MEASURES}
    methods = sorted(
        dict.fromkeys(scores["method"]),
        key=lambda name: tuple(found[measure]["score"].get(name, math.inf) for measure in MEASURES),
    )
    count = len(_ended(scores))
    nothing = pd.Series(math.nan, ["score", "low", "high", "rank"])
    lines = []
    for method in methods:
        line: Row = {"kind": kind, "method": method, "instances": count}
        for measure, standing in found.items():
            own = standing.loc[method] if method in standing.index else nothing
            line |= {measure: own["score"], **{f"{measure}_{name}": own[name] for name in ("low", "high", "rank")}}
        lines.append(line)
    return lines


def _ended(scores: pd.DataFrame) -> pd.Index:
    """The instances that every method has a row of."""
    counts = scores.groupby("instance")["method"].nunique()
    return counts.index[counts == scores["method"].nunique()]


def wide(scores: pd.DataFrame, measure: str) -> pd.DataFrame:
    """The scores of one measure, a row an instance that every method ended on, a column a method that has any.

    Args:
        scores: of one class.
        measure: one of MEASURES.

    Returns:
        The scores, without gaps.
    """
    part = scores[scores["instance"].isin(_ended(scores))]
    return part.pivot_table(index="instance", columns="method", values=measure).dropna()


def standings(scores: pd.DataFrame) -> pd.DataFrame:
    """Who is ahead of whom.

    The intervals are of each method's mean logarithm against the mean of all methods on the same instances, which takes
    out what is hard for all, each at 1 − LEVEL/k for k methods: all k hold at once with probability 1 − LEVEL, and so
    do all statements that follow from two of them that do not overlap.

    Args:
        scores: a row an instance, a column a method, smaller is better, no gaps.

    Returns:
        score, the shifted geometric mean, with low and high, its interval; rank, one more than the number of methods
        whose intervals lie below. One row a method; NaN with fewer than FEWEST instances, or with one method alone.
    """
    from scipy.stats import t

    (n, k), logs = scores.shape, np.log(scores + SHIFT)
    table = pd.DataFrame({"score": np.exp(logs.mean()) - SHIFT, "low": math.nan, "high": math.nan, "rank": math.nan})
    if n < FEWEST or k < 2:
        return table
    own = logs.sub(logs.mean(axis=1), axis=0)
    half = t.ppf(1 - LEVEL / (2 * k), n - 1) * own.std() / math.sqrt(n)
    table["low"], table["high"] = np.exp(logs.mean() - half) - SHIFT, np.exp(logs.mean() + half) - SHIFT
    table["rank"] = [1.0 + int((table["high"] < low).sum()) for low in table["low"]]
    return table
