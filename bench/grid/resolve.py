"""resolve: a run out of a config and the command line.

The config is validated as it stands. What the command line gives then takes the place of its lists, in copies of the
validated models, and the whole is validated again.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...errors import nearest, shown
from ..text import UsageError, one_line
from .config import config_path, read_tables
from .methods import find
from .methods import options as options_of
from .spec import DatasetTable, Draft, MethodTable, Spec, check_labels, check_names, check_spec, checked, members


def read_config(config: str) -> Draft:
    """Read and validate a config.

    Args:
        config: the name of one that ships, or a path.

    Returns:
        The config; files named in it, which are relative to its folder, have absolute paths.

    Raises:
        UsageError: there is no such config, or something in it is wrong.
    """
    path = config_path(config)
    draft = checked(Draft, read_tables(path), config)
    draft = draft.model_copy(update=_anchored(draft, path.parent))
    check_names(draft, config)
    check_labels(draft, config)
    return draft


def resolve(config: str | None, given: Mapping[str, Any], options: Mapping[str, Any]) -> Spec:
    """Make the Spec of a run.

    Args:
        config: as for `read_config`; None: there is none, and the command line says everything.
        given: what takes the place of the config's lists: dataset and method as lists of names (a table of the config
            with that name keeps its other keys); gamma, width and seed as lists, also in place of those of single
            methods; preprocess, test_fraction, bias, activation and loss for every data set; timeout, memory, jobs and
            threads. None: not given.
        options: options for every method that has them, by name.

    Returns:
        The run.

    Raises:
        UsageError: something in the config or on the command line is wrong, or missing in both.
    """
    draft = Draft() if config is None else read_config(config)
    draft = _overridden(draft, {key: value for key, value in given.items() if value is not None})
    spec = check_spec({key: getattr(draft, key) for key in draft.model_fields_set}, "the run")
    return _with_options(spec, options) if options else spec


def _anchored(draft: Draft, folder: Path) -> dict[str, Any]:
    """The tables of a config in that folder, as far as it has them, with absolute paths."""
    found: dict[str, Any] = {}
    if draft.dataset:
        found["dataset"] = [one.model_copy(update={"name": _data_name(one.name, folder)}) for one in draft.dataset]
    if draft.method:
        found["method"] = [
            one.model_copy(
                update={
                    "use": _method_name(one.use, folder),
                    "dataset": one.dataset and [_data_name(name, folder) for name in one.dataset],
                }
            )
            for one in draft.method
        ]
    return found


def _overridden(draft: Draft, given: Mapping[str, Any]) -> Draft:
    """The draft with the values given in place of its own; they are not validated yet."""
    for_data = {key: given[key] for key in given.keys() & DatasetTable.model_fields.keys()}
    of_methods = dict.fromkeys(given.keys() & {"gamma", "width", "seed"})  # None: those of the run count
    found = {key: given[key] for key in given.keys() - for_data.keys() - {"dataset", "method"}}
    datasets, methods = draft.dataset, draft.method
    if "dataset" in given:
        datasets = [table for name in given["dataset"] for one in members(name) for table in _datasets(draft, one)]
    if "method" in given:
        methods = [table for name in given["method"] for table in _methods(draft, name)]
    if "dataset" in given:
        methods = _remaining(methods, {table.name for table in datasets})
    if datasets or "dataset" in given:
        found["dataset"] = [table.model_copy(update=for_data) for table in datasets]
    if draft.method or "method" in given:
        found["method"] = [table.model_copy(update=of_methods) for table in methods]
    return draft.model_copy(update=found)


def _remaining(tables: list[MethodTable], names: set[str]) -> list[MethodTable]:
    """The tables that are for one of these data sets, for which they name no others any more."""
    kept = []
    for table in tables:
        dataset = table.dataset and [name for name in table.dataset if name in names]
        if table.dataset is None or dataset:
            kept.append(table.model_copy(update={"dataset": dataset}))
    return kept


def _datasets(draft: Draft, name: str) -> list[DatasetTable]:
    """The tables of the data set of that name, or a bare one."""
    name = _data_name(name, Path())
    return [table for table in draft.dataset if table.name == name] or [
        checked(DatasetTable, {"name": name}, "--dataset")
    ]


def _methods(draft: Draft, name: str) -> list[MethodTable]:
    """The tables of the method of that name, or a bare one."""
    name = _method_name(name, Path())
    return [table for table in draft.method if (table.use or table.name) == name] or [
        checked(MethodTable, {"use" if ".py:" in name else "name": name}, "--method")
    ]


def _with_options(spec: Spec, options: Mapping[str, Any]) -> Spec:
    """The options put into every method table that has them; raises UsageError for one that no method has."""
    tables, unused = [], set(options)
    for table in spec.method:
        known = options.keys() & options_of(find(table.use or table.name)).keys()
        unused -= known
        tables.append(table.model_copy(update={key: options[key] for key in known}))
    for option in sorted(unused):
        names = [table.use or table.name for table in spec.method]
        near = nearest(option, {known for name in names for known in options_of(find(name))})
        hint = f" Did you mean {near!r}?" if near else ""
        raise UsageError(
            f"--{option} must be an option of a method of the run. Got {', '.join(names)}, which do not have it.{hint}"
        )
    return spec.model_copy(update={"method": tables})


def _data_name(name: str, folder: Path) -> str:
    """The name of a data set; the path of a file, which is relative to `folder`, is made absolute."""
    path = name.removeprefix("file:")
    return f"file:{_absolute(path, folder)}" if path and path != name else name


def _method_name(name: str, folder: Path) -> str:
    """The name of a method; the path of a file, which is relative to `folder`, is made absolute."""
    return _absolute(name, folder) if ".py:" in name else name


def _absolute(path: str, folder: Path) -> str:
    try:
        return str((folder / Path(path).expanduser()).resolve())
    except (ValueError, RuntimeError, OSError) as error:  # a zero byte, no home, a loop of links
        raise UsageError(f"a path must name a file. Got {shown(path)} ({one_line(error)}) instead.") from None
