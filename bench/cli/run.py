"""relaxbench run."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import Any

from .parser import ACTIVATION, CELLS_FAILED, CHECK_FAILED, INTERRUPTED, OK, Command, Parser, add_data, stop_on_sigterm

GRID_AND_LIMITS = (
    *("dataset", "method", "gamma", "width", "seed", "data_seed", "n", "preprocess", "test_fraction", "bias"),
    *("activation", "loss"),
    *("timeout", "memory", "jobs", "threads"),
)
METHOD_OPTIONS = ("solver", "rounding", "cuts")


def _arguments(parser: Parser) -> None:
    parser.add_argument(
        "config",
        nargs="?",
        metavar="CONFIG",
        help="a config that ships (see relaxbench list) or the path of a TOML file",
    )
    parser.add_argument(
        "--out",
        required=True,
        type=Path,
        metavar="DIR",
        help="folder for the results; what it holds already is kept, rows of other grids too, "
        "unless the same cell comes out anew of changed code or data",
    )
    _add_grid(parser)
    _add_limits(parser)


def _add_grid(parser: Parser) -> None:
    many: dict[str, Any] = {"action": "append", "default": None}
    add = parser.add_part("grid", "Each may be repeated, and replaces the list of the config.")
    add("--dataset", **many, metavar="D", help="name of a data set, file:PATH, instances/NAME or 'instances/*'")
    add("--method", **many, metavar="M", help="name of a method, or path/file.py:function")
    add(
        "--gamma",
        **many,
        type=_gamma,
        metavar="G",
        help="γ > 0, or cv, or validation (default: the config's, or 0.1; instances: their own)",
    )
    add("--width", **many, type=int, metavar="W", help="neurons of the network (default: the config's, or 100)")
    add(
        "--seed",
        **many,
        type=_seed,
        metavar="S",
        help="seed of the method, or a range such as 0..4 (default: the config's, or 0)",
    )
    add(
        "--data-seed",
        **many,
        type=_seed,
        metavar="S",
        help="seed of split or draw, or a range (default: the config's, or 0)",
    )
    add(
        "--n",
        **many,
        type=int,
        metavar="N",
        help="training rows: a stratified subsample, or so many drawn (default: all)",
    )
    add("--solver", **many, metavar="NAME", help="option solver of the methods that have it")
    add("--rounding", **many, metavar="NAME", help="option rounding of the methods that have it")
    add("--cuts", **many, type=int, metavar="K", help="option cuts of the methods that have it")
    add("--preprocess", **many, metavar="P", help="none, standardize or pca:K")
    add(
        "--test-fraction",
        **many,
        type=float,
        metavar="F",
        help="part of the rows set aside for test where the data bring no test rows (default: 0.5; 0: all rows train)",
    )
    add("--bias", default=None, action=argparse.BooleanOptionalAction, help="append a column of ones, or do not")
    add("--activation", **many, metavar="A", help=f"{ACTIVATION} (default: the config's, or relu)")
    add("--loss", **many, metavar="L", help="squares or logistic (default: the config's, or squares)")


def _add_limits(parser: Parser) -> None:
    add = parser.add_part("limits and resources")
    add_data(add)
    add("--jobs", type=int, metavar="N", help="cells at a time (default: one for each core, or for each --threads)")
    add(
        "--threads",
        type=int,
        metavar="N",
        help="threads of linear algebra for each cell (default: the config's, or 1), for large cells that run alone; "
        "as sums come out in another order then, it is recorded",
    )
    add(
        "--executor",
        default="local",
        metavar="E",
        help="local (default), dask-local, or dask://HOST:PORT, see docs/cluster.md",
    )
    add("--timeout", type=float, metavar="S", help="seconds of work for each cell (default: the config's, or 600)")
    add(
        "--memory",
        type=float,
        metavar="GB",
        help="memory of each cell (default: an even share of 80 %% of the machine's)",
    )
    add(
        "--retry", action="store_true", help="compute cells again that ended failed, memory or timeout; else they stand"
    )


def _gamma(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _seed(text: str) -> int | str:
    return int(text) if re.fullmatch(r"-?\d+", text) else text


def _run(given: argparse.Namespace) -> int:
    from ..engine.run import run
    from ..grid.resolve import resolve

    options = {name: getattr(given, name) for name in METHOD_OPTIONS if getattr(given, name) is not None}
    spec = resolve(given.config, {name: getattr(given, name) for name in GRID_AND_LIMITS}, options)
    stop_on_sigterm()
    try:
        summary = run(spec, given.out, data_dir=given.data, retry=given.retry, executor=given.executor)
    except OSError as error:
        print(f"relaxbench: stopped, everything finished is kept: {error}", file=sys.stderr)
        return CELLS_FAILED
    statuses = ", ".join(f"{count} {status}" for status, count in sorted(summary.statuses.items()))
    kept = f", {summary.kept} of them kept from before" if summary.kept else ""
    print(f"{summary.ended} of {summary.cells} cells in {summary.seconds:.0f} s ({statuses or 'none'}{kept})")
    print(f"Results: {summary.folder / 'results.csv'}")
    for alarm in summary.contradictions:
        print(f"relaxbench: alarm: {alarm}", file=sys.stderr)
    if summary.interrupted:
        print(f"Interrupted. To go on: {_again(given)}")
        return INTERRUPTED
    print(f"Next: relaxbench report {summary.folder}")
    if summary.contradictions:
        return CHECK_FAILED
    return CELLS_FAILED if summary.failed else OK


def _again(given: argparse.Namespace) -> str:
    executor = "" if given.executor == "local" else f" --executor {given.executor}"
    return f"relaxbench run {given.out / 'spec.toml'} --out {given.out}{executor}"


COMMAND = Command(
    "run",
    "compute the cells of a config, or of a grid given by options, into a folder",
    (
        "relaxbench run smoke --out demo",
        "relaxbench run --dataset iris --method sdp --method sgd --gamma 0.1 --width 10 --width 100 --out r",
        "relaxbench run --dataset file:my.npz --method my.py:train --seed 0..4 --out r",
        "relaxbench run demo/spec.toml --out again --timeout 600",
    ),
    _arguments,
    _run,
)
