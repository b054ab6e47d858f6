"""Random damage to honest certificates, the same for the same seed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from .honest import ARCS, CELLS, COVER, DNN, Case, honest

Rng = np.random.Generator
SHARES = {DNN: 0.4, CELLS: 0.4, ARCS: 0.18, COVER: 0.02}  # a cover takes a hundred times as long


def _a_bit(array: np.ndarray, rng: Rng) -> np.ndarray:
    bits = array.view(np.uint8).reshape(-1)
    bits[rng.integers(len(bits))] ^= np.uint8(1 << rng.integers(8))
    return array


def _an_entry(array: np.ndarray, rng: Rng) -> np.ndarray:
    """Another number in one place."""
    where = rng.integers(array.size)
    old = array.flat[where]
    if array.dtype.kind == "f":
        near = old * (1 + 10.0 ** rng.integers(-12, 1))
        extreme = rng.choice([0.0, -0.0, np.nan, np.inf, 5e-324, 1e300])
        array.flat[where] = rng.choice(
            [-old, near, old * 2.0 ** rng.integers(-1100, 500), rng.standard_normal(), extreme]
        )
    else:
        new = rng.choice([int(old) + rng.integers(-2, 3), rng.integers(-2, 12), rng.integers(-(2**62), 2**62)])
        array.flat[where] = new if np.iinfo(array.dtype).min <= new <= np.iinfo(array.dtype).max else 0
    return array


def _all(array: np.ndarray, rng: Rng) -> np.ndarray:
    if array.dtype.kind == "f":
        return array * rng.choice([-1.0, 0.0, 0.5, 2.0, 1.001, 2.0 ** rng.integers(-1000, 300)])
    return array + rng.integers(-1, 2)


def _a_swap(array: np.ndarray, rng: Rng) -> np.ndarray:
    i, j = rng.integers(array.size, size=2)
    array.flat[i], array.flat[j] = array.flat[j], array.flat[i]
    return array


def _order(array: np.ndarray, rng: Rng) -> np.ndarray:
    return rng.permutation(array)


def _length(array: np.ndarray, rng: Rng) -> np.ndarray:
    where = rng.integers(len(array))
    return np.delete(array, where, axis=0) if rng.random() < 0.5 else np.insert(array, where, array[where], axis=0)


DAMAGES = [_a_bit, _an_entry, _an_entry, _an_entry, _all, _a_swap, _order, _length]


def _damaged(array: np.ndarray, other: Any, rng: Rng) -> np.ndarray:
    """`other`: the array of the same name in another certificate, if it has one."""
    array = np.array(array, order="C")
    if other is not None and rng.random() < 0.15:
        if array.shape[1:] != other.shape[1:] or rng.random() < 0.3:
            return np.array(other)
        common = rng.integers(min(len(array), len(other)) + 1)
        return np.concatenate([other[:common], array[common:]])
    if not array.size:
        return array
    with np.errstate(all="ignore"):
        return DAMAGES[rng.integers(len(DAMAGES))](array, rng)


def mutant(seed: int) -> Case:
    """A case with one to three of its arrays damaged, and often with a Θ that is worth more than the truth."""
    rng = np.random.default_rng(seed)
    kind = rng.choice(list(SHARES), p=list(SHARES.values()))
    cases = honest(str(kind))
    case, other = (cases[k] for k in rng.integers(len(cases), size=2))
    proof, theta = case.proof, case.certificate.theta
    lie = rng.random()
    theta = case.Y.copy() if lie < 0.3 else theta * (1 + 1e-6) if lie < 0.5 else theta
    for _ in range(rng.integers(1, 4)):
        name = rng.choice([*proof, "theta"])
        if name == "theta":
            theta = _damaged(theta, other.certificate.theta, rng)
        else:
            proof[name] = _damaged(proof[name], other.certificate.proof.get(name), rng)
    certificate = replace(case.certificate, theta=theta, proof=proof)
    return replace(case, name=f"seed {seed}, {case.name}", certificate=certificate)
