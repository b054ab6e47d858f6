"""The history of the nights: one parquet file, a row for each cell of each night, and the steps in it.

What a trend page needs:

    history = load_history(path)                 # DataFrame: NIGHT_COLUMNS, then the columns of results but `message`
    for trend in trends(history, "runtime_s"):   # one Trend for each cell on each machine, never mixed
        trend.label, trend.method, trend.machine # what to write beside it
        trend.values                             # Series of float, index: night (UTC), missing where the cell failed
        for step in steps(trend.values):         # lasting changes of level: step.night, step.before, step.after
            what_changed(history, step.night, trend.machine)   # lines such as "numpy: 2.2.0 → 2.3.0", "commit: … → …"

METRICS names the columns worth a trend, and how far one value is from another: as a ratio (`relative`, `count`) or as
a difference (`absolute`). `relaxbench nightly` leaves a copy in the night's folder as history.parquet.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from filelock import FileLock

from ..grid.tolerances import CHECKED, COSTS
from ..text import UsageError
from .columns import COLUMNS, Column
from .differences import facts, reference_seconds
from .folder import load_environment, load_results, read_parquet
from .labels import key_of, labels, rows_of
from .tables import DTYPES, marked_table

NIGHT_COLUMNS = (
    Column("night", "str", "when the run began, UTC, as 2025-01-31T02:00:00+00:00; sorts by time"),
    Column("commit", "str", "commit of the code, with + if files differed from it"),
    Column("reference_s", "float", "seconds of the reference workload on that night"),
    Column("environment", "str", "hardware, linear algebra and versions as JSON"),
    Column("key", "str", "what was asked for in the cell, the same from night to night"),
    Column("label", "str", "the same in words"),
)
METRICS = {column.name: column.measure for column in CHECKED} | dict.fromkeys(COSTS, "relative")
HISTORY_COLUMNS = (*NIGHT_COLUMNS, *(column for column in COLUMNS if column.name != "message"))

MAX_HISTORY_ROWS = 10**7
LEAST_NIGHTS = 3  # on either side of a step
NOISE_FLOOR = 1e-6  # relative: below it a number has not changed
BANDWIDTH = 0.2  # of the kernel, in units of the noise: far outliers count no more than near ones
PENALTY = 0.9  # of a step, times log(nights): about 1 false step in 100 series


@dataclass(frozen=True)
class Trend:
    """A metric of one cell over the nights of one machine; values: Series of float with the night as its index."""

    key: str
    label: str
    method: str
    machine: str
    metric: str
    values: pd.Series


@dataclass(frozen=True)
class Step:
    """A lasting change of level; night: the first of the new level. before and after: medians of the two levels."""

    night: pd.Timestamp
    before: float
    after: float


def load_history(path: str | Path) -> pd.DataFrame:
    """The history of the nights; columns of results that did not exist yet on a night are missing on it.

    Args:
        path: parquet file that `append_history` wrote.

    Returns:
        HISTORY_COLUMNS in the order of the nights, `night` as UTC timestamps.

    Raises:
        UsageError: any other file.
    """
    path = Path(path)
    dtypes = {column.name: DTYPES[column.kind] for column in HISTORY_COLUMNS}
    try:
        table = read_parquet(path, MAX_HISTORY_ROWS)
        lacking = [name for name in (*(column.name for column in NIGHT_COLUMNS), "machine") if name not in table]
        if lacking:
            raise UsageError(f"{path} must be a history of nights. Got a table without column {lacking[0]!r}.")
        table = marked_table(table.reindex(columns=list(dtypes)).astype(dtypes))
        table["night"] = pd.to_datetime(table["night"], utc=True, format="ISO8601")
    except (OSError, ValueError, TypeError, KeyError) as error:
        if isinstance(error, UsageError):
            raise
        reason = " ".join(str(error).split())[:200]
        raise UsageError(f"{path} must be a history of nights. Got a file that does not read ({reason}).") from None
    return table.sort_values("night", kind="stable").reset_index(drop=True)


def append_history(path: str | Path, folder: str | Path) -> pd.DataFrame:
    """Add the cells of a run's folder as one night, in place of a night of the same time.

    Args:
        path: parquet file, made if it does not exist and replaced at once, so that readers see it before or after.
        folder: a run's folder.

    Returns:
        The whole history, as `load_history`.

    Raises:
        UsageError: the file is no history, or the folder holds no results.
        OSError: the file cannot be written.
    """
    path, tonight = Path(path), _night(Path(folder))
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_name(f".{path.name}.lock")):
        before = load_history(path) if path.exists() else tonight.iloc[:0]
        kept = before[~before["night"].isin(tonight["night"])]
        history = pd.concat([kept, tonight], ignore_index=True).sort_values("night", kind="stable")
        written = history.assign(night=history["night"].map(pd.Timestamp.isoformat))
        temporary = path.with_name(f".{path.name}.tmp")
        written.to_parquet(temporary, index=False)
        temporary.replace(path)
    return history.reset_index(drop=True)


def trends(history: pd.DataFrame, metric: str) -> Iterator[Trend]:
    """The metric of every cell on every machine that has any.

    Args:
        history: as from `load_history`.
        metric: name of a column, one of METRICS.

    Returns:
        One Trend for each cell and machine; nights on which the cell failed are missing.
    """
    if history[metric].isna().all():
        return
    narrow = history[["key", "machine", "label", "method", "night"]].assign(
        value=history[metric].to_numpy(dtype=float, na_value=np.nan)
    )
    for (key, machine), rows in narrow.groupby(["key", "machine"], sort=False, dropna=False):
        values = rows.set_index("night")["value"]
        if values.notna().any():
            label, method = (str(rows[name].iloc[-1]) for name in ("label", "method"))
            yield Trend(str(key), label, method, str(machine), metric, values)


def steps(values: pd.Series) -> list[Step]:
    """Lasting changes of level in a series.

    Kernel change-point detection (S. Arlot, A. Celisse and Z. Harchaoui, Journal of Machine Learning Research 20,
    2019) on the logarithms, or on the values where some are not above 0, in units of the noise from night to night.

    Args:
        values: series of float with the night as its index.

    Returns:
        The steps in order; each level lasts at least LEAST_NIGHTS values.
    """
    known = values.dropna()
    if len(known) < 2 * LEAST_NIGHTS:
        return []
    numbers = known.to_numpy(dtype=float)
    if (numbers == numbers[0]).all():
        return []
    positive = bool((numbers > 0).all())
    level = np.log(numbers) if positive else numbers / (np.max(np.abs(numbers)) or 1.0)
    jumps = np.diff(level)
    noise = 1.4826 * float(np.median(np.abs(jumps - np.median(jumps)))) / math.sqrt(2)
    units = ((level - np.median(level)) / max(noise, NOISE_FLOOR)).reshape(-1, 1)
    import ruptures  # late: it is slow to import

    search = ruptures.KernelCPD(kernel="rbf", params={"gamma": BANDWIDTH}, min_size=LEAST_NIGHTS)
    ends = search.fit(units).predict(pen=PENALTY * math.log(len(known)))
    levels = [float(np.median(part)) for part in np.split(numbers, ends[:-1])]
    nights = [known.index[end] for end in ends[:-1]]
    return [Step(*one) for one in zip(nights, levels[:-1], levels[1:], strict=True)]


def what_changed(history: pd.DataFrame, night: pd.Timestamp, machine: str) -> list[str]:
    """What of commit, versions and hardware differs between a night and the one before it on the same machine.

    Args:
        history: as from `load_history`.
        night: the later of the two.
        machine: key of the machine.

    Returns:
        Lines such as "numpy: 2.2.0 → 2.3.0"; none for the first night.
    """
    nights = history[history["machine"] == machine].drop_duplicates("night")[["night", "commit", "environment"]]
    rows = nights[nights["night"] <= night].tail(2).to_dict("records")
    if len(rows) < 2:
        return []
    before, after = (_facts(row) for row in rows)
    return [
        f"{name}: {before.get(name, '-')} → {after.get(name, '-')}"
        for name in dict.fromkeys([*before, *after])
        if before.get(name) != after.get(name)
    ]


def _facts(row: Mapping[Any, Any]) -> dict[str, str]:
    """What is known of a night, by name; of a history that somebody else wrote perhaps nothing."""
    try:
        known = json.loads(row["environment"])
    except (ValueError, TypeError, RecursionError):
        known = {}
    known = known if isinstance(known, dict) else {}
    return {**{str(name): str(value) for name, value in known.items()}, "commit": str(row["commit"])}


def _night(folder: Path) -> pd.DataFrame:
    """HISTORY_COLUMNS of one run."""
    results, environment = load_results(folder), load_environment(folder)
    rows = rows_of(results)
    names = labels(rows)
    try:
        night = pd.Timestamp(str(environment["written"])).tz_convert("UTC")
    except (KeyError, ValueError, TypeError):
        raise UsageError(
            f"{folder} must say when it was written, in environment.json. Got nothing of the kind."
        ) from None
    commit = environment.get("commit")
    known = facts(environment)
    known.pop("commit")
    table = results.drop(columns="message").assign(
        night=night,
        commit=pd.Series([commit] * len(rows), dtype="string", index=results.index),
        reference_s=reference_seconds(environment) or np.nan,
        environment=pd.Series([json.dumps(known)] * len(rows), dtype="string", index=results.index),
        key=pd.Series([key_of(row) for row in rows], dtype="string", index=results.index),
        label=pd.Series([names[row["cell"]] for row in rows], dtype="string", index=results.index),
    )
    return table[[column.name for column in HISTORY_COLUMNS]]
