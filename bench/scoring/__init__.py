"""What a method returned becomes a row.

result.py       Result: what came of a cell or a relaxation, as plain values
outcome.py      what a method returned → Result
metrics.py      what a Fit scores
gate.py         a claimed bound → lower_bound, if the checker proves it
crossval.py     γ chosen by cross-validation on the training rows
validation.py   γ and more chosen once for all folds of a data set
"""
