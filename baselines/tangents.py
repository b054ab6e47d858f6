"""neural-tangents, imported without the log lines of TensorFlow, which comes along with it and writes from native code.

Importing this module takes seconds, so it is imported where a kernel is computed and nowhere else.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def _no_native_stderr() -> Iterator[None]:
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
with _no_native_stderr(), warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # of names in JAX that its last release still uses
    from neural_tangents import empirical_nngp_fn, empirical_ntk_fn, stax

__all__ = ["activation", "empirical_nngp_fn", "empirical_ntk_fn", "stax"]


def activation(below: float) -> Any:
    """The layer of neurons with that slope below 0, and slope 1 above."""
    return stax.ABRelu(below, 1.0) if below else stax.Relu()
