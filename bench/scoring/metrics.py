"""What a Fit scores, computed outside the method: nobody's own numbers are believed.

Protocol holdout: the label is the largest output (argmax); nothing is chosen on test rows.
Protocol paper, optimistic: outputs ≥ t are read as ones, a row counts if all of its outputs agree with the one-hot
label, and t (steps of 0.01), and the network among those met on the way, are those that score best on the test rows.

Outputs of the logistic loss are read as log-probabilities up to a constant: their softmax takes the place of outputs in
protocol paper, and is scored by log loss, Brier score and calibration. Outputs of squares are no probabilities.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from ...datasets import Dataset
from ...errors import RelaxbenchError
from ...solvers.fit import Fit
from ...solvers.loss import LOSS, softmax
from ...solvers.network import Array, Network
from ...solvers.problem import Problem

THRESHOLDS = np.arange(101) / 100
BINS = 15  # of the largest probability, equally wide, in the expected calibration error
OUTPUTS = "outputs"  # beside the columns of a score: NaN where outputs are not finite


class ContractError(RelaxbenchError):
    """A method returned something that is not what methods return."""


def score(problem: Problem, dataset: Dataset, fit: Fit, width: int | None) -> dict[str, float]:
    """What a Fit scores; numbers that are not finite come out as they are.

    Args:
        problem: training data and γ.
        dataset: where the test rows and labels are from.
        fit: its network is evaluated as what it is, (XU)₊V; `fit.predict` counts only where there is no network.
        width: the most neurons that the network may have; None for any number.

    Returns:
        Objective, accuracies, scores of probabilities or R² by column name.

    Raises:
        ContractError: the Fit breaks the contract.
    """
    if width is not None and fit.network is not None and fit.network.width > width:
        raise ContractError(f"The network must have at most {width} neurons. Got {fit.network.width} instead.")
    columns: dict[str, float] = {}
    with np.errstate(over="ignore", invalid="ignore"):
        if fit.network is not None:
            columns["objective"] = problem.objective(fit.network)
        # What is not ours gets copies, as it may write into them.
        predict = fit.network.predict if fit.network is not None else lambda X: fit.predict(X.copy())
        train = checked_outputs(predict(problem.X), problem.Y)
        test = _outputs(predict, dataset)
        if not (np.isfinite(train).all() and np.isfinite(test).all()):
            return {**columns, OUTPUTS: float("nan")}
        if dataset.labels is None:
            return columns | _regression(train, problem.Y, test, dataset.Y_test)
        candidates = [test, *(_outputs(met.predict, dataset) for met in fit.iterates)]
        if problem.loss == "logistic":
            candidates = [softmax(outputs) for outputs in candidates]
            columns |= _probabilities(test, dataset.Y_test)
    return columns | _classification(train, problem.Y, test, dataset.Y_test, candidates)


def upper_bound(problem: Problem, *networks: Network | None) -> float | None:
    """Smallest finite objective of these networks, an upper bound on p*(∞) whatever their width.

    Args:
        problem: training data and γ.
        networks: networks, or None for one that is not there.

    Returns:
        The bound; None without any.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        objectives = [problem.objective(network) for network in networks if network is not None]
    return min((value for value in objectives if np.isfinite(value)), default=None)


def accuracy(outputs: Array, Y: Array) -> float:
    """Share of rows whose largest output is where the label has its one.

    Args:
        outputs: outputs (k, c).
        Y: one-hot labels (k, c).

    Returns:
        A number in [0, 1].
    """
    return float(np.mean(np.argmax(outputs, axis=1) == np.argmax(Y, axis=1)))


def paper_accuracy(candidates: Sequence[Array], Y: Array) -> float:
    """Best subset accuracy over the candidates and all THRESHOLDS; optimistic, since picked on Y.

    Args:
        candidates: outputs (k, c) of each candidate.
        Y: one-hot labels (k, c).

    Returns:
        A number in [0, 1].
    """
    wanted = Y >= 0.5
    return max(
        float(np.mean(((outputs >= threshold) == wanted).all(axis=1)))
        for outputs in candidates
        for threshold in THRESHOLDS
    )


