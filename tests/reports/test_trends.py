"""Nights in the report: planted steps are marked where they are, machines stay apart, damage costs nothing."""

import shutil

import numpy as np
import pandas as pd
import pytest
from relaxbench.bench.results.history import load_history
from relaxbench.reports import report
from relaxbench.reports.page.findings import findings
from relaxbench.reports.reading import read
from relaxbench.reports.tables.trends import COLUMNS, nights, steps_table

from ..support.report_folder import make_rows, write_folder, write_history

SMALL = {"spiral": (60, 2, 3, 0.7, 1)}


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """A small run with its nights."""
    made = write_folder(tmp_path_factory.mktemp("nights") / "run", make_rows(SMALL), records=False)
    write_history(made)
    return made


@pytest.fixture
def folder(base, tmp_path):
    """A copy of it to change."""
    return shutil.copytree(base, tmp_path / "run")


@pytest.mark.thorough
def test_planted_steps_are_marked_where_they_are(folder):
    frame = nights(read(folder))
    steps = frame[frame["step"].notna()]
    bound = steps[steps["metric"] == "lower_bound"]
    assert set(bound["method"]) == {"sdp"}
    assert set(bound["night"].str[:10]) == {"2025-01-07"}
    assert bound["step"].to_numpy() == pytest.approx(-0.05)
    runtime = steps[(steps["metric"] == "runtime_s") & (steps["method"] == "sgd")]
    assert set(runtime["night"].str[:10]) == {"2025-01-09"}
    assert runtime["step"].to_numpy() == pytest.approx(0.5, abs=0.06)
    assert steps[~steps["metric"].isin(["lower_bound", "runtime_s"])].empty


@pytest.mark.thorough
def test_medians_are_those_of_the_history(folder):
    frame, history = nights(read(folder)), load_history(folder / "history.parquet")
    line = frame[(frame["metric"] == "runtime_s") & (frame["method"] == "ntk") & (frame["cell"] == "")]
    values = history[history["method"] == "ntk"].pivot(index="night", columns="key", values="runtime_s")
    assert line["change"].to_numpy() == pytest.approx((values / values.iloc[0] - 1).median(axis=1).to_numpy())
    assert len(line) == 12


def test_the_table_names_what_else_changed(folder):
    table = steps_table(read(folder)).data
    bound = table[table["metric"] == "lower_bound"]
    assert set(bound["changed"]) == {"commit: a1 → b2"}
    assert (bound["after"] / bound["before"]).to_numpy() == pytest.approx(0.95)
    assert set(table.loc[table["metric"] == "runtime_s", "changed"]) == {"nothing known"}
    assert table["night"].is_monotonic_decreasing


@pytest.mark.thorough
def test_the_largest_step_of_late_is_the_first_finding(folder):
    first = str(findings(read(folder))[0])
    table = steps_table(read(folder)).data
    most = table.loc[table["change"].abs().idxmax()]
    assert f"Over the last 14 nights {len(table)} lasting steps in the " in first
    assert f"{most['metric']} of {most['cell']} went from {most['before']:.4g} to {most['after']:.4g}" in first
    path = folder / "history.parquet"
    history = pd.read_parquet(path)
    last = history[history["night"] == history["night"].max()]
    later = [last.assign(night=f"2025-02-{day:02}T02:00:00+00:00") for day in range(1, 16)]
    pd.concat([history, *later]).to_parquet(path)
    assert not any("lasting step" in str(finding) for finding in findings(read(folder)))


def test_machines_are_never_mixed(folder):
    path = folder / "history.parquet"
    history = pd.read_parquet(path)
    other = history.assign(machine="m2", runtime_s=history["runtime_s"] * 7)
    pd.concat([history, other]).to_parquet(path)
    frame = nights(read(folder))
    assert frame["machine"].value_counts()["m2"] == frame["machine"].value_counts()["m1"]
    medians = frame[(frame["metric"] == "runtime_s") & (frame["cell"] == "")]
    assert medians["change"].abs().max() < 1  # a change from one machine to the other would be 6


@pytest.mark.parametrize(
    "content", [b"", b"PAR1", "night", "one night", None, pytest.param("environment", marks=pytest.mark.slow)]
)
def test_a_history_that_does_not_read_or_says_little_costs_nothing(folder, content):
    path = folder / "history.parquet"
    history = pd.read_parquet(path)
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content == "night":
        history.assign(night="soon").to_parquet(path)
    elif content == "environment":
        history.assign(environment="[" * 10_000, label="<b>\x00", machine=None).to_parquet(path)
    elif content == "one night":
        history[history["night"] == history["night"].max()].to_parquet(path)
    else:
        path.unlink()
    if isinstance(content, bytes) or content == "night":
        with pytest.warns(RuntimeWarning, match="made without it"):
            results = read(folder)
    else:
        results = read(folder)
    assert list(nights(results).columns) == list(COLUMNS)
    assert nights(results).empty == (content != "environment")
    table = steps_table(results)
    assert (table is None) == (content != "environment")
    if content == "environment":
        assert "\x00" not in "".join(table.data["cell"])
        report(folder, figure="trends", format="svg")


def test_a_metric_that_begins_at_zero_has_no_ratio(folder):
    path = folder / "history.parquet"
    history = pd.read_parquet(path)
    history.assign(runtime_s=0.0, test_accuracy=np.linspace(0, 1, len(history))).to_parquet(path)
    frame = nights(read(folder))
    assert "runtime_s" not in set(frame["metric"])
    assert np.isfinite(frame["change"]).all()
