"""A run that is killed again and again until it is through, and what became of its cells."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from planted import EXPECTED, FAULTS, fault
from relaxbench.bench.results.folder import load_plan, load_results

PLANTED = Path(__file__).with_name("planted.py")
CONFIG = """
seed = "0..{last}"
timeout = 8.0
memory = 0.5
jobs = 2
[[dataset]]
name = "random"
n = 6
n_test = 4
[[method]]
use = "{planted}:work"
"""
LONGEST_S = 3600.0
SHARE = 0.8  # of the cells, within which the kills come


@dataclass
class Outcome:
    """What a soak saw. recoveries: seconds from the start of a resumed run to its first new record."""

    executor: str
    cells: int
    kills: int = 0
    seconds: float = 0.0
    lost: int = 0
    doubled: int = 0
    rewritten: int = 0
    planted: Counter[str] = field(default_factory=Counter)
    survived: Counter[str] = field(default_factory=Counter)
    good: int = 0
    recoveries: list[float] = field(default_factory=list)


def soak(folder: Path, executor: str, cells: int, kills: int) -> Outcome:
    """Run `cells` cells, SIGKILL the run at `kills` random moments while it works, resume, and look at every cell."""
    config, out = folder / "soak.toml", folder / "out"
    config.write_text(CONFIG.format(last=cells - 1, planted=PLANTED), encoding="utf-8")
    outcome, rng, begin = Outcome(executor, cells), np.random.default_rng(cells), time.monotonic()
    stamps: dict[str, int] = {}
    while True:
        more = outcome.kills < kills
        process = _start(config, out, executor)
        if more:
            _wait_for_news(process, out, len(stamps), outcome)
            left = int(SHARE * cells) - len(stamps)
            wanted = len(stamps) + 1 + rng.integers(max(1, left // (kills - outcome.kills)))
            _wait_for_records(process, out, int(wanted))
            time.sleep(rng.uniform(0, 0.5))
            if process.poll() is None:
                process.kill()
                outcome.kills += 1
        process.wait(timeout=LONGEST_S)
        found = _stamps(out)
        outcome.rewritten += sum(found.get(cell) != stamp for cell, stamp in stamps.items())
        stamps = found
        if process.returncode in (0, 3):
            break
        assert process.returncode == -9, (folder / "log").read_text()[-3000:]
    outcome.seconds = time.monotonic() - begin
    _look(out, outcome)
    return outcome


def _start(config: Path, out: Path, executor: str) -> subprocess.Popen[bytes]:
    command = [Path(sys.executable).with_name("relaxbench"), "run", config, "--out", out, "--executor", executor]
    with (out.parent / "log").open("ab") as log:
        return subprocess.Popen(list(map(str, command)), stdout=log, stderr=log, start_new_session=True)


def _wait_for_news(process: subprocess.Popen[bytes], out: Path, before: int, outcome: Outcome) -> None:
    begin = time.monotonic()
    _wait_for_records(process, out, before + 1)
    if before:
        outcome.recoveries.append(time.monotonic() - begin)


def _wait_for_records(process: subprocess.Popen[bytes], out: Path, count: int) -> None:
    end = time.monotonic() + LONGEST_S
    while process.poll() is None and len(_stamps(out)) < count:
        assert time.monotonic() < end
        time.sleep(0.01)


def _stamps(out: Path) -> dict[str, int]:
    """When each finished record was written."""
    return {path.parent.name: path.stat().st_mtime_ns for path in out.glob("cells/*/record.json")}


def _look(out: Path, outcome: Outcome) -> None:
    rows, plan = load_results(out), load_plan(out)
    outcome.lost = len(set(plan["cell"]) - set(rows["cell"])) + (outcome.cells - len(plan))
    outcome.doubled = len(rows) - rows["cell"].nunique()
    for row in rows.to_dict("records"):
        kind = fault(int(row["seed"]))
        if kind is None:
            outcome.good += row["status"] == "ok"
        else:
            outcome.planted[kind] += 1
            outcome.survived[kind] += row["status"] == EXPECTED[kind]


def table(outcomes: list[Outcome]) -> str:
    """The outcomes as a Markdown table, one column an executor."""

    def line(name: str, values: list[object]) -> str:
        return f"| {name} | " + " | ".join(map(str, values)) + " |"

    lines = [line("", [one.executor for one in outcomes]), line("---", ["---:"] * len(outcomes))]
    lines.append(line("cells", [one.cells for one in outcomes]))
    for kind in FAULTS:
        lines.append(line(f"{kind}: planted, survived", [f"{o.planted[kind]}, {o.survived[kind]}" for o in outcomes]))
    lines.append(line("cells without a fault that are `ok`", [f"{o.good} of {_good(o)}" for o in outcomes]))
    lines.append(line("kills of the run (SIGKILL)", [one.kills for one in outcomes]))
    lines.append(line("cells lost", [one.lost for one in outcomes]))
    lines.append(line("cells doubled", [one.doubled for one in outcomes]))
    lines.append(line("finished records written again", [one.rewritten for one in outcomes]))
    lines.append(
        line("seconds from a restart to the next record, median (largest)", [_recovery(one) for one in outcomes])
    )
    lines.append(line("seconds in all", [f"{one.seconds:.0f}" for one in outcomes]))
    return "\n".join(lines) + "\n"


def _good(outcome: Outcome) -> int:
    return outcome.cells - sum(outcome.planted.values())


def _recovery(outcome: Outcome) -> str:
    if not outcome.recoveries:
        return "–"
    return f"{np.median(outcome.recoveries):.1f} ({max(outcome.recoveries):.1f})"