def calibration_error(P: Array, Y: Array) -> float:
    """Expected calibration error: the mean over rows of |share that is right − mean of the largest probability|.

    Both are taken within the row's bin, of BINS equally wide ones of the largest probability.

    Args:
        P: probabilities (k, c).
        Y: one-hot labels (k, c).

    Returns:
        A number in [0, 1].
    """
    sure, right = np.max(P, axis=1), np.argmax(P, axis=1) == np.argmax(Y, axis=1)
    bins = np.minimum((sure * BINS).astype(int), BINS - 1)
    return float(np.sum(np.abs(np.bincount(bins, right - sure, BINS))) / len(P))


def r2(outputs: Array, Y: Array) -> float:
    """Mean over outputs of 1 − Σ(output − y)²/Σ(y − ȳ)².

    Args:
        outputs: outputs (k, c).
        Y: targets (k, c).

    Returns:
        The mean; a constant y counts 1 if it is met exactly, else 0.
    """
    left, total = np.sum((outputs - Y) ** 2, axis=0), np.sum((Y - Y.mean(axis=0)) ** 2, axis=0)
    return float(np.mean(np.where(total > 0, 1 - left / np.where(total > 0, total, 1), left == 0)))


def _classification(
    train: Array, Y_train: Array, test: Array, Y_test: Array, candidates: Sequence[Array]
) -> dict[str, float]:
    columns = {"train_accuracy": accuracy(train, Y_train)}
    if len(Y_test) == 0:
        return columns
    hits = np.argmax(test, axis=1) == np.argmax(Y_test, axis=1)
    rows_of_class = Y_test.sum(axis=0)
    recall = (hits @ Y_test)[rows_of_class > 0] / rows_of_class[rows_of_class > 0]
    holdout, paper = accuracy(test, Y_test), paper_accuracy(candidates, Y_test)
    return columns | {
        "test_accuracy": holdout,
        "test_accuracy_paper": paper,
        "optimism": paper - holdout,
        "balanced_accuracy": float(recall.mean()),
    }


def _probabilities(outputs: Array, Y: Array) -> dict[str, float]:
    """How good the softmax of the outputs is on the test rows."""
    if len(Y) == 0:
        return {}
    P = softmax(outputs)
    return {
        "test_log_loss": LOSS["logistic"].value(outputs, Y) / len(Y),
        "test_brier": float(np.mean(np.sum((P - Y) ** 2, axis=1))),
        "test_ece": calibration_error(P, Y),
    }


def _regression(train: Array, Y_train: Array, test: Array, Y_test: Array) -> dict[str, float]:
    columns = {}
    if len(Y_train) > 1:
        columns["train_r2"] = r2(train, Y_train)
    if len(Y_test) > 1:
        columns["test_r2"] = r2(test, Y_test)
    if len(Y_test) > 0:
        columns["test_rmse"] = float(np.sqrt(np.mean((test - Y_test) ** 2)))
    return columns


def _outputs(predict: Callable[[Array], Array], dataset: Dataset) -> NDArray[np.float64]:
    """The outputs on the test rows; a method's own `predict` need not know what to do with no rows at all."""
    return checked_outputs(predict(dataset.X_test), dataset.Y_test) if len(dataset.X_test) else dataset.Y_test


def checked_outputs(outputs: object, Y: Array) -> NDArray[np.float64]:
    """The outputs as (k, c) float64; raises ContractError for another shape."""
    array = np.asarray(outputs, dtype=np.float64)
    if array.shape != Y.shape:
        raise ContractError(f"predict must return one row of {Y.shape[1]} outputs a row of X. Got shape {array.shape}.")
    return array
