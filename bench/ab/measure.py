"""One measurement of one side: a run of a config, or of the hot operations in tests/perf, in a process of its own."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..compare.match import Side, read_side
from ..grid.fingerprint import code_fingerprint
from ..grid.spec import Spec
from ..text import UsageError
from .sides import CodeSide

PERF = "perf"  # in place of a config
PERF_ROUNDS = ("--benchmark-max-time=0.2", "--benchmark-min-rounds=3")


class CannotRun(Exception):
    """A side that brought no results, and why, on one line."""

    def __init__(self, side: CodeSide, why: object) -> None:
        super().__init__(f"{side.name}: {why}")
        self.side = side


def write_configs(spec: Spec, side: CodeSide, cand: CodeSide, folder: Path) -> dict[str, Path]:
    """The config for one side: whole, under "", and for each of its method tables alone, under a number.

    Methods in files of the clone are each side's own. Tolerances are left out, as `compare` alone reads them.
    """
    tables = [table.model_copy(update={"use": _own(table.use, cand, side)}) for table in spec.method]
    parts = {"": tables, **{str(k): [table] for k, table in enumerate(tables)}}
    paths = {}
    for name, methods in parts.items():
        paths[name] = folder / f"{side.copy.name}-{name or 'whole'}.toml"
        text = spec.model_copy(update={"method": methods, "tolerance": {}}).toml()
        paths[name].write_text(text, encoding="utf-8")
    return paths


def same_code(base: CodeSide, cand: CodeSide, spec: Spec | None = None) -> bool:
    """Whether both sides run the same code on the same interpreter.

    Args:
        base: the side compared with.
        cand: the side judged.
        spec: the run, whose methods in files of the clone are compared as well; None for none.

    Returns:
        True if they do.
    """
    parts = [(str(base.copy), str(cand.copy))]
    for table in spec.method if spec else ():
        if table.use:
            parts.append((_own(table.use, cand, base).rpartition(":")[0], table.use.rpartition(":")[0]))
    return base.python == cand.python and all(code_fingerprint([a]) == code_fingerprint([b]) for a, b in parts)


def run_config(side: CodeSide, config: Path, out: Path, jobs: int, data_dir: Path | None) -> Side:
    """Run a config by the code of one side.

    Args:
        side: the side.
        config: the config file.
        out: folder for the results.
        jobs: cells at a time.
        data_dir: folder with original data files, used first.

    Returns:
        The results.

    Raises:
        CannotRun: the side brought no results, or none that read.
        KeyboardInterrupt: the run was interrupted.
    """
    command = [side.python, "-m", "relaxbench.bench.cli", "run", str(config), "--out", str(out), "--jobs", str(jobs)]
    command += ["--data", str(data_dir)] if data_dir else []
    done = subprocess.run(command, env=side.environment, capture_output=True, text=True)
    if done.returncode == 130:
        raise KeyboardInterrupt
    if done.returncode not in (0, 3):
        raise CannotRun(side, _last_line(done))
    try:
        return read_side(out)
    except UsageError as error:  # an older harness wrote other columns
        raise CannotRun(side, error) from None


def run_perf(side: CodeSide, tests: Path, file: str, out: Path) -> dict[str, float]:
    """Run benchmarks by the code of one side.

    Args:
        side: the side.
        tests: folder of the benchmarks.
        file: the file in it to run; empty for all.
        out: JSON file for the measurements.

    Returns:
        Median seconds of each benchmark by name; those that fail have none.

    Raises:
        CannotRun: the side brought no measurements.
    """
    command = [side.python, "-m", "pytest", str(tests / file), "--rootdir", str(tests), "-q", "-p", "no:cacheprovider"]
    command += ["--import-mode=importlib", "--benchmark-only", f"--benchmark-json={out}", *PERF_ROUNDS]
    done = subprocess.run(command, cwd=tests, env=side.environment, capture_output=True, text=True)
    try:
        found = json.loads(out.read_text(encoding="utf-8"))["benchmarks"]
        return {one["name"]: float(one["stats"]["median"]) for one in found}
    except (OSError, ValueError, KeyError):
        raise CannotRun(side, _last_line(done)) from None


def perf_count(side: CodeSide, tests: Path) -> int:
    """How many benchmarks the folder `tests` holds; 0 if they cannot be collected, which running them will tell."""
    command = [side.python, "-m", "pytest", str(tests), "--rootdir", str(tests), "-q", "-p", "no:cacheprovider"]
    command += ["--import-mode=importlib", "--collect-only"]
    done = subprocess.run(command, cwd=tests, env=side.environment, capture_output=True, text=True)
    return sum("::" in line for line in done.stdout.splitlines()) if done.returncode == 0 else 0


def perf_tests(cand: CodeSide, folder: Path) -> Path:
    """The candidate's tests/perf, copied: both sides run the same ones. Raises UsageError if there are none."""
    source = cand.checkout / "tests" / "perf"
    if not source.is_dir():
        raise UsageError(f"perf must find the benchmarks in {source}. Got no such folder.")
    return Path(shutil.copytree(source, folder / "perf", ignore=shutil.ignore_patterns("__pycache__")))


def timing(cell: str, cost: str, pair: int, first: str, base: float, cand: float) -> dict[str, Any]:
    """A line of the paired measurements; first: the side that ran first."""
    return {"cell": cell, "cost": cost, "pair": pair, "first": first, "base": base, "cand": cand}


def perf_timings(base: Mapping[str, float], cand: Mapping[str, float], pair: int, first: str) -> list[dict[str, Any]]:
    """The lines of one pair of `run_perf`."""
    return [timing(name, "median_s", pair, first, base[name], cand[name]) for name in base if name in cand]


def _own(use: str, cand: CodeSide, side: CodeSide) -> str:
    """The method's file as this side has it, if it is part of the clone; else as it is."""
    path, _, function = use.rpartition(":")
    if not path or not Path(path).is_relative_to(cand.checkout):
        return use
    mine = side.checkout / Path(path).relative_to(cand.checkout)
    return f"{mine}:{function}" if mine.is_file() else use


def _last_line(done: subprocess.CompletedProcess[str]) -> str:
    lines: Sequence[str] = (done.stderr.strip() or done.stdout.strip()).splitlines()
    return lines[-1].removeprefix("relaxbench: ") if lines else f"exit code {done.returncode} and no word"
