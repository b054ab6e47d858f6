"""The training rows of a data set: all of its rows, unless it brings test rows or some are to be left out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..datasets import load
from ..datasets.dataset import Dataset


def load_training(
    name: str, *, seed: int = 0, data_dir: Path | None = None, test_fraction: float | None = None, **options: Any
) -> Dataset:
    """Load a data set so that every row trains where it brings no test rows.

    Args:
        name: of a data set, or file:PATH.
        seed: of the split, or of generated data.
        data_dir: folder with original data files, used first.
        test_fraction: part of the rows left out where the data bring no test rows; None for none of them.
        options: others of `load`; those that are None are left out.

    Returns:
        The data set.

    Raises:
        DataError: an unknown name or option, or a file that does not read.
    """
    given = {option: value for option, value in options.items() if value is not None}
    given |= {} if test_fraction is None else {"test_fraction": test_fraction}
    data = load(name, seed=seed, data_dir=data_dir, **given)
    if test_fraction is None and "test_fraction" in data.provenance["options"]:
        data = load(name, seed=seed, data_dir=data_dir, **given, test_fraction=0.0)
    return data
