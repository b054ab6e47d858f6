"""The error that all of the house's own derive from, and sentences that name a bad value and the fix.

Every room may import this file; it imports none.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

LONGEST_NAME = 200  # letters that are compared with the valid names


class RelaxbenchError(ValueError):
    """Wrong usage or bad input: one line saying what, which value, and how to fix it. The CLI exits with 2."""


def printable(text: str) -> str:
    """The text on one line without control characters, which terminals obey and XML forbids."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in " ".join(text.split()))


def short(text: str, limit: int = 80) -> str:
    """At most `limit` characters of a text."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def shown(value: object, limit: int = 200) -> str:
    """A value in an error: its repr, cut off where it gets long; only its type if it is nested too deeply for one."""
    try:
        text = repr(value)
    except (RecursionError, ValueError):
        text = f"a {type(value).__name__} too large to show"
    return short(text, limit)


def nearest(value: object, valid: Iterable[object]) -> str | None:
    """The valid name that is nearest to `value`, if any is near."""
    text = str(value).lower()[:LONGEST_NAME]
    others = {str(name).lower(): str(name) for name in valid if str(name) != str(value)}
    found = difflib.get_close_matches(text, others, n=1, cutoff=0.5)
    return others[found[0]] if found else None


def unknown(what: str, value: object, valid: Iterable[object]) -> str:
    """`what` is not among the valid ones: the sentence, with the nearest valid one if any is near."""
    names = [str(name) for name in valid]
    near = nearest(value, names)
    fix = f"Did you mean {near!r}?" if near else f"Valid: {', '.join(names)}."
    return f"{what} is unknown: {shown(str(value))}. {fix}"
