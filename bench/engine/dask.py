"""Workers on other machines, or on this one, through dask.distributed; a cell is isolated there as it is here.

Each dask worker runs a task in a child process of its own (local.py), with the same limits and the same environment, so
that a cell that crashes or hangs costs itself only. The scheduler gives the cell of a worker that went away to another
one. Results come back through the scheduler; only this side writes the run's folder.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import multiprocessing
import signal
import threading
import time
import uuid
import warnings
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as LateError
from dataclasses import replace
from multiprocessing import resource_tracker
from typing import Any

from ...solvers.fit import Status
from ..memory import MEMORY_SHARE, usable_memory
from ..results.environment import maker
from ..scoring.result import Result
from ..text import UsageError, one_line
from .local import THREADS, Slots
from .task import Task, ended

CONNECT_S = 5.0  # for a scheduler to answer
WORKERS_S = 20.0  # for its first worker to come
WINDOW = 1000  # tasks that the scheduler knows at a time, enough for a cluster that grows with the queue
LOOK_S = 1.0  # between questions to the scheduler about what is in work
LOCAL = {"distributed.worker.daemon": False, "distributed.scheduler.allowed-failures": 3}


class DaskPool:
    """The workers of the scheduler at `address` (tcp://HOST:PORT), or `jobs` local ones if it is None.

    Used as `LocalPool` is. Raises UsageError if dask is not installed, or nobody answers, or a worker cannot isolate.
    """

    window = WINDOW

    def __init__(self, address: str | None, jobs: int) -> None:
        try:
            import distributed
        except ImportError:
            raise UsageError(
                "--executor dask needs dask.distributed. Install it: pip install 'relaxbench[dask]'."
            ) from None
        _quiet("distributed", "distributed.client")  # what goes wrong is said once, by us
        self._jobs, self._run = jobs, uuid.uuid4().hex
        self._labels: dict[Any, str] = {}
        self._looked, self._shown = 0.0, list[str]()
        self._client: distributed.Client | None = None
        self._cluster: distributed.LocalCluster | None = None
        if address is None:
            self.share = self.most = MEMORY_SHARE * usable_memory() / jobs
            return
        _call_on(address)
        try:
            self._client = distributed.Client(address, timeout=WORKERS_S, set_as_default=False)
            self._client.wait_for_workers(1, timeout=WORKERS_S)
        except (OSError, ValueError, LateError) as error:
            self.close()
            raise _no_scheduler(address, error) from None
        self._check_workers()
        self.share = self.most = min(self._shares())

    def __enter__(self) -> DaskPool:
        if self._client is None:
            import dask
            import distributed

            dask.config.set(LOCAL)
            with _interrupts_held():
                self._cluster = distributed.LocalCluster(
                    n_workers=self._jobs, threads_per_worker=1, memory_limit=0, host="127.0.0.1", dashboard_address=":0"
                )
            self._client = distributed.Client(self._cluster, set_as_default=False)
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop what is still in work, everywhere, and let go of the scheduler."""
        client, cluster, self._client, self._cluster = self._client, self._cluster, None, None
        if client is not None:
            if client.status == "running":
                client.run(_stop, self._run, on_error="ignore")
            client.close(timeout=5)
        if cluster is not None:
            cluster.close(timeout=10)

    def submit(self, task: Task) -> Future[list[Result]]:
        """Hand a task to the scheduler.

        Args:
            task: the task.

        Returns:
            A future of its results.
        """
        assert self._client is not None
        answer: Future[list[Result]] = Future()
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Sending large graph")
            sent = self._client.submit(_perform, task, self._run, pure=False)
        self._labels[sent.key] = task.label

        def settle(done: Any) -> None:
            self._labels.pop(done.key, None)
            _settle(done, task, answer)

        sent.add_done_callback(settle)
        return answer

    def in_work(self) -> list[str]:
        """Labels of the tasks that workers have, a second old at most."""
        if self._client is not None and time.monotonic() - self._looked > LOOK_S:
            self._looked = time.monotonic()
            keys = [key for held in self._client.processing().values() for key in held]
            self._shown = [self._labels[key] for key in keys if key in self._labels]
        return self._shown

    def _check_workers(self) -> None:
        assert self._client is not None
        unfit = [worker for worker, daemon in self._client.run(_is_daemon).items() if daemon]
        if unfit:
            self.close()
            raise UsageError(
                f"workers must be able to start processes. Got {unfit[0]}, which is a daemon: "
                "start it with DASK_DISTRIBUTED__WORKER__DAEMON=False or --no-nanny."
            )

    def _shares(self) -> list[float]:
        """Bytes for each task on every worker: an even share of most of what the worker was given."""
        assert self._client is not None
        workers = self._client.scheduler_info(n_workers=-1)["workers"].values()
        return [MEMORY_SHARE * (one["memory_limit"] or usable_memory()) / one["nthreads"] for one in workers]


def _call_on(address: str) -> None:
    """Raise UsageError unless a scheduler answers. A client that finds none hangs for long, and more than once."""
    from distributed.comm import connect

    async def greet() -> None:
        await (await connect(address, timeout=CONNECT_S)).close()

    with ThreadPoolExecutor(1) as aside:  # a notebook has a loop of its own in this thread
        try:
            aside.submit(asyncio.run, asyncio.wait_for(greet(), 2 * CONNECT_S)).result()
        except Exception as error:  # a stranger at that port may send anything
            raise _no_scheduler(address, error) from None


def _no_scheduler(address: str, error: BaseException) -> UsageError:
    executor, why = address.replace("tcp://", "dask://", 1), one_line(error.__cause__ or error)
    return UsageError(
        f"--executor must be dask://HOST:PORT of a scheduler with workers. Got {executor} ({why}) instead."
    )


def _settle(done: Any, task: Task, answer: Future[list[Result]]) -> None:
    """Put what became of a dask future into ours."""
    from distributed import KilledWorker

    try:
        made_by, results = done.result()
        machine = {"machine": made_by["machine"]}
        answer.set_result([replace(result, columns={**result.columns, **machine}, maker=made_by) for result in results])
    except KilledWorker:
        answer.set_result(ended(task, Status.FAILED, "the workers that had this cell went away, one after the other"))
    except Exception as error:
        if done.status in ("cancelled", "lost"):
            _quiet("asyncio")  # dask's own calls in flight fail one by one
            answer.set_exception(OSError("the scheduler is gone"))
        else:  # for instance a worker without relaxbench
            answer.set_result(ended(task, Status.FAILED, f"on the worker: {one_line(error)}"))


@contextlib.contextmanager
def _interrupts_held() -> Iterator[None]:
    """Ctrl-C waits meanwhile. Threads and processes begun here never get it: they are ended by us, without a word."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    resource_tracker.ensure_running()  # its start would let the signals through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _quiet(*loggers: str) -> None:
    for name in loggers:
        logging.getLogger(name).setLevel(logging.CRITICAL)


_slots: Slots | None = None
_stops: dict[str, threading.Event] = {}
_lock = threading.Lock()


def _perform(task: Task, run: str) -> tuple[dict[str, Any], list[Result]]:
    """On a worker: the task in this thread's own child process, which is kept for the next task, of any run."""
    global _slots
    with _lock:
        _slots = _slots or Slots()
        stop = _stops.setdefault(run, threading.Event())
    cell = task.cells[0]
    if cell.installed_code != cell.code:
        message = "the worker has other code than the sender: update it and start it again"
        return maker(THREADS), ended(task, Status.FAILED, message)
    return maker(THREADS), _slots.run(task, stop)


def _stop(run: str) -> None:
    """On a worker: end the tasks of this run."""
    _stops.setdefault(run, threading.Event()).set()


def _is_daemon() -> bool:
    return bool(multiprocessing.current_process().daemon)
