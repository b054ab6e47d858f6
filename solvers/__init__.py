"""The method: from data (X, Y, γ) to proved bounds on p*(∞) and networks that come close to them.

activation.py   what neurons make of their inputs: ReLU and other functions with one kink
network.py      Network and its algebra: balance, whitened coordinates, descent
tables.py       numbers and labels out of arrays, lists and DataFrames
problem.py      Problem: data, objective and gradient, scaling
fit.py          Fit: what every method returns
relaxation.py   a solved relaxation
loss.py         the two losses, their slopes and their part of the dual
logistic.py     ridge regression for the logistic loss
reweighted.py   the relaxation for the logistic loss, as a sequence of weighted squares
stacked.py      the method `stacked`: a deep network, layer by layer
sdp.py          the method `sdp`: solve the relaxation, prove a bound, round to a network  ← start here
anytime.py      what there is to show within the first seconds: a bound and a network from some of the rows
anytime.py      what a large problem has to show within its first seconds
branch.py       the method `branch`: the hierarchy between the relaxation and the exact program
cpp.py          the method `cpp`: the exact completely positive program
theta.py        the best certificate for a given Θ
verify.py       the second proof of a certificate
arguments.py    arguments checked by their annotations

reduced/        the problem in the coordinates in which everything is solved
certificates/   what a certificate is, and the first proofs: the code that makes them
checker/        a second proof of every certificate, by code of its own
ipm/            our interior point
conic/          the same and larger programs in general conic solvers
exchange/       the relaxation for solvers outside, and their solutions as certificates
rounding/       from a solved relaxation to a network
atoms/          column generation: networks grown neuron by neuron
exact/          proofs over the whole circle or sphere of directions
hierarchy/      regions split by the signs of rows

Each folder imports from those above it only: reduced < certificates < ipm, conic < exchange, rounding, atoms < exact
< hierarchy.
"""
