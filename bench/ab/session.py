"""ab: the working tree against a commit, on this machine, now: is it worse, and is it slower?

Round 0 runs everything once: it warms caches up and gives what soundness and quality are judged by. Then come the
pairs, part by part (a part is one method of the config, or one file of benchmarks): both sides one after the other in
random order, one cell at a time. `ab HEAD` without changes is an A/A test: it says how often the decision is wrong.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import psutil
from tqdm import tqdm

from ...errors import RelaxbenchError
from ...solvers.fit import Status
from ..compare.checks import ADVISORY, BETTER, COST, FAILED, GRID, MISSING, OK, REGRESSION, Check
from ..compare.comparison import Comparison, results_checks
from ..compare.match import Side, match
from ..engine.local import THREADS
from ..grid.cell import expand
from ..grid.spec import Spec
from ..grid.tolerances import COSTS
from ..results.differences import differences
from ..results.environment import usable_cores
from ..results.labels import labels
from ..results.tables import brought_nothing
from ..text import UsageError, one_line
from ..verify.bounds import verify
from .decide import ALPHA, RELABELLINGS, decide, false_alarm_rate, pairs_needed
from .measure import (
    PERF,
    CannotRun,
    perf_count,
    perf_tests,
    perf_timings,
    run_config,
    run_perf,
    same_code,
    timing,
    write_configs,
)
from .sides import WORKING_TREE, CodeSide, both_sides

__all__ = ["PERF", "ab", "ab_perf"]

VERDICTS = {"slower": REGRESSION, "faster": BETTER, "same": OK}

Measure = Callable[[str, str, str], Any]  # side, part ("" for all), a name of its own -> what was measured
Rounds = list[tuple[int, str, dict[str, Any]]]  # number of the pair, side that came first, measurements by side


def ab(
    ref: str, spec: Spec, *, pairs: int = 16, threshold: float = 0.1, jobs: int = 1, data_dir: Path | None = None
) -> Comparison:
    """Compare the working tree with the commit `ref` on the cells of `spec`: soundness, quality, and costs by pairs.

    A working tree that does not run is a check that failed; a commit that does not run is nothing to compare with.

    Args:
        ref: commit, branch or tag.
        spec: what both sides compute.
        pairs: timed pairs of runs, interleaved.
        threshold: least ratio − 1 of the costs that is an alarm.
        jobs: cells at a time; more than one leaves the costs as advice.
        data_dir: folder with original data files, used first.

    Returns:
        The checks, the paired timings behind them, and the exit code.

    Raises:
        RelaxbenchError: bad input, before anything is run.
    """
    try:
        cells = len(expand(spec, data_dir))
    except RelaxbenchError:
        raise
    except Exception as error:
        return _broken(ref, error)
    tests = cells * len(COSTS)
    _check(pairs, threshold, jobs, tests, ", or --jobs 2 for no verdict on costs")
    with both_sides(ref) as (base, cand), TemporaryDirectory(prefix="relaxbench-ab-") as name:
        folder = Path(name)
        sides = {"base": base, "cand": cand}
        configs = {name: write_configs(spec, side, cand, folder) for name, side in sides.items()}

        def measure(side: str, part: str, name: str) -> Side:
            found = run_config(sides[side], configs[side][part], folder / name, jobs, data_dir)
            if part:  # round 0 is proved again later
                shutil.rmtree(folder / name)
            return found

        notes = _notes(base, cand, pairs, tests, jobs)
        try:
            first, rounds = _rounds(measure, [part for part in configs["cand"] if part], pairs)
        except CannotRun as error:
            return _stopped(base, cand, notes, error)
        timings = pd.DataFrame([line for number, order, both in rounds for line in _timings(number, order, both)])
        known = Side(cand.name, first["cand"].rows, first["cand"].environment, spec.toml())
        checks = results_checks(Side(base.name, first["base"].rows, first["base"].environment), known)
        notes += _flaky(rounds)
        costs, more = _costs(timings, threshold, judged=jobs == 1, same=same_code(base, cand, spec))
        found = differences(first["base"].environment, first["cand"].environment)
        lines = timings.to_dict("records")
        result = Comparison(base.name, cand.name, [*checks, *costs], found, [*notes, *more], lines)
        return result.with_proofs("CAND", list(verify(folder / "cand-0-", data_dir)))


def ab_perf(ref: str, *, pairs: int = 16, threshold: float = 0.1) -> Comparison:
    """Compare the working tree with the commit `ref` on the hot operations in tests/perf.

    Args:
        ref: commit, branch or tag.
        pairs: timed pairs of runs, interleaved.
        threshold: least ratio − 1 of the costs that is an alarm.

    Returns:
        The checks, the paired timings behind them, and the exit code.

    Raises:
        RelaxbenchError: bad input, before anything is run.
    """
    _check(pairs, threshold, 1, 1)
    with both_sides(ref) as (base, cand), TemporaryDirectory(prefix="relaxbench-ab-") as name:
        folder, sides = Path(name), {"base": base, "cand": cand}
        tests = perf_tests(cand, folder)
        _check(pairs, threshold, 1, perf_count(cand, tests))

        def measure(side: str, part: str, name: str) -> dict[str, float]:
            return run_perf(sides[side], tests, part, folder / f"{name}.json")

        try:
            first, rounds = _rounds(measure, sorted(path.name for path in tests.glob("test_*.py")), pairs)
        except CannotRun as error:
            return _stopped(base, cand, [], error)
        timings = pd.DataFrame(
            [line for number, order, both in rounds for line in perf_timings(both["base"], both["cand"], number, order)]
        )
        before, after = first["base"], first["cand"]
        checks = [Check(GRID, name, "ran", "yes", "no", FAILED) for name in before if name not in after]
        checks += [Check(GRID, name, "ran", "no", "yes", MISSING) for name in after if name not in before]
        notes = _notes(base, cand, pairs, len(before.keys() & after.keys()), 1)
        costs, more = _costs(timings, threshold, judged=True, same=same_code(base, cand))
        lines = timings.to_dict("records")
        return Comparison(base.name, cand.name, [*checks, *costs], (), [*notes, *more], lines)


def _check(pairs: int, threshold: float, jobs: int, tests: int, otherwise: str = "") -> None:
    """Refuse limits with which no verdict could come of so many tests, before the time for them is spent."""
    if pairs < 1:
        raise UsageError(f"--pairs must be at least 1. Got {pairs} instead.")
    if jobs < 1:
        raise UsageError(f"--jobs must be at least 1. Got {jobs} instead.")
    if not 0 < threshold < np.inf:
        raise UsageError(f"--threshold must be a number > 0, such as 0.1 for 10 %. Got {threshold} instead.")
    needed = pairs_needed(tests)
    if jobs == 1 and pairs < needed:
        raise UsageError(
            f"--pairs must be at least {needed} for one of {tests} tests of costs to count. Got {pairs} instead: "
            f"give --pairs {needed}{otherwise}."
        )


def _rounds(measure: Measure, parts: Sequence[str], pairs: int) -> tuple[dict[str, Any], Rounds]:
    """What round 0 measured, and what the pairs did."""
    rng, rounds = np.random.default_rng(), []
    with tqdm(total=2 * (1 + pairs * len(parts)), unit="run", disable=None) as bar:

        def both(number: int, part: str) -> tuple[int, str, dict[str, Any]]:
            order, measured = (
                [str(side) for side in rng.permutation(["base", "cand"])] if number else ["cand", "base"],
                {},
            )
            for side in order:
                bar.set_postfix_str(f"pair {number} of {pairs}, {side}")
                measured[side] = measure(side, part, f"{side}-{number}-{part}")
                bar.update()
            return number, order[0], measured

        first = both(0, "")[2]
        for number in range(1, pairs + 1):
            rounds += [both(number, part) for part in parts]
            if bar.disable:
                print(f"relaxbench: pair {number} of {pairs} measured", file=sys.stderr)
    return first, rounds


def _timings(number: int, order: str, both: dict[str, Side]) -> list[dict[str, Any]]:
    """The lines of one pair of runs: cells that ended well on both sides."""
    names = labels([*both["base"].rows, *both["cand"].rows])
    return [
        timing(names[pair.cand["cell"]], cost, number, order, pair.base[cost], pair.cand[cost])
        for pair in match(both["base"].rows, both["cand"].rows).pairs
        for cost in COSTS
        if pair.base["status"] == pair.cand["status"] == Status.OK and pair.base[cost] and pair.cand[cost]
    ]


def _costs(timings: pd.DataFrame, threshold: float, *, judged: bool, same: bool) -> tuple[list[Check], list[str]]:
    """Checks of the costs, and what is to be said about them."""
    if timings.empty:
        return [], ["no cell ended well on both sides, so there are no costs"]
    decisions, checks = decide(timings, threshold).to_dict("records"), []
    for row in decisions:
        interval = f"95 % interval {row['low']:.3f} to {row['high']:.3f}, " if row["low"] == row["low"] else ""
        note = f"{interval}p = {row['p']:.2g}, pairs: {row['pairs']}"
        possible = judged and row["pairs"] >= pairs_needed(len(decisions))
        verdict = VERDICTS[row["verdict"]] if possible else ADVISORY
        checks.append(Check(COST, row["cell"], row["cost"], row["base"], row["cand"], verdict, row["ratio"], note))
    if not same or all(check.verdict == ADVISORY for check in checks):
        return checks, []
    alarms = sum(check.verdict == REGRESSION for check in checks)
    rate = false_alarm_rate(timings, threshold, np.random.default_rng(0))
    return checks, [
        f"A/A: both sides are the same code, so every alarm is false: {alarms} of {len(checks)} decisions",
        f"false-alarm rate: {rate:.1%} of {RELABELLINGS} comparisons with the sides of these pairs swapped at random",
    ]


def _notes(base: CodeSide, cand: CodeSide, pairs: int, tests: int, jobs: int) -> list[str]:
    notes = [
        f"{pairs} pairs, sides in random order; sign and signed-rank test, Holm's correction over {tests} tests at "
        f"{ALPHA:g}",
        f"BLAS threads pinned to {THREADS}; {usable_cores()} cores, load {psutil.getloadavg()[0]:.1f} at the start",
    ]
    if base.python != cand.python:
        notes.append("BASE ran in an environment of its own, since its dependencies are others")
    if jobs > 1:
        notes.append(f"costs are advice: with {jobs} jobs at a time the cells disturb each other")
    return notes


def _flaky(rounds: Rounds) -> list[str]:
    """Failures in the timed rounds, which the comparison of round 0 does not see."""
    notes = []
    for side, name in (("base", "BASE"), ("cand", "CAND")):
        failed = sum(brought_nothing(row) for _, _, both in rounds for row in both[side].rows)
        if failed:
            notes.append(f"{failed} cells of {name} failed in the timed rounds")
    return notes


def _stopped(base: CodeSide, cand: CodeSide, notes: Sequence[str], error: CannotRun) -> Comparison:
    """What is left when a side did not run: a failed check if it is the candidate, else nothing to compare with."""
    if error.side == cand:
        return replace(_broken(base.name, error), notes=notes)
    return Comparison(base.name, cand.name, [], (), [*notes, f"a side did not run: {error}"])


def _broken(base: str, error: Exception) -> Comparison:
    check = Check(GRID, WORKING_TREE, "runs", None, "no", REGRESSION, note=f"it does not run: {one_line(error)}")
    return Comparison(base, WORKING_TREE, [check])
