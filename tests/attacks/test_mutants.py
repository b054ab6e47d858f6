"""Certificates with random damage: each is refused, or what it proves is true."""

from collections import Counter

import pytest

from .honest import judge
from .mutants import mutant

pytestmark = [pytest.mark.timeout(3600), pytest.mark.filterwarnings("error::RuntimeWarning")]
CHUNK = 5000


def outcomes(seeds):
    """How many were confirmed within the truth, proved nothing or were refused; anything else fails."""
    found = (judge(mutant(seed)) for seed in seeds)
    return Counter("refused" if bound is None else "confirmed" if bound > 0 else "nothing" for bound in found)


@pytest.mark.parametrize("part", range(3))
def test_no_mutant_proves_more_than_the_truth(part):
    counts = outcomes(range(100 * part, 100 * part + 100))
    assert min(counts.values()) >= 5, counts


@pytest.mark.slow
@pytest.mark.parametrize("part", range(20))
def test_no_mutant_of_many_proves_more_than_the_truth(part):
    counts = outcomes(range(CHUNK * part, CHUNK * part + CHUNK))
    print(dict(counts))


def test_the_same_seed_is_the_same_mutant():
    one, two = mutant(5), mutant(5)
    assert one.name == two.name
    assert (one.certificate.theta == two.certificate.theta).all()
