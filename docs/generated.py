"""The parts of the site that come out of the code: conf.py appends them to the pages api.md and commands.md."""

import argparse
import inspect
import os
import re
import typing
from collections.abc import Iterable, Iterator
from unittest import mock

from relaxbench.bench import cli
from relaxbench.bench.cli.parser import EXIT_CODES, Command, Parser, leaves

import relaxbench

NO_VALUE = ":no-value:"
COLUMNS = "84"  # of the usage of a command: what the page shows without scrolling


def names() -> str:
    """Every public name in a directive of autodoc, and every class of the package that one of them leads to."""
    public = {name: getattr(relaxbench, name) for name in relaxbench.__all__}
    functions = {name: found for name, found in public.items() if inspect.isfunction(found)}
    classes = {name: found for name, found in public.items() if inspect.isclass(found)}
    others = {name: found for name, found in public.items() if name not in {**functions, **classes}}
    text = "## Functions\n\n"
    text += "".join(_section(f"relaxbench.{name}", "autofunction") for name in functions)
    text += "## Classes\n\n"
    text += "".join(_class(f"relaxbench.{name}", kind) for name, kind in classes.items())
    text += "## What these return and hold\n\nNo call of your own makes these: the functions and classes above do.\n\n"
    met = [kind for kind in _reached(public.values()) if kind not in classes.values()]
    text += "".join(_class(f"{kind.__module__}.{kind.__qualname__}", kind) for kind in met)
    text += "## Other names\n\n"
    return text + "".join(
        _section(f"relaxbench.{name}", "py:data", f":value: {value!r}") for name, value in others.items()
    )


def commands() -> str:
    """Every command with its arguments, out of the parsers that --help prints, and the exit codes of all."""
    title, _, codes = EXIT_CODES.partition(": ")
    items = "".join(f"- `{code.partition(' ')[0]}` {code.partition(' ')[2]}\n" for code in codes.split("; "))
    return (
        "".join(_command(words, command) for words, command in leaves(cli.COMMANDS))
        + f"## {title.capitalize()}\n\n{items}"
    )


def _reached(start: Iterable[object]) -> list[type]:
    """The classes of the package that functions return, and that fields, properties and methods of those hold."""
    reached: list[type] = []
    waiting = list(start)
    while waiting:
        found = waiting.pop(0)
        if inspect.isfunction(found):
            waiting += _classes(typing.get_type_hints(found).get("return"))
        elif inspect.isclass(found) and found not in reached:
            reached.append(found)
            shown = [member for name, member in vars(found).items() if not name.startswith("_")]
            called = [getattr(member, "fget", getattr(member, "func", member)) for member in shown]
            waiting += [member for member in called if inspect.isfunction(member)]
            waiting += [kind for hint in typing.get_type_hints(found).values() for kind in _classes(hint)]
    return reached


def _classes(hint: object) -> Iterator[type]:
    """The classes of the package that an annotation names."""
    if inspect.isclass(hint) and hint.__module__.startswith("relaxbench"):
        yield hint
    for inner in typing.get_args(hint):
        yield from _classes(inner)


def _class(name: str, kind: type) -> str:
    if issubclass(kind, Exception):
        return _section(name, "autoexception", ":show-inheritance:")
    options = [":members:", ":undoc-members:"] if issubclass(kind, str) else [":members:"]  # words of an enumeration
    if routing := [member for member in dir(kind) if re.fullmatch(r"set_\w+_request", member)]:
        options.append(f":exclude-members: {', '.join(routing)}")  # scikit-learn's, which its own pages explain
    return _section(name, "autoclass", *options)


def _section(name: str, directive: str, *options: str) -> str:
    lines = "".join(f"   {option}\n" for option in options)
    return f"### `{name.rpartition('.')[2]}`\n\n```{{eval-rst}}\n.. {directive}:: {name}\n{lines}```\n\n"


def _command(name: str, command: Command) -> str:
    parser = Parser(prog=name, examples=command.examples)
    if command.arguments is not None:
        command.arguments(parser)
    with mock.patch.dict(os.environ, COLUMNS=COLUMNS):
        usage = parser.format_usage()
    text = f"## {name}\n\n{command.about[:1].upper()}{command.about[1:]}.\n\n```text\n{usage}```\n\n"
    for group in parser._action_groups:  # argparse shows them in no other way, sphinx-argparse reads them too
        actions = [action for action in group._group_actions if action.dest != "help"]
        if actions:
            about = f" {group.description}" if group.description else ""
            text += f"**{(group.title or '').capitalize()}.**{about}\n\n" + "".join(map(_argument, actions))
    return text + "**Examples.**\n\n```shell\n" + "\n".join(command.examples) + "\n```\n\n"


def _argument(action: argparse.Action) -> str:
    """One argument as an entry of a definition list."""
    value = action.metavar or (f"{{{','.join(map(str, action.choices))}}}" if action.choices else "")
    names = ", ".join(action.option_strings)
    shown = f"{names} {value}".strip() if action.nargs != 0 else names
    return f"`{shown}`\n: {(action.help or '') % vars(action)}\n\n"
