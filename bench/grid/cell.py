"""Cell: one piece of work with everything that can change its result; `expand` makes the list of them from a Spec."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Any

from ...datasets import DataError, Dataset, load
from ...solvers.problem import Problem
from ..canonical import canonical
from ..text import UsageError
from .fingerprint import code_fingerprint, forget
from .methods import check_options, find, split_options
from .registry import Method
from .spec import CV, DatasetTable, MethodTable, Spec

MAX_CELLS = 1_000_000
SHOWN = 12  # hexadecimal digits of a hash that stand in a table
SHORT = "sha256:"  # before a short hash: digits alone may read as a number, such as 1e0678286166
KNOWN = (  # the columns that are known before the work
    *("dataset", "data", "data_seed", "preprocess", "bias", "n", "d", "c", "n_test", "method", "solver", "rounding"),
    *("gamma", "gamma_by", "width", "seed", "options"),
)
# What scores, and what proves.
JUDGES = (
    *("bench/scoring/metrics.py", "bench/scoring/outcome.py", "bench/scoring/gate.py"),
    *("solvers/checker", "solvers/verify.py"),
)


@dataclass(frozen=True)
class Data:
    """Which data, enough to load them again: name as given, seed, options of `datasets.load`; and what came out.

    notes: what the user has to know of how a file of theirs was read.
    test_pool: rows that the test rows of every seed come from, 0 where each seed makes new ones, None if not known.
    """

    source: str
    seed: int
    options: Mapping[str, Any]
    folder: Path | None
    sha256: str
    n: int
    d: int
    c: int
    n_test: int
    test_pool: int | None = None
    notes: tuple[str, ...] = field(default=(), compare=False)

    @property
    def name(self) -> str:
        """The name to show: a user's file without its folders."""
        return (
            f"file:{Path(self.source.removeprefix('file:')).name}" if self.source.startswith("file:") else self.source
        )

    @property
    def locator(self) -> dict[str, Any]:
        """What a record keeps of the data, so that they can be loaded again."""
        return {name: value for name, value in vars(self).items() if name not in ("folder", "notes")}

    @classmethod
    def from_locator(cls, locator: Mapping[str, Any], folder: Path | None) -> Data:
        """The data of a record.

        Args:
            locator: what the record keeps of the data, as `locator` gives it.
            folder: folder with original data files, used first.

        Returns:
            The data, not loaded yet.
        """
        return cls(folder=folder, **locator)

    @property
    def columns(self) -> dict[str, Any]:
        """The columns of results that the data decide."""
        return {
            "dataset": self.name,
            "data": SHORT + self.sha256[:SHOWN],
            "data_seed": self.seed,
            "preprocess": self.options["preprocess"],
            "bias": self.options["bias"],
            "n": self.n,
            "d": self.d,
            "c": self.c,
            "n_test": self.n_test,
        }

    def load(self) -> Dataset:
        """The data again; raises DataError if they cannot be had and UsageError if they are no longer the same."""
        dataset = load(self.source, seed=self.seed, data_dir=self.folder, **self.options)
        if dataset.sha256 != self.sha256:
            raise UsageError(
                f"{self.name} must be the data of the run (sha256 {self.sha256[:12]}…). "
                f"Got {dataset.sha256[:12]}… instead."
            )
        return dataset


@dataclass(frozen=True)
class Cell:
    """Data, method with all its options, γ, and width and seed where the method uses them. code: its fingerprint.

    gamma: None if it is to be chosen by cross-validation.
    """

    data: Data
    method: Method
    options: Mapping[str, Any]
    gamma: float | None
    width: int | None
    seed: int | None
    code: str = field(repr=False)

    @cached_property
    def hash(self) -> str:
        """c and the first 20 hexadecimal digits of the sha256 of everything that can change the row.

        Versions of packages and the machine are no part of it: each record says its own (`environment` in its extra),
        and a run in another environment adds to a folder rather than computing all of it again.
        """
        return "c" + _hash({**self.columns, "data": self.data.sha256, "code": self.code})

    @cached_property
    def relaxation_hash(self) -> str | None:
        """The same for the relaxation that the cell shares with others; None if it shares none."""
        if not self.method.relax or self.gamma is None:
            return None
        return "r" + hash_of_relaxation(self.relaxation_asked)

    @property
    def relaxation_asked(self) -> dict[str, Any]:
        """What decides the relaxation that the cell shares with others, if it does."""
        options, _ = split_options(self.method, self.options)
        parts = (self.data.sha256, self.method.name, self.gamma, options, self.code)
        return dict(zip(("data", "method", "gamma", "options", "code"), parts, strict=True))

    @property
    def installed_code(self) -> str:
        """The fingerprint of that code as it is here, which on a worker may not be `code`."""
        return _code(self.method, chosen=self.gamma is None)

    @property
    def group(self) -> tuple[Any, ...]:
        """What the cells share that a batch method computes at once: all but the seed."""
        return (self.data.sha256, self.data.name, self.method.name, canonical(self.options), self.gamma, self.width)

    @cached_property
    def columns(self) -> dict[str, Any]:
        """The columns of results that are known before the work, without the hash."""
        return {
            **self.data.columns,
            "method": self.method.name,
            "solver": self.options.get("solver"),
            "rounding": self.options.get("rounding"),
            "gamma": self.gamma,
            "gamma_by": CV if self.gamma is None else None,
            "width": self.width,
            "seed": self.seed,
            "options": canonical(self.options),
        }

    @property
    def plan(self) -> dict[str, Any]:
        """The cell's row in a plan: what is known before the work, its hash, short ones of code and data asked for."""
        asked = _hash([self.data.source, self.data.seed, self.data.options])[:SHOWN]
        return {**self.columns, "cell": self.hash, "code": self.code[:SHOWN], "data_asked": asked}

    @property
    def label(self) -> str:
        """A few words for the progress line."""
        parts = [self.data.name, self.method.name, "γ by cv" if self.gamma is None else f"γ={self.gamma:g}"]
        parts += [f"width={self.width}"] if self.width is not None else []
        parts += [f"seed={self.seed}"] if self.seed is not None else []
        return " ".join(parts)


