"""Cells → tasks → records: relaxations before the cells that share them, seeds that are trained together at once."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, replace
from typing import Any

from ...solvers.fit import ENDED_EARLY, Status
from ..grid.cell import Cell
from ..grid.spec import VALIDATION
from ..results.columns import row_of
from ..results.record import Record, read_arrays, read_trace
from ..results.store import Store
from ..scoring.gate import BOUND_COLUMNS
from ..scoring.result import Result
from .dask import DaskPool
from .estimate import needed_bytes
from .local import LocalPool
from .progress import Progress
from .task import Task, cost, saved_relaxation

RETRIED = (Status.FAILED, Status.MEMORY, Status.TIMEOUT)
SPARE = 2.0  # the estimates of memory err on the low side
LIMITED = {Status.TIMEOUT: "timeout_s", Status.MEMORY: "memory_bytes"}  # the limit that decides the status


@dataclass(frozen=True)
class Limits:
    """Of each cell: seconds of work, and bytes unless a task that needs more gets more; most_bytes: it gets no more."""

    timeout_s: float
    memory_bytes: float
    most_bytes: float

    def memory(self, needed: float) -> float:
        """Bytes that a task may hold.

        Args:
            needed: bytes that it needs at least.

        Returns:
            `memory_bytes`, or more for a task that needs more, up to `most_bytes`.
        """
        return min(max(self.memory_bytes, SPARE * needed), self.most_bytes)


class Schedule:
    """The queue of tasks of one run. constants: columns that are the same in every row.

    maker: what each record keeps of the environment that made it.
    """

    def __init__(
        self,
        store: Store,
        pool: LocalPool | DaskPool,
        limits: Limits,
        retry: bool,
        constants: Mapping[str, Any],
        maker: Mapping[str, Any],
    ) -> None:
        self._store, self._pool, self._constants, self._maker = store, pool, constants, maker
        self._limits, self._retry = limits, retry
        self._makers: set[str] = set()
        self._queue: deque[Task] = deque()

    def missing(self, cells: Sequence[Cell]) -> list[Cell]:
        """The cells without a record that stands."""
        return [cell for cell in cells if not self._stands(self._store.get("cells", cell.hash))]

    def work(self, cells: Sequence[Cell], progress: Progress) -> None:
        """Compute these cells and write their records, whatever happens to them."""
        if not cells:
            return
        refused = [(cell, cell.method.refusal(cell.data.activation, cell.data.loss)) for cell in cells]
        for cell, reason in refused:
            if reason:
                self._keep(cell, Result({"status": Status.UNSUPPORTED.value, "message": reason}), progress)
        self._queue.extend(tasks([cell for cell, reason in refused if not reason], self._limits.timeout_s))
        pending: dict[Future[list[Result]], Task] = {}
        with self._pool as pool:
            while self._queue or pending:
                while self._queue and len(pending) < pool.window:
                    task = self._queue.popleft()
                    if not self._solved_before(task, progress) and self._fits(task, progress):
                        pending[pool.submit(self._limited(task))] = task
                done, _ = wait(pending, timeout=0.5, return_when=FIRST_COMPLETED)
                for future in done:
                    self._end(pending.pop(future), future.result(), progress)
                progress.in_work(pool.in_work())

    def _limited(self, task: Task) -> Task:
        return replace(task, memory=self._limits.memory(needed_bytes(task)))

    def _fits(self, task: Task, progress: Progress) -> bool:
        """Whether the task can be begun; if it needs more memory than there is, its cells end here."""
        needed, most = needed_bytes(task), self._limits.most_bytes
        if needed <= most:
            return True
        if len(task.cells) > 1 and not task.relaxing:  # one seed after the other may still fit
            self._queue.extendleft(Task((cell,), task.timeout) for cell in reversed(task.cells))
            return False
        message = f"needs about {needed / 1e9:.2g} GB of memory, and {most / 1e9:.2g} GB are allowed"
        for cell in task.cells:
            columns = {"status": Status.UNSUPPORTED.value, "message": message}
            self._keep(cell, Result(columns, info={"needed_bytes": needed}), progress)
        return False

    def _stands(self, record: Record | None) -> bool:
        """Whether a record is still the answer; one that a limit decided is not under another limit."""
        if record is None:
            return False
        status = record.row["status"]
        if self._retry and status in RETRIED:
            return False
        if status == Status.UNSUPPORTED and "needed_bytes" in record.extra["info"]:
            return float(record.extra["info"]["needed_bytes"]) > self._limits.most_bytes
        limit = LIMITED.get(status)
        return limit is None or record.extra["limits"][limit] == getattr(self._limits, limit)

    def _solved_before(self, task: Task, progress: Progress) -> bool:
        if not task.relaxing:
            return False
        record = self._store.get("relaxations", _relaxation_hash(task))
        if record is None or not self._stands(record):
            return False
        self._follow(task, record, progress)
        return True

    def _end(self, task: Task, results: Sequence[Result], progress: Progress) -> None:
        if task.relaxing:
            (result,) = results
            if "factor" not in result.arrays:
                return self._keep_all(task, result.columns, result.traceback, progress)
            row = {**self._constants, **result.columns}
            extra = {**self._extra(result), "key": _relaxation_hash(task), "asked": task.cells[0].relaxation_asked}
            record = Record(row, extra, result.arrays, result.trace)
            self._store.put("relaxations", _relaxation_hash(task), record)
            return self._follow(task, record, progress)
        ends = {result.columns["status"] for result in results}
        if len(task.cells) > 1 and ends <= {Status.FAILED, Status.MEMORY}:
            # one bad seed must not take the others along
            self._queue.extendleft(Task((cell,), task.timeout) for cell in reversed(task.cells))
            return None
        for cell, result in zip(task.cells, results, strict=True):
            self._keep(cell, result, progress)
        return None

    def _follow(self, task: Task, record: Record, progress: Progress) -> None:
        """Queue the cells that wait for this relaxation, or end them if it is of no use."""
        if record.row["status"] not in (Status.OK, *ENDED_EARLY):
            return self._keep_all(task, record.row, "", progress)
        folder = self._store.folder / "relaxations" / _relaxation_hash(task)
        relaxation = saved_relaxation(record, read_arrays(folder), read_trace(folder), task.cells[0].data.activation)
        given: dict[str, Any] = {"relaxation": relaxation, "spent": cost(record)}
        given["bound"] = {name: record.row.get(name) for name in BOUND_COLUMNS}
        self._queue.extendleft(Task((cell,), task.timeout, **given) for cell in reversed(task.cells))
        return None

    def _keep_all(self, task: Task, columns: Mapping[str, Any], traceback: str, progress: Progress) -> None:
        message = f"the relaxation: {columns['message'] or columns['status']}"
        for cell in task.cells:
            self._keep(cell, Result({**columns, "message": message}, traceback=traceback), progress)

    def _keep(self, cell: Cell, result: Result, progress: Progress) -> None:
        own = self._extra(result)
        keys = {"cell": cell.hash, "environment_key": own["environment"]["key"]}
        known = {**self._constants, **cell.columns, **result.columns, **keys}
        row = row_of(known | {"message": known["message"] or None})
        extra = {**own, "code": cell.code, "relaxation": cell.relaxation_hash}
        extra["data"] = cell.data.locator
        self._store.put("cells", cell.hash, Record(row, extra, result.arrays, result.trace, result.traceback))
        progress.finished(cell.label, row)

    def _extra(self, result: Result) -> dict[str, Any]:
        maker = dict(result.maker or self._maker)
        if maker["key"] not in self._makers:
            self._makers.add(maker["key"])
            self._store.add_environment(maker)
        return {"limits": vars(self._limits), "info": dict(result.info), "environment": maker}


def tasks(cells: Sequence[Cell], timeout: float) -> list[Task]:
    """One task for each relaxation with its cells, for what is computed at once (`_together`), or for a cell."""
    groups: dict[Any, list[Cell]] = {}
    for cell in cells:
        groups.setdefault(cell.relaxation_hash or _together(cell), []).append(cell)
    return [Task(tuple(group), timeout, relaxing=bool(group[0].relaxation_hash)) for group in groups.values()]


def _together(cell: Cell) -> Any:
    """What cells share that are computed at once: the folds of a partition, or all seeds of a batch method."""
    if cell.gamma_by == VALIDATION:
        return cell.folds
    return cell.group if cell.method.batch and cell.gamma is not None else cell.hash


def _relaxation_hash(task: Task) -> str:
    hash_ = task.cells[0].relaxation_hash
    assert hash_ is not None
    return hash_
