"""relaxbench report."""

from __future__ import annotations

import argparse
from pathlib import Path

from .parser import OK, Command, Parser


def _arguments(parser: Parser) -> None:
    add = parser.add_argument
    add("folder", metavar="DIR", type=Path, help="the folder of a run")
    add("--figure", metavar="NAME", help="only this figure")
    add("--format", metavar="KIND", help="of that figure: pdf (default), png or svg")
    add("--style", metavar="STYLE", help="width of figures, single or double, or a matplotlib style")


def _run(given: argparse.Namespace) -> int:
    from ...reports import report

    print(report(given.folder, figure=given.figure, format=given.format, style=given.style))
    return OK


COMMAND = Command(
    "report",
    "make tables, figures and a page from a run's folder",
    ("relaxbench report demo", "relaxbench report demo --figure width --format svg --style single"),
    _arguments,
    _run,
)
