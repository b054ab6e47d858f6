"""relaxbench compare."""

from __future__ import annotations

import argparse

from .parser import Command, Parser, add_output


def _arguments(parser: Parser) -> None:
    parser.add_argument(
        "base", metavar="BASE", help="the folder of a run, its results.parquet or results.csv, or a bundle"
    )
    parser.add_argument("cand", metavar="CAND", help="the same, to be judged against BASE")
    parser.add_argument("--part", action="store_true", help="CAND repeats a part of BASE: what it lacks is no fault")
    add_output(parser.add_argument)


def _run(given: argparse.Namespace) -> int:
    from ..compare.comparison import compare
    from .comparison import show

    return show(compare(given.base, given.cand, part=given.part), given)


COMMAND = Command(
    "compare",
    "compare two results: soundness, quality within tolerances, and costs as advice",
    (
        "relaxbench compare before after",
        "relaxbench compare docs/results/small mine --part",
        "relaxbench compare before/results.parquet after --format markdown --out comment.md",
        "relaxbench compare published.zip mine --part",
    ),
    _arguments,
    _run,
)
