"""relaxbench certify."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from ..text import refuse_old, share
from .parser import CHECK_FAILED, OK, Command, Parser, add_training_data, training_model, training_options


def _arguments(parser: Parser) -> None:
    parser.add_argument("dataset", metavar="DATA", help="name of a data set, or file:PATH")
    parser.add_argument(
        "--network",
        type=Path,
        metavar="FILE",
        help="the network to judge, one hidden layer of ReLUs (or of --activation): .npz with U (d × m) and "
        "V (m × c); .onnx with Gemm, Relu (or LeakyRelu or Abs), Gemm, the latter also as MatMul and Add; "
        ".safetensors of PyTorch's Linear, ReLU, Linear, the hidden layer first. "
        "A bias of the hidden layer needs --bias (in .npz it is the last row of U), the output layer must have none. "
        ".onnx and .safetensors need pip install 'relaxbench[networks]'",
    )
    parser.add_argument("--gamma", type=float, required=True, metavar="G", help="regularisation strength γ > 0")
    parser.add_argument(
        "--gap", type=float, default=1e-2, metavar="R", help="relative gap at which to stop (default: 0.01)"
    )
    parser.add_argument("--timeout", type=float, default=60.0, metavar="S", help="seconds of work (default: 60)")
    parser.add_argument("--out", type=Path, metavar="DIR", help="new folder for the certificate and the best network")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    add_training_data(parser)


def _run(given: argparse.Namespace) -> int:
    from ...solvers.problem import Problem
    from ..certify import certify
    from ..networks.reading import read_network
    from ..training import load_training

    refuse_old(given.out)
    data = load_training(given.dataset, data_dir=given.data, **training_options(given))
    problem = Problem(data.X_train, data.Y_train, given.gamma, **training_model(given))
    network = None
    if given.network is not None:
        network = read_network(given.network, bias=given.bias, activation=given.activation)
    found = certify(problem, network, gap=given.gap, timeout=given.timeout)
    facts = _facts(found)
    if given.out is not None:
        _write(given.out, facts, found)
    if given.json:
        print(json.dumps({"dataset": given.dataset, "gamma": given.gamma, "n": problem.n, "d": problem.d, **facts}))
    else:
        print("\n".join(_lines(found)))
    return OK if found.lower is not None else CHECK_FAILED


def _facts(found: Any) -> dict[str, Any]:
    """The interval as plain values."""
    names = ("lower", "upper", "gap", "objective", "network_gap", "improvable", "method", "seconds", "message")
    kind = None if found.certificate is None else str(found.certificate.kind)
    return {**{name: getattr(found, name) for name in names}, "certificate": kind, "width": found.network.width}


def _lines(found: Any) -> list[str]:
    if found.lower is None:
        lines = [f"no lower bound could be proved in {found.seconds:.1f} s, best objective known {found.upper:.6g}"]
    else:
        lines = [
            f"optimum over all widths: proved to lie between {found.lower:.6g} and {found.upper:.6g}, a gap of "
            f"{share(found.gap)} ({found.method}, {found.seconds:.1f} s, proved again by the checker)"
        ]
    if found.objective is not None:
        lines.append(f"your network: objective {found.objective:.6g}")
        if found.network_gap is not None:
            lines.append(f"  at most {share(found.network_gap)} of it lies above the optimum")
            lines.append(f"  {share(found.improvable)} does, as a network of objective {found.upper:.6g} is known")
            lines.append(
                f"  {share(found.network_gap - found.improvable)} is open: for a better network or a better bound"
            )
    return [*lines, *([found.message] if found.message else [])]


def _write(folder: Path, facts: dict[str, Any], found: Any) -> None:
    """certify.json, the best network, and the certificate's arrays."""
    import numpy as np

    from ...solvers.activation import RELU

    folder.mkdir(parents=True, exist_ok=True)
    arrays: dict[str, Any] = {"U": found.network.U, "V": found.network.V}
    if found.network.activation != RELU:
        arrays["activation"] = str(found.network.activation)
    np.savez(folder / "network.npz", **arrays)
    if found.certificate is not None:
        np.savez_compressed(folder / "certificate.npz", **found.certificate.arrays())
    (folder / "certify.json").write_text(json.dumps(facts, indent=1), encoding="utf-8")


COMMAND = Command(
    "certify",
    "prove how far the optimum, and a trained network, can be from each other",
    (
        "relaxbench certify iris --gamma 0.1",
        "relaxbench certify file:my.npz --network net.npz --gamma 0.1 --out proof",
        "relaxbench certify file:my.npz --network net.onnx --bias --gamma 0.1",
        "relaxbench certify iris --network model.safetensors --preprocess standardize --gamma 0.1 --json",
        "relaxbench certify iris --activation leaky:0.1 --gamma 0.1",
        "relaxbench certify pima --preprocess standardize --bias --gamma 1 --timeout 300 --json",
    ),
    _arguments,
    _run,
)
