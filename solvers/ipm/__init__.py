"""Interior point with constraint generation: our solver of the relaxation.

loop.py         init, step, check, finish: the iterations and their one test of termination
state.py        the per-iteration state, the settings, and what comes out
step.py         one iteration: predictor, corrector, and the inequalities that they run into
bounds.py       the bounds that every iterate proves
points.py       an iterate, its constraints, a step from it
newton.py       the Newton system and its directions
many_outputs.py the same for many outputs, the loss rows eliminated
schur.py        compiled assembly
entries.py      compiled maps between matrices and single pairs of extended rows
boundary.py     how far a step goes until it meets the boundary of a cone
phases.py       where the time of a solve goes
start.py        a strictly feasible starting point
"""
