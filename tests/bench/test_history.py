"""The history: what goes in comes out, machines stay apart, damaged files are refused, and steps are found."""

import numpy as np
import pandas as pd
import pytest
from relaxbench.bench.results.history import METRICS, append_history, load_history, steps, trends, what_changed
from relaxbench.bench.text import UsageError

from ..support.results import ENVIRONMENT, changed, run_of, write


def night(folder, number, rows=None, machine="aaaa", **environment):
    """The folder of a run on the given day of January 2025."""
    known = ENVIRONMENT | {"written": f"2025-01-{number:02}T02:00:00+00:00", "commit": f"c{number}"} | environment
    rows = [row | {"machine": machine} for row in (rows or run_of(f"{number}"))]
    return write(folder / f"{machine}{number}", rows, known)


def test_nights_are_added_and_read_again(tmp_path):
    path = tmp_path / "deep" / "history.parquet"
    for number in (2, 1, 3):
        rows = changed(run_of(f"{number}"), "sdp", lower_bound=11.0 + number)
        history = append_history(path, night(tmp_path, number, rows))
    pd.testing.assert_frame_equal(history, load_history(path))
    assert len(history) == 9
    assert history["night"].is_monotonic_increasing
    (trend,) = trends(history, "lower_bound")
    assert trend.values.tolist() == [12.0, 13.0, 14.0]
    assert [stamp.day for stamp in trend.values.index] == [1, 2, 3]
    assert trend.label == "iris sdp γ=0.1 width=10 seed=0"
    assert history["reference_s"].iloc[0] == pytest.approx(0.02)
    assert {trend.metric for metric in METRICS for trend in trends(history, metric)} >= {"gap", "runtime_s"}
    assert not list(path.parent.glob("*.tmp"))


def test_the_same_night_again_replaces_itself(tmp_path):
    path = tmp_path / "h.parquet"
    append_history(path, night(tmp_path, 1))
    again = append_history(path, night(tmp_path, 1, changed(run_of(), "sdp", lower_bound=5.0)))
    assert len(again) == 3
    assert next(iter(trends(again, "lower_bound"))).values.tolist() == [5.0]


def test_machines_never_mix(tmp_path):
    path = tmp_path / "h.parquet"
    for number, machine, seconds in ((1, "aaaa", 1.0), (2, "bbbb", 3.0), (3, "aaaa", 1.1)):
        rows = [row | {"runtime_s": seconds} for row in run_of(f"{number}")]
        history = append_history(path, night(tmp_path, number, rows, machine, cores=4 if machine == "aaaa" else 8))
    found = {(trend.label, trend.machine): trend.values.tolist() for trend in trends(history, "runtime_s")}
    assert len(found) == 6
    assert found["iris sdp γ=0.1 width=10 seed=0", "aaaa"] == [1.0, 1.1]
    assert found["iris sdp γ=0.1 width=10 seed=0", "bbbb"] == [3.0]
    last = history["night"].max()
    assert what_changed(history, last, "aaaa") == ["commit: c1 → c3"]  # against its own last night, not the other's
    assert what_changed(history, last, "bbbb") == []


def test_what_changed_names_versions_and_hardware(tmp_path):
    path = tmp_path / "h.parquet"
    append_history(path, night(tmp_path, 1))
    history = append_history(path, night(tmp_path, 2, packages={"numpy": "2.3.0"}, commit=None))
    changed_lines = what_changed(history, history["night"].max(), "aaaa")
    assert "numpy: 2.2.0 → 2.3.0" in changed_lines
    assert "scipy: 1.15.0 → -" in changed_lines
    assert "commit: c1 → <NA>" in changed_lines or "commit: c1 → None" in changed_lines


