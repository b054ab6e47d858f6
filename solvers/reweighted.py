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
from .ipm.state import WarmStart
from .logistic import Ridge, blocks, fit_ridge, mean_free
from .loss import LOSS
from .network import Array
from .problem import Problem
from .reduced.dual import DualPoint, dual_maximum, sharpen
from .reduced.reduction import Reduced
from .relaxation import MISSED, Relaxation, positive_factor

ROUNDS = 60  # at most: two outputs take about eight, ten some thirty
REACH = 4.0  # a first target is at most so far from the output, so that rows far on the wrong side do not rule; doubled
FIRST = 1e-2  # gap of the first interior points; then a share of what is left
SHARE = 0.1
LAST = 1e-2  # gap of the last interior points, of the gap that is asked for
FINEST = 1e-7
BOLDEST = 0.4  # share of the largest eigenvalue that weights come down to while full steps succeed
LEAST = 1e-5  # of the largest weight
PATIENCE = 3  # rounds without gain at the finest gap until no more is expected
ALONG = 10  # steps of L-BFGS in z
HALVES = 0.5 ** np.arange(12)

_LOSS = LOSS["logistic"]


def reweighted(problem: Problem, reduced: Reduced, gap: float, budget: float | None) -> Relaxation:
    """Solve the relaxation for the logistic loss and prove a bound.

    Args:
        problem: the user's.
        reduced: the same, reduced; its weights and targets play no part.
        gap: relative proved gap at which to stop.
        budget: seconds; None for no limit.

    Returns:
        The relaxation without a network: status `ok` where the gap is reached, else `timeout`, or `stalled` where no
        more was to be had.
    """
    began = time.perf_counter()
    Y = problem.Y
    point = _at(reduced, Y, np.zeros((reduced.n + reduced.d, reduced.n + reduced.d)))
    bound: _Bound | None = None
    warm: WarmStart | None = None
    finest, stuck = max(FINEST, LAST * gap), 0
    trace: list[TraceRow] = []
    status, left, aim, boldness, iterations = Status.ITERATION_LIMIT, 1.0, FIRST, 1.0, 0
    for k in range(ROUNDS):
        spent = time.perf_counter() - began
        if budget is not None and spent >= budget and trace:
            status = Status.TIMEOUT
            break
        model = _model(reduced, point, Y, REACH * 2.0**k, boldness if problem.c > 2 else 1.0)
        rest = None if budget is None else max(budget - spent, 0.0)
        found = interior_point(model.reduced, gap=aim, budget=rest, warm=warm)
        warm = None if found.status == Status.STALLED else found.halfway or warm
        iterations += found.iterations
        moved = _step(reduced, Y, point, model.scale * found.Z[: len(point.E), : len(point.E)])
        full = moved is not None and moved.length == 1
        boldness = max(BOLDEST, 0.8 * boldness) if full else min(1.0, 1.5 * boldness)
        before, point = (point.value, left), moved or point
        for theta in (model.theta(found.dual.theta), point.ridge.theta):
            made = _bound(reduced, Y, theta, model.unit, found.dual)
            bound = made if bound is None or made.value > bound.value else bound
        assert bound is not None
        left = (point.value - bound.value) / point.value
        trace.append(TraceRow(time.perf_counter() - began, iterations, point.value, bound.value))
        idle = before[0] - point.value <= aim * point.value and left >= 0.5 * before[1]
        stuck = stuck + 1 if idle and aim <= finest else 0
        if left <= gap or stuck == PATIENCE:
            status = Status.OK if left <= gap else Status.STALLED
            break
        aim = max(min(aim, SHARE * left) * (SHARE if idle else 1.0), finest)
    assert bound is not None
    certificate = certify_at(problem, reduced, bound.theta, bound.dual)
    proved = (point.value - certificate.lower_bound) / point.value
    if status == Status.OK and proved > MISSED * gap:
        status = Status.STALLED
    return Relaxation(
        factor=_factor(reduced, point),
        value=point.value,
        certificate=certificate,
        trace=tuple(trace),
        info={"rounds": len(trace)},
        stats=Statistics(iterations=iterations, relaxation_gap=left),
        status=status,
        message="" if status in (Status.OK, Status.TIMEOUT) else f"stopped at a proved gap of {proved:.1e}",
    )


@dataclass(frozen=True)
class _Point:
    """A feasible block E over (s, u), the best outputs, the objective, and the share of the step that led there."""

    E: Array
    ridge: Ridge
    value: float
    length: float = 0.0


