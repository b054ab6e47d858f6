"""What outside solvers found for an exported program, read back: their multipliers become a certificate."""

from __future__ import annotations

import re
from os import PathLike
from pathlib import Path
from typing import Literal

import numpy as np
import pydantic

from ...errors import printable, short
from ...solvers.certificates.certificate import Certificate
from ...solvers.exchange.multipliers import certificate_of
from ...solvers.exchange.standard import Form, standard_sdp
from ...solvers.network import Array
from ...solvers.problem import Problem
from ..text import UsageError, require

LARGEST = 2**28  # bytes of a solution
LARGEST_DESCRIPTION = 2**26  # bytes
SOLUTION = "be a solution of SDPA (with xVec) or of CSDP"


class DataOptions(pydantic.BaseModel, extra="forbid", frozen=True):
    """How the data of an instance were loaded: the arguments of `load_training`."""

    preprocess: str = "none"
    bias: bool = False
    n: int | None = None
    seed: int = 0
    test_fraction: float | None = None


class Instance(pydantic.BaseModel, extra="ignore", frozen=True):
    """What a description says that `read` needs: the data by name and hash, γ, activation and loss, and the form of the
    program."""

    dataset: str
    options: DataOptions
    sha256: str
    gamma: float
    activation: str = "relu"
    loss: str = "squares"
    form: Literal["reduced", "literal"]


def read_instance(path: Path) -> Instance:
    """The description that `export` wrote beside a file.

    Args:
        path: the .json.

    Returns:
        What it says.

    Raises:
        UsageError: anything else.
    """
    try:
        return Instance.model_validate_json(_bytes(path, LARGEST_DESCRIPTION))
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise _bad(path, "be the .json of an export by name", f"{where}: {first['msg']}.") from None


def read_multipliers(path: str | PathLike[str]) -> Array:
    """The multipliers in a solver's solution; nothing else in the file is used.

    Args:
        path: SDPA's result file, of which `xVec` counts; or CSDP's solution file, of which the first line counts: any
            text whose first line holds the multipliers is read the same way.

    Returns:
        The numbers, as they stand.

    Raises:
        UsageError: no such file, more than 256 MiB, or no list of numbers.
    """
    path = Path(path)
    text = _bytes(path, LARGEST).decode("ascii", "replace")
    if "xVec" in text:
        found = re.search(r"xVec\s*=\s*\{([^{}]*)\}", text)
        if found is None:
            raise _bad(path, "hold 'xVec = {…}' as SDPA writes it", "another xVec instead: was it cut off?")
        numbers = found[1].replace(",", " ").split()
    else:
        numbers = text.partition("\n")[0].split()
    if not numbers:
        raise _bad(path, SOLUTION, "no multipliers.")
    try:
        return np.array(numbers, dtype=np.float64)
    except ValueError:
        raise _bad(path, SOLUTION, f"{short(numbers[0], 40)!r}… instead.") from None


def read_solution(path: str | PathLike[str], problem: Problem, form: Form = "reduced") -> Certificate:
    """A certificate from an outside solver's solution of an exported program; no number of it is believed.

    Args:
        path: SDPA's result file or CSDP's solution file, as in `relaxbench instances read`. SDPA prints four
            digits unless its parameter file asks for all, as docs/export.md shows.
        problem: the one that was exported.
        form: in which it was.

    Returns:
        The certificate, as good as the solver's dual point can be repaired; `verify` proves it again.

    Raises:
        RelaxbenchError: a file that holds no multipliers, another number of them, or some that are not finite.
    """
    require("problem", problem, Problem, "make one by relaxbench.Problem(X, Y, gamma)")
    return certificate_of(problem, standard_sdp(problem, form), read_multipliers(path))


def _bytes(path: Path, most: int) -> bytes:
    if not path.is_file():
        raise _bad(path, "be a file that exists", "nothing there instead." if not path.exists() else "no file instead.")
    if path.stat().st_size > most:
        raise _bad(path, f"have at most {most:,} bytes", f"{path.stat().st_size:,} instead.")
    try:
        return path.read_bytes()
    except OSError as error:
        raise _bad(path, "be a file that can be read", f"{error.strerror} instead.") from None


def _bad(path: Path, rule: str, got: str) -> UsageError:
    return UsageError(printable(f"{path} must {rule}. Got {got}"))
