"""compare: planted regressions of every class, what is no regression, and which cell stands against which."""

import math

import pytest
from relaxbench.bench.compare.comparison import compare

from ..support.results import changed, row, run_of, write


@pytest.fixture
def judged(tmp_path):
    """Compares two lists of rows; returns the comparison."""
    count = iter(range(100))

    def call(base, cand, **cand_options):
        k = next(count)
        return compare(write(tmp_path / f"base{k}", base), write(tmp_path / f"cand{k}", cand, **cand_options))

    return call


def bad(comparison):
    """What is neither ok, better nor advice, as (kind, column, verdict)."""
    return [
        (check.kind, check.column, check.verdict)
        for check in comparison.checks
        if check.verdict not in ("ok", "better", "advisory")
    ]


def test_the_same_results_pass(judged):
    found = judged(run_of(), run_of("new"))
    assert bad(found) == []
    assert found.exit_code == 0
    assert found.count("ok", "soundness") == 1
    # status of 3; bound, gap, objective, iterations, 3 accuracies; objective, iterations, 3; 3
    assert found.count("ok", "quality") == 3 + 7 + 5 + 3


PLANTED = {
    "bound loosened by 1 %": ("sdp", {"lower_bound": lambda v: v * 0.99}, "lower_bound", 1),
    "rounding 2 % worse": ("sdp", {"objective": lambda v: v * 1.02}, "objective", 1),
    "network of another method 2 % worse": ("lbfgs", {"objective": lambda v: v * 1.02}, "gap", 1),
    "accuracy drops by one row": ("nngp", {"test_accuracy": lambda v: v - 1 / 75}, "test_accuracy", 1),
    "1.3 times the iterations": ("lbfgs", {"iterations": 520}, "iterations", 1),
    "bound lost": ("sdp", {"lower_bound": None}, "lower_bound", 1),
    "objective lost": ("lbfgs", {"objective": None}, "objective", 1),
    "crash": ("sdp", {"status": "failed", "objective": None, "lower_bound": None}, "status", 3),
    "out of memory": ("sdp", {"status": "memory", "objective": None, "lower_bound": None}, "status", 3),
    "not finite": ("lbfgs", {"status": "diverged"}, "status", 3),
    "timeout with nothing": ("lbfgs", {"status": "timeout", "objective": None}, "status", 3),
    "timeout with a network": ("lbfgs", {"status": "timeout"}, "status", 1),
    "stalled with nothing": ("lbfgs", {"status": "stalled", "objective": None}, "status", 3),
    "stalled with a network": ("lbfgs", {"status": "stalled"}, "status", 1),
    "out of iterations with a network": ("lbfgs", {"status": "iteration_limit"}, "status", 1),
    "says it does not apply": ("sdp", {"status": "unsupported", "objective": None, "lower_bound": None}, "status", 1),
}


@pytest.mark.parametrize(("method", "columns", "column", "code"), PLANTED.values(), ids=PLANTED)
def test_planted_regressions(judged, method, columns, column, code):
    found = judged(run_of(), changed(run_of("new"), method, **columns))
    assert column in [name for _, name, _ in bad(found)]
    assert found.exit_code == code
    assert judged(changed(run_of(), method, **columns), run_of("new")).exit_code == 0  # the other way it is better


def test_another_reason_to_end_early_is_no_regression_by_itself(judged):
    stalled = changed(run_of(), "lbfgs", status="stalled")
    limited = changed(run_of("new"), "lbfgs", status="iteration_limit")
    assert judged(stalled, limited).exit_code == 0
    worse = changed(limited, "lbfgs", objective=12.0 * 1.02)
    assert ("quality", "objective", "regression") in bad(judged(stalled, worse)), "no clock decided, so it counts"


@pytest.mark.parametrize("side", ["base", "cand", "both"])
def test_a_bound_above_a_network_fails_whichever_side_it_is_on(judged, side):
    invalid = 12.0 * (1 + 1e-3)
    base = changed(run_of(), "sdp", lower_bound=invalid) if side != "cand" else run_of()
    cand = changed(run_of("new"), "sdp", lower_bound=invalid) if side != "base" else run_of("new")
    found = judged(base, cand)
    assert ("soundness", "lower_bound ≤ objective", "regression") in bad(found)
    assert found.exit_code == 1


