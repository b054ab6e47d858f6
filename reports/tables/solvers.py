"""Solvers of the relaxation side by side: how far each value is from the truth, what each can prove, and how long."""

from __future__ import annotations

import pandas as pd

from ...bench.results.columns import Status
from ..results import Results
from ..summary import OURS, ordered, stage
from .table import Entry, Table, number, records

GROUP = ["data", "gamma"]
HEADER = (
    *("data set", "γ", "solver", "finished", "error", "largest error", "proved gap", "largest gap"),
    *("seconds", "× ours", "smallest ×"),
)
CAPTION = (
    "Solvers of the same relaxations. Error: distance of the value that a solver reports from the proved interval "
    "of the relaxation (largest proved bound of any solver to our strictly feasible value), relative. Proved gap: "
    "from the bound proved with this solver's dual to the strictly feasible value. Medians over the data drawn "
    "and the worst of them; × ours: seconds relative to our solver on the same data."
)


def solver_table(results: Results) -> Table | None:
    """Compare the solvers, if method sdp, without cuts, ran with our solver and another one.

    Args:
        results: the results of a run.

    Returns:
        One row for each (problem, γ, solver); None where there is nothing to compare.
    """
    table = _measured(results)
    if table is None:
        return None
    rows = tuple(
        (
            *(Entry(row["problem"]), Entry(number(row["gamma"])), Entry(row["arm"])),
            Entry(f"{row['finished']} of {row['draws']}"),
            *(Entry(number(row[name], 2)) for name in ("error", "error_max", "proved_gap", "proved_gap_max")),
            *(Entry(number(row[name], 3)) for name in ("seconds", "ratio", "ratio_min")),
        )
        for row in records(table)
    )
    return Table("solvers", "Solvers of the relaxation", CAPTION, HEADER, rows, table, labels=3)


def _measured(results: Results) -> pd.DataFrame | None:
    """Errors, proved gaps and times by (problem, γ, solver); None where there is nothing to compare."""
    cells = results.cells[stage(results.cells) == "sdp"]
    # One cell a relaxation: the others of its group only round the same solution.
    cells = cells.sort_values("solve_s").drop_duplicates([*GROUP, "arm"])
    ours = cells[cells["solver"].isin(OURS)]
    if ours.empty or len(set(cells["solver"]) - set(OURS)) == 0:
        return None
    truth = pd.DataFrame(
        {
            "lowest": cells.groupby(GROUP)["lower_bound"].max(),
            "highest": ours.groupby(GROUP)["relaxation_value"].min(),
            "our_seconds": ours.groupby(GROUP)["solve_s"].min(),
        }
    ).reset_index()
    cells = cells.merge(truth, on=GROUP)
    value = cells["relaxation_value"]
    outside = (cells["lowest"] - value).clip(lower=0) + (value - cells["highest"]).clip(lower=0)
    cells["error"] = outside / cells["highest"]
    cells["proved_gap"] = (cells["highest"] - cells["lower_bound"]) / cells["highest"]
    cells["ratio"] = cells["solve_s"] / cells["our_seconds"]
    keys = ["problem", "gamma", "arm"]
    table = (
        cells.groupby(keys, sort=False)
        .agg(
            draws=("error", "size"),
            finished=("status", lambda status: int((status == Status.OK).sum())),
            error=("error", "median"),
            error_max=("error", "max"),
            proved_gap=("proved_gap", "median"),
            proved_gap_max=("proved_gap", "max"),
            seconds=("solve_s", "median"),
            ratio=("ratio", "median"),
            ratio_min=("ratio", "min"),
        )
        .reset_index()
    )
    return ordered(table, "seconds")
