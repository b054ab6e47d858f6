"""Which file holds a network how: .npz, .onnx and .safetensors, never a pickle."""

from __future__ import annotations

from dataclasses import replace
from os import PathLike
from pathlib import Path

import numpy as np

from ...datasets.npzfile import read_npz
from ...solvers.activation import RELU, Activation
from ...solvers.network import Network
from .layers import LARGEST, bad, one_network
from .onnxfile import onnx_layers
from .safetensorsfile import safetensors_layers

LAYERS = {".onnx": onnx_layers, ".safetensors": safetensors_layers}
PICKLES = (".pt", ".pth", ".pkl", ".pickle", ".joblib", ".bin")


def read_network(
    path: str | PathLike[str], *, bias: bool = False, activation: Activation | str | None = None
) -> Network:
    """Read a trained two-layer network x ↦ φ(xᵀU)V; nothing that the file holds is run.

    Weights may be float16, bfloat16, float32 or float64 and become float64. A file has at most 256 MiB.

    Args:
        path: a file that ends in
            .npz: arrays U (d, m), the hidden neurons, and V (m, c), their outputs; d counts a column of ones in X; and
            perhaps `activation`, a text.
            .onnx: the graph Gemm, Relu, Gemm, either Gemm also as MatMul with or without Add, and LeakyRelu or Abs in
            place of Relu.
            .safetensors: the state of PyTorch's Linear, ReLU, Linear: two NAME.weight (outputs, inputs), with or
            without NAME.bias, the hidden layer's NAME first in the order of names (0 < 2 < 10; fc1 < fc2).
            The last two need the extra `networks`.
        bias: the last feature of the data is a column of ones, as the option `bias` of data sets makes it. Its row of U
            is the hidden layer's bias in .onnx and .safetensors, zeros without one; .npz has that row already.
        activation: φ as `Problem` takes it; the file must not say another one. None for what it says, or else `relu`.

    Returns:
        The network, float64.

    Raises:
        RelaxbenchError: no such file, another network than this, a bias of the output layer, which the model has not,
            or weights that are not finite.
    """
    path = Path(path)
    kind = path.suffix.lower()
    if kind in PICKLES:
        raise bad(
            path,
            "be an .npz, .onnx or .safetensors file",
            f"{kind} instead, and loading a pickle runs code: save it with "
            "safetensors.torch.save_file(model.state_dict(), 'net.safetensors').",
        )
    if kind != ".npz" and kind not in LAYERS:
        raise bad(
            path, "be an .npz, .onnx or .safetensors file", f"{kind!r} instead: numpy.savez('net.npz', U=…, V=…)."
        )
    if not path.is_file():
        raise bad(path, "be a file that exists", "nothing there instead." if not path.exists() else "a folder instead.")
    if path.stat().st_size > LARGEST:
        raise bad(path, f"have at most {LARGEST:,} bytes", f"{path.stat().st_size:,} instead: save the weights alone.")
    network, said = _npz(path) if kind == ".npz" else _layers(path, kind, bias)
    wanted = said or RELU if activation is None else Activation.of(activation)
    if said is not None and said != wanted:
        raise bad(path, f"hold a network of activation {wanted}", f"{said} instead: give --activation {said}.")
    network = replace(network, activation=wanted)
    for name, weights in (("U", network.U), ("V", network.V)):
        if not np.isfinite(weights).all():
            raise bad(path, "have finite weights", f"{weights[~np.isfinite(weights)][0]} in {name} instead.")
    return network


def _layers(path: Path, kind: str, bias: bool) -> tuple[Network, Activation | None]:
    """The network of a file of layers, and the activation that the file says it has."""
    hidden, output, activation = LAYERS[kind](path)
    return one_network(path, hidden, output, bias), activation


def _npz(path: Path) -> tuple[Network, Activation | None]:
    arrays = read_npz(str(path), ("U", "V", "activation"), LARGEST)
    if missing := [name for name in ("U", "V") if name not in arrays]:
        raise bad(path, "hold U (d × m) and V (m × c)", f"none named {missing[0]}.")
    text = arrays.get("activation")
    if text is not None and (text.dtype.kind != "U" or text.ndim):
        raise bad(path, "hold its activation as one text", f"an array of {text.dtype} instead: leave it out.")
    return Network(arrays["U"], arrays["V"]), None if text is None else Activation.of(str(text))
