"""compare beyond its checks: columns and tolerances, costs, what differs between machines, which files are taken."""

import math

import numpy as np
import pandas as pd
import pytest
from relaxbench.bench.compare.comparison import compare
from relaxbench.bench.grid.spec import check_spec
from relaxbench.bench.grid.tolerances import CHECKED, check_tolerances, tolerances_of, worsening
from relaxbench.bench.results.columns import COLUMNS
from relaxbench.bench.results.differences import differences
from relaxbench.bench.text import UsageError

from ..support.results import ENVIRONMENT, changed, row, run_of, write


@pytest.fixture
def judged(tmp_path):
    """Compares two lists of rows; returns the comparison."""
    count = iter(range(100))

    def call(base, cand, **cand_options):
        k = next(count)
        return compare(write(tmp_path / f"base{k}", base), write(tmp_path / f"cand{k}", cand, **cand_options))

    return call


def test_tolerances_survive_the_way_through_a_run(tmp_path):
    tables = {"dataset": [{"name": "iris"}], "method": [{"name": "lbfgs"}]}
    spec = check_spec({**tables, "tolerance": {"iterations": math.inf, "gap": 0.5}})
    found = tolerances_of(spec.toml(), "here")
    assert (found["iterations"], found["gap"], found["objective"]) == (math.inf, 0.5, 5e-3)
    assert tolerances_of(check_spec(tables).toml(), "here") == check_tolerances({})
    with pytest.raises(UsageError, match="Did you mean 'gap'"):
        check_spec({**tables, "tolerance": {"gapp": 0.5}})


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


@pytest.mark.thorough
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
    for name in ("objective", "lower_bound", "gap"):
        assert worsening(by_name[name], math.inf, math.inf) == worsening(by_name[name], -math.inf, -math.inf) == 0
    assert (
        worsening(by_name["objective"], math.inf, 1.0) == worsening(by_name["lower_bound"], 1.0, math.inf) == -math.inf
    )
    assert worsening(by_name["objective"], 1.0, math.inf) == worsening(by_name["objective"], -1e308, 1e308) == math.inf
    assert worsening(by_name["iterations"], 3, 6) == 1.0
    assert worsening(by_name["gap"], 0.1, 0.3) == pytest.approx(0.2)
    assert not worsening(by_name["gap"], np.nan, 0.3) <= 1


@pytest.mark.parametrize("given", [{"objectve": 1}, {"objective": -1}, {"gap": "x"}, {"gap": math.nan}, {"gap": True}])
def test_tolerances_that_are_none(given):
    with pytest.raises(UsageError):
        check_tolerances(given)
