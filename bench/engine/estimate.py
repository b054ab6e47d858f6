"""How much memory a task will need at least, from the sizes of its problem: what cannot fit is not even begun.

The models count the large arrays, as entries of eight bytes, measured on instances of a few hundred rows; they err on
the low side, since the limit that is enforced while the work goes on catches the rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .task import Task

IDLE_BYTES = 150e6  # a worker with numpy and scipy
JAX_BYTES = 600e6  # what neural-tangents brings along
LITERAL = ("cvxpy-scs", "cvxpy-clarabel")
CLARABEL = ("cvxpy-clarabel", "interior")


def needed_bytes(task: Task) -> float:
    """Bytes that the task holds at its peak, at least; those of an idle worker if its method has no model."""
    cell, together = task.cells[0], 1 if task.relaxing else len(task.cells)
    idle = JAX_BYTES if "neural_tangents" in cell.method.warm else IDLE_BYTES
    model = MODELS.get(cell.method.name)
    if model is None or task.relaxation is not None:
        return idle
    data = cell.data
    return idle + 8.0 * together * model(data.n, data.d, data.c, cell.width or 1, cell.options)


def relaxation(n: int, d: int, c: int, _width: int, options: Mapping[str, Any]) -> float:
    """200 matrices of order n+d+c (2n+d+c as published); or Clarabel's dense block over the entries of one."""
    order = (2 * n if options.get("solver") in LITERAL else n) + d + c
    entries = order * (order + 1) / 2
    return 2 * entries**2 if options.get("solver") in CLARABEL else 200.0 * order**2


def kernel(n: int, d: int, c: int, width: int, _options: Mapping[str, Any]) -> float:
    """Three matrices of the rows, and the hidden layer of a drawn network."""
    return 3.0 * n * n + 2.0 * n * width


def descent(n: int, d: int, c: int, width: int, _options: Mapping[str, Any]) -> float:
    """Hidden layer and gradients, four times."""
    return 4.0 * (n + d + c) * width


MODELS = {
    "sdp": relaxation,
    "nngp": kernel,
    "ntk": kernel,
    "nngp-finite": kernel,
    "ntk-finite": kernel,
    "rbf": kernel,
    "sgd": descent,
    "lbfgs": descent,
}
