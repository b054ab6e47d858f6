"""A network of the user's out of a file: .npz with U (d × m) and V (m × c), and nothing is run that it holds."""

from __future__ import annotations

from pathlib import Path

from ..datasets.checks import MAX_BYTES
from ..datasets.npzfile import read_npz
from ..solvers.network import Network
from .text import UsageError


def read_network(path: Path) -> Network:
    """Read a network.

    Args:
        path: an .npz file with arrays U (d, m), the hidden neurons, and V (m, c), their outputs. A bias of the hidden
            layer is the row of U that belongs to a column of ones in X.

    Returns:
        The network.

    Raises:
        RelaxbenchError: no such file, other arrays, or shapes that do not fit together.
    """
    if path.suffix != ".npz":
        raise UsageError(
            f"--network must be an .npz file with U and V. Got {path} instead: numpy.savez(path, U=…, V=…)."
        )
    if not path.is_file():
        raise UsageError(f"--network must be a file that exists. Got {path} instead.")
    arrays = read_npz(str(path), ("U", "V"), MAX_BYTES)
    if missing := [name for name in ("U", "V") if name not in arrays]:
        raise UsageError(f"{path} must hold U (d × m) and V (m × c). Got none named {missing[0]}.")
    return Network(arrays["U"], arrays["V"])
