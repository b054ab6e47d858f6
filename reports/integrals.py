"""How soon a method proved how much: proved bounds on either side over time, out of traces, and their integral.

What a trace says of a bound or a network counts no further than what was proved of it in the end: a lower bound at
most as the one that the checker proved, a network at least as the objective that the harness computed. So both are
true at any time, and only the time is the method's own word.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..bench.instances.known import Known, recognise
from .results import Results
from .summary import chosen

BOUNDS = ("sdp", "branch", "cpp")  # methods whose traces have bounds that they can prove at that time
NETWORKS = ("branch", "cpp", "lbfgs", "sgd")  # whose values are objectives of networks; those of sdp only in its round
KEYS = ["instance", "kind", "data", "gamma", "method"]
NUMBERS = ["horizon_s", "integral", "network_integral", "lower", "upper"]


def integrals(results: Results) -> pd.DataFrame:
    """Integrate the proved gap of every method on every instance.

    Args:
        results: the results of a run.

    Returns:
        One row for each instance, data and method: KEYS, NUMBERS (means over seeds). `integral`: the mean over time of
        (upper − lower)/upper, both proved by the method, 1 before; NaN for a method that proves bounds nowhere.
        `network_integral`: the same with the best lower bound of any method for the data; NaN without one, and for a
        method without networks. Time runs to `horizon_s`, when the last method ended. No rows without any trace.
    """
    cells = _of_instances(results)
    proving = set(cells.loc[cells["lower_bound"].notna(), "method"])
    training = set(cells.loc[cells[["objective", "upper_bound"]].notna().any(axis=1), "method"])
    best = results.tightness.set_index(["data", "gamma"])["lower_bound"]
    lines, traced = [], False
    for key, group in cells.groupby(["data", "gamma"], sort=False):
        found = [(row, *curves(results, row)) for row in group.to_dict("records")]
        horizon = max((float(times[-1]) for _, times, _, _ in found), default=0.0)
        for row, times, lower, upper in found:
            traced |= len(times) > 1
            reference = float(best.get(key, np.nan))
            line = {**{name: row[name] for name in KEYS}, "horizon_s": horizon, "lower": lower[-1], "upper": upper[-1]}
            line["integral"] = mean_gap(times, lower, upper, horizon) if row["method"] in proving else np.nan
            if row["method"] in training and not np.isnan(reference):
                line["network_integral"] = mean_gap(times, np.full(len(times), reference), upper, horizon)
            lines.append(line)
    table = pd.DataFrame(lines if traced else [], columns=[*KEYS, *NUMBERS])
    return table.groupby(KEYS, sort=False)[NUMBERS].mean().reset_index()


def _of_instances(results: Results) -> pd.DataFrame:
    """The cells that are about an instance, with its name and class."""
    cells = chosen(results.cells.dropna(subset=["gamma"]))
    found: dict[tuple[str, float], Known | None] = {}
    locators: dict[str, dict[str, Any]] = {}
    for data, gamma, cell in cells[["data", "gamma", "cell"]].itertuples(index=False):
        if data not in locators:
            locators[data] = results.locator(cell)
        if (data, gamma) not in found:
            found[data, gamma] = recognise(data, gamma, locators[data])
    known = [found[key] for key in zip(cells["data"], cells["gamma"], strict=True)]
    names = [one.name if one else "" for one in known]
    cells = cells.assign(instance=names, kind=[one.kind if one else "" for one in known])
    return cells[cells["instance"] != ""]


def curves(results: Results, row: dict[str, Any]) -> tuple[NDArray, NDArray, NDArray]:
    """What a cell had proved by when.

    Args:
        results: the results that it is from.
        row: the cell.

    Returns:
        Seconds from its start, rising, the last one its end; the best lower bound and the best network's objective from
        then on, NaN where there is none yet.
    """
    lower, upper = row["lower_bound"], np.fmin(row["objective"], row["upper_bound"])
    trace, method = results.trace(row["cell"]).reindex(columns=["stage", "seconds", "value", "bound"]), row["method"]
    rounding = trace["stage"] == "round"
    if method not in BOUNDS and method not in NETWORKS:
        trace, rounding = trace.iloc[:0], rounding.iloc[:0]  # of others only what they proved at their end
    times = (trace["seconds"] + np.where(rounding, np.nan_to_num(row["solve_s"]), 0.0)).to_numpy(dtype=float)
    value = trace["value"].where(rounding | (method in NETWORKS)).to_numpy(dtype=float)
    bound = trace["bound"].where(~rounding & (method in BOUNDS)).to_numpy(dtype=float)
    order = np.argsort(times, kind="stable")
    end = max([0.0, np.nan_to_num(row["runtime_s"]), *times])
    lowers = np.minimum(np.append(bound[order], lower), lower)  # NaN where nothing was proved
    uppers = np.maximum(np.append(value[order], upper), upper)
    return np.append(times[order], end), np.fmax.accumulate(lowers), np.fmin.accumulate(uppers)


def mean_gap(times: NDArray, lower: NDArray, upper: NDArray, horizon: float) -> float:
    """The mean over time of (upper − lower)/upper, from 0 to 1, with what is known from each time on; 1 before.

    Args:
        times: seconds, rising (k,).
        lower: lower bounds (k,), NaN for none yet.
        upper: objectives (k,), NaN for none yet.
        horizon: seconds at which time ends; what is there at last stands until then.

    Returns:
        The mean.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        gaps = np.where(upper > 0, np.clip((upper - lower) / upper, 0.0, 1.0), np.where(upper == 0, 0.0, 1.0))
    gaps = np.nan_to_num(gaps, nan=1.0)
    if not horizon > 0:
        return float(gaps[-1])
    spans = np.diff(np.concatenate([[0.0], times, [horizon]]))
    return float(np.sum(spans * np.concatenate([[1.0], gaps])) / horizon)
