"""Medians for missing values, and standardisation and PCA by scikit-learn: fitted on training rows only."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from .checks import DataError, hint, quote, show

Array = NDArray[np.float64]
_FORM = re.compile(r"none|standardize|(?:standardize\+)?pca:(?P<k>[0-9]{1,9})")


def parse(preprocess: str) -> tuple[bool, int | None]:
    """The steps that a `preprocess` option names.

    Args:
        preprocess: "none", "standardize", "pca:K" or "standardize+pca:K".

    Returns:
        Whether to standardize, and K or None.

    Raises:
        DataError: anything else.
    """
    found = _FORM.fullmatch(preprocess) if isinstance(preprocess, str) else None
    if found is None:
        shown = quote(preprocess) if isinstance(preprocess, str) else show(preprocess)
        raise DataError(
            "preprocess must be 'none', 'standardize', 'pca:K' or 'standardize+pca:K' with a whole number K. "
            f"Got {shown} instead{hint(preprocess, ('none', 'standardize', 'pca:2', 'standardize+pca:2'))}"
        )
    k = found["k"]
    return preprocess.startswith("standardize"), None if k is None else int(k)


def apply(preprocess: str, X_train: Array, X_test: Array) -> tuple[Array, Array, list[str]]:
    """Fill missing values and transform both parts, as fitted on the training rows.

    Args:
        preprocess: as for `parse`.
        X_train: training rows (n, d), NaN where a value is missing.
        X_test: test rows (k, d), the same.

    Returns:
        Both parts, and warnings for the provenance.

    Raises:
        DataError: a K out of range, or values that leave the range of float64.
    """
    standardize, k = parse(preprocess)
    n, d = X_train.shape
    if k is not None and not 1 <= k <= min(n, d):
        raise DataError(
            f"The K of preprocess = pca:K must be between 1 and {min(n, d)} for {n} training rows of {d} features. "
            f"Got {k} instead: give pca:{min(n, d, max(k, 1))}."
        )
    warnings: list[str] = []
    if missing := sum(int(np.isnan(X).sum()) for X in (X_train, X_test)):
        X_train, X_test = _filled(X_train, X_test)
        warnings.append(f"{missing} missing values have the median of their column over the training rows.")
    with np.errstate(all="ignore"):  # overflow is found below, with a message of ours
        if standardize:
            X_train, X_test = _standardize(X_train, X_test, warnings)
            _in_range(X_train, X_test)
        if k is not None:
            X_train, X_test = _pca(k, X_train, X_test)
            _in_range(X_train, X_test)
    return X_train, X_test, warnings


def _filled(X_train: Array, X_test: Array) -> tuple[Array, Array]:
    """Both parts with the median of the training rows (0 where they have no value) in place of NaN."""
    seen = [column[~np.isnan(column)] for column in X_train.T]
    medians = np.array([np.median(column) if len(column) else 0.0 for column in seen])
    return np.where(np.isnan(X_train), medians, X_train), np.where(np.isnan(X_test), medians, X_test)


def _standardize(X_train: Array, X_test: Array, warnings: list[str]) -> tuple[Array, Array]:
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler().fit(X_train)
    if not np.isfinite(scaler.var_).all():
        raise DataError(_OVERFLOW)
    constant = np.flatnonzero((scaler.scale_ == 1.0) & (scaler.var_ != 1.0))
    if len(constant):
        warnings.append(
            f"{len(constant)} of {X_train.shape[1]} features are constant on the training rows: centred, not scaled "
            f"(columns {', '.join(map(str, constant[:10]))}{', …' if len(constant) > 10 else ''})."
        )
    return scaler.transform(X_train), _transformed(scaler, X_test)


def _pca(k: int, X_train: Array, X_test: Array) -> tuple[Array, Array]:
    from sklearn.decomposition import PCA

    with threadpool_limits(limits=1):  # the last bits depend on the threads, and the data must not
        try:
            pca = PCA(n_components=k, svd_solver="full").fit(X_train)
        except (ValueError, np.linalg.LinAlgError):  # centring overflowed: the SVD refuses infinities
            raise DataError(_OVERFLOW) from None
        return pca.transform(X_train), _transformed(pca, X_test, k)


def _transformed(fitted: Any, X: Array, d: int | None = None) -> Array:
    """X (k, d) transformed; scikit-learn refuses k = 0. d: columns of the result, if they are not those of X."""
    return np.asarray(fitted.transform(X)) if len(X) else np.empty((0, d or X.shape[1]))


_OVERFLOW = "Features must be small enough to square for preprocessing. Got an overflow instead: rescale the columns."


def _in_range(*parts: Array) -> None:
    if not all(np.isfinite(part).all() for part in parts):
        raise DataError(_OVERFLOW)
