"""Every cell in the page: its columns, the command that computes it alone, and the way its solver went."""

from __future__ import annotations

import shlex
import tomllib
from collections.abc import Sequence
from typing import Any

import pandas as pd

from ...bench.grid.model import MODEL
from ..labels import relabelled
from ..results import Results
from ..summary import chosen, series
from .packing import column

SHOWN = (
    *("cell", "problem", "method", "solver", "rounding", "gamma", "gamma_chosen", "gamma_by"),
    *("activation", "loss", "width", "seed", "data_seed", "status"),
    *("objective", "lower_bound", "gap", "gap_own", "train_accuracy", "test_accuracy", "balanced_accuracy", "test_r2"),
    *("runtime_s", "n", "d", "c", "message"),
)  # at first in the table; not test_accuracy_paper: the two protocols never share a table
MORE = (
    *("upper_bound", "relaxation_value", "claimed_bound", "certificate", "train_r2", "test_rmse", "solve_s", "round_s"),
    *("cpu_s", "verify_s", "setup_s", "peak_memory_mb", "iterations", "n_test", "chosen", "options", "preprocess"),
    *("dataset", "data", "protocol", "threads", "machine", "environment_key"),
)
HEADERS = {
    "problem": "data set",
    "dataset": "data set as given",
    "gamma": "γ",
    "gamma_chosen": "γ chosen",
    "gamma_by": "γ by",
    "lower_bound": "lower bound",
    "gap_own": "network gap",
    "runtime_s": "runtime (s)",
}
POINTS = 60  # of a cell's trace in the page
TRACES = 400  # cells whose traces are read at most
NUMBERS = 60_000  # of all traces in the page


def cell_columns(results: Results) -> list[dict[str, Any]]:
    """The columns that hold anything, with `shown` where they are in the table at first and `hidden` where never.

    The hidden ones say what a cell is counted with in figures: arm, line (arm without width), relaxation (without
    rounding too), timed (in runtime: where a method ran with several solvers the relaxation, else the arm chosen).

    Args:
        results: the results of a run.

    Returns:
        Packed columns, one value a cell.
    """
    cells, columns = results.cells, []
    labelled = relabelled(cells, results.labels)
    for name in (*SHOWN, *MORE):
        values = labelled[name]
        if values.notna().any() if values.dtype.kind == "f" else (values != "").any():
            title = HEADERS.get(name, name.replace("_", " "))
            columns.append({**column(name, title, values), "shown": name in SHOWN})
    behind = {"arm": cells["arm"], "line": series(cells), "relaxation": series(cells, rounded=False)}
    several = cells.groupby("method")["solver"].transform("nunique") > 1
    taken = cells["method"].where(cells["cell"].isin(chosen(cells)["cell"]), "")
    behind["timed"] = taken.mask(several, behind["relaxation"])
    behind = {name: values.replace(results.labels) for name, values in behind.items()}
    behind["command"] = pd.Series(commands(results), index=cells.index)
    return [*columns, *({**column(name, name, values), "hidden": True} for name, values in behind.items())]


def commands(results: Results) -> list[str]:
    """The command that computes each cell alone, out of the run's own spec, whose other settings stay.

    Args:
        results: the results of a run.

    Returns:
        A command line for each cell; where the spec has several options of a method or of a data set apart from those
        that are arguments of the command, it computes one cell for each of them.
    """
    path = results.folder / "spec.toml"
    start = ["relaxbench", "run", *([str(path)] if results.spec else [])]
    spec = _tables(results.spec)
    whole = [table["use"] for table in spec["method"] if isinstance(table.get("use"), str)]
    cut = {table.get("name") for table in spec["dataset"] if "n" in table}
    names = ["dataset", "method", "gamma", "gamma_by", "width", "seed", "data_seed", "preprocess", "bias", "n"]
    names += [name for name, usual in MODEL.items() if set(results.cells[name]) - {usual}]
    lines = []
    for row in results.cells[[*names, "solver", "rounding"]].to_dict("records"):
        row["method"] = next((use for use in whole if use.endswith(row["method"].lstrip("…"))), row["method"])
        row["gamma"] = row.pop("gamma_by") or row["gamma"]
        row["n"] = row["n"] if row["dataset"] in cut else ""
        bias = ["--bias"] if row.pop("bias") else ["--no-bias"]
        given = {name: _word(value) for name, value in row.items()}
        options = [f"--{name.replace('_', '-')}={value}" for name, value in given.items() if value]
        lines.append(shlex.join([*start, *options, *bias, "--out=one"]))
    return lines


def _tables(spec: str) -> dict[str, list[dict[str, Any]]]:
    """The tables of data sets and methods of a spec; none of one that cannot be read."""
    try:
        found = tomllib.loads(spec)
    except tomllib.TOMLDecodeError:
        found = {}
    tables = {key: found.get(key) for key in ("dataset", "method")}
    return {
        key: [one for one in table if isinstance(one, dict)] if isinstance(table, list) else []
        for key, table in tables.items()
    }


def _word(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "" if pd.isna(value) else repr(int(value)) if float(value).is_integer() else repr(float(value))


def traces(results: Results) -> tuple[list[dict[str, Any]], int]:
    """How solvers went, for as many cells as there is room for: those with bounds first, one seed before the next.

    Args:
        results: the results of a run.

    Returns:
        For each cell `cell`, `stage`, and `seconds`, `value`, `bound` of at most POINTS rows, and how many cells that
        could have a trace were left out.
    """
    cells = results.cells.assign(open=results.cells["lower_bound"].isna())
    cells = cells.sort_values(["open", "seed", "data_seed"], kind="stable")
    found: list[dict[str, Any]] = []
    room, read = NUMBERS, 0
    for cell in cells["cell"].head(TRACES):
        if room <= 0:
            break
        read += 1
        trace = results.trace(cell)
        if len(trace):
            found.append({"cell": cell, **_thinned(trace)})
            room -= 3 * len(found[-1]["seconds"])
    return found, len(cells) - read


def _thinned(trace: pd.DataFrame) -> dict[str, Any]:
    """At most POINTS rows, evenly taken, with the last one."""
    step = -(-len(trace) // POINTS)
    kept: Sequence[int] = sorted({*range(0, len(trace), step), len(trace) - 1})
    thin = trace.iloc[kept]
    known = {name: column(name, name, thin[name].astype(float))["values"] for name in ("seconds", "value", "bound")}
    return {"stage": column("stage", "stage", thin["stage"]), "rows": len(trace), **known}
