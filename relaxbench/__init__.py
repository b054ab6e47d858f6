"""relaxbench from Python: problems, methods, runs and proofs. Every name is imported when it is first used.

__main__.py     python -m relaxbench, the command line
errors.py       RelaxbenchError, which all errors of the house derive from
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from typing import Any

_WHERE = {
    "Certificate": "solvers.certificates.certificate",
    "ConvexReluClassifier": "bench.estimators",
    "ConvexReluRegressor": "bench.estimators",
    "Fit": "solvers.fit",
    "Network": "solvers.network",
    "Problem": "solvers.problem",
    "RelaxbenchError": "errors",
    "Statistics": "solvers.fit",
    "Status": "solvers.fit",
    "certify": "bench.certify",
    "compare": "bench.compare.comparison",
    "cvxpy_problem": "solvers.exchange.model",
    "export_sdp": "bench.instances.export",
    "fit": "bench.fit",
    "load": "datasets.catalogue",
    "methods": "bench.grid.methods",
    "open_run": "bench.runs",
    "read_network": "bench.networks.reading",
    "read_solution": "bench.instances.solution",
    "run": "bench.runs",
    "verify": "solvers.verify",
}

__all__ = ["__version__", *sorted(_WHERE)]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return version("relaxbench")
    if name not in _WHERE:
        near = import_module(f"{__name__}.errors").nearest(name, __all__)
        hint = "" if near is None else f". Did you mean {near!r}?"
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}{hint}")
    found = getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
    globals()[name] = found  # the next look-up does not come here
    return found


def __dir__() -> list[str]:
    return __all__
