"""Methods compared over many data sets: ranks, shares of the best, and tests of the reference against each rival."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from ..labels import FOLDS, HOLDOUT
from ..results import Results
from .boards import COVERAGE, FEWEST, Board, boards, friedman, wilcoxon_p
from .paired import LEVEL, REFERENCE, compared, holm
from .scores import SEEN, UNTUNED
from .table import ABSENT, Entry, Row, Table, fixed, number, records

NAMES = {"test_accuracy": ("accuracy", "accuracy"), "test_r2": ("r2", "R²")}  # of files, in words


def across(results: Results) -> list[Table]:
    """Tabulate every protocol and measure with FEWEST data sets or more.

    Args:
        results: the results of a run.

    Returns:
        One table for each protocol and measure.
    """
    found = []
    for protocol in (HOLDOUT, FOLDS):
        every = boards(results, protocol)
        for measure in NAMES:
            some = [board for board in every if board.measure == measure]
            found += [_table(some, protocol, results)] if some else []
    return found


def overview(board: Board, results: Results) -> pd.DataFrame:
    """Compute the numbers of a table of `across`, unrounded.

    Args:
        board: the scores.
        results: the results that they come from.

    Returns:
        One row a method, by average rank; columns about rivals are empty for REFERENCE.
    """
    scores, ranks = board.scores, board.ranks
    table = pd.DataFrame(
        {
            **{"gamma": board.gamma, "by": board.by, "datasets": len(scores), "mean": scores.mean()},
            **{"spread": scores.std(), "rank": ranks},
        }
    )
    if board.measure == "test_accuracy":
        share = scores.div(scores.max(axis=1), axis=0).fillna(1.0)  # where the best is 0, all are
        table["p90"], table["p95"] = (share >= 0.9 - 1e-9).mean(), (share >= 0.95 - 1e-9).mean()
        table["pma"] = share.mean()
    rivals = [_against(board, rival) for rival in board.rivals]
    if rivals:
        lines = pd.DataFrame(rivals).set_index("method")
        lines["p_holm"] = holm(lines["p"])
        table = table.join(lines).join(_verdicts(board, results))
    return table.sort_values("rank", kind="stable").rename_axis("method").reset_index()


def _against(board: Board, rival: str) -> Row:
    """On how many data sets REFERENCE scores higher, the sum of signed ranks of its leads, and Wilcoxon's p."""
    lead = (board.scores[REFERENCE] - board.scores[rival]).round(9).to_numpy()
    counts = {"higher": int((lead > 0).sum()), "equal": int((lead == 0).sum()), "lower": int((lead < 0).sum())}
    signed = float((np.sign(lead) * pd.Series(np.abs(lead)).rank()).sum())
    return {"method": rival, **counts, "signed_ranks": signed, "p": wilcoxon_p(lead)}


def _verdicts(board: Board, results: Results) -> pd.DataFrame:
    """On how many data sets the corrected t-test shows a difference to each rival, adjusted over its data sets."""
    lines = compared(board.cells, results)
    found = pd.DataFrame(0, index=board.rivals, columns=["wins", "ties", "losses"])
    if lines.empty:
        return found
    for rival, part in lines[lines["measure"] == board.measure].groupby("method"):
        shown = np.where(holm(part["p"].to_numpy()) < LEVEL, np.sign(part["difference"]), 0)
        found.loc[str(rival)] = [int((shown > 0).sum()), int((shown == 0).sum()), int((shown < 0).sum())]
    return found


def said_of(board: Board) -> str:
    """Say Friedman's test in words, and what was left out.

    Args:
        board: the scores.

    Returns:
        The footnote.
    """
    N, k = board.scores.shape
    test = friedman(board)
    text = f"{k} methods on {N} data sets"
    if test is not None:
        shown = "average ranks differ" if test[1] < LEVEL else "no difference of average ranks is shown"
        text += (
            f"; Friedman's test, as Iman and Davenport correct it: F = {number(test[0], 3)}, {p_text(test[1])}, {shown}"
        )
    count = len(board.left_out)
    return f"{text}. Left out: {f'{count}, ' + ', '.join(board.left_out) if count else 'none'}."


def p_text(p: float) -> str:
    """Write a p-value: `p = 0.012`, `p < 1e-16` where the number is no more than rounding."""
    return f"p = {number(p, 2)}" if p >= 1e-16 else "p < 1e-16"


def _table(found: list[Board], protocol: str, results: Results) -> Table:
    stem, words = NAMES[found[0].measure]
    shares = found[0].measure == "test_accuracy"
    frames = [overview(board, results) for board in found]
    rows = tuple(
        _row(row, board, k if first == 0 else 0, shares)
        for k, (board, frame) in enumerate(zip(found, frames, strict=True), 1)
        for first, row in enumerate(records(frame))
    )
    header = (
        *("γ", "method", "data sets", "mean ± sd", "rank", *(("P90", "P95", "PMA") if shares else ())),
        *(f"{REFERENCE} higher/equal/lower", f"{REFERENCE} won/tied/lost", "p", "p (Holm)"),
    )
    name = f"across-{stem}" + ("-folds" if protocol == FOLDS else "")
    title = f"Methods over data sets, test {words} (protocol {protocol})"
    notes = tuple(said_of(board) for board in found)
    return Table(name, title, _caption(words, protocol, shares), header, rows, pd.concat(frames), notes=notes)


def _row(row: Row, board: Board, note: int, shares: bool) -> tuple[Entry, ...]:
    tests = (ABSENT,) * 4
    if row["method"] in board.rivals:
        tests = (
            Entry(f"{row['higher']:g}/{row['equal']:g}/{row['lower']:g}"),
            Entry(f"{row['wins']:g}/{row['ties']:g}/{row['losses']:g}"),
            Entry(number(row["p"], 2)),
            Entry(number(row["p_holm"], 2)),
        )
    return (
        *(Entry(board.gamma_text, notes=(note,) if note else ()), Entry(row["method"]), Entry(f"{row['datasets']}")),
        Entry(f"{fixed(row['mean'], 3)} ± {fixed(row['spread'], 3)}"),
        Entry(fixed(row["rank"], 2), math.isclose(row["rank"], board.ranks.min())),
        *(Entry(fixed(row[name], 3)) for name in (("p90", "p95", "pma") if shares else ())),
        *tests,
    )


def _caption(words: str, protocol: str, shares: bool) -> str:
    best = (
        "P90, P95: share of the data sets on which the method reaches 90 % or 95 % of the highest accuracy of the "
        "methods here; PMA: mean share of that accuracy. "
        if shares
        else "R² may be negative, so shares of the best are not given. "
    )
    return (
        f"Test {words}, mean over splits; {SEEN if protocol == FOLDS else UNTUNED}. Mean ± standard deviation over "
        f"data sets; rank: average over data sets, 1 is best, ties share ranks; bold: smallest. {best}{REFERENCE} "
        "higher/equal/lower: data sets on which its mean is so, untested. Won/tied/lost: data sets on which the "
        f"corrected resampled t-test over splits shows {REFERENCE} to be better, shows nothing, or shows it to be "
        f"worse (p adjusted by Holm over the data sets of one rival, below {LEVEL:g}; few splits show little; where "
        "splits share one test set there is no such test). p: Wilcoxon's signed-rank test over data sets, and adjusted "
        f"by Holm over the rivals. Compared are the data sets that {REFERENCE} finished, methods that finished "
        f"{100 * COVERAGE:g} % of them, and of these data sets those that all such methods finished, {FEWEST} at "
        "least. The tests over data sets take these for a sample of independent ones."
    )
