"""Attacks on every kind of certificate: a forged one is refused, or what it proves is true; nothing else happens."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest

from . import arrays, covers, meanings, regions
from .honest import ARCS, CELLS, COVER, DNN, KINDS, Case, honest, judge

pytestmark = [pytest.mark.timeout(600), pytest.mark.filterwarnings("error::RuntimeWarning")]
Attack = Callable[[Case], Iterator[Case]]
ATTACKS: list[Attack] = [*arrays.ATTACKS, *meanings.ATTACKS, *regions.ATTACKS, *covers.ATTACKS]
SAMPLE = {DNN: 8, CELLS: 8, ARCS: 8, COVER: 1}  # forgeries of each attack that every run tries; a slow test tries all


def with_lies(forged: Case, theta: np.ndarray) -> Iterator[Case]:
    """As it is, and with two Θ that are worth more than the truth if the proof is taken for one."""
    yield forged
    if forged.certificate.theta is theta and isinstance(forged.certificate.proof, dict):
        for what, longer in (("Θ longer by 1e-6", theta * (1 + 1e-6)), ("Θ = Y", forged.Y.copy())):
            name, certificate = f"{forged.name}, {what}", replace(forged.certificate, theta=longer)
            yield replace(forged, name=name, certificate=certificate)


def forgeries(attack: Attack, kind: str) -> Iterator[Case]:
    for case in honest(kind):
        for forged in attack(case):
            yield from with_lies(forged, case.certificate.theta)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_no_attack_proves_more_than_the_truth(attack, kind):
    every = list(forgeries(attack, kind))
    for k in np.random.default_rng(0).permutation(len(every))[: SAMPLE[kind]]:
        judge(every[k])


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_no_forgery_of_any_attack_proves_more_than_the_truth(attack, kind):
    for forged in forgeries(attack, kind):
        judge(forged)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_attacked_in_many_ways(kind):
    assert sum(next(forgeries(attack, kind), None) is not None for attack in ATTACKS) >= 18
