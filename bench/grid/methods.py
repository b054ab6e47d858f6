"""Methods by name: those of the registry, of the user's files and of installed packages, and their options."""

from __future__ import annotations

import importlib.util
import inspect
import json
import sys
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import pydantic

from ...errors import nearest, shown, unknown
from ...solvers.activation import KINDS
from ...solvers.problem import LOSSES
from ..text import UsageError, chains, one_line
from .fingerprint import ROOT
from .own_files import own_files
from .registry import METHODS, Method

RESERVED = ("problem", "relaxation", "warm", "width", "seed", "seeds", "budget")


def find(name: str) -> Method:
    """The method of this name.

    Args:
        name: from the table, `path/file.py:function`, or from an installed package.

    Returns:
        The method; one from outside has the axes width and seed if its function takes them.

    Raises:
        UsageError: no such method, or one that cannot be imported or called.
    """
    if name in METHODS:
        return METHODS[name]
    if ".py:" in str(name):
        return _from_file(name)
    installed = _plugins()
    if name in installed:
        return _from_plugin(name, installed[name])
    raise UsageError(
        unknown("method", name, [*METHODS, *installed]) + " A method of your own is written path/file.py:function."
    )


def methods() -> list[Method]:
    """Every method there is: those of the registry, then those of installed packages.

    Returns:
        The methods, in the order in which reports show them.

    Example:
        >>> import relaxbench as rb
        >>> [method.name for method in rb.methods()][:3]
        ['sdp', 'branch', 'cpp']
    """
    return [*METHODS.values(), *plugins()]


def plugins() -> list[Method]:
    """The methods of installed packages, by the entry point group `relaxbench.methods`."""
    return [_from_plugin(name, reference) for name, reference in _plugins().items()]


@cache
def load(reference: str) -> Callable[..., Any]:
    """The function behind a reference.

    Args:
        reference: `module:function`, with a module of this package, an installed one, or an absolute file path.

    Returns:
        The function.

    Raises:
        UsageError: the module has no such function.
    """
    module_name, _, function_name = reference.rpartition(":")
    if module_name.endswith(".py"):
        module = _module_of_file(Path(module_name))
    else:
        inside = importlib.util.find_spec(f"{ROOT}.{module_name.partition('.')[0]}") is not None
        module = importlib.import_module(f"{ROOT}.{module_name}" if inside else module_name)
    function = getattr(module, function_name, None)
    if not callable(function):
        names = [name for name, value in vars(module).items() if inspect.isfunction(value)]
        raise UsageError(unknown(f"function of {module_name}", function_name, names or ["(it defines none)"]))
    return function


def check_options(method: Method, options: Mapping[str, Any]) -> dict[str, Any]:
    """Check options against the annotations of the method's functions.

    Args:
        method: whose options they are.
        options: values by name; a function with `**options` may take names it does not declare.

    Returns:
        The options with the defaults filled in.

    Raises:
        UsageError: an unknown option or value, or a missing option that has no default.
    """
    schema = _schema(method)
    try:
        given = json.dumps(dict(options), default=_plain)
        return schema.model_validate_json(given, strict=True).model_dump(mode="json")
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        option, value = str(first["loc"][0]), first["input"]
        if first["type"] == "extra_forbidden":
            raise UsageError(_unknown_option(method, option, schema)) from None
        if first["type"] == "missing":
            raise UsageError(f"option {option} of method {method.name} is missing: it has no default.") from None
        choices = literal_values(schema.model_fields[option].annotation)
        if choices:
            raise UsageError(unknown(f"option {option} of method {method.name}", value, choices)) from None
        raise UsageError(
            f"option {option} of method {method.name}: {first['msg'].lower()}. Got {value!r} instead."
        ) from None


def _plain(value: Any) -> Any:
    """A number of NumPy's as Python's; anything else that JSON does not know as text, which no option takes for it."""
    return value.item() if isinstance(value, np.generic) else shown(value)


def _unknown_option(method: Method, option: str, schema: type[pydantic.BaseModel]) -> str:
    """Names the nearest option, which may be one that every method has."""
    what, common = f"option of method {method.name}", ("width", "seed", "budget", "label")
    if nearest(option, schema.model_fields) is None and nearest(option, common) is not None:
        return unknown(what, option, common)
    return unknown(what, option, schema.model_fields or ["(it has none)"])


class Option(NamedTuple):
    """An option of a method: its default, whether it has none, and the values it may have if they are listed."""

    default: Any
    required: bool
    choices: tuple[Any, ...]

    def __str__(self) -> str:
        default = "required" if self.required else repr(self.default)
        if any("+" in str(value) for value in self.choices):
            return f"{default} ({chains([str(value) for value in self.choices])})"
        return " | ".join([default, *(repr(value) for value in self.choices if value != self.default)])


