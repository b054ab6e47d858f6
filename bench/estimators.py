"""ConvexReluClassifier and ConvexReluRegressor: any method as an estimator of scikit-learn's, with its proved bound."""

from __future__ import annotations

import math
import warnings
from functools import partial
from numbers import Integral
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, MultiOutputMixin, RegressorMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from ..errors import shown
from ..solvers.arguments import checked
from ..solvers.fit import ENDED_EARLY, Fit, Status
from ..solvers.loss import softmax
from ..solvers.network import Array
from ..solvers.problem import Problem
from ..solvers.sdp import Budget, Seed, Width
from .engine.calls import fitting
from .fit import fit, settled
from .grid.methods import check_options, find
from .grid.methods import options as options_of
from .scoring.crossval import Making, cross_validate
from .scoring.validation import SHARES, gamma_of
from .text import UsageError


class ConvexRelu(BaseEstimator):
    """What the classifier and the regressor share: parameters, training, and what is proved."""

    def __init__(
        self,
        method: str = "sdp",
        *,
        width: int = 100,
        gamma: float | str = 0.1,
        gap: float | None = 1e-2,
        budget: float | None = None,
        bias: bool = True,
        activation: str = "relu",
        loss: str = "squares",
        random_state: int | np.random.RandomState | None = 0,
    ) -> None:
        """Keep the parameters; `fit` checks them.

        Args:
            method: a name from `relaxbench.methods`, or `path/file.py:function`. Its options keep their defaults, but
                for the gap.
            width: neurons; a method without a width does not use it.
            gamma: γ > 0 of the training problem; or "cv", chosen by cross-validation in five folds of the rows given to
                `fit`, among shares of the data's own unit of γ (0.001 to 10), each with the settings given here.
            gap: relative proved gap at which a method that proves bounds stops; None for the method's own default.
            budget: seconds for `fit`, after which the best so far counts; None for no limit.
            bias: append a column of ones to X, so that the last row of the network's U is the bias of the hidden layer.
            activation: what neurons make of their inputs: "relu", "leaky:κ" with −1 < κ < 1, "abs" or "identity".
            loss: "squares", or for classes "logistic": the cross-entropy of the outputs' softmax, with `predict_proba`.
            random_state: seed of the folds and of what the method draws; None or a RandomState draws one.
        """
        self.method = method
        self.width = width
        self.gamma = gamma
        self.gap = gap
        self.budget = budget
        self.bias = bias
        self.activation = activation
        self.loss = loss
        self.random_state = random_state

    def _train(self, X: Array, Y: Array, classes: bool) -> None:
        """Fit targets Y (n, c) and keep what came out. Raises UsageError where no predictor did."""
        known = options_of(find(self.method))
        options = {"gap": self.gap} if "gap" in known and self.gap is not None else {}
        named = isinstance(self.random_state, Integral)
        seed = self.random_state if named else check_random_state(self.random_state).randint(2**31 - 1)
        common: dict[str, Any] = {"width": self.width, "seed": seed, "budget": self.budget, **options}
        if isinstance(self.gamma, str):
            if self.gamma != "cv":
                raise UsageError(f'gamma must be a number > 0 or "cv". Got {shown(self.gamma)} instead.')
            make = partial(Problem, activation=self.activation, loss=self.loss)
            problem, found = _cross_validated(self.method, make, self._with_bias(X), Y, classes=classes, **common)
        else:
            problem = Problem(self._with_bias(X), Y, self.gamma, self.activation, self.loss)
            found = fit(problem, self.method, **common)
        if found.status not in (Status.OK, *ENDED_EARLY):
            raise UsageError(f"method {self.method} must bring a predictor. Got {found.status}: {found.message}.")
        self.network_, self.status_ = found.network, str(found.status)
        self.certificate_ = None if found.lower_bound is None else found.certificate
        self.objective_, self.lower_bound_, self.gap_ = found.objective, found.lower_bound, found.gap
        self.gamma_, self._predictor = problem.gamma, found.predict
        if found.status != Status.OK:
            _warn(f"{self.method} ended with status {found.status}: the best until then counts", found)
        if "gap" in known and found.lower_bound is None:
            _warn(f"{self.method} proved no lower bound", found)

    def _outputs(self, X: ArrayLike) -> Array:
        """The predictor's outputs (k, c)."""
        check_is_fitted(self, "gamma_")
        rows = validate_data(self, X, reset=False, dtype=np.float64)
        return np.asarray(self._predictor(self._with_bias(rows)))

    def _with_bias(self, X: Array) -> Array:
        if not isinstance(self.bias, bool | np.bool_):
            raise UsageError(f"bias must be True or False. Got {shown(self.bias)} instead.")
        return np.hstack([X, np.ones((len(X), 1))]) if self.bias else X


def _has_probabilities(model: ConvexReluClassifier) -> bool:
    """For scikit-learn, which then takes the method for absent; a wrong loss is `fit`'s to refuse."""
    return model.loss == "logistic"


