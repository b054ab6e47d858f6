"""Which training problem data are made into: the activation and the loss, which every row of results names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MODEL = {"activation": "relu", "loss": "squares"}  # by column, with what they are where a row is older than the column


def model_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """Activation and loss of a row, where they are not the usual ones.

    Args:
        row: values by column; a missing one is the usual one.

    Returns:
        The others by column: none in a row such as there was before these columns, so that its keys stay what they
        were.
    """
    return {name: row[name] for name, usual in MODEL.items() if row.get(name) not in (None, usual)}


def slope_below(activation: str) -> float:
    """The slope below 0 of an activation, which has slope 1 above.

    Args:
        activation: as the results name it.

    Returns:
        The slope.

    Raises:
        ValueError: another name.
    """
    name, _, slope = activation.partition(":")
    known = {"relu": 0.0, "abs": -1.0, "identity": 1.0}
    if name != "leaky" and activation not in known:
        raise ValueError(f"activation must be relu, leaky:SLOPE, abs or identity. Got {activation[:60]!r} instead.")
    return float(slope) if name == "leaky" else known[activation]
