"""Small readers of SDPA's and CBF's files that share no code with what writes them, and solvers for these."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

PARAMETERS = Path(__file__).parents[2] / "docs" / "sdpa.param"


@dataclass
class Answer:
    """The format's objective, the multipliers, and Z_1 (the first matrix)."""

    objective: float
    multipliers: np.ndarray
    Z: np.ndarray


@dataclass
class Sdpa:
    """A file of SDPA's: c (m,), and for each block its order, and F (entries, 1 + m), F_0 first, of the full matrix."""

    c: np.ndarray
    sizes: list[int]
    F: list[sparse.csc_array]


def read_sdpa(path: Path) -> Sdpa:
    """The file as it stands."""
    lines = [line for line in path.read_text().splitlines() if line[0] not in '"*']
    m, sizes = int(lines[0]), [int(size) for size in lines[2].split()]
    assert int(lines[1]) == len(sizes)
    c = np.array(lines[3].split(), dtype=float)
    assert len(c) == m
    entries = np.array([line.split() for line in lines[4:]], dtype=float)
    blocks = []
    for number, size in enumerate(sizes, start=1):
        k, _, i, j, value = entries[entries[:, 1] == number].T
        order, k, i, j = abs(size), k.astype(int), i.astype(int) - 1, j.astype(int) - 1
        assert (i <= j).all()
        off = i != j
        assert size > 0 or not off.any()
        places, values = np.r_[i * order + j, (j * order + i)[off]], np.r_[value, value[off]]
        blocks.append(sparse.csc_array((values, (places, np.r_[k, k[off]])), shape=(order**2, m + 1)))
    return Sdpa(c, sizes, blocks)


def solve_sdpa(path: Path) -> Answer:
    """min cᵀx such that Σ x_k F_k − F_0 ⪰ 0, block by block."""
    import cvxpy as cp

    it = read_sdpa(path)
    x = cp.Variable(len(it.c))
    blocks = []
    for size, F in zip(it.sizes, it.F, strict=True):
        matrix, order = F[:, 1:] @ x - F[:, [0]].toarray().ravel(), abs(size)
        blocks.append(matrix[:: order + 1] >= 0 if size < 0 else cp.reshape(matrix, (order, order), order="C") >> 0)
    program = cp.Problem(cp.Minimize(it.c @ x), blocks)
    program.solve(solver="CLARABEL", accept_unknown=True, tol_gap_abs=1e-10, tol_gap_rel=1e-10, tol_feas=1e-10)
    return Answer(float(program.value), np.array(x.value), np.array(blocks[0].dual_value))


def solve_cbf(path: Path) -> Answer:
    """min ⟨C, Z⟩ such that A(Z) + b lies in the cones of CON, over positive semidefinite Z."""
    import cvxpy as cp

    parts = _keywords(path)
    assert parts["VER"] == [["3"]]
    assert parts["OBJSENSE"] == [["MIN"]]
    orders = [int(row[0]) for row in parts["PSDVAR"][1:]]
    Z = [cp.Variable((order, order), PSD=True) for order in orders]
    flat = cp.hstack([cp.vec(block, order="C") for block in Z])
    start = np.cumsum([0, *(order**2 for order in orders)])

    def linear(rows: list[list[str]], leading: int, height: int) -> sparse.csr_array:
        table = np.array(rows[1:], dtype=float)
        assert len(table) == int(rows[0][0])
        block, i, j = table[:, leading : leading + 3].astype(int).T
        assert (i >= j).all()
        at = table[:, 0].astype(int) if leading else np.zeros(len(table), int)
        order, off = np.array(orders)[block], i != j
        places = np.r_[start[block] + i * order + j, (start[block] + j * order + i)[off]]
        return sparse.csr_array(
            (np.r_[table[:, -1], table[off, -1]], (np.r_[at, at[off]], places)), (height, start[-1])
        )

    m = int(parts["CON"][0][0])
    b = np.zeros(m)
    for k, value in parts["BCOORD"][1:]:
        b[int(k)] = float(value)
    rows = linear(parts["FCOORD"], 1, m) @ flat + b
    constraints, first = [], 0
    for name, count in parts["CON"][1:]:
        these = rows[first : first + int(count)]
        constraints.append(these == 0 if name == "L=" else these >= 0)
        first += int(count)
    assert first == m
    objective = linear(parts["OBJFCOORD"], 0, 1) @ flat
    program = cp.Problem(cp.Minimize(objective[0]), constraints)
    program.solve(solver="CLARABEL", accept_unknown=True, tol_gap_abs=1e-10, tol_gap_rel=1e-10, tol_feas=1e-10)
    duals = [-np.atleast_1d(constraints[0].dual_value), *(np.atleast_1d(each.dual_value) for each in constraints[1:])]
    return Answer(float(program.value), np.concatenate(duals), np.array(Z[0].value))


def _keywords(path: Path) -> dict[str, list[list[str]]]:
    """The lines of each keyword, split; those that follow a keyword up to the empty line."""
    found: dict[str, list[list[str]]] = {}
    rows: list[list[str]] | None = None
    for line in path.read_text().splitlines():
        if line.startswith("#"):
            continue
        if not line:
            rows = None
        elif rows is None:
            rows = found[line] = []
        else:
            rows.append(line.split())
    return found


def lifted(description: Path, X: np.ndarray, Z: np.ndarray) -> np.ndarray:
    """Λ over (α, β, u, v) from Z_1 of the reduced form, as the text `to_lambda` of the description says."""
    it = json.loads(description.read_text())
    n, d, c = it["merged_rows"]["n"], it["merged_rows"]["d"], it["c"]
    r = np.sqrt(it["kappa"] / it["sigma"])
    s = np.zeros((it["n"], n + d + c))
    for k, (rep, coef) in enumerate(zip(it["rep"], it["coef"], strict=True)):
        if rep >= 0:
            s[k, rep] = it["sigma"] * r * abs(coef)
    u = np.hstack([np.zeros((it["d"], n)), r * np.array(it["basis"]), np.zeros((it["d"], c))])
    v = np.hstack([np.zeros((c, n + d)), r * np.eye(c)])
    L = np.vstack([(s + X @ u) / 2, (s - X @ u) / 2, u, v])
    return L @ Z @ L.T


def outside(solver, path, folder):
    """The solution of a solver that is installed as a program; skips where it is not."""
    if shutil.which(solver) is None:
        pytest.skip(f"{solver} IS NOT INSTALLED: apt-get install {'coinor-csdp' if solver == 'csdp' else 'sdpa'}")
    words = {"csdp": [path, "solution"], "sdpa": ["-ds", path, "-o", "solution", "-p", "digits"]}[solver]
    shutil.copy(PARAMETERS, folder / "digits")
    subprocess.run(
        [solver, *words], cwd=folder, capture_output=True, check=solver == "sdpa"
    )  # csdp: 3 for "reduced accuracy"
    return folder / "solution"
