"""Training problems by name or of your own: bounds that are kept, checked and moved, and exchange with other solvers.

entries.py     what is kept of an instance: the history of its bounds, the arrays of the best, its class
submission.py  networks, Θ and proof arrays out of a file that may be hostile
submit.py      what a submission proves, and whether it moves the instance; nothing in it is believed
known.py       which instance a cell of a run is about, for reports
check.py       every stored bound proved again
export.py      a problem's relaxation as a file for outside solvers, with a description beside it
solution.py    what those solvers found, read back as a certificate
"""
