"""relaxbench verify."""

from __future__ import annotations

import argparse
from pathlib import Path

from .parser import CHECK_FAILED, NOTHING_COMPARABLE, OK, Command, Parser, add_data


def _arguments(parser: Parser) -> None:
    parser.add_argument("folder", metavar="DIR", type=Path, help="the folder of a run")
    add_data(parser.add_argument)


def _run(given: argparse.Namespace) -> int:
    from ..results.folder import load_results
    from ..verify.bounds import verify
    from ..verify.records import not_run

    checks = failures = 0
    for check in verify(given.folder, given.data):
        if checks == 0:
            print(f"{'':6} {'bound':<12} {'recorded':>16} {'found':>16}  cell")
        checks, failures = checks + 1, failures + (not check.holds)
        recorded, found = ("-" if one is None else f"{one:.10g}" for one in (check.recorded, check.found))
        verdict, note = "ok" if check.holds else "FAILED", f": {check.message}" if check.message else ""
        print(f"{verdict:<6} {check.bound:<12} {recorded:>16} {found:>16}  {check.cell[:8]} {check.label}{note}")
    missing = not_run(given.folder, load_results(given.folder))
    if missing:
        print(f"{missing} cells of the plan have no record: not run yet, or removed")
    if checks == 0:
        print("nothing to verify: no cell has a network or a bound")
        return NOTHING_COMPARABLE
    print(f"{checks} bounds, {failures} do not hold")
    return CHECK_FAILED if failures else OK


COMMAND = Command(
    "verify",
    "prove every bound of a run's folder again, by separate code",
    ("relaxbench verify demo",),
    _arguments,
    _run,
)
