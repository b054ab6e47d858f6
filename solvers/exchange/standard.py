"""The relaxation as a semidefinite program in standard form, for outside solvers.

    minimise ⟨C, Z⟩   such that   ⟨A_k, Z⟩ = b_k,  then  ⟨A_k, Z⟩ ≥ 0 for the last ones,   Z = (Z_1, Z_2) ⪰ 0

Z_1 is the lifted matrix: over (s, u, v) in the reduced form, Λ over (α, β, u, v) in the literal one. Z_2 carries the
loss: Z_2 = [[I, Rᵀ], [R, P]] with √γ R = F − Y makes P ⪰ R Rᵀ, so that ½ tr(diag(w) P) is the loss over γ at the
optimum. The objective is divided by γ as a whole: solvers measure their accuracy against 1.
Constraints on Z_1 are products of two linear forms (rows of E): ⟨A, Z_1⟩ = e_iᵀ Z_1 e_j. The multiplier of
F − √γ R = Y is Θ/γ.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import sparse

from ..activation import RELU
from ..network import Array, ProblemError
from ..problem import Problem
from ..reduced.lift import Mix, inequalities
from ..reduced.reduction import Reduced, reduce

Form = Literal["reduced", "literal"]
MOST_ENTRIES = 20_000_000  # of all A_k before equal places are summed: 3 GB while they are made


@dataclass(frozen=True)
class Group:
    """`count` constraints from `first` on that belong together. about: what they say; multiplier: what theirs is."""

    name: str
    first: int
    count: int
    about: str
    multiplier: str


@dataclass(frozen=True)
class StandardSDP:
    """The program of the module's docstring.

    orders: those of Z_1 and Z_2. C (1, N) and A (m, N): sparse, over the entries on and above the diagonals, Z_1 row by
    row (its lower triangle counts and stays empty), then Z_2; an entry off the diagonal counts twice in ⟨·, ·⟩. b (m,).
    groups: of constraints, in order; those of the last one, `T`, are the inequalities. The user's value is
    offset + scale × ⟨C, Z⟩. loss_rows: which of the 2n loss rows carry a loss;
    they read aα + bβ, then bα + aβ, so for the ReLU they are α and β. n: rows that α and β have. gamma:
    γ in the units of the program.
    """

    form: Form
    orders: tuple[int, int]
    C: sparse.csr_array
    A: sparse.csr_array
    b: Array
    groups: tuple[Group, ...]
    offset: float
    scale: float
    loss_rows: np.ndarray
    n: int
    gamma: float

    @property
    def inequalities(self) -> int:
        """How many of the constraints are inequalities, the last ones."""
        return self.groups[-1].count

    def dual_objective(self, multipliers: Array) -> float:
        """The user's value that multipliers claim, offset + scale × bᵀy; nothing proves it.

        Args:
            multipliers: y (m,).

        Returns:
            The claim.
        """
        return self.offset + self.scale * float(self.b @ multipliers)

    def entries(self, matrix: sparse.csr_array) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, Array]:
        """The entries of C or A that are not zero.

        Args:
            matrix: C or A.

        Returns:
            Constraint, block (0 or 1), row, column ≥ row, and value of each, ordered by these.
        """
        found = matrix.tocoo()
        first, second = self.orders
        block = (found.col >= first**2).astype(np.int64)
        row, column = np.divmod(found.col - block * first**2, np.where(block == 0, first, second))
        return found.row, block, row, column, found.data


def standard_sdp(problem: Problem, form: Form = "reduced") -> StandardSDP:
    """The relaxation of a training problem in standard form.

    Args:
        problem: X, Y and γ.
        form: `reduced`, after facial reduction and in unit scale: it has an interior; `literal`, as the paper writes
            it, on the user's rows and units: it has none, and solvers lose digits.

    Returns:
        The program. Of Λ_αβ ≥ 0 it has what the rest does not imply: above the diagonal, without (α_i, β_i).

    Raises:
        ProblemError: X = 0 in the reduced form, another form, or more entries than fit.
    """
    if form == "reduced":
        return _reduced(reduce(problem))
    if form == "literal":
        return _literal(problem)
    raise ProblemError(f"form must be 'reduced' or 'literal'. Got {form!r} instead.")


def _reduced(reduced: Reduced) -> StandardSDP:
    n, d, c = reduced.n, reduced.d, reduced.c
    half = sparse.eye_array(n) / 2
    N = sparse.block_array([[half, sparse.csr_array(reduced.X / 2)], [half, sparse.csr_array(-reduced.X / 2)]])
    E = _with_reads(sparse.csr_array(sparse.block_diag([N, sparse.eye_array(c)])), reduced.n, reduced.mix)
    rows = reduced.loss_rows
    return _program(
        "reduced",
        E,
        np.r_[np.zeros(n), np.full(d + c, 0.5)],
        (rows, reduced.weight[rows], reduced.target[rows]),
        n,
        None,
        (reduced.constant * reduced.unit, reduced.unit, reduced.gamma),
    )


def _literal(problem: Problem) -> StandardSDP:
    n, d, c = problem.n, problem.d, problem.c
    identity = sparse.csr_array(sparse.eye_array(2 * n + d + c))
    M = sparse.hstack([-sparse.eye_array(n), sparse.eye_array(n), problem.X, sparse.csr_array((n, c))])
    mix = None if problem.activation == RELU else (problem.activation.a, problem.activation.b)
    E = _with_reads(sparse.csr_array(sparse.vstack([identity[: 2 * n], identity[2 * n + d :], M])), n, mix)
    return _program(
        "literal",
        E,
        np.r_[np.zeros(2 * n), np.full(d + c, 0.5)],
        (np.arange(n), np.ones(n), problem.Y),
        n,
        2 * n + c,
        (0.0, 1.0, problem.gamma),
    )


def _with_reads(E: sparse.csr_array, n: int, mix: Mix) -> sparse.csr_array:
    """The forms, with what loss rows read after them where that is neither α nor β."""
    if mix is None:
        return E
    own, opposite = E[:n], E[n : 2 * n]
    return sparse.csr_array(sparse.vstack([E, mix[0] * own + mix[1] * opposite, mix[1] * own + mix[0] * opposite]))


def _program(
    form: Form,
    E: sparse.csr_array,
    cost: Array,
    loss: tuple[np.ndarray, Array, Array],
    n: int,
    consistent: int | None,
    units: tuple[float, float, float],
) -> StandardSDP:
    """The program from the forms E (α, β, v, from row `consistent` on those of MΛMᵀ = 0, reads) and the loss."""
    rows, weight, target = loss
    offset, unit_of_value, gamma = units
    c, forms = target.shape[1], 2 * n + target.shape[1] + (n if consistent is not None else 0)
    reads = rows if E.shape[0] == forms else forms + rows  # where E has what the loss rows read
    orders = (E.shape[1], c + len(rows))
    i_T, j_T = np.nonzero(inequalities(n))
    i_1, j_1 = np.triu_indices(c)
    i_M, j_M = np.triu_indices(n if consistent is not None else 0)
    pairs = [
        (np.repeat(reads, c), np.tile(2 * n + np.arange(c), len(rows))),
        (np.arange(n), n + np.arange(n)),
        (i_M + (consistent or 0), j_M + (consistent or 0)),
        (np.zeros(0, int), np.zeros(0, int)),  # those on Z_2 alone
        (i_T, j_T),
    ]
    counts = [target.size, n, len(i_M), len(i_1), len(i_T)]
    first = np.cumsum([0, *counts])
    number = np.concatenate([at + np.arange(len(pair[0])) for at, pair in zip(first, pairs, strict=False)])
    k, p, q, value = _products(E, number, *map(np.concatenate, zip(*pairs, strict=True)))

    r, o = np.divmod(np.arange(target.size), c)
    residual = (first[0] + np.arange(target.size), o, c + r, np.full(target.size, -np.sqrt(gamma) / 2))
    unit = (first[3] + np.arange(len(i_1)), i_1, j_1, np.where(i_1 == j_1, 1.0, 0.5))
    k_2, p_2, q_2, value_2 = map(np.concatenate, zip(residual, unit, strict=True))
    order, size = orders[0], orders[0] ** 2 + orders[1] ** 2
    flat = np.r_[p * order + q, order**2 + p_2 * orders[1] + q_2]
    A = sparse.csr_array((np.r_[value, value_2], (np.r_[k, k_2], flat)), shape=(int(first[-1]), size))
    A.eliminate_zeros()
    on_1, on_2 = np.flatnonzero(cost), c + np.arange(len(rows))
    places = np.r_[on_1 * (order + 1), order**2 + on_2 * (orders[1] + 1)]
    C = sparse.csr_array((np.r_[cost[on_1], weight / 2], (np.zeros(len(places), int), places)), shape=(1, size))
    b = np.zeros(int(first[-1]))
    b[: target.size] = target.ravel()
    b[first[3] : first[4]] = i_1 == j_1
    groups = tuple(
        Group(name, int(at), count, about, multiplier)
        for (name, about, multiplier), at, count in zip(_GROUPS, first, counts, strict=False)
        if count or name == "T"
    )
    return StandardSDP(form, orders, C, A, b, groups, offset, unit_of_value * gamma, rows, n, gamma)


_GROUPS = (
    ("theta", "F − √γ R = Y, entry by entry, row by row", "Θ/γ, where Θ is the residual Y − F at the optimum"),
    ("z", "α_i β_i = 0", "y_i = −2 z_i/γ²"),
    ("consistent", "(M Λ Mᵀ)_ij = 0 for i ≤ j, M = (−I, I, X, 0)", "not used"),
    ("unit", "the first block of Z_2 is the identity, entries i ≤ j", "not used"),
    (
        "T",
        "Λ_ij ≥ 0 over (α, β) for i < j without the pairs (α_i, β_i), row by row",
        "T_ij/γ² = T_ji/γ² ≥ 0",
    ),
)


def _products(
    E: sparse.csr_array, number: np.ndarray, i: np.ndarray, j: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, Array]:
    """Entries of sym(e_i e_jᵀ) on and above the diagonal: constraint, row, column, value, a place up to twice."""
    length = np.diff(E.indptr).astype(np.int64)
    count = length[i] * length[j]
    if count.sum() > MOST_ENTRIES:
        raise ProblemError(
            f"The program must have at most {MOST_ENTRIES:,} entries to be written. Got {count.sum():,} instead: "
            "take fewer rows (--n), or fewer features (--preprocess pca:K)."
        )
    pair = np.repeat(np.arange(len(i)), count)
    place = np.arange(len(pair)) - np.repeat(np.cumsum(count) - count, count)
    of_i, of_j = np.divmod(place, length[j][pair])
    of_i += E.indptr[i][pair]
    of_j += E.indptr[j][pair]
    p, q = E.indices[of_i].astype(np.int64), E.indices[of_j].astype(np.int64)
    value = E.data[of_i] * E.data[of_j] * np.where(p == q, 1.0, 0.5)
    return number[pair], np.minimum(p, q), np.maximum(p, q), value
