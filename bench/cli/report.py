"""relaxbench report."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path
from typing import Any

from ..text import UsageError
from .parser import OK, Command, Parser, stop_on_sigterm

FIGURES = (  # of reports/figures, which takes seconds to import
    *("accuracy", "r2", "critical-difference", "against", "against-r2", "ratio", "interval", "width", "distribution"),
    *(
        "scaling",
        "activations",
        "gap",
        "solver-gap",
        "profile",
        "tradeoff",
        "runtime",
        "rounding",
        "rounding-noise",
        "regions",
    ),
    *("kernels", "accuracy-paper", "optimism", "trends", "beside"),
)
MOST_WORKERS = 4  # each takes a second to start


def _arguments(parser: Parser) -> None:
    add = parser.add_argument
    add("folder", metavar="DIR", type=Path, help="the folder of a run, or a bundle")
    add("--figure", metavar="NAME", help=f"only this figure: {', '.join(FIGURES)}")
    add("--format", metavar="KIND", action="append", help="of that figure: pdf (default), png or svg; may be repeated")
    add("--style", metavar="STYLE", help="width of figures, single or double, or a matplotlib style (NAME-STYLE.pdf)")
    add("--with", dest="beside", metavar="OTHER", type=Path, help="another run or bundle, compared with this one")
    add("--serve", action="store_true", help="show the page on this machine while the run goes on, until Ctrl-C")
    add("--port", type=int, metavar="N", help="of --serve (default: 8000)")


def _run(given: argparse.Namespace) -> int:
    if given.port is not None and not given.serve:
        raise UsageError("--port goes with --serve. Got it alone instead: add --serve.")
    if given.serve:
        return _serve(given)
    from tqdm import tqdm

    with tqdm(total=0, bar_format="report: loading", leave=False, disable=None):
        from ...reports import report
        from ..bundle.unpack import is_bundle, opened
        from ..results.environment import usable_cores

    words = ["relaxbench", "report", str(given.folder), *(["--with", str(given.beside)] if given.beside else [])]
    look: dict[str, Any] = {"figure": given.figure, "format": given.format, "style": given.style}
    look |= {"command": shlex.join(words), "workers": min(usable_cores(), MOST_WORKERS)}
    out = given.folder.with_name(f"{given.folder.stem}-report") if is_bundle(given.folder) else None
    with opened(given.folder) as folder:
        path = report(folder, **look, out=out, beside=_beside(given, folder))
        for ending in given.format or [path.suffix[1:]]:
            print(path.with_suffix(f".{ending}"))
    return OK


def _beside(given: argparse.Namespace, folder: Path) -> Any:
    """The comparison with the other run, as the report takes it."""
    if given.beside is None:
        return None
    from ...reports import Beside
    from ..compare.beside import beside
    from ..compare.show import verdict

    comparison, checks = beside(given.beside, folder)
    said = tuple(comparison.differences), tuple(comparison.notes)
    return Beside(str(given.beside), verdict(comparison), checks, *said)


def _serve(given: argparse.Namespace) -> int:
    from ...reports import report, serve

    if given.figure or given.format:
        raise UsageError("--serve shows the whole page. Got --figure or --format with it: leave it out.")
    if not 0 <= (given.port or 0) <= 65535:
        raise UsageError(f"--port must be a port from 0 (any) to 65535. Got {given.port} instead.")

    def make(out: Path) -> Path:
        return report(given.folder, style=given.style, out=out, live=True, beside=_beside(given, given.folder))

    stop_on_sigterm()
    serve(given.folder, make, 8000 if given.port is None else given.port)
    return OK


COMMAND = Command(
    "report",
    "make tables, figures and a page from a run's folder",
    (
        "relaxbench report demo",
        "relaxbench report demo --figure width --format pdf --format svg --style single",
        "relaxbench report demo --with published.zip",
        "relaxbench report demo --serve",
    ),
    _arguments,
    _run,
)
