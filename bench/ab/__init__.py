"""ab: the working tree against a commit, by interleaved pairs of runs.

session.py      ab and ab_perf
sides.py        the code of both sides
measure.py      one measurement of either
decide.py       the decision, with its false-alarm rate
"""
