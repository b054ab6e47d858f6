"""Honest bounds are confirmed, to within the rounding of both proofs, and are no higher than the truth."""

import numpy as np
import pytest

from .honest import ARCS, CELLS, DNN, KINDS, honest, judge, lifted


@pytest.mark.parametrize("kind", KINDS)
def test_honest_certificates_are_confirmed(kind):
    for case in honest(kind):
        assert judge(case) == pytest.approx(case.certificate.lower_bound, rel=1e-7), case.name


@pytest.mark.parametrize("kind", KINDS)
def test_honest_bounds_leave_little_room_below_the_truth(kind):
    """So that a false bound shows."""
    gaps = [1 - case.certificate.lower_bound / case.truth for case in honest(kind)]
    assert min(gaps) < 2e-6
    assert max(gaps) < 2e-3


@pytest.mark.parametrize("tree", [[-1], [1, 0, -1, -1, -1], [4, 5, -1, 0, -1, -1, 5, -1, -1]])
def test_the_same_multipliers_prove_the_bound_in_every_cell(tree):
    for case in honest(DNN):
        rows, d = len(case.proof["rows"]), case.X.shape[1]
        spread = [k - 4 + rows if k >= 4 else min(k, rows - 1) for k in tree]
        if len(set(spread)) < len(set(tree)):
            continue
        planes = np.random.default_rng(0).standard_normal((2, d))
        assert judge(lifted(case, spread, planes)) == pytest.approx(case.certificate.lower_bound, rel=1e-7)


def test_the_suite_has_splits_signs_circuits_and_planes():
    cells = [case.proof for case in honest(CELLS)]
    assert max(len(proof["tree"]) for proof in cells) >= 7
    assert any((proof["circuit_cell"] >= 0).any() for proof in cells)
    assert any((proof["circuit_cell"] < 0).any() for proof in cells)
    assert any(len(proof["planes"]) for proof in cells)
    assert all(case.certificate.proof == {} for case in honest(ARCS))