def test_cells_that_failed_are_missing_values(tmp_path):
    path = tmp_path / "h.parquet"
    append_history(path, night(tmp_path, 1))
    broken = changed(run_of(), "sdp", status="failed", lower_bound=None, objective=None)
    history = append_history(path, night(tmp_path, 2, broken))
    (trend,) = trends(history, "lower_bound")
    assert trend.values.isna().tolist() == [False, True]


@pytest.mark.parametrize("content", [b"", b"PAR1", b"night\n1\n", None])
def test_a_damaged_history_is_refused_and_left_alone(tmp_path, content):
    path = tmp_path / "h.parquet"
    if content is None:
        pd.DataFrame({"night": ["x"]}).to_parquet(path)
    else:
        path.write_bytes(content)
    before = path.read_bytes()
    for call in (lambda: load_history(path), lambda: append_history(path, night(tmp_path, 1))):
        with pytest.raises(UsageError, match="must be a history"):
            call()
    assert path.read_bytes() == before


def test_a_column_that_is_newer_than_the_history_is_missing_in_it(tmp_path):
    path = tmp_path / "h.parquet"
    append_history(path, night(tmp_path, 1))
    pd.read_parquet(path).drop(columns=["iterations", "threads"]).to_parquet(path)
    history = append_history(path, night(tmp_path, 2))
    assert history["threads"].isna().sum() == 3
    found = {trend.label.split()[1]: trend.values.tolist() for trend in trends(history, "iterations")}
    assert found["sdp"][1] == 30
    assert np.isnan(found["sdp"][0])


def test_a_run_that_does_not_say_when_is_refused(tmp_path):
    for garbage in (None, "soon", 3, ["2025"]):
        with pytest.raises(UsageError, match="when it was written"):
            append_history(tmp_path / "h.parquet", night(tmp_path, 1, written=garbage))
    assert not (tmp_path / "h.parquet").exists()


def series(numbers):
    return pd.Series(numbers, index=pd.date_range("2025-01-01", periods=len(numbers), tz="UTC"))


@pytest.mark.parametrize(("at", "factor"), [(10, 1.1), (30, 0.9), (50, 1.1), (6, 1.2), (54, 1.2)])
def test_a_planted_step_is_found_where_it_is(at, factor):
    rng = np.random.default_rng(at)
    numbers = 2.0 * np.exp(0.02 * rng.standard_normal(60))
    numbers[at:] *= factor
    (step,) = steps(series(numbers))
    assert abs((step.night - pd.Timestamp("2025-01-01", tz="UTC")).days - at) <= 1
    assert step.after / step.before == pytest.approx(factor, rel=0.02)


def test_noise_and_outliers_are_no_steps():
    rng = np.random.default_rng(0)
    found = 0
    for k in range(200):
        numbers = np.exp(0.03 * (rng.standard_t(3, 60) if k % 2 else rng.standard_normal(60)))
        numbers[rng.random(60) < 0.03] *= 2
        found += bool(steps(series(numbers)))
    assert found <= 10


def test_exact_numbers_change_exactly():
    exact = np.full(12, 1.254084)
    assert steps(series(exact)) == []
    assert steps(series(exact * (1 + 1e-9 * np.arange(12)))) == []
    exact[7:] *= 1 - 1e-4
    (step,) = steps(series(exact))
    assert step.night.day == 8
    assert (step.before, step.after) == (1.254084, pytest.approx(1.254084 * (1 - 1e-4)))


def test_series_of_zeros_of_negatives_with_gaps_and_short_ones():
    assert steps(series([0.0] * 10)) == []
    (step,) = steps(series([0.0] * 6 + [0.3] * 6))
    assert (step.before, step.after) == (0.0, 0.3)
    (step,) = steps(series([-1.0, np.nan, -1.0, -1.0, -1.0, -2.0, np.nan, -2.0, -2.0, -2.0]))
    assert step.night.day == 6
    assert steps(series([1.0, 1.0, 1.0, 2.0, 2.0])) == []
    assert steps(series([np.nan] * 9)) == []
    assert steps(series([])) == []
