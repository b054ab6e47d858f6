"""relaxbench compare."""

from __future__ import annotations

import argparse

from .comparison import add_output, show
from .parser import Command, Parser


def _arguments(parser: Parser) -> None:
    parser.add_argument("base", metavar="BASE", help="the folder of a run, or its results.parquet or results.csv")
    parser.add_argument("cand", metavar="CAND", help="the same, to be judged against BASE")
    add_output(parser)


def _run(given: argparse.Namespace) -> int:
    from ..compare.comparison import compare

    return show(compare(given.base, given.cand), given)


COMMAND = Command(
    "compare",
    "compare two results: soundness, quality within tolerances, and costs as advice",
    (
        "relaxbench compare before after",
        "relaxbench compare before/results.parquet after --format markdown --out comment.md",
    ),
    _arguments,
    _run,
)
