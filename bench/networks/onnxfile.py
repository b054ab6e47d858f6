"""The two layers and the activation of an ONNX graph Gemm, Relu, Gemm. Files that it points to are never opened."""

from __future__ import annotations

from collections.abc import Collection
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from ...datasets.checks import quote, refusing
from ...solvers.activation import Activation
from ...solvers.network import Array
from ..text import UsageError
from .layers import Linear, bad

FORM = "be the graph Gemm, Relu, Gemm, or with MatMul and Add for a Gemm"
STANDARD = ("", "ai.onnx")  # names of the domain of ONNX's own operations
ACTIVATIONS = {"Relu": "relu", "LeakyRelu": "leaky", "Abs": "abs"}  # operations, and what we call them
KINDS = ("FLOAT", "DOUBLE", "FLOAT16", "BFLOAT16")


def onnx_layers(path: Path) -> tuple[Linear, Linear, Activation]:
    """The two layers of a file.

    Args:
        path: a graph with one input, one output and constant weights: Gemm or MatMul (and Add), Relu, and the same
            again; LeakyRelu or Abs may stand for Relu. transA, transB, alpha and beta count; the first Gemm may have
            transA, its input then has features as rows.

    Returns:
        The hidden layer, the output layer, and the activation between them.

    Raises:
        RelaxbenchError: another graph, weights that are computed, in another file or of another type, a damaged file.
    """
    try:
        import onnx
    except ImportError:
        raise UsageError(
            "A network in .onnx needs the package onnx. Got none: pip install 'relaxbench[networks]'."
        ) from None
    with refusing(str(path), "export it again"):
        model = onnx.load(path, load_external_data=False)
    nodes = [node for node in model.graph.node if not _is_constant(node)]
    _check_form(path, model, nodes)
    tensors = _tensors(path, model.graph)
    _check_chain(path, model.graph, nodes, tensors)
    with refusing(str(path), "export it again"):
        onnx.checker.check_model(model)
        constants = {name: onnx.numpy_helper.to_array(tensor).astype(np.float64) for name, tensor in tensors.items()}
    place = next(k for k, node in enumerate(nodes) if node.op_type in ACTIVATIONS)
    layers = _layer(path, nodes[:place], constants, True), _layer(path, nodes[place + 1 :], constants, False)
    return *layers, _activation(path, nodes[place])


def _activation(path: Path, node: Any) -> Activation:
    """φ, with the slope of a LeakyRelu, which is kept as float32, to seven digits."""
    if node.op_type != "LeakyRelu":
        return Activation.of(ACTIVATIONS[node.op_type])
    slope = next((attribute.f for attribute in node.attribute if attribute.name == "alpha"), 0.01)
    if not -1 <= slope <= 1:
        raise bad(path, "have a LeakyRelu of slope −1 to 1", f"{slope:.7g} instead: scale its weights.")
    return Activation.of(f"leaky:{slope:.7g}")


def _is_constant(node: Any) -> bool:
    return node.op_type == "Constant" and node.domain in STANDARD


def _check_form(path: Path, model: Any, nodes: list[Any]) -> None:
    """Refuse other operations than those of two layers, before anything else of the file is looked at."""
    for node in nodes:
        if node.op_type not in ("Gemm", "MatMul", "Add", *ACTIVATIONS) or node.domain not in STANDARD:
            raise bad(path, FORM, f"the operation {quote(node.op_type)} in it instead.")
    if model.functions:
        raise bad(path, FORM, f"a function of its own, {quote(model.functions[0].name)}, instead.")
    words = "".join({"Gemm": "L", "MatMul": "L", "Add": "+"}.get(node.op_type, "R") for node in nodes)
    plain = words.replace("L+", "L")
    added = any(one.op_type == "Gemm" and other.op_type == "Add" for one, other in pairwise(nodes))
    if plain != "LRL" or added:
        ops = ", ".join(node.op_type for node in nodes[:8]) + (", …" if len(nodes) > 8 else "")
        raise bad(path, FORM, f"{ops or 'an empty graph'} instead.")


def _tensors(path: Path, graph: Any) -> dict[str, Any]:
    """name → the tensor as it is stored, after its type and its place have been judged."""
    from onnx import TensorProto

    found = {tensor.name: tensor for tensor in graph.initializer}
    names = {number: name for name, number in TensorProto.DataType.items()}
    for node in graph.node:
        if _is_constant(node):
            if len(node.attribute) != 1 or node.attribute[0].name != "value" or len(node.output) != 1:
                raise bad(path, "have constants that are tensors", f"another form in {quote(node.name)} instead.")
            found[node.output[0]] = node.attribute[0].t
    for name, tensor in found.items():
        if tensor.data_location == TensorProto.EXTERNAL or tensor.external_data:
            raise bad(
                path,
                "hold its weights itself, as other files are not opened",
                f"{quote(name)} in another file instead: torch.onnx.export(…, external_data=False), or "
                "onnx.save(onnx.load('net.onnx'), 'one-file.onnx').",
            )
        kind = names.get(tensor.data_type, "an unknown type")
        if kind not in KINDS:
            raise bad(path, "hold float16, bfloat16, float32 or float64", f"{kind} in {quote(name)} instead.")
    return found


def _check_chain(path: Path, graph: Any, nodes: list[Any], constants: Collection[str]) -> None:
    """Refuse graphs that are no chain: each operation takes the last one's value and constants, and gives one value."""
    inputs = [value.name for value in graph.input if value.name not in constants]
    if len(inputs) != 1 or len(graph.output) != 1:
        raise bad(path, "have one input and one output", f"{len(inputs)} and {len(graph.output)} instead.")
    value = inputs[0]
    for node in nodes:
        others = [name for name in node.input if name and name != value]
        if len([name for name in node.input if name == value]) != 1 or len(node.output) != 1:
            raise bad(path, "be a chain of operations", f"another input of {node.op_type} instead.")
        if computed := [name for name in others if name not in constants]:
            raise bad(path, "have constant weights", f"{quote(computed[0])}, which is no constant, instead.")
        value = node.output[0]
    if value != graph.output[0].name:
        raise bad(path, "give out what the last operation makes", f"{quote(graph.output[0].name)} instead.")


def _layer(path: Path, nodes: list[Any], constants: dict[str, Array], first: bool) -> Linear:
    """What a Gemm, or a MatMul and perhaps an Add, does to rows."""
    node = nodes[0]
    if node.input[0] in constants:
        raise bad(path, "have weights on the right of its input", f"{node.op_type} with them on the left instead.")
    weight = constants[node.input[1]]
    if weight.ndim != 2:
        raise bad(path, "have weights that are matrices", f"shape {weight.shape} in {quote(node.input[1])} instead.")
    bias: Array = np.zeros(())
    if node.op_type == "Gemm":
        given = {attribute.name: attribute for attribute in node.attribute}
        if not first and "transA" in given and given["transA"].i:
            raise bad(path, "multiply the neurons as they are", "transA in the second Gemm instead.")
        weight = weight.T if "transB" in given and given["transB"].i else weight
        with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is refused later
            weight = (given["alpha"].f if "alpha" in given else 1.0) * weight
            if len(node.input) == 3 and node.input[2]:
                bias = (given["beta"].f if "beta" in given else 1.0) * constants[node.input[2]]
    elif len(nodes) == 2:
        bias = next(constants[name] for name in nodes[1].input if name in constants)
    try:
        row = np.broadcast_to(bias, (1, weight.shape[1]))[0]
    except ValueError:
        raise bad(path, f"have a bias of {weight.shape[1]} numbers", f"shape {bias.shape} instead.") from None
    return Linear(weight, row)
