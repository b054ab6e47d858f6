"""The relaxation for the logistic loss: a sequence of weighted squares, each solved by the interior point.

At outputs F the loss of row i is near w_i/2 ‖f_i − t_i‖² + const, with w_i the largest eigenvalue of its Hessian block
diag(p_i) − p_i p_iᵀ and t_i = f_i + θ_i/w_i. The squares' relaxation is Newton's method for two outputs, and nearly so
for more; a step is halved until the objective with the true loss falls. The Θ of every iterate with the T and z of its
interior point is a dual point of the true relaxation, whose constraint on Θ is the same for every loss.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .certificates.quadratic import certify_at
from .fit import Statistics, Status, TraceRow
from .ipm.loop import interior_point
from .logistic import Ridge, blocks, fit_ridge, mean_free
from .loss import LOSS
from .network import Array
from .problem import Problem
from .reduced.dual import DualPoint, dual_maximum, sharpen
from .reduced.reduction import Reduced
from .relaxation import Relaxation, positive_factor

ROUNDS = 60  # at most: two outputs take about eight, ten some thirty
REACH = 4.0  # a target is at most so far from the output, so that no row far on the wrong side rules the others
FIRST = 1e-2  # gap of the first interior points; then a share of what is left
SHARE = 0.1
FINEST = 1e-8
LEAST = 1e-4  # of the largest weight
ALONG = 10  # steps of L-BFGS in z
HALVES = 0.5 ** np.arange(12)

_LOSS = LOSS["logistic"]


@dataclass(frozen=True)
class _Point:
    """A feasible block E over (s, u), the best outputs for it, and the objective, in the scaled problem."""

    E: Array
    ridge: Ridge
    value: float


def reweighted(problem: Problem, reduced: Reduced, gap: float, budget: float | None) -> Relaxation:
    """Solve the relaxation for the logistic loss and prove a bound.

    Args:
        problem: the user's.
        reduced: the same, reduced; its weights and targets play no part.
        gap: relative proved gap at which to stop.
        budget: seconds; None for no limit.

    Returns:
        The relaxation without a network: status `ok` where the gap is reached, else `timeout`, or `stalled` where
        no step made the objective fall.
    """
    began = time.perf_counter()
    problem_scaled = problem.scaled.problem
    Y, gamma = problem_scaled.Y, problem_scaled.gamma
    point = _at(reduced, Y, gamma, np.zeros((reduced.n + reduced.d, reduced.n + reduced.d)))
    best, lower, trace, iterations = None, 0.0, [], 0
    status, left, aim = Status.ITERATION_LIMIT, 1.0, FIRST
    for _ in range(ROUNDS):
        spent = time.perf_counter() - began
        if budget is not None and spent >= budget and best is not None:
            status = Status.TIMEOUT
            break
        model, unit, scale = _model(reduced, point, Y, gamma)
        found = interior_point(model, gap=aim, budget=None if budget is None else max(budget - spent, 0.0))
        iterations += found.iterations
        nd = reduced.n + reduced.d
        moved = _step(reduced, Y, gamma, point, scale * found.Z[:nd, :nd])
        for theta in {id(p): p.ridge.theta for p in (moved or point, point)}.values():
            dual = DualPoint(_merged(reduced, theta), unit**2 * found.dual.T, unit**2 * found.dual.z)
            dual = sharpen(reduced, dual, ALONG)
            limit = reduced.gamma / max(np.sqrt(dual_maximum(reduced, dual)), 1e-300)
            t = _LOSS.step(theta, Y, limit)
            value = _LOSS.dual(np.where(reduced.rep[:, None] >= 0, t * theta, theta), Y)
            if best is None or value > lower:
                best, lower = (theta, dual, t), value
        before, point = (point.value, left), moved or point
        left = (point.value - lower) / point.value
        idle = before[0] - point.value <= SHARE * left * point.value and left >= 0.5 * before[1]
        finest = aim <= FINEST
        aim = max(min(aim, SHARE * left) * (SHARE if idle else 1.0), FINEST)
        trace.append(TraceRow(time.perf_counter() - began, iterations, point.value, lower))
        if left <= gap:
            status = Status.OK
            break
        if idle and finest:
            status = Status.STALLED
            break
    theta, dual, t = best
    certificate = certify_at(problem, reduced, t * theta, DualPoint(t * dual.theta, t**2 * dual.T, t**2 * dual.z))
    if status == Status.OK and (point.value - certificate.lower_bound) > 1.1 * gap * point.value:
        status = Status.STALLED
    return Relaxation(
        factor=_factor(reduced, point, gamma),
        value=point.value,
        certificate=certificate,
        trace=tuple(trace),
        info={"rounds": len(trace)},
        stats=Statistics(iterations=iterations, relaxation_gap=left),
        status=status,
        message="" if status in (Status.OK, Status.TIMEOUT) else f"stopped at a gap of {left:.1e}",
    )


def _at(reduced: Reduced, Y: Array, gamma: float, E: Array) -> _Point:
    """The best outputs for a block E."""
    ridge = fit_ridge(_features(reduced, E), Y, gamma)
    return _Point(E, ridge, ridge.value + 0.5 * gamma * float(np.trace(E[reduced.n :, reduced.n :])))


def _features(reduced: Reduced, E: Array) -> Array:
    """H (N, r) with H Hᵀ the kernel of the user's rows: the α-rows of a factor of E, or the β-rows of opposite ones."""
    return np.abs(reduced.coef)[:, None] * _extended(reduced, positive_factor(E))[_side(reduced)]


