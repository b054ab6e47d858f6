"""Workers on this machine: each task in a child process, its limits enforced from outside.

A slot is a thread with a pebble pool of one process; so a crash, a kill or a broken pipe costs that slot's task only,
and the next task gets a new process. Processes are spawned, never forked, and used again from task to task, since their
imports cost seconds. A worker is killed with its descendants when its work takes longer than the task's limit or holds
more memory than allowed, and it ends by itself when this process is gone, however that came about.
"""

from __future__ import annotations

import contextlib
import math
import multiprocessing
import os
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import repeat
from pathlib import Path
from typing import Any

import psutil
from pebble import ProcessExpired, ProcessPool

from ...solvers.fit import Status
from ..memory import held_memory
from ..scoring.gate import Verdict, settle
from ..scoring.result import Result
from ..text import one_line
from .bootstrap import pinned, start_worker
from .estimate import needed_bytes
from .task import Task, ended
from .worker import step

THREADS = 1  # unless a run asks for more, whatever the number of jobs: sums in another order are other numbers
POLL_S = 0.1
START_LIMIT_S = 300.0
PREPARE_LIMIT_S = 900.0
COLLECT_LIMIT_S = 60.0  # or the task's own limit, if that is longer
PROOF_LIMIT_S = 3600.0  # the checker limits its work itself; this is for a check that hangs


class WorkerEnded(Exception):
    """The worker is gone, and with it the call: status and message say why."""

    def __init__(self, status: Status, message: str, **columns: float) -> None:
        super().__init__(message)
        self.status, self.message, self.columns = status, message, columns


class Stopped(Exception):
    """The pool was told to stop."""


class Slots:
    """A worker process for each thread that runs tasks, kept from task to task."""

    def __init__(self, threads: int = THREADS) -> None:
        self._slots: dict[int, _Slot] = {}
        self._logs = tempfile.TemporaryDirectory(prefix="relaxbench-", ignore_cleanup_errors=True)
        self._pinned = contextlib.ExitStack()
        self._threads = threads
        self._pinned.enter_context(_environment(pinned(threads)))

    def run(self, task: Task, stop: threading.Event) -> list[Result]:
        """Results of the task from the worker of this thread; raises Stopped once `stop` is set."""
        thread = threading.get_ident()
        if thread not in self._slots:
            self._slots[thread] = _Slot(Path(self._logs.name) / f"{thread}.log", self._threads)
        return self._slots[thread].run(task, stop)

    def in_work(self) -> list[str]:
        """Labels of the tasks that are being worked on."""
        return [slot.task.label for slot in list(self._slots.values()) if slot.task is not None]

    def close(self) -> None:
        """Kill all workers; nobody may be in `run` any more."""
        for slot in self._slots.values():
            slot.close()
        self._pinned.close()
        self._logs.cleanup()


class LocalPool:
    """At most `jobs` tasks at a time, of so many `threads` each, which together may need `memory` bytes.

    `submit` returns a future of the task's results, which never raises but for a stop. Leaving the `with` statement
    kills what is still in work; use it in one.
    """

    def __init__(self, jobs: int, memory: float, threads: int = THREADS) -> None:
        self.window = 2 * jobs
        self.share, self.most = memory / jobs, memory
        self._room = _Room(memory)
        self._threads = ThreadPoolExecutor(jobs, thread_name_prefix="slot")
        self._slots: Slots | None = None
        self._each = threads
        self._stop = threading.Event()

    def __enter__(self) -> LocalPool:
        self._slots = Slots(self._each)
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Kill what is still in work."""
        self._stop.set()
        self._room.stop()
        self._threads.shutdown(wait=True, cancel_futures=True)
        if self._slots is not None:
            self._slots.close()
            self._slots = None

    def submit(self, task: Task) -> Future[list[Result]]:
        """Queue a task.

        Args:
            task: the task.

        Returns:
            A future of its results.
        """
        return self._threads.submit(self._run, task)

    def in_work(self) -> list[str]:
        """Labels of the tasks that are being worked on."""
        return self._slots.in_work() if self._slots is not None else []

    def _run(self, task: Task) -> list[Result]:
        assert self._slots is not None
        with self._room.taken(needed_bytes(task)):
            return self._slots.run(task, self._stop)


class _Room:
    """Memory given out to tasks in the order in which they ask, so that a big one is not passed by for ever."""

    def __init__(self, memory: float) -> None:
        self._free = self._all = memory
        self._turn, self._changed, self._stopped = threading.Lock(), threading.Condition(), False

    @contextlib.contextmanager
    def taken(self, memory: float) -> Iterator[None]:
        """Wait until so much is free, or everything; raises Stopped after `stop`."""
        memory = min(memory, self._all)
        with self._turn, self._changed:
            self._changed.wait_for(lambda: self._stopped or self._free >= memory)
            if self._stopped:
                raise Stopped
            self._free -= memory
        try:
            yield
        finally:
            with self._changed:
                self._free += memory
                self._changed.notify_all()

    def stop(self) -> None:
        """Wake up whoever waits."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()


