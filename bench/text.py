"""Errors of one line, arguments that many refuse alike, and how names and numbers are written."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

from ..errors import RelaxbenchError, printable

ACTIVE = re.compile(r"[\\`*~\[\]|]")  # what Markdown reads as code, emphasis, a link, or the end of a cell
LINKED = re.compile(r"(@|:(?=//)|www(?=\.))", re.IGNORECASE)  # what GitHub turns into a mention or a link by itself


class UsageError(RelaxbenchError):
    """Wrong usage of the harness, or a file that it cannot use."""


def require(name: str, value: object, kind: type, fix: str) -> None:
    """Refuse an argument of another type, as where arguments were mixed up.

    Args:
        name: of the argument.
        value: what was given.
        kind: what it must be.
        fix: how to come by one.

    Raises:
        UsageError: it is something else.
    """
    if not isinstance(value, kind):
        raise UsageError(f"{name} must be a {kind.__name__}. Got {type(value).__name__} instead: {fix}.")


def refuse_old(folder: Path | None) -> None:
    """Refuse an --out that is there and is no empty folder.

    Args:
        folder: the --out, None if there is none.

    Raises:
        UsageError: it is a file, or has something in it.
    """
    if folder is not None and folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"--out must be a new or empty folder. Got {folder}, which has something in it.")


def share(part: float | None) -> str:
    """A part of 1 in per cent, such as a gap; a dash for None."""
    return "-" if part is None else f"{100 * part:.3g} %"


def one_line(error: BaseException | str) -> str:
    """The text of an error on one line.

    Args:
        error: the error, or its text.

    Returns:
        The line; the type comes first, unless it is given as text.
    """
    text = " ".join(str(error).split())
    if isinstance(error, str):
        return text
    name = type(error).__name__
    return f"{name}: {text}" if text else name


def in_markdown(text: str) -> str:
    """Make Markdown show a text as it stands, whoever wrote it.

    Args:
        text: any text.

    Returns:
        The text on one line: no HTML, no markup, no link, no end of a table's cell.
    """
    escaped = ACTIVE.sub(r"\\\g<0>", html.escape(printable(text), quote=False))
    return LINKED.sub("\\g<1>\N{ZERO WIDTH SPACE}", escaped)


def chains(names: Sequence[str]) -> str:
    """Names that are made of parts, in short: a base, then steps that may follow in this order.

    Args:
        names: such as `tos`, `tos+ridge`, `tos+lbfgs`, `tos+ridge+lbfgs`.

    Returns:
        Text for exactly these names, as in `tos[+ridge][+lbfgs]`; names that have no such form stand alone.
    """
    steps: dict[str, list[tuple[str, ...]]] = {}
    for name in names:
        base, *rest = name.split("+")
        steps.setdefault(base, []).append(tuple(rest))
    bases: dict[str, list[str]] = {}
    for base, found in steps.items():
        order = max(found, key=len)
        subsets = {part for size in range(len(order) + 1) for part in combinations(order, size)}
        whole = set(found) == subsets
        tails = ["".join(f"[+{step}]" for step in order)] if whole else ["+".join(("", *each)) for each in found]
        for tail in tails:
            bases.setdefault(tail, []).append(base)
    return ", ".join((f"({'|'.join(each)})" if len(each) > 1 else each[0]) + tail for tail, each in bases.items())