def test_soundness_has_no_tolerance(judged):
    above = math.nextafter(12.0, math.inf)
    assert judged(run_of(), changed(run_of("new"), "sdp", lower_bound=above)).count("regression", "soundness") == 1
    assert judged(run_of(), changed(run_of("new"), "sdp", lower_bound=12.0)).count("regression", "soundness") == 0


def test_a_bound_is_held_against_networks_of_the_other_side_and_of_cells_without_counterpart(judged):
    base = [*run_of(), row("other", objective=10.9)]
    found = judged(base, run_of("new"))
    assert found.count("regression", "soundness") == 1
    other_problem = [*run_of(), row("other", objective=10.9, gamma=0.01), row("other", objective=10.9, data="d1")]
    assert judged(other_problem, run_of("new")).count("regression", "soundness") == 0


@pytest.mark.parametrize("side", ["base", "cand"])
def test_a_bound_is_held_against_the_best_network_a_cell_knew_too(judged, side):
    """A rounding that ends above the network it met on the way does not hide that network."""
    known = [*run_of(), row("other", objective=13.0, upper_bound=10.9)]
    again = [*run_of("new"), row("other", objective=13.0, upper_bound=13.0, code="new")]
    found = judged(known, again) if side == "base" else judged(again, known)
    (check,) = [check for check in found.checks if check.kind == "soundness"]
    assert (check.verdict, check.base, check.cand) == ("regression", 11.0, 10.9)
    assert found.exit_code == 1


def test_the_gap_reaches_to_the_best_network_known(judged):
    cand = changed(run_of("new"), "lbfgs", upper_bound=11.5)
    (gap,) = [check for check in judged(run_of(), cand).checks if check.column == "gap"]
    assert (gap.base, gap.cand) == (pytest.approx(1 / 12.0), pytest.approx(0.5 / 11.5))


def test_missing_and_new_cells_are_never_a_pass(judged):
    full = run_of("new")
    assert judged(run_of(), full[:2]).exit_code == 4
    assert judged(run_of()[:2], full).exit_code == 4
    found = judged(run_of(), [one | {"data": "d1"} for one in full])
    assert found.exit_code == 4
    assert not found.comparable
    assert all("on other data" in check.note for check in found.checks if check.kind == "grid")
    assert judged([], full).exit_code == judged(run_of(), []).exit_code == judged([], []).exit_code == 4


def test_last_bits_of_data_do_not_keep_cells_apart(judged):
    """Generated data come out of products of matrices, whose last bits differ between processors."""
    base = [one | {"data_rounded": "r0"} for one in run_of()]
    cand = [one | {"data": "d1", "data_rounded": "r0"} for one in run_of("new")]
    found = judged(base, cand)
    assert found.exit_code == 0
    assert found.count("ok") > 0
    worse = judged(base, changed(cand, "lbfgs", objective=12.0 * 1.02))
    assert ("quality", "objective", "regression") in bad(worse)
    assert judged(base, [one | {"data_rounded": "r1"} for one in cand]).exit_code == 4, "really other data"
    assert judged(run_of(), cand).exit_code == 4, "an older table does not say"


def test_cells_on_data_alike_but_for_last_bits_pair_only_one_to_one(judged):
    base = [row("sdp", data_rounded="r0"), row("sdp", data="d1", data_rounded="r0")]
    found = judged(base, [row("sdp", data="d2", data_rounded="r0")])
    assert found.exit_code == 4
    assert len([check for check in found.checks if check.kind == "grid"]) == 3


def test_cells_that_fail_on_both_sides_compare_nothing(judged):
    broken = {"status": "failed", "train_accuracy": None, "test_accuracy": None, "balanced_accuracy": None}
    rows, again = ([row("nngp", **broken, code=code)] for code in ("old", "new"))
    found = judged(rows, again)
    assert found.exit_code == 4
    assert [check.verdict for check in found.checks] == ["advisory"]
    assert judged([*rows, *run_of()[1:2]], [*again, *run_of("new")[1:2]]).exit_code == 0


def test_a_regression_goes_before_a_crash_before_a_missing_cell(judged):
    crash = changed(run_of("new"), "lbfgs", status="failed")
    assert judged([*run_of(), row("x")], crash).exit_code == 3
    assert judged([*run_of(), row("x")], changed(crash, "nngp", test_accuracy=0.5)).exit_code == 1


