"""The second proof: it agrees on good certificates, and what has been tampered with does not pass."""

from dataclasses import replace
from functools import cache

import flint
import numpy as np
import pytest
import scipy.linalg
from hypothesis import given, settings
from hypothesis import strategies as st
from relaxbench.solvers.certificates.certificate import Certificate, Kind
from relaxbench.solvers.certificates.quadratic import lower_bound, prove
from relaxbench.solvers.checker import KINDS, CertificateError, verify
from relaxbench.solvers.checker.definite import definite
from relaxbench.solvers.checker.region import Circuit, Region, Space
from relaxbench.solvers.cpp import cpp
from relaxbench.solvers.problem import Problem
from relaxbench.solvers.sdp import relax

from ..support.cases import awkward, noise, quarter_turns, tight, train

NONE = np.zeros(0, int)
ARRAYS = ("rows", "rep", "coef", "T_row", "T_column", "T_value", "z")
KNOWN = [*tight(), "quarter turns"]


def planted(name):
    return quarter_turns(0) if name == "quarter turns" else tight()[name]


def certified(problem):
    return relax(problem, solver="interior").certificate


@cache
def merged():
    """A problem with merged rows, all of which its network uses, and its certificate."""
    base = noise(2, 5, 2, 2, 0.05)
    X = np.vstack([base.X, base.X[:1], -2 * base.X[1:2], 0.7 * base.X[2:3]])
    problem = Problem(X, np.vstack([base.Y, base.Y[:3] + 0.3]), 0.05)
    return problem, certified(problem)


def checked(problem, certificate):
    return verify(certificate, problem.X, problem.Y, problem.gamma)


def tampered(certificate, **arrays):
    return replace(certificate, proof={**certificate.proof, **arrays})


@pytest.mark.parametrize("name", KNOWN)
def test_both_proofs_agree_below_the_known_optimum(name):
    case = planted(name)
    certificate = certified(case.problem)
    found = checked(case.problem, certificate)
    assert found == pytest.approx(certificate.lower_bound, rel=1e-7)
    assert 0 < found <= case.optimum * (1 + 1e-13)


@pytest.mark.parametrize("name", awkward())
def test_both_proofs_agree_on_awkward_data(name):
    problem = awkward()[name]
    certificate = certified(problem)
    found = checked(problem, certificate)
    assert found == pytest.approx(certificate.lower_bound, rel=1e-7)
    assert found <= problem.objective(train(problem, 6, 3, 0))
    assert found > 0 or not problem.Y.any()


def test_the_recorded_number_plays_no_part():
    problem, certificate = merged()
    assert checked(problem, replace(certificate, lower_bound=1e9)) == checked(problem, certificate)


@pytest.mark.parametrize("eliminate", [0, 80])
def test_both_ways_to_prove_definiteness_agree(eliminate, monkeypatch):
    problem, certificate = merged()
    monkeypatch.setattr("relaxbench.solvers.checker.definite.ELIMINATE", eliminate)
    if eliminate:
        monkeypatch.setattr(scipy.linalg, "cholesky", lambda A, **options: np.eye(len(A)))  # congruence proves nothing
    assert checked(problem, certificate) == pytest.approx(certificate.lower_bound, rel=1e-9)
    longer = replace(certificate, theta=1.001 * certificate.theta)
    assert checked(problem, longer) < certificate.lower_bound * (1 - 1e-6)


def test_what_merging_costs_is_the_same_for_both_proofs():
    problem, certificate = merged()
    X = problem.X.copy()
    X[5] += 1e-3
    other = Problem(X, problem.Y, problem.gamma)
    recorded = lower_bound(other, certificate.theta, prove(certificate.theta, X, certificate.proof))
    assert 0 < recorded < certificate.lower_bound * (1 - 1e-5)
    assert checked(other, certificate) == pytest.approx(recorded, rel=1e-8)


def test_a_bound_that_has_to_be_scaled_down_is_proved_too():
    """With Θ, T and z that fit each other and are too long, the second proof finds the factor by itself."""
    problem, certificate = merged()
    proof = {**certificate.proof, **{name: 9 * certificate.proof[name] for name in ("T_value", "z")}}
    longer = replace(certificate, theta=3 * certificate.theta, proof=proof)
    assert checked(problem, longer) == pytest.approx(certificate.lower_bound, rel=1e-9)


