"""What every user would try first, from scikit-learn: ridge on the features, RBF kernel ridge, a random forest.

All three are fitted to the targets as they are (one-hot or real), with scikit-learn's defaults where nothing else is
said. They are other models, so they have no network, no objective and no bound.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Literal

import numpy as np

from ..solvers.fit import Fit, Statistics
from ..solvers.network import Array
from ..solvers.problem import Problem
from .common import Clock, Count, Positive

Features = Literal["all", "third", "sqrt"]


def ridge(problem: Problem, *, width: int | None = None, seed: int = 0, budget: float | None = None) -> Fit:
    """Linear ridge regression with an unpenalised intercept: min_W ½‖XW + 1bᵀ − Y‖² + γ/2 ‖W‖².

    Args:
        problem: the training data and γ.
        width: not used.
        seed: not used.
        budget: not used.

    Returns:
        The fitted predictor, without a network.
    """
    from sklearn.linear_model import Ridge

    sigma = problem.scaled.sigma
    return _fitted(problem, Ridge(alpha=problem.gamma / sigma / sigma))


def rbf(
    problem: Problem,
    *,
    width: int | None = None,
    seed: int = 0,
    budget: float | None = None,
    sharpness: Positive = 1.0,
) -> Fit:
    """Kernel ridge regression with ridge γ and the kernel exp(−s‖x − z‖²/(d·v)), v the variance of the entries of X.

    With s = 1 that scale is scikit-learn's `gamma="scale"` for support vector machines; it makes the fit independent of
    units.

    Args:
        problem: the training data and γ.
        width: not used.
        seed: not used.
        budget: not used.
        sharpness: s.

    Returns:
        The fitted predictor, without a network.
    """
    from sklearn.kernel_ridge import KernelRidge

    X = problem.scaled.problem.X
    spread = problem.d * float(np.var(X))
    scale = sharpness / spread if spread > 0 else sharpness
    return _fitted(problem, KernelRidge(alpha=problem.gamma, kernel="rbf", gamma=scale))


def forest(
    problem: Problem,
    *,
    width: int | None = None,
    seed: int = 0,
    budget: float | None = None,
    trees: Count = 100,
    features: Features = "all",
    leaf: Count = 1,
) -> Fit:
    """A random forest of regression trees on the targets.

    On one-hot targets the squared error of a split is its Gini impurity, so scores are a classification forest's.

    Args:
        problem: the training data; γ plays no part.
        width: not used.
        seed: where the random numbers come from.
        budget: not used.
        trees: how many.
        features: how many of the d features a split may choose from: all, a third, or √d.
        leaf: the least rows in a leaf.

    Returns:
        The fitted predictor, without a network.
    """
    from sklearn.ensemble import RandomForestRegressor

    most = {"all": 1.0, "third": 1 / 3, "sqrt": "sqrt"}[features]
    return _fitted(
        problem, RandomForestRegressor(trees, random_state=seed, n_jobs=1, max_features=most, min_samples_leaf=leaf)
    )


def _fitted(problem: Problem, model: Any) -> Fit:
    """The model fitted to X/σ, so that no unit of X overflows; it predicts from rows in the units of X."""
    sigma, X = problem.scaled.sigma, problem.scaled.problem.X
    targets = problem.Y[:, 0] if problem.c == 1 else problem.Y
    clock = Clock(None)
    model.fit(X, targets)
    seconds = clock.seconds()

    return Fit(partial(_predict, model, sigma, problem.c), stats=Statistics(solve_s=seconds))


def _predict(model: Any, sigma: float, c: int, Z: Array) -> Array:
    return np.asarray(model.predict(np.asarray(Z, dtype=np.float64) / sigma)).reshape(len(Z), c)
