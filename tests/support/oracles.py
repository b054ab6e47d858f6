"""What the exact program must agree with: convex programs over sign patterns, and problems with planted optima."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from relaxbench.solvers.checker import KINDS, CertificateError
from relaxbench.solvers.checker.balls import NotProved, precision
from relaxbench.solvers.network import Array
from relaxbench.solvers.problem import Problem


def by_patterns(problem: Problem) -> float:
    """p*(∞) by brute force over the 2ⁿ sign patterns, any d and c, exact for n ≤ 4 rows and for d ≤ 2 columns.

    On a pattern's cone {Au ≥ 0} the second moments E of u enter as AEAᵀ, entrywise nonnegative; for n ≤ 4 that makes it
    completely positive, and its factors, being in the range of A, are Au with u in the cone. In the plane two of the
    rows bound the cone, and the same holds for their block alone.
    """
    import cvxpy as cp

    d, c = problem.d, problem.c
    fit, penalty, constraints = 0, 0, []
    for pattern in itertools.product([0.0, 1.0], repeat=problem.n):
        active = np.array(pattern)
        block = cp.Variable((d + c, d + c), PSD=True)
        A = (2 * active - 1)[:, None] * problem.X
        constraints.append(A @ block[:d, :d] @ A.T >= 0)
        slope = np.where(active > 0, problem.activation.a, -problem.activation.b)
        fit += (slope[:, None] * problem.X) @ block[:d, d:]
        penalty += cp.trace(block)
    objective = 0.5 * cp.sum_squares(fit - problem.Y) + problem.gamma / 2 * penalty
    return float(cp.Problem(cp.Minimize(objective), constraints).solve(solver="CLARABEL"))


def by_cones(problem: Problem) -> float:
    """p*(∞) for c = 1, any d: the group lasso over sign patterns with cone constraints (Pilanci and Ergen, 2020)."""
    import cvxpy as cp

    fit, penalty, constraints = 0, 0, []
    for pattern in itertools.product([0.0, 1.0], repeat=problem.n):
        active = np.array(pattern)
        for sign in (1.0, -1.0):
            u = cp.Variable(problem.d)
            constraints.append(((2 * active - 1)[:, None] * problem.X) @ u >= 0)
            slope = np.where(active > 0, problem.activation.a, -problem.activation.b)
            fit += sign * (slope[:, None] * problem.X) @ u
            penalty += cp.norm(u)
    objective = 0.5 * cp.sum_squares(fit - problem.Y[:, 0]) + problem.gamma * penalty
    return float(cp.Problem(cp.Minimize(objective), constraints).solve(solver="CLARABEL"))


def nuclear(problem: Problem) -> float:
    """p*(∞) of linear networks: min ½‖XW − Y‖² + γ‖W‖_*, in closed form where X has orthonormal columns, else CVXPY."""
    X, Y, gamma = problem.X, problem.Y, problem.gamma
    if np.allclose(X.T @ X, np.eye(problem.d), atol=1e-12):
        values = np.linalg.svd(X.T @ Y, compute_uv=False)
        rest = 0.5 * float(np.sum(Y**2) - np.sum(values**2))
        shrunk = np.maximum(values - gamma, 0.0)
        return rest + float(np.sum(0.5 * (values - shrunk) ** 2 + gamma * shrunk))
    import cvxpy as cp

    W = cp.Variable((problem.d, problem.c))
    objective = 0.5 * cp.sum_squares(X @ W - Y) + gamma * cp.normNuc(W)
    return float(cp.Problem(cp.Minimize(objective)).solve(solver="CLARABEL"))


def relaxed(problem: Problem, split: Sequence[int] = ()) -> float:
    """The relaxation over (s, u, v) in CVXPY, on distinct rows that are neither zero nor parallel.

    With rows to `split` by, it is a sum of such measures, one for each pattern of their signs.
    """
    import cvxpy as cp

    X, (n, d, c), φ = problem.X, (problem.n, problem.d, problem.c), problem.activation
    upper, off = np.triu_indices(n, 1), np.nonzero(~np.eye(n, dtype=bool))
    F, penalty, constraints = 0, 0, []
    for signs in itertools.product([1.0, -1.0], repeat=len(split)):
        Z = cp.Variable((n + d + c, n + d + c), PSD=True)
        S, M, D = Z[:n, :n], X @ Z[n : n + d, n : n + d] @ X.T, Z[:n, n : n + d] @ X.T
        constraints += [(S + M + D + D.T)[upper] >= 0, (S + M - D - D.T)[upper] >= 0, (S - M - D + D.T)[off] >= 0]
        constraints += [cp.diag(S) == cp.diag(M)]
        constraints += [Z[k] == sign * X[k] @ Z[n : n + d] for k, sign in zip(split, signs, strict=True)]
        F += (φ.a + φ.b) / 2 * Z[:n, n + d :] + (φ.a - φ.b) / 2 * X @ Z[n : n + d, n + d :]
        penalty += cp.trace(Z[n:, n:])
    objective = 0.5 * cp.sum_squares(F - problem.Y) + problem.gamma / 2 * penalty
    return float(cp.Problem(cp.Minimize(objective), constraints).solve(solver="CLARABEL"))


def by_arcs(problem: Problem) -> float:
    """p*(∞) for d = 2 and any n: a block over the two rays of each arc between the lines x_i·u = 0."""
    import cvxpy as cp

    X, c, φ = problem.X, problem.c, problem.activation
    ends = np.mod(np.arctan2(X[:, 1], X[:, 0]) + np.pi / 2, np.pi)
    ends = np.unique(np.round(np.r_[ends, ends + np.pi], 12))
    fit, penalty, constraints = 0, 0, []
    for first, last in zip(ends, np.r_[ends[1:], ends[0] + 2 * np.pi], strict=True):
        rays = np.array([[np.cos(first), np.cos(last)], [np.sin(first), np.sin(last)]])
        inner = X @ rays
        inner[np.abs(inner) < 1e-11] = 0.0
        block = cp.Variable((2 + c, 2 + c), PSD=True)
        constraints.append(block[0, 1] >= 0)
        fit += (φ.a * np.maximum(inner, 0) + φ.b * np.maximum(-inner, 0)) @ block[:2, 2:]
        penalty += cp.trace(rays.T @ rays @ block[:2, :2]) + cp.trace(block[2:, 2:])
    objective = 0.5 * cp.sum_squares(fit - problem.Y) + problem.gamma / 2 * penalty
    return float(cp.Problem(cp.Minimize(objective), constraints).solve(solver="CLARABEL"))


def planted(seed: int, blocks: tuple[int, ...], extra: int, gamma: float) -> tuple[Problem, float]:
    """A problem with d = Σ blocks whose optimum is known: one output and one atom a block.

    The first d rows are orthonormal; Θ on block k is θ_k ≥ 0 with ‖θ_k‖ = γ in output k, and zero on `extra` random
    rows. So ‖Θᵀ(Xu)₊‖² ≤ Σ γ²‖block k of Xu‖² ≤ γ², with equality at atom k, and Y = Θ + Σ (Xu_k)₊v_kᵀ with v_k along
    Θᵀ(Xu_k)₊ fulfils the conditions of optimality: the value is ½‖Θ‖² + γ Σ ‖v_k‖.
    """
    rng = np.random.default_rng(seed)
    d, c = sum(blocks), len(blocks)
    Q = np.linalg.qr(rng.normal(size=(d, d)))[0]
    X = np.vstack([Q, rng.normal(size=(extra, d))])
    theta, atoms = np.zeros((len(X), c)), np.zeros((d, c))
    for k, end in enumerate(np.cumsum(blocks)):
        part = rng.uniform(0.2, 1.0, size=blocks[k])
        theta[end - blocks[k] : end, k] = gamma * part / np.linalg.norm(part)
        atoms[:, k] = Q.T @ theta[:d, k] / gamma
    sizes = rng.uniform(0.5, 2.0, size=c)
    Y = theta + np.maximum(X @ atoms, 0) * sizes
    return Problem(X, Y, gamma), float(0.5 * np.sum(theta**2) + gamma * np.sum(sizes))


def dense_maximum(theta: Array, X: Array, seed: int = 0) -> float:
    """max ‖Θᵀ(Xu)₊‖ over many directions, the rows' own and their normals in the plane among them."""
    rng = np.random.default_rng(seed)
    d = X.shape[1]
    U = rng.normal(size=(d, 20_000))
    U = np.hstack([U, X.T, -X.T, *([np.array([-X[:, 1], X[:, 0]]), np.array([X[:, 1], -X[:, 0]])] if d == 2 else [])])
    U = U[:, np.any(U != 0, axis=0)]
    return float(np.max(np.linalg.norm(theta.T @ np.maximum(X @ U, 0), axis=0) / np.linalg.norm(U, axis=0)))


def prove(theta: Array, X: Array, gamma: float, proof: dict[str, Array]) -> float:
    """η with ‖Θᵀ(Xu)₊‖ ≤ η‖u‖ that the checker proves arc by arc or from a cover; inf if it proves none."""
    with precision():
        try:
            return float(KINDS["cover" if "splits" in proof else "arcs"](theta, X, gamma, proof))
        except (NotProved, CertificateError, np.linalg.LinAlgError):
            return np.inf
