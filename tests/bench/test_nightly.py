"""nightly: from run to exit code, what counts as the night before, and what is refused before anything is run."""

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from relaxbench.bench import nightly as nightly_module
from relaxbench.bench.cli import main
from relaxbench.bench.engine.run import Summary
from relaxbench.bench.grid.config import shipped_configs
from relaxbench.bench.grid.resolve import resolve
from relaxbench.bench.nightly import last_night
from relaxbench.bench.results.history import load_history

from ..support.results import ENVIRONMENT, changed, run_of, write

PLANTED = Path(__file__).parents[1] / "support" / "regressions.py"


@pytest.fixture
def played(tmp_path, monkeypatch, capsys):
    """`relaxbench nightly` with a played run of the given rows, one a day; returns exit code, stdout and stderr."""
    config = tmp_path / "c.toml"
    config.write_text(f'[[dataset]]\nname = "random"\n[[method]]\nuse = "{PLANTED}:timed"\n', encoding="utf-8")
    days, asked = iter(range(1, 29)), []

    def call(rows, *options, interrupted=False, proofs=(), fails_report=False):
        day = next(days)

        def run(spec, folder, data_dir):
            asked.append(spec.jobs)
            folder = folder.with_name(f"night-202501{day:02}T020000Z")
            write(folder, rows, ENVIRONMENT | {"written": f"2025-01-{day:02}T02:00:00+00:00"})
            return Summary(folder, 3, 0, 1.0, interrupted, {"ok": 3}, 0)

        def report(folder):
            if fails_report:
                raise ValueError("no ink")
            return folder / "report" / "index.html"

        monkeypatch.setattr(nightly_module, "run", run)
        monkeypatch.setattr(nightly_module, "verify", lambda folder, data_dir: iter(proofs))
        monkeypatch.setattr("relaxbench.reports.report", report)
        arguments = ["--out", str(tmp_path / "nights"), "--history", str(tmp_path / "h.parquet")]
        code = main(["nightly", *arguments, "--config", str(config), *options])
        return code, *capsys.readouterr()

    call.asked = asked
    return call


@pytest.mark.thorough
def test_a_week(played, tmp_path):
    code, out, _ = played(run_of("1"))
    assert code == 4
    assert "there is no earlier night; this night is the baseline of the next" in out
    assert played(run_of("2"))[0] == 0
    worse = changed(run_of("3"), "sdp", lower_bound=lambda bound: bound * 0.99)
    code, out, _ = played(worse)
    assert code == 1
    assert "| regression | iris sdp γ=0.1 width=10 seed=0 | lower_bound" in out
    assert played(changed(worse, "lbfgs", status="failed"))[0] == 3
    assert played(worse[:2])[0] == 4  # what failed before is no news, but a cell is missing
    assert len(load_history(tmp_path / "h.parquet")) == 14
    summary = sorted((tmp_path / "nights").glob("*/summary.md"))[2]
    assert summary.read_text().startswith("## Night 20250103T020000Z: REGRESSION")
    assert len(load_history(summary.parent / "history.parquet")) == 9


def test_the_number_of_cells_at_a_time_reaches_the_run(played):
    played(run_of("1"), "--jobs", "3")
    played(run_of("2"))
    assert played.asked == [3, None]


def test_a_bound_that_does_not_hold_fails_the_night(played):
    from relaxbench.bench.verify.bounds import Check

    broken = [Check("c", "iris sdp", "lower_bound", 11.0, 10.0, False, "the certificate proves less")]
    code, out, _ = played(run_of("1"), proofs=broken)
    assert code == 1
    assert "the certificate proves less" in out
    code, out, _ = played(run_of("2"), proofs=broken)
    assert code == 1
    assert "the certificate proves less" in out
    assert played(run_of("3"))[0] == 0


def test_an_interrupted_night_is_nobodys_baseline(played, tmp_path):
    played(run_of("1"))
    assert played(run_of("2")[:1], interrupted=True)[0] == 130
    assert last_night(tmp_path / "nights").name == "night-20250101T020000Z"
    assert len(load_history(tmp_path / "h.parquet")) == 3
    assert played(run_of("3"))[0] == 0


def test_a_report_that_fails_does_not_change_the_verdict(played):
    code, out, _ = played(run_of("1"), fails_report=True)
    assert code == 4
    assert "none: ValueError: no ink" in out


@pytest.mark.thorough
def test_a_step_that_no_night_shows_is_in_the_summary(played):
    for _ in range(5):
        played([one | {"runtime_s": 1.0} for one in run_of()])
    for _ in range(4):
        code, out, _ = played([one | {"runtime_s": 1.2} for one in run_of()])
    assert code == 0
    assert "- 2025-01-06 iris sdp γ=0.1 width=10 seed=0, runtime_s: 1 → 1.2 (nothing known changed)" in out


@pytest.mark.parametrize("damage", ["history", "out"])
def test_damage_is_refused_before_anything_is_run(played, tmp_path, damage):
    nights = tmp_path / "nights"
    if damage == "out":
        nights.write_text("a file")
    else:
        played(run_of("1"))
        (tmp_path / "h.parquet").write_bytes(b"PAR1 no more")
    code, out, err = played(run_of("2"))
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert damage == "out" or len(list(nights.glob("night-*"))) == 1


@pytest.mark.thorough
@pytest.mark.parametrize("spoil", ["damaged", "another harness"])
def test_a_night_before_that_cannot_be_read_is_no_pass_and_no_trap(played, tmp_path, spoil):
    played(run_of("1"))
    (table,) = (tmp_path / "nights").glob("*/results.parquet")
    if spoil == "damaged":
        table.write_bytes(b"PAR1 no more")
    else:
        pd.read_parquet(table).drop(columns="options").to_parquet(table)
    code, out, _ = played(run_of("2"))
    assert code == 4
    assert "- compared with nothing: " in out
    assert played(run_of("3"))[0] == 0


def test_wrong_usage(tmp_path, capsys):
    for arguments, words in (
        (["--out", tmp_path / "n"], "--history"),
        (["--out", tmp_path / "n", "--history", tmp_path / "h", "--config", "nightyl"], "Did you mean 'nightly'?"),
    ):
        assert main(["nightly", *map(str, arguments)]) == 2
        assert words in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_the_nightly_config_is_valid():
    assert "nightly" in shipped_configs()
    spec = resolve("nightly", {}, {})
    assert spec.tolerance
    assert {table.name for table in spec.method} >= {"sdp", "cpp", "nngp", "ntk", "sgd", "lbfgs"}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_three_nights_for_real(tmp_path, monkeypatch):
    config = tmp_path / "c.toml"
    lines = '[[dataset]]\nname = "spiral"\n[[method]]\nname = "{}"\n[[method]]\nuse = "{}:rounding"\n'
    config.write_text(lines.format("lbfgs", PLANTED), encoding="utf-8")
    files = ["--out", str(tmp_path / "nights"), "--history", str(tmp_path / "h.parquet"), "--config", str(config)]
    codes = []
    for fault in ("", "", "worse", "crash"):
        monkeypatch.setenv("PLANTED_FAULT", fault)
        command = [sys.executable, "-m", "relaxbench.bench.cli", "nightly", *files]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        codes.append(done.returncode)
    assert codes == [4, 0, 1, 3], done.stderr
    newest = max((tmp_path / "nights").glob("night-*"))
    assert (newest / "report" / "index.html").is_file()
    assert json.loads((newest / "environment.json").read_text())["calibration"]
