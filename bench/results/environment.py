"""environment.json: versions, machine, threads, and how long a fixed piece of linear algebra takes here.

At its top is the environment of the last run that computed something, under `environments` every one that made rows of
the folder, by the key that stands in the column `environment_key`.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import re
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from importlib import import_module
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from threadpoolctl import threadpool_info, threadpool_limits

from ..canonical import canonical
from ..memory import usable_memory

CALIBRATION_ORDER = 400
CALIBRATION_RUNS = 5


def environment(threads: int) -> dict[str, Any]:
    """What a reader needs to judge the costs of a run.

    Args:
        threads: BLAS threads of each worker.

    Returns:
        Content of environment.json; `machine` in it is a key that another machine does not share.
    """
    return {
        **maker(threads),
        **_hardware(threads),
        "written": datetime.now(UTC).isoformat(timespec="seconds"),
        "kernel": platform.release(),
        "load": psutil.getloadavg()[0],
        "calibration": calibration(threads),
    }


def maker(threads: int) -> dict[str, Any]:
    """What every record keeps of the environment that made it.

    Args:
        threads: BLAS threads of each worker.

    Returns:
        Its key, machine, Python, packages and commit, by name.
    """
    known = {
        "machine": machine(threads),
        "python": sys.version.split()[0],
        "packages": _packages(),
        "commit": _commit(),
    }
    return {"key": environment_key(known), **known}


def environment_key(known: Mapping[str, Any]) -> str:
    """e and eight hexadecimal digits for a machine, Python, packages and commit."""
    parts = [known.get(name) for name in ("machine", "python", "packages", "commit")]
    return "e" + hashlib.sha256(canonical(parts).encode()).hexdigest()[:8]


def with_earlier(now: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """Keep the earlier environments of a folder beside the one now.

    Args:
        now: the environment now.
        before: environment.json of the folder so far; may be empty.

    Returns:
        The new environment.json: the environment now, and under `environments` each that made rows, by its key.
    """
    kept = before.get("environments")
    kept = dict(kept) if isinstance(kept, dict) else {}
    last = {name: value for name, value in before.items() if name != "environments"}
    if last:
        kept.setdefault(str(last.get("key") or environment_key(last)), last)
    kept.setdefault(str(now["key"]), dict(now))
    return {**now, "environments": kept}


@cache
def machine(threads: int) -> str:
    """m and eight hexadecimal digits for this machine and its linear algebra."""
    return "m" + hashlib.sha256(canonical(_hardware(threads)).encode()).hexdigest()[:8]


def _hardware(threads: int) -> dict[str, Any]:
    import_module("scipy.linalg")  # so that its library is found whatever was imported before
    found = [
        {name: library.get(name) for name in ("internal_api", "version", "threading_layer", "architecture")}
        for library in threadpool_info()
        if library.get("user_api") == "blas" and _of_numpy_or_scipy(library["filepath"])
    ]
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "usable_cores": usable_cores(),
        "memory_gb": round(usable_memory() / 1e9, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "blas": sorted(found, key=canonical),  # in whatever order they were loaded
        "threads": threads,
    }


def _of_numpy_or_scipy(path: str) -> bool:
    """Other packages bring their own libraries, and which of them are loaded by now is chance."""
    folders = Path(path).parts
    packaged = "site-packages" in folders
    return not packaged or any(folder.startswith(("numpy", "scipy")) for folder in folders)


def usable_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def calibration(threads: int) -> dict[str, float]:
    """Median seconds of an eigendecomposition and of a product of fixed matrices of order CALIBRATION_ORDER."""
    A = np.random.default_rng(0).standard_normal((CALIBRATION_ORDER, CALIBRATION_ORDER))
    S = A + A.T
    with threadpool_limits(threads):
        return {
            "eigendecomposition_s": _median_time(lambda: np.linalg.eigh(S)),
            "product_s": _median_time(lambda: A @ A),
        }


def _median_time(work: Callable[[], object]) -> float:
    seconds = []
    for _ in range(CALIBRATION_RUNS):
        begin = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - begin)
    return float(np.median(seconds))


@cache
def _packages() -> dict[str, str]:
    """Versions of relaxbench and of what it requires."""
    names = ["relaxbench"]
    with contextlib.suppress(PackageNotFoundError):
        lines = [line for line in requires("relaxbench") or [] if "extra" not in line]
        names += [re.split(r"[^\w.-]", line, maxsplit=1)[0] for line in lines]
    found = {}
    for name in (*names, "jaxlib"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


@cache
def _commit() -> str | None:
    """Commit of the source, `+` after it where the files differ from it; None outside a repository."""
    folder = Path(__file__).resolve().parent

    def git(*arguments: str) -> str:
        command = ["git", "--no-optional-locks", *arguments]  # a run leaves the repository alone, also if it is killed
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=10, check=True)
        return done.stdout.strip()

    try:
        if not git("ls-files", Path(__file__).name):  # installed below somebody else's repository
            return None
        return git("rev-parse", "HEAD") + ("+" if git("status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.SubprocessError):
        return None


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
