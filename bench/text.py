"""Errors of one line that name the nearest valid value."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

LONGEST_NAME = 200


class UsageError(ValueError):
    """Wrong usage or bad input: one line saying what, which value, and how to mend it. The CLI exits with 2."""


def one_line(error: BaseException | str) -> str:
    """The text of an error on one line, its type first if it would otherwise say too little."""
    text = " ".join(str(error).split())
    if isinstance(error, str):
        return text
    name = type(error).__name__
    return f"{name}: {text}" if text else name


def shown(value: object, limit: int = 200) -> str:
    """A value in an error: its repr, cut off where it gets long; only its type if it is nested too deeply for one."""
    try:
        text = repr(value)
    except (RecursionError, ValueError):
        text = f"a {type(value).__name__} too large to show"
    return text if len(text) <= limit else text[: limit - 1] + "…"


def unknown(what: str, value: object, valid: Iterable[object]) -> str:
    """`what` is not among the valid ones: the sentence, with the nearest valid one if any is near."""
    names = [str(name) for name in valid]
    near = difflib.get_close_matches(str(value).lower()[:LONGEST_NAME], names, n=1, cutoff=0.5)
    mend = f"Did you mean {near[0]!r}?" if near else f"Valid: {', '.join(names)}."
    return f"{what} is unknown: {shown(str(value))}. {mend}"
