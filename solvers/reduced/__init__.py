"""The problem in the coordinates in which everything is solved.

reduction.py    facial reduction: merged rows, orthogonal columns, unit scale, and back to the user's coordinates
lift.py         the entrywise constraints as a linear map of Z over (s, u, v), and its adjoint
kernel.py       the objective with v eliminated: the relaxation as kernel learning
dual.py         dual points, their repair, and the bounds that steer the solver
"""
