"""relaxbench instances list, show and check: problems by name, and the best bounds that anybody has proved."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from ..text import UsageError, share
from .parser import CHECK_FAILED, NOTHING_COMPARABLE, OK, Command, Parser, add_data


def add_entries(parser: Parser) -> None:
    """Add --entries, the same for every command that reads or writes entries.

    Args:
        parser: of the command.
    """
    parser.add_argument(
        "--entries", type=Path, metavar="DIR", help="folder with the entries (default: those that ship)"
    )


def entries_of(given: argparse.Namespace, new: bool = False) -> Path:
    """The folder with the entries.

    Args:
        given: the arguments.
        new: whether it may be one that is not there yet.

    Returns:
        The folder.

    Raises:
        UsageError: it is none.
    """
    from ...datasets.instances import ENTRIES

    folder = ENTRIES if given.entries is None else Path(given.entries)
    if not (folder.is_dir() or (new and not folder.exists())):
        raise UsageError(f"--entries must be a folder with entries. Got {folder} instead.")
    return folder


def _list_arguments(parser: Parser) -> None:
    parser.add_argument(
        "--class",
        dest="kind",
        choices=("solved", "hard", "open"),
        help="only those whose proved gap is at most 0.001 (solved), at most 0.5 (hard), or wider or unknown (open)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_entries(parser)


def _list(given: argparse.Namespace) -> int:
    from ...datasets.instances import instances
    from ..instances.entries import read_entry

    folder = entries_of(given)
    found = [(instance, read_entry(folder, instance.name)) for instance in instances()]
    rows = [_facts(instance, entry) for instance, entry in found if given.kind in (None, entry.kind)]
    if given.json:
        print(json.dumps(rows, indent=1))
        return OK
    width = max((len(row["name"]) for row in rows), default=4)
    print(f"{'name':<{width}} {'n':>5} {'d':>3} {'c':>3} {'gamma':>6} {'lower':>13} {'upper':>13} {'gap':>8}  class")
    for row in rows:
        sizes = f"{row['n']:>5} {row['d']:>3} {row['c']:>3} {row['gamma']:>6g}"
        bounds = f"{_number(row['lower']):>13} {_number(row['upper']):>13} {share(row['gap']):>8}"
        print(f"{row['name']:<{width}} {sizes} {bounds}  {row['class']}")
    print(f"{len(rows)} instances")
    return OK


def _facts(instance: Any, entry: Any) -> dict[str, Any]:
    facts = {name: getattr(instance, name) for name in ("name", "dataset", "seed", "gamma", "n", "d", "c", "data")}
    facts["options"] = dict(instance.options)
    return {**facts, "lower": entry.lower, "upper": entry.upper, "gap": entry.gap, "class": entry.kind}


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.9g}"


def _show_arguments(parser: Parser) -> None:
    parser.add_argument("name", metavar="NAME", help="name of an instance (relaxbench instances list)")
    parser.add_argument(
        "--figure", type=Path, metavar="FILE", help="draw its bounds over time into this .pdf, .svg or .png file"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_entries(parser)


def _show(given: argparse.Namespace) -> int:
    from dataclasses import asdict

    from ...datasets.instances import find
    from ..instances.entries import read_entry

    instance = find(given.name)
    entry = read_entry(entries_of(given), instance.name)
    facts = _facts(instance, entry)
    if given.figure is not None:
        _draw(entry, given.figure)
    if given.json:
        print(json.dumps({**facts, "history": [asdict(bound) for bound in entry.history]}, indent=1))
        return OK
    options = ", ".join(f"{name} = {value!r}" for name, value in instance.options.items())
    print(f"{instance.name}: {instance.dataset}, seed {instance.seed}, {options}; gamma {instance.gamma:g}")
    print(f"{instance.n} rows, {instance.d} features, {instance.c} outputs; data {instance.data}")
    between = f"{_number(entry.lower)} and {_number(entry.upper)}, a gap of {share(entry.gap)}"
    print(f"{entry.kind}: " + ("nothing is proved yet" if entry.gap is None else f"the optimum lies between {between}"))
    for bound in entry.history:
        seconds = [] if bound.seconds is None else [f"{bound.seconds:g} s"]
        how = ", ".join(part for part in (bound.kind, bound.method, *seconds) if part)
        by = f" by {bound.by}" if bound.by else ""
        kept = "" if bound.kept else "; arrays not kept: recompute"
        print(f"{bound.date} {bound.side} {_number(bound.value)} ({how}){by}{kept}")
    return OK


def _draw(entry: Any, path: Path) -> None:
    """The history of an entry as a figure."""
    import pandas as pd

    from ...reports.figures.drawing import METADATA, settings
    from ...reports.figures.history import ONE, histories

    form = path.suffix.removeprefix(".")
    if form not in METADATA:
        raise UsageError(f"--figure must end in {', '.join(f'.{one}' for one in METADATA)}. Got {path} instead.")
    if not entry.lines:
        raise UsageError(f"--figure must have something to show. Got {entry.name}, of which nothing is known.")
    try:
        with settings(None):
            histories(pd.DataFrame(entry.lines), ONE).savefig(path, metadata=METADATA[form])
    except ValueError as error:  # a history may come from anybody
        raise UsageError(f"{entry.name} must have dates such as 2026-01-31 in its history. Got {error}.") from None
    except OSError as error:
        raise UsageError(f"--figure must be a file that can be written to. Got {path} ({error.strerror}).") from None


def _check_arguments(parser: Parser) -> None:
    parser.add_argument("names", nargs="*", metavar="NAME", help="names of instances (default: all with an entry)")
    add_entries(parser)
    add_data(parser.add_argument)


def _check(given: argparse.Namespace) -> int:
    import sys

    from tqdm import tqdm

    from ..instances.check import check, filled

    folder = entries_of(given)
    names = filled(given.names, folder)
    bounds = failures = 0
    for name in tqdm(names, unit="instance", leave=False, disable=not sys.stderr.isatty()):
        for found in check(name, folder, given.data):
            bounds, failures = bounds + 1, failures + (not found.holds)
            note = f": {found.message}" if found.message else ""
            values = f"{_number(found.recorded):>16} {_number(found.found):>16}"
            tqdm.write(
                f"{'ok' if found.holds else 'FAILED':<6} {found.side:<5} {values}  {name}{note}", file=sys.stdout
            )
    if bounds == 0:
        print("nothing to check: no instance has an entry")
        return NOTHING_COMPARABLE
    print(f"{bounds} bounds, {failures} do not hold")
    return CHECK_FAILED if failures else OK


COMMANDS = (
    Command(
        "list",
        "show the instances with the best bounds known, and their classes",
        (
            "relaxbench instances list",
            "relaxbench instances list --class open",
            "relaxbench instances list --json",
        ),
        _list_arguments,
        _list,
    ),
    Command(
        "show",
        "show what an instance is made of, and the history of its bounds",
        (
            "relaxbench instances show iris-std-g0.1",
            "relaxbench instances show iris-std-g0.1 --json",
            "relaxbench instances show slump_test-std-g0.05 --figure bounds.pdf",
        ),
        _show_arguments,
        _show,
    ),
    Command(
        "check",
        "prove every stored bound of the instances again, and compare every file with its sha256",
        (
            "relaxbench instances check",
            "relaxbench instances check iris-std-g0.1 random-n25-d2-s0-g0.1",
            "relaxbench instances check --entries my-entries",
        ),
        _check_arguments,
        _check,
    ),
)
