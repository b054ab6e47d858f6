"""Rounds for many rows, where training the columns' network takes longer than it saves: they add and solve, no more."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..network import Array, heights
from ..problem import Problem
from .columns import Columns, extend, solve

START = 0.3  # tolerance of the first master
CENTRAL = 0.1  # share of the gap that a later one leaves open
FINEST = 1e-8
LIGHT = 0.1  # of the mean weight: lighter columns leave,
ROOM, LEAST_ROOM = 0.4, 0.02  # unless 1 − (‖Θᵀz_k‖/γ)² is below this share of the gap, or below this


def first(problem: Problem, U: Array) -> Columns:
    """Solve the master roughly on the first directions.

    Args:
        problem: the training problem.
        U: unit directions (d, K).

    Returns:
        The columns with the master's solution.
    """
    return solve(problem, U, np.zeros(U.shape[1]), START)


def grow(problem: Problem, columns: Columns, new: Array, gap: float) -> Columns:
    """Make one round: drop what is of no use, add, solve.

    The master stops a tenth of the gap away from its optimum. Its Θ is central then, away from the limits of most
    columns: it asks for better directions than the optimal one would, and takes fewer iterations.

    Args:
        problem: the training problem.
        columns: the columns so far.
        new: unit directions to add (d, k).
        gap: what is left to gain, relative.

    Returns:
        The columns after the round.
    """
    room = 1 - (heights(columns.theta, problem.hidden(columns.U)) / problem.gamma) ** 2
    keep = (columns.s > LIGHT * np.mean(columns.s)) | (room < max(ROOM * gap, LEAST_ROOM))
    columns = replace(columns, U=columns.U[:, keep], s=columns.s[keep])
    return extend(problem, columns, new, max(FINEST, CENTRAL * gap))
