"""A finite set of directions with the master's solution on it: adding, dropping, merging, sliding, pruning.

A `Columns` is at once a network: neuron k has input weights √s_k u_k and output weights √s_k Θᵀz_k/γ,
z_k = φ(Xu_k), which balance at the optimum.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ..logistic import fit_ridge
from ..loss import LOSS
from ..network import Array, Network, descend, group_lasso, heights
from ..problem import Problem
from .master import objective, solve_master
from .search import distinct

DROP = 1e-7  # columns with less than this share of the mass leave the set
TRAIN = 500  # steps of L-BFGS before the first round
SLIDE = 500  # steps of L-BFGS a round
ROUGH = 0.1  # tolerance of a master that only has to say how large the weights are
CLUSTER = 1e-3  # radians between columns that are one atom, as far as a round can tell
KEPT = 200  # columns that are always kept
MOST = 1000  # columns at most


@dataclass(frozen=True)
class Columns:
    """Unit directions U (d, K), weights s (K,), Θ (n, c), objective, and the master's iterations so far."""

    U: Array
    s: Array
    theta: Array
    value: float
    iterations: int = 0


def empty(problem: Problem) -> Columns:
    """No columns: the zero network.

    Args:
        problem: the training problem.

    Returns:
        The columns.
    """
    loss, F = LOSS[problem.loss], np.zeros_like(problem.Y)
    return Columns(np.zeros((problem.d, 0)), np.zeros(0), loss.slope(F, problem.Y), loss.value(F, problem.Y))


def solve(problem: Problem, U: Array, s: Array, tol: float, iterations: int = 0) -> Columns:
    """Solve the master; columns that end up empty leave.

    Args:
        problem: the training problem.
        U: unit directions (d, K).
        s: weights to start from (K,).
        tol: duality gap allowed, relative.
        iterations: made so far, which the new ones add to.

    Returns:
        The columns with the master's solution.
    """
    if not U.shape[1]:
        return replace(empty(problem), iterations=iterations)
    master = solve_master(problem.hidden(U), problem.Y, problem.gamma, s, tol, problem.loss)
    keep = master.s > DROP * np.sum(master.s)
    return Columns(U[:, keep], master.s[keep], master.theta, master.value, iterations + master.iterations)


def train(problem: Problem, U: Array, tol: float) -> Columns:
    """Solve the master on the directions of a network trained by L-BFGS.

    A wide network has no bad minima, so this comes nearer to the optimum in seconds than many rounds do in minutes.

    Args:
        problem: the training problem.
        U: unit directions (d, K) that the network begins with.
        tol: duality gap allowed, relative.

    Returns:
        The columns with the master's solution.
    """
    columns = solve(problem, U, np.zeros(U.shape[1]), ROUGH)
    alike = np.full(U.shape[1], np.sum(columns.s) / max(U.shape[1], 1))
    U, s = slide(problem, replace(columns, U=U, s=alike), TRAIN)
    U, s = merge(problem.X, U, s, CLUSTER)
    return solve(problem, U, s, tol, columns.iterations)


def extend(problem: Problem, columns: Columns, new: Array, tol: float) -> Columns:
    """Solve the master again with more directions.

    Args:
        problem: the training problem.
        columns: the columns so far.
        new: unit directions to add (d, k).
        tol: duality gap allowed, relative.

    Returns:
        The columns with the master's solution.
    """
    U = np.hstack([columns.U, new])
    s = np.concatenate([columns.s, np.zeros(new.shape[1])])
    return solve(problem, U, s, tol, columns.iterations)


