"""Errors of one line that name the nearest valid value."""

from __future__ import annotations

from ..solvers.text import shown, unknown

__all__ = ["UsageError", "one_line", "shown", "unknown"]


class UsageError(ValueError):
    """Wrong usage or bad input: one line saying what, which value, and how to mend it. The CLI exits with 2."""


def one_line(error: BaseException | str) -> str:
    """The text of an error on one line, its type first if it would otherwise say too little."""
    text = " ".join(str(error).split())
    if isinstance(error, str):
        return text
    name = type(error).__name__
    return f"{name}: {text}" if text else name
