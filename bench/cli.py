"""The command line. It parses and prints; everything it does is a function call that a notebook can make too.

Exit codes: 0 all well; 1 a check failed; 2 wrong usage or bad input; 3 some cells failed; 4 nothing comparable; 130
after Ctrl-C. To add a command write a function that adds its parser with `set_defaults(command=…)` and name it in
COMMANDS.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import sys
import warnings
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from ..errors import RelaxbenchError, nearest, unknown
from .text import UsageError, one_line

if TYPE_CHECKING:
    from .compare.comparison import Comparison

OK, CHECK_FAILED, USAGE, CELLS_FAILED, NOTHING_COMPARABLE, INTERRUPTED = 0, 1, 2, 3, 4, 130
EXIT_CODES = (
    "exit codes: 0 all well; 1 a check failed; 2 wrong usage or bad input, nothing written; "
    "3 some cells failed, everything else is kept; 4 nothing comparable; 130 after Ctrl-C, everything finished is kept"
)


class _Parser(argparse.ArgumentParser):
    """argparse with errors of one line that name the nearest option of the command that was given."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> tuple[Any, list[str]]:
        """As ever, but what a command does not know it complains of itself, and does not leave to the top."""
        found, strays = super().parse_known_args(args, namespace)
        if strays:
            self.error(f"unrecognized arguments: {' '.join(strays)}")
        return found, strays

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{_with_nearest(message, self)} (see {self.prog} --help)")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _one_line_warning
            given = _parser().parse_args(arguments)
            return int(given.command(given))
    except KeyboardInterrupt:
        print("relaxbench: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except RelaxbenchError as error:
        print(f"relaxbench: {' '.join(str(error).split())}", file=sys.stderr)
        return USAGE


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="relaxbench",
        allow_abbrev=False,
        description="Benchmarks of convex relaxations of two-layer ReLU network training, with proved bounds.",
        epilog=_epilog("relaxbench run smoke --out demo", "relaxbench report demo", "relaxbench verify demo"),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"relaxbench {version('relaxbench')}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for add in COMMANDS:
        add(commands)
    return parser


def _add(commands: Any, name: str, help_: str, *examples: str) -> argparse.ArgumentParser:
    return commands.add_parser(
        name,
        help=help_,
        description=help_[:1].upper() + help_[1:] + ".",
        epilog=_epilog(*examples),
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def _epilog(*examples: str) -> str:
    return "examples:\n" + "\n".join(f"  {example}" for example in examples) + f"\n\n{EXIT_CODES}"


def _add_list(commands: Any) -> None:
    parser = _add(commands, "list", "show the data sets, methods and configs there are", "relaxbench list")
    parser.set_defaults(command=_list)


def _list(_given: argparse.Namespace) -> int:
    from ..datasets import NAMES, OPTIONS, describe
    from .grid.methods import METHODS, options, plugins
    from .grid.spec import DatasetTable, read_config, shipped_configs

    common = [option for option in DatasetTable.model_fields if option != "name"]
    print("Data sets (--dataset)")
    for name in (*NAMES, "file:PATH"):
        own = {option: repr(value) for option, value in OPTIONS[name].items() if option not in common}
        _entry(name, describe(name), own)
    print(f"{'':15}options of all: {', '.join(common)}")
    print("\nMethods (--method)")
    for method in (*METHODS.values(), *plugins()):
        axes = f"; uses {' and '.join(method.axes)}" if method.axes else ""
        _entry(method.name, method.about + axes, options(method))
    _entry("path/file.py:function", "your own: function(problem, *, width, seed, budget, **options) -> Fit", {})
    print("\nConfigs")
    for name in shipped_configs():
        _entry(name, read_config(name).get("about", ""), {})
    return OK


def _entry(name: str, about: str, options: Any) -> None:
    print(f"  {name:<12} {about}")
    if options:
        print(" " * 15 + "options: " + ", ".join(f"{option} = {value}" for option, value in options.items()))


def _add_run(commands: Any) -> None:
    parser = _add(
        commands,
        "run",
        "compute the cells of a config, or of a grid given by options, into a folder",
        "relaxbench run smoke --out demo",
        "relaxbench run --dataset iris --method sdp --method sgd --gamma 0.1 --width 10 --width 100 --out r",
        "relaxbench run --dataset file:my.npz --method my.py:train --seed 0..4 --out r",
        "relaxbench run demo/spec.toml --out again --timeout 600",
    )
    many: dict[str, Any] = {"action": "append", "default": None}
    add = parser.add_argument
    add(
        "config",
        nargs="?",
        metavar="CONFIG",
        help="a config that ships (see relaxbench list) or the path of a TOML file",
    )
    add(
        "--out",
        required=True,
        type=Path,
        metavar="DIR",
        help="folder for the results; what it holds already is kept, rows of other grids too, "
        "unless the same cell comes out anew of changed code or data",
    )
    grid = parser.add_argument_group("grid", "Each may be repeated, and replaces the list of the config.")
    add = grid.add_argument
    add("--dataset", **many, metavar="D", help="name of a data set, or file:PATH")
    add("--method", **many, metavar="M", help="name of a method, or path/file.py:function")
    add("--gamma", **many, type=_gamma, metavar="G", help="regularisation strength γ > 0, or cv: by cross-validation")
    add("--width", **many, type=int, metavar="W", help="neurons of the network")
    add("--seed", **many, type=_seed, metavar="S", help="seed of the method, or a range such as 0..4")
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
    limits = parser.add_argument_group("limits and resources")
    add = limits.add_argument
    add("--data", type=Path, metavar="DIR", help="folder with original data files, used first")
    add("--jobs", type=int, metavar="N", help="cells at a time (default: one for each core)")
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
    parser.set_defaults(command=_run)


def _run(given: argparse.Namespace) -> int:
    from .engine.run import run
    from .grid.spec import resolve

    lists = ("dataset", "method", "gamma", "width", "seed", "preprocess", "test_fraction", "bias")
    limits = ("timeout", "memory", "jobs")
    options = {
        name: getattr(given, name) for name in ("solver", "rounding", "cuts") if getattr(given, name) is not None
    }
    spec = resolve(given.config, {name: getattr(given, name) for name in (*lists, *limits)}, options)
    signal.signal(signal.SIGTERM, _interrupt)
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


def _add_report(commands: Any) -> None:
    parser = _add(
        commands,
        "report",
        "make tables, figures and a page from a run's folder",
        "relaxbench report demo",
        "relaxbench report demo --figure width --format svg --style single",
    )
    add = parser.add_argument
    add("folder", metavar="DIR", type=Path, help="the folder of a run")
    add("--figure", metavar="NAME", help="only this figure")
    add("--format", metavar="KIND", help="of that figure: pdf (default), png or svg")
    add("--style", metavar="STYLE", help="width of figures, single or double, or a matplotlib style")
    parser.set_defaults(command=_report)


def _report(given: argparse.Namespace) -> int:
    from ..reports import report

    print(report(given.folder, figure=given.figure, format=given.format, style=given.style))
    return OK


def _add_verify(commands: Any) -> None:
    parser = _add(
        commands, "verify", "prove every bound of a run's folder again, by separate code", "relaxbench verify demo"
    )
    parser.add_argument("folder", metavar="DIR", type=Path, help="the folder of a run")
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder with original data files, used first")
    parser.set_defaults(command=_verify)


def _verify(given: argparse.Namespace) -> int:
    from .results.folder import load_results
    from .verify.bounds import verify
    from .verify.records import not_run

    checks = failures = 0
    for check in verify(given.folder, given.data):
        if checks == 0:
            print(f"{'':6} {'bound':<12} {'recorded':>16} {'found':>16}  cell")
        checks, failures = checks + 1, failures + (not check.holds)
        recorded, found = ("-" if one is None else f"{one:.10g}" for one in (check.recorded, check.found))
        note = f": {check.message}" if check.message else ""
        line = f"{check.bound:<12} {recorded:>16} {found:>16}  {check.cell[:8]} {check.label}{note}"
        print(f"{'ok' if check.holds else 'FAILED':<6} {line}")
    missing = not_run(given.folder, load_results(given.folder))
    if missing:
        print(f"{missing} cells of the plan have no record: not run yet, or removed")
    if checks == 0:
        print("nothing to verify: no cell has a network or a bound")
        return NOTHING_COMPARABLE
    print(f"{checks} bounds, {failures} do not hold")
    return CHECK_FAILED if failures else OK


def _add_compare(commands: Any) -> None:
    parser = _add(
        commands,
        "compare",
        "compare two results: soundness, quality within tolerances, and costs as advice",
        "relaxbench compare before after",
        "relaxbench compare before/results.parquet after --format markdown --out comment.md",
    )
    parser.add_argument("base", metavar="BASE", help="the folder of a run, or its results.parquet or results.csv")
    parser.add_argument("cand", metavar="CAND", help="the same, to be judged against BASE")
    _add_format(parser)
    parser.set_defaults(command=_compare)


def _compare(given: argparse.Namespace) -> int:
    from .compare.comparison import compare

    return _show(compare(given.base, given.cand), given)


def _add_ab(commands: Any) -> None:
    parser = _add(
        commands,
        "ab",
        "compare the working tree with a commit on this machine, costs included, by interleaved pairs of runs",
        "relaxbench ab main smoke",
        "relaxbench ab HEAD smoke --pairs 20    # without changes: how often is the decision wrong?",
        "relaxbench ab main perf                # the hot operations of tests/perf instead of a config",
    )
    add = parser.add_argument
    add("ref", metavar="REF", help="commit, branch or tag of the clone that relaxbench is installed from")
    add("config", metavar="CONFIG", help="a config that ships, the path of a TOML file, or perf")
    add("--pairs", type=int, default=16, metavar="K", help="timed pairs of runs (default: 16)")
    add("--threshold", type=float, default=0.1, metavar="R", help="slower by less is no alarm (default: 0.10)")
    add("--jobs", type=int, default=1, metavar="N", help="cells at a time (default: 1; more forbid timing verdicts)")
    add("--data", type=Path, metavar="DIR", help="folder with original data files, used first")
    _add_format(parser)
    parser.set_defaults(command=_ab)


def _ab(given: argparse.Namespace) -> int:
    try:
        from .ab.session import PERF, ab, ab_perf
        from .grid.spec import resolve

        import_module(f"{__package__}.compare.show")  # what `_show` needs, before minutes are spent
    except Exception as error:  # this code is the candidate
        print(f"relaxbench: the working tree does not run: {one_line(error)}", file=sys.stderr)
        return CHECK_FAILED
    limits = {"pairs": given.pairs, "threshold": given.threshold}
    signal.signal(signal.SIGTERM, _interrupt)
    if given.config == PERF:
        return _show(ab_perf(given.ref, **limits), given)
    return _show(ab(given.ref, resolve(given.config, {}, {}), jobs=given.jobs, data_dir=given.data, **limits), given)


def _add_nightly(commands: Any) -> None:
    parser = _add(
        commands,
        "nightly",
        "run a config, prove its bounds again, compare with the night before, keep the history, report",
        "relaxbench nightly --out nights --history history.parquet",
        "relaxbench nightly --config mine.toml --out nights --history history.parquet",
    )
    add = parser.add_argument
    add("--out", required=True, type=Path, metavar="DIR", help="each night gets a folder in it; the last one is BASE")
    add("--history", required=True, type=Path, metavar="FILE", help="parquet file to which the night is added")
    add("--config", default="nightly", metavar="CONFIG", help="a config that ships, or a TOML file (default: nightly)")
    add("--data", type=Path, metavar="DIR", help="folder with original data files, used first")
    add("--jobs", type=int, metavar="N", help="cells at a time (default: the config's, or one for each core)")
    parser.set_defaults(command=_nightly)


def _nightly(given: argparse.Namespace) -> int:
    from ..reports import report
    from .grid.spec import resolve
    from .nightly import nightly

    signal.signal(signal.SIGTERM, _interrupt)
    try:
        spec = resolve(given.config, {"jobs": given.jobs}, {})
        night = nightly(spec, given.out, given.history, report=report, data_dir=given.data)
    except OSError as error:
        print(f"relaxbench: stopped, everything finished is kept: {error}", file=sys.stderr)
        return CELLS_FAILED
    summary = night.folder / "summary.md"
    print(summary.read_text(encoding="utf-8") if summary.is_file() else f"Interrupted. Kept: {night.folder}")
    return night.exit_code


def _add_format(parser: argparse.ArgumentParser) -> None:
    formats = ("table", "markdown", "json", "junit")
    parser.add_argument("--format", choices=formats, default="table", help="of the output (default: table)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write to FILE; the terminal gets the table anyway")


def _show(comparison: Comparison, given: argparse.Namespace) -> int:
    """Print or write a comparison; returns its exit code."""
    from .compare.show import FORMATS

    text = FORMATS[given.format](comparison)
    if given.out is not None:
        _write(given.out, text)
    print(FORMATS["table"](comparison) if given.out is not None else text, end="")
    return comparison.exit_code


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"--out must be a file that can be written to. Got {path} ({error.strerror}).") from None


COMMANDS = (_add_list, _add_run, _add_report, _add_verify, _add_compare, _add_ab, _add_nightly)


def _gamma(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _seed(text: str) -> int | str:
    return int(text) if re.fullmatch(r"-?\d+", text) else text


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def _with_nearest(message: str, parser: argparse.ArgumentParser) -> str:
    """argparse's own message, with the nearest option or command where it complains about an unknown one."""
    choice = re.match(r"argument COMMAND: invalid choice: '(.*?)' \(choose from (.*)\)", message)
    if choice:
        return unknown("command", choice[1], [name.strip(" '") for name in choice[2].split(",")])
    message = message.replace("the following arguments are required: COMMAND", "a command is missing")
    stray = re.match(r"unrecognized arguments: (\S+)", message)
    if stray:
        options = [option for action in parser._actions for option in action.option_strings]
        near = nearest(stray[1].split("=")[0], options)
        return f"unknown argument {stray[1]}" + (f". Did you mean {near}?" if near else "")
    return message


def _one_line_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    print(f"relaxbench: warning: {' '.join(str(message).split())}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
