"""nightly: run a config, prove its bounds again, compare with the night before, keep the history, and say what came.

DIR/night-<UTC>/   a folder for each night, as of any run, and in it
    report/        the report            history.parquet  a copy of the history, for the report's trends
    summary.md     the job summary, written last: a night without it was interrupted and is nobody's baseline
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from .compare.comparison import Comparison, compare
from .compare.match import read_side
from .compare.show import VERDICTS, markdown
from .engine.run import Summary, run
from .grid.spec import Spec
from .results.history import METRICS, append_history, load_history, steps, trends, what_changed
from .text import UsageError, in_markdown, one_line
from .verify.bounds import Check as Proof
from .verify.bounds import verify

RECENT = pd.Timedelta(days=14)  # steps that began earlier are old news
MOST_STEPS = 30


@dataclass(frozen=True)
class Night:
    """What a night brought. no_baseline, no_report: why there is no comparison, or no report, if so."""

    folder: Path
    run: Summary
    proofs: Sequence[Proof] = ()
    comparison: Comparison | None = None
    report: Path | None = None
    no_baseline: str = ""
    no_report: str = ""

    @property
    def exit_code(self) -> int:
        """1 a bound that does not hold or a regression, 3 cells that newly fail, 4 nothing to compare with, 0, 130."""
        if self.run.interrupted:
            return 130
        if not all(proof.holds for proof in self.proofs):
            return 1
        return self.comparison.exit_code if self.comparison else 4


def nightly(
    spec: Spec, out: str | Path, history: str | Path, *, report: Callable[[Path], Path], data_dir: Path | None = None
) -> Night:
    """Run tonight's cells in a folder of its own below `out` and judge them by the last complete night there.

    A night before that cannot be read, as it is damaged or has other columns, is no baseline, and tonight is the next
    one's.

    Args:
        spec: what to run.
        out: folder for the nights.
        history: parquet file to which the night is added, made if it does not exist.
        report: makes a page from a run's folder and returns its path.
        data_dir: folder with original data files, used first.

    Returns:
        The night: its folder, the verdict and the exit code.

    Raises:
        UsageError: a damaged history, before anything is run; and as `run`.
    """
    out, history = Path(out), Path(history)
    previous, no_baseline = _baseline(out)
    if history.exists():
        load_history(history)
    summary = run(spec, out / f"night-{datetime.now(UTC):%Y%m%dT%H%M%SZ}", data_dir=data_dir)
    folder = summary.folder
    if summary.interrupted:
        return Night(folder, summary)
    proofs = list(verify(folder, data_dir))
    comparison = None
    if previous is not None:
        comparison = compare(previous, folder).with_proofs("CAND", proofs)
    nights = append_history(history, folder)
    shutil.copyfile(history, folder / "history.parquet")
    page, no_report = None, ""
    try:
        page = report(folder)
    except ValueError as error:  # the verdict must not depend on the pictures
        no_report = one_line(error)
    night = Night(folder, summary, proofs, comparison, page, no_baseline, no_report)
    (folder / "summary.md").write_text(summary_of(night, nights), encoding="utf-8")
    return night


def last_night(out: Path) -> Path | None:
    """The last complete night below `out`, or None; raises UsageError if `out` is no folder."""
    if out.exists() and not out.is_dir():
        raise UsageError(f"--out must be a folder. Got {out} instead.")
    return max((path.parent for path in out.glob("night-*/summary.md")), default=None)


def _baseline(out: Path) -> tuple[Path | None, str]:
    """The last complete night if it can be read; else None and why."""
    previous = last_night(out)
    if previous is None:
        return None, "there is no earlier night"
    try:
        read_side(previous)
    except UsageError as error:
        return None, str(error)
    return previous, ""


def summary_of(night: Night, history: pd.DataFrame) -> str:
    """The night in Markdown: verdict, cells, bounds, comparison, recent steps of the history."""
    failed = [proof for proof in night.proofs if not proof.holds]
    no_baseline, no_report = in_markdown(night.no_baseline), in_markdown(night.no_report)
    statuses = ", ".join(f"{count} {status}" for status, count in sorted(night.run.statuses.items()))
    lines = [
        f"## Night {night.folder.name.removeprefix('night-')}: {VERDICTS[night.exit_code]}",
        "",
        f"- cells: {night.run.ended} of {night.run.cells} in {night.run.seconds:.0f} s ({statuses})",
        f"- bounds proved again: {len(night.proofs)}, of which {len(failed)} do not hold",
        f"- report: {night.report.relative_to(night.folder) if night.report else f'none: {no_report}'}",
    ]
    if night.comparison is None:
        lines.append(f"- compared with nothing: {no_baseline}; this night is the baseline of the next")
        lines += ["  - " + in_markdown(f"{proof.bound} of {proof.label}: {proof.message}") for proof in failed]
    text = "\n".join(lines) + "\n" + _recent_steps(history)
    if night.comparison is not None:
        text += f"\n## Compared with the night before\n\n{markdown(night.comparison)}"
    return text


def _recent_steps(history: pd.DataFrame) -> str:
    """Lasting changes on tonight's machine that began lately: those that no single night shows as a regression too."""
    last = history.iloc[-1]
    mine = history[history["machine"] == last["machine"]]
    found = [
        (step, trend)
        for metric in METRICS
        for trend in trends(mine, metric)
        for step in steps(trend.values)
        if step.night >= last["night"] - RECENT
    ]
    if not found:
        return ""
    lines = [f"\n## Steps in the history of machine {last['machine']}\n"]
    for step, trend in sorted(found, key=lambda one: one[0].night, reverse=True)[:MOST_STEPS]:
        changed = "; ".join(what_changed(mine, step.night, trend.machine)) or "nothing known changed"
        told = f"{trend.label}, {trend.metric}: {step.before:.6g} → {step.after:.6g} ({changed})"
        lines.append(f"- {step.night:%Y-%m-%d} {in_markdown(told)}")
    return "\n".join([*lines, ""])