def advance(problem: Problem, columns: Columns, new: Array, gap: float) -> Columns:
    """Make one round: add, solve, slide the merged atoms, solve again on them and the old ones, thin out.

    Args:
        problem: the training problem.
        columns: the columns so far.
        new: unit directions to add (d, k).
        gap: what is left to gain, relative; it says how exactly to solve and what may be dropped.

    Returns:
        The columns after the round.
    """
    tol = min(1e-3, max(1e-8, 0.01 * gap))
    columns = _thin(problem, extend(problem, columns, new, tol), gap)
    U, s = merge(problem.X, columns.U, columns.s, CLUSTER)
    U, s = slide(problem, replace(columns, U=U, s=s), SLIDE)
    U, s = np.hstack([U, columns.U]), np.concatenate([s, np.zeros_like(columns.s)])
    return _thin(problem, solve(problem, U, s, tol, columns.iterations), gap)


def _thin(problem: Problem, columns: Columns, gap: float) -> Columns:
    """Without columns that neither carry mass nor come near their limit ‖Θᵀz_k‖ ≤ γ, and without near duplicates.

    The master's central weights obey s_k (1 − ‖Θᵀz_k‖²/γ²) ≈ const: their ratio ranks the columns. What leaves hands
    its mass to the nearest column that stays, and the objective is taken again.
    """
    if not len(columns.s):
        return columns
    room = 1 - (heights(columns.theta, problem.hidden(columns.U)) / problem.gamma) ** 2
    rank = columns.s / np.sum(columns.s) / np.maximum(room, 1e-9)
    order = np.argsort(-rank, kind="stable")
    order = order[(rank[order] > 1) | (room[order] < min(3 * gap, 0.05)) | (np.arange(len(order)) < KEPT)]
    keep = order[distinct(columns.U[:, order], MOST, min(1e-3, 0.3 * gap))]
    if len(keep) == len(columns.s):
        return columns
    U, s = columns.U[:, keep], columns.s[keep]
    gone = np.setdiff1d(np.arange(len(columns.s)), keep)
    np.add.at(s, np.argmax(U.T @ columns.U[:, gone], axis=0), columns.s[gone])
    return replace(columns, U=U, s=s, value=objective(problem.hidden(U), problem.Y, problem.gamma, s, problem.loss))


def network(problem: Problem, columns: Columns) -> Network:
    """Make the network with U = √s_k u_k and the best V for it (ridge regression, for the logistic loss its like).

    Args:
        problem: the training problem.
        columns: its neurons.

    Returns:
        The network; one dead neuron if there are no columns.
    """
    m = columns.U.shape[1]
    if not m:
        return Network.zeros(problem.d, 1, problem.c, problem.activation)
    U = columns.U * np.sqrt(columns.s)
    if problem.loss == "logistic":
        return problem.network(U, fit_ridge(problem.hidden(U), problem.Y, problem.gamma).V)
    # Least squares, slower than the normal equations of `ridge`, but accurate for tiny γ too.
    rows = np.vstack([problem.hidden(U), np.sqrt(problem.gamma) * np.eye(m)])
    return problem.network(U, np.linalg.lstsq(rows, np.vstack([problem.Y, np.zeros((m, problem.c))]), rcond=None)[0])


def slide(problem: Problem, columns: Columns, steps: int) -> tuple[Array, Array]:
    """Move all neurons at once by L-BFGS on the training objective.

    Args:
        problem: the training problem.
        columns: where to start.
        steps: at most so many.

    Returns:
        Unit directions (d, K) and weights (K,).
    """
    options = {"maxiter": steps, "maxfun": 2 * steps, "ftol": 1e-15, "gtol": 1e-12, "maxcor": 30}
    end, _ = descend(network(problem, columns), problem.objective_and_gradient, options)
    U, rows = group_lasso(end.only(np.linalg.norm(end.U, axis=0) > 0))
    return U, np.linalg.norm(rows, axis=1)


