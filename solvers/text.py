"""Sentences about a value that is not valid: the value, and what to give instead."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

LONGEST_NAME = 200


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
    others = [name for name in names if name != str(value)]  # '1' where 1 is valid is not mended by '1'
    near = difflib.get_close_matches(str(value).lower()[:LONGEST_NAME], others, n=1, cutoff=0.5)
    mend = f"Did you mean {near[0]!r}?" if near else f"Valid: {', '.join(names)}."
    return f"{what} is unknown: {shown(str(value))}. {mend}"