def test_what_stays_within_its_tolerance_passes_and_the_config_sets_it(judged):
    worse = changed(run_of("new"), "sdp", objective=lambda v: v * 1.004, lower_bound=lambda v: v * (1 - 5e-5))
    assert judged(run_of(), worse).exit_code == 0
    assert judged(run_of(), worse, tolerance="objective = 0.001").exit_code == 1
    loose = judged(run_of(), changed(worse, "sdp", iterations=3000), tolerance="iterations = inf")
    assert loose.exit_code == 0
    assert "the tolerances are those of CAND; BASE declares others" in loose.notes


def test_the_gap_is_that_of_the_cells_both_sides_have(judged):
    base = [*run_of(), row("other", objective=11.5)]
    gaps = [check for check in judged(base, run_of("new")).checks if check.column == "gap"]
    assert [check.verdict for check in gaps] == ["ok"]
    assert gaps[0].base == pytest.approx((12.0 - 11.0) / 12.0)


def test_what_a_time_limit_decided_is_advice(judged):
    base = changed(run_of(), "lbfgs", status="timeout")
    cand = changed(run_of("new"), "lbfgs", status="timeout", objective=12.4, iterations=900)
    found = judged(base, cand)
    assert found.count("regression") == 1  # the gap of sdp, which ended well; not the objective
    assert [c.verdict for c in found.checks if c.column in ("objective", "iterations") and "lbfgs" in c.cell] == [
        "advisory",
        "advisory",
    ]


# --- what each check says ---


@pytest.fixture
def checks(tmp_path):
    """Compares two lists of rows; returns the checks."""
    count = iter(range(100))

    def call(base, cand):
        k = next(count)
        sides = (write(tmp_path / f"{name}{k}", rows, tables=["parquet"]) for name, rows in (("b", base), ("c", cand)))
        return list(compare(*sides).checks)

    return call


def of(checks, column, method=""):
    (check,) = [check for check in checks if check.column == column and method in check.cell]
    return check


def sound(checks):
    return of(checks, "lower_bound ≤ objective")


@pytest.mark.parametrize("worst", ["BASE", "CAND"])
def test_soundness_tells_the_worst_bound_whose_it_is_and_how_many_there_are(checks, worst):
    bounds = (12.5, 12.25) if worst == "BASE" else (12.25, 12.5)
    sides = (
        changed(run_of(code), "sdp", lower_bound=bound) for code, bound in zip(("old", "new"), bounds, strict=True)
    )
    check = sound(checks(*sides))
    assert (check.base, check.cand) == (12.5, 12.0)
    assert check.change == pytest.approx(0.5 / 12.0)
    assert f"bound of iris sdp γ=0.1 width=10 seed=0 in {worst}" in check.note
    assert check.note.endswith("; 2 bounds lie above it")


@pytest.mark.parametrize("owner", ["BASE", "CAND"])
def test_soundness_tells_the_best_network_and_whose_it_is(checks, owner):
    better, other = changed(run_of("old"), "lbfgs", objective=10.75), run_of("new")
    check = sound(checks(better, other) if owner == "BASE" else checks(other, better))
    assert (check.base, check.cand, check.change) == (11.0, 10.75, pytest.approx(0.25 / 10.75))
    assert f"network of iris lbfgs γ=0.1 width=10 seed=0 in {owner}" in check.note


def test_a_single_bound_above_is_not_counted_and_none_above_needs_no_note(checks):
    check = sound(checks(run_of(), changed(run_of("new"), "sdp", lower_bound=12.25)))
    assert check.note.endswith(" in BASE")
    assert (check.base, check.cand) == (12.25, 12.0)
    well = sound(checks(run_of(), changed(run_of("new"), "sdp", lower_bound=11.5)))
    assert (well.verdict, well.base, well.cand, well.note) == ("ok", 11.5, 12.0, "")
    assert well.change == pytest.approx(-0.5 / 12.0)


def test_a_problem_without_a_bound_or_without_a_network_has_no_soundness(checks):
    for columns in ({"lower_bound": None}, {"objective": None, "upper_bound": None}):
        rows = [[row("sdp", objective=12.0, lower_bound=11.0, code=code) | columns] for code in ("old", "new")]
        assert [check for check in checks(*rows) if check.kind == "soundness"] == []


def test_the_grid_tells_which_side_has_a_cell_and_why(checks):
    only = [check for check in checks([*run_of(), row("x")], [*run_of("new"), row("y")]) if check.kind == "grid"]
    assert [(check.base, check.cand, check.note) for check in only] == [
        ("ok", None, "only in BASE"),
        (None, "ok", "only in CAND"),
    ]
    other = checks([*run_of(), row("x")], [*run_of("new"), row("x", data="d1")])
    assert [check.note for check in other if check.kind == "grid"] == [
        "only in BASE, on other data",
        "only in CAND, on other data",
    ]


