"""check: every stored bound proved again, every network evaluated by another route, every file compared by sha256."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from ...datasets import Dataset
from ...datasets.instances import ENTRIES, Instance, find, instances, load
from ...datasets.npzfile import read_npz
from ...errors import RelaxbenchError
from ...solvers.certificates.certificate import Certificate
from ...solvers.checker import verify as prove
from ..results.record import read_limited, sha256
from ..text import UsageError, one_line
from ..verify.bounds import SLACK, forward_objective
from .entries import MOST_BYTES, SIDES, UNPACKED, Bound, Entry, Side, read_entry
from .submission import PREFIX, PROOFS

NETWORK = {"U", "V"}
MISSED = 1e-6  # relative: a value that is more than this below what is proved is not what was proved


@dataclass(frozen=True)
class Check:
    """One side of one instance: what its history says, what came out here, and whether that makes the history true."""

    instance: str
    side: str
    recorded: float | None
    found: float | None
    holds: bool
    message: str = ""


def filled(names: Sequence[str] = (), entries: Path = ENTRIES) -> list[str]:
    """The entries that `check` looks at.

    Args:
        names: of instances; none for all that have an entry.
        entries: folder with the entries.

    Returns:
        Their names, in the order of the catalogue; at the end folders that are no instance's.

    Raises:
        RelaxbenchError: no such instance.
    """
    if names:
        return [find(name).name for name in names]
    there = {path.name for path in entries.iterdir() if path.is_dir()}
    known = [instance.name for instance in instances() if instance.name in there]
    return [*known, *sorted(there - set(known))]


def check(name: str, entries: Path = ENTRIES, data_dir: Path | None = None) -> Iterator[Check]:
    """Prove the stored bounds of an instance again.

    Args:
        name: of the instance.
        entries: folder with the entries.
        data_dir: folder with original data files, used first.

    Yields:
        One Check for each side that has a bound; one without a side where the entry as a whole is wrong.
    """
    try:
        instance, entry = find(name), read_entry(entries, name)
        _in_order(entry)
        data = load(instance, data_dir)
    except (RelaxbenchError, OSError) as error:
        yield Check(name, "entry", None, None, False, one_line(str(error)))
        return
    for side in SIDES:
        bound = entry.best(side)
        if bound is not None:
            yield _side(instance, entry, side, bound, entries / name / f"{side}.npz", data)
        elif (entries / name / f"{side}.npz").exists():
            yield Check(name, side, None, None, False, f"{side}.npz is in no line of the history")


def _in_order(entry: Entry) -> None:
    for side in SIDES:
        kept = [bound.value for bound in entry.history if bound.side == side and bound.kept]
        if any(later <= earlier if side == "lower" else later >= earlier for earlier, later in pairwise(kept)):
            raise UsageError("the bounds of the history must become better from line to line. Got others instead.")


def _side(instance: Instance, entry: Entry, side: Side, bound: Bound, path: Path, data: Dataset) -> Check:
    found = None
    try:
        if sha256(read_limited(path, MOST_BYTES)) != bound.sha256:
            raise UsageError(f"{path.name} has another sha256 than the history")
        if side == "upper":
            found = _objective(path, data, instance.gamma)
            message = "" if abs(found - bound.value) <= SLACK * abs(found) else "the network has another objective"
        else:
            found = _proved(path, bound, data, instance.gamma)
            message = "" if bound.value <= found else "the certificate proves less"
            message = message or ("" if bound.value >= found * (1 - MISSED) else "the certificate proves more")
        if not message and side == "lower" and entry.upper is not None and bound.value > entry.upper * (1 + SLACK):
            message = f"ALARM: a network has objective {entry.upper:.9g}, which is below"
    except KeyError as error:
        message = f"{path.name} holds no {error.args[0]}"
    except (ValueError, TypeError, OSError, ArithmeticError) as error:
        message = one_line(error) if not isinstance(error, RelaxbenchError) else one_line(str(error))
    return Check(instance.name, side, bound.value, found, not message, message)


def _objective(path: Path, data: Dataset, gamma: float) -> float:
    arrays = read_npz(str(path), sorted(NETWORK), UNPACKED)
    U, V = arrays["U"], arrays["V"]
    wanted = (data.X_train.shape[1], data.Y_train.shape[1])
    if U.ndim != 2 or V.ndim != 2 or (len(U), V.shape[1]) != wanted or U.shape[1] != len(V):
        raise UsageError(f"the network must map {wanted[0]} to {wanted[1]}. Got U {U.shape} and V {V.shape} instead")
    return forward_objective(U, V, data.X_train, data.Y_train, gamma)


def _proved(path: Path, bound: Bound, data: Dataset, gamma: float) -> float:
    names = {"theta"}.union(*PROOFS.values())
    arrays = read_npz(str(path), sorted(PREFIX + name for name in names), UNPACKED)
    certificate = Certificate.from_arrays(bound.kind, arrays, bound.value)
    return float(prove(certificate, data.X_train, data.Y_train, gamma))
