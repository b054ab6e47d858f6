"""Interior point with constraint generation: our solver of the relaxation.

loop.py         the iterations
bounds.py       the bounds that every iterate proves, and warm starts
newton.py       the Newton system and its directions
many_outputs.py the same for many outputs, the loss rows eliminated
schur.py        compiled assembly
start.py        a strictly feasible starting point
"""