@dataclass(frozen=True)
class _Bound:
    """What Θ (N, c) proves, up to rounding, by T and z."""

    theta: Array
    dual: DualPoint
    value: float


@dataclass(frozen=True)
class _Model:
    """The weighted squares at a point, at mean weight 1 and targets of unit size, with weights and targets of all rows.

    Their Θ times `unit` is that of the loss, and their blocks E times `scale`.
    """

    reduced: Reduced
    unit: float
    scale: float
    weight: Array
    target: Array

    def theta(self, theta: Array) -> Array:
        """Θ (N, c) of the user's rows for that of the squares on the extended rows (2n, c)."""
        live = self.reduced.weight[:, None] > 0
        rest = np.divide(theta, self.reduced.weight[:, None], out=np.zeros_like(theta), where=live)
        outputs = self.scale * (self.reduced.target - rest)
        own = np.abs(self.reduced.coef)[:, None] * outputs[_side(self.reduced)]
        return self.weight[:, None] * (self.target - own)


def _bound(reduced: Reduced, Y: Array, theta: Array, unit: float, dual: DualPoint) -> _Bound:
    """The best multiple of Θ, made admissible, with T and z of the squares' dual point."""
    theta = _LOSS.admissible(theta, Y)
    A = np.zeros((2 * reduced.n, Y.shape[1]))
    np.add.at(A, _side(reduced), np.abs(reduced.coef)[:, None] * theta)
    point = sharpen(reduced, DualPoint(A, unit**2 * dual.T, unit**2 * dual.z), ALONG)
    live = reduced.rep >= 0
    largest = dual_maximum(reduced, point)
    t = _LOSS.step(theta[live], Y[live], reduced.gamma / np.sqrt(largest) if largest > 0 else np.inf)
    theta = np.where(live[:, None], t * theta, _LOSS.slope(np.zeros_like(Y), Y))
    return _Bound(theta, DualPoint(t * A, t**2 * point.T, t**2 * point.z), _LOSS.dual(theta, Y))


def _at(reduced: Reduced, Y: Array, E: Array) -> _Point:
    """The best outputs for a block E."""
    ridge = fit_ridge(_features(reduced, E), Y, reduced.gamma)
    return _Point(E, ridge, ridge.value + 0.5 * reduced.gamma * float(np.trace(E[reduced.n :, reduced.n :])))


def _features(reduced: Reduced, E: Array) -> Array:
    """H (N, r) with H Hᵀ the kernel of the user's rows: what their loss rows read of a factor of E."""
    factor, (a, b) = positive_factor(E), reduced.mix or (1.0, 0.0)
    s, Xu = (a + b) / 2 * factor[: reduced.n], (a - b) / 2 * reduced.X @ factor[reduced.n :]
    return np.abs(reduced.coef)[:, None] * np.vstack([s + Xu, s - Xu])[_side(reduced)]


def _side(reduced: Reduced) -> NDArray[np.int64]:
    """The loss row of each user's row; any for a zero row, whose coef is 0."""
    return np.maximum(reduced.rep, 0) + np.where(reduced.coef < 0, reduced.n, 0)


def _model(reduced: Reduced, point: _Point, Y: Array, reach: float, boldness: float) -> _Model:
    """The weighted squares that stand for the loss near a point, with targets at most `reach` from the outputs."""
    F, theta = point.ridge.F, point.ridge.theta
    weight = boldness * np.linalg.eigvalsh(blocks(F, mean_free(Y.shape[1])))[:, -1]
    weight = np.maximum(weight, np.linalg.norm(theta, axis=1) / reach)
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
        gamma=reduced.gamma / (mean * scale),
        constant=max(0.0, rest + offset) / (mean * scale**2),
    )
    return _Model(model, mean * scale, scale, weight, target)


def _step(reduced: Reduced, Y: Array, point: _Point, E: Array) -> _Point | None:
    """The first of the full step, half of it, … that makes the objective fall; None if it does not."""
    for length in HALVES:
        there = _at(reduced, Y, point.E + length * (E - point.E))
        if there.value < point.value:
            return replace(there, length=float(length))
    return None


def _factor(reduced: Reduced, point: _Point) -> Array:
    """A factor of Z over the user's (s, u, v): the best v-part has v = ΘᵀH/γ beside the rows of E's own factor."""
    rows = positive_factor(point.E)
    outputs = point.ridge.theta.T @ _features(reduced, point.E) / reduced.gamma
    return reduced.factor_back(np.vstack([rows, outputs]))
