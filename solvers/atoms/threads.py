"""Independent tasks on as many threads as numba may use; the compiled code lets go of Python's lock."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numba

Task = TypeVar("Task")
Result = TypeVar("Result")


def share(work: Callable[[Task], Result], tasks: Iterable[Task]) -> list[Result]:
    """Work on several tasks at a time; NUMBA_NUM_THREADS limits how many.

    Args:
        work: what to do with a task.
        tasks: the tasks.

    Returns:
        [work(task) for task in tasks].
    """
    with ThreadPoolExecutor(numba.config.NUMBA_NUM_THREADS) as pool:  # type: ignore[attr-defined]
        return list(pool.map(work, tasks))
