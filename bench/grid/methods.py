"""The one table of methods: it drives configs, the command line, the runs, the tests and the reports.

To add a method write one file with a function `(problem, *, width, seed, budget, **options) -> Fit` and add one line
here.
"""

from __future__ import annotations

import importlib.util
import inspect
import json
import sys
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Literal

import pydantic

from ...errors import unknown
from ..text import UsageError, one_line
from .fingerprint import ROOT
from .own_files import own_files

RESERVED = ("problem", "relaxation", "warm", "width", "seed", "seeds", "budget")


@dataclass(frozen=True)
class Method:
    """How a method is called; functions are written `module:function` and imported when needed.

    function does all the work for one (width, seed); batch, if given, for one width and a list of seeds at once.
    Instead of a function, relax and round: relax(problem, *, budget, …) -> Relaxation is solved once for all cells
    that share data, γ and its options, round(problem, relaxation, *, width, seed, budget, …) -> Fit once a cell.
    axes: which of width and seed change the result. warm: modules to import before the clock starts. rehearse: call
    it on a tiny problem before, once in each process, because it imports or compiles at its first call.
    code: what computes the result, a change of which recomputes it: rooms, files of rooms, or absolute paths.
    """

    name: str
    about: str
    function: str = ""
    batch: str = ""
    relax: str = ""
    round: str = ""
    axes: tuple[str, ...] = ("width", "seed")
    warm: tuple[str, ...] = ()
    rehearse: bool = False
    code: tuple[str, ...] = ()


_BASELINE = ("baselines", "solvers/problem.py", "solvers/network.py", "solvers/fit.py")
_KERNEL = ("jax", "neural_tangents")
_SKLEARN = ("sklearn.linear_model",)

METHODS = {
    method.name: method
    for method in (
        Method(
            "sdp",
            "the paper's relaxation with a proved bound, rounded to a network",
            relax="solvers.sdp:relax",
            round="solvers.sdp:round_relaxation",
            rehearse=True,
            code=("solvers",),
        ),
        Method(
            "cpp",
            "the completely positive program, exact: p*(∞) with a proved bound and a network",
            "solvers.cpp:cpp",
            axes=(),
            rehearse=True,
            code=("solvers",),
        ),
        Method(
            "branch",
            "the hierarchy of regions between the relaxation and the exact program, with a proved bound and a network",
            "solvers.branch:branch",
            axes=("seed",),
            rehearse=True,
            code=("solvers",),
        ),
        Method(
            "nngp", "kernel ridge regression, NNGP", "baselines.kernels:nngp", axes=(), warm=_KERNEL, code=_BASELINE
        ),
        Method("ntk", "kernel ridge regression, NTK", "baselines.kernels:ntk", axes=(), warm=_KERNEL, code=_BASELINE),
        Method(
            "sgd",
            "full-batch gradient descent with momentum, as in the paper",
            "baselines.sgd:sgd",
            batch="baselines.sgd:sgd_seeds",
            warm=("jax",),
            code=_BASELINE,
        ),
        Method("lbfgs", "L-BFGS on both layers", "baselines.lbfgs:lbfgs", warm=("scipy.optimize",), code=_BASELINE),
        Method(
            "arrangements",
            "the convex program of Pilanci & Ergen over sampled activation patterns, ReLU or gated",
            "baselines.arrangements:arrangements",
            axes=("seed",),
            rehearse=True,
            code=_BASELINE,
        ),
        Method(
            "copositive",
            "Frank–Wolfe over sampled sign patterns, after Sahiner et al.",
            "baselines.copositive:copositive",
            axes=("seed",),
            rehearse=True,
            code=_BASELINE,
        ),
        Method(
            "nngp-finite",
            "nngp of a drawn network of finite width",
            "baselines.kernels:nngp",
            warm=_KERNEL,
            code=_BASELINE,
        ),
        Method(
            "ntk-finite",
            "ntk of a drawn network of finite width",
            "baselines.kernels:ntk",
            warm=_KERNEL,
            code=_BASELINE,
        ),
        Method("ridge", "linear ridge regression", "baselines.everyday:ridge", axes=(), warm=_SKLEARN, code=_BASELINE),
        Method(
            "rbf",
            "kernel ridge regression, Gaussian kernel",
            "baselines.everyday:rbf",
            axes=(),
            warm=("sklearn.kernel_ridge",),
            code=_BASELINE,
        ),
        Method(
            "forest",
            "random forest; γ plays no part in it",
            "baselines.everyday:forest",
            axes=("seed",),
            warm=("sklearn.ensemble",),
            code=_BASELINE,
        ),
    )
}


def find(name: str) -> Method:
    """The method of this name: from the table, from `path/file.py:function`, or from an installed package."""
    if name in METHODS:
        return METHODS[name]
    if ".py:" in name:
        return _from_file(name)
    installed = _plugins()
    if name in installed:
        return _from_plugin(name, installed[name])
    raise UsageError(
        unknown("method", name, [*METHODS, *installed]) + " A method of your own is written path/file.py:function."
    )


def plugins() -> list[Method]:
    """The methods of installed packages, by the entry point group `relaxbench.methods`."""
    return [_from_plugin(name, reference) for name, reference in _plugins().items()]


@cache
def load(reference: str) -> Callable[..., Any]:
    """The function behind `module:function`, a module of this package, an installed one, or an absolute file path."""
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
    """The options with the defaults filled in, after a check against the annotations of the method's functions.

    Raises UsageError for an unknown option or value; a function with `**options` may take names it does not declare.
    """
    schema = _schema(method)
    try:
        return schema.model_validate_json(json.dumps(dict(options)), strict=True).model_dump(mode="json")
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        option, value = str(first["loc"][0]), first["input"]
        if first["type"] == "extra_forbidden":
            raise UsageError(unknown(f"option of method {method.name}", option, schema.model_fields)) from None
        if first["type"] == "missing":
            raise UsageError(f"option {option} of method {method.name} is missing: it has no default.") from None
        choices = literal_values(schema.model_fields[option].annotation)
        if choices:
            raise UsageError(unknown(f"option {option} of method {method.name}", value, choices)) from None
        raise UsageError(
            f"option {option} of method {method.name}: {first['msg'].lower()}. Got {value!r} instead."
        ) from None


def options(method: Method) -> dict[str, str]:
    """Every declared option and, in words, its default and the values it may have if they are listed."""
    described = {}
    for name, field in _schema(method).model_fields.items():
        default = "required" if field.is_required() else repr(field.default)
        others = [repr(value) for value in literal_values(field.annotation) if value != field.default]
        described[name] = " | ".join([default, *others])
    return described


def split_options(method: Method, options: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The options of a two-stage method: those that relax takes, and the rest, which round takes."""
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
    """Whether a function can be given this keyword."""
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
    return Method(name, about, reference, axes=axes)


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
