"""relaxbench verify."""

from __future__ import annotations

import argparse
from pathlib import Path

from .parser import CHECK_FAILED, NOTHING_COMPARABLE, OK, Command, Parser, add_data


def _arguments(parser: Parser) -> None:
    parser.add_argument("folder", metavar="DIR", type=Path, help="the folder of a run, or a bundle")
    add_data(parser.add_argument)


def _run(given: argparse.Namespace) -> int:
    from ..bundle.unpack import opened

    with opened(given.folder) as folder:
        return _verify(folder, given.data)


def _verify(folder: Path, data: Path | None) -> int:
    from ..results.folder import load_results
    from ..verify.bounds import verify
    from ..verify.records import not_run

    checks = failures = skipped = 0
    for check in verify(folder, data):
        if checks == 0:
            print(f"{'':8} {'bound':<12} {'recorded':>16} {'found':>16}  cell")
        checks, skipped = checks + 1, skipped + check.left_out
        failures += not check.holds and not check.left_out
        recorded, found = ("-" if one is None else f"{one:.10g}" for one in (check.recorded, check.found))
        verdict = "ok" if check.holds else "left out" if check.left_out else "FAILED"
        note = f": {check.message}" if check.message else ""
        print(f"{verdict:<8} {check.bound:<12} {recorded:>16} {found:>16}  {check.cell[:8]} {check.label}{note}")
    missing = not_run(folder, load_results(folder))
    if missing:
        print(f"{missing} cells of the plan have no record: not run yet, or removed")
    if checks == skipped:
        left = f"the bundle was made without the arrays of {skipped} bounds"
        print(f"nothing to verify: {left if skipped else 'no cell has a network or a bound'}")
        return NOTHING_COMPARABLE
    rest = f", {skipped} left out: the bundle was made without their arrays" if skipped else ""
    print(f"{checks - skipped} bounds, {failures} do not hold{rest}")
    return CHECK_FAILED if failures else OK


COMMAND = Command(
    "verify",
    "prove every bound of a run's folder again, by separate code",
    ("relaxbench verify demo", "relaxbench verify published.zip"),
    _arguments,
    _run,
)
