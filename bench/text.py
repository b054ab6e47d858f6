"""Errors of one line that name the nearest valid value."""

from __future__ import annotations

from ..solvers.text import shown, unknown
from .fingerprint import ROOT

__all__ = ["UsageError", "one_line", "refuses", "shown", "unknown"]


def refuses(error: Exception) -> bool:
    """Whether an error is one of the house's own, which refuse bad input, and no defect of the code."""
    return isinstance(error, ValueError) and type(error).__module__.startswith(f"{ROOT}.")


class UsageError(ValueError):
    """Wrong usage or bad input: one line saying what, which value, and how to mend it. The CLI exits with 2."""


def one_line(error: BaseException | str) -> str:
    """The text of an error on one line, its type first if it would otherwise say too little."""
    text = " ".join(str(error).split())
    if isinstance(error, str):
        return text
    name = type(error).__name__
    return f"{name}: {text}" if text else name
