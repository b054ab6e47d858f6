"""The hierarchy between the relaxation and the exact program: regions split by the signs of rows.

together.py     the relaxation over all regions at once
splitting.py    branch and bound: which region to solve, to split, or to learn from
tree.py         the tree of regions and what is proved of them
network.py      its network, and the Θ that its regions are to prove
"""
