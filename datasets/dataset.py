"""What a reader hands over, what every caller gets, and where random numbers come from."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

SHOWN = 12  # hexadecimal digits of a hash that stand in a table
PARTS = ("X_train", "Y_train", "X_test", "Y_test")
STEPS = 2.0**20  # of the largest entry: what the grid of `Dataset.rounded` is fine to


def short_hash(sha256: str) -> str:
    """A hash as tables show it.

    Args:
        sha256: in hexadecimal digits.

    Returns:
        Its first digits, marked: digits alone may read as a number, such as 1e0678286166.
    """
    return f"sha256:{sha256[:SHOWN]}"


@dataclass(frozen=True, eq=False)
class Source:
    """Data as a reader found or made them, before split and preprocessing.

    X: (n, d). Y: targets (n, c) float64, or where `labels` is given the position of each row's label (n,) int64.
    X_test, Y_test: the same for a test set that comes with the data, else None.
    origin: entries for the provenance: `source`, `version`, `terms` and what else is worth keeping.
    warnings: lines for the provenance. The arrays are checked: finite but for NaN where a value of X is missing,
    1 ≤ n, 1 ≤ d, every label in Y.
    """

    X: Array
    Y: NDArray[Any]
    labels: tuple[str, ...] | None
    origin: Mapping[str, Any]
    X_test: Array | None = None
    Y_test: NDArray[Any] | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Dataset:
    """Training and test data; the four arrays are float64, C-contiguous and cannot be written to.

    X_train (n, d), Y_train (n, c), X_test (k, d), Y_test (k, c). labels: the c class names, in the order of
    the one-hot columns, or None for regression. provenance: plain values, ready for JSON: source, version,
    terms, options, seed, split, preprocessing, warnings and sha256.
    """

    X_train: Array
    Y_train: Array
    X_test: Array
    Y_test: Array
    labels: tuple[str, ...] | None
    name: str
    provenance: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for part in PARTS:
            array = np.array(getattr(self, part), dtype=np.float64, order="C")
            array.flags.writeable = False
            object.__setattr__(self, part, array)

    @property
    def arrays(self) -> tuple[Array, ...]:
        """The four."""
        return tuple(getattr(self, part) for part in PARTS)

    @cached_property
    def sha256(self) -> str:
        """Hash of the shapes and bytes of the four arrays, and of whether they are classification."""
        digest = hashlib.sha256(b"regression" if self.labels is None else b"classification")
        for array in self.arrays:
            digest.update(repr(array.shape).encode())
            digest.update(array.astype("<f8").tobytes())
        return digest.hexdigest()

    @cached_property
    def rounded(self) -> str:
        """Hash of the arrays on a grid a millionth as fine as the largest entry of each: processors agree on it."""
        digest = hashlib.sha256()
        for array in self.arrays:
            largest = f"{np.max(np.abs(array), initial=0.0):.6g}"
            digest.update(f"{array.shape} {largest}".encode())
            digest.update(np.rint(array / (float(largest) or 1.0) * STEPS).astype("<i8").tobytes())
        return digest.hexdigest()[:SHOWN]


def stream(seed: int, purpose: str) -> np.random.Generator:
    """A generator of its own for each seed and purpose, so that no two uses share random numbers.

    Args:
        seed: an integer ≥ 0.
        purpose: what the random numbers are for.

    Returns:
        The generator.
    """
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=tuple(purpose.encode())))
