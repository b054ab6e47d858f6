"""relaxbench list."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from .parser import OK, Command, Parser


def _arguments(_parser: Parser) -> None:
    """It has none."""


def _run(_given: argparse.Namespace) -> int:
    from ...datasets import NAMES, OPTIONS, describe
    from ..grid.config import shipped_configs
    from ..grid.methods import methods, options
    from ..grid.resolve import read_config
    from ..grid.spec import DatasetTable

    common = [option for option in DatasetTable.model_fields if option != "name"]
    print("Data sets (--dataset)")
    for name in (*NAMES, "file:PATH"):
        own = {option: repr(value) for option, value in OPTIONS[name].items() if option not in common}
        _entry(name, describe(name), own)
    print(f"{'':15}options of all: {', '.join(common)}")
    print("\nMethods (--method)")
    for method in methods():
        axes = f"; uses {' and '.join(method.axes)}" if method.axes else ""
        _entry(method.name, method.about + axes, options(method))
    _entry("path/file.py:function", "your own: function(problem, *, width, seed, budget, **options) -> Fit", {})
    print("\nConfigs")
    for name in shipped_configs():
        _entry(name, read_config(name).about, {})
    return OK


def _entry(name: str, about: str, options: Mapping[str, str]) -> None:
    print(f"  {name:<12} {about}")
    if options:
        print(" " * 15 + "options: " + ", ".join(f"{option} = {value}" for option, value in options.items()))


COMMAND = Command("list", "show the data sets, methods and configs there are", ("relaxbench list",), _arguments, _run)