def test_a_longer_theta_does_not_pass():
    problem, certificate = merged()
    longer = replace(certificate, theta=1.001 * certificate.theta)
    assert checked(problem, longer) < certificate.lower_bound * (1 - 1e-6)


@pytest.mark.parametrize("factor", [0.0, 0.5, 1.5, 1e6])
@pytest.mark.parametrize("name", ["T_value", "z"])
def test_other_multipliers_do_not_pass(name, factor):
    problem, certificate = merged()
    other = tampered(certificate, **{name: factor * certificate.proof[name]})
    assert checked(problem, other) < certificate.lower_bound * (1 - 1e-6)


def test_one_larger_multiplier_does_not_pass():
    problem, certificate = merged()
    T = certificate.proof["T_value"].copy()
    T[T.argmax()] *= 1.1
    assert checked(problem, tampered(certificate, T_value=T)) < certificate.lower_bound * (1 - 1e-6)


@pytest.mark.parametrize("row", [5, 6, 7])
def test_a_merged_row_that_differs_costs_what_it_may_and_no_more(row):
    problem, certificate = merged()
    for size, loss in ((1e-6, 1e-3), (1e-2, 1.0)):
        X = problem.X.copy()
        X[row] += size
        found = verify(certificate, X, problem.Y, problem.gamma)
        assert certificate.lower_bound * (1 - loss) < found < certificate.lower_bound * (1 - size / 100)


@pytest.mark.parametrize("row", range(5))
def test_a_row_of_other_data_does_not_pass(row):
    problem, certificate = merged()
    X = problem.X.copy()
    X[row] *= 1.01
    assert verify(certificate, X, problem.Y, problem.gamma) < certificate.lower_bound * (1 - 1e-6)
    assert verify(certificate, problem.X, problem.Y, 0.99 * problem.gamma) < certificate.lower_bound * (1 - 1e-6)


@pytest.mark.parametrize("coef", [np.nan, np.inf, -np.inf])
def test_a_row_is_not_talked_away_by_numbers_that_are_none(coef):
    """Θ = Y would be worth ½‖Y‖² if the row counted for nothing."""
    proof = {"rows": NONE, "rep": np.array([-1]), "coef": np.array([coef])}
    proof |= {"T_row": NONE, "T_column": NONE, "T_value": np.zeros(0), "z": np.zeros(0)}
    Y = np.array([[3.0]])
    with pytest.raises(CertificateError, match="coef must be finite"):
        verify(Certificate("doubly nonnegative", Y, proof, 4.5), np.array([[2.0]]), Y, 0.1)


@pytest.mark.parametrize("name", ARRAYS)
@pytest.mark.parametrize(
    "damage",
    [
        lambda a: a[:-1],
        lambda a: np.r_[a, a[-1:]],
        lambda a: np.where(np.arange(len(a)) == 0, np.nan, a),
        lambda a: a[:, None],
        lambda a: a[:0],
        lambda a: a.astype(str),
        lambda a: a.astype(object),
        lambda a: a.astype(complex),
        lambda a: None,
    ],
    ids=["short", "long", "nan", "column", "empty", "text", "objects", "complex", "missing"],
)
def test_damaged_arrays_are_refused(name, damage):
    problem, certificate = merged()
    proof = dict(certificate.proof)
    proof[name] = damage(proof[name])
    if proof[name] is None:
        del proof[name]
    with pytest.raises(CertificateError) as caught:
        checked(problem, replace(certificate, proof=proof))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("rows", 8, "rows must lie between 0 and 7"),
        ("rows", -1, "rows must lie between 0 and 7"),
        ("rep", 5, "rep must lie between -1 and 4"),
        ("rep", -2, "rep must lie between -1 and 4"),
        ("T_row", -1, "T_row must lie between 0 and 9"),
        ("T_column", 10, "T_column must lie between 0 and 9"),
        ("T_value", -1e-300, "nonnegative"),
    ],
)
def test_numbers_out_of_range_are_refused(name, value, words):
    problem, certificate = merged()
    array = certificate.proof[name].copy()
    array[-1] = value
    with pytest.raises(CertificateError, match=words):
        checked(problem, tampered(certificate, **{name: array}))


