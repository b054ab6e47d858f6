"""run: the cells of a spec become records in a folder; what is there already and still stands is kept."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .cell import expand
from .environment import environment, usable_cores
from .memory import usable_memory
from .pool import THREADS
from .progress import Progress
from .schedule import Limits, Schedule
from .spec import Spec
from .store import Store
from .tables import brought_nothing

MEMORY_SHARE = 0.8  # of the machine's memory, for all jobs together


@dataclass(frozen=True)
class Summary:
    """What a run did. kept: cells that were there before. statuses: of all cells of the plan that have ended."""

    folder: Path
    cells: int
    kept: int
    seconds: float
    interrupted: bool
    statuses: Mapping[str, int] = field(default_factory=dict)
    failed: int = 0

    @property
    def ended(self) -> int:
        """Cells that have a row."""
        return sum(self.statuses.values())


def run(spec: Spec, out: str | Path, *, data_dir: Path | None = None, retry: bool = False) -> Summary:
    """Compute the cells of `spec` that `out` does not hold yet, or whose code, data or deciding limit has changed.

    retry: compute cells again that ended `failed`, `memory` or `timeout`. Everything is checked, and all data loaded,
    before anything is written. Ctrl-C ends the run early with everything finished kept. Raises UsageError, DataError
    or ProblemError for bad input, OSError if the folder cannot be written to any more.
    """
    begin = time.monotonic()
    cells, limits = expand(spec, data_dir), limits_of(spec)
    with Store(Path(out)) as store:
        where = environment(THREADS) | {"limits": vars(limits)}
        store.begin(spec.toml(), [{**cell.columns, "cell": cell.hash} for cell in cells], where)
        schedule = Schedule(store, limits, retry, {"threads": THREADS, "machine": where["machine"]})
        missing = schedule.missing(cells)
        progress = Progress(len(cells), len(cells) - len(missing))
        try:
            schedule.work(missing, progress)
            interrupted = False
        except KeyboardInterrupt:
            interrupted = True
        finally:
            progress.close()
        rows = store.write_tables().to_dict("records")
    statuses, failed = Counter(str(row["status"]) for row in rows), sum(brought_nothing(row) for row in rows)
    seconds = time.monotonic() - begin
    return Summary(store.folder, len(cells), len(cells) - len(missing), seconds, interrupted, statuses, failed)


def limits_of(spec: Spec) -> Limits:
    """The spec's limits; without jobs one for each core, without memory an even share of most of the machine's."""
    jobs = spec.jobs or usable_cores()
    memory = spec.memory * 1e9 if spec.memory is not None else MEMORY_SHARE * usable_memory() / jobs
    return Limits(spec.timeout, memory, jobs)