def expand(spec: Spec, data_dir: Path | None = None) -> list[Cell]:
    """All cells of a spec, after loading all data and checking every option.

    Args:
        spec: the grid.
        data_dir: folder with original data files, used first.

    Returns:
        The cells, each once.

    Raises:
        UsageError, DataError, ProblemError: the first thing that cannot run.
    """
    forget()
    methods = list(_methods(spec))
    cells: dict[str, Cell] = {}
    for data in _load_all(spec, data_dir):
        for table, method, options, code, code_cv in methods:
            if not table.is_for(data.source, data.n):
                continue
            widths = (table.width or spec.width) if "width" in method.axes else [None]
            seeds = (table.seed if table.seed is not None else spec.seed) if "seed" in method.axes else [None]
            for gamma, width, seed in product(table.gamma or spec.gamma, widths, seeds):
                known, made_by = (None, code_cv) if gamma == CV else (float(gamma), code)
                cell = Cell(data, method, options, known, width, seed, made_by)
                cells.setdefault(cell.hash, cell)
            if len(cells) > MAX_CELLS:
                raise UsageError(f"the grid must have at most {MAX_CELLS} cells. Got more: make lists shorter.")
    return list(cells.values())


def _methods(spec: Spec) -> Iterator[tuple[MethodTable, Method, dict[str, Any], str, str]]:
    """Each method table with one combination of its options, complete with defaults, and the code's fingerprints.

    The first is that for a given γ, the second that for a γ to be chosen.
    """
    for table in spec.method:
        method = find(table.use or table.name)
        code, code_cv = _code(method, chosen=False), _code(method, chosen=True)
        for options in _grid(table.model_extra or {}):
            yield table, method, check_options(method, options), code, code_cv


def _code(method: Method, *, chosen: bool) -> str:
    """Fingerprint of the code that computes a cell; chosen: γ is, by cross-validation."""
    return code_fingerprint((*method.code, *JUDGES, *(["bench/scoring/crossval.py"] if chosen else [])))


def _load_all(spec: Spec, data_dir: Path | None) -> Iterator[Data]:
    for table in spec.dataset:
        for options in _grid(_data_options(table)):
            for seed in table.data_seed:
                dataset = _load(table.name, seed, data_dir, options)
                for gamma in {gamma for method in spec.method for gamma in method.gamma or spec.gamma}:
                    problem = Problem(dataset.X_train, dataset.Y_train, 1.0 if gamma == CV else float(gamma))
                shape = (problem.n, problem.d, problem.c, len(dataset.X_test))
                folder, notes = data_dir and data_dir.resolve(), _notes(table.name, dataset)
                pool = dataset.provenance["test_pool"]
                yield Data(table.name, seed, options, folder, dataset.sha256, *shape, pool, notes=notes)


def _load(name: str, seed: int, data_dir: Path | None, options: Mapping[str, Any]) -> Dataset:
    try:
        return load(name, seed=seed, data_dir=data_dir, **options)
    except DataError as error:
        if name.removeprefix("file:") in str(error):
            raise
        raise UsageError(f"{name[:200]}: {error}") from None


def _notes(name: str, dataset: Dataset) -> tuple[str, ...]:
    """How a file of the user's was split and read; data sets that ship are documented."""
    if not name.startswith("file:"):
        return ()
    facts = dataset.provenance
    fix = " (--test-fraction 0 trains on all)" if facts["options"].get("test_fraction") else ""
    return tuple(f"{Path(name).name}: {line}" for line in (facts["split"] + fix, *facts["warnings"]))


def _data_options(table: DatasetTable) -> dict[str, Any]:
    listed = {"preprocess": table.preprocess, "bias": table.bias, "test_fraction": table.test_fraction, "n": table.n}
    return {name: values for name, values in listed.items() if values} | (table.model_extra or {})


def _grid(options: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Every combination of the options' values; a list stands for its elements."""
    lists = [value if isinstance(value, list) else [value] for value in options.values()]
    if math.prod(map(len, lists)) > MAX_CELLS:
        raise UsageError(f"the grid must have at most {MAX_CELLS} cells. Got more: make lists shorter.")
    for values in product(*lists):
        yield dict(zip(options, values, strict=True))


def hash_of_record(row: Mapping[str, Any], extra: Mapping[str, Any]) -> str:
    """Compute the hash of a cell again from its record.

    Args:
        row: row of the record.
        extra: extra of the record.

    Returns:
        The digits of the hash.
    """
    known = {name: row[name] for name in KNOWN}
    if row["gamma_by"] == CV:
        known["gamma"] = None
    return _hash({**known, "data": extra["data"]["sha256"], "code": extra["code"]})


def hash_of_relaxation(asked: Mapping[str, Any]) -> str:
    """Compute the hash of a relaxation.

    Args:
        asked: what decides the relaxation, as `Cell.relaxation_asked`.

    Returns:
        The digits of the hash.
    """
    return _hash(asked)


def _hash(value: Any) -> str:
    return hashlib.sha256(canonical(value).encode()).hexdigest()[:20]
