"""Wrong usage and bad input: exit code 2, one line that names the value and the fix, and nothing written."""

import itertools
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from relaxbench.bench.cli import COMMANDS, main
from relaxbench.bench.grid.registry import METHODS
from relaxbench.bench.text import chains
from relaxbench.datasets import GROUPS, NAMES, OPTIONS
from relaxbench.datasets.checks import hint
from relaxbench.solvers.rounding import ROUNDINGS

from relaxbench.errors import unknown

PLANTED = Path(__file__).parents[1] / "support" / "planted.py"
RELAXBENCH = str(Path(sys.executable).with_name("relaxbench"))
GOOD = ["--dataset", "random", "--method", f"{PLANTED}:good"]


def cli(*arguments):
    return subprocess.run([RELAXBENCH, *map(str, arguments)], capture_output=True, text=True, timeout=60)


@pytest.fixture
def refused(tmp_path, monkeypatch, capsys):
    """Calls the command line in an empty folder, where it must refuse and leave nothing."""
    folder = tmp_path / "empty"
    folder.mkdir()
    monkeypatch.chdir(folder)

    def call(*arguments):
        assert main([str(argument) for argument in arguments]) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert err.startswith("relaxbench: ")
        assert err.count("\n") == 1
        assert len(err) < 600
        assert list(folder.iterdir()) == []
        return err

    return call


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "a command is missing"),
        (["rnu"], "Did you mean 'run'?"),
        (["run", *GOOD], "--out"),
        (["run", *GOOD, "--out", "o", "--gama", "1"], "Did you mean --gamma?"),
        (["run", *GOOD, "--out", "o", "--gam", "1"], "Did you mean --gamma?"),
        (["run", *GOOD, "--out", "o", "--gamma", "x"], "'x'"),
        (["run", *GOOD, "--out", "o", "--gamma", "0"], "greater than 0"),
        (["run", *GOOD, "--out", "o", "--gamma", "-1"], "greater than 0"),
        (["run", *GOOD, "--out", "o", "--gamma", "nan"], "gamma"),
        (["run", *GOOD, "--out", "o", "--width", "0"], "width"),
        (["run", *GOOD, "--out", "o", "--seed", "-1"], "seed"),
        (["run", *GOOD, "--out", "o", "--seed", "some"], "'some'"),
        (["run", *GOOD, "--out", "o", "--jobs", "0"], "jobs"),
        (["run", *GOOD, "--out", "o", "--timeout", "0"], "timeout"),
        (["run", *GOOD, "--out", "o", "--memory", "-2"], "memory"),
        (["run", *GOOD, "--out", "o", "--preprocess", "standardise"], "standardise"),
        (["run", *GOOD, "--out", "o", "--solver", "ipm"], "--solver must be an option of a method"),
        (["run", *GOOD, "--out", "o", "--data", "nowhere"], "nowhere"),
        (["run", "--out", "o"], "dataset is missing"),
        (["run", "--out", "o", "--dataset", "iris"], "method is missing"),
        (["run", "--out", "o", "--dataset", "irs", "--method", "sgd"], "did you mean 'iris'?"),
        (["run", "--out", "o", "--dataset", "iris", "--method", "sgdd"], "Did you mean 'sgd'?"),
        (["run", "--out", "o", "--dataset", "iris", "--method", "sdp", "--solver", "imp"], "Did you mean 'ipm'?"),
        (["run", "--out", "o", "--dataset", "iris", "--method", "own.py:f"], "file that exists"),
        (["run", "smokee", "--out", "o"], "Did you mean 'smoke'?"),
        (["run", "nowhere.toml", "--out", "o"], "nowhere.toml"),
        (["run", "smoke", "--out", "o", "--dataset", "file:nowhere.npz"], "nowhere.npz"),
        (["run", *GOOD, "--out", f"{PLANTED}/o"], "can be written to"),
        (["run", *GOOD, "--out", "/dev/null"], "can be written to"),
        (["run", *GOOD, "--out", str(PLANTED.parent)], "other files"),
        (["verify", "nowhere", "--jobs", "1"], "unknown argument --jobs (see relaxbench verify --help)"),
        (["nightly", "--out", "o", "--history", "h", "--gamma", "1"], "(see relaxbench nightly --help)"),
        (["nightly", "--out", "o", "--history", "h", "--job", "1"], "Did you mean --jobs?"),
        (["nightly", "--out", "o", "--history", "h", "--jobs", "0"], "jobs"),
        (["verify", "nowhere"], "nowhere"),
        (["verify", "."], "folder of a run"),
        (["report", "nowhere"], "nowhere"),
        (["report", "."], "results"),
    ],
    ids=lambda value: " ".join(value)[-40:].replace("/", "_") if isinstance(value, list) else "",
)
def test_wrong_usage(refused, arguments, words):
    assert words in refused(*arguments)


