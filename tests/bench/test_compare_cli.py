"""compare as a user calls it: every exit code, every format, and files that are no results."""

import csv
import html
import json
import math
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pandas as pd
import pytest
from junitparser import JUnitXml
from relaxbench.bench.cli import main
from relaxbench.bench.compare.comparison import compare
from relaxbench.bench.compare.show import FORMATS
from relaxbench.bench.results.folder import load_results
from relaxbench.bench.results.tables import as_csv, results_table
from relaxbench.bench.verify.bounds import Check as Proof

from ..support.results import ENVIRONMENT, changed, row, run_of, write

RELAXBENCH = str(Path(sys.executable).with_name("relaxbench"))
PLANTED = Path(__file__).parents[1] / "support" / "regressions.py"


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


def shown_in(form, text):
    """Pairs of a value's name and the value, for the checks that a format shows, by column."""
    found = {}
    if form == "json":
        for check in json.loads(text)["checks"]:
            found[check["column"]] = {name: value for name, value in check.items() if isinstance(value, float)}
    elif form == "junit":
        for case in ET.fromstring(text).iter("testcase"):
            for bad in case:
                column = case.get("name").rpartition(": ")[2]
                values = re.findall(r"(\w+) ([-+.\de]+)(?=,|;|$)", bad.get("message").partition(f"{column}: ")[2])
                found[column] = {name: float(value) for name, value in values}
    else:
        header = []
        for line in text.splitlines():
            cells = [cell.strip() for cell in (line.strip("|").split("|") if form == "markdown" else columns(line))]
            if cells[0] == "verdict":
                header = cells
            elif header and cells[0] == "regression":
                found[cells[2]] = dict(zip(header[3:5], map(float, cells[3:5]), strict=True))
    return found


def columns(line):
    return re.split(r"\s{2,}", line)


@pytest.mark.parametrize("form", ["table", "markdown", "json", "junit"])
def test_each_value_stands_under_its_own_name(tmp_path, capsys, form):
    """A bound of CAND against a network of CAND: neither number is one of BASE."""
    cand = changed(run_of("new"), "sdp", lower_bound=12.25, objective=12.125)
    cand = changed(cand, "lbfgs", objective=12.1875)
    folders = [str(write(tmp_path / "a", run_of())), str(write(tmp_path / "b", cand))]
    assert main(["compare", *folders, "--format", form]) == 1
    found = shown_in(form, capsys.readouterr().out)
    sound = found["lower_bound ≤ objective"]
    assert (sound["bound"], sound["objective"]) == (12.25, 12.0)
    assert not {"base", "cand"} & sound.keys()
    assert (found["objective"]["base"], found["objective"]["cand"]) == (12.0, 12.1875)


@pytest.mark.parametrize("form", ["table", "markdown", "json", "junit"])
def test_what_was_recorded_and_what_is_proved_are_named_so(tmp_path, form):
    comparison = compare(write(tmp_path / "a", run_of()), write(tmp_path / "b", run_of("new")))
    proof = Proof("c", "iris sdp", "lower_bound", 11.0, 10.5, False, "the certificate proves less")
    text = FORMATS[form](comparison.with_proofs("CAND", [proof]))
    found = shown_in(form, text)["lower_bound"] if form != "json" else json.loads(text)["checks"][0]
    assert (found["recorded"], found["proved"]) == (11.0, 10.5)
    assert not {"base", "cand"} & found.keys()
    assert "of CAND: the certificate proves less" in text


def test_a_part_of_a_run_is_judged_by_what_it_has(tmp_path, capsys):
    some, worse = run_of("new")[1:], changed(run_of("new")[1:], "lbfgs", objective=13.0)
    base, part, bad = (str(write(tmp_path / name, rows)) for name, rows in (("a", run_of()), ("b", some), ("c", worse)))
    assert main(["compare", base, part]) == 4
    assert main(["compare", base, part, "--part"]) == 0
    assert "1 cells of BASE are not in CAND" in capsys.readouterr().out
    assert main(["compare", base, bad, "--part"]) == 1
    assert main(["compare", part, base, "--part"]) == 4, "what the base lacks is still said"


HOSTILE = "\x00\x1b[31m\x0b red <img src=x onerror=y> & `code` [a](http://b.example) ![i](c) | @team \ufffe\x85end"


@pytest.fixture
def hostile(tmp_path):
    base, cand = run_of(), changed(run_of("new"), "sdp", status="failed", objective=None, message=HOSTILE)
    base, cand = ([one | {"dataset": f"file:{HOSTILE}"} for one in side] for side in (base, cand))
    environment = ENVIRONMENT | {"processor": HOSTILE}
    return [str(write(tmp_path / "a", base)), str(write(tmp_path / "b", cand, environment=environment))]


