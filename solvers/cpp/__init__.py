"""The exact completely positive program by column generation, with proved bounds.

program.py   cpp: choice of the route, certificate and network in the user's units
plane.py     the route where X has rank two or less: exact pricing on arcs
sphere.py    the route beyond: columns from searches, bounds from covers of the sphere
arcs.py      every local maximum of ‖Θᵀ(Xu)₊‖ on the circle
search.py    directions with large ‖Θᵀ(Xu)₊‖, by exact searches along great circles
lines.py     parallel rows as one row, for the cover
cover.py     branch and bound: a cover of the sphere by cones that proves ‖Θᵀ(Xu)₊‖ small
columns.py   a finite set of directions: solve, extend, slide, merge, prune
master.py    the program over finitely many directions
progress.py  the best network and bound so far, and the trace
threads.py   share tasks among threads
"""

from .program import cpp

__all__ = ["cpp"]
