"""What a reader of results must not miss: bounds that contradict a network, and bounds that were not proved."""

from __future__ import annotations

import pandas as pd

from .columns import GROUP
from .labels import labels, rows_of
from .tables import UPPER


def contradictions(results: pd.DataFrame) -> list[str]:
    """Find lower bounds above the objective of a network, whoever made them.

    Both are proved to be impossible together, so one of the two is wrong: there is no tolerance.

    Args:
        results: as from `load_results`.

    Returns:
        One sentence for each problem (data, γ) that has such a pair.
    """
    rows, found = rows_of(results), []
    names = labels(rows)
    best = results[list(UPPER)].min(axis=1)
    for _, group in results.assign(best=best).groupby(GROUP, sort=False):
        bounds, networks = group["lower_bound"].dropna(), group["best"].dropna()
        if bounds.empty or networks.empty or bounds.max() <= networks.min():
            continue
        bound, network = group.loc[bounds.idxmax()], group.loc[networks.idxmin()]
        found.append(
            f"the lower bound {bound['lower_bound']:.10g} of {_named(bound, names)} lies above {network['best']:.10g}, "
            f"the objective of a network of {_named(network, names)}, so one of them is wrong"
        )
    return found


def unproved(results: pd.DataFrame) -> str:
    """Find the cells that claim a bound which was not proved.

    Args:
        results: as from `load_results`.

    Returns:
        A sentence on them and the first of them; empty if there is none.
    """
    claims = results[results["claimed_bound"].notna()]
    if claims.empty:
        return ""
    names, first = labels(rows_of(claims)), claims.iloc[0]
    some = "cells claim bounds that are" if len(claims) > 1 else "cell claims a bound that is"
    return f"{len(claims)} {some} not proved, first {_named(first, names)}: {first['message']}"


def _named(row: pd.Series, names: dict[str, str]) -> str:
    return f"cell {str(row['cell'])[:8]} ({names[row['cell']]})"