def test_junit_is_xml_whatever_a_message_says(hostile, capsys):
    assert main(["compare", *hostile, "--format", "junit"]) == 3
    text = capsys.readouterr().out
    (error,) = [error for error in ET.fromstring(text).iter("error") if "red" in error.get("message")]
    assert "<img src=x onerror=y> & `code`" in error.get("message")
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]", text)


def test_markdown_shows_hostile_text_as_text(hostile, capsys):
    assert main(["compare", *hostile, "--format", "markdown"]) == 3
    text = capsys.readouterr().out
    assert "processor" in text
    assert "<" not in text
    assert not re.search(r"&(?!(amp|lt|gt);)", text)
    assert not re.search(r"(?<!\\)[`\[\]]", text)
    assert not re.search(r"http://|@team", text)  # which GitHub links
    (line,) = [line for line in text.splitlines() if line.startswith("| failed")]
    assert len(re.findall(r"(?<!\\)\|", line)) == 8
    note = html.unescape(re.sub(r"\\(.)", r"\1", re.split(r"(?<!\\)\|", line)[-2])).replace("\u200b", "")
    assert "red <img src=x onerror=y> & `code` [a](http://b.example) ![i](c) | @team" in note  # nothing is lost


def test_the_table_sends_no_control_characters_to_a_terminal(hostile, capsys):
    assert main(["compare", *hostile]) == 3
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", capsys.readouterr().out)


NUMBERS = (1e308, -1e308, math.inf, -1.0, 5e-324, None)
SOUND = {  # of a side whose other numbers are well: objective 12.5, bound 11, a network of another cell at 12
    "objective": lambda value: value is None or value >= 11,
    "upper_bound": lambda value: value is None or value >= 11,
    "lower_bound": lambda value: value is None or value <= 12,
}


@pytest.mark.thorough
@pytest.mark.parametrize("column", [*SOUND, "runtime_s", "gamma"])
def test_numbers_at_the_edge_get_a_verdict(tmp_path, column, capsys):
    well = write(tmp_path / "well", run_of("well"), tables=["parquet"])
    for place, value in enumerate(NUMBERS):
        rows = [changed(run_of(code), "sdp", **{column: value}) for code in ("old", "new")]
        folders = [write(tmp_path / f"{place}{k}", side, tables=["parquet"]) for k, side in enumerate(rows)]
        code = main(["compare", *map(str, folders)])
        assert code == (0 if SOUND[column](value) else 1) if column in SOUND else code in (0, 4)
        assert main(["compare", str(folders[0]), str(well)]) in (0, 1, 4)
    capsys.readouterr()


@pytest.mark.parametrize("value", [-1, 0, 2**62])
@pytest.mark.parametrize("column", ["n", "width", "iterations"])
def test_counts_at_the_edge_get_a_verdict(tmp_path, column, value, capsys):
    rows, again = ([one | {column: value} for one in run_of(code)] for code in ("old", "new"))
    folders = [str(write(tmp_path / "a", rows)), str(write(tmp_path / "b", again))]
    assert main(["compare", *folders]) == 0
    assert main(["compare", folders[0], str(write(tmp_path / "c", run_of("new")))]) in (0, 1, 4)
    capsys.readouterr()


def test_costs_that_are_none_have_no_ratio(tmp_path, capsys):
    cand = changed(run_of("new"), "sdp", runtime_s=-1.0)
    assert main(["compare", str(write(tmp_path / "a", run_of())), str(write(tmp_path / "b", cand))]) == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "no ratio" in line]
    assert "runtime_s" in line


def test_no_text_in_a_csv_is_a_formula(tmp_path):
    messages = ["=1+1", "+1", "-1", "@x", "'=1", "a=1", "''", "\tx", None]
    table = results_table([row("m", seed=k, message=message) for k, message in enumerate(messages)])
    path = tmp_path / "results.csv"
    as_csv(table).to_csv(path, index=False)
    cells = [line["message"] for line in csv.DictReader(path.read_text(encoding="utf-8").splitlines())]
    assert not [cell for cell in cells if cell[:1] in ("=", "+", "-", "@", "\t")]
    assert load_results(path)["message"].fillna("").tolist() == [message or "" for message in messages]


@pytest.mark.thorough
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


@pytest.mark.thorough
@pytest.mark.timeout(240)
@pytest.mark.filterwarnings("default:1 cell claims a bound:RuntimeWarning")
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
        "invalid worse steps": (1, {"lower_bound", "objective", "iterations"}),
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
