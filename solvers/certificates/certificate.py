"""A lower bound on p*(∞) together with the arrays from which anyone can prove it again.

Every bound here is dual: for Θ (n, c) with ‖Θᵀφ(Xu)‖ ≤ γ‖u‖ for all u, p*(∞) ≥ ⟨Θ, Y⟩ − ½‖Θ‖_F².
Kinds differ only in how the inequality for all u is proved; `proof` holds the arrays of that proof.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray


class Kind(StrEnum):
    """How the inequality for all u is proved; docs/bounds.md has the argument and the arrays of each kind."""

    DOUBLY_NONNEGATIVE = "doubly nonnegative"  # made by certificates/quadratic.py, checked by checker/regions.py
    CELLS = "cells"  # made by certificates/regions.py, checked by checker/regions.py
    ARCS = "arcs"  # made by exact/plane.py, checked by checker/arcs.py
    COVER = "cover"  # made by exact/sphere.py, checked by checker/cover.py


@dataclass(frozen=True)
class Certificate:
    """kind names the proof, theta is Θ (n, c) on the user's rows, proof its arrays, lower_bound the proved number."""

    kind: str
    theta: NDArray[np.float64]
    proof: Mapping[str, NDArray]
    lower_bound: float

    def __repr__(self) -> str:
        n, c = self.theta.shape if self.theta.ndim == 2 else (self.theta.size, "?")
        entries = sum(np.size(array) for array in self.proof.values())
        claimed = f"claims lower bound {self.lower_bound:.6g}"
        return f"Certificate({str(self.kind)!r}, {claimed}, Θ {n} × {c}, proof of {entries} numbers)"

    def arrays(self) -> dict[str, NDArray]:
        """Everything but the kind and the number, ready for `numpy.savez` under the prefix `certificate_`."""
        named = {"theta": self.theta, **self.proof}
        return {f"certificate_{name}": array for name, array in named.items()}

    @classmethod
    def from_arrays(cls, kind: str, arrays: Mapping[str, NDArray], lower_bound: float) -> Certificate:
        """Inverse of `arrays`.

        Args:
            kind: which inequality the proof proves.
            arrays: by name; other names are ignored.
            lower_bound: the proved bound.

        Returns:
            The certificate.
        """
        proof = {k.removeprefix("certificate_"): v for k, v in arrays.items() if k.startswith("certificate_")}
        theta = proof.pop("theta")
        return cls(kind, theta, proof, lower_bound)
