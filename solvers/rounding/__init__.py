"""From a solution of the relaxation to the weights of a network (paper, section 4.2), each way by name.

coordinates.py  ker M in orthonormal coordinates, factors of Λ*, the nearest feasible lift
tos.py          the published three-operator splitting, as for MNIST too, and from a spread start
gaussian.py     neurons drawn from the Gaussian of Λ*, the fittest kept
factor.py       the columns of a factor of Λ*, made feasible once
ridge.py        the best V for given neurons, and that in turn with the balance of both layers (`+ridge`)
lbfgs.py        L-BFGS on the training objective (`+lbfgs`)
merge.py        neurons that agree are fused (`+merge`)
noise.py        a solution disturbed on purpose
chain.py        a rounding followed by such steps
progress.py     arguments checked, the best network kept

A rounding is called as `ROUNDINGS[name](problem, relaxation, width=…, seed=…, budget=…)` and returns a Fit whose
network has `width` neurons, or fewer after `+merge`. `budget` is in seconds; when it is over the best network so far
is the result, with status `timeout`. Data other than the training data is never seen.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from ..fit import Fit
from .chain import chain
from .factor import round_factor
from .gaussian import round_gaussian
from .lbfgs import polish
from .merge import fuse
from .noise import disturbed
from .progress import RoundingError
from .ridge import refit, ridge
from .tos import round_tos, round_tos_spread

STARTS: dict[str, Callable[..., Fit]] = {
    "tos": round_tos,
    "tos+ridge": chain(round_tos, refit),
    "tos-spread": round_tos_spread,
    "tos-spread+ridge": chain(round_tos_spread, refit),
    "factor": round_factor,
    "factor+ridge": chain(round_factor, refit),
    "gaussian": round_gaussian,
}

ROUNDINGS: dict[str, Callable[..., Fit]] = {
    **STARTS,
    "tos-mnist": partial(round_tos, step=0.1, iterations=10_000),
    **{f"{name}+lbfgs": chain(start, polish) for name, start in STARTS.items()},
    **{f"{name}+merge": chain(start, fuse) for name, start in STARTS.items()},
    **{f"{name}+lbfgs+merge": chain(start, polish, fuse) for name, start in STARTS.items()},
}
"""Every rounding by the name it has in configs: a start, then steps, each with a plus sign before it."""

DEFAULT = "gaussian+lbfgs"  # the lowest objectives of all (docs/accuracy.md); `tos` alone is the paper's

__all__ = ["DEFAULT", "ROUNDINGS", "RoundingError", "disturbed", "ridge"]
