"""Spec: what a run is to do, from a TOML file and the command line, checked key by key.

    name = "mine"            gamma = [0.1, 0.01]        timeout = 60      # seconds a cell
    seed = "0..4"            width = [10, 100]          memory = 4        # GB a cell
    [[dataset]]              # name, and data_seed, preprocess, bias, test_fraction, n, or options of the data set's own
    name = "random"
    data_seed = "0..99"
    [[method]]               # name or use = "path/file.py:function", options, and gamma, width, seed of its own
    name = "sdp"
    solver = ["ipm", "cvxpy-scs"]

A list where one value would do makes a grid.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

import pydantic
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from .text import UsageError, unknown

MAX_CONFIG_BYTES = 1_000_000
MAX_RANGE = 100_000


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


Gammas = Annotated[
    list[Annotated[float, Field(gt=0, allow_inf_nan=False)]], BeforeValidator(_as_list), Field(min_length=1)
]
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

    @pydantic.model_validator(mode="after")
    def _one_of_name_and_use(self) -> MethodTable:
        if bool(self.name) == bool(self.use):
            raise ValueError('must have either name = "…" or use = "path/file.py:function"')
        return self


class Spec(BaseModel):
    """A run: the grid and the limits of each cell. timeout in seconds, memory in 10⁹ bytes (None: a share of all)."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: str = "run"
    seed: Seeds = [0]
    gamma: Gammas = [0.1]
    width: Widths = [100]
    timeout: Annotated[float, Field(gt=0, le=10**7)] = 600.0
    memory: Annotated[float, Field(gt=0)] | None = None
    jobs: Annotated[int, Field(ge=1, le=1024)] | None = None
    dataset: Annotated[list[DatasetTable], Field(min_length=1)]
    method: Annotated[list[MethodTable], Field(min_length=1)]

    def toml(self) -> str:
        """The spec as a TOML file that `relaxbench run` takes again."""
        import tomli_w

        return tomli_w.dumps(self.model_dump(mode="json", exclude_none=True))


def shipped_configs() -> dict[str, Path]:
    """The configs that come with relaxbench, by name."""
    folder = Path(str(files(__package__))) / "configs"
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
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"{path} must be a TOML file. Got {error} instead.") from None
    except OSError as error:
        raise UsageError(f"{path} must be a file that can be read. Got {error.strerror} instead.") from None
    _anchor(tables, path.parent)
    return tables


def check_spec(tables: Mapping[str, Any], source: str = "the run") -> Spec:
    """A Spec from plain tables; raises UsageError with one line about the first thing wrong, after its source."""
    try:
        return Spec.model_validate(tables)
    except pydantic.ValidationError as error:
        raise UsageError(f"{source}: {_first_error(error)}") from None


def override(tables: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The tables with what the command line gives in place of the config's lists.

    given: dataset and method as lists of names (a table of the config with that name keeps its other keys), gamma,
    width and seed as lists (also in place of those of single methods), preprocess and bias for every data set,
    options for every method that has the option, and timeout, memory, jobs.
    """
    result = {key: list(value) if isinstance(value, list) else value for key, value in tables.items()}
    for kind in ("dataset", "method"):
        if given.get(kind):
            result[kind] = [table for name in given[kind] for table in _named(result.get(kind, []), kind, name)]
    for key in ("gamma", "width", "seed", "timeout", "memory", "jobs"):
        if given.get(key) is not None:
            result[key] = given[key]
            result["method"] = [_without(table, key) for table in result.get("method", [])]
    for key in ("preprocess", "bias"):
        if given.get(key) is not None:
            result["dataset"] = [{**table, key: given[key]} for table in result.get("dataset", [])]
    return result


def _named(tables: list[Any], kind: str, name: str) -> list[dict[str, Any]]:
    found = [table for table in tables if isinstance(table, dict) and name in (table.get("name"), table.get("use"))]
    if found:
        return found
    return [{"use" if kind == "method" and ".py:" in name else "name": name}]


def _without(table: Any, key: str) -> Any:
    return {name: value for name, value in table.items() if name != key} if isinstance(table, dict) else table


def _anchor(tables: dict[str, Any], folder: Path) -> None:
    """Make the paths in a config's tables absolute: they are relative to the config's folder."""
    for kind, key, prefix in (("dataset", "name", "file:"), ("method", "use", "")):
        entries = tables.get(kind)
        for table in entries if isinstance(entries, list) else []:
            value = table.get(key) if isinstance(table, dict) else None
            if isinstance(value, str) and value.startswith(prefix) and value:
                table[key] = prefix + str((folder / Path(value.removeprefix(prefix)).expanduser()).resolve())


def _first_error(error: pydantic.ValidationError) -> str:
    details = error.errors()
    first = details[0]
    where = "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in first["loc"]).lstrip(".")
    more = f" ({len(details) - 1} more like this)" if len(details) > 1 else ""
    if first["type"] == "extra_forbidden":
        return unknown("key", first["loc"][-1], Spec.model_fields) + more
    if first["type"] == "missing":
        mend = f"give one with --{where}, or a config (shipped: {', '.join(shipped_configs())})"
        return f"{where} is missing: {mend}." + more
    message = first["msg"].removeprefix("Value error, ")
    return f"{where}: {message[:1].lower()}{message[1:]}. Got {first['input']!r} instead.{more}"
