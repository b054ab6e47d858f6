"""run: the cells of a spec become records in a folder; what is there already and still stands is kept."""

from __future__ import annotations

import time
import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from ...errors import unknown
from ..grid.cell import expand
from ..grid.spec import INSTANCE, Spec
from ..memory import MEMORY_SHARE, usable_memory
from ..results.alarms import contradictions, unproved
from ..results.environment import environment, maker, usable_cores, with_earlier
from ..results.folder import load_environment
from ..results.store import Store
from ..results.tables import brought_nothing
from ..text import UsageError
from .dask import DaskPool
from .local import THREADS, LocalPool
from .progress import Progress
from .schedule import Limits, Schedule


@dataclass(frozen=True)
class Summary:
    """What a run did. kept: cells that were there before. statuses: of the run's cells that have ended.

    contradictions: bounds above the objective of a network of the same problem, a sentence each (alarms.py).
    """

    folder: Path
    cells: int
    kept: int
    seconds: float
    interrupted: bool
    statuses: Mapping[str, int] = field(default_factory=dict)
    failed: int = 0
    contradictions: tuple[str, ...] = ()

    @property
    def ended(self) -> int:
        """Cells that have a row."""
        return sum(self.statuses.values())


def run(
    spec: Spec, out: str | Path, *, data_dir: Path | None = None, retry: bool = False, executor: str = "local"
) -> Summary:
    """Compute the cells of `spec` that `out` does not hold yet, or whose code, data or deciding limit has changed.

    The rows of cells of earlier runs in `out` stay, but for those that a cell of this one takes the place of.
    Everything is checked, and all data loaded, before anything is written. Ctrl-C ends the run early with everything
    finished kept.

    Args:
        spec: the grid and the limits of each cell.
        out: folder for the results.
        data_dir: folder with original data files, used first.
        retry: compute cells again that ended `failed`, `memory` or `timeout`.
        executor: `local`, `dask-local`, or `dask://HOST:PORT`; they differ in nothing that is recorded but costs and
            machine.

    Returns:
        How many cells there are, were kept and failed, by status, and bounds that contradict a network.

    Raises:
        RelaxbenchError: bad input.
        OSError: the folder cannot be written to, or the scheduler is gone.
    """
    begin = time.monotonic()
    cells = expand(spec, data_dir)
    with (
        closing(open_pool(executor, spec.jobs or max(1, usable_cores() // spec.threads), spec.threads)) as pool,
        Store(Path(out)) as store,
    ):
        limits = limits_of(spec, pool)
        made_by, before = maker(spec.threads), load_environment(store.folder)
        constants = {"threads": spec.threads, "machine": made_by["machine"]}
        schedule = Schedule(store, pool, limits, retry, constants, made_by)
        missing = schedule.missing(cells)
        if missing or not before:  # a run that keeps everything has made no row
            before = with_earlier(environment(spec.threads) | {"limits": vars(limits)}, before)
        store.begin(spec.toml(), [cell.plan for cell in cells], before)
        progress = Progress(len(cells), len(cells) - len(missing))
        progress.say(_announced(spec))
        for note in dict.fromkeys(note for cell in cells for note in cell.data.notes):
            progress.say(f"relaxbench: {note}")
        try:
            schedule.work(missing, progress)
            interrupted = False
        except KeyboardInterrupt:
            interrupted = True
        finally:
            progress.close()
        table = store.write_tables()
    if claims := unproved(table):
        warnings.warn(claims, RuntimeWarning, stacklevel=2)
    rows = table[table["cell"].isin([cell.hash for cell in cells])].to_dict("records")
    alarms = tuple(contradictions(table))
    statuses, failed = Counter(str(row["status"]) for row in rows), sum(brought_nothing(row) for row in rows)
    seconds = time.monotonic() - begin
    kept = len(cells) - len(missing)
    return Summary(store.folder, len(cells), kept, seconds, interrupted, statuses, failed, alarms)


def open_pool(executor: str, jobs: int, threads: int = THREADS) -> LocalPool | DaskPool:
    """Make the workers of an executor.

    Args:
        executor: `local`, `dask-local`, or `dask://HOST:PORT`.
        jobs: cells at a time.
        threads: of the linear algebra of each.

    Returns:
        The pool, to be used in a `with` statement.

    Raises:
        UsageError: an executor that is not there, or threads that it does not give.
    """
    if executor == "local":
        return LocalPool(jobs, MEMORY_SHARE * usable_memory(), threads)
    if threads > 1:
        raise UsageError(f"threads must be 1 with executor {executor}. Got {threads} instead.")
    if executor == "dask-local":
        return DaskPool(None, jobs)
    if executor.startswith("dask://"):
        return DaskPool(f"tcp://{executor.removeprefix('dask://')}", jobs)
    raise UsageError(unknown("executor", executor, ("local", "dask-local", "dask://HOST:PORT")))


def limits_of(spec: Spec, pool: LocalPool | DaskPool) -> Limits:
    """The spec's limits; without memory an even share of the pool's, and more for a task that needs more."""
    if spec.memory is not None:
        return Limits(spec.timeout, spec.memory * 1e9, spec.memory * 1e9)
    return Limits(spec.timeout, pool.share, pool.most)


def _announced(spec: Spec) -> str:
    """What is about to run, with what counts where neither config nor command line say it."""
    parts: dict[str, list[float | str]] = {
        "data": [table.name for table in spec.dataset],
        "methods": [table.name or table.use for table in spec.method],
        "γ": [gamma for table in spec.method for gamma in table.gamma or spec.gamma]
        if any(not table.name.startswith(INSTANCE) for table in spec.dataset)
        else ["of each instance"],
        "width": [width for table in spec.method for width in table.width or spec.width],
    }
    words = [f"{name} {_few(values)}" for name, values in parts.items()]
    return "relaxbench: " + "; ".join([*words, f"at most {spec.timeout:g} s a cell"])


def _few(values: Sequence[float | str]) -> str:
    """The values, each once; of more than five the first and the last."""
    texts = [value if isinstance(value, str) else f"{value:g}" for value in dict.fromkeys(values)]
    return ", ".join(texts) if len(texts) <= 5 else f"{texts[0]} … {texts[-1]}"
