"""Cell: one piece of work with everything that can change its result; `expand` makes the list of them from a Spec."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Any

from ...datasets.dataset import SHOWN
from ...datasets.instances import find as find_instance
from ..canonical import canonical
from ..text import UsageError
from .data import MAX_CELLS, Data, combinations, load_all
from .fingerprint import code_fingerprint, forget
from .methods import check_options, find, split_options
from .model import MODEL, model_of
from .registry import Method
from .spec import CV, VALIDATION, MethodTable, Spec

KNOWN = (  # the columns that are known before the work
    *("dataset", "data", "data_seed", "preprocess", "bias", "n", "d", "c", "n_test"),
    *(*MODEL, "method", "solver", "rounding"),
    *("gamma", "gamma_by", "width", "seed", "options"),
)
# What scores, and what proves.
JUDGES = (
    *("bench/scoring/metrics.py", "bench/scoring/outcome.py", "bench/scoring/gate.py"),
    *("solvers/checker", "solvers/verify.py"),
)
CHOOSERS: Mapping[str | None, tuple[str, ...]] = {  # what chooses γ, by the value of gamma_by
    None: (),
    CV: ("bench/scoring/crossval.py", "datasets/sampling.py"),
    VALIDATION: ("bench/scoring/validation.py", "datasets/folds.py", "datasets/sampling.py"),
}


@dataclass(frozen=True)
class Cell:
    """Data, method with all its options, γ, and width and seed where the method uses them. code: its fingerprint.

    gamma: None if it is to be chosen; gamma_by: then how, `cv` or `validation`. called: what reports call the method.
    """

    data: Data
    method: Method
    options: Mapping[str, Any]
    gamma: float | None
    width: int | None
    seed: int | None
    code: str = field(repr=False)
    gamma_by: str | None = None
    called: str = field(default="", compare=False)

    @cached_property
    def hash(self) -> str:
        """c and the first 20 hexadecimal digits of the sha256 of everything that can change the row.

        Versions of packages and the machine are no part of it: each record says its own (`environment` in its extra),
        and a run in another environment adds to a folder rather than computing all of it again.
        """
        return "c" + _hash_of(self.columns, self.data.sha256, self.code)

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
        asked = dict(zip(("data", "method", "gamma", "options", "code"), parts, strict=True))
        return asked | model_of(self.data.columns)

    @property
    def installed_code(self) -> str:
        """The fingerprint of that code as it is here, which on a worker may not be `code`."""
        return _code(self.method, self.gamma_by)

    @property
    def group(self) -> tuple[Any, ...]:
        """What the cells share that a batch method computes at once: all but the seed."""
        of_data = (self.data.sha256, self.data.name, self.data.activation, self.data.loss)
        return (*of_data, self.method.name, canonical(self.options), self.gamma, self.width)

    @property
    def folds(self) -> tuple[Any, ...]:
        """What the cells share whose hyper-parameters are chosen at once: all but the fold."""
        return (self.data.partition, self.method.name, canonical(self.options), self.width, self.seed)

    @cached_property
    def columns(self) -> dict[str, Any]:
        """The columns of results that are known before the work, without the hash."""
        return {
            **self.data.columns,
            "method": self.method.name,
            "solver": self.options.get("solver"),
            "rounding": self.options.get("rounding"),
            "gamma": self.gamma,
            "gamma_by": self.gamma_by,
            "width": self.width,
            "seed": self.seed,
            "options": canonical(self.options),
        }

    @property
    def plan(self) -> dict[str, Any]:
        """The cell's row in a plan: what is known before the work, its hash, short ones of code and data asked for.

        And, as far as there are any, the labels for reports, which are no part of the hash.
        """
        asked = _hash([self.data.source, self.data.seed, self.data.options])[:SHOWN]
        labels = {"dataset_label": self.data.label, "method_label": self.called}
        labels = {name: label for name, label in labels.items() if label}
        return {**self.columns, "cell": self.hash, "code": self.code[:SHOWN], "data_asked": asked, **labels}

    @property
    def label(self) -> str:
        """A few words for the progress line."""
        parts = [self.data.name, self.method.name, f"γ by {self.gamma_by}" if self.gamma_by else f"γ={self.gamma:g}"]
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
    for data in load_all(spec, data_dir):
        for table, method, options, codes in methods:
            if not table.is_for(data.asked, data.n):
                continue
            widths = (table.width or spec.width) if "width" in method.axes else [None]
            seeds = (table.seed if table.seed is not None else spec.seed) if "seed" in method.axes else [None]
            gammas = [find_instance(data.instance).gamma] if data.instance else table.gamma or spec.gamma
            for gamma, width, seed in product(gammas, widths, seeds):
                by = gamma if isinstance(gamma, str) else None
                known = None if isinstance(gamma, str) else float(gamma)
                cell = Cell(data, method, options, known, width, seed, codes[by], by, table.label)
                cells.setdefault(cell.hash, cell)
            if len(cells) > MAX_CELLS:
                raise UsageError(f"the grid must have at most {MAX_CELLS} cells. Got more: make lists shorter.")
    return list(cells.values())


def _methods(spec: Spec) -> Iterator[tuple[MethodTable, Method, dict[str, Any], dict[str | None, str]]]:
    """Each method table with one combination of its options, complete with defaults, and the code's fingerprints.

    They are those for a given γ (None) and for each way of choosing it.
    """
    for table in spec.method:
        method = find(table.use or table.name)
        codes = {by: _code(method, by) for by in CHOOSERS}
        for options in combinations(table.model_extra or {}):
            yield table, method, check_options(method, options), codes


def _code(method: Method, gamma_by: str | None) -> str:
    """Fingerprint of the code that computes a cell, and of what chooses its γ, if it is not given."""
    return code_fingerprint((*method.code, *JUDGES, *CHOOSERS[gamma_by]))


def hash_of_record(row: Mapping[str, Any], extra: Mapping[str, Any]) -> str:
    """Compute the hash of a cell again from its record.

    Args:
        row: row of the record.
        extra: extra of the record.

    Returns:
        The digits of the hash.
    """
    known = {**row, "gamma": None} if row["gamma_by"] else row
    return _hash_of(known, extra["data"]["sha256"], extra["code"])


def hash_of_relaxation(asked: Mapping[str, Any]) -> str:
    """Compute the hash of a relaxation.

    Args:
        asked: what decides the relaxation, as `Cell.relaxation_asked`.

    Returns:
        The digits of the hash.
    """
    return _hash(asked)


def _hash_of(columns: Mapping[str, Any], data: str, code: str) -> str:
    """Activation and loss count where they are not the usual ones: other cells keep the hash that they always had."""
    known = {name: columns[name] for name in KNOWN if name not in MODEL} | model_of(columns)
    return _hash({**known, "data": data, "code": code})


def _hash(value: Any) -> str:
    return hashlib.sha256(canonical(value).encode()).hexdigest()[:20]
