"""Spec: what a run is to do, checked key by key.

    name = "mine"            gamma = [0.1, "cv"]        timeout = 60      # seconds a cell; cv: by cross-validation,
                                                              # validation: once for all folds of a data set
    seed = "0..4"            width = [10, 100]          memory = 4        # GB a cell
    [[dataset]]              # name (or that of a group, such as "small/*"), and data_seed, preprocess, bias,
                             # activation, loss, test_fraction, n, or options of the data set's own;
                             # label = "…": what reports call it;
                             # instances/NAME and instances/* have all of that and their γ by themselves
    name = "random"
    data_seed = "0..99"
    [[method]]               # name or use = "path/file.py:function", options, and gamma, width, seed of its own;
                             # up_to_n = 200 leaves out data with more training rows than that, dataset = ["random"]
                             # all other data sets; a method may have several tables, and a label for each
    name = "sdp"
    solver = ["ipm", "cvxpy-scs"]
    [tolerance]              # how much worse a column may get from one run to another, see tolerances.py
    objective = 0.01

A list where one value would do makes a grid. A label changes what reports say and nothing else: no cell is computed
again for it. Tables of one data set or method may share a label, those of two may not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar

import pydantic
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag

from ...datasets import GROUPS
from ...datasets.instances import instances
from ...errors import shown, unknown
from ...solvers.activation import RULE, Activation, ActivationError
from ..text import UsageError
from .config import shipped_configs
from .model import MODEL
from .tolerances import check_tolerances

CV = "cv"  # in place of a γ: chosen by cross-validation
VALIDATION = "validation"  # or with other hyper-parameters once for all folds of a data set
INSTANCE = "instances/"  # before the name of an instance
MAX_RANGE = 100_000
LONGEST_LABEL = 60  # letters

Model = TypeVar("Model", bound=BaseModel)


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
    return "chosen" if value in (CV, VALIDATION) else "number"


def _is_label(value: str) -> str:
    if len(value) > LONGEST_LABEL or not value.isprintable() or value != value.strip():
        raise ValueError(f"a label must be printable text of at most {LONGEST_LABEL} letters, no space at either end")
    return value


def _activation(value: str) -> str:
    """Its one name: leaky:0 is relu."""
    try:
        return str(Activation.of(value))
    except ActivationError:
        raise ValueError(RULE) from None


Gamma = Annotated[
    Annotated[float, Field(gt=0, allow_inf_nan=False), Tag("number")]
    | Annotated[Literal["cv", "validation"], Tag("chosen")],
    Discriminator(_kind_of_gamma),
]
Gammas = Annotated[list[Gamma], BeforeValidator(_as_list), Field(min_length=1)]
Widths = Annotated[list[Annotated[int, Field(ge=1, le=10**6)]], BeforeValidator(_as_list), Field(min_length=1)]
Seeds = Annotated[list[Annotated[int, Field(ge=0, lt=2**32)]], BeforeValidator(_as_seeds), Field(min_length=1)]
Texts = Annotated[list[str], BeforeValidator(_as_list), Field(min_length=1)]
Booleans = Annotated[list[bool], BeforeValidator(_as_list), Field(min_length=1)]
Activations = Annotated[
    list[Annotated[str, AfterValidator(_activation)]], BeforeValidator(_as_list), Field(min_length=1)
]
Losses = Annotated[list[Literal["squares", "logistic"]], BeforeValidator(_as_list), Field(min_length=1)]
Label = Annotated[str, AfterValidator(_is_label)]
Fractions = Annotated[list[Annotated[float, Field(ge=0, lt=1)]], BeforeValidator(_as_list)]
Counts = Annotated[list[Annotated[int, Field(ge=1)]], BeforeValidator(_as_list)]


# A copy in which values were replaced is validated again with the run that it becomes part of.
TABLE = ConfigDict(extra="allow", strict=True, revalidate_instances="always")


class DatasetTable(BaseModel):
    """One [[dataset]] table; keys that are not listed here go to `datasets.load`, which knows which ones it takes."""

    model_config = TABLE

    name: str
    label: Label = ""
    data_seed: Seeds = [0]
    preprocess: Texts = ["none"]
    bias: Booleans = [False]
    activation: Activations = [MODEL["activation"]]
    loss: Losses = ["squares"]
    test_fraction: Fractions = []
    n: Counts = []


class MethodTable(BaseModel):
    """One [[method]] table; keys that are not listed here are options of the method."""

    model_config = TABLE

    name: str = ""
    use: str = ""
    label: Label = ""
    gamma: Gammas | None = None
    width: Widths | None = None
    seed: Seeds | None = None
    up_to_n: Annotated[int, Field(ge=1)] | None = None
    dataset: Texts | None = None

    @pydantic.field_validator("dataset")
    @classmethod
    def _members_of_groups(cls, names: list[str] | None) -> list[str] | None:
        return None if names is None else [one for name in names for one in members(name)]

    @pydantic.model_validator(mode="after")
    def _one_of_name_and_use(self) -> MethodTable:
        if bool(self.name) == bool(self.use):
            raise ValueError('must have either name = "…" or use = "path/file.py:function"')
        return self

    def is_for(self, name: str, n: int) -> bool:
        """Whether the table is for the data set of that name with n training rows."""
        return (self.dataset is None or name in self.dataset) and (self.up_to_n is None or n <= self.up_to_n)


class Draft(BaseModel):
    """What a config says of a run; its data sets and methods may be left to the command line.

    timeout in seconds, memory in 10⁹ bytes (None: a share of all) and threads of linear algebra, all for each cell.
    """

    model_config = ConfigDict(extra="forbid", strict=True, ser_json_inf_nan="constants")

    name: str = "run"
    about: str = ""
    seed: Seeds = [0]
    gamma: Gammas = [0.1]
    width: Widths = [100]
    timeout: Annotated[float, Field(gt=0, le=10**7)] = 600.0
    memory: Annotated[float, Field(gt=0)] | None = None
    jobs: Annotated[int, Field(ge=1, le=1024)] | None = None
    threads: Annotated[int, Field(ge=1, le=1024)] = 1
    dataset: list[DatasetTable] = []
    method: list[MethodTable] = []
    tolerance: dict[str, Any] = {}

    @pydantic.field_validator("dataset")
    @classmethod
    def _members_of_groups(cls, tables: list[DatasetTable]) -> list[DatasetTable]:
        """A table for each member in place of that of a group."""
        return [table.model_copy(update={"name": name}) for table in tables for name in members(table.name)]


def members(name: str) -> tuple[str, ...]:
    """The data sets that a name stands for: those of a group, all instances, or the one of that name."""
    if name == f"{INSTANCE}*":
        return tuple(f"{INSTANCE}{instance.name}" for instance in instances())
    return tuple(GROUPS.get(name, (name,)))


class Spec(Draft):
    """A run, complete: the grid and the limits of each cell."""

    dataset: Annotated[list[DatasetTable], Field(min_length=1)]
    method: Annotated[list[MethodTable], Field(min_length=1)]

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


def check_spec(tables: Mapping[str, Any], source: str = "the run") -> Spec:
    """Validate a run.

    Args:
        tables: as TOML has them, or with the models of this file as tables.
        source: where they are from, for the error.

    Returns:
        The run.

    Raises:
        UsageError: something is wrong; it names the first such thing.
    """
    spec = checked(Spec, tables, source)
    check_tolerances(spec.tolerance)
    check_names(spec, source)
    check_labels(spec, source)
    check_instances(spec, source)
    return spec


def check_instances(spec: Spec, source: str) -> None:
    """Raises UsageError for an instance with options, or a γ, other than its own."""
    found = [table for table in spec.dataset if table.name.startswith(INSTANCE)]
    for table in found:
        own = DatasetTable(name=table.name, label=table.label)
        changed = [key for key, value in table.model_dump().items() if getattr(own, key, None) != value]
        if changed:
            raise UsageError(f"{source}: {table.name} must come without {changed[0]}: an instance has its own data.")
    gammas = [spec.gamma, *(table.gamma for table in spec.method if table.gamma)]
    if len(found) == len(spec.dataset) and any(gamma != Draft().gamma for gamma in gammas):
        raise UsageError(f"{source}: instances must come without gamma: each has its own. Got {gammas[-1]} instead.")


def check_names(draft: Draft, source: str) -> None:
    """Raises UsageError for the first data set that a method is for and that the draft, having some, does not have."""
    names = sorted({table.name for table in draft.dataset})
    for table in draft.method:
        for name in table.dataset or []:
            if names and name not in names:
                raise UsageError(f"{source}: {unknown(f'data set of {table.name or table.use}', name, names)}")


def check_labels(draft: Draft, source: str) -> None:
    """Raises UsageError for the first label that two data sets or two methods have, or that is the name of another."""
    datasets = [(table.name, table.label) for table in draft.dataset]
    methods = [(table.use or table.name, table.label) for table in draft.method]
    for kind, tables in (("data set", datasets), ("method", methods)):
        owners = {name: name for name, _ in tables}
        for name, label in tables:
            owner = owners.setdefault(label, name) if label else name
            if owner != name:
                raise UsageError(
                    f"{source}: the label of a {kind} must be that of no other. Got {shown(label)} for {owner} and "
                    f"{name} instead: change one."
                )


def checked(model: type[Model], tables: Mapping[str, Any], source: str) -> Model:
    """Validate tables as one of the models of this file; arguments and errors as those of `check_spec`."""
    try:
        return model.model_validate(tables)
    except pydantic.ValidationError as error:
        raise UsageError(f"{source}: {_first_error(error)}") from None


def _first_error(error: pydantic.ValidationError) -> str:
    details = sorted(error.errors(), key=lambda detail: detail["type"] != "extra_forbidden")  # a typo explains the rest
    first = details[0]
    path = [part for part in first["loc"] if part not in ("number", "chosen")]  # the kind of a γ, which nobody wrote
    where = "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")
    more = f" (and {len(details) - 1} more)" if len(details) > 1 else ""
    if first["type"] == "extra_forbidden":
        return unknown("key", first["loc"][-1], Spec.model_fields) + more
    if first["type"] == "missing":
        fix = f"give one with --{where}, or a config (shipped: {', '.join(shipped_configs())})"
        return f"{where} is missing: {fix if len(path) == 1 else 'each table needs one'}.{more}"
    message = first["msg"].removeprefix("Value error, ")
    place = f"{where}: " if where else ""
    return f"{place}{message[:1].lower()}{message[1:]}. Got {shown(first['input'])} instead.{more}"
