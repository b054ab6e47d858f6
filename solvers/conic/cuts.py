"""Circuit cuts: products of nonnegative forms that the doubly nonnegative relaxation does not know to be nonnegative.

If x_k = Σ_i c_i x_i then t = ½(Σ|c_i| s_i − s_k) ≥ 0 for s = |Xu|, as |·| is subadditive. The relaxation knows the
dependency itself but not this inequality, so the products t t', t α_j and t β_j cut (formulation, section 7). The
strong ones come from narrow cones: Σ|c_i|‖x_i‖ hardly larger than ‖x_k‖.
"""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass, field

import numpy as np

from ..certificates.certificate import Certificate
from ..certificates.regions import certify_regions
from ..certificates.tree import LEAF, Circuits, Region
from ..fit import TraceRow
from ..network import Array
from ..problem import Problem
from ..reduced.reduction import Reduced
from .regions import LARGEST, UNUSED, VIOLATED, RegionState, separate, solve_relaxation

# Of each row's nearest rows by |cos|, those among which its circuits are sought, and the circuits kept. In the plane
# circuits of neighbours imply all others, which would only crowd them out.
PLANE, SPACE = (10, 12), (14, 60)
KEPT = 3000  # circuits in all: every two of them have a product
FEATURES = 10  # beyond which there are no circuits, as cones of d rows are wide
SHARED = 2  # new products a round that a form may have part in: more of one form are nearly the same cut
ACCURATE = 1e-8  # to which the relaxation with cuts is solved, relative
SINGULAR = 1e-6  # determinants of unit rows below this are not solved with


def circuits(X: Array, most: int = KEPT) -> Circuits:
    """The narrowest circuits of every row among its nearest neighbours.

    Args:
        X: rows (n, d), none of them zero.
        most: about how many in all.

    Returns:
        The circuits; none for d = 1, n ≤ d, or d > FEATURES.
    """
    n, d = X.shape
    if n <= d or not 2 <= d <= FEATURES:
        return Circuits.none(n)
    norm = np.linalg.norm(X, axis=1)
    unit = X / norm[:, None]
    cosine = np.abs(unit @ unit.T)
    np.fill_diagonal(cosine, -1.0)
    near, per_row = PLANE if d == 2 else SPACE
    count, per_row = min(n - 1, near), min(per_row, max(1, most // n))
    subsets = np.array(list(itertools.combinations(range(count), d)))
    heads, rows = [], []
    for k in range(n):
        parts = np.argsort(-cosine[k], kind="stable")[:count][subsets]
        bases = unit[parts].transpose(0, 2, 1)
        solvable = np.abs(np.linalg.det(bases)) > SINGULAR
        parts = parts[solvable]
        c = np.linalg.solve(bases[solvable], np.broadcast_to(unit[k][:, None], (len(parts), d, 1)))[:, :, 0]
        best = np.argsort(np.sum(np.abs(c), axis=1), kind="stable")[:per_row]
        C = np.zeros((len(best), n))
        np.put_along_axis(C, parts[best], c[best] * norm[k] / norm[parts[best]], axis=1)
        heads.append(np.full(len(best), k))
        rows.append(C)
    return Circuits(np.concatenate(heads), np.vstack(rows))


@dataclass
class Cutting:
    """The relaxation with cuts: its single region, the best proof, and what the last solve says the value is.

    began: when the trace begins (`time.perf_counter`).
    """

    problem: Problem
    reduced: Reduced
    certificate: Certificate
    state: RegionState
    began: float
    value: float = np.nan
    solves: int = 0
    trace: list[TraceRow] = field(default_factory=list)

    @property
    def too_large(self) -> str:
        """Why it cannot be solved, empty if it can."""
        order = len(self.state.Z) + self.reduced.c
        return f"with cuts the order is {order} and is left unsolved: at most {LARGEST}" if order > LARGEST else ""

    @property
    def cuts(self) -> int:
        """Number of products in use that contain a circuit."""
        return int(np.sum(self.state.j >= 2 * self.reduced.n))


def cut(
    problem: Problem, reduced: Reduced, certificate: Certificate, rounds: int, began: float, budget: float | None
) -> Cutting:
    """The relaxation solved with rounds of separation.

    Starts from the products that bind in the relaxation; its bound never falls.

    Args:
        problem: the user's.
        reduced: the same, reduced.
        certificate: a proof of the relaxation.
        rounds: the most rounds of separation.
        began: when the clock was started (`time.perf_counter`).
        budget: seconds from then, after which no further round begins; None for no limit.

    Returns:
        What was found.
    """
    n = reduced.n
    region = Region.build(reduced.X, np.zeros(n, dtype=int), circuits(reduced.X), Circuits.none(n))
    it = Cutting(problem, reduced, certificate, root(reduced, certificate, region), began)
    for _ in range(rounds + 1):
        left = np.inf if budget is None else budget - (time.perf_counter() - began)
        if left <= 0 or it.too_large:
            break
        _solve(it, left)
        it.state, new = separate(it.state, VIOLATED * it.state.mass, SHARED)
        if not new:
            break
    return it


def root(reduced: Reduced, certificate: Certificate, region: Region) -> RegionState:
    """The region that is all of R^d, with the products of α and β that have multipliers in a certificate.

    Args:
        reduced: the problem.
        certificate: a proof of the relaxation; of one for other merged rows no products are taken.
        region: all of R^d.

    Returns:
        The region before anything is solved.
    """
    proof, n = certificate.proof, reduced.n
    i, j = proof["T_row"], proof["T_column"]
    kept = (proof["T_value"] > UNUSED * np.max(proof["T_value"], initial=0.0)) & (i < 2 * n) & (j < 2 * n)
    if len(proof["rows"]) != n:  # other rows were merged for that proof
        kept[:] = False
    return RegionState.fresh(region, i[kept], j[kept], np.zeros(int(kept.sum())), np.zeros(n))


def _solve(it: Cutting, budget: float) -> None:
    """Solve the region as it is, and keep what is proved if that is better than before."""
    theta, (state,), value = solve_relaxation(it.reduced, [it.state], budget, ACCURATE)
    it.solves += 1
    if not np.isfinite(value):
        return
    it.state, it.value = state, value * it.reduced.unit
    whole = [(state.region, Circuits.none(it.reduced.n), state.point())]
    certificate = certify_regions(it.problem, it.reduced, theta, [LEAF], whole)
    if certificate.lower_bound > it.certificate.lower_bound:
        it.certificate = certificate
    it.trace.append(TraceRow(time.perf_counter() - it.began, it.solves, it.value, it.certificate.lower_bound))
