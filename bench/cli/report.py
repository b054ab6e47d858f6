"""relaxbench report."""

from __future__ import annotations

import argparse
from pathlib import Path

from .parser import OK, Command, Parser

FIGURES = (  # of reports/figures, which takes seconds to import
    *("accuracy", "r2", "critical-difference", "against", "against-r2", "ratio", "interval", "width", "distribution"),
    *("scaling", "gap", "solver-gap", "profile", "tradeoff", "runtime", "rounding", "rounding-noise", "regions"),
    *("kernels", "accuracy-paper", "optimism", "trends"),
)


def _arguments(parser: Parser) -> None:
    add = parser.add_argument
    add("folder", metavar="DIR", type=Path, help="the folder of a run")
    add("--figure", metavar="NAME", help=f"only this figure: {', '.join(FIGURES)}")
    add("--format", metavar="KIND", action="append", help="of that figure: pdf (default), png or svg; may be repeated")
    add("--style", metavar="STYLE", help="width of figures, single or double, or a matplotlib style (NAME-STYLE.pdf)")


def _run(given: argparse.Namespace) -> int:
    from tqdm import tqdm

    with tqdm(total=0, bar_format="report: loading", leave=False, disable=None):
        from ...reports import report

    path = report(given.folder, figure=given.figure, format=given.format, style=given.style)
    for ending in given.format or [path.suffix[1:]]:
        print(path.with_suffix(f".{ending}"))
    return OK


COMMAND = Command(
    "report",
    "make tables, figures and a page from a run's folder",
    ("relaxbench report demo", "relaxbench report demo --figure width --format pdf --format svg --style single"),
    _arguments,
    _run,
)