def merge(X: Array, U: Array, s: Array, angle: float) -> tuple[Array, Array]:
    """Replace directions near a heavier one, on the same linear piece, by one that carries their mass.

    On a piece only Σ s u uᵀ counts, so its leading eigenvector stands for the cluster.

    Args:
        X: rows (n, d), which bound the pieces.
        U: unit directions (d, K).
        s: weights (K,).
        angle: how near, in radians.

    Returns:
        Unit directions (d, k) and weights (k,).
    """
    scale = np.linalg.norm(X, axis=1)
    inner = X @ U
    touching = np.abs(inner) <= angle * scale[:, None]
    left = list(np.argsort(-s, kind="stable"))
    directions, weights = [], []
    while left:
        head = left[0]
        near = U[:, left].T @ U[:, head] >= np.cos(angle)
        differ = (inner[:, left] > 0) != (inner[:, [head]] > 0)
        near &= ~np.any(differ & ~touching[:, left], axis=0)
        near[0] = True
        cluster = [k for k, together in zip(left, near, strict=True) if together]
        left = [k for k, together in zip(left, near, strict=True) if not together]
        moment = (U[:, cluster] * s[cluster]) @ U[:, cluster].T
        leading = np.linalg.eigh(moment)[1][:, -1]
        directions.append(leading if leading @ U[:, head] > 0 else -leading)
        weights.append(np.sum(s[cluster]))
    return np.array(directions).T.reshape(len(U), -1), np.array(weights)


def prune(problem: Problem, columns: Columns, tol: float, late: Callable[[], bool] = lambda: False) -> Columns:
    """Find a set with few columns and nearly the same objective.

    First merges clusters (the coarsest merge that keeps the objective, after sliding), then drops the lightest, then
    removes linear dependencies among the rank-one terms z_k v_kᵀ (Carathéodory).

    Args:
        problem: the training problem.
        columns: the columns to begin with.
        tol: the objective exceeds that of `columns` by at most tol times it.
        late: ends it early, between any two steps.

    Returns:
        The columns left.
    """
    limit = columns.value * (1 + tol)
    for angle in (1e-1, 1e-2, 1e-3, 1e-4, 1e-6):
        U, s = merge(problem.X, columns.U, columns.s, angle)
        if late() or len(s) == columns.U.shape[1]:
            break
        merged = solve(problem, U, s, tol / 10, columns.iterations)
        if merged.value > limit:
            U, s = slide(problem, merged, 200)
            merged = solve(problem, U, s, tol / 10, merged.iterations)
        if merged.value <= limit:
            columns = merged
            break
    return _caratheodory(problem, _drop_lightest(problem, columns, limit, tol, late), limit, tol, late)


def _drop_lightest(problem: Problem, columns: Columns, limit: float, tol: float, late: Callable[[], bool]) -> Columns:
    """Offer the lightest half for removal, then ever fewer, as long as the objective allows it."""
    count = len(columns.s) // 2
    while count and not late():
        keep = np.sort(np.argsort(-columns.s, kind="stable")[:-count])
        fewer = solve(problem, columns.U[:, keep], columns.s[keep], tol / 10, columns.iterations)
        if fewer.value <= limit:
            columns, count = fewer, min(count, len(fewer.s) // 2)
        else:
            count //= 2
    return columns


def _caratheodory(problem: Problem, columns: Columns, limit: float, tol: float, late: Callable[[], bool]) -> Columns:
    """Move mass along null vectors of the terms z_k v̂_kᵀ, v̂_k = Θᵀz_k/γ, until one column is empty; repeat."""
    while columns.U.shape[1] > 1 and not late():
        Z = problem.hidden(columns.U)
        V = Z.T @ columns.theta
        gram = (Z.T @ Z) * (V @ V.T)
        unit = np.sqrt(np.diag(gram))
        if not np.all(unit > 0):
            break
        values, vectors = np.linalg.eigh(gram / np.outer(unit, unit))
        if values[0] > 1e-9 * values[-1]:
            break
        null = vectors[:, 0] / unit
        null = null if np.max(null / columns.s) >= np.max(-null / columns.s) else -null
        s = columns.s - null / np.max(null / columns.s)
        keep = s > 1e-12 * np.sum(s)
        fewer = solve(problem, columns.U[:, keep], s[keep], tol / 10, columns.iterations)
        if fewer.value > limit:
            break
        columns = fewer
    return columns
