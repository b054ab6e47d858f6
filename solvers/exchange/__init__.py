"""The relaxation for solvers outside: semidefinite programs in standard form, and their dual solutions as certificates.

standard.py     the reduced and the paper's program as one matrix, its constraints and a cost
formats.py      SDPA's sparse format, the Conic Benchmark Format and plain arrays
multipliers.py  from a solver's multipliers to a proved bound
model.py        both programs in CVXPY, with named variables
"""
