"""neural-tangents without its part for TensorFlow, whose import takes seven of eight seconds and which nobody needs.

The rest takes a second, so it is imported where a kernel is computed and nowhere else.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any


@contextmanager
def _empty(name: str) -> Iterator[None]:
    """An empty module in place of one that is not there yet; whoever imports it later gets the real one."""
    if name in sys.modules:
        yield
        return
    sys.modules[name] = ModuleType(name)
    try:
        yield
    finally:
        del sys.modules[name]


with _empty("neural_tangents.experimental"), warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # of names in JAX that its last release still uses
    from neural_tangents import empirical_nngp_fn, empirical_ntk_fn, stax

__all__ = ["activation", "empirical_nngp_fn", "empirical_ntk_fn", "stax"]


def activation(below: float) -> Any:
    """The layer of neurons with that slope below 0, and slope 1 above."""
    return stax.ABRelu(below, 1.0) if below else stax.Relu()
