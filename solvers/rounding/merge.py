"""Fewer neurons at equal loss: fuse those that agree."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage

from ..fit import Fit
from ..network import Network, balance, group_lasso, unit_columns
from ..problem import Problem
from .progress import Progress

RISE = 1e-6  # largest relative change of the loss that counts as equal
ANGLES = np.geomspace(0.3, 1e-7, 40)  # distances of unit directions within which neurons may be fused, widest first


def fuse(problem: Problem, network: Network, *, seed: int, budget: float | None = None) -> Fit:
    """Fuse neurons of nearly the same direction, at the widest angle that leaves the loss equal.

    Neurons of the same direction fuse without changing the function, and the penalty can only fall, by the triangle
    inequality. Neurons that are inactive on every row go first, which lowers the objective as well, then as many of the
    lightest as leave the loss equal. Equal means that neither the rise of the objective nor ½‖change of the
    predictions‖_F² exceeds RISE times the objective. One neuron always stays.

    Args:
        problem: the training data and γ.
        network: whose neurons to fuse.
        seed: not used: nothing is drawn.
        budget: seconds; None for no limit.

    Returns:
        The narrower network; status `timeout` when out of budget.

    Raises:
        ProblemError: a network for other data.
    """
    progress = Progress(problem, budget)
    progress.add(network)
    network = _heaviest_first(problem, balance(network))
    value, predictions = progress.add(network), network.predict(problem.X)

    def change(fewer: Network) -> float:
        moved = 0.5 * float(np.sum((fewer.predict(problem.X) - predictions) ** 2))
        return max(progress.add(fewer) - value, moved)

    light = bisect_right(range(1, network.width), RISE * value, key=lambda k: change(_lightest_dropped(network, k)))
    network = _lightest_dropped(network, light)
    if network.width > 1:
        tree = linkage(unit_columns(network.U).T, method="complete")
        for distance in ANGLES:
            fused = fuse_clusters(network, fcluster(tree, distance, criterion="distance"))
            if change(fused) <= RISE * value:
                return progress.fit(fused)
            if progress.out_of_time:
                break
    return progress.fit(network)


def fuse_clusters(network: Network, labels: NDArray[np.int32]) -> Network:
    """One balanced neuron for each cluster of neurons.

    A cluster of neurons (û_j, ‖u_j‖v_j) becomes the mean direction, weighted by ‖u_j‖‖v_j‖, with Σ ‖u_j‖v_j.

    Args:
        network: m neurons, none of which is zero.
        labels: the cluster of each neuron (m,).

    Returns:
        A network of one neuron a label.
    """
    members = (labels[:, None] == np.unique(labels)).astype(float)  # (m, clusters)
    direction = (network.U * np.linalg.norm(network.V, axis=1)) @ members
    return balance(replace(network, U=unit_columns(direction), V=members.T @ group_lasso(network)[1]))


def _heaviest_first(problem: Problem, network: Network) -> Network:
    """The neurons of a balanced network that are active on some row, heaviest first; a zero neuron if none is."""
    active = np.flatnonzero(np.any(problem.hidden(network.U) != 0, axis=0))
    if not active.size:
        return Network.zeros(problem.d, 1, problem.c, problem.activation)
    order = active[np.argsort(-np.sum(network.U[:, active] ** 2, axis=0), kind="stable")]
    return network.only(order)


def _lightest_dropped(network: Network, count: int) -> Network:
    return network.only(slice(network.width - count))