class ConvexReluClassifier(ClassifierMixin, ConvexRelu):
    """A two-layer ReLU network for classes, trained by any method of the house, with its proved bound.

    The training problem is `relaxbench.Problem` with a one-hot column for each class, in the order of `classes_`: each
    is fitted by least squares, or all by cross-entropy. The class with the largest output is predicted.

    Attributes:
        network_: the trained Network; None for a method without one, such as a kernel.
        objective_: the network's training objective, None without a network.
        lower_bound_: what the checker proved: no network of any width has a lower objective. None if nothing was.
        gap_: `(objective_ − lower_bound_)/objective_`; None where one of them is.
        certificate_: the proof of `lower_bound_`, for the problem of X (with its column of ones), Y and γ = `gamma_`.
        gamma_: the γ that was used.
        status_: how the training ended: "ok", or another word of `relaxbench.Status`.
        classes_: the sorted classes.
        n_features_in_, feature_names_in_: number of columns of X and, for a DataFrame, their names.

    Example:
        >>> import relaxbench as rb
        >>> X, y = [[-2.0], [-1.0], [1.0], [2.0]], ["cold", "cold", "warm", "warm"]
        >>> model = rb.ConvexReluClassifier(width=10, gamma=0.01).fit(X, y)
        >>> model.predict([[-1.5], [1.5]]).tolist()
        ['cold', 'warm']
        >>> 0 < model.lower_bound_ <= model.objective_
        True
    """

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Train.

        Args:
            X: rows (n, d), an array or a DataFrame.
            y: their classes (n,): text, numbers or anything else that can be sorted.

        Returns:
            The estimator.

        Raises:
            RelaxbenchError: a parameter out of range, or a method that does not apply.
            ValueError: data that scikit-learn refuses: not numeric, not finite, of other shapes.
        """
        rows, labels = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(labels)
        self.classes_, codes = np.unique(labels, return_inverse=True)
        self._train(rows, np.eye(len(self.classes_))[codes], classes=True)
        return self

    def decision_function(self, X: ArrayLike) -> Array:
        """The outputs for each class.

        Args:
            X: rows (k, d).

        Returns:
            (k, c); for two classes (k,), how far the output of the second is above that of the first.
        """
        outputs = self._outputs(X)
        return outputs[:, 1] - outputs[:, 0] if outputs.shape[1] == 2 else outputs

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """The class with the largest output.

        Args:
            X: rows (k, d).

        Returns:
            Classes (k,).
        """
        best = np.argmax(self._outputs(X), axis=1)
        return self.classes_[best]

    @available_if(_has_probabilities)
    def predict_proba(self, X: ArrayLike) -> Array:
        """The probability of each class, for the loss "logistic" alone: least squares fits none.

        Args:
            X: rows (k, d).

        Returns:
            (k, c), the softmax of the outputs, in the order of `classes_`.
        """
        return softmax(self._outputs(X))


class ConvexReluRegressor(MultiOutputMixin, RegressorMixin, ConvexRelu):
    """A two-layer ReLU network for real targets, trained by any method of the house, with its proved bound.

    Targets are fitted as they are, neither centred nor scaled, so that objective and bound are those of the problem as
    it is given. With `bias` an offset is the work of neurons, which the penalty shrinks: where targets are far from 0
    compared with how much they vary, use scikit-learn's `TransformedTargetRegressor` with a `StandardScaler`.

    Attributes:
        network_: the trained Network; None for a method without one, such as a kernel.
        objective_: the network's training objective, None without a network.
        lower_bound_: what the checker proved: no network of any width has a lower objective. None if nothing was.
        gap_: `(objective_ − lower_bound_)/objective_`; None where one of them is.
        certificate_: the proof of the bound, for the problem of X (with its column of ones), Y and γ = `gamma_`.
        gamma_: the γ that was used.
        status_: how the training ended: "ok", or another word of `relaxbench.Status`.
        n_features_in_, feature_names_in_: number of columns of X and, for a DataFrame, their names.

    Example:
        >>> import relaxbench as rb
        >>> X, y = [[-2.0], [-1.0], [1.0], [2.0]], [2.0, 1.0, 1.0, 2.0]
        >>> model = rb.ConvexReluRegressor(width=10, gamma=0.001).fit(X, y)
        >>> model.predict([[-1.5], [1.5]]).round(1).tolist()
        [1.5, 1.5]
    """

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Train.

        Args:
            X: rows (n, d), an array or a DataFrame.
            y: targets (n,), or (n, c) for several outputs.

        Returns:
            The estimator.

        Raises:
            RelaxbenchError: a parameter out of range, or a method that does not apply.
            ValueError: data that scikit-learn refuses: not numeric, not finite, of other shapes.
        """
        rows, targets = validate_data(self, X, y, dtype=np.float64, multi_output=True, y_numeric=True)
        self._one_dimension = targets.ndim == 1
        self._train(rows, targets.reshape(len(targets), -1), classes=False)
        return self

    def predict(self, X: ArrayLike) -> Array:
        """The outputs.

        Args:
            X: rows (k, d).

        Returns:
            (k,) if the targets had one dimension, else (k, c).
        """
        outputs = self._outputs(X)
        return outputs[:, 0] if self._one_dimension else outputs


@checked
def _cross_validated(
    method: str,
    make: Making,
    X: Array,
    Y: Array,
    *,
    classes: bool,
    width: Width,
    seed: Seed,
    budget: Budget,
    **options: Any,
) -> tuple[Problem, Fit]:
    """The problem at the γ that is best in folds of its rows, and the checked fit to all of them."""
    found = find(method)
    call = fitting(found, check_options(found, options), {"width": width, "seed": seed})
    gammas = [gamma_of(share, X, Y, found.gamma_unit) for share in (SHARES if found.gamma_unit else (1.0,))]

    def limited(problem: Problem, seconds: float) -> Fit:
        return call(problem, seconds if math.isfinite(seconds) else None)

    limit = math.inf if budget is None else budget
    problem, trained = cross_validate(limited, X, Y, classes=classes, seed=seed, budget=limit, gammas=gammas, make=make)
    return problem, settled(problem, trained)


def _warn(what: str, found: Fit) -> None:
    text = f"{what}: {found.message}" if found.message else what
    warnings.warn(f"{text}.", ConvergenceWarning, stacklevel=4)  # the line that calls the estimator's fit
