"""compare: is the candidate worse than the base? Three classes of check, each reported apart, and an exit code.

soundness  no lower bound above the objective of any network for the same problem, whichever side either is from;
           no tolerance, and never excused by the base being wrong as well
quality    status, bounds, gap, objective, accuracies, iterations at fixed seeds, within a tolerance by column
           (grid/tolerances.py)
cost       runtime and memory as ratios; judged only where both sides ran interleaved on this machine (ab/), and
           advice otherwise, divided by the ratio of the reference workload that every run measures
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..grid.tolerances import tolerances_of
from ..results.differences import differences, mixed, reference_seconds
from ..results.labels import labels
from ..verify.bounds import Check as Proof
from .checks import BETTER, FAILED, MISSING, OK, PROVED, QUALITY, REGRESSION, SOUNDNESS, Check, grid, quality, soundness
from .cost import advice
from .match import Matching, Side, match, read_side

JUDGED = {OK, REGRESSION, BETTER}


@dataclass(frozen=True)
class Comparison:
    """What a comparison found. differences: between the machines and versions. notes: what a reader has to know.

    timings: the paired measurements behind judged costs, one dictionary a cell, cost and pair.
    """

    base: str
    cand: str
    checks: Sequence[Check]
    differences: Sequence[str] = ()
    notes: Sequence[str] = ()
    timings: Sequence[Mapping[str, Any]] = field(default=(), repr=False)

    def count(self, verdict: str, kind: str | None = None) -> int:
        """How many checks ended so.

        Args:
            verdict: the verdict to count.
            kind: count only checks of this kind; None for all.

        Returns:
            The number of checks.
        """
        return sum(check.verdict == verdict and kind in (None, check.kind) for check in self.checks)

    @property
    def comparable(self) -> bool:
        """Whether any number or cost of the base had one of the candidate to stand against."""
        return any(
            check.verdict in JUDGED and check.kind != SOUNDNESS and (check.kind, check.column) != (QUALITY, "status")
            for check in self.checks
        )

    @property
    def exit_code(self) -> int:
        """1 a regression; else 3 cells that fail and did not before; else 4 another grid or nothing comparable; 0."""
        if self.count(REGRESSION):
            return 1
        if self.count(FAILED):
            return 3
        return 4 if self.count(MISSING) or not self.comparable else 0

    def with_proofs(self, side: str, proofs: Sequence[Proof]) -> Comparison:
        """Add the bounds of one side that `verify` could not confirm to the soundness checks.

        Args:
            side: name of the side.
            proofs: what `verify` found.

        Returns:
            A new comparison.
        """
        failed = [
            Check(
                *(SOUNDNESS, proof.label, proof.bound, proof.recorded, proof.found, REGRESSION),
                note=f"of {side}: {proof.message}",
                names=PROVED,
            )
            for proof in proofs
            if not proof.holds
        ]
        note = f"{len(proofs)} bounds of {side} proved again, {len(failed)} do not hold"
        return replace(self, checks=[*failed, *self.checks], notes=[*self.notes, note])


def compare(base: str | Path, cand: str | Path, *, part: bool = False) -> Comparison:
    """Compare two results: soundness, quality within tolerances, and costs as advice.

    Args:
        base: the folder of a run, its results.parquet or its results.csv, or a bundle.
        cand: the same, to be judged against `base`.
        part: `cand` repeats a part of `base` alone; cells that it does not have are no fault.

    Returns:
        The checks, with an exit code: 1 a regression, 3 cells that fail and did not before, 4 nothing comparable, 0.

    Raises:
        UsageError: no results, or results that do not read.
    """
    return compare_sides(read_side(base), read_side(cand), part=part)


def compare_sides(left: Side, right: Side, *, part: bool = False) -> Comparison:
    """As `compare`, of sides that were read: the base and the candidate."""
    tolerances = tolerances_of(right.spec, right.name)
    notes = []
    if left.spec and tolerances != tolerances_of(left.spec, left.name):
        notes.append("the tolerances are those of CAND; BASE declares others")
    matching = match(left.rows, right.rows)
    if part:
        notes.append(f"{len(matching.missing)} cells of BASE are not in CAND, which was said to be a part of it")
        matching = replace(matching, missing=[])
    names = labels([*left.rows, *right.rows])
    reference = _reference_ratio(left, right)
    notes.append(
        "runtime and memory are advice, since the sides did not run interleaved; runtimes are "
        + (f"divided by {reference:.3g}, the ratio of the reference workload" if reference else "as measured")
    )
    if any(row["threads"] != other["threads"] for row, other in _rows(matching)):
        notes.append("BLAS had another number of threads")
    checks = _checks(left, right, matching, names, tolerances)
    checks += advice(matching.pairs, names, reference)
    found = [
        line for name, side in (("BASE", left), ("CAND", right)) for line in mixed(name, side.rows, side.environment)
    ]
    found += differences(left.environment, right.environment)
    return Comparison(left.name, right.name, checks, found, notes)


def results_checks(base: Side, cand: Side) -> list[Check]:
    """Soundness, grid and quality alone, for a caller that measures the costs itself.

    Args:
        base: the side compared with.
        cand: the side judged; its tolerances count.

    Returns:
        The checks.

    Raises:
        UsageError: the spec of `cand` declares no valid tolerances.
    """
    names = labels([*base.rows, *cand.rows])
    return _checks(base, cand, match(base.rows, cand.rows), names, tolerances_of(cand.spec, cand.name))


def _checks(
    base: Side, cand: Side, matching: Matching, names: Mapping[str, str], tolerances: Mapping[str, float]
) -> list[Check]:
    return [
        *soundness({"BASE": base.rows, "CAND": cand.rows}, names),
        *grid(matching, names),
        *quality(matching.pairs, names, tolerances),
    ]


def _reference_ratio(base: Side, cand: Side) -> float | None:
    before, after = reference_seconds(base.environment), reference_seconds(cand.environment)
    return after / before if before and after else None


def _rows(matching: Matching) -> list[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    return [(pair.base, pair.cand) for pair in matching.pairs]
