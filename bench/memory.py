"""How much memory there is, how much a process holds, and the most it held."""

from __future__ import annotations

import sys
import time
from collections import defaultdict
from functools import lru_cache
from pathlib import Path

import psutil

MEMORY_SHARE = 0.8  # of the machine's memory, for all jobs together
_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
_CGROUP_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


def usable_memory() -> int:
    """Bytes that this machine, or the container we are in, has."""
    total = int(psutil.virtual_memory().total)
    for path in _CGROUP_LIMITS:
        try:
            total = min(total, int(path.read_text()))
        except (OSError, ValueError):  # no such file, or "max"
            continue
    return total


def held_memory(pid: int) -> int:
    """Memory that a process and its descendants hold; the list of descendants may be a second old.

    Args:
        pid: id of the process.

    Returns:
        Resident bytes; 0 if it is gone.
    """
    own = _resident(pid)
    if own == 0:
        return 0
    children, found = _children(int(time.monotonic())), [pid]
    for one in found:
        found += children.get(one, [])
    return own + sum(_resident(one) for one in found[1:])


def reset_peak_memory() -> None:
    """Begin a new measurement of `peak_memory`, where the system can (Linux)."""
    try:
        _CLEAR.write_text("5")
    except OSError:
        return


def peak_memory() -> float:
    """Most resident memory of this process since `reset_peak_memory`, or since its start, in 10⁶ bytes."""
    try:
        lines = _STATUS.read_text().splitlines()
        return next(int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith("VmHWM:"))
    except (OSError, StopIteration):
        pass
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


@lru_cache(maxsize=1)
def _children(_second: int) -> dict[int, list[int]]:
    """Children of every process, looked up once a second for all workers together."""
    children = defaultdict(list)
    for process in psutil.process_iter(["ppid"]):
        children[process.info["ppid"]].append(process.pid)
    return dict(children)


def _resident(pid: int) -> int:
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0
