"""How much memory a task will need at least: what cannot fit is not even begun."""

from __future__ import annotations

from ..grid.methods import load
from .task import Task

IDLE_BYTES = 150e6  # a worker with numpy and scipy
JAX_BYTES = 200e6  # the same with JAX and neural-tangents
ENTRY_BYTES = 8.0


def needed_bytes(task: Task) -> float:
    """Bytes that a task holds at its peak, at least.

    Args:
        task: the task.

    Returns:
        The estimate; bytes of an idle worker if the task's method has no model.
    """
    cell, together = task.cells[0], 1 if task.relaxing else len(task.cells)
    idle = JAX_BYTES if "relaxbench.baselines.tangents" in cell.method.warm else IDLE_BYTES
    if not cell.method.memory or task.relaxation is not None:
        return idle
    data, model = cell.data, load(cell.method.memory)
    return idle + ENTRY_BYTES * together * model(data.n, data.d, data.c, cell.width or 1, cell.options)
