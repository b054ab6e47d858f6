"""relaxbench merge."""

from __future__ import annotations

import argparse
from pathlib import Path

from .parser import OK, Command, Parser


def _arguments(parser: Parser) -> None:
    add = parser.add_argument
    add("runs", metavar="RUN", nargs="+", type=Path, help="the folder of a run, or a bundle; one bundle is unpacked")
    add("--out", required=True, type=Path, metavar="DIR", help="a new folder for all of their cells")


def _run(given: argparse.Namespace) -> int:
    from ..bundle.merge import merge

    merged = merge(given.runs, given.out)
    print(f"{merged.cells} cells in {merged.folder}, {merged.shared} of them the same in several runs")
    for folder, name, count in merged.conflicts:
        print(f"{count} cells of {name} differ from those kept, and are in {folder}")
        print(f"  relaxbench compare {merged.folder} {folder} --part")
    return OK


COMMAND = Command(
    "merge",
    "put runs together in a new folder; where records of a cell differ, both are kept",
    ("relaxbench merge mine theirs.zip --out all", "relaxbench merge theirs.zip --out theirs"),
    _arguments,
    _run,
)
