"""γ and other hyper-parameters chosen once on a validation split for all folds of a data set: `gamma = "validation"`.

Protocol `folds`, after Arora et al. 2020 (arXiv 1910.01663, section 5): every method is fitted to half of the rows with
each combination of its hyper-parameters and scored on the other half; the best one is then fitted to the training part
of each fold. The halves have rows in common with the test parts of the folds, for all methods alike.

γ is chosen from SHARES times a unit taken from the training rows, the same numbers for every method. With s the root
mean square of the rows' norms, that of X has the unit s_X and that of Y the unit s_Y; the penalty of a network weighs
s_X s_Y, that of linear ridge regression s_X², and a ridge compared with a kernel's diagonal has no unit. So neither
units nor the number of features move the grid.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np

from ...datasets import Dataset
from ...solvers.fit import ENDED_EARLY, Fit, Status
from ...solvers.network import Array
from ...solvers.problem import Problem
from ..text import one_line
from .crossval import Fitting, Making
from .metrics import accuracy, checked_outputs, r2

SHARES = (10.0, 3.0, 1.0, 0.3, 0.1, 0.01, 0.001)  # from large to small, so that each fit can start from the one before
CHOICE_SHARE = 0.5  # of the budget, for all fits on the validation split together
LEAST_SHARE = 0.02  # of that, for those that come after it is spent

Settings = Mapping[str, Any]


@dataclass(frozen=True)
class Chosen:
    """What was chosen: γ's share of its unit, the other settings, and what is worth knowing of the choice."""

    share: float
    settings: Settings
    info: Mapping[str, Any]
    compile_s: float
    cut: int
    message: str

    @property
    def text(self) -> str:
        """The settings beside γ as JSON."""
        return json.dumps(dict(self.settings), sort_keys=True)


@dataclass(frozen=True)
class Candidates:
    """A method with the settings to choose from.

    fitting: makes it, for given settings, a function of a problem and a budget in seconds. unit: powers of the units
    of X and Y in γ, None if γ plays no part. make: what makes a problem of rows, targets and γ.
    """

    fitting: Callable[[Settings], Fitting]
    choices: Mapping[str, Sequence[Any]]
    unit: tuple[int, int] | None
    make: Making = Problem

    @property
    def settings(self) -> list[Settings]:
        """Every combination of the choices."""
        return [dict(zip(self.choices, values, strict=True)) for values in product(*self.choices.values())]

    @property
    def shares(self) -> Sequence[float]:
        """The shares to choose γ from: a single one where it plays no part."""
        return SHARES if self.unit else (1.0,)

    def problem(self, data: Dataset, share: float) -> Problem:
        """The training problem with γ as that share of its unit."""
        X, Y = data.X_train, data.Y_train
        return self.make(X, Y, gamma_of(share, X, Y, self.unit))


def gamma_of(share: float, X: Array, Y: Array, unit: tuple[int, int] | None) -> float:
    """γ as a share of its unit.

    Args:
        share: of the unit.
        X: training rows (n, d).
        Y: their targets (n, c).
        unit: powers of the units of X and Y in γ, None if γ plays no part.

    Returns:
        γ.
    """
    sizes = [np.sqrt(np.sum(A**2) / len(A)) or 1.0 for A in (X, Y)]
    powers = unit or (0, 0)
    return float(share * sizes[0] ** powers[0] * sizes[1] ** powers[1])


