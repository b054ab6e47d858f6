"""What the arrays of a certificate must look like before anything is computed with them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import RelaxbenchError

Slopes = tuple[float, float]  # (a, b) of φ(t) = a t₊ + b (−t)₊, |a| and |b| at most 1
RELU: Slopes = (1.0, 0.0)

MOST = 300_000_000  # entries of one array


class CertificateError(RelaxbenchError):
    """Arrays that are no certificate for this data; the text says what does not fit."""


class NotChecked(CertificateError):
    """A certificate whose check takes more work than the limit allows: neither proved nor refused."""


def real(value: Any, name: str, ndim: int) -> NDArray[np.float64]:
    """The array as finite float64 with `ndim` axes; raises CertificateError for another."""
    array = _plain(value, name, "iuf", ndim)
    found = np.array(array, dtype=np.float64, order="C")
    if not np.isfinite(found).all():
        raise CertificateError(f"{name} must be finite. Got NaN or an infinity.")
    return found


def integers(value: Any, name: str) -> NDArray[Any]:
    """The list of integers as it is, whatever their size; raises CertificateError for another."""
    return _plain(value, name, "iu", 1)


def whole(value: Any, name: str) -> NDArray[np.int64]:
    """The list of integers as int64; raises CertificateError for another."""
    array = integers(value, name)
    if array.size and int(array.max()) > np.iinfo(np.int64).max:
        raise CertificateError(f"{name} must hold integers of 64 bits. Got {array.max()}.")
    return array.astype(np.int64)


def within(array: NDArray[np.int64], name: str, low: int, high: int) -> None:
    """Raise CertificateError unless low ≤ entries < high."""
    if array.size and not (array.min() >= low and array.max() < high):
        raise CertificateError(f"{name} must lie between {low} and {high - 1}. Got {array.min()} to {array.max()}.")


def take(proof: Any, reals: tuple[str, ...], wholes: tuple[str, ...]) -> dict[str, NDArray[Any]]:
    """Exactly these lists of numbers out of a proof; raises CertificateError for others, or for none."""
    names(proof, (*reals, *wholes))
    return {name: real(proof[name], name, 1) for name in reals} | {name: whole(proof[name], name) for name in wholes}


def names(proof: Any, wanted: tuple[str, ...]) -> None:
    """Raise CertificateError unless `proof` maps exactly these names."""
    if not isinstance(proof, Mapping):
        raise CertificateError(f"The proof must map names to arrays. Got {type(proof).__name__} instead.")
    if set(proof) != set(wanted):
        given = ", ".join(str(name)[:40] for name in list(proof)[:20]) or "nothing"
        raise CertificateError(f"The proof must hold {', '.join(wanted) or 'nothing'}. Got {given} instead.")


def _plain(value: Any, name: str, kinds: str, ndim: int) -> NDArray[Any]:
    if not isinstance(value, np.ndarray) or value.dtype.kind not in kinds or value.dtype.itemsize > 8:
        found = value.dtype if isinstance(value, np.ndarray) else type(value).__name__
        what = "numbers of at most 64 bits" if "f" in kinds else "integers"
        raise CertificateError(f"{name} must be an array of {what}. Got {found} instead.")
    if value.ndim != ndim or value.size > MOST:
        raise CertificateError(f"{name} must have {ndim} axes and {MOST:,} entries at most. Got shape {value.shape}.")
    return np.asarray(value)