X, LABELS = np.arange(24.0).reshape(12, 2), np.arange(12) % 3


@pytest.mark.parametrize(
    "arrays",
    [
        {"X": np.where(X == 3, np.nan, X), "y": LABELS},
        {"X": np.where(X == 3, np.inf, X), "y": LABELS},
        {"X": X, "Y": np.full((12, 1), np.nan)},
        {"X": X, "y": np.zeros(12, dtype=int)},
        {"X": X[:0], "y": LABELS[:0]},
        {"X": X[:, :0], "y": LABELS},
        {"X": X, "y": LABELS[:5]},
        {"X": X},
        {"X": np.array([[object()]], dtype=object), "y": LABELS},
    ],
    ids=["nan", "inf", "nan target", "one class", "n=0", "d=0", "shapes", "no target", "pickle"],
)
def test_bad_data(refused, tmp_path, arrays):
    np.savez(tmp_path / "my.npz", **arrays)
    line = refused("run", "--out", "o", "--dataset", f"file:{tmp_path / 'my.npz'}", "--method", f"{PLANTED}:good")
    assert "my.npz" in line


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("gama = 0.1", "Did you mean 'gamma'?"),
        ("gamma = [0.1", "TOML"),
        ("[[dataset]]\nname = 'iris'\ntestfraction = 0.5\n[[method]]\nname = 'sgd'", "testfraction"),
        ("[[dataset]]\nname = 'iris'\n[[method]]\nname = 'sgd'\nepoch = 5", "Did you mean 'epochs'?"),
        ("[[dataset]]\nname = 'iris'\n[[method]]\nname = 'sgd'\nepochs = 'many'", "epochs"),
        ("[[dataset]]\nname = 'iris'\nn = 10000\n[[method]]\nname = 'sgd'", "10000"),
    ],
)
def test_a_config_with_a_mistake(refused, tmp_path, text, words):
    (tmp_path / "my.toml").write_text(text)
    assert words in refused("run", tmp_path / "my.toml", "--out", "o")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_to(refused, tmp_path):
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    assert "can be written to" in refused("run", *GOOD, "--out", locked / "o")


def test_errors_of_the_program_itself_are_not_hidden(monkeypatch, tmp_path):
    def defect(*_):
        raise ValueError("a defect")

    monkeypatch.setattr("relaxbench.bench.verify.bounds.verify", defect)
    with pytest.raises(ValueError, match="a defect"):
        main(["verify", str(tmp_path)])


@pytest.fixture
def here(capsys):
    """Calls the command line in this process: its exit code, and what it wrote."""

    def call(*arguments):
        try:
            code = main([*arguments])
        except SystemExit as end:  # of --help
            code = end.code
        return subprocess.CompletedProcess(arguments, code, *capsys.readouterr())

    return call


