"""compare: planted regressions of every class, what is no regression, and which cell stands against which."""

import math

import numpy as np
import pandas as pd
import pytest
from relaxbench.bench.compare import compare
from relaxbench.bench.compare_columns import CHECKED, check_tolerances, tolerances_of, worsening
from relaxbench.bench.compare_environment import differences
from relaxbench.bench.spec import check_spec
from relaxbench.bench.store import COLUMNS
from relaxbench.bench.text import UsageError

from .bench_results import ENVIRONMENT, changed, row, run_of, write


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


def test_tolerances_survive_the_way_through_a_run(tmp_path):
    tables = {"dataset": [{"name": "iris"}], "method": [{"name": "lbfgs"}]}
    spec = check_spec({**tables, "tolerance": {"iterations": math.inf, "gap": 0.5}})
    found = tolerances_of(spec.toml(), "here")
    assert (found["iterations"], found["gap"], found["objective"]) == (math.inf, 0.5, 5e-3)
    assert tolerances_of(check_spec(tables).toml(), "here") == check_tolerances({})
    with pytest.raises(UsageError, match="Did you mean 'gap'"):
        check_spec({**tables, "tolerance": {"gapp": 0.5}})


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


def test_costs_of_separate_runs_are_advice_in_units_of_the_reference_workload(judged):
    slow_machine = ENVIRONMENT | {"calibration": {"eigendecomposition_s": 0.08, "product_s": 0.02}}
    cand = [one | {"runtime_s": 3.0, "peak_memory_mb": 400.0} for one in run_of("new")]
    found = judged(run_of(), cand, environment=slow_machine)
    assert found.exit_code == 0
    costs = [check for check in found.checks if check.kind == "cost"]
    assert {check.verdict for check in costs} == {"advisory"}
    for column, ratio in (("runtime_s", 1.5), ("peak_memory_mb", 2.0)):
        found_ratios = [check.change for check in costs if check.column == column]
        assert found_ratios == pytest.approx([ratio] * 6)  # three cells and the mean of each method
    as_measured = judged(run_of(), cand, environment=ENVIRONMENT | {"calibration": {"product_s": "soon"}})
    assert any("as measured" in note for note in as_measured.notes)
    assert [c.change for c in as_measured.checks if c.column == "runtime_s"] == pytest.approx([3.0] * 6)


def test_what_differs_between_the_machines_is_named(judged):
    other = ENVIRONMENT | {"processor": "Other CPU", "packages": {"numpy": "2.3.0", "scipy": "1.15.0"}, "blas": []}
    found = judged(run_of(), run_of("new"), environment=other)
    assert "processor: Example CPU → Other CPU" in found.differences
    assert "numpy: 2.2.0 → 2.3.0" in found.differences
    assert any(line.startswith("BLAS: openblas 0.3.30 Zen") for line in found.differences)
    assert not any("scipy" in line for line in found.differences)
    assert differences(ENVIRONMENT, ENVIRONMENT) == []
    assert differences({}, ENVIRONMENT) == ["unknown for BASE: no environment.json beside the results"]
    for garbage in (3, "x", [1], {"a": [1]}):
        damaged = dict.fromkeys(ENVIRONMENT, garbage)
        assert judged(run_of(), run_of("new"), environment=damaged).exit_code == 0


def test_an_option_that_only_one_side_knows_does_not_hide_a_cell(judged):
    old = [row("sdp", options='{"solver":"ipm"}', lower_bound=11.0, objective=12.0)]
    new = [row("sdp", options='{"cuts":0,"solver":"ipm"}', lower_bound=10.0, objective=12.0, code="new")]
    found = judged(old, new)
    assert found.exit_code == 1
    assert any("option cuts" in check.note for check in found.checks)
    two = [*new, row("sdp", options='{"cuts":5,"solver":"ipm"}', lower_bound=11.0, objective=12.0, code="cuts")]
    assert judged(old, two).exit_code == 4  # which of them is meant cannot be known
    other = [row("sdp", options='{"solver":"scs"}', lower_bound=11.0, objective=12.0, code="new")]
    assert judged(old, other).exit_code == 4


def test_files_stand_for_folders(tmp_path):
    base, cand = write(tmp_path / "a", run_of()), write(tmp_path / "b", changed(run_of("n"), "sdp", objective=13.0))
    codes = {compare(base / x, cand / y).exit_code for x in ("", "results.csv") for y in ("results.parquet", "")}
    assert codes == {1}


@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_a_base_from_before_a_column_was_there_is_compared_in_the_others(tmp_path, ending):
    base, cand = write(tmp_path / "a", run_of()), write(tmp_path / "b", changed(run_of("n"), "sdp", objective=13.0))
    path = base / f"results.{ending}"
    read = {"parquet": pd.read_parquet, "csv": pd.read_csv}[ending]
    getattr(read(path).drop(columns=["upper_bound", "threads", "machine", "iterations", "test_rmse"]), f"to_{ending}")(
        path, index=False
    )
    found = compare(path, cand)
    assert found.exit_code == 1
    assert compare(path, base).exit_code == 0
    assert [check.verdict for check in found.checks if check.column == "iterations"] == ["better", "better"]


def test_a_cell_that_is_there_twice_is_refused(tmp_path):
    base = write(tmp_path / "a", [*run_of(), *run_of("again")])
    with pytest.raises(UsageError, match="each cell once"):
        compare(base, base)


@pytest.mark.parametrize("column", CHECKED, ids=lambda column: column.name)
def test_every_compared_column_exists_and_its_tolerance_bites(judged, column):
    assert column.name in {known.name for known in COLUMNS if known.kind in ("int", "float")}
    if column.name == "gap":  # computed, see above
        return
    value = 100 if column.name == "iterations" else 0.5
    step = column.tolerance * (value if column.measure != "absolute" else 1) * (-1 if column.better == "higher" else 1)
    for factor, code in ((0.5, 0), (2, 1), (-2, 0)):
        after = value + factor * step
        cand = [row("m", **{column.name: round(after) if column.name == "iterations" else after}, code="new")]
        assert judged([row("m", **{column.name: value})], cand).exit_code == code, (column, factor)


def test_worsening_from_zero_and_of_small_counts():
    by_name = {column.name: column for column in CHECKED}
    assert worsening(by_name["lower_bound"], 0.0, 0.0) == 0
    assert worsening(by_name["lower_bound"], 0.0, -1e-9) == math.inf
    assert worsening(by_name["objective"], 0.0, -1.0) == -math.inf
    assert worsening(by_name["iterations"], 3, 5) == 0
    assert worsening(by_name["iterations"], 3, 6) == 1.0
    assert worsening(by_name["gap"], 0.1, 0.3) == pytest.approx(0.2)
    assert not worsening(by_name["gap"], np.nan, 0.3) <= 1


@pytest.mark.parametrize("given", [{"objectve": 1}, {"objective": -1}, {"gap": "x"}, {"gap": math.nan}, {"gap": True}])
def test_tolerances_that_are_none(given):
    with pytest.raises(UsageError):
        check_tolerances(given)
