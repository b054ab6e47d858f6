"""relaxbench submit."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

from ..text import UsageError, share
from .entries import add_entries, entries_of
from .parser import CHECK_FAILED, OK, Command, Parser, add_data


def _arguments(parser: Parser) -> None:
    parser.add_argument(
        "file",
        type=Path,
        metavar="FILE",
        help="an .npz with U (d × m) and V (m × c); or theta (n × c); or theta and the arrays of a proof, as in the "
        "certificate.npz of relaxbench certify; or of both. Numbers that it claims are not read: the network is "
        "evaluated, the bound is what the checker proves, for theta alone by the best proof that can be found",
    )
    parser.add_argument("--instance", required=True, metavar="NAME", help="name of the instance")
    parser.add_argument("--by", default="", metavar="TEXT", help="who found it, for the history")
    parser.add_argument("--method", default="", metavar="TEXT", help="how it was found, for the history")
    add_entries(parser)
    add_data(parser.add_argument)
    add = parser.add_part(
        "what comes of it",
        "What improves the instance by more than 1e-9 of its bound is written to its entry. What is right but no "
        "better\nends with exit code 0 as well, and nothing is written. What is forged or broken ends with 1 and the "
        "reason.",
    )
    add("--timeout", type=float, default=60.0, metavar="S", help="seconds to look for a proof of theta (default: 60)")


def _run(given: argparse.Namespace) -> int:
    from ...datasets.instances import find
    from ...errors import RelaxbenchError
    from ..instances.submission import Refused, read_submission
    from ..instances.submit import submit

    instance, folder = find(given.instance), entries_of(given, new=True)
    if not given.file.is_file():
        raise UsageError(f"FILE must be a file that exists. Got {given.file} instead.")
    if not given.timeout > 0:
        raise UsageError(f"--timeout must be a number of seconds > 0. Got {given.timeout:g} instead.")
    readonly = f"The folder of entries must be one that can be written to. Got {folder} instead: give --entries DIR, "
    readonly += "or work in a checkout."
    if not os.access(folder if folder.exists() else folder.parent, os.W_OK):
        raise UsageError(readonly)
    try:
        submission = read_submission(given.file)
    except RelaxbenchError as error:
        return _refuse(error)
    words = {"method": given.method, "by": given.by}
    try:
        outcome = submit(instance, submission, folder, **words, timeout=given.timeout, data_dir=given.data)
    except Refused as error:
        return _refuse(error)
    except OSError:
        raise UsageError(readonly) from None
    print("\n".join(_lines(outcome, folder / instance.name)))
    return OK


def _lines(outcome: Any, folder: Path) -> list[str]:
    lines = []
    for found in outcome.found:
        had = getattr(outcome.before, found.side)
        what = f"a proof of {found.value:.10g} ({found.kind})"
        what = f"a network of objective {found.value:.10g}" if found.side == "upper" else what
        moved = next((bound for bound in outcome.moved if bound.side == found.side), None)
        verdict = "no improvement" if moved is None else "written" if moved.kept else "written without its arrays"
        lines.append(f"{found.side}: {what}; the instance had {'none' if had is None else f'{had:.10g}'}: {verdict}")
    if not outcome.moved:
        return [*lines, "no improvement, nothing written"]
    gap = "" if outcome.after.gap is None else f", gap {share(outcome.after.gap)}"
    return [*lines, f"{folder}: {outcome.after.kind}{gap}"]


def _refuse(error: Exception) -> int:
    print(f"relaxbench: refused, nothing written: {' '.join(str(error).split())}", file=sys.stderr)
    return CHECK_FAILED


COMMAND = Command(
    "submit",
    "send in a network or a bound for an instance: it is judged by the checker, and kept if it is better",
    (
        "relaxbench submit proof/certificate.npz --instance iris-std-g0.1 --method 'cpp, an hour' --by 'A. Name'",
        "relaxbench submit net.npz --instance iris-std-g0.1",
        "relaxbench submit theta.npz --instance random-n25-d2-s0-g0.1 --entries my-entries",
    ),
    _arguments,
    _run,
)
