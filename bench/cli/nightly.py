"""relaxbench nightly."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from .parser import CELLS_FAILED, Command, Parser, add_data, stop_on_sigterm


def _arguments(parser: Parser) -> None:
    add = parser.add_argument
    add("--out", required=True, type=Path, metavar="DIR", help="each night gets a folder in it; the last one is BASE")
    add("--history", required=True, type=Path, metavar="FILE", help="parquet file to which the night is added")
    add("--config", default="nightly", metavar="CONFIG", help="a config that ships, or a TOML file (default: nightly)")
    add_data(add)
    add("--jobs", type=int, metavar="N", help="cells at a time (default: the config's, or one for each core)")


def _run(given: argparse.Namespace) -> int:
    from ...reports import report
    from ..grid.resolve import resolve
    from ..nightly import nightly

    stop_on_sigterm()
    try:
        spec = resolve(given.config, {"jobs": given.jobs}, {})
        night = nightly(spec, given.out, given.history, report=report, data_dir=given.data)
    except OSError as error:
        print(f"relaxbench: stopped, everything finished is kept: {error}", file=sys.stderr)
        return CELLS_FAILED
    summary = night.folder / "summary.md"
    print(summary.read_text(encoding="utf-8") if summary.is_file() else f"Interrupted. Kept: {night.folder}")
    return night.exit_code


COMMAND = Command(
    "nightly",
    "run a config, prove its bounds again, compare with the night before, keep the history, report",
    (
        "relaxbench nightly --out nights --history history.parquet",
        "relaxbench nightly --config mine.toml --out nights --history history.parquet",
    ),
    _arguments,
    _run,
)
