"""Programs for general conic solvers, SCS and Clarabel.

literal.py      the paper's semidefinite program as it is written, in CVXPY
reduced.py      the reduced program in CVXPY, a cross-check of our own solver
fixed.py        the best T and z for a given Θ
regions.py      the conic program over the regions of the hierarchy
cuts.py         circuit cuts: a tighter relaxation of the same size
"""
