"""A method of one's own that is fast enough for hundreds of fits: random hidden neurons, the best outputs for them."""

import numpy as np

from relaxbench import Fit, Network


def train(problem, *, width, seed, budget):
    U = np.random.default_rng(seed).standard_normal((problem.d, width))
    H = np.maximum(problem.X @ U, 0)
    V = np.linalg.solve(H.T @ H + problem.gamma * np.eye(width), H.T @ problem.Y)
    network = Network(U, V)
    return Fit(network.predict, network)
