"""Result: what came of a cell or a relaxation, as plain values that any engine can carry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from ...solvers.activation import Activation
from ...solvers.fit import TraceRow
from ...solvers.network import Network
from ..results.record import TraceLine


@dataclass(frozen=True)
class Cost:
    """What a relaxation took, counted again in each cell that uses it."""

    solve_s: float = 0.0
    setup_s: float = 0.0
    cpu_s: float = 0.0
    peak_memory_mb: float = 0.0


@dataclass(frozen=True)
class Result:
    """What came of a cell or a relaxation. columns: of the results, status and message always among them.

    maker: the environment that made it, if it is not that of the run (environment.py). kind: of the certificate among
    the arrays; empty if there is none. `claimed_bound` says what it is still to prove.
    """

    columns: Mapping[str, Any]
    arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    trace: Sequence[TraceLine] = ()
    traceback: str = ""
    info: Mapping[str, Any] = field(default_factory=dict)
    kind: str = ""
    maker: Mapping[str, Any] = field(default_factory=dict)


def network_arrays(network: Network | None) -> dict[str, NDArray[Any]]:
    """The arrays under which a network is saved; empty for None."""
    return {} if network is None else {"network_U": network.U, "network_V": network.V}


def saved_network(arrays: Mapping[str, NDArray[Any]], activation: str) -> Network | None:
    """Inverse of `network_arrays`.

    Args:
        arrays: the saved arrays by name.
        activation: of its problem.

    Returns:
        The network; None if none was saved.
    """
    if "network_U" not in arrays:
        return None
    return Network(arrays["network_U"], arrays["network_V"], Activation.of(activation))


def trace_lines(trace: Sequence[TraceRow], stage: str) -> list[TraceLine]:
    """The rows of a trace as lines of trace.csv."""
    return [(stage, row.seconds, row.iteration, row.value, row.bound, row.residual) for row in trace]