def test_version_help_and_list(here):
    version = cli("--version")
    assert version.returncode == 0
    assert version.stdout.startswith("relaxbench 0.")
    top = here("--help")
    names = [command.name for command in COMMANDS]
    assert {"list", "run", "report", "verify"} <= set(names)
    for name in names:
        assert re.search(rf"^    {name}\s", top.stdout, re.MULTILINE)
        help_ = here(name, "--help")
        assert help_.returncode == 0
        assert "examples:\n  relaxbench" in help_.stdout
        assert "exit codes: 0 all well" in help_.stdout
    listed = here("list")
    assert listed.returncode == 0
    assert listed.stderr == ""
    for name in (*NAMES, *METHODS, "smoke", "paper"):
        assert f"\n  {name} " in listed.stdout
    small = " ".join(listed.stdout.split())
    for group, sizes in GROUPS.items():
        assert f" {group} {len(sizes)} data sets" in small
        for name, size in sizes.items():
            assert f" {name.removeprefix('small/')} {size}" in small
    assert sum("small" in line for line in listed.stdout.splitlines()) < 10  # no line for each


def test_one_table_as_text_and_as_json(here):
    listed = here("list", "methods")
    assert listed.stdout.startswith("Methods")
    assert "Configs" not in listed.stdout
    assert max(map(len, listed.stdout.splitlines())) < 150
    found = json.loads(here("list", "--json").stdout)
    assert [one["name"] for one in found["methods"]] == list(METHODS)
    assert {one["name"] for one in found["data"]["sets"]} == {name for name in OPTIONS if not name.startswith("small/")}
    assert found["data"]["groups"] == {group: dict(sizes) for group, sizes in GROUPS.items()}
    (rounding,) = [one["options"]["rounding"] for one in found["methods"] if one["name"] == "sdp"]
    assert rounding["choices"] == list(ROUNDINGS)
    wrong = here("list", "metods")
    assert wrong.returncode == 2
    assert wrong.stderr == "relaxbench: table is unknown: 'metods'. Did you mean 'methods'?\n"


def test_names_made_of_parts_are_written_in_short_and_stand_for_the_same_names():
    assert chains(["a", "a+x", "b", "b+x", "c", "a+y", "b+y", "a+x+y", "b+x+y"]) == "(a|b)[+x][+y], c"
    assert chains(["a", "b+x", "c+x", "c+y"]) == "a, (b|c)+x, c+y"  # no base, or no chain of both
    assert _expanded(chains(list(ROUNDINGS))) == set(ROUNDINGS)


def _expanded(text):
    """All names that a text of `chains` stands for."""
    names = set()
    for part in text.split(", "):
        bases, tail = re.fullmatch(r"\(?([^()\[]*)\)?(.*)", part).groups()
        steps = re.findall(r"\[(\+\w+)\]", tail)
        for kept in itertools.product(("", 1), repeat=len(steps)):
            suffix = "".join(step for step, yes in zip(steps, kept, strict=True) if yes)
            names |= {base + suffix for base in bases.split("|")}
    return names


def test_it_is_a_module_too_and_its_help_imports_nothing_slow():
    command = [sys.executable, "-X", "importtime", "-m", "relaxbench.bench.cli", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0
    assert done.stdout.startswith("usage: relaxbench ")
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "relaxbench.bench.cli.run" in imported
    assert not {"numpy", "pandas", "pydantic"} & imported


def test_an_error_as_a_command():
    done = cli("run", "smokee", "--out", "/nowhere")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1


@pytest.mark.thorough
def test_a_reader_that_has_seen_enough_is_no_error():
    done = subprocess.run(f"{RELAXBENCH} list | head -1", shell=True, capture_output=True, text=True, timeout=60)
    assert done.stdout.startswith("Data sets")
    assert done.stderr == ""


def test_no_error_proposes_the_word_it_complains_of():
    assert unknown("option", "1", [1, 2]) == "option is unknown: '1'. Valid: 1, 2."
    assert "Did you mean 'sdp'?" in unknown("method", "SDP", ["sdp", "cpp"])
    assert hint("iris", ["iris"]) == "."
    assert hint("Iris", ["iris"]) == ": did you mean 'iris'?"
