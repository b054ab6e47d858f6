"""The hierarchy between the relaxation and the exact program: regions split by the signs of rows.

splitting.py    the tree of regions and how it is tightened
network.py      its network, and the Θ that its regions are to prove
"""