def test_a_message_is_told_where_the_status_is_another(checks):
    said = {"message": "out of ideas"}
    failed = changed(run_of("new"), "nngp", status="failed", **said)
    assert of(checks(run_of(), failed), "status", "nngp").note == "out of ideas"
    assert of(checks(run_of(), changed(run_of("new"), "nngp", **said)), "status", "nngp").note == ""
    silent = changed(run_of("new"), "nngp", status="failed")
    assert of(checks(run_of(), silent), "status", "nngp").note == ""


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [
        ("ok", "ok", "ok"),
        ("ok", "failed", "failed"),
        ("failed", "ok", "better"),
        ("failed", "memory", "advisory"),
        ("ok", "unsupported", "regression"),
        ("unsupported", "ok", "better"),
        ("unsupported", "unsupported", "ok"),
    ],
)
def test_what_a_change_of_status_is(checks, before, after, verdict):
    found = checks([row("m", status=before)], [row("m", status=after, code="new")])
    assert of(found, "status").verdict == verdict
    compared = not {before, after} & {"failed", "memory"}
    assert any(check.column == "train_accuracy" for check in found) == compared


def test_a_regression_tells_its_tolerance_and_what_passes_tells_nothing(checks):
    found = checks(run_of(), changed(run_of("new"), "lbfgs", objective=12.25, iterations=300, train_accuracy=0.962))
    worse, fewer, same = (of(found, name, "lbfgs") for name in ("objective", "iterations", "train_accuracy"))
    assert (worse.verdict, worse.note, worse.change) == ("regression", "tolerance 0.005", pytest.approx(0.25 / 12.0))
    assert (fewer.verdict, fewer.note, fewer.change) == ("better", "", -0.25)
    assert (same.verdict, same.note, same.change) == ("ok", "", pytest.approx(-0.002))


@pytest.mark.parametrize("side", ["base", "cand", "both"])
def test_a_time_limit_makes_advice_of_differences_alone(checks, side):
    base = changed(run_of(), "lbfgs", status="timeout" if side != "cand" else "ok")
    cand = changed(run_of("new"), "lbfgs", status="timeout" if side != "base" else "ok", objective=12.25)
    found = checks(base, cand)
    assert of(found, "objective", "lbfgs").verdict == "advisory"
    assert of(found, "objective", "lbfgs").note == "the time limit decided"
    assert (of(found, "iterations", "lbfgs").verdict, of(found, "iterations", "lbfgs").note) == ("ok", "")
    assert of(found, "objective", "sdp").verdict == "ok"


def test_another_gamma_by_cross_validation_makes_advice_of_what_is_measured_in_training(checks):
    asked = {"gamma_by": "cv", "width": 10, "objective": 12.0, "iterations": 400}
    base = [row("lbfgs", **asked)]
    worse = {"gamma": 1.0, "objective": 13.0, "test_accuracy": 0.5, "balanced_accuracy": 0.5, "train_accuracy": 0.5}
    found = checks(base, [row("lbfgs", code="new", **(asked | worse))])
    verdicts = {check.column: check.verdict for check in found if check.kind == "quality"}
    assert verdicts == {
        "status": "ok",
        "objective": "advisory",
        "train_accuracy": "advisory",
        "test_accuracy": "regression",
        "balanced_accuracy": "regression",
        "iterations": "ok",
    }
    assert of(found, "objective").note == "cross-validation chose another γ"
    assert of(checks(base, [row("lbfgs", code="new", **(asked | {"objective": 13.0}))]), "objective").verdict == (
        "regression"
    )


def test_gaps_are_recomputed_and_those_that_are_no_number_are_none(checks):
    gap = of(checks(run_of(), changed(run_of("new"), "lbfgs", objective=11.5)), "gap")
    assert (gap.base, gap.cand) == (pytest.approx(1 / 12), pytest.approx(0.5 / 11.5))
    huge = [changed(run_of(code), "sdp", lower_bound=-1.7e308, upper_bound=1e-300) for code in ("old", "new")]
    assert not [check for check in checks(*huge) if check.column == "gap"]
    zero = [[row("sdp", objective=0.0, lower_bound=0.0, code=code)] for code in ("old", "new")]
    assert not [check for check in checks(*zero) if check.column == "gap"]
    assert sound(checks(*zero)).change is None
