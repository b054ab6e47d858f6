"""Circuit cuts: products of nonnegative forms that the doubly nonnegative relaxation does not know to be nonnegative.

If x_k = Σ_i c_i x_i then t = ½(Σ|c_i| s_i − s_k) ≥ 0 for s = |Xu|, as |·| is subadditive. The relaxation knows the
dependency itself but not this inequality, so the products t t', t α_j and t β_j cut (formulation, section 7). The
strong ones come from narrow cones: Σ|c_i|‖x_i‖ hardly larger than ‖x_k‖.
"""

from __future__ import annotations

import itertools
import time
from math import comb

import numpy as np

from .branch_cells import Circuits
from .branch_hierarchy import Hierarchy, root, separate, solve
from .certificate import Certificate
from .problem import Array, Network, Problem
from .reduction import Reduced

PER_ROW = 12  # circuits kept a row
NEIGHBOURS = 10  # rows of largest |cos| among which a row's circuits are sought
SUBSETS = 300  # circuits tried a row
SINGULAR = 1e-6  # determinants of unit rows below this are not solved with


def circuits(X: Array) -> Circuits:
    """The PER_ROW narrowest circuits of every row of X (n, d) among its nearest neighbours; n > d, no zero rows."""
    n, d = X.shape
    if n <= d or d < 2:
        return Circuits.none(n)
    norm = np.linalg.norm(X, axis=1)
    unit = X / norm[:, None]
    cosine = np.abs(unit @ unit.T)
    np.fill_diagonal(cosine, -1.0)
    count = min(n - 1, NEIGHBOURS)
    while count > d and comb(count, d) > SUBSETS:
        count -= 1
    subsets = np.array(list(itertools.combinations(range(count), d)))
    heads, rows = [], []
    for k in range(n):
        parts = np.argsort(-cosine[k], kind="stable")[:count][subsets]
        bases = unit[parts].transpose(0, 2, 1)
        solvable = np.abs(np.linalg.det(bases)) > SINGULAR
        parts = parts[solvable]
        c = np.linalg.solve(bases[solvable], np.broadcast_to(unit[k][:, None], (len(parts), d, 1)))[:, :, 0]
        best = np.argsort(np.sum(np.abs(c), axis=1), kind="stable")[:PER_ROW]
        C = np.zeros((len(best), n))
        np.put_along_axis(C, parts[best], c[best] * norm[k] / norm[parts[best]], axis=1)
        heads.append(np.full(len(best), k))
        rows.append(C)
    return Circuits(np.concatenate(heads), np.vstack(rows))


def cut(problem: Problem, reduced: Reduced, certificate: Certificate, rounds: int, budget: float | None) -> Hierarchy:
    """The relaxation solved with up to `rounds` rounds of separation, as a hierarchy of a single cell.

    Starts from the products that bind in the relaxation, of which `certificate` is a proof; its bound never falls.
    budget: seconds, after which no further round begins.
    """
    began = time.perf_counter()
    nobody = Network(np.zeros((problem.d, 1)), np.zeros((1, problem.c)))
    it = root(problem, reduced, certificate, nobody, circuits(reduced.X))
    for _ in range(rounds + 1):
        left = np.inf if budget is None else budget - (time.perf_counter() - began)
        if left <= 0 or it.too_large:
            break
        solve(it, left)
        if not separate(it):
            break
    return it
