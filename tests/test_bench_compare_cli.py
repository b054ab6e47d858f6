"""compare as a user calls it: every exit code, every format, and files that are no results."""

import json
import math
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pandas as pd
import pytest
from junitparser import JUnitXml
from relaxbench.bench.cli import main

from .bench_results import changed, row, run_of, write

RELAXBENCH = str(Path(sys.executable).with_name("relaxbench"))
PLANTED = Path(__file__).with_name("bench_regressions.py")


@pytest.fixture
def folders(tmp_path):
    cands = {
        0: run_of("new"),
        1: changed(run_of("new"), "sdp", lower_bound=lambda v: v * 0.99),
        3: changed(run_of("new"), "sdp", status="failed", objective=None, lower_bound=None, message="a | b\n<c> @d"),
        4: run_of("new")[1:],
    }
    base = write(tmp_path / "base", run_of())
    return base, {code: write(tmp_path / f"cand{code}", rows) for code, rows in cands.items()}


@pytest.mark.parametrize("code", [0, 1, 3, 4])
@pytest.mark.parametrize("form", ["table", "markdown", "json", "junit"])
def test_exit_codes_and_formats(folders, capsys, tmp_path, code, form):
    base, cands = folders
    assert main(["compare", str(base), str(cands[code]), "--format", form]) == code
    text, errors = capsys.readouterr()
    assert errors == ""
    words = {0: "no regression", 1: "REGRESSION", 3: "FAILED", 4: "NOTHING COMPARABLE"}
    if form in ("table", "markdown"):
        assert text.startswith(words[code])
    if form == "json":
        found = json.loads(text)
        assert found["exit_code"] == code
        assert len(found["checks"]) > 10
    if form == "junit":
        suites = {suite.name: suite for suite in JUnitXml.fromstring(text.encode())}
        failures = sum(suite.failures for suite in suites.values())
        assert (failures > 0, sum(suite.errors for suite in suites.values()) > 0) == (code == 1, code in (3, 4))
        assert ET.fromstring(text).tag == "testsuites"
    out = tmp_path / "out.txt"
    assert main(["compare", str(base), str(cands[code]), "--format", form, "--out", str(out)]) == code
    assert out.read_text(encoding="utf-8").strip() == text.strip()
    assert capsys.readouterr().out.startswith(words[code])


def test_markdown_stays_a_table_whatever_a_message_says(folders, capsys):
    base, cands = folders
    main(["compare", str(base), str(cands[3]), "--format", "markdown"])
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("| failed")]
    assert line.replace("\\|", "").count("|") == 8
    assert "<" not in line
    assert "@d" not in line


def test_as_a_command(folders):
    base, cands = folders
    command = [RELAXBENCH, "compare", str(base), str(cands[1])]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "lower_bound" in done.stdout
    assert done.stderr == ""


def truncated(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flipped(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2 :] = bytes(255 - byte for byte in content[len(content) // 2 :])
    path.write_bytes(content)


def other_columns(path):
    pd.DataFrame({"time": [1.0], "score": [2.0]}).to_parquet(path)


def text_in_numbers(path):
    table = pd.read_parquet(path).astype({"objective": object})
    table["objective"] = "many"
    table.to_parquet(path)


def unknown_status(path):
    pd.read_parquet(path).assign(status="splendid").to_parquet(path)


SPOILS = (truncated, flipped, other_columns, text_in_numbers, unknown_status, lambda path: path.write_bytes(b""))


@pytest.fixture
def refused(capsys):
    """Calls the command line, which must refuse with one line."""

    def call(*arguments):
        assert main([str(argument) for argument in arguments]) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert err.startswith("relaxbench: ")
        assert err.count("\n") == 1
        assert len(err) < 600
        return err

    return call


@pytest.mark.parametrize("spoil", SPOILS, ids=lambda spoil: spoil.__name__)
@pytest.mark.parametrize("as_file", [False, True])
def test_damaged_tables_are_refused_on_either_side(refused, folders, spoil, as_file):
    base, cands = folders
    spoil(base / "results.parquet")
    spoiled = base / "results.parquet" if as_file else base
    refused("compare", spoiled, cands[0])
    refused("compare", cands[0], spoiled)


@pytest.mark.parametrize(
    "content",
    [b"date,price\n2024-01-01,3\n", b"", b"\x00\xff\xfe", b"a\n", b'"', b"{}", b"\n" * 5, b"dataset,n\niris,many\n"],
)
def test_foreign_csv_is_refused(refused, tmp_path, folders, content):
    (tmp_path / "other.csv").write_bytes(content)
    refused("compare", tmp_path / "other.csv", folders[1][0])


def test_other_wrong_usage(refused, tmp_path, folders):
    base, cands = folders
    assert "nowhere" in refused("compare", "nowhere", base)
    assert "folder" in refused("compare", tmp_path / "base" / "..", base)
    assert "CAND" in refused("compare", base)
    assert "'xml'" in refused("compare", base, cands[0], "--format", "xml")
    assert "--out" in refused("compare", base, cands[0], "--out", tmp_path)
    (cands[0] / "spec.toml").write_text("[tolerance]\nobjectve = 1\n")
    assert "Did you mean 'objective'?" in refused("compare", base, cands[0])
    (cands[0] / "spec.toml").write_text("tolerance = [1")
    assert "TOML" in refused("compare", base, cands[0])
    (cands[0] / "spec.toml").write_text("tolerance = 1")
    assert "table" in refused("compare", base, cands[0])


@pytest.mark.timeout(240)
def test_planted_methods_from_run_to_verdict(tmp_path, monkeypatch, capsys):
    """The whole way: a user's method runs with a fault switched on by an environment variable, and compare sees it."""
    config = tmp_path / "c.toml"
    methods = "".join(f'[[method]]\nuse = "{PLANTED}:{name}"\n' for name in ("bounding", "rounding"))
    config.write_text(f'[[dataset]]\nname = "random"\nn = 8\nn_test = 8\n{methods}', encoding="utf-8")

    def run(fault):
        monkeypatch.setenv("PLANTED_FAULT", fault)
        code = main(["run", str(config), "--out", str(tmp_path / (fault or "none")), "--jobs", "1"])
        capsys.readouterr()
        return code

    assert run("") == 0
    faults = {
        "invalid worse steps": (1, {"lower_bound ≤ objective", "objective", "iterations"}),
        "crash": (3, {"status"}),
    }
    for fault, (code, columns) in faults.items():
        assert run(fault) == (3 if fault == "crash" else 0)
        out = tmp_path / f"{fault}.json"
        files = [str(tmp_path / "none"), str(tmp_path / fault), "--format", "json", "--out", str(out)]
        assert main(["compare", *files]) == code
        bad = [check for check in json.loads(out.read_text())["checks"] if check["verdict"] in ("regression", "failed")]
        assert columns <= {check["column"] for check in bad}, fault
        capsys.readouterr()


def test_a_bound_by_the_last_bit_through_a_file(tmp_path):
    above = [row("a", lower_bound=math.nextafter(0.1, 1), objective=None), row("b", objective=0.1)]
    base = write(tmp_path / "a", above)
    assert main(["compare", str(base), str(base)]) == 1