def fit_folds(
    candidates: Candidates, split: Dataset, folds: Sequence[Dataset], budget: float
) -> list[tuple[Problem, Fit, str]]:
    """Choose γ and the other settings on the validation split, then fit every fold.

    Args:
        candidates: the method and what is to be chosen.
        split: the validation split: its training rows are fitted, its test rows score.
        folds: the folds; their test rows are never given to the method.
        budget: seconds for everything.

    Returns:
        For each fold its problem, its Fit and the settings chosen beside γ as JSON. The Fit's info has the scores and
        `choice_s`, the seconds of the choice; its status is `timeout` where the limit cut fits of the choice short.

    Raises:
        RuntimeError: no combination brought finite outputs.
    """
    began = time.perf_counter()
    chosen = choose(candidates, split, CHOICE_SHARE * budget)
    info = {**chosen.info, "choice_s": time.perf_counter() - began}
    fit, found = candidates.fitting(chosen.settings), []
    for k, data in enumerate(folds):
        problem = candidates.problem(data, chosen.share)
        left = max(budget - (time.perf_counter() - began), 0.1 * budget)
        it = fit(problem, left / (len(folds) - k))
        status = Status.TIMEOUT if chosen.cut and it.status == Status.OK else it.status
        message = "; ".join(part for part in (it.message, chosen.message) if part)
        stats = replace(it.stats, compile_s=chosen.compile_s / len(folds) + (it.stats.compile_s or 0.0))
        it = replace(it, info={**it.info, **info}, status=status, message=message, stats=stats)
        found.append((problem.on(problem.X, problem.Y), it, chosen.text))  # the method may change its own
    return found


def choose(candidates: Candidates, split: Dataset, budget: float) -> Chosen:
    """Score the combinations on a validation split; of equals the first, with the largest γ, is taken.

    What could at most be the equal of one with a perfect score is not fitted.

    Args:
        candidates: the method and what is to be chosen.
        split: its training rows are fitted, its test rows score: by accuracy, or R² for real targets.
        budget: seconds for all fits together.

    Returns:
        The best combination.

    Raises:
        RuntimeError: none brought finite outputs.
    """
    began, scores, complaint, compile_s, cut = time.perf_counter(), {}, "", 0.0, 0
    perfect = (0.0, 0)  # (share, −k) of the best with a score of 1, behind which nothing that follows can come
    settings = candidates.settings
    fits = [candidates.fitting(each) for each in settings]
    tries = list(product(range(len(settings)), candidates.shares))
    for number, (k, share) in enumerate(tries):
        if (share, -k) < perfect:
            continue
        left = max(budget - (time.perf_counter() - began), LEAST_SHARE * budget) / (len(tries) - number)
        try:
            fit = fits[k](candidates.problem(split, share), left)
            if fit.status not in (Status.OK, *ENDED_EARLY):
                raise RuntimeError(fit.message or str(fit.status))
            outputs = checked_outputs(fit.predict(split.X_test), split.Y_test)
        except MemoryError:
            raise
        except Exception as error:
            complaint = one_line(error)
            continue
        cut += fit.status == Status.TIMEOUT
        compile_s += fit.stats.compile_s or 0.0
        if np.isfinite(outputs).all():
            score = accuracy if split.labels is not None else r2
            scores[share, k] = score(outputs, split.Y_test)
            perfect = max(perfect, (share, -k)) if scores[share, k] == 1.0 else perfect
    if not scores:
        raise RuntimeError(f"nothing could be chosen: {complaint or 'all outputs were infinite or not numbers'}")
    share, k = max(scores, key=lambda at: (scores[at], at[0], -at[1]))
    info = {"validation_scores": _table(scores, settings), "gamma_share": share}
    said = [f"the time limit cut {cut} of {len(tries)} fits of the choice short"] if cut else []
    return Chosen(share, settings[k], info, compile_s, cut, "; ".join([*said, *_edge(share, candidates.shares)]))


def _table(scores: Mapping[tuple[float, int], float], settings: Sequence[Settings]) -> str:
    """The best score at each share, and with which settings where there are several."""
    best: dict[float, tuple[float, int]] = {}
    for (share, k), score in scores.items():
        best[share] = max(best.get(share, (-np.inf, 0)), (score, -k))
    several = len(settings) > 1
    return ", ".join(
        f"{share:g}: {score:.4f}" + (f" {json.dumps(dict(settings[-k]), sort_keys=True)}" if several else "")
        for share, (score, k) in best.items()
    )


def _edge(share: float, shares: Sequence[float]) -> list[str]:
    """Says where a γ beyond the grid may be better."""
    if len(shares) > 1 and share in (max(shares), min(shares)):
        return [f"γ is {share:g} of its unit, the end of the grid: one beyond may be better"]
    return []
