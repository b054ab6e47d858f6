"""The rivals: kernels, gradient descent and other convex formulations.

Each method is a callable `(problem, *, width, seed, budget, **options) -> Fit`; its keyword annotations are the schema
of its options. `budget` is wall-clock seconds from the call on, or None; direct methods do not look at it.

common.py    refused options, the clock of the budget, thinned traces
start.py     random starting weights, a bound on the curvature of the objective
everyday.py  ridge, rbf, forest: what every user would try first, from scikit-learn
kernels.py   nngp, ntk: kernel ridge or logistic regression with the kernels of the network, infinite or finite
weights.py   what kernel regression gives the training rows, by either loss
tangents.py  neural-tangents, imported quietly
sgd.py       sgd, sgd_seeds: gradient descent with momentum as published, or Adam, for one seed or several at once
descent.py   the compiled loop under sgd.py: Adam, minibatches and accelerators
fused.py     the same loop for momentum over all rows on a CPU, in one function
deep.py      deep: a deep network trained end to end by L-BFGS
lbfgs.py     lbfgs: multi-start L-BFGS on the true objective, the honest upper bound
arrangements.py  arrangements: the convex program of Pilanci & Ergen over sampled activation patterns, ReLU or gated
copositive.py    copositive: Frank–Wolfe over sampled sign patterns, after Sahiner et al.
patterns.py  activation patterns at random, and projection onto their cones
outputs.py   the best output weights for given hidden directions
"""
