"""The method: from data (X, Y, γ) to proved bounds on p*(∞) and networks that come close to them.

problem.py      Problem, Network, Fit: what everything else speaks of
certificate.py  a proved lower bound with the arrays that prove it
"""
