"""γ chosen by cross-validation on the training rows alone: `gamma = "cv"`, for every method alike.

For each γ of GAMMAS the method is fitted, with the options of its cell, to all folds but one and predicts the rows of
that one. The γ whose predictions of all training rows score best is taken, the larger of equals, and the method is
fitted to all training rows with it: bounds and objective are those of that last problem. Test rows are never given.
Preprocessing is that of the data set, fitted to the training rows of all folds.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ...solvers.fit import ENDED_EARLY, Fit, Status
from ...solvers.network import Array
from ...solvers.problem import Problem
from ..text import UsageError, one_line
from .metrics import accuracy, checked_outputs, r2

FOLDS = 5
GAMMAS = (100.0, 10.0, 1.0, 0.1, 0.01, 0.001)
INNER_SHARE = 0.6  # of the budget, for all fits to folds together

Fitting = Callable[[Problem, float], Fit]  # of a problem, within a budget in seconds


def cross_validate(fit: Fitting, X: Array, Y: Array, *, classes: bool, seed: int, budget: float) -> tuple[Problem, Fit]:
    """The problem of all rows X (n, d), Y (n, c) at the γ that cross-validation picks, and its Fit.

    classes: whether the rows of Y are one-hot labels; the score is then the accuracy, and otherwise R². seed: of the
    folds. budget: seconds for everything; each fit to folds may use an equal part of what is left of INNER_SHARE of it.
    info of the Fit gets `cv_scores`, and `cv_s`, the seconds before the last fit; its message says where all γ score
    alike and where the one chosen is an end of the grid. A γ at which a fit fails or gives numbers that are not finite
    is out; where the limit cuts fits to folds short, the status is `timeout`. The problem is a new one, as the method
    may change what it is given. Raises UsageError for a single row, RuntimeError if every γ is out.
    """
    if len(X) < 2:
        raise UsageError('gamma = "cv" must have at least 2 training rows. Got 1 instead: give γ.')
    began, compile_s, cut, complaint = time.perf_counter(), 0.0, 0, ""
    fold = folds(Y, classes, np.random.default_rng(seed))
    held_out = [fold == k for k in range(int(fold.max()) + 1)]
    scores: dict[float, float] = {}
    for i, gamma in enumerate(GAMMAS):
        outputs = np.empty_like(Y)
        try:
            for k, held in enumerate(held_out):
                left = max(INNER_SHARE * budget - (time.perf_counter() - began), 0.01 * budget)
                found = fit(Problem(X[~held], Y[~held], gamma), left / (len(held_out) * (len(GAMMAS) - i) - k))
                if found.status == Status.UNSUPPORTED:
                    return Problem(X, Y, gamma), found
                if found.status not in (Status.OK, *ENDED_EARLY):
                    raise RuntimeError(found.message or str(found.status))
                outputs[held] = checked_outputs(found.predict(X[held]), Y[held])
                cut += found.status == Status.TIMEOUT
                compile_s += found.stats.compile_s or 0.0
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
    cv_s = time.perf_counter() - began
    last = fit(Problem(X, Y, chosen), max(budget - cv_s, 0.1 * budget))
    info = {
        **last.info,
        "cv_scores": ", ".join(f"{gamma:g}: {score:.4f}" for gamma, score in scores.items()),
        "cv_s": cv_s,
    }
    stats = replace(last.stats, compile_s=compile_s + (last.stats.compile_s or 0.0))
    said = [f"the time limit cut {cut} of {len(GAMMAS) * len(held_out)} fits to folds short"] if cut else []
    status = Status.TIMEOUT if cut and last.status == Status.OK else last.status  # with more time γ might be another
    message = "; ".join(part for part in (last.message, *said, _doubt(scores, chosen)) if part)
    return Problem(X, Y, chosen), replace(last, info=info, stats=stats, status=status, message=message)


def _doubt(scores: Mapping[float, float], chosen: float) -> str:
    """Why another γ may be as good or better, if there is a reason to think so."""
    if len(scores) > 1 and len(set(scores.values())) == 1:
        return f"cross-validation could not tell the γ apart, all score {scores[chosen]:.4g}: the largest is taken"
    if chosen in (max(GAMMAS), min(GAMMAS)):
        return f"cross-validation chose γ = {chosen:g}, the end of its grid: one beyond may be better"
    return ""


def folds(Y: Array, classes: bool, rng: np.random.Generator) -> NDArray[np.int64]:
    """The fold of each row (n,), at most FOLDS of equal size give or take one, and of classes alike.

    The shuffled rows are dealt out like cards, class after class, so a class may have fewer rows than there are folds.
    """
    order = rng.permutation(len(Y))
    if classes:
        order = order[np.argsort(np.argmax(Y[order], axis=1), kind="stable")]
    fold = np.empty(len(Y), dtype=np.int64)
    fold[order] = np.arange(len(Y)) % FOLDS
    return fold
