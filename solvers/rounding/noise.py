"""A disturbed solution of the relaxation, to see what a rounding makes of a bad one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..problem import Problem
from ..relaxation import Relaxation


def disturbed(problem: Problem, relaxation: Relaxation, noise: float, seed: int) -> Relaxation:
    """The relaxation with Gaussian noise on its factor.

    Args:
        problem: gives n, d and c.
        relaxation: to be disturbed.
        noise: each of the parts s, u and v moves by this times its Frobenius norm, whatever its units.
        seed: where the noise comes from.

    Returns:
        The relaxation with another factor.
    """
    parts = np.split(relaxation.factor, [problem.n, problem.n + problem.d])
    rng = np.random.default_rng(seed)
    drawn = [rng.standard_normal(part.shape) for part in parts]
    moved = [
        part + noise * np.linalg.norm(part) / np.linalg.norm(by) * by for part, by in zip(parts, drawn, strict=True)
    ]
    return replace(relaxation, factor=np.vstack(moved))