class _Slot:
    """One worker process, replaced when it is gone. Used by one thread at a time."""

    def __init__(self, log: Path, threads: int) -> None:
        self.task: Task | None = None
        self._threads = threads
        self._log, self._memory, self._stop = log, math.inf, threading.Event()
        self._pool: ProcessPool | None = None
        self._pid: int | None = None

    def run(self, task: Task, stop: threading.Event) -> list[Result]:
        """Results of the task, also if the worker did not live to see them; raises Stopped once `stop` is set."""
        self.task, self._memory, self._stop = task, task.memory, stop
        late = f"the time limit of {task.timeout:g} s a cell ended the work"
        longest = max(COLLECT_LIMIT_S, task.limit)
        try:
            self._start()
            return self._proved(
                self._call(step, "prepare", task, limit=PREPARE_LIMIT_S, late="imports and data took too long")
                or self._call(step, "work", limit=task.limit, late=late)
                or self._call(step, "collect", limit=longest, late=f"{late}, while predicting")
                or []
            )
        except Stopped:
            self.close()
            raise
        except WorkerEnded as end:
            log = self._tail_of_log()
            self.close()
            return ended(task, end.status, end.message, log, **end.columns)
        finally:
            self.task = None
            if self._pid is not None and held_memory(self._pid) > self._memory / 2:
                self.close()  # what earlier tasks left behind must not count against the next one

    def _proved(self, results: list[Result]) -> list[Result]:
        """The results with their bounds proved. If the worker does not live to see that, they stay claims."""
        if not any(result.kind for result in results):
            return results
        try:
            verdicts = self._call(step, "prove", limit=PROOF_LIMIT_S, late="the check took too long")
        except WorkerEnded as end:
            self.close()
            verdicts = repeat(Verdict(None, end.message))
        return settle(results, verdicts)

    def close(self) -> None:
        """Kill the worker and what it started."""
        if self._pid is not None:
            _kill(self._pid)
        if self._pool is not None:
            self._pool.stop()
            self._pool.join()
        self._pool = self._pid = None

    def _start(self) -> None:
        if self._pool is None:
            self._log.write_bytes(b"")
            arguments = (str(self._log), os.getpid(), self._threads)
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPool(1, initializer=start_worker, initargs=arguments, context=context)
            self._pid = self._call(os.getpid, limit=START_LIMIT_S, late="the worker did not start")

    def _call(self, function: Callable[..., Any], *arguments: Any, limit: float, late: str) -> Any:
        """The function's result from the worker; raises WorkerEnded or Stopped."""
        assert self._pool is not None
        begin = time.monotonic()
        future, gone_since = self._pool.schedule(function, args=arguments), None
        while True:
            try:
                return future.result(timeout=POLL_S)
            except TimeoutError:
                pass
            except ProcessExpired as error:
                raise self._crash(error.exitcode) from None
            except (BrokenProcessPool, EOFError, OSError):
                raise self._crash(None) from None
            except Exception as error:  # a result that cannot be sent
                raise WorkerEnded(Status.FAILED, one_line(error)) from None
            now = time.monotonic()
            if self._stop.is_set():
                raise Stopped
            if now - begin > limit:
                raise WorkerEnded(Status.TIMEOUT, late, runtime_s=now - begin)
            held = held_memory(self._pid) if self._pid is not None else 0
            if held > self._memory:
                message = f"the memory limit of {self._memory / 1e9:.3g} GB a cell ended the work"
                raise WorkerEnded(Status.MEMORY, message, runtime_s=now - begin, peak_memory_mb=held / 1e6)
            # pebble does not tell of a worker that left with exit code 0
            gone_since = (gone_since or now) if held == 0 and self._pid is not None else None
            if gone_since is not None and now - gone_since > 1.0:
                raise self._crash(0)

    def _crash(self, code: int | None) -> WorkerEnded:
        reason = "" if code is None else f" with exit code {code}"
        if code is not None and code < 0:
            with contextlib.suppress(ValueError):
                reason = f" by signal {signal.Signals(-code).name}"
        hint = " (the system may have run out of memory)" if code == -9 else ""
        return WorkerEnded(Status.FAILED, f"the worker process ended{reason}{hint}")

    def _tail_of_log(self) -> str:
        try:
            return self._log.read_bytes()[-8000:].decode(errors="replace")
        except OSError:
            return ""


def _kill(pid: int) -> None:
    """Kill a worker and its descendants: its process group, which it leads, also if it is gone itself."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(pid, signal.SIGKILL)
            return
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        for one in [*process.children(recursive=True), process]:
            one.kill()


@contextlib.contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    """These environment variables while it lasts: a spawned process reads them before it imports anything."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
