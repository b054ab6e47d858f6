"""relaxbench ab."""

from __future__ import annotations

import argparse
import sys

from ..text import one_line
from .parser import CHECK_FAILED, Command, Parser, add_data, add_output, stop_on_sigterm


def _arguments(parser: Parser) -> None:
    add = parser.add_argument
    add("ref", metavar="REF", help="commit, branch or tag of the clone that relaxbench is installed from")
    add("config", metavar="CONFIG", help="a config that ships, the path of a TOML file, or perf")
    add("--pairs", type=int, default=16, metavar="K", help="timed pairs of runs (default: 16)")
    add("--threshold", type=float, default=0.1, metavar="R", help="slower by less is no alarm (default: 0.10)")
    add("--jobs", type=int, default=1, metavar="N", help="cells at a time (default: 1; more forbid timing verdicts)")
    add_data(add)
    add_output(add)


def _run(given: argparse.Namespace) -> int:
    try:
        from ..ab.session import PERF, ab, ab_perf
        from ..grid.resolve import resolve
        from .comparison import show
    except Exception as error:  # this code is the candidate; better now than after minutes of measuring
        print(f"relaxbench: the working tree does not run: {one_line(error)}", file=sys.stderr)
        return CHECK_FAILED
    limits = {"pairs": given.pairs, "threshold": given.threshold}
    stop_on_sigterm()
    if given.config == PERF:
        return show(ab_perf(given.ref, **limits), given)
    return show(ab(given.ref, resolve(given.config, {}, {}), jobs=given.jobs, data_dir=given.data, **limits), given)


COMMAND = Command(
    "ab",
    "compare the working tree with a commit on this machine, costs included, by interleaved pairs of runs",
    (
        "relaxbench ab main smoke",
        "relaxbench ab HEAD smoke --pairs 20    # without changes: how often is the decision wrong?",
        "relaxbench ab main perf                # the hot operations of tests/perf instead of a config",
    ),
    _arguments,
    _run,
)
