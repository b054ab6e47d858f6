"""γ chosen by cross-validation on the training rows alone: `gamma = "cv"`, for every method alike.

For each γ of GAMMAS the method is fitted, with the options of its cell, to all folds but one and predicts the rows of
that one. The γ whose predictions of all training rows score best is taken, the larger of equals, and the method is
fitted to all training rows with it: bounds and objective are those of that last problem. Test rows are never given.
Preprocessing is that of the data set, fitted to the training rows of all folds.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ...datasets.sampling import row_groups
from ...solvers.fit import ENDED_EARLY, Fit, Status
from ...solvers.network import Array
from ...solvers.problem import Problem
from ..text import UsageError, one_line
from .metrics import accuracy, checked_outputs, r2

FOLDS = 5
GAMMAS = (100.0, 10.0, 1.0, 0.1, 0.01, 0.001)
INNER_SHARE = 0.6  # of the budget, for all fits to folds together
LEAST_SHARE = 0.02  # of that, for those that come after it is spent

Fitting = Callable[[Problem, float], Fit]  # of a problem, within a budget in seconds
Making = Callable[[Array, Array, float], Problem]  # of rows, targets and γ


def cross_validate(
    fit: Fitting,
    X: Array,
    Y: Array,
    *,
    classes: bool,
    seed: int,
    budget: float,
    gammas: Sequence[float] = GAMMAS,
    make: Making = Problem,
) -> tuple[Problem, Fit]:
    """Pick γ by cross-validation and fit all rows with it.

    A γ at which a fit fails or gives numbers that are not finite is out.

    Args:
        fit: the method as a function of a problem and a budget in seconds.
        X: training rows (n, d).
        Y: their targets (n, c).
        classes: whether the rows of Y are one-hot labels; the score is then the accuracy, and otherwise R².
        seed: of the folds.
        gammas: to choose from, from large to small, so that each fit can start from the one before.
        make: what makes a problem of rows, targets and γ.
        budget: seconds for everything; each fit to folds may use an equal part of what is left of INNER_SHARE of it.

    Returns:
        The problem of all rows at the γ picked, a new one, as the method may change what it is given; and its Fit. Its
        info gets `cv_scores`, and `cv_s`, the seconds before the last fit; its message says where all γ score alike and
        where the one chosen is an end of the grid; its status is `timeout` where the limit cuts fits to folds short.

    Raises:
        UsageError: all rows are the same.
        RuntimeError: every γ is out.
    """
    fold = folds(X, Y, classes, np.random.default_rng(seed))
    if not fold.any():
        raise UsageError('gamma = "cv" must have at least 2 different training rows. Got 1 instead: give γ.')
    trial = _Trial(fit, make, X, Y, [fold == k for k in range(int(fold.max()) + 1)], INNER_SHARE * budget)
    scores, complaint = {}, ""
    for i, gamma in enumerate(gammas):
        try:
            outputs = trial.outputs(gamma, len(gammas) - i)
        except _DoesNotApply as reason:
            return make(X, Y, gamma), reason.fit
        except MemoryError:
            raise
        except Exception as error:
            complaint = one_line(error)
            continue
        if np.isfinite(outputs).all():
            scores[gamma] = accuracy(outputs, Y) if classes else r2(outputs, Y)
    if not scores:
        raise RuntimeError(f"no γ could be cross-validated: {complaint or 'all outputs were infinite or not numbers'}")
    chosen = max(scores, key=lambda gamma: (scores[gamma], gamma))
    cv_s = trial.seconds
    last = fit(make(X, Y, chosen), max(budget - cv_s, 0.1 * budget))
    info = {
        **last.info,
        "cv_scores": ", ".join(f"{gamma:g}: {score:.4f}" for gamma, score in scores.items()),
        "cv_s": cv_s,
    }
    stats = replace(last.stats, compile_s=trial.compile_s + (last.stats.compile_s or 0.0))
    cut, fits = trial.cut, len(gammas) * len(trial.held_out)
    said = [f"the time limit cut {cut} of {fits} fits to folds short"] if cut else []
    status = Status.TIMEOUT if cut and last.status == Status.OK else last.status  # with more time γ might be another
    message = "; ".join(part for part in (last.message, *said, _doubt(scores, chosen, gammas)) if part)
    return make(X, Y, chosen), replace(last, info=info, stats=stats, status=status, message=message)


class _DoesNotApply(Exception):
    """The method says that it does not apply to the problem."""

    def __init__(self, fit: Fit) -> None:
        super().__init__()
        self.fit = fit


class _Trial:
    """A method on trial at one γ after the other: it keeps count of its time, its compilation and fits cut short."""

    def __init__(
        self, fit: Fitting, make: Making, X: Array, Y: Array, held_out: list[NDArray[np.bool_]], budget: float
    ) -> None:
        self._fit, self._make = fit, make
        self._X, self._Y, self.held_out, self._budget = X, Y, held_out, budget
        self._began, self.compile_s, self.cut = time.perf_counter(), 0.0, 0

    @property
    def seconds(self) -> float:
        """Since it began."""
        return time.perf_counter() - self._began

    def outputs(self, gamma: float, left: int) -> Array:
        """Each row's outputs, predicted from the other folds. left: values of γ that are still to come, this one too.

        Raises _DoesNotApply, RuntimeError for a fit that brought nothing, and whatever the method raises.
        """
        X, Y, outputs = self._X, self._Y, np.empty_like(self._Y)
        for k, held in enumerate(self.held_out):
            seconds = max(self._budget - self.seconds, LEAST_SHARE * self._budget)
            found = self._fit(self._make(X[~held], Y[~held], gamma), seconds / (len(self.held_out) * left - k))
            if found.status == Status.UNSUPPORTED:
                raise _DoesNotApply(found)
            if found.status not in (Status.OK, *ENDED_EARLY):
                raise RuntimeError(found.message or str(found.status))
            outputs[held] = checked_outputs(found.predict(X[held]), Y[held])
            self.cut += found.status == Status.TIMEOUT
            self.compile_s += found.stats.compile_s or 0.0
        return outputs


def _doubt(scores: Mapping[float, float], chosen: float, gammas: Sequence[float]) -> str:
    """Why another γ may be as good or better, if there is a reason to think so."""
    if len(scores) > 1 and len(set(scores.values())) == 1:
        return f"cross-validation could not tell the γ apart, all score {scores[chosen]:.4g}: the largest is taken"
    if len(gammas) > 1 and chosen in (max(gammas), min(gammas)):
        return f"cross-validation chose γ = {chosen:g}, the end of its grid: one beyond may be better"
    return ""


def folds(X: Array, Y: Array, classes: bool, rng: np.random.Generator) -> NDArray[np.int64]:
    """Assign rows to at most FOLDS folds of equal size give or take one, and of classes alike; copies stay together.

    The shuffled rows are dealt out like cards, class after class, so a class may have fewer rows than there are folds.
    Rows with the same features are one card, as a copy in another fold would give its target away.

    Args:
        X: rows (n, d).
        Y: targets (n, c).
        classes: whether the rows of Y are one-hot labels.
        rng: shuffles the rows.

    Returns:
        The fold of each row (n,).
    """
    groups = row_groups(X)
    first = np.unique(groups, return_index=True)[1]
    order = rng.permutation(len(first))
    if classes:
        order = order[np.argsort(np.argmax(Y[first[order]], axis=1), kind="stable")]
    fold = np.empty(len(first), dtype=np.int64)
    fold[order] = np.arange(len(first)) % FOLDS
    return fold[groups]
