"""Attacks on every kind of certificate: a forged one is refused, or what it proves is true; nothing else happens."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest

from . import arrays, covers, meanings, regions
from .honest import KINDS, Case, honest, judge

pytestmark = [pytest.mark.timeout(600), pytest.mark.filterwarnings("error::RuntimeWarning")]
Attack = Callable[[Case], Iterator[Case]]
ATTACKS: list[Attack] = [*arrays.ATTACKS, *meanings.ATTACKS, *regions.ATTACKS, *covers.ATTACKS]
SAMPLE = 12  # forgeries of each attack on each kind that every run tries; a slow test tries all


def with_lies(forged: Case, theta: np.ndarray) -> Iterator[Case]:
    """As it is, and with two Θ that are worth more than the truth if the proof is taken for one."""
    yield forged
    if forged.certificate.theta is theta and isinstance(forged.certificate.proof, dict):
        for what, longer in (("Θ longer by 1e-6", theta * (1 + 1e-6)), ("Θ = Y", forged.Y.copy())):
            name, certificate = f"{forged.name}, {what}", replace(forged.certificate, theta=longer)
            yield replace(forged, name=name, certificate=certificate)


def forgeries(attack: Attack, kind: str) -> list[Case]:
    return [
        lie for case in honest(kind) for forged in attack(case) for lie in with_lies(forged, case.certificate.theta)
    ]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_no_attack_proves_more_than_the_truth(attack, kind):
    every = forgeries(attack, kind)
    rng = np.random.default_rng(0)
    for k in rng.permutation(len(every))[:SAMPLE]:
        judge(every[k])


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_no_forgery_of_any_attack_proves_more_than_the_truth(attack, kind):
    for forged in forgeries(attack, kind):
        judge(forged)


def test_every_kind_is_attacked_by_most():
    counts = {kind: sum(bool(forgeries(attack, kind)) for attack in ATTACKS) for kind in KINDS}
    assert min(counts.values()) >= 15, counts
    assert len(ATTACKS) >= 23
