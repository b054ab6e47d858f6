"""Where the reference method is behind another one, and why: the optimum, the fit or γ."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from ..labels import HOLDOUT
from ..results import Results
from ..summary import chosen, ordered
from .paired import REFERENCE, compared
from .table import Entry, Row, Table, fixed, gamma_text, number, records

FITTED = {"test_accuracy": "train_accuracy", "test_r2": "train_r2"}  # the measure on the rows that were trained on
REACHED = 0.01  # a certified gap, or a lead of the best network known, up to which the optimum counts as reached


def behind(results: Results) -> Table | None:
    """Tabulate the comparisons (problem, γ, method) in which REFERENCE is shown to be worse.

    Its numbers are means over the splits that were lost: `gap`, REFERENCE's objective against the best lower bound
    proved at its γ, (objective − bound)/objective; `excess`, its objective over the best network known at its γ,
    less 1; the measure of both methods on the rows that were trained on.

    Args:
        results: the results of a run.

    Returns:
        One row for each comparison; None without any.
    """
    cells = _against_bounds(results)
    lines = [_line(row, cells, results) for row in records(compared(cells, results)) if row["verdict"] == "worse"]
    if not lines:
        return None
    table = ordered(pd.DataFrame(lines))
    rows = tuple(
        (
            *(Entry(row["problem"]), Entry(gamma_text(row["gamma"])), Entry(row["method"])),
            *(
                Entry(f"{row['losses']}/{row['splits']}"),
                Entry(fixed(row["difference"], 4)),
                Entry(number(row["p_holm"], 2)),
            ),
            *(Entry(number(row["gap"], 2)), Entry(number(row["excess"], 2))),
            *(Entry(fixed(row["fit"], 3)), Entry(fixed(row["fit_other"], 3)), Entry(row["why"])),
        )
        for row in records(table)
    )
    header = (
        *("data set", "γ", "against", "lost", "difference", "p (Holm)", "gap", "excess"),
        *(f"training rows, {REFERENCE}", "training rows, other", "why"),
    )
    caption = (
        f"Comparisons in which {REFERENCE} is shown to be worse, by the test of the table of methods compared split by "
        "split. What stands beside is measured and not tested; means over the splits lost: "
        f"gap, of {REFERENCE}'s objective to the best bound proved at its γ; excess, of its objective over the best "
        "network known at its γ, less 1; accuracy, or R², on the training rows. The optimum counts as reached at a gap "
        f"of up to {REACHED:g}, and as missed at an excess above that."
    )
    return Table("behind", f"Where {REFERENCE} is behind, and why", caption, header, rows, table, labels=3)


def _against_bounds(results: Results) -> pd.DataFrame:
    """The cells that tables compare, with the γ they were trained at (`used`), `gap` and `excess` as above."""
    cells = chosen(results.under(HOLDOUT).done)
    cells = cells.assign(used=cells["gamma"].fillna(cells["gamma_chosen"]))
    known = results.tightness.set_index(["data", "gamma"])[["lower_bound", "upper_bound"]]
    cells = cells.drop(columns=known.columns).join(known, on=["data", "used"])
    objective = cells["objective"].where(cells["objective"] > 0)
    return cells.assign(gap=1 - cells["lower_bound"] / objective, excess=objective / cells["upper_bound"] - 1)


def _line(comparison: Row, cells: pd.DataFrame, results: Results) -> Row:
    """A row of `compared` with gap, excess, fits and the reasons in words."""
    measure = comparison["measure"]
    fitted = FITTED[measure]
    same = cells["gamma"].isna() if math.isnan(comparison["gamma"]) else cells["gamma"] == comparison["gamma"]
    here = cells[(cells["problem"] == comparison["problem"]) & same]
    columns = [measure, fitted, "gap", "excess"]
    ours = here[here["method"] == REFERENCE].groupby("data")[columns].mean()
    theirs = here[here["method"] == comparison["method"]].groupby("data")[columns].mean()
    lost = (ours[measure] - theirs[measure]).pipe(lambda lead: lead.index[lead < 0])
    ours, theirs = ours.loc[lost], theirs.loc[lost]
    found = {
        **{"gap": float(ours["gap"].mean()), "excess": float(ours["excess"].mean())},
        **{"fit": float(ours[fitted].mean()), "fit_other": float(theirs[fitted].mean())},
    }
    reasons = (
        _optimum(found["gap"], found["excess"]),
        _fit(found["fit"], found["fit_other"]),
        _ends(here[(here["method"] == REFERENCE) & here["data"].isin(lost)], results)
        if math.isnan(comparison["gamma"])
        else _other(comparison, cells),
    )
    return {**comparison, **found, "why": "; ".join(reason for reason in reasons if reason)}


def _optimum(gap: float, excess: float) -> str:
    if gap <= REACHED:
        return "optimum reached, as proved"
    if excess > REACHED:
        return "optimum missed: a better network is known"
    return "no bound" if math.isnan(gap) else "optimum not proved, no better network known"


def _fit(ours: float, theirs: float) -> str:
    if math.isnan(ours) or math.isnan(theirs):
        return ""
    if np.isclose(ours, theirs, rtol=0, atol=5e-4):
        return "fits the training rows as well as the other"
    return "overfits: fits the training rows better" if ours > theirs else "underfits: fits the training rows less"


def _ends(ours: pd.DataFrame, results: Results) -> str:
    """Whether cross-validation chose an end of the grid that it tried, which says that the grid was too short."""
    ends = 0
    for cell, gamma in zip(ours["cell"], ours["used"], strict=True):
        scores = str(results.info(cell).get("cv_scores", ""))  # "10: 0.9500, 1: 0.9600"
        tried = [float(score.split(":")[0]) for score in scores.split(", ") if score]
        ends += gamma in (min(tried, default=math.nan), max(tried, default=math.nan))
    return f"γ at an end of the grid tried in {ends} of {len(ours)}" if ends else ""


def _other(comparison: Row, cells: pd.DataFrame) -> str:
    """Whether another γ of the run has a higher mean."""
    ours = cells[(cells["problem"] == comparison["problem"]) & (cells["method"] == REFERENCE)]
    means = ours.groupby("gamma", dropna=False)[comparison["measure"]].mean().dropna()
    here, best = means[comparison["gamma"]], means.idxmax()
    if means[best] <= here:
        return "no other γ of the run has a higher mean" if len(means) > 1 else ""
    return (
        f"γ {gamma_text(float(best))} has a higher mean: {fixed(float(means[best]), 3)} against {fixed(float(here), 3)}"
    )
