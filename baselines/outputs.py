"""The best output weights for given hidden directions: a group lasso, solved by scikit-learn.

Neurons with unit directions u_k and free output rows v_k cost γ Σ‖v_k‖ once both layers are balanced, so

    min_V  ½‖HV − Y‖_F² + γ Σ_k ‖v_k‖        H = (XU)₊

is the training objective over all networks with these directions. It is convex, its solution is a network, and the
dual feasible residual tells which other direction u would help: those with ‖(Y − HV)ᵀ(Xu)₊‖ > γ‖u‖.
"""

from __future__ import annotations

import warnings

import numpy as np

from ..solvers.problem import Array, Network, Problem

SWEEPS = 10_000  # coordinate descent passes at most


def unit_columns(A: Array) -> Array:
    """The columns of A at length 1; zero columns stay."""
    norms = np.linalg.norm(A, axis=0)
    return A / np.where(norms > 0, norms, 1.0)


def fit_outputs(problem: Problem, start: Network) -> Network:
    """The best network with hidden directions among those of `start`, by coordinate descent from its output rows.

    Descent is monotone, so even where nearly parallel directions make it slow the result is no worse than `start`.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import MultiTaskLasso

    U = unit_columns(start.U)
    H = np.maximum(problem.X @ U, 0.0)
    model = MultiTaskLasso(
        alpha=problem.gamma / problem.n, fit_intercept=False, max_iter=SWEEPS, tol=1e-8, warm_start=True
    )
    model.coef_ = np.asfortranarray((start.V * np.linalg.norm(start.U, axis=0)[:, None]).T)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the network is judged by its objective
        model.fit(H, problem.Y)
    return balanced(U, model.coef_.T)


def balanced(U: Array, V: Array) -> Network:
    """The network of the neurons (u_k, v_k) rescaled to ‖u_k‖ = ‖v_k‖, which is cheapest; zeros are dropped."""
    norm_u, norm_v = np.linalg.norm(U, axis=0), np.linalg.norm(V, axis=1)
    product = norm_u * norm_v
    used = product > 1e-10 * np.max(product, initial=np.finfo(np.float64).tiny)
    if not used.any():
        return Network(np.zeros((U.shape[0], 1)), np.zeros((1, V.shape[1])))
    root = np.sqrt(product[used])
    return Network(U[:, used] * (root / norm_u[used]), V[used] * (root / norm_v[used])[:, None])
