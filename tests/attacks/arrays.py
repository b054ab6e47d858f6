"""Attacks on the arrays of a certificate whatever they mean: each turns an honest case into forged ones."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from .honest import KINDS, Case, everybody, honest

TYPES = ("f2", "f4", "g", ">f8", "c16", "O", "?", "U32", "S8", "M8[s]", "i1", "u1", "i4", "u4", ">i8", "u8")
FLOATS = (np.nan, np.inf, -np.inf, 5e-324, -5e-324, -0.0, 2.0**-1000, 2.0**1000, -(2.0**1000), 1.7e308)
WHOLE = (-1, -2, 0, 1, 2, 2**7 - 1, -(2**7), 2**31 - 1, -(2**31), 2**31, 2**63 - 1, -(2**63), 2**64 - 1)


def _everywhere(case: Case) -> Iterator[tuple[str, np.ndarray]]:
    yield from case.certificate.proof.items()
    yield "theta", case.certificate.theta


def _put(case: Case, name: str, array: Any, what: str) -> Case:
    label = f"{case.name}: {name} {what}"
    if name == "theta":
        return case.with_certificate(label, theta=array)
    return case.with_proof(label, **{name: array})


def arrays_of_another_problem(case: Case) -> Iterator[Case]:
    for other in honest(case.certificate.kind):
        for name, array in _everywhere(other):
            yield _put(case, name, array, f"of {other.name}")
        yield case.with_certificate(f"{case.name}: all of {other.name}", proof=other.certificate.proof)


def proofs_of_another_kind(case: Case) -> Iterator[Case]:
    for kind in KINDS:
        yield case.with_certificate(f"{case.name}: called {kind}", kind=kind)
    for other in everybody():
        both = {**case.certificate.proof, **other.certificate.proof}
        for name, proof in (("the proof", other.certificate.proof), ("both proofs", both)):
            for kind in {case.certificate.kind, other.certificate.kind}:
                yield case.with_certificate(f"{case.name}: {name} of {other.name}, {kind}", kind=kind, proof=proof)


def other_gamma(case: Case) -> Iterator[Case]:
    for factor in (0.999, 0.5, 1e-3, 2.0, 1e3):
        gamma = case.gamma * factor
        yield case.with_data(f"{case.name}: γ times {factor}", case.X, case.Y, gamma)
    for gamma in (5e-324, 1e-310, 1e-160):
        yield case.with_data(f"{case.name}: γ = {gamma}", case.X, case.Y, gamma)


def data_changed_afterwards(case: Case) -> Iterator[Case]:
    rng = np.random.default_rng(0)
    for size in (1e-3, 1e-6):
        noise = rng.standard_normal(case.X.shape)
        yield case.with_data(f"{case.name}: X + {size}", case.X + size * noise, case.Y, case.gamma)
        yield case.with_data(f"{case.name}: Y − {size}", case.X, case.Y * (1 - size), case.gamma)
    for k in range(len(case.X)):
        X = case.X.copy()
        X[k] = -X[k]
        yield case.with_data(f"{case.name}: row {k} turned", X, case.Y, case.gamma)


def data_of_another_shape(case: Case) -> Iterator[Case]:
    X, Y = case.X, case.Y
    wide, tall = np.hstack([X, X]) / 2**0.5, np.vstack([X, X])
    for what, shape in (("wide", (wide, Y)), ("tall", (tall, np.vstack([Y, Y]))), ("more outputs", (X, Y[:, [0, 0]]))):
        if shape[1].shape != Y.shape or shape[0].shape != X.shape:
            yield replace(case, name=f"{case.name}: {what} data", X=shape[0], Y=shape[1], truth=float(2 * np.sum(Y**2)))


def other_order(case: Case) -> Iterator[Case]:
    rng = np.random.default_rng(1)
    for name, array in _everywhere(case):
        if len(array) > 1:
            yield _put(case, name, array[::-1].copy(), "reversed")
            yield _put(case, name, np.roll(array, 1, axis=0), "rolled")
            yield _put(case, name, rng.permutation(array), "shuffled")
            if array.ndim == 2:
                yield _put(case, name, array[:, ::-1].copy(), "columns reversed")
                yield _put(case, name, array.T.copy(), "transposed")
            elif array.dtype.kind in "iu":
                yield _put(case, name, np.sort(array), "sorted")


def other_lengths(case: Case) -> Iterator[Case]:
    for name, array in _everywhere(case):
        for what, changed in (
            ("one shorter", array[:-1]),
            ("one longer", np.concatenate([array, array[-1:]])),
            ("twice", np.concatenate([array, array])),
            ("with a zero more", np.concatenate([array, np.zeros_like(array, shape=(1, *array.shape[1:]))])),
            ("empty", array[:0]),
            ("a column", array[..., None]),
            ("a row", array[None]),
            ("of no dimension", np.array(array.ravel()[0] if array.size else 0)),
            ("flat", array.ravel()),
        ):
            yield _put(case, name, changed, what)


def other_types(case: Case) -> Iterator[Case]:
    for (name, array), kind in itertools.product(_everywhere(case), TYPES):
        with np.errstate(all="ignore"):
            yield _put(case, name, array.astype(kind), f"as {kind}")
    for name, array in _everywhere(case):
        yield _put(case, name, np.zeros(len(array), dtype=[("a", "f8"), ("b", "i4")]), "structured")
        yield _put(case, name, array.tolist(), "as a list")
        for value in (None, 1, 1.0, "text", b"bytes", {}, [[1], [1, 2]], object()):
            yield _put(case, name, value, f"is {type(value).__name__}")


def other_layouts(case: Case) -> Iterator[Case]:
    for name, array in _everywhere(case):
        yield _put(case, name, np.asfortranarray(array), "in Fortran's order")
        yield _put(case, name, np.repeat(array, 2, axis=0)[::2], "strided")
        yield _put(case, name, array[::-1].copy()[::-1], "backwards")
        if array.size:
            yield _put(case, name, np.broadcast_to(array[:1], array.shape), "all like the first")
        if array.ndim == 2:
            yield _put(case, name, array.view(np.matrix), "as a matrix")
        hidden = np.ma.masked_array(array.copy(), mask=np.arange(array.size).reshape(array.shape) == 0)
        if array.dtype.kind == "f" and array.size:
            hidden.data.flat[0] = np.nan
        yield _put(case, name, hidden, "with a hidden entry")


def numbers_that_are_none_or_extreme(case: Case) -> Iterator[Case]:
    for name, array in _everywhere(case):
        if array.dtype.kind != "f" or not array.size:
            continue
        for value in FLOATS:
            for where in {0, array.size // 2, array.size - 1}:
                changed = array.copy()
                changed.flat[where] = value
                yield _put(case, name, changed, f"{value} at {where}")
            yield _put(case, name, np.full(array.shape, value), f"all {value}")


def scaled_numbers(case: Case) -> Iterator[Case]:
    for name, array in _everywhere(case):
        if array.dtype.kind == "f" and array.size:
            for factor in (-1.0, 0.5, 1 + 1e-6, 2.0, 1e6, 2.0**-1000, 2.0**-540, 2.0**540, 2.0**1000):
                with np.errstate(all="ignore"):
                    yield _put(case, name, array * factor, f"times {factor}")


def indices_out_of_range(case: Case) -> Iterator[Case]:
    for name, array in _everywhere(case):
        if array.dtype.kind not in "iu" or not array.size:
            continue
        for value in (*WHOLE, *range(3, 2 * len(case.X) + 4)):
            kind = np.uint64 if value >= 2**63 else np.int64
            for where in {0, array.size - 1}:
                changed = array.astype(kind)
                changed[where] = value
                yield _put(case, name, changed, f"{value} at {where}")
        with np.errstate(all="ignore"):
            yield _put(case, name, array.astype(np.uint64) - np.uint64(1), "less one, unsigned")


def names_left_out_or_added(case: Case) -> Iterator[Case]:
    for name in case.certificate.proof:
        yield case.with_proof(f"{case.name}: no {name}", **{name: None})
        moved = {f"_{name}": case.certificate.proof[name], name: None}
        yield case.with_proof(f"{case.name}: {name} under another name", **moved)
    for name in ("splits", "offsets", "basis", "transform", "planes", "theta", "more"):
        yield case.with_proof(f"{case.name}: {name} as well", **{name: np.zeros(3)})
    yield case.with_certificate(f"{case.name}: names of other types", proof={**case.certificate.proof, 1: 2, None: 3})


def proofs_that_are_no_mapping(case: Case) -> Iterator[Case]:
    for proof in (None, [], 3, "proof", np.zeros(3), [("rows", np.zeros(1, int))], object(), {}):
        yield case.with_certificate(f"{case.name}: proof {type(proof).__name__}", proof=proof)


def kinds_that_are_none(case: Case) -> Iterator[Case]:
    kind = case.certificate.kind
    for other in (
        None,
        1,
        [kind],
        {kind},
        kind.encode(),
        np.array([kind, kind]),
        "",
        kind.upper(),
        f"{kind} ",
        f"{kind}\n",
    ):
        yield case.with_certificate(f"{case.name}: kind {other!r}", kind=other)


def numbers_that_are_recorded(case: Case) -> Iterator[Case]:
    for number in (1e300, np.inf, np.nan, -1.0, None, "1", [], np.zeros(3)):
        yield case.with_certificate(f"{case.name}: recorded {number!r}", lower_bound=number)


class _Fickle(Mapping):
    """A mapping that shows each array as it is at first, and then another one."""

    def __init__(self, first: Mapping[str, Any], later: Mapping[str, Any]) -> None:
        self._first, self._later, self._seen = first, later, set()

    def __getitem__(self, name: str) -> Any:
        mapping = self._later if name in self._seen else self._first
        self._seen.add(name)
        return mapping[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._first)

    def __len__(self) -> int:
        return len(self._first)


def proofs_that_change(case: Case) -> Iterator[Case]:
    first = case.certificate.proof
    for what, later in (
        ("zeros", {name: np.zeros_like(array) for name, array in first.items()}),
        ("nothing", {name: array[:0] for name, array in first.items()}),
        (
            "tiny numbers",
            {name: array * 2.0**-1000 if array.dtype.kind == "f" else array for name, array in first.items()},
        ),
    ):
        yield case.with_certificate(f"{case.name}: {what} at second sight", proof=_Fickle(first, later))


ATTACKS = [
    arrays_of_another_problem,
    proofs_of_another_kind,
    other_gamma,
    data_changed_afterwards,
    data_of_another_shape,
    other_order,
    other_lengths,
    other_types,
    other_layouts,
    numbers_that_are_none_or_extreme,
    scaled_numbers,
    indices_out_of_range,
    names_left_out_or_added,
    proofs_that_are_no_mapping,
    kinds_that_are_none,
    numbers_that_are_recorded,
    proofs_that_change,
]
