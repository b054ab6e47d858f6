"""Exact proofs: bounds of ‖Θᵀ(Xu)₊‖ over all directions u.

plane.py        the route where X has rank two or less: exact pricing on arcs
arcs.py         every local maximum of ‖Θᵀ(Xu)₊‖ on the circle
sphere.py       the route of rank three and more: columns from searches, bounds from covers of the sphere
cover.py        branch and bound: a cover of the sphere by cones over simplices
walk.py         the compiled walk over the simplices
cone.py         the bound over the cone of one, and the edge to bisect
frames.py       what it keeps of the simplices above the one in hand
pricing.py      where a search looks for columns, and what a Θ is worth
lines.py        parallel rows as one row, for the cover
progress.py     the best network and bound so far, and the trace
"""
