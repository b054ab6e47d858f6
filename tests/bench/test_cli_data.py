"""A user's own file on the command line: what is said of how it was read, what is set aside, and what is refused."""

import re
from pathlib import Path

import numpy as np
import pytest
from relaxbench.bench.cli import main
from relaxbench.bench.results.folder import load_arrays, load_data, load_results

from ..support.report_folder import quick_report

PLANTED = Path(__file__).parents[1] / "support" / "planted.py"
README = Path(__file__).parents[2] / "README.md"
METHODS = ("--method", f"{PLANTED}:good", "--method", f"{PLANTED}:fussy", "--width", "2", "--jobs", "1")
ROWS = [(k / 10, (7 * k % 12) / 10, k % 3) for k in range(12)]


def csv(path, goal="label", rows=ROWS):
    lines = [f"a,b,{goal}", *(",".join(map(str, row)) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def ran(tmp_path, capsys):
    """Runs a file through the command line; returns the results and the lines on stderr after the first."""

    def call(file, *options):
        out = tmp_path / "out"
        code = main(["run", "--dataset", f"file:{file}", *METHODS, *map(str, options), "--out", str(out)])
        errors = capsys.readouterr().err
        assert code == 0, errors
        first, *lines = [line for line in errors.splitlines() if line.startswith("relaxbench: ")]
        assert "; γ 0.1; width 2; at most 600 s a cell" in first
        return load_results(out), lines

    return call


@pytest.mark.thorough
def test_how_many_rows_are_set_aside_is_said_and_a_label_column_is_classification(ran, tmp_path):
    table, lines = ran(csv(tmp_path / "my.csv"))
    assert table[["n", "n_test", "c"]].drop_duplicates().to_numpy().tolist() == [[6, 6, 3]]
    assert table["test_accuracy"].notna().all()
    assert len(lines) == 1
    assert "my.csv: 6 of 12 rows set aside for test" in lines[0]
    assert "--test-fraction 0" in lines[0]


def test_the_part_set_aside_is_the_users_and_a_target_column_is_said_to_be_regression(ran, tmp_path):
    table, lines = ran(csv(tmp_path / "my.csv", "target"), "--test-fraction", 0.25)
    assert table[["n", "n_test", "c"]].drop_duplicates().to_numpy().tolist() == [[9, 3, 1]]
    assert table["test_rmse"].notna().all()
    assert "3 of 12 rows set aside for test" in lines[0]
    (line,) = [line for line in lines if "target" in line]
    assert "regression on 3 distinct values" in line
    assert "rename it to label" in line


@pytest.mark.thorough
@pytest.mark.parametrize(("goal", "preprocess"), [("label", "none"), ("target", "standardize+pca:1")])
def test_without_test_rows_every_row_trains_and_the_report_is_whole(ran, tmp_path, capsys, goal, preprocess):
    file = csv(tmp_path / "my.csv", goal)
    table, lines = ran(file, "--test-fraction", 0, "--preprocess", preprocess, "--bias")
    assert table[["n", "n_test"]].drop_duplicates().to_numpy().tolist() == [[12, 0]]
    tested = [name for name in table if name.startswith(("test_", "balanced_")) or name == "optimism"]
    assert len(tested) == 9
    assert table[tested].isna().all(axis=None)
    assert table["train_accuracy" if goal == "label" else "train_r2"].notna().all()
    data = load_data(tmp_path / "out", table["cell"][0])
    assert len(data["X_test"]) == len(data["Y_test"]) == 0
    if preprocess == "none":
        assert sorted(map(tuple, data["X_train"][:, :2].tolist())) == sorted((a, b) for a, b, _ in ROWS)
    assert "all 12 rows train" in lines[0]
    quick_report(tmp_path / "out")
    assert main(["verify", str(tmp_path / "out")]) == 0
    assert "Traceback" not in capsys.readouterr().err


def test_a_file_with_test_rows_of_its_own_is_not_split(ran, tmp_path):
    X, y = np.arange(12.0).reshape(6, 2), np.arange(6) % 2
    np.savez(tmp_path / "my.npz", X=X, y=y, X_test=X[:4], y_test=y[:4])
    table, lines = ran(tmp_path / "my.npz")
    assert table[["n", "n_test"]].drop_duplicates().to_numpy().tolist() == [[6, 4]]
    assert "set aside" not in " ".join(lines)


@pytest.mark.thorough
def test_data_sets_that_ship_take_the_option_and_say_nothing(tmp_path, capsys):
    grid = ["--dataset", "iris", "--dataset", "spiral", "--dataset", "random", "--test-fraction", "0"]
    assert main(["run", *grid, *METHODS, "--out", str(tmp_path / "out")]) == 0
    assert capsys.readouterr().err.count("relaxbench: ") == 1  # the first line of every run
    assert dict(zip(*load_results(tmp_path / "out")[["dataset", "n"]].to_numpy().T, strict=True))["iris"] == 150
    assert set(load_results(tmp_path / "out")["n_test"]) == {0}


@pytest.fixture
def refused(tmp_path, monkeypatch, capsys):
    """Runs a file as a newcomer would, in an empty folder, where it must be refused and leave nothing."""
    folder = tmp_path / "empty"
    folder.mkdir()
    monkeypatch.chdir(folder)

    def call(file, *options):
        given = ["--dataset", f"file:{file}", "--method", "sdp", "--gamma", "0.1", "--width", "10", "--out", "r"]
        assert main(["run", *given, *options]) == 2
        out, err = capsys.readouterr()
        assert (out, err.count("\n"), list(folder.iterdir())) == ("", 1, [])
        assert err.startswith("relaxbench: ")
        return err

    return call


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--method", "sdpp"], "Did you mean 'sdp'?"),
        (["--gamma", "0"], "gamma[2]: input should be greater than 0. Got 0.0"),
        (["--gamma", "abc"], "Got 'abc'"),
        (["--width", "0"], "width[2]: input should be greater than or equal to 1. Got 0"),
        (["--width", "ten"], "'ten'"),
        (["--test-fraction", "1.5"], "less than 1. Got 1.5"),
        (["--test-fraction", "1"], "less than 1. Got 1.0"),
        (["--test-fraction", "-0.1"], "greater than or equal to 0. Got -0.1"),
        (["--test-fraction", "nan"], "test_fraction"),
        (["--test-fraction", "half"], "'half'"),
        (["--test-fractoin", "0"], "Did you mean --test-fraction?"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_slip_in_an_option(refused, tmp_path, options, words):
    assert words in refused(csv(tmp_path / "my.csv"), *options)


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a,b,c\n1,2,3\n", "'label' (classes) or 'target'"),
        ("a,b,lable\n1,2,3\n", "did you mean 'label'"),
        ("a,b,label\n1,nan,x\n2,3,y\n", "Got nan at row 2, column 'b'"),
        ("a,b,target\n1,2,1\n2,3,NaN\n", "column 'target'"),
        ("a,b,label\n1,,x\n2,3,y\n", "column 'b'"),
        ("", "Got an empty file"),
        ("a,b,label\n", "row"),
    ],
    ids=["no goal", "typo", "nan", "nan target", "empty cell", "empty file", "header alone"],
)
def test_a_slip_in_the_file(refused, tmp_path, text, words):
    (tmp_path / "my.csv").write_text(text)
    assert words in refused(tmp_path / "my.csv")


def test_a_file_with_test_rows_takes_no_fraction(refused, tmp_path):
    X, y = np.arange(12.0).reshape(6, 2), np.arange(6) % 2
    np.savez(tmp_path / "my.npz", X=X, y=y, X_test=X, y_test=y)
    assert "test set of its own" in refused(tmp_path / "my.npz", "--test-fraction", "0")


def test_the_default_is_documented(capsys):
    with pytest.raises(SystemExit):
        main(["run", "--help"])
    help_ = " ".join(capsys.readouterr().out.split())
    assert re.search(r"--test-fraction F .*?\(default: 0\.5; 0: all rows train\)", help_)
    assert "--test-fraction" in README.read_text(encoding="utf-8")


def test_the_method_of_the_readme_runs_as_printed(tmp_path, monkeypatch, capsys):
    text = README.read_text(encoding="utf-8")
    (block,) = [block for block in re.findall(r"```python\n(.*?)```", text, re.S) if block.startswith("# mine.py")]
    (tmp_path / "mine.py").write_text(block, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert "--method mine.py:train" in text
    grid = ["--dataset", "random", "--method", "mine.py:train", "--gamma", "0.1", "--width", "3", "--jobs", "1"]
    assert main(["run", *grid, "--out", "r"]) == 0, capsys.readouterr().err
    (row,) = load_results("r").to_dict("records")
    data, arrays = load_data("r", row["cell"]), load_arrays("r", row["cell"])
    U, V = arrays["network_U"], arrays["network_V"]
    loss = np.sum((np.maximum(data["X_train"] @ U, 0) @ V - data["Y_train"]) ** 2) / 2
    assert row["objective"] == pytest.approx(loss + 0.1 * (np.sum(U**2) + np.sum(V**2)) / 2)
    assert row["objective"] < np.sum(data["Y_train"] ** 2) / 2 + 0.1 * np.sum(U**2) / 2  # better than no output weights
