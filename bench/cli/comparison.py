"""How a comparison is printed or written. Imports what a comparison needs: a command imports it when it runs."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..compare.comparison import Comparison
from ..compare.show import FORMATS
from ..text import UsageError


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
