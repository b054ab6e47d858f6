"""What a submission says: networks, and Θ with the arrays of a proof or without; out of a file that may be hostile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...datasets.npzfile import read_npz
from ...errors import RelaxbenchError
from ...solvers.certificates.certificate import Certificate, Kind
from ...solvers.network import Network

LARGEST = 2**28  # bytes, unpacked
NETWORKS = (("U", "V"), ("network_U", "network_V"), ("relaxation_U", "relaxation_V"))
QUADRATIC = ("rows", "rep", "coef", "T_row", "T_column", "T_value", "z")
REGIONS = ("planes", "circuit_value", "tree", "circuit_head", "circuit_cell", "circuit_form", "circuit_row", "T_cell")
PROOFS: Mapping[Kind, frozenset[str]] = {
    Kind.DOUBLY_NONNEGATIVE: frozenset(QUADRATIC),
    Kind.CELLS: frozenset((*QUADRATIC, *REGIONS)),
    Kind.COVER: frozenset(("basis", "transform", "splits", "offsets")),
}  # kind "arcs" needs no arrays
CLAIMS = ("kind", "lower_bound", "upper_bound", "bound", "objective", "value", "gap")  # may be there, are not read
PREFIX = "certificate_"


class Refused(RelaxbenchError):
    """A submission that is forged, broken, or not for this instance; nothing is written."""


@dataclass(frozen=True)
class Submission:
    """networks: any number. theta: Θ (n, c) or None. kind: that of the proof; None where there is Θ alone."""

    networks: tuple[Network, ...] = ()
    theta: NDArray[Any] | None = None
    kind: Kind | None = None
    proof: Mapping[str, NDArray[Any]] | None = None

    @classmethod
    def of(cls, network: Network | None, certificate: Certificate | None) -> Submission:
        """A submission of what a method returned.

        Args:
            network: its network, if there is one.
            certificate: its certificate, if there is one.

        Returns:
            The submission.
        """
        networks = () if network is None else (network,)
        if certificate is None:
            return cls(networks)
        return cls(networks, certificate.theta, Kind(certificate.kind), certificate.proof)


def read_submission(path: str | Path) -> Submission:
    """Read a file with U and V, or Θ, or Θ and the arrays of a proof, or both.

    Args:
        path: .npz with U and V (also as network_U, relaxation_U, …), or theta, or theta and the arrays of a proof under
            the names of docs/bounds.md; all of the latter also with the prefix `certificate_`. The kind of the proof
            follows from the names.

    Returns:
        The submission.

    Raises:
        RelaxbenchError: no .npz of plain arrays with these names, or parts that do not belong together.
    """
    return of_arrays(read_npz(str(path), _names(), LARGEST))


def of_arrays(arrays: Mapping[str, NDArray[Any]]) -> Submission:
    """A submission of arrays by name, such as those of a cell of a run.

    Args:
        arrays: named as `read_submission` says.

    Returns:
        The submission.

    Raises:
        RelaxbenchError: parts that do not belong together.
    """
    networks = [pair for pair in NETWORKS if pair[0] in arrays or pair[1] in arrays]
    for pair in networks:
        if missing := [name for name in pair if name not in arrays]:
            raise Refused(f"A network must have {pair[0]} and {pair[1]}. Got none named {missing[0]}.")
    found = tuple(Network(arrays[U], arrays[V]) for U, V in networks)
    proof: dict[str, NDArray[Any]] = {}
    for name in ("theta", *sorted(PROOFS[Kind.CELLS] | PROOFS[Kind.COVER])):
        given = [arrays[form] for form in (name, PREFIX + name) if form in arrays]
        if len(given) > 1:
            raise Refused(f"{name} must be there once. Got {name} and {PREFIX}{name} instead: leave one out.")
        proof |= dict.fromkeys([name], given[0]) if given else {}
    if "theta" not in proof:
        if proof or not found:
            what = f"a proof without Θ ({', '.join(proof)})" if proof else "nothing of the kind"
            raise Refused(f"A submission must hold U and V, or theta. Got {what} instead.")
        return Submission(found)
    theta = proof.pop("theta")
    return Submission(found, theta, _kind(proof), proof or None)


def _kind(proof: Mapping[str, Any]) -> Kind | None:
    """The kind of proof that has these arrays."""
    if not proof:
        return None
    for kind, names in PROOFS.items():
        if names == set(proof):
            return kind
    likely = min(PROOFS, key=lambda kind: len(PROOFS[kind] ^ set(proof)))
    wrong = sorted(PROOFS[likely] ^ set(proof))
    raise Refused(
        f"A proof of kind {likely} must hold {', '.join(sorted(PROOFS[likely]))}. "
        f"Got {wrong[0]} {'left out' if wrong[0] in PROOFS[likely] else 'beside them'} instead."
    )


def _names() -> tuple[str, ...]:
    networks = [name for pair in NETWORKS for name in pair]
    proofs = ["theta", *sorted(PROOFS[Kind.CELLS] | PROOFS[Kind.COVER])]
    return (*networks, *proofs, *(PREFIX + name for name in (*proofs, *CLAIMS)), *CLAIMS)


def finite(array: NDArray[Any]) -> bool:
    """Whether all entries are numbers.

    Args:
        array: of any kind.

    Returns:
        False also where it does not hold real numbers.
    """
    return array.dtype.kind in "biuf" and bool(np.isfinite(array).all())
