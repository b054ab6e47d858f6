"""The command line. It parses and prints; everything it does is a function call that a notebook can make too.

parser.py       Command and Parser: argparse with one-line errors; the exit codes
comparison.py   how a comparison is printed or written
__main__.py     python -m relaxbench.bench.cli

list.py         the data sets, methods and configs there are
run.py          the cells of a config, or of a grid given by options, into a folder
report.py       tables, figures and a page from a run's folder
certify.py      how far a network is from the optimum
instances.py    problems for solvers outside, and what they found
entries.py      list, show and check of `instances`
submit.py       a network or a bound for an instance
verify.py       every bound of a run's folder proved again
compare.py      two results compared
bundle.py       a run in one file
merge.py        runs put together
ab.py           the working tree against a commit
nightly.py      a night: run, verify, compare, history, report

To add a command write a file with a COMMAND and name it in COMMANDS. Every call imports all of these files: what a
command needs for its work is imported when it runs.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Sequence
from typing import Any

from ...errors import RelaxbenchError
from . import ab, bundle, certify, compare, instances, merge, nightly, report, run, submit, verify
from . import list as list_
from .parser import INTERRUPTED, OK, USAGE, parser_of

COMMANDS = tuple(
    file.COMMAND
    for file in (list_, run, report, verify, certify, instances, submit, compare, bundle, merge, ab, nightly)
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: What follows the name of the program; None: those that the process was started with.

    Returns:
        The exit code.
    """
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _one_line_warning
            given = parser_of(COMMANDS).parse_args(arguments)
            return int(given.run(given))
    except KeyboardInterrupt:
        print("relaxbench: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except RelaxbenchError as error:
        print(f"relaxbench: {' '.join(str(error).split())}", file=sys.stderr)
        return USAGE


def _one_line_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    print(f"relaxbench: warning: {' '.join(str(message).split())}", file=sys.stderr)
