"""The gate: a lower bound enters the results only if the checker proves it from the certificate's saved arrays.

Whoever the method is from, what it says of its bound is a claim at first. A worker proves the claim after the timed
part, and only then it becomes `lower_bound`; a claim that is not proved stays in `claimed_bound`, with a message.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import shown
from ...solvers.certificates.certificate import Certificate
from ...solvers.problem import Problem
from ...solvers.verify import TOLERANCE
from ..text import one_line
from .metrics import ContractError
from .result import Result

MARGIN = 1e-10  # relative: left below what is proved, so that a strict proof on another machine agrees
BOUND_COLUMNS = ("lower_bound", "certificate", "claimed_bound", "verify_s")


@dataclass(frozen=True)
class Verdict:
    """What the checker proved, or None and why it proved nothing; and the seconds that it took."""

    proved: float | None
    why: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class Claim:
    """A method's bound before it is proved: columns, arrays, and the kind of the certificate. Without a bound empty."""

    columns: Mapping[str, Any]
    arrays: Mapping[str, NDArray[Any]]
    kind: str = ""


def claim(bound: object) -> Claim:
    """The claim in what a method returned as its certificate.

    Args:
        bound: a Certificate or None; a bound of −∞ or NaN says nothing, and is none.

    Returns:
        The claim; empty without a bound.

    Raises:
        ContractError: neither a Certificate nor None, or a bound that is no number.
    """
    if bound is None:
        return Claim({}, {})
    if not isinstance(bound, Certificate):
        raise ContractError(f"certificate must be a Certificate or None. Got {type(bound).__name__} instead.")
    try:
        claimed = float(bound.lower_bound)
    except (TypeError, ValueError):
        raise ContractError(f"lower_bound must be a number. Got {shown(bound.lower_bound)} instead.") from None
    if math.isnan(claimed) or claimed == -math.inf:
        return Claim({}, {})
    return Claim({"claimed_bound": min(claimed, sys.float_info.max)}, _numbers(bound), str(bound.kind) or "none")


def prove(result: Result, problem: Problem) -> Verdict:
    """What the arrays of a result prove, as they are saved. Whatever goes wrong, the claim is not proved.

    Args:
        result: a result with a certificate.
        problem: the one that the bound is to hold for.

    Returns:
        What is proved, or why nothing is.
    """
    from ...solvers.checker import CertificateError, verify  # half a second of imports, for workers with a bound alone

    begin = time.perf_counter()
    try:
        certificate = Certificate.from_arrays(result.kind, result.arrays, result.columns["claimed_bound"])
        proved, why = float(verify(certificate, *problem.parts)), ""
    except CertificateError as error:
        proved, why = None, one_line(str(error))
    except Exception as error:  # arrays that nobody thought of
        proved, why = None, one_line(error)
    return Verdict(proved, why, time.perf_counter() - begin)


def settle(results: Iterable[Result], verdicts: Iterable[Verdict]) -> list[Result]:
    """Settle the claim of each result that has a certificate.

    Args:
        results: results, with a certificate or without.
        verdicts: one for each result that has a certificate, in the same order.

    Returns:
        The results, each claim a proved bound or left with a message that says why it is none.
    """
    verdicts = iter(verdicts)
    return [_settled(result, next(verdicts)) if result.kind else result for result in results]


def _settled(result: Result, verdict: Verdict) -> Result:
    """The claim becomes a proved bound, or there is a message that says why it does not."""
    claimed, proved = float(result.columns["claimed_bound"]), verdict.proved
    columns = {**result.columns, "verify_s": verdict.seconds}
    if proved is not None and claimed <= proved * (1 + TOLERANCE):
        lower = min(claimed, proved * (1 - MARGIN))
        columns |= {"lower_bound": lower, "certificate": result.kind, "claimed_bound": None}
        return replace(result, columns=columns)
    why = verdict.why if proved is None else f"the certificate proves {proved:.6g}"
    said = f"claimed bound {claimed:.6g} is not proved: {why}"
    message = "; ".join(part for part in (columns.get("message"), said) if part)
    return replace(result, columns={**columns, "message": message})


def _numbers(certificate: Certificate) -> dict[str, NDArray[Any]]:
    """The certificate's arrays as far as they can be saved; what is left out will be missed by the proof."""
    try:
        arrays = certificate.arrays()
    except Exception:  # a proof that is no mapping
        return {}
    return {
        name: np.asarray(array)
        for name, array in arrays.items()
        if name.isidentifier() and isinstance(array, np.ndarray) and array.dtype.kind in "biuf"
    }
