"""relaxbench list."""

from __future__ import annotations

import argparse
import json
import textwrap
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .parser import OK, Command, Parser

TABLES = ("data", "methods", "configs")
LINE = 118  # characters
INDENT = " " * 15


def _arguments(parser: Parser) -> None:
    parser.add_argument("table", nargs="?", metavar="TABLE", help="data, methods or configs (default: all three)")
    parser.add_argument("--json", action="store_true", help="print JSON")


def _run(given: argparse.Namespace) -> int:
    from ...errors import unknown
    from ..text import UsageError

    if given.table not in (None, *TABLES):
        raise UsageError(unknown("table", given.table, TABLES))
    known: dict[str, tuple[Callable[[], Any], Callable[[Any], list[str]]]]
    known = {"data": (_data, _data_lines), "methods": (_methods, _method_lines), "configs": (_configs, _config_lines)}
    facts = {table: known[table][0]() for table in TABLES if given.table in (None, table)}
    if given.json:
        print(json.dumps(facts, indent=1, ensure_ascii=False))
    else:
        print("\n\n".join("\n".join(known[table][1](found)) for table, found in facts.items()))
    return OK


def _data() -> dict[str, Any]:
    from ...datasets import BROUGHT, GROUPS, NAMES, OPTIONS, describe

    names = (*NAMES, *BROUGHT, "file:PATH")
    sets = [{"name": name, "about": describe(name), "options": dict(OPTIONS[name])} for name in names]
    return {"sets": sets, "groups": {group: dict(sizes) for group, sizes in GROUPS.items()}}


def _methods() -> list[dict[str, Any]]:
    from ..grid.methods import methods, options

    return [
        {
            "name": method.name,
            "about": method.about,
            "axes": method.axes,
            "options": {name: option._asdict() | {"text": str(option)} for name, option in options(method).items()},
        }
        for method in methods()
    ]


def _configs() -> list[dict[str, Any]]:
    from ..grid.config import shipped_configs
    from ..grid.resolve import read_config

    return [{"name": name, "about": read_config(name).about} for name in shipped_configs()]


def _data_lines(found: Mapping[str, Any]) -> list[str]:
    common = {
        option for option in found["sets"][0]["options"] if all(option in one["options"] for one in found["sets"])
    }
    lines = ["Data sets (--dataset)"]
    for one in found["sets"]:
        own = [f"{option} = {value!r}" for option, value in one["options"].items() if option not in common]
        lines += _entry(one["name"], one["about"], own)
    shared = [option for option in found["sets"][0]["options"] if option in common]
    lines += [*_wrapped("options of all: ", ["data_seed", *shared]), ""]
    lines += ["Instances (--dataset instances/NAME, or 'instances/*'): see relaxbench instances list", ""]
    lines += ["Groups of small data sets (--dataset GROUP, or small/NAME): NAME rows×features/classes or →targets"]
    for group, sizes in found["groups"].items():
        if group == "small/*":
            lines += _entry(group, f"{len(sizes)} data sets: both of the following")
            continue
        small = [f"{name.removeprefix('small/')} {size}" for name, size in sizes.items()]
        lines += [*_entry(group, f"{len(sizes)} data sets:"), *_wrapped("", small)]
    return lines


def _method_lines(found: Sequence[Mapping[str, Any]]) -> list[str]:
    lines = ["Methods (--method)"]
    for one in found:
        axes = f"; uses {' and '.join(one['axes'])}" if one["axes"] else ""
        given = [f"{name} = {option['text']}" for name, option in one["options"].items()]
        lines += _entry(one["name"], one["about"] + axes, given)
    own = "your own: function(problem, *, width, seed, budget, **options) -> Fit"
    return [*lines, *_entry("path/file.py:function", own)]


def _config_lines(found: Sequence[Mapping[str, Any]]) -> list[str]:
    return ["Configs", *(line for one in found for line in _entry(one["name"], one["about"]))]


def _entry(name: str, about: str, options: list[str] | None = None) -> list[str]:
    return [f"  {name:<12} {about}", *(_wrapped("options: ", options) if options else [])]


def _wrapped(title: str, parts: list[str]) -> list[str]:
    """The parts in lines that fit a terminal, none broken that is short."""
    text = title + ", ".join(
        part.replace(" ", "\N{NO-BREAK SPACE}") if len(part) < LINE / 2 else part for part in parts
    )
    lines = textwrap.wrap(text, LINE, initial_indent=INDENT, subsequent_indent=INDENT, break_on_hyphens=False)
    return [line.replace("\N{NO-BREAK SPACE}", " ") for line in lines]


COMMAND = Command(
    "list",
    "show the data sets, methods and configs there are",
    ("relaxbench list", "relaxbench list methods", "relaxbench list data --json"),
    _arguments,
    _run,
)
