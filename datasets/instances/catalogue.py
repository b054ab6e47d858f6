"""What the name of an instance stands for: a data set with its options, and γ."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ...errors import unknown
from ..catalogue import load as load_dataset
from ..checks import DataError
from ..dataset import Dataset, short_hash

CATALOGUE = Path(__file__).with_name("catalogue.csv")
ENTRIES = Path(__file__).with_name("entries")


@dataclass(frozen=True)
class Instance:
    """A training problem by name: min ½‖(XU)₊V − Y‖² + γ/2 (‖U‖² + ‖V‖²) on the training rows of a data set.

    dataset, seed, options: what `datasets.load` takes. gamma: γ. n, d, c: rows, features and outputs. data: the hash of
    its data as the column `data` of results has it. rounded: that of the data rounded, the same on every machine.
    """

    name: str
    dataset: str
    seed: int
    options: Mapping[str, Any]
    gamma: float
    n: int
    d: int
    c: int
    data: str
    rounded: str


@cache
def instances() -> tuple[Instance, ...]:
    """All instances, in the order of the catalogue.

    Returns:
        The instances.
    """
    with CATALOGUE.open(encoding="utf-8", newline="") as file:
        return tuple(_instance(row) for row in csv.DictReader(file))


def find(name: str) -> Instance:
    """The instance of that name.

    Args:
        name: as `instances` has it.

    Returns:
        The instance.

    Raises:
        DataError: there is none.
    """
    known = {instance.name: instance for instance in instances()}
    if not isinstance(name, str) or name not in known:
        message = unknown("instance", name, known)
        fix = message if "Did you mean" in message else f"{message.partition('. Valid:')[0]}: see instances()."
        raise DataError(fix)
    return known[name]


def load(instance: Instance, data_dir: Path | None = None) -> Dataset:
    """The data of an instance, which are compared with the catalogue.

    Their last bits come out of products of matrices and differ from processor to processor; so where the hash is
    another one, that of the rounded data decides.

    Args:
        instance: from `find` or `instances`.
        data_dir: a folder whose original files come first.

    Returns:
        The data; their training rows are X and Y of the instance.

    Raises:
        DataError: data that cannot be had, or other data than the catalogue's.
    """
    dataset = load_dataset(instance.dataset, seed=instance.seed, data_dir=data_dir, **instance.options)
    if short_hash(dataset.sha256) != instance.data and dataset.rounded != instance.rounded:
        raise DataError(
            f"The data of {instance.name} must be {instance.data}, as in the catalogue. "
            f"Got {short_hash(dataset.sha256)} instead: a package or a file of data has another version."
        )
    return dataset


def _instance(row: Mapping[str, str]) -> Instance:
    return Instance(
        name=row["name"],
        dataset=row["dataset"],
        seed=int(row["seed"]),
        options=MappingProxyType(json.loads(row["options"])),
        gamma=float(row["gamma"]),
        n=int(row["n"]),
        d=int(row["d"]),
        c=int(row["c"]),
        data=row["data"],
        rounded=row["rounded"],
    )
