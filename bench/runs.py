"""run and open_run: a run's folder as an object, for notebooks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from numpy.typing import NDArray

from .engine.run import Summary
from .engine.run import run as compute
from .grid.resolve import resolve
from .results.folder import is_results_folder, load_arrays, load_results, load_tightness, load_trace
from .text import UsageError
from .verify.bounds import Check, verify


@dataclass(frozen=True)
class Run:
    """A run's folder. summary: what the call that made it did; None for a folder that was opened."""

    folder: Path
    summary: Summary | None = None

    @property
    def results(self) -> pd.DataFrame:
        """One row a cell, with the columns of docs/columns.md."""
        return load_results(self.folder)

    @property
    def tightness(self) -> pd.DataFrame:
        """One row a training problem: best bounds on either side, and ratios."""
        return load_tightness(self.folder)

    def arrays(self, cell: str) -> dict[str, NDArray[Any]]:
        """The saved network and certificate of a cell: network_U (d, m), network_V (m, c), `certificate_…`"""
        return load_arrays(self.folder, cell)

    def trace(self, cell: str) -> pd.DataFrame:
        """The progress of a cell: stage, seconds, iteration, value, bound, residual."""
        return load_trace(self.folder, cell)

    def verify(self) -> list[Check]:
        """Every bound of the folder proved again; look at `holds` of each."""
        return list(verify(self.folder))

    def report(self) -> Path:
        """Make tables, figures and the page; returns the path of its index.html."""
        from ..reports import report  # late: matplotlib and scipy are slow to import

        return report(self.folder)


def run(
    config: str | Path | None = None,
    *,
    out: str | Path,
    dataset: str | Sequence[str] | None = None,
    method: str | Sequence[str] | None = None,
    gamma: float | str | Sequence[float | str] | None = None,
    width: int | Sequence[int] | None = None,
    seed: int | str | Sequence[int | str] | None = None,
    activation: str | Sequence[str] | None = None,
    loss: str | Sequence[str] | None = None,
    timeout: float | None = None,
    jobs: int | None = None,
    **options: Any,
) -> Run:
    """Compute the cells of a config, or of a grid given here, into a folder; what it holds already is kept.

    Args:
        config: the name of a config that ships, or the path of a TOML file; None where data set and method are given.
        out: folder for the results.
        dataset, method, gamma, width, seed, activation, loss: in place of the config's lists; a single value is a list
            of one.
        timeout: seconds of work for each cell.
        jobs: cells at a time; None for one for each core.
        options: options of the methods that have them, such as solver, rounding or cuts.

    Returns:
        The run, whose `summary` says what was computed and what failed.

    Raises:
        RelaxbenchError: anything wrong with the config, the data or the options; nothing is written then.
        OSError: the folder cannot be written to; everything finished is kept.
    """
    lists = {"dataset": dataset, "method": method, "gamma": gamma, "width": width, "seed": seed}
    lists |= {"activation": activation, "loss": loss}
    given = {name: None if values is None else _listed(values) for name, values in lists.items()}
    spec = resolve(None if config is None else str(config), {**given, "timeout": timeout, "jobs": jobs}, options)
    summary = compute(spec, out)
    return Run(summary.folder, summary)


def _listed(values: Any) -> list[Any]:
    return [values] if isinstance(values, str) or not isinstance(values, Iterable) else list(values)


def open_run(folder: str | Path) -> Run:
    """The run in a folder, whole or still going on. Raises UsageError for a folder that holds none."""
    path = Path(folder)
    if not path.is_dir() or not is_results_folder(path):
        raise UsageError(f"folder must be the folder of a run. Got {path} instead: give --out of a run.")
    return Run(path)
