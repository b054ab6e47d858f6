"""Spec: what a run is to do, from a TOML file and the command line, checked key by key.

    name = "mine"            gamma = [0.1, "cv"]        timeout = 60      # seconds a cell; cv: by cross-validation
    seed = "0..4"            width = [10, 100]          memory = 4        # GB a cell
    [[dataset]]              # name, and data_seed, preprocess, bias, test_fraction, n, or options of the data set's own
    name = "random"
    data_seed = "0..99"
    [[method]]               # name or use = "path/file.py:function", options, and gamma, width, seed of its own;
                             # up_to_n = 200 leaves out data with more training rows than that
    name = "sdp"
    solver = ["ipm", "cvxpy-scs"]
    [tolerance]              # how much worse a column may get from one run to another, see compare_columns.py
    objective = 0.01

A list where one value would do makes a grid.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

import pydantic
from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag

from ...errors import shown, unknown
from ..text import UsageError, one_line
from .methods import find
from .methods import options as options_of
from .tolerances import check_tolerances

CV = "cv"  # in place of a γ: chosen by cross-validation
MAX_CONFIG_BYTES = 1_000_000
MAX_RANGE = 100_000
MAX_DOTS = 64


def _as_list(value: Any) -> Any:
    return value if isinstance(value, (list, tuple)) else [value]


def _as_seeds(value: Any) -> Any:
    """`"0..4"` means 0, 1, 2, 3, 4; it may stand alone or in a list."""
    seeds: list[Any] = []
    for item in _as_list(value):
        span = re.fullmatch(r"\s*(\d{1,18})\.\.(\d{1,18})\s*", item) if isinstance(item, str) else None
        if span is None:
            seeds.append(item)
            continue
        first, last = int(span[1]), int(span[2])
        if not 0 <= last - first < MAX_RANGE:
            raise ValueError(f"a range first..last must rise and hold at most {MAX_RANGE} seeds")
        seeds.extend(range(first, last + 1))
    return seeds


def _kind_of_gamma(value: Any) -> str:
    return "cv" if value == CV else "number"


Gamma = Annotated[
    Annotated[float, Field(gt=0, allow_inf_nan=False), Tag("number")] | Annotated[Literal["cv"], Tag("cv")],
    Discriminator(_kind_of_gamma),
]
Gammas = Annotated[list[Gamma], BeforeValidator(_as_list), Field(min_length=1)]
Widths = Annotated[list[Annotated[int, Field(ge=1, le=10**6)]], BeforeValidator(_as_list), Field(min_length=1)]
Seeds = Annotated[list[Annotated[int, Field(ge=0, lt=2**32)]], BeforeValidator(_as_seeds), Field(min_length=1)]
Texts = Annotated[list[str], BeforeValidator(_as_list), Field(min_length=1)]
Booleans = Annotated[list[bool], BeforeValidator(_as_list), Field(min_length=1)]
Fractions = Annotated[list[Annotated[float, Field(ge=0, lt=1)]], BeforeValidator(_as_list)]
Counts = Annotated[list[Annotated[int, Field(ge=1)]], BeforeValidator(_as_list)]


class DatasetTable(BaseModel):
    """One [[dataset]] table; keys that are not listed here go to `datasets.load`, which knows which ones it takes."""

    model_config = ConfigDict(extra="allow", strict=True)

    name: str
    data_seed: Seeds = [0]
    preprocess: Texts = ["none"]
    bias: Booleans = [False]
    test_fraction: Fractions = []
    n: Counts = []


class MethodTable(BaseModel):
    """One [[method]] table; keys that are not listed here are options of the method."""

    model_config = ConfigDict(extra="allow", strict=True)

    name: str = ""
    use: str = ""
    gamma: Gammas | None = None
    width: Widths | None = None
    seed: Seeds | None = None
    up_to_n: Annotated[int, Field(ge=1)] | None = None

    @pydantic.model_validator(mode="after")
    def _one_of_name_and_use(self) -> MethodTable:
        if bool(self.name) == bool(self.use):
            raise ValueError('must have either name = "…" or use = "path/file.py:function"')
        return self


class Spec(BaseModel):
    """A run: the grid and the limits of each cell. timeout in seconds, memory in 10⁹ bytes (None: a share of all)."""

    model_config = ConfigDict(extra="forbid", strict=True, ser_json_inf_nan="constants")

    name: str = "run"
    about: str = ""
    seed: Seeds = [0]
    gamma: Gammas = [0.1]
    width: Widths = [100]
    timeout: Annotated[float, Field(gt=0, le=10**7)] = 600.0
    memory: Annotated[float, Field(gt=0)] | None = None
    jobs: Annotated[int, Field(ge=1, le=1024)] | None = None
    dataset: Annotated[list[DatasetTable], Field(min_length=1)]
    method: Annotated[list[MethodTable], Field(min_length=1)]
    tolerance: dict[str, Any] = {}

    def toml(self) -> str:
        """The spec as a TOML file that `relaxbench run` takes again."""
        import tomli_w

        return tomli_w.dumps(_without_empty(self.model_dump(mode="json", exclude_none=True)))


def _without_empty(tables: dict[str, Any]) -> dict[str, Any]:
    return {
        key: [_without_empty(table) if isinstance(table, dict) else table for table in value]
        if isinstance(value, list)
        else value
        for key, value in tables.items()
        if value not in ("", [], {})
    }


def shipped_configs() -> dict[str, Path]:
    """The configs that come with relaxbench, by name."""
    folder = Path(str(files(__package__.rpartition(".")[0]))) / "configs"
    return {path.stem: path for path in sorted(folder.glob("*.toml"))}


def read_config(config: str) -> dict[str, Any]:
    """The tables of a config: the name of one that ships, or a path. Files named in it are relative to its folder."""
    shipped = shipped_configs()
    path = shipped[config] if config in shipped and not Path(config).is_file() else Path(config)
    if not path.is_file():
        raise UsageError(unknown("config (neither a file nor one that ships)", config, shipped))
    try:
        if path.stat().st_size > MAX_CONFIG_BYTES:
            raise UsageError(f"{path} must be a TOML file of at most {MAX_CONFIG_BYTES} bytes. Got more.")
        text = path.read_text(encoding="utf-8")
        if any(key.count(".") > MAX_DOTS for line in text.splitlines() for key in line.partition("=")[0].split(",")):
            raise UsageError(f"{path} must have keys of at most {MAX_DOTS} dots. Got more.")  # they cost their square
        tables = tomllib.loads(text)
    except UsageError:
        raise
    except (ValueError, RecursionError) as error:  # a number of thousands of digits is a ValueError of its own
        raise UsageError(f"{path} must be a TOML file. Got {one_line(error)} instead.") from None
    except OSError as error:
        raise UsageError(f"{path} must be a file that can be read. Got {error.strerror} instead.") from None
    _anchor(tables, path.parent)
    return tables


def check_spec(tables: Mapping[str, Any], source: str = "the run") -> Spec:
    """A Spec from plain tables; raises UsageError with one line about the first thing wrong, after its source."""
    try:
        spec = Spec.model_validate(tables)
    except pydantic.ValidationError as error:
        raise UsageError(f"{source}: {_first_error(error)}") from None
    check_tolerances(spec.tolerance)
    return spec


def resolve(config: str | None, given: Mapping[str, Any], options: Mapping[str, Any]) -> Spec:
    """The Spec of a config, if any, with what the command line gives in place of the config's lists.

    given: dataset and method as lists of names (a table of the config with that name keeps its other keys); gamma,
    width and seed as lists, also in place of those of single methods; preprocess and bias for every data set; timeout,
    memory and jobs. None means not given. options: for every method that has them.
    """
    tables = read_config(config) if config is not None else {}
    given = {key: value for key, value in given.items() if value is not None}
    for kind in ("dataset", "method"):
        if kind in given:
            names = [_absolute(kind, name, Path()) for name in given.pop(kind)]
            tables[kind] = [table for name in names for table in _named(tables.get(kind, []), kind, name)]
    for key in given.keys() & DatasetTable.model_fields.keys():
        _set(tables.get("dataset"), key, given.pop(key))
    for key in given.keys() & MethodTable.model_fields.keys():
        _drop(tables.get("method"), key)
    spec = check_spec({**tables, **given}, config or "the run")
    return _with_options(spec, options) if options else spec


def _with_options(spec: Spec, options: Mapping[str, Any]) -> Spec:
    """The options put into every method table that has them; raises UsageError for one that no method has."""
    tables, unused = [], set(options)
    for table in spec.method:
        known = options.keys() & options_of(find(table.use or table.name)).keys()
        unused -= known
        tables.append(table.model_copy(update={key: options[key] for key in known}))
    for option in sorted(unused):
        names = ", ".join(table.use or table.name for table in spec.method)
        raise UsageError(f"--{option} must be an option of a method of the run. Got {names}, which do not have it.")
    return spec.model_copy(update={"method": tables})


def _named(tables: Any, kind: str, name: str) -> list[dict[str, Any]]:
    """The tables of that name, or a bare one."""
    given = tables if isinstance(tables, list) else []
    found = [table for table in given if isinstance(table, dict) and name in (table.get("name"), table.get("use"))]
    return found or [{"use" if kind == "method" and ".py:" in name else "name": name}]


def _set(tables: Any, key: str, value: Any) -> None:
    for table in tables if isinstance(tables, list) else []:
        if isinstance(table, dict):
            table[key] = value


def _drop(tables: Any, key: str) -> None:
    for table in tables if isinstance(tables, list) else []:
        if isinstance(table, dict):
            table.pop(key, None)


def _absolute(kind: str, name: str, folder: Path) -> str:
    """The name of a data set or method with the path in it, if any, made absolute; it is relative to `folder`."""
    if kind == "dataset" and name.startswith("file:") and name != "file:":
        return "file:" + _absolute_path(name.removeprefix("file:"), folder)
    return _absolute_path(name, folder) if kind == "method" and ".py:" in name else name


def _absolute_path(path: str, folder: Path) -> str:
    try:
        return str((folder / Path(path).expanduser()).resolve())
    except (ValueError, RuntimeError, OSError) as error:  # a zero byte, no home, a loop of links
        raise UsageError(f"a path must name a file. Got {shown(path)} ({one_line(error)}) instead.") from None


def _anchor(tables: dict[str, Any], folder: Path) -> None:
    """Make the paths in a config's tables absolute: they are relative to the config's folder."""
    for kind, key in (("dataset", "name"), ("method", "use")):
        entries = tables.get(kind)
        for table in entries if isinstance(entries, list) else []:
            if isinstance(table, dict) and isinstance(table.get(key), str):
                table[key] = _absolute(kind, table[key], folder)


def _first_error(error: pydantic.ValidationError) -> str:
    details = sorted(error.errors(), key=lambda detail: detail["type"] != "extra_forbidden")  # a typo explains the rest
    first = details[0]
    path = [part for part in first["loc"] if part != "number"]  # the kind of a γ, which nobody wrote
    where = "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")
    more = f" (and {len(details) - 1} more)" if len(details) > 1 else ""
    if first["type"] == "extra_forbidden":
        return unknown("key", first["loc"][-1], Spec.model_fields) + more
    if first["type"] == "missing":
        mend = f"give one with --{where}, or a config (shipped: {', '.join(shipped_configs())})"
        return f"{where} is missing: {mend}." + more
    message = first["msg"].removeprefix("Value error, ")
    return f"{where}: {message[:1].lower()}{message[1:]}. Got {shown(first['input'])} instead.{more}"