def options(method: Method) -> dict[str, Option]:
    """Every declared option of a method, by name.

    Args:
        method: whose options.

    Returns:
        The options; as text each reads as default and choices.
    """
    return {
        name: Option(None if field.is_required() else field.default, field.is_required(), values)
        for name, field in _schema(method).model_fields.items()
        for values in [literal_values(field.annotation)]
    }


def split_options(method: Method, options: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Split the options of a two-stage method between its stages.

    Args:
        method: a method with relax and round.
        options: values by name.

    Returns:
        Those that relax takes, and the rest, which round takes.
    """
    names = _parameters(load(method.relax))
    return (
        {name: value for name, value in options.items() if name in names},
        {name: value for name, value in options.items() if name not in names},
    )


def literal_values(annotation: Any) -> tuple[Any, ...]:
    """The values that Literal annotations inside `annotation` allow; empty if there is no Literal."""
    if typing.get_origin(annotation) is Literal:
        return typing.get_args(annotation)
    return tuple(value for part in typing.get_args(annotation) for value in literal_values(part))


def _schema(method: Method) -> type[pydantic.BaseModel]:
    functions = [load(reference) for reference in (method.function, method.relax, method.round) if reference]
    fields: dict[str, Any] = {}
    open_ended = False
    for function in functions:
        hints = _hints(function)
        parameters = inspect.signature(function).parameters.values()
        open_ended |= any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters)
        for parameter in parameters:
            if parameter.kind is parameter.KEYWORD_ONLY and parameter.name not in RESERVED:
                default = ... if parameter.default is parameter.empty else parameter.default
                fields[parameter.name] = (hints.get(parameter.name, Any), default)
    config = pydantic.ConfigDict(extra="allow" if open_ended else "forbid", arbitrary_types_allowed=True)
    return pydantic.create_model(f"{method.name} options", __config__=config, **fields)


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    try:
        return typing.get_type_hints(function, include_extras=True)
    except (NameError, TypeError):  # a user's annotations may name what is imported for type checkers alone
        return {}


def takes(function: Callable[..., Any], name: str) -> bool:
    """Whether a function can be given this keyword.

    Args:
        function: any function.
        name: the keyword.

    Returns:
        True also for a function with `**options`.
    """
    parameters = inspect.signature(function).parameters
    return name in parameters or any(p.kind is p.VAR_KEYWORD for p in parameters.values())


def _parameters(function: Callable[..., Any]) -> set[str]:
    parameters = inspect.signature(function).parameters.values()
    return {p.name for p in parameters if p.kind is p.KEYWORD_ONLY and p.name not in RESERVED}


def _plugins() -> dict[str, str]:
    return {point.name: point.value for point in entry_points(group="relaxbench.methods")}


def _from_file(name: str) -> Method:
    path_text, _, function = name.rpartition(":")
    path = Path(path_text).expanduser().resolve()
    if not path.is_file():
        raise UsageError(f"method must name a file that exists, as path/file.py:function. Got {name!r} instead.")
    method = _own(f"{path.name}:{function}", f"{path}:{function}")
    return replace(method, code=own_files(path))


def _from_plugin(name: str, reference: str) -> Method:
    module = importlib.util.find_spec(reference.partition(":")[0])
    source = (module.origin,) if module is not None and module.origin else ()
    return replace(_own(name, reference), code=source)


def _own(name: str, reference: str) -> Method:
    """A method from outside; it has the axes width and seed if its function takes them."""
    try:
        function = load(reference)
    except UsageError:
        raise
    except (Exception, SystemExit) as error:  # whatever the foreign file raises while it is imported
        raise UsageError(f"method {name} must come from a file that imports. Got {one_line(error)} instead.") from None
    axes = tuple(axis for axis in ("width", "seed") if takes(function, axis))
    try:
        inspect.signature(function).bind_partial(None, budget=1.0)
    except TypeError as error:
        call = "function(problem, *, width, seed, budget, **options)"
        raise UsageError(f"method {name} must be callable as {call}. Got one that is not: {error}.") from None
    about = (inspect.getdoc(function) or "").partition("\n")[0]
    return Method(name, about, reference, axes=axes, activations=KINDS, losses=LOSSES)


def _module_of_file(path: Path) -> types.ModuleType:
    name = f"relaxbench_own_{abs(hash(str(path)))}_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    if str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))  # last, so that no module beside it stands before one that is installed
    sys.modules[name] = module  # dataclasses and pickling look the module up
    spec.loader.exec_module(module)
    return module
