"""The rivals: kernels, gradient descent and other convex formulations.

Each method is a callable `(problem, *, width, seed, budget, **options) -> Fit`; its keyword annotations are the schema
of its options. `budget` is wall-clock seconds from the call on, or None; direct methods do not look at it.

common.py    refused options, the clock of the budget, thinned traces
start.py     random starting weights, the objective with its gradient, a bound on its curvature
kernels.py   nngp, ntk: kernel ridge regression with the infinite-width kernels of the same network
sgd.py       sgd, sgd_seeds: gradient descent with momentum as published, all seeds in one compiled run
descent.py   the compiled loop under sgd.py
lbfgs.py     lbfgs: multi-start L-BFGS on the true objective, the honest upper bound
"""
