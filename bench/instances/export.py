"""A training problem's relaxation written for outside solvers, with a description that maps their answers back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from os import PathLike
from pathlib import Path
from typing import Any, Literal

from ...errors import unknown
from ...solvers.exchange.formats import FORMATS
from ...solvers.exchange.standard import Form, StandardSDP, standard_sdp
from ...solvers.problem import Problem
from ...solvers.reduced.reduction import reduce
from ..text import UsageError, require

BLOCKS = {
    "reduced": ("Z_1, the lifted matrix over (s, u, v) of the merged rows", "Z_2, the loss"),
    "literal": ("Z_1 = Λ, the lifted matrix over (α, β, u, v)", "Z_2, the loss"),
}
Z_2 = (
    "Z_2 = [[I, Rᵀ], [R, P]] over the outputs and then the rows with a loss: √γ R = F − Y is the residual, P ⪰ R Rᵀ, "
    "and ½ tr(diag(w) P) is the loss over γ."
)
TO_LAMBDA = {
    "reduced": (
        "Z_1 stands for the sum of (s, u, v)(s, u, v)ᵀ over neurons, s = |Xu|, on the merged rows and in unit scale. "
        "With r = sqrt(kappa/sigma): s of data row k is sigma·r·|coef[k]|·s[rep[k]] (0 where rep[k] is −1), u is "
        "r·basis·u and v is r·v of Z_1. From these α = (s + Xu)/2 and β = (s − Xu)/2. So λ = (α, β, u, v) = L(s, u, v) "
        "with one matrix L, and Λ = L Z_1 Lᵀ. " + Z_2
    ),
    "literal": "Z_1 is Λ itself, over α, β (n each), u (d), v (c). " + Z_2,
}
TO_DUAL = (
    "The multipliers hold Θ, z and T as `multipliers` says, in the order of its entries, y ≥ 0 for those of T: then "
    "γ²‖u‖² ≥ (α, β)ᵀ T (α, β) + ‖Θᵀ(α, β)‖² − Σ z_i (s_i² − (Xu)_i²) for all s and u. In the reduced form they belong "
    "to the merged rows in unit scale, γ is `scaled_gamma`, and `merged_rows` gives the rows of (α, β) that Θ has, "
    "counted from 0; where the activation is not relu, Θ reads aα + bβ and bα + aβ in place of α and β. Any (Θ, T, z) "
    "gives a proved bound: relaxbench instances read SOLUTION --instance THIS.json"
)


def export_sdp(
    problem: Problem,
    path: str | PathLike[str],
    *,
    format: Literal["sdpa", "cbf", "npz"] = "sdpa",
    form: Form = "reduced",
    source: Mapping[str, Any] | None = None,
) -> Path:
    """Write a problem's relaxation as a semidefinite program in standard form, and PATH.json beside it.

    Args:
        problem: X, Y and γ.
        path: the file to write.
        format: `sdpa`, SDPA's sparse format, which CSDP reads too; `cbf`, the Conic Benchmark Format; `npz`, arrays.
        form: `reduced`, which has an interior, or `literal`, as the paper writes it, which has none.
        source: plain values that say where the data come from, kept in the description.

    Returns:
        The path of the description: `offset` and `scale` (value of the relaxation = offset + scale × the format's
        primal objective), blocks, multipliers, and texts that map a solution back to Λ and to (Θ, T, z).

    Raises:
        RelaxbenchError: another format, form or loss, X = 0 in the reduced form, a program too large to write, or a
            file that cannot be written.

    Example:
        >>> import json, tempfile, pathlib
        >>> import relaxbench as rb
        >>> problem = rb.Problem([[1.0, 0.0], [0.0, 1.0]], [[1.0], [2.0]], gamma=0.1)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     description = rb.export_sdp(problem, pathlib.Path(folder) / "tiny.dat-s")
        ...     json.loads(description.read_text())["form"]
        'reduced'
    """
    require("problem", problem, Problem, "make one by relaxbench.Problem(X, Y, gamma)")
    if format not in FORMATS:
        raise UsageError(unknown("format", format, FORMATS))
    if problem.loss != "squares":
        raise UsageError(
            f"loss must be squares for an export. Got {problem.loss}, whose relaxation is no linear program."
        )
    path = Path(path)
    program = standard_sdp(problem, form)
    described = json.dumps(_description(problem, program, format, path.name, dict(source or {})), ensure_ascii=False)
    description = path.with_name(f"{path.name}.json")
    try:
        FORMATS[format].write(program, path)
        description.write_text(described, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"The export must go to a file that can be written. Got {path} ({error.strerror}).") from None
    return description


def _description(
    problem: Problem, program: StandardSDP, format: str, name: str, source: Mapping[str, Any]
) -> dict[str, Any]:
    slacks = program.inequalities
    blocks = [
        {"name": about, "order": order} for about, order in zip(BLOCKS[program.form], program.orders, strict=True)
    ]
    if format == "sdpa" and slacks:
        blocks.append({"name": "slacks of the inequalities T, diagonal", "order": slacks})
    found: dict[str, Any] = {
        "file": name,
        "format": format,
        "form": program.form,
        **source,
        "gamma": problem.gamma,
        "activation": str(problem.activation),
        "loss": problem.loss,
        "n": problem.n,
        "d": problem.d,
        "c": problem.c,
        "offset": program.offset,
        "scale": FORMATS[format].sign * program.scale,
        "objective": f"value of the relaxation = offset + scale × objective; the objective is {FORMATS[format].about}",
        "blocks": blocks,
        "multipliers": [asdict(group) for group in program.groups],
        "to_lambda": TO_LAMBDA[program.form],
        "to_dual": TO_DUAL,
    }
    if program.form == "reduced":
        reduced = reduce(problem)
        found["merged_rows"] = {"n": reduced.n, "d": reduced.d, "with_loss": reduced.loss_rows.tolist()}
        found["rep"], found["coef"] = reduced.rep.tolist(), reduced.coef.tolist()
        found["basis"], found["sigma"], found["kappa"] = reduced.basis.tolist(), reduced.sigma, reduced.kappa
        found["scaled_gamma"] = reduced.gamma
    return found
