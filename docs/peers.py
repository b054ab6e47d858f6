"""Write docs/peers.md: other solvers on exported programs. It takes the solvers (see the page) and some minutes.

.venv/bin/python docs/peers.py
"""

import re
import shutil
import subprocess
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import cvxpy as cp
import numpy as np
from relaxbench.bench.instances.solution import read_multipliers
from relaxbench.solvers.certificates.quadratic import certify
from relaxbench.solvers.conic.reduced import reduced_dual, reduced_sdp
from relaxbench.solvers.exchange.multipliers import certificate_of
from relaxbench.solvers.exchange.standard import standard_sdp
from relaxbench.solvers.reduced.dual import sharper
from relaxbench.solvers.reduced.reduction import reduce
from relaxbench.solvers.sdp import relax

import relaxbench as rb

PAGE = Path(__file__).resolve().parent / "peers.md"
LIMIT = 100  # seconds of a solver
INSTANCES = (
    ("random", {"seed": 0}, 0.1),
    ("random", {"seed": 1, "n": 15}, 0.1),
    ("random", {"seed": 2, "n": 15, "d": 4}, 0.1),
    ("random", {"seed": 3, "n": 12, "d": 6}, 0.01),
    ("spiral", {"n": 18}, 0.1),
    ("spiral", {"n": 12}, 0.01),
    ("iris", {"n": 20}, 0.1),
    ("iris", {"n": 20, "preprocess": "standardize"}, 0.1),
    ("ionosphere", {"n": 16, "preprocess": "pca:5"}, 0.1),
    ("pima", {"n": 16, "preprocess": "standardize"}, 0.1),
    ("banknote", {"n": 20}, 0.1),
    ("mnist", {"n": 20, "preprocess": "pca:5"}, 0.1),
)
TEXT = """# Other solvers

How well do solvers of general purpose do on the [exported](export.md) relaxation, in its reduced form, and what is
left of their duals once a bound is proved from them? CSDP {csdp} and SDPA {sdpa} read the exported file; SDPA has a
parameter file that asks for 1e-9 and all digits. CVXOPT, Clarabel and SCS (the authors' tolerance, 1e-4) solve the same
program through CVXPY, with default settings. One thread, at most {limit} s; a dash: no solution. Made by
`.venv/bin/python docs/peers.py`, with `pip install 'relaxbench[peers]'` and `apt-get install coinor-csdp sdpa`; none of
these is needed for anything else here.

CSDP and SDPA agree with our solver to its own accuracy on most instances, and their duals prove the same bound. They
are slow or fail where there are many constraints (1,365 for `random seed=0`, with nearly parallel rows as well). SCS at
this tolerance is off by up to some percent, above or below: its value is no bound.

**Error** of the value that the solver states, relative to ours, the upper end of a proved interval whose relative width
is in the column `interval`:

{errors}

**What the proof loses**: how far the bound proved from the solver's dual lies below our proved bound, relative. A
solver's dual is never a bound as it stands; it is repaired ([bounds](bounds.md)), and this is what the repair costs.

{losses}

**Seconds** of wall time, the solver's own process or call, without the export and the proof. Other work ran on the
machine: they are orders of magnitude.

{seconds}

Negative losses are bounds better than ours, within the interval at which our solver stops.
"""
PARAMETERS = (Path(__file__).parent / "sdpa.param").read_text(encoding="utf-8")
Found = tuple[float, float, float]  # value, proved bound, seconds


def by_file(*words: str) -> Callable[[rb.Problem], Found]:
    """A solver that reads it.dat-s and writes `solution`."""

    def solve(problem: rb.Problem) -> Found:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder)
            (path / "digits").write_text(PARAMETERS)
            rb.export_sdp(problem, path / "it.dat-s")
            began = time.perf_counter()
            subprocess.run(words, cwd=folder, capture_output=True, timeout=LIMIT)
            seconds = time.perf_counter() - began
            program, multipliers = standard_sdp(problem), read_multipliers(path / "solution")
            certificate = certificate_of(problem, program, multipliers)
        return program.dual_objective(multipliers), certificate.lower_bound, seconds

    return solve


def by_cvxpy(solver: str, **options: float) -> Callable[[rb.Problem], Found]:
    """A solver of CVXPY's."""

    def solve(problem: rb.Problem) -> Found:
        reduced = reduce(problem)
        it = reduced_sdp(reduced)
        it.program.get_problem_data(solver)  # compiles
        began = time.perf_counter()
        it.program.solve(solver=solver, **options)
        seconds = time.perf_counter() - began
        certificate = certify(problem, reduced, sharper(reduced, reduced_dual(reduced, it)))
        return (it.program.value + reduced.constant) * reduced.unit, certificate.lower_bound, seconds

    return solve


SOLVERS = {
    "CSDP": by_file("csdp", "it.dat-s", "solution"),
    "SDPA": by_file("sdpa", "-ds", "it.dat-s", "-o", "solution", "-p", "digits"),
    "CVXOPT": by_cvxpy("CVXOPT"),
    "Clarabel": by_cvxpy("CLARABEL", accept_unknown=True),
    "SCS": by_cvxpy("SCS", eps_abs=1e-4, eps_rel=1e-4, max_iters=10**6, time_limit_secs=LIMIT),
}


def main() -> None:
    """Solve, and write the page."""
    rows: dict[str, list[list[str]]] = {"errors": [], "losses": [], "seconds": []}
    for name, options, gamma in INSTANCES:
        data = rb.load(name, **options)
        problem = rb.Problem(data.X_train, data.Y_train, gamma)
        label = " ".join([name, *(f"{key}={value}" for key, value in options.items()), f"γ={gamma:g}"])
        began = time.perf_counter()
        ours = relax(problem)
        seconds = time.perf_counter() - began - ours.stats.network_s
        lower = ours.certificate.lower_bound
        found = [_attempt(solver, problem) for solver in SOLVERS.values()]
        rows["errors"].append([label, f"{ours.value:.6g}", f"{1 - lower / ours.value:.0e}"])
        rows["errors"][-1] += ["–" if np.isnan(value) else f"{value / ours.value - 1:+.0e}" for value, _, _ in found]
        rows["losses"].append([label, *("–" if np.isnan(b) else f"{1 - b / lower:.0e}" for _, b, _ in found)])
        rows["seconds"].append([label, f"{seconds:.1f}", *("–" if np.isnan(s) else f"{s:.1f}" for _, _, s in found)])
        print(rows["errors"][-1], rows["losses"][-1][1:], rows["seconds"][-1][1:], flush=True)
    heads = {"errors": ["value", "interval"], "losses": [], "seconds": ["ours"]}
    tables = {part: _table(["instance", *heads[part], *SOLVERS], rows[part]) for part in rows}
    PAGE.write_text(TEXT.format(csdp=_version("coinor-csdp"), sdpa=_version("sdpa"), limit=LIMIT, **tables))


def _attempt(solve: Callable[[rb.Problem], Found], problem: rb.Problem) -> Found:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return solve(problem)
        except (cp.error.SolverError, subprocess.TimeoutExpired, rb.RelaxbenchError, ValueError, TypeError) as error:
            print(type(error).__name__, str(error)[:200])
            return np.nan, np.nan, np.nan


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---", *["--:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _version(package: str) -> str:
    """Of a Debian package."""
    if shutil.which("dpkg-query") is None:
        return ""
    done = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", package], capture_output=True, text=True)
    return re.match(r"[\d.]*", done.stdout)[0]


if __name__ == "__main__":
    main()
