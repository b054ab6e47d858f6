"""A program in standard form written for solvers: SDPA's sparse format, the Conic Benchmark Format, plain arrays.

Numbers are written so that they read back as the same float64. Sources: B. Borchers, SDPLIB 1.2, 1999, for the sparse
format of SDPA; H. A. Friberg, The Conic Benchmark Format, version 3.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from ..network import Array
from .standard import StandardSDP


class Format(NamedTuple):
    """write: writes a program to a path. sign: the user's value is offset + sign·scale × the format's objective."""

    write: Callable[[StandardSDP, Path], None]
    sign: int
    about: str


def write_sdpa(program: StandardSDP, path: Path) -> None:
    """Write SDPA's sparse format (.dat-s).

    SDPA's (P) is min Σ c_k x_k, X = Σ x_k F_k − F_0 ⪰ 0, with F_0 = −C, F_k = −A_k, c = −b: its x are our multipliers,
    and the matrix Y of its (D) is (Z_1, Z_2, slacks of the inequalities).

    Args:
        program: the program.
        path: the file.
    """
    m, slacks = program.A.shape[0], program.inequalities
    k_C, block_C, row_C, column_C, C = program.entries(program.C)
    k, block, row, column, A = program.entries(program.A)
    slack = np.arange(slacks)
    own = np.argsort(np.r_[k, m - slacks + slack], kind="stable")  # the slack comes after its constraint's own entries
    lines = (
        np.r_[k_C, np.r_[k, m - slacks + slack][own] + 1],
        np.r_[block_C, np.r_[block, np.full(slacks, 2)][own]] + 1,
        np.r_[row_C, np.r_[row, slack][own]] + 1,
        np.r_[column_C, np.r_[column, slack][own]] + 1,
        np.r_[-C, np.r_[-A, np.ones(slacks)][own]],
    )
    sizes = [*program.orders, *([-slacks] if slacks else [])]
    with path.open("wb") as out:
        _text(out, f"* relaxbench, {program.form} form; the .json beside says what is what")
        _text(out, f"{m}\n{len(sizes)}\n{' '.join(map(str, sizes))}\n{' '.join(map(repr, (0.0 - program.b).tolist()))}")
        _table(out, *lines)


def write_cbf(program: StandardSDP, path: Path) -> None:
    """Write the Conic Benchmark Format (.cbf), version 3: min ⟨C, Z⟩, A(Z) − b in L= and, the last ones, in L+.

    Args:
        program: the program.
        path: the file.
    """
    m, inequalities = program.A.shape[0], program.inequalities
    cones = [("L=", m - inequalities), *([("L+", inequalities)] if inequalities else [])]
    _, block_C, row_C, column_C, C = program.entries(program.C)
    k, block, row, column, A = program.entries(program.A)
    (constant,) = np.nonzero(program.b)
    with path.open("wb") as out:
        _text(out, f"# relaxbench, {program.form} form; the .json beside says what is what")
        _text(out, f"VER\n3\n\nOBJSENSE\nMIN\n\nPSDVAR\n2\n{program.orders[0]}\n{program.orders[1]}\n")
        _text(out, f"CON\n{m} {len(cones)}\n" + "".join(f"{name} {count}\n" for name, count in cones))
        _text(out, f"OBJFCOORD\n{len(C)}")
        _table(out, block_C, column_C, row_C, C)  # the lower triangle
        _text(out, f"\nFCOORD\n{len(A)}")
        _table(out, k, block, column, row, A)
        _text(out, f"\nBCOORD\n{len(constant)}")
        _table(out, constant, -program.b[constant])


def write_npz(program: StandardSDP, path: Path) -> None:
    """Write arrays: orders, inequalities, b, and of C and A the entries that are not zero, counted from 0.

    Args:
        program: the program.
        path: the file.
    """
    names = ("constraint", "block", "row", "column", "value")
    arrays: dict[str, Any] = {f"A_{name}": found for name, found in zip(names, program.entries(program.A), strict=True)}
    arrays |= {f"C_{name}": found for name, found in zip(names[1:], program.entries(program.C)[1:], strict=True)}
    arrays |= {"orders": np.array(program.orders), "inequalities": np.array(program.inequalities), "b": program.b}
    with path.open("wb") as out:
        np.savez_compressed(out, **arrays)


FORMATS = {
    "sdpa": Format(
        write_sdpa, -1, "the value of (P), min Σ c_k x_k; xVec holds the multipliers, yMat (Z_1, Z_2, slacks)"
    ),
    "cbf": Format(
        write_cbf, 1, "the minimum; the multipliers are the dual variables of CON, PSDVAR 0 and 1 are Z_1, Z_2"
    ),
    "npz": Format(write_npz, 1, "min ⟨C, Z⟩; y_k multiplies ⟨A_k, Z⟩ − b_k, and C − Σ y_k A_k ⪰ 0"),
}


def _text(out: BinaryIO, text: str) -> None:
    out.write(f"{text}\n".encode())


def _table(out: BinaryIO, *columns: np.ndarray | Array) -> None:
    """A line for each entry, numbers apart by a space."""
    import pyarrow as pa
    from pyarrow import csv

    table = pa.table({str(place): pa.array(column) for place, column in enumerate(columns)})
    csv.write_csv(table, out, csv.WriteOptions(include_header=False, delimiter=" ", quoting_style="none"))
