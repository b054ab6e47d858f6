"""Column generation: networks grown neuron by neuron, a trainer that exact/ and hierarchy/ share.

columns.py      a finite set of directions: solve, extend, slide, merge, prune
grow.py         rounds for many rows
master.py       the program over finitely many directions
entropic.py     its kernel view for the logistic loss
search.py       directions with large ‖Θᵀ(Xu)₊‖, by exact searches along great circles
threads.py      share tasks among threads
"""
