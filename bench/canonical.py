"""Values as JSON text that is the same for equal values: what hashes are made of."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np


def canonical(value: Any) -> str:
    """JSON text that is the same for equal values.

    Args:
        value: as for `plain`.

    Returns:
        JSON with sorted keys and no spaces; null for NaN and infinities.
    """
    return json.dumps(plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def plain(value: Any) -> Any:
    """Turn a value into JSON's own types.

    Args:
        value: any value; mappings, lists and tuples are gone through.

    Returns:
        The value; NaN and infinities become None, and what JSON does not know its text.
    """
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    return value if value is None or isinstance(value, (bool, int, str)) else str(value)
