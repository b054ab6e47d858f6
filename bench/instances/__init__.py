"""Training problems that others can take away and send back.

export.py       a problem's relaxation as a file for outside solvers, with a description beside it
solution.py     what those solvers found, read back as a certificate
"""