def _side(reduced: Reduced) -> NDArray[np.int64]:
    """The extended row of each user's row; any for a zero row, whose coef is 0."""
    return np.maximum(reduced.rep, 0) + np.where(reduced.coef < 0, reduced.n, 0)


def _merged(reduced: Reduced, theta: Array) -> Array:
    """Θ of the user's rows summed onto the extended ones (2n, c)."""
    A = np.zeros((2 * reduced.n, theta.shape[1]))
    np.add.at(A, _side(reduced), np.abs(reduced.coef)[:, None] * theta)
    return A


def _model(reduced: Reduced, point: _Point, Y: Array, gamma: float) -> tuple[Reduced, float, float]:
    """The weighted squares at a point, at mean weight 1 and targets of unit size; their Θ times `unit` is that of the
    loss, and their blocks E times `scale`.
    """
    F, theta = point.ridge.F, point.ridge.theta
    weight = np.linalg.eigvalsh(blocks(F, mean_free(Y.shape[1])))[:, -1]
    weight = np.maximum(weight, np.linalg.norm(theta, axis=1) / REACH)
    weight = np.maximum(weight, LEAST * float(np.max(weight)))
    target = F + theta / weight[:, None]
    side, size = _side(reduced), np.abs(reduced.coef)
    merged, weighted = np.zeros(2 * reduced.n), np.zeros((2 * reduced.n, Y.shape[1]))
    np.add.at(merged, side, weight * size**2)
    np.add.at(weighted, side, (weight * size)[:, None] * target)
    means = np.divide(weighted, merged[:, None], out=np.zeros_like(weighted), where=merged[:, None] > 0)
    offset = _LOSS.value(F, Y) - 0.5 * float(np.sum(theta**2 / weight[:, None]))
    rest = 0.5 * float(np.sum(weight[:, None] * (size[:, None] * means[side] - target) ** 2))
    mean = float(np.mean(weight))
    scale = float(np.sqrt(np.sum(merged[:, None] * means**2) / (mean * Y.size)))
    model = replace(
        reduced,
        weight=merged / mean,
        target=means / scale,
        gamma=gamma / (mean * scale),
        constant=max(0.0, rest + offset) / (mean * scale**2),
    )
    return model, mean * scale, scale


def _step(reduced: Reduced, Y: Array, gamma: float, point: _Point, E: Array) -> _Point | None:
    """The first of the full step, half of it, … that makes the objective fall; None if it does not."""
    for length in HALVES:
        there = _at(reduced, Y, gamma, point.E + length * (E - point.E))
        if there.value < point.value:
            return there
    return None


def _factor(reduced: Reduced, point: _Point, gamma: float) -> Array:
    """A factor of Z over the user's (s, u, v): the best v-part has v = ΘᵀH/γ beside the rows of E's own factor."""
    rows = positive_factor(point.E)
    outputs = _merged(reduced, point.ridge.theta).T @ _extended(reduced, rows) / gamma
    return reduced.factor_back(np.vstack([rows, outputs]))


def _extended(reduced: Reduced, factor: Array) -> Array:
    """The rows (α, β) of a factor over (s, u)."""
    s, Xu = factor[: reduced.n], reduced.X @ factor[reduced.n :]
    return np.vstack([s + Xu, s - Xu]) / 2
