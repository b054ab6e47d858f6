"""Two linear layers with biases as a network without, and the error of files that hold none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...errors import printable
from ...solvers.network import Array, Network
from ..text import UsageError

LARGEST = 2**28  # bytes of a file: 256 MiB


@dataclass(frozen=True)
class Linear:
    """A layer x ↦ xᵀ`weight` + `bias` with weight (inputs, outputs), bias (outputs,), both float64."""

    weight: Array
    bias: Array


def bad(path: object, rule: str, got: str) -> UsageError:
    """The error of a file that holds no network that can be judged.

    Args:
        path: the file.
        rule: what it must be or have.
        got: what it is or has instead, and the fix.

    Returns:
        The error, one line.
    """
    return UsageError(printable(f"{path} must {rule}. Got {got}"))


def one_network(path: object, hidden: Linear, output: Linear, ones: bool) -> Network:
    """Put the bias of the hidden layer into U.

    Args:
        path: the file, for messages.
        hidden: the layer before the ReLU.
        output: the layer after it.
        ones: the last feature of the data is a column of ones; the bias of the hidden layer is its row of U.

    Returns:
        The network, the same function.

    Raises:
        RelaxbenchError: layers that do not fit together, a bias of the hidden layer without the column of ones, or a
            bias of the output layer.
    """
    if hidden.weight.shape[1] != output.weight.shape[0]:
        raise bad(
            path,
            "have an output layer with as many inputs as the hidden layer has neurons",
            f"{output.weight.shape[0]} inputs and {hidden.weight.shape[1]} neurons instead.",
        )
    if output.bias.any():
        raise bad(
            path,
            "have no bias of the output layer, as the model (xᵀU)₊V has none and γ would not charge it",
            "one instead: train with bias=False there, on targets that are centred.",
        )
    if hidden.bias.any() and not ones:
        raise bad(
            path,
            "have no bias of the hidden layer where the data have no column of ones",
            "one instead: give --bias, from Python bias=True and data with bias=True.",
        )
    return Network(np.vstack([hidden.weight, hidden.bias]) if ones else hidden.weight, output.weight)
