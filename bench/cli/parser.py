"""The parser: argparse with errors of one line that name the nearest option, and what a command says of itself."""

from __future__ import annotations

import argparse
import re
import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, NoReturn

from ...errors import nearest, unknown
from ..text import UsageError

OK, CHECK_FAILED, USAGE, CELLS_FAILED, NOTHING_COMPARABLE, INTERRUPTED = 0, 1, 2, 3, 4, 130
EXIT_CODES = (
    "exit codes: 0 all well; 1 a check failed; 2 wrong usage or bad input, nothing written; "
    "3 some cells failed, everything else is kept; 4 nothing comparable; 130 after Ctrl-C, everything finished is kept"
)


@dataclass(frozen=True)
class Command:
    """A command of the command line.

    about: what it does, in a line. arguments: adds its arguments to its parser. run: does it; returns the exit code.
    commands: those that it is the first word of, in place of arguments and run.
    """

    name: str
    about: str
    examples: Sequence[str]
    arguments: Callable[[Parser], None] | None = None
    run: Callable[[argparse.Namespace], int] | None = None
    commands: Sequence[Command] = ()


class Parser(argparse.ArgumentParser):
    """argparse without abbreviations, with examples and exit codes in its help, and with errors of one line."""

    def __init__(self, *, examples: Sequence[str] = (), **settings: Any) -> None:
        self.option_strings: list[str] = []  # as they are added, -h by argparse itself
        self.commands: list[str] = []
        lines = "\n".join(f"  {example}" for example in examples)
        super().__init__(
            allow_abbrev=False,
            epilog=f"examples:\n{lines}\n\n{EXIT_CODES}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            **settings,
        )

    def add_argument(self, *names: Any, **settings: Any) -> argparse.Action:
        """Add an argument, as argparse does, and remember how it may be written."""
        action = super().add_argument(*names, **settings)
        self.option_strings += action.option_strings
        return action

    def add_part(self, title: str, about: str | None = None) -> Callable[..., None]:
        """Begin a part of the help.

        Args:
            title: Its heading.
            about: A sentence below the heading.

        Returns:
            A function that adds an argument to this part; it takes what `add_argument` takes.
        """
        group = self.add_argument_group(title, about)

        def add(*names: str, **settings: Any) -> None:
            self.option_strings += group.add_argument(*names, **settings).option_strings

        return add

    def add_commands(self, commands: Sequence[Command]) -> None:
        """Give each command a parser of its own."""
        self.commands += [command.name for command in commands]
        parsers = self.add_subparsers(title="commands", metavar="COMMAND")
        for command in commands:
            sentence = f"{command.about[:1].upper()}{command.about[1:]}."
            parser = parsers.add_parser(
                command.name, help=command.about, description=sentence, examples=command.examples
            )
            if command.commands:
                parser.add_commands(command.commands)
            if command.arguments is not None:
                command.arguments(parser)
                parser.set_defaults(run=command.run)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> tuple[Any, list[str]]:
        """As argparse does, but what a command does not know it refuses itself: it knows its options best."""
        found, strays = super().parse_known_args(args, namespace)
        if strays:
            near = nearest(strays[0].split("=")[0], self.option_strings)
            self.error(f"unknown argument {strays[0]}" + (f". Did you mean {near}?" if near else ""))
        if self.commands and "run" not in found:
            self.error("a command is missing")
        return found, strays

    def error(self, message: str) -> NoReturn:
        """Raise argparse's message as a UsageError of one line, with the nearest command where it is one."""
        choice = re.match(r"argument COMMAND: invalid choice: (['\"])(.*)\1 \(choose from ", message)
        if choice:
            message = unknown("command", choice[2], self.commands)
        raise UsageError(f"{message} (see {self.prog} --help)")


def leaves(commands: Sequence[Command], before: str = "relaxbench") -> Iterator[tuple[str, Command]]:
    """The commands that do something, with all their words.

    Args:
        commands: those of the command line.
        before: the words before them.

    Yields:
        Words and command.
    """
    for command in commands:
        words = f"{before} {command.name}"
        if command.commands:
            yield from leaves(command.commands, words)
        else:
            yield words, command


def parser_of(commands: Sequence[Command]) -> Parser:
    """The parser of the whole command line; what it parses has `run`, the function of the command that was given."""
    parser = Parser(
        prog="relaxbench",
        description="Benchmarks of convex relaxations of two-layer ReLU network training, with proved bounds.",
        examples=("relaxbench run smoke --out demo", "relaxbench report demo", "relaxbench verify demo"),
    )
    parser.add_argument("--version", action="version", version=f"relaxbench {version('relaxbench')}")
    parser.add_commands(commands)
    return parser


ACTIVATION = "relu, leaky:SLOPE (-1 < SLOPE < 1, below 0), abs or identity"


def add_data(add: Callable[..., Any]) -> None:
    """Add --data, the same for every command that loads data."""
    add("--data", type=Path, metavar="DIR", help="folder with original data files, used first")


def add_training_data(parser: Parser) -> None:
    """Add the part `data`, the same for every command that takes one data set to train on."""
    add = parser.add_part("data")
    add_data(add)
    add("--preprocess", default="none", metavar="P", help="none, standardize or pca:K (default: none)")
    add("--bias", action="store_true", help="append a column of ones")
    add("--activation", default="relu", metavar="A", help=f"of the neurons: {ACTIVATION} (default: relu)")
    add("--loss", default="squares", metavar="L", help="squares or logistic (default: squares)")
    add("--n", type=int, metavar="N", help="a stratified subsample of so many training rows")
    add("--data-seed", type=int, default=0, metavar="S", help="seed of the split, or of the data (default: 0)")
    add(
        "--test-fraction",
        type=float,
        metavar="F",
        help="part of the rows left out where the data bring no test rows (default: 0, every row trains)",
    )


def training_options(given: argparse.Namespace) -> dict[str, Any]:
    """What was given for `add_training_data`, but the folder, as arguments of `load_training`."""
    names = {
        "preprocess": "preprocess",
        "bias": "bias",
        "n": "n",
        "data_seed": "seed",
        "test_fraction": "test_fraction",
    }
    return {argument: getattr(given, option) for option, argument in names.items()}


def training_model(given: argparse.Namespace) -> dict[str, str]:
    """The rest of what was given for `add_training_data`, as arguments of a Problem."""
    return {"activation": given.activation, "loss": given.loss}


def add_output(add: Callable[..., Any]) -> None:
    """Add --format and --out, the same for every command that shows a comparison."""
    formats = ("table", "markdown", "json", "junit")
    add("--format", choices=formats, default="table", help="of the output (default: table)")
    add("--out", type=Path, metavar="FILE", help="write to FILE; the terminal gets the table anyway")


def stop_on_sigterm() -> None:
    """From now on SIGTERM ends the work as Ctrl-C does: everything finished is kept."""
    signal.signal(signal.SIGTERM, _interrupt)


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt
