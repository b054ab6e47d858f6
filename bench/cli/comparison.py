"""How a comparison is printed or written, for the commands that make one."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ..text import UsageError
from .parser import Parser

if TYPE_CHECKING:
    from ..compare.comparison import Comparison


def add_output(parser: Parser) -> None:
    """Add --format and --out."""
    formats = ("table", "markdown", "json", "junit")
    parser.add_argument("--format", choices=formats, default="table", help="of the output (default: table)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write to FILE; the terminal gets the table anyway")


def show(comparison: Comparison, given: argparse.Namespace) -> int:
    """Print a comparison, or write it and print its table.

    Args:
        comparison: The comparison.
        given: The options of `add_output`.

    Returns:
        The exit code.

    Raises:
        UsageError: The file cannot be written to.
    """
    from ..compare.show import FORMATS

    text = FORMATS[given.format](comparison)
    if given.out is not None:
        _write(given.out, text)
    print(FORMATS["table"](comparison) if given.out is not None else text, end="")
    return comparison.exit_code


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"--out must be a file that can be written to. Got {path} ({error.strerror}).") from None
