"""relaxbench list."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Mapping

from .parser import OK, Command, Parser


def _arguments(_parser: Parser) -> None:
    """It has none."""


def _run(_given: argparse.Namespace) -> int:
    from ...datasets import BROUGHT, GROUPS, NAMES, OPTIONS, describe
    from ..grid.config import shipped_configs
    from ..grid.methods import methods, options
    from ..grid.resolve import read_config

    common = [option for option in OPTIONS["iris"] if all(option in own for own in OPTIONS.values())]
    print("Data sets (--dataset)")
    for name in (*NAMES, *BROUGHT, "file:PATH"):
        own = {option: repr(value) for option, value in OPTIONS[name].items() if option not in common}
        _entry(name, describe(name), own)
    print(f"{'':15}options of all: data_seed, {', '.join(common)}")
    print(
        "\nGroups of small data sets (--dataset GROUP, or small/NAME for one): NAME rows×features/classes or →targets"
    )
    for group, sizes in GROUPS.items():
        _entry(group, f"{len(sizes)} data sets:{' both of the following' if group == 'small/*' else _small(sizes)}")
    print("\nMethods (--method)")
    for method in methods():
        axes = f"; uses {' and '.join(method.axes)}" if method.axes else ""
        _entry(method.name, method.about + axes, options(method))
    _entry("path/file.py:function", "your own: function(problem, *, width, seed, budget, **options) -> Fit")
    print("\nConfigs")
    for name in shipped_configs():
        _entry(name, read_config(name).about)
    return OK


def _small(sizes: Mapping[str, str]) -> str:
    """The small data sets with their sizes, in lines that fit a terminal."""
    text = ", ".join(f"{name.removeprefix('small/')}\N{NO-BREAK SPACE}{size}" for name, size in sizes.items())
    lines = textwrap.wrap(text, 103, break_on_hyphens=False)
    return "".join(f"\n{'':15}{line}" for line in lines).replace("\N{NO-BREAK SPACE}", " ")


def _entry(name: str, about: str, options: Mapping[str, str] | None = None) -> None:
    print(f"  {name:<12} {about}")
    if options:
        print(" " * 15 + "options: " + ", ".join(f"{option} = {value}" for option, value in options.items()))


COMMAND = Command("list", "show the data sets, methods and configs there are", ("relaxbench list",), _arguments, _run)