@pytest.mark.parametrize(("i", "j"), [(3, 3), (4, 2), (1, 6)])
def test_multipliers_of_what_is_no_inequality_are_refused(i, j):
    problem, certificate = merged()
    row, column = certificate.proof["T_row"].copy(), certificate.proof["T_column"].copy()
    row[0], column[0] = i, j
    with pytest.raises(CertificateError, match="above its diagonal"):
        checked(problem, tampered(certificate, T_row=row, T_column=column))


def test_representatives_that_are_missing_or_zero_are_refused():
    X, Y = np.array([[0.0], [1.0]]), np.array([[1.0], [1.0]])
    proof = {"coef": np.ones(2), "T_row": NONE, "T_column": NONE, "T_value": np.zeros(0)}
    for rows, z, words in ((NONE, np.zeros(0), "rep must lie between"), (np.array([0]), np.ones(1), "zero row")):
        bad = Certificate("doubly nonnegative", Y, {**proof, "rows": rows, "rep": np.zeros(2, int), "z": z}, 1.0)
        with pytest.raises(CertificateError, match=words):
            verify(bad, X, Y, 0.1)


@pytest.mark.parametrize(
    "theta", [np.ones((8, 3)), np.ones(8), np.full((8, 2), np.nan), np.full((8, 2), np.inf), np.full((8, 2), "1")]
)
def test_theta_has_to_fit(theta):
    problem, certificate = merged()
    with pytest.raises(CertificateError, match="Θ must"):
        checked(problem, replace(certificate, theta=theta))


def test_an_unknown_kind_is_refused():
    problem, certificate = merged()
    with pytest.raises(CertificateError, match="'word of honour'"):
        checked(problem, replace(certificate, kind="word of honour"))


def test_bounds_of_the_exact_program_are_proved_too():
    problem = noise(2, 8, 2, 2)
    certificate = cpp(problem).certificate
    assert checked(problem, certificate) == pytest.approx(certificate.lower_bound, rel=1e-7)


def test_a_wrong_factorisation_is_not_believed(monkeypatch):
    problem, certificate = merged()
    cholesky = scipy.linalg.cholesky
    monkeypatch.setattr("relaxbench.solvers.checker.definite.ELIMINATE", 0)
    assert checked(problem, certificate) > 0
    for wrong in (lambda A: np.eye(len(A)), lambda A: cholesky(A, lower=True) / 2):
        monkeypatch.setattr(scipy.linalg, "cholesky", lambda A, wrong=wrong, **options: wrong(A))
        assert checked(problem, certificate) == 0


@pytest.mark.parametrize("off", [1.0, 1.2, 1.9])
def test_a_congruence_that_is_not_near_the_identity_proves_nothing(off, monkeypatch):
    """The factor is wrong, so that rows of the residual sum to `off`: singular, and indefinite, matrices."""
    monkeypatch.setattr("relaxbench.solvers.checker.definite.ELIMINATE", 0)
    monkeypatch.setattr(scipy.linalg, "cholesky", lambda A, **options: np.eye(len(A)))
    assert definite(flint.arb_mat([[1, 0.9], [0.9, 1]]))
    assert not definite(flint.arb_mat([[1, off], [off, 1]]))


def test_arrays_are_refused_with_their_names_and_kinds():
    problem, certificate = merged()
    with pytest.raises(CertificateError, match="Got float128 instead"):
        checked(problem, tampered(certificate, z=certificate.proof["z"].astype(np.longdouble)))
    with pytest.raises(CertificateError, match="Got a, b instead"):
        checked(problem, replace(certificate, proof={"a": NONE, "b": NONE}))
    with pytest.raises(CertificateError, match="Got nothing instead"):
        checked(problem, replace(certificate, proof={}))
    with pytest.raises(CertificateError, match="300,000,000 entries at most"):
        checked(problem, tampered(certificate, z=np.broadcast_to(np.float64(0.0), (300_000_001,))))


