"""The two synthetic data sets of arXiv 2410.22311: targets of a random network, and spirals."""

from __future__ import annotations

from importlib.metadata import version

import numpy as np

from .checks import fits, fraction, real, whole
from .dataset import Array, Source, stream


def random(
    *,
    seed: int,
    n: int = 25,
    d: int = 2,
    c: int = 5,
    teacher_width: int = 100,
    noise: float = 0.0,
    n_test: int | None = None,
    test_fraction: float = 0.5,
) -> Source:
    """Regression on the outputs of a random network: Y = (XU)₊Vᵀ with X, U (d, m) and V (c, m) standard normal.

    Args:
        seed: an integer ≥ 0.
        n: training rows.
        d: features.
        c: outputs.
        teacher_width: m.
        noise: standard deviation of Gaussian noise added to training and test targets.
        n_test: fresh rows of the same network for test, none for 0; None for n·test_fraction/(1 − test_fraction).
        test_fraction: says how many test rows where `n_test` does not; with the default as many as training rows.

    Returns:
        The data with their test set.

    Raises:
        DataError: a value out of range.
    """
    n, d, c, m = whole(n, "n"), whole(d, "d"), whole(c, "c"), whole(teacher_width, "teacher_width")
    noise = real(noise, "noise")
    k = _test_rows(n, test_fraction) if n_test is None else whole(n_test, "n_test")
    fits((n + k) * (d + c + m) + m * (d + c), "The random data set")
    teacher = stream(seed, "teacher")
    U, V = teacher.standard_normal((d, m)), teacher.standard_normal((c, m))

    def rows(count: int, purpose: str) -> tuple[Array, Array]:
        draw = stream(seed, purpose)
        X = draw.standard_normal((count, d))
        return X, np.maximum(X @ U, 0.0) @ V.T + noise * draw.standard_normal((count, c))

    (X, Y), (X_test, Y_test) = rows(n, "random rows for training"), rows(k, "random rows for test")
    return Source(X, Y, None, _origin("two-layer ReLU network with standard normal weights"), X_test, Y_test)


def spiral(*, seed: int, arms: int = 3, points: int = 20, noise: float = 0.2, test_fraction: float = 0.5) -> Source:
    """Spiral arms around the origin in the plane, one class an arm.

    Point i of arm k lies at radius r_i = i/(points − 1) and angle φ_k + 4 r_i + noise·N(0, 1) radians, with φ_k = 4k
    for up to three arms; multiples of 4 radians crowd from then on, so more arms start evenly spaced. The point at
    radius 0 gives a zero row for each arm. The test set is fresh, at radii (i + ½)/count, with angles and noise of its
    own.

    Args:
        seed: an integer ≥ 0.
        arms: classes, ≥ 2.
        points: training rows an arm, ≥ 2.
        noise: standard deviation of the angles, radians.
        test_fraction: gives points·test_fraction/(1 − test_fraction) test rows an arm, so `points` by default.

    Returns:
        The data with their test set.

    Raises:
        DataError: a value out of range.
    """
    arms, points, noise = whole(arms, "arms", 2), whole(points, "points", 2), real(noise, "noise")
    k = _test_rows(points, test_fraction)
    fits((points + k) * arms * (2 + arms), "The spiral data set")
    start = 4.0 * np.arange(arms) if arms <= 3 else 2 * np.pi * np.arange(arms) / arms

    def rows(radius: Array, purpose: str) -> tuple[Array, np.ndarray]:
        shape = (arms, len(radius))
        angle = start[:, None] + 4.0 * radius + noise * stream(seed, purpose).standard_normal(shape)
        X = np.column_stack([(radius * np.sin(angle)).ravel(), (radius * np.cos(angle)).ravel()])
        return X, np.repeat(np.arange(arms), len(radius))

    X, Y = rows(np.linspace(0.0, 1.0, points), "spiral for training")
    X_test, Y_test = rows((np.arange(k) + 0.5) / max(k, 1), "spiral for test")
    labels = tuple(f"arm {k}" for k in range(arms))
    return Source(X, Y, labels, _origin(f"spiral of {arms} arms"), X_test, Y_test)


def _test_rows(n: int, test_fraction: float) -> int:
    """Fresh rows that make up `test_fraction` of all rows beside n training rows."""
    part = fraction(test_fraction, "test_fraction")
    return max(round(n * part / (1 - part)), 1) if part else 0


def _origin(source: str) -> dict[str, str]:
    return {"source": f"generated: {source}", "version": f"numpy {version('numpy')}", "terms": "none"}
