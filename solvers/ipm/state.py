"""The per-iteration state of the interior point, its settings, and what comes out of it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ..fit import Status, TraceRow
from ..network import Array
from ..reduced.dual import DualPoint
from ..reduced.reduction import Reduced
from .phases import Phases
from .points import Iterate, Pairs


@dataclass(frozen=True)
class Settings:
    """Numbers of the method, each with its reason; found on data sets of 20 to 500 rows."""

    cut: float = 0.95  # an excluded inequality may lose this share of its slack in one step
    many_losses: int = 3000  # from here on eliminating the loss rows pays
    short: float = 0.03  # a predictor step below this says that the iterate has to be centred first
    blocked: float = 1.3  # an excluded inequality that shortens a step by this factor is worth a second direction
    many_new: int = 5  # more new inequalities than this in one iteration are progress
    tiny: float = 1e-18  # slack relative to the largest entry that counts as none
    gain: float = 0.3  # relative fall of μ or of the gap that counts as progress
    first_gap: float = 0.9  # above it the iterate is not centred yet, and the steps may be short and many
    moved: float = 1e-4  # a step below this is none
    patience: int = 12  # iterations without progress until rounding is taken to allow no more
    halfway: float = 0.2  # iterates of a smaller gap are too near to the boundary to start from


SETTINGS = Settings()


@dataclass(frozen=True)
class WarmStart:
    """An iterate from which the same data can be solved for another γ: strictly feasible, far from any face."""

    it: Iterate
    pairs: Pairs
    gamma: float

    def at(self, gamma: float) -> Iterate:
        """Move to another γ: the dual side is scaled in proportion, as C is.

        Args:
            gamma: the other γ.

        Returns:
            The iterate.
        """
        ratio = gamma / self.gamma
        return Iterate(self.it.Z, ratio * self.it.S, self.it.x, ratio * self.it.y, ratio * self.it.excess)


@dataclass(frozen=True)
class InteriorPoint:
    """What comes out: Z over (s, u, v), the best dual point, and both bounds in scaled units.

    halfway: the last iterate that is far enough from the boundary to start from. phases: seconds by phase.
    """

    Z: Array
    dual: DualPoint
    upper: float
    lower: float
    iterations: int
    inequalities: int
    trace: Sequence[TraceRow]
    status: Status
    message: str = ""
    halfway: WarmStart | None = None
    phases: Mapping[str, float] = field(default_factory=dict)

    @property
    def gap(self) -> float:
        """(upper − lower)/upper of the relaxation itself."""
        return relative_gap(self.upper, self.lower)


@dataclass
class State:
    """Changed in place from iteration to iteration.

    it, pairs: the iterate and its constraints; excluded (2n, 2n): the inequalities that are not among them. Z, dual,
    upper, lower: the best bounds so far and what they come from, which need not be the last iterate. broken: the Newton
    system can no longer be factorised. idle: iterations without progress since lowest_mu and lowest_gap.
    """

    reduced: Reduced
    it: Iterate
    pairs: Pairs
    excluded: np.ndarray
    Z: Array
    dual: DualPoint
    gap_wanted: float
    upper: float = np.inf
    lower: float = -np.inf
    began: float = field(default_factory=time.perf_counter)
    iterations: int = 0
    trace: list[TraceRow] = field(default_factory=list)
    halfway: WarmStart | None = None
    broken: bool = False
    idle: int = 0
    lowest_mu: float = np.inf
    lowest_gap: float = np.inf
    phases: Phases = field(default_factory=Phases)

    @property
    def gap(self) -> float:
        """(upper − lower)/upper of the best bounds."""
        return relative_gap(self.upper, self.lower)

    @property
    def reached(self) -> bool:
        """Whether the gap wanted is proved."""
        return self.gap <= self.gap_wanted


def relative_gap(upper: float, lower: float) -> float:
    """Compute (upper − lower)/upper.

    Args:
        upper: the upper bound.
        lower: the lower bound.

    Returns:
        The gap, 0 where nothing is left to lose.
    """
    return (upper - lower) / upper if upper > 0 else 0.0