def test_forms_that_may_lie_below_zero_cost_what_their_product_may_miss():
    """Two circuits that miss by 1 and 3: forms ½(s_1 − s_0) ≥ −½ and ½(2 s_0 − s_1) ≥ −3/2, at most 1 and 3/2."""
    one, zero = flint.arb(1), flint.arb(0)
    circuits = [Circuit(0, {1: one}, one), Circuit(1, {0: 2 * one}, 3 * one)]
    space = Space(2, 1, [[one], [one]], [one, one], [[zero]] * 4, circuits, one)
    K, cost = Region(space, {}, [])._products([(4, 5, 1.0)], 0)
    assert float(cost) == 2 * (0.5 * 1.5 + 1.5 * 1.0 + 0.5 * 1.5)
    assert {place: float(value) for place, value in K.items()} == {
        (0, 0): -1.0,
        (1, 1): -0.5,
        (0, 1): 0.75,
        (1, 0): 0.75,
    }


def test_a_sign_that_is_known_up_to_an_error_costs_that_error():
    """Row 1 has the sign of row 0 up to 2·¼; the circuit ½(s_1 − s_0), which misses by 1, takes t_1 for s_1."""
    one = flint.arb(1)
    implied, circuit = Circuit(1, {0: one}, one / 4), Circuit(0, {1: one}, one)
    space = Space(2, 1, [[one], [one]], [one, one], [[flint.arb(0)]] * 4, [circuit], one)
    region = Region(space, {0: 1}, [implied])
    assert (region.sign, region.free) == ({0: 1, 1: 1}, [])
    assert Region(space, {0: -1}, [implied]).sign == {0: -1, 1: -1}
    assert Region(space, {}, [implied]).sign == {}, "nothing is known of row 0"
    both = Circuit(1, {0: one, 2: one}, one)
    assert Region(space, {0: 1}, [both]).sign == {0: 1}, "nothing is known of row 2"
    assert Region(space, {0: 1, 2: -1}, [both]).sign == {0: 1}, "the signs disagree"
    form, low = region._form(4)
    assert float(low) == (1 + 0.5) / 2
    assert {place: float(value) for place, value in form.items()} == {2: -0.5, 3: 0.5}
    loaded = Space(2, 1, [[one], [one]], [one, one], [[one], [one], [0 * one], [0 * one]], [circuit], 2 * one)
    largest = Region(loaded, {0: 1}, [implied]).largest([], 0, [0 * one] * 2)
    assert float(largest) == pytest.approx(2 + 0.5 / 2, rel=1e-9)  # ‖t_0 + t_1‖, and the error of α_1
    form, low = region._form(1)  # α_1 = ½(s_1 + t_1)
    assert float(low) == 0.5 / 2
    assert {place: float(value) for place, value in form.items()} == {3: 1.0}


def test_every_kind_that_is_made_can_be_checked():
    assert set(KINDS) == {kind.value for kind in Kind}


def test_the_precision_of_others_is_left_alone():
    problem, certificate = merged()
    before = flint.ctx.prec
    checked(problem, certificate)
    with pytest.raises(CertificateError):
        checked(problem, tampered(certificate, z=NONE))
    assert flint.ctx.prec == before


@cache
def known():
    return [(planted(name), certified(planted(name).problem)) for name in KNOWN]


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.integers(0, len(KNOWN) - 1), st.integers(0, 2**32 - 1), st.integers(-8, 2), st.sets(st.sampled_from(ARRAYS)))
def test_no_forgery_proves_more_than_the_optimum(index, seed, power, names):
    """Arrays of the right form and any content: whatever they prove is true."""
    case, good = known()[index]
    rng = np.random.default_rng(seed)
    N, n = len(case.problem.X), len(good.proof["rows"])
    proof = dict(good.proof)
    for name in names:
        array = proof[name]
        if name in ("coef", "T_value", "z"):
            proof[name] = array * (1 + 10.0**power * rng.standard_normal(array.shape))
        elif name in ("rows", "rep"):
            changed = rng.random(array.shape) < 0.3
            proof[name] = np.where(
                changed, rng.integers(0 if name == "rows" else -1, N if name == "rows" else n, array.shape), array
            )
    theta = good.theta * (1 + 10.0**power * rng.standard_normal()) + 10.0**power * rng.standard_normal(good.theta.shape)
    try:
        found = checked(case.problem, Certificate(good.kind, theta, proof, 0.0))
    except CertificateError:
        return
    assert 0 <= found <= case.optimum * (1 + 1e-12)
