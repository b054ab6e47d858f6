"""The method: from data (X, Y, γ) to proved bounds on p*(∞) and networks that come close to them.

problem.py      Problem, Network, Fit: what everything else speaks of
arguments.py, text.py   arguments checked by their annotations, and what is said of a bad one
sdp.py          the method `sdp`: solve the relaxation, prove a bound, round to a network  ← start here
literal.py      the paper's semidefinite program as it is written, in CVXPY
reduction.py    facial reduction: merged rows, orthogonal columns, unit scale, and the way back
lift.py         the entrywise constraints as a linear map of Z over (s, u, v), and its adjoint
kernel.py       the objective with v eliminated: the relaxation as kernel learning
dual.py         dual points, their repair, and the bounds that steer the solver
bound.py        the safe bound: what is reported as proved
checker/        a second proof of every certificate, by code of its own
ipm.py, ipm_state.py   interior point with constraint generation, and its bounds
newton.py, schur.py, start.py   its linear algebra, compiled assembly and starting point
elimination.py  its Newton system for many outputs, the loss rows eliminated
interior.py     the reduced program in CVXPY, a cross-check
relaxation.py   a solved relaxation
certificate.py  a proved lower bound with the arrays that prove it
cuts.py         circuit cuts: a tighter relaxation of the same size
branch.py       the method `branch`: the hierarchy between the relaxation and the exact program
branch_cells.py, branch_hierarchy.py, branch_program.py   its cells, their tree, and the conic program over each
branch_network.py         its network, and the Θ that its cells are to prove
branch_proof.py           the safe bound over cells
rounding/       from a solved relaxation to a network
cpp/            the exact completely positive program
"""
