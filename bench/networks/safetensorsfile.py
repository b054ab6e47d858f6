"""The weights of Linear, ReLU, Linear out of a .safetensors file, as PyTorch names and lays them out."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from ...datasets.checks import quote, refusing
from ...solvers.network import Array
from ..text import UsageError
from .layers import Linear, bad

WEIGHT, BIAS = ".weight", ".bias"
FIX = "save it again with safetensors.torch.save_file"
RULE = "hold NAME.weight of two layers, with or without NAME.bias, and nothing else"


def safetensors_layers(path: Path) -> tuple[Linear, Linear, None]:
    """The two layers of a file.

    Args:
        path: a file with two NAME.weight (outputs, inputs) and perhaps NAME.bias (outputs,).

    Returns:
        The hidden layer and the output layer, in the order of their names, numbers in these as numbers; and None, as
        the file says nothing of an activation.

    Raises:
        RelaxbenchError: other tensors, no numbers of floating point, or a damaged file.
    """
    try:
        from safetensors import safe_open
    except ImportError:
        raise UsageError(
            "A network in .safetensors needs the package safetensors. Got none: pip install 'relaxbench[networks]'."
        ) from None
    with refusing(str(path), FIX), safe_open(path, "numpy") as file:
        parts = [(name, file.get_slice(name)) for name in list(file.keys())]
        shapes = {name: (part.get_dtype(), part.get_shape()) for name, part in parts}
    names = _names(path, shapes)
    with refusing(str(path), FIX), safe_open(path, "numpy") as file:
        tensors = {name: file.get_tensor(name).astype(np.float64) for name in shapes}
    first, second = (_linear(tensors, name) for name in names)
    return first, second, None


def _names(path: Path, shapes: dict[str, tuple[str, list[int]]]) -> list[str]:
    """The names of the two layers in order, after every tensor has been judged by its name, type and shape."""
    names = sorted((name.removesuffix(WEIGHT) for name in shapes if name.endswith(WEIGHT)), key=_natural)
    wanted = {name + part for name in names for part in (WEIGHT, BIAS)}
    if strays := sorted(shapes.keys() - wanted):
        raise bad(path, RULE, f"{quote(strays[0])} instead: leave it out.")
    if len(names) != 2:
        raise bad(path, RULE, f"{len(names)} layers instead: the network must have one hidden layer.")
    for name, (kind, shape) in shapes.items():
        if kind not in ("F16", "BF16", "F32", "F64"):
            raise bad(path, "hold float16, bfloat16, float32 or float64", f"{kind} in {quote(name)} instead.")
        if name.endswith(WEIGHT):
            if len(shape) != 2:
                raise bad(
                    path, "hold weights of shape (outputs, inputs)", f"{quote(str(shape))} in {quote(name)} instead."
                )
        elif shape != (outputs := shapes[name.removesuffix(BIAS) + WEIGHT][1][:1]):
            raise bad(path, f"hold {quote(name)} of shape {outputs}", f"{quote(str(shape))} instead.")
    return names


def _natural(name: str) -> list[Any]:
    """Text and numbers in turn, as a key by which 2 comes before 10."""
    return [int(part) if place % 2 else part for place, part in enumerate(re.split(r"([0-9]{1,18})", name))]


def _linear(tensors: dict[str, Array], name: str) -> Linear:
    weight = tensors[name + WEIGHT].T
    return Linear(weight, tensors.get(name + BIAS, np.zeros(weight.shape[1])))
