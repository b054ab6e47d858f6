"""Tables packed into the page: columns of numbers or of codes into names, as compressed JSON."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import math
from typing import Any

import pandas as pd

DIGITS = 6  # significant digits in the page; the CSV files have all


def column(name: str, title: str, values: pd.Series) -> dict[str, Any]:
    """Pack one column.

    Args:
        name: of the column.
        title: shown above it.
        values: floats or text; text that is missing becomes empty.

    Returns:
        `values`, numbers to DIGITS with None for what is missing, or `codes` into `names`.
    """
    if values.dtype.kind in "fi":
        numbers = [float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None for value in values.astype(float)]
        return {"name": name, "title": title, "values": [None if x is None else _short(x) for x in numbers]}
    codes, names = pd.factorize(values.astype(object).where(values.notna(), "").astype(str))
    return {"name": name, "title": title, "codes": codes.tolist(), "names": list(names)}


def rounded(frame: pd.DataFrame) -> pd.DataFrame:
    """Round as `column` does, so that values that are equal in the page are so before it groups them.

    Args:
        frame: any rows.

    Returns:
        The rows, floats to DIGITS.
    """
    floats = frame.select_dtypes("float").columns
    return frame.assign(**{name: frame[name].map(lambda value: float(f"{value:.{DIGITS}g}")) for name in floats})


def packed(value: Any) -> str:
    """Compress, so that the page stays small.

    Args:
        value: what JSON can hold, or text as it is.

    Returns:
        The gzip stream in base64.
    """
    text = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"), allow_nan=False)
    return base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode()


def in_policy(script: str) -> str:
    """How a content policy names a script that may run.

    Args:
        script: its text.

    Returns:
        The source expression, with its quotes.
    """
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def _short(value: float) -> float | int:
    """1 and not 1.0, which takes less room."""
    return int(value) if value.is_integer() and abs(value) < 1e15 else value
