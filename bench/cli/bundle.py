"""relaxbench bundle."""

from __future__ import annotations

import argparse
from pathlib import Path

from .parser import OK, Command, Parser


def _arguments(parser: Parser) -> None:
    add = parser.add_argument
    add("folder", metavar="RUN", type=Path, help="the folder of a run")
    add("--out", required=True, type=Path, metavar="FILE", help="the bundle, a .zip; replaced if it is there")
    add(
        "--largest",
        type=float,
        metavar="MB",
        help="leave out networks and certificates of a cell in files above this size (default: keep all)",
    )


def _run(given: argparse.Namespace) -> int:
    from ..bundle.pack import pack

    packed = pack(given.folder, given.out, largest=given.largest)
    print(f"{packed.cells} cells, {packed.files} files, {packed.path.stat().st_size / 1e6:.1f} MB: {packed.path}")
    if packed.open:
        print(f"{packed.open} cells of the plan have not ended")
    if packed.left_out:
        print(f"{packed.left_out} files of arrays were left out: the bounds behind them cannot be proved again")
    return OK


COMMAND = Command(
    "bundle",
    "pack a run's folder into one file, with its records, certificates and checksums",
    ("relaxbench bundle demo --out demo.zip", "relaxbench bundle demo --out demo.zip --largest 1"),
    _arguments,
    _run,
)
