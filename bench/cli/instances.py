"""relaxbench instances: training problems by name, for solvers outside, and what they found."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from ..text import UsageError, refuse_old
from . import entries
from .parser import OK, Command, Parser, add_data, add_training_data, training_model, training_options


def _export_arguments(parser: Parser) -> None:
    parser.add_argument("dataset", metavar="NAME", help="name of an instance or of a data set, or file:PATH")
    parser.add_argument("--gamma", type=float, metavar="G", help="γ > 0, which an instance has already")
    parser.add_argument(
        "--format",
        choices=("sdpa", "cbf", "npz"),
        default="sdpa",
        help="SDPA's sparse format, which CSDP reads too; the Conic Benchmark Format; or arrays (default: sdpa)",
    )
    parser.add_argument(
        "--form",
        choices=("reduced", "literal"),
        default="reduced",
        help="after facial reduction, with an interior, or as the paper writes it (default: reduced)",
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="FILE", help="write to FILE, and its description to FILE.json"
    )
    add_training_data(parser)


def _export(given: argparse.Namespace) -> int:
    from ...datasets.instances import find
    from ...solvers.problem import Problem
    from ..grid.model import model_of
    from ..instances.export import export_sdp
    from ..instances.solution import DataOptions

    options = training_options(given)
    if _is_instance(given.dataset):
        plain = DataOptions(**options) == DataOptions() and not model_of(training_model(given))
        if given.gamma is not None or not plain:
            raise UsageError(f"{given.dataset} has γ and data of its own. Got options for these: leave them out.")
        given.gamma, options = find(given.dataset).gamma, {}
    elif given.gamma is None:
        raise UsageError(
            f"--gamma must be given for {given.dataset}, which is no instance (relaxbench instances list)."
        )
    data = _loaded(given.dataset, options, given.data)
    problem = Problem(data.X_train, data.Y_train, given.gamma, **training_model(given))
    source = {"dataset": given.dataset, "options": options, "sha256": data.sha256}
    description = export_sdp(problem, given.out, format=given.format, form=given.form, source=source)
    found = json.loads(description.read_text(encoding="utf-8"))
    orders = " + ".join(str(block["order"]) for block in found["blocks"])
    constraints = sum(group["count"] for group in found["multipliers"])
    print(f"{given.out}: blocks of order {orders}, {constraints} constraints; what is what: {description}")
    return OK


def _is_instance(name: str) -> bool:
    from ...datasets.instances import instances

    return name in {instance.name for instance in instances()}


def _loaded(name: str, options: dict[str, Any], folder: Path | None) -> Any:
    """The data of an instance, or of a data set with these options."""
    from ...datasets.instances import find, load
    from ..training import load_training

    return load(find(name), folder) if _is_instance(name) else load_training(name, data_dir=folder, **options)


def _read_arguments(parser: Parser) -> None:
    parser.add_argument(
        "solution", type=Path, metavar="SOLUTION", help="the result file of SDPA, or the solution file of CSDP"
    )
    parser.add_argument(
        "--instance", type=Path, required=True, metavar="JSON", help="the FILE.json that export wrote beside FILE"
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="new folder for the certificate")
    add_data(parser.add_argument)


def _read(given: argparse.Namespace) -> int:
    from ...solvers.exchange.multipliers import certificate_of
    from ...solvers.exchange.standard import standard_sdp
    from ...solvers.verify import verify
    from ..instances.solution import read_instance, read_multipliers

    refuse_old(given.out)
    instance = read_instance(given.instance)
    problem = _problem(given, instance)
    program, multipliers = standard_sdp(problem, instance.form), read_multipliers(given.solution)
    certificate = certificate_of(problem, program, multipliers)
    proved, claimed = verify(certificate, problem), program.dual_objective(multipliers)
    if given.out is not None:
        _write(given.out, certificate, proved)
    print(f"optimum over all widths: proved to be at least {proved:.8g} (by the checker, from the solution's dual)")
    print(f"the solution claims {claimed:.8g} for the relaxation, which nothing was taken from")
    return OK


def _problem(given: argparse.Namespace, instance: Any) -> Any:
    """The problem that was exported."""
    from ...solvers.problem import Problem

    data = _loaded(instance.dataset, instance.options.model_dump(), given.data)
    if data.sha256 != instance.sha256:
        raise UsageError(
            f"{instance.dataset} must be the data of the export (sha256 {instance.sha256[:12]}…). "
            f"Got {data.sha256[:12]}… instead: export it again."
        )
    return Problem(data.X_train, data.Y_train, instance.gamma, instance.activation, instance.loss)


def _write(folder: Path, certificate: Any, proved: float) -> None:
    """The certificate's arrays, and what they prove."""
    import numpy as np

    folder.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(folder / "certificate.npz", **certificate.arrays())
    facts = {"certificate": str(certificate.kind), "lower": proved}
    (folder / "certificate.json").write_text(json.dumps(facts), encoding="utf-8")


COMMAND = Command(
    "instances",
    "training problems by name, with the best bounds known; for solvers outside, and what their solutions prove",
    (
        "relaxbench instances list --class open",
        "relaxbench instances check",
        "relaxbench instances export iris --n 20 --gamma 0.1 --out iris.dat-s",
        "relaxbench instances read iris.sol --instance iris.dat-s.json",
    ),
    commands=(
        *entries.COMMANDS,
        Command(
            "export",
            "write a problem's relaxation for solvers outside, with a description that maps solutions back",
            (
                "relaxbench instances export random-n10-d2-c1-s0-g0.1 --out small.dat-s",
                "relaxbench instances export iris --n 20 --gamma 0.1 --out iris.dat-s",
                "relaxbench instances export random --gamma 0.01 --format cbf --form literal --out random.cbf",
                "relaxbench instances export file:my.npz --bias --gamma 0.1 --format npz --out my-sdp.npz",
            ),
            _export_arguments,
            _export,
        ),
        Command(
            "read",
            "prove a lower bound from an outside solver's solution of an exported problem",
            (
                "relaxbench instances read iris.sol --instance iris.dat-s.json",
                "relaxbench instances read iris.result --instance iris.dat-s.json --out proof",
            ),
            _read_arguments,
            _read,
        ),
    ),
)
