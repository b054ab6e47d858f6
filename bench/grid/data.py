"""Data: which data a cell is about, and how they are loaded again; `load_all` makes the list of them from a Spec."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path
from typing import Any

from ...datasets import DataError, Dataset, load
from ...datasets.dataset import short_hash
from ...datasets.instances import Instance, find
from ...datasets.instances import load as load_instance
from ...solvers.network import Array
from ...solvers.problem import Problem
from ..canonical import canonical
from ..text import UsageError
from .model import MODEL
from .spec import INSTANCE, VALIDATION, DatasetTable, Spec

MAX_CELLS = 1_000_000


@dataclass(frozen=True)
class Data:
    """Which data, enough to load them again: name as given, seed, options of `datasets.load`; and what came out.

    activation, loss: of the training problem that is made of them.

    notes: what the user has to know of how a file of theirs was read.
    label: what reports call the data; no part of what is recorded of them.
    instance: name of the instance that was asked for, empty for none; no part of it either.
    test_pool: rows that the test rows of every seed come from, 0 where each seed makes new ones, None if not known.
    rounded: `Dataset.rounded`, empty in records of earlier versions.
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
    rounded: str = ""
    activation: str = MODEL["activation"]
    loss: str = MODEL["loss"]
    notes: tuple[str, ...] = field(default=(), compare=False)
    label: str = field(default="", compare=False)
    instance: str = field(default="", compare=False)

    @property
    def asked(self) -> str:
        """What the run calls the data: the name as given, or that of the instance."""
        return f"{INSTANCE}{self.instance}" if self.instance else self.source

    @property
    def name(self) -> str:
        """The name to show: a user's file without its folders."""
        return (
            f"file:{Path(self.source.removeprefix('file:')).name}" if self.source.startswith("file:") else self.source
        )

    @property
    def locator(self) -> dict[str, Any]:
        """What a record keeps of the data, so that they can be loaded again."""
        left_out = ("folder", "notes", "label", "instance")
        return {name: value for name, value in vars(self).items() if name not in left_out}

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
            "data": short_hash(self.sha256),
            "data_rounded": short_hash(self.rounded) if self.rounded else None,
            "data_seed": self.seed,
            "preprocess": self.options["preprocess"],
            "bias": self.options["bias"],
            "n": self.n,
            "d": self.d,
            "c": self.c,
            "n_test": self.n_test,
            "activation": self.activation,
            "loss": self.loss,
        }

    @property
    def partition(self) -> tuple[Any, ...]:
        """What the folds of one partition share; `seed` alone tells them apart."""
        of_data = (self.source, canonical(self.options), self.seed // self.options["folds"])
        return (*of_data, self.activation, self.loss)

    def problem(self, X: Array, Y: Array, gamma: float) -> Problem:
        """A training problem on rows of these data.

        Args:
            X: rows (k, d).
            Y: their targets (k, c).
            gamma: γ.

        Returns:
            The problem, with the activation and loss that are asked for.
        """
        return Problem(X, Y, gamma, self.activation, self.loss)

    def validation(self) -> Dataset:
        """The split on which hyper-parameters are chosen for all folds; raises DataError."""
        return load(self.source, seed=self.seed, data_dir=self.folder, **{**self.options, "validation": True})

    def load(self) -> Dataset:
        """The data again; raises DataError if they cannot be had and UsageError if they are no longer the same."""
        dataset = load(self.source, seed=self.seed, data_dir=self.folder, **self.options)
        if dataset.sha256 != self.sha256:
            raise UsageError(
                f"{self.name} must be the data of the run (sha256 {self.sha256[:12]}…). "
                f"Got {dataset.sha256[:12]}… instead."
            )
        return dataset


def load_all(spec: Spec, data_dir: Path | None) -> Iterator[Data]:
    """Load every data set of a spec with every combination of its options and check that its methods can take it.

    Args:
        spec: the grid.
        data_dir: folder with original data files, used first.

    Yields:
        The data, one after the other.

    Raises:
        UsageError, DataError, ProblemError: the first thing that is wrong.
    """
    for table in spec.dataset:
        if table.name.startswith(INSTANCE):
            yield _of_instance(find(table.name.removeprefix(INSTANCE)), data_dir, table.label)
            continue
        for options in combinations(_data_options(table)):
            for seed in table.data_seed:
                dataset = _load(table.name, seed, data_dir, options)
                X, Y, models = dataset.X_train, dataset.Y_train, list(product(table.activation, table.loss))
                problem, *_ = [Problem(X, Y, 1.0, *model) for model in models]  # refuses what one of them cannot take
                asked = [method for method in spec.method if method.is_for(table.name, problem.n)]
                for gamma in {gamma for method in asked for gamma in method.gamma or spec.gamma}:
                    if gamma == VALIDATION and not options.get("folds"):
                        raise UsageError(_NO_FOLDS.format(table.name))
                    if not isinstance(gamma, str):
                        Problem(X, Y, float(gamma))  # refuses what cannot be scaled
                found = _data(table.name, seed, data_dir, options, dataset)
                for activation, loss in models:
                    found = replace(found, activation=activation, loss=loss)
                    yield replace(found, notes=_notes(table.name, dataset), label=table.label)


def _of_instance(instance: Instance, data_dir: Path | None, label: str) -> Data:
    """The data of an instance, which are its own; raises DataError."""
    options = {"preprocess": "none", "bias": False, **instance.options}
    found = _data(instance.dataset, instance.seed, data_dir, options, load_instance(instance, data_dir))
    return replace(found, label=label, instance=instance.name)


def _data(name: str, seed: int, data_dir: Path | None, options: Mapping[str, Any], dataset: Dataset) -> Data:
    """What a run keeps of data that were loaded."""
    n, d = dataset.X_train.shape
    shape = (n, d, dataset.Y_train.shape[1], len(dataset.X_test))
    folder, pool = data_dir and data_dir.resolve(), dataset.provenance["test_pool"]
    return Data(name, seed, options, folder, dataset.sha256, *shape, pool, dataset.rounded)


_NO_FOLDS = (
    'gamma = "validation" must go with data in folds. Got {} without: give its table folds = 4 and data_seed = "0..3".'
)


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


def combinations(options: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Make every combination of the options' values; a list stands for its elements.

    Args:
        options: values, or lists of them, by name.

    Yields:
        One value for each name.

    Raises:
        UsageError: more than MAX_CELLS.
    """
    lists = [value if isinstance(value, list) else [value] for value in options.values()]
    if math.prod(map(len, lists)) > MAX_CELLS:
        raise UsageError(f"the grid must have at most {MAX_CELLS} cells. Got more: make lists shorter.")
    for values in product(*lists):
        yield dict(zip(options, values, strict=True))
