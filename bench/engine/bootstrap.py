"""The first thing a worker process does, and the environment that it is born with."""

from __future__ import annotations

import contextlib
import ctypes
import faulthandler
import multiprocessing
import os
import signal
import sys
import threading
from importlib import import_module


def start_worker(log: str, parent: int, threads: int) -> None:
    """Lead a process group, end with the parent, write to `log` what would go to the terminal, pin the threads."""
    if hasattr(os, "setsid"):
        os.setsid()
    _end_with(parent)
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    faulthandler.enable()
    from threadpoolctl import threadpool_limits

    import_module(f"{__package__}.worker")  # and with it what every task needs, before any clock starts
    threadpool_limits(threads)


def pinned(threads: int) -> dict[str, str]:
    """Environment variables of a process whose linear algebra has so many threads.

    Args:
        threads: how many.

    Returns:
        By name.
    """
    libraries = ("OMP", "OPENBLAS", "MKL", "BLIS", "NUMBA")
    return {
        **{f"{library}_NUM_THREADS": str(threads) for library in libraries},
        "VECLIB_MAXIMUM_THREADS": str(threads),
        "OPENBLAS_THREAD_TIMEOUT": "4",  # threads that wait sleep at once: spinning, they keep others from the cores
        "OMP_WAIT_POLICY": "PASSIVE",
        "PYTHONHASHSEED": "0",  # the order of sets of texts
        "NPROC": str(threads),  # XLA's own thread pool
        "XLA_FLAGS": f"--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads={threads}",
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }


def _end_with(parent: int) -> None:
    if sys.platform == "linux":  # the kernel sees to it, even while a loop in C holds the interpreter
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    if os.getppid() != parent:
        os._exit(1)

    def watch() -> None:
        process = multiprocessing.parent_process()
        if process is not None:
            process.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
