"""ab: both sides from a clone of this code in which a fault is planted after the commit, and every exit code."""

import json
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from relaxbench.bench.ab import session as ab_module
from relaxbench.bench.ab.measure import CannotRun, same_code
from relaxbench.bench.ab.sides import CodeSide, same_dependencies
from relaxbench.bench.cli import main
from relaxbench.bench.compare.match import Side, read_side
from relaxbench.bench.grid.spec import check_spec
from relaxbench.bench.results.columns import COLUMNS

from ..support.results import row, write

HOUSE = Path(__file__).resolve().parents[2]
ROOMS = ("datasets", "solvers", "baselines", "bench", "reports")
CONFIG = '[[dataset]]\nname = "random"\nn = 6\nn_test = 4\n[[method]]\nuse = "{}"\n'


def git(folder, *arguments):
    command = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def clone(tmp_path):
    """A clone of this code with one commit, and a call of its own command line."""
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    top = tmp_path / "clone"
    for room in ("relaxbench", *ROOMS):
        shutil.copytree(HOUSE / room, top / room, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(HOUSE / "tests" / "perf", top / "tests" / "perf", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "constraints.txt"):
        shutil.copy(HOUSE / name, top / name)
    shutil.copy(HOUSE / "tests" / "support" / "regressions.py", top / "own.py")
    git(top, "init", "--quiet")
    git(top, "add", ".")
    git(top, "commit", "--quiet", "-m", "base")
    path = tmp_path / "path" / "relaxbench"
    path.mkdir(parents=True)
    for room in (*(top / "relaxbench").iterdir(), *(top / room for room in ROOMS)):
        (path / room.name).symlink_to(room)

    def cli(*arguments):
        environment = {**os.environ, "PYTHONPATH": str(path.parent), "PYTHONSAFEPATH": "1"}
        command = [sys.executable, "-m", "relaxbench.bench.cli", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, timeout=1500, env=environment, cwd=top)

    return top, cli


def config_of(top, function, more=""):
    path = top / "c.toml"
    path.write_text(CONFIG.format(f"own.py:{function}") + more, encoding="utf-8")
    return path


@pytest.mark.thorough
def test_a_fault_planted_in_the_working_tree_is_found(clone):
    """In the package's own code, and in a method's file that is part of the clone: each side runs its own."""
    top, cli = clone
    source = top / "own.py"
    source.write_text(source.read_text().replace("130 if fault", "130 if not fault"))
    metrics = top / "bench" / "scoring" / "metrics.py"
    text = metrics.read_text()
    assert "return columns | _regression(" in text
    metrics.write_text(
        text.replace("return columns | _regression(", 'columns["objective"] *= 1.02; return columns | _regression(')
    )
    out = top / "ab.json"
    done = cli("ab", "HEAD", config_of(top, "rounding"), "--pairs", 1, "--jobs", 2, "--format", "json", "--out", out)
    assert done.returncode == 1, done.stderr + done.stdout
    found = json.loads(out.read_text())
    assert found["base"].startswith("HEAD (")
    verdicts = {check["column"]: check["verdict"] for check in found["checks"] if check["kind"] == "quality"}
    assert verdicts["objective"] == verdicts["iterations"] == "regression"
    assert verdicts["test_rmse"] == verdicts["status"] == "ok"
    assert {line["cost"] for line in found["timings"]} == {"runtime_s", "peak_memory_mb"}
    assert {line["first"] for line in found["timings"]} <= {"base", "cand"}
    assert any("costs are advice: with 2 jobs" in note for note in found["notes"])
    assert any("BLAS threads pinned to 1" in note for note in found["notes"])
    assert any("of CAND proved again, 1 do not hold" in note for note in found["notes"])
    assert git(top, "worktree", "list").count("\n") == 0


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_a_slower_method_is_found_for_real(clone):
    top, cli = clone
    source = top / "own.py"
    source.write_text(source.read_text().replace('1.3 if fault("slow") else 1.0', "1.3"))
    done = cli("ab", "HEAD", config_of(top, "timed"), "--pairs", 16)
    assert done.returncode == 1, done.stderr + done.stdout
    assert "runtime_s" in done.stdout


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_20_pairs_of_smoke_against_themselves_raise_no_alarm(clone):
    _, cli = clone
    done = cli("ab", "HEAD", "smoke", "--pairs", 20)
    assert done.returncode == 0, done.stderr + done.stdout
    assert "false-alarm rate: " in done.stdout


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_the_hot_operations_of_both_sides(clone):
    top, cli = clone
    kept = "test_perf_relaxation.py"
    for path in (top / "tests" / "perf").glob("test_*.py"):
        if path.name != kept:
            path.unlink()
    done = cli("ab", "HEAD", "perf", "--pairs", 10, "--threshold", 100)
    assert done.returncode == 0, done.stderr + done.stdout
    assert "failed" not in done.stdout
    lift = top / "solvers" / "reduced" / "lift.py"
    lift.write_text(lift.read_text() + "\n\ndef adjoint(*_):\n    raise RuntimeError('planted')\n")
    done = cli("ab", "HEAD", "perf", "--pairs", 10, "--threshold", 100)
    assert done.returncode == 3, done.stderr + done.stdout
    assert "test_adjoint" in done.stdout


@pytest.mark.thorough
def test_too_few_pairs_for_the_hot_operations_are_refused_before_they_run(clone):
    top, cli = clone
    for path in (top / "tests" / "perf").glob("test_*.py"):
        path.unlink()
    planted = (
        "import pytest\n\n@pytest.mark.parametrize('k', range(16))\ndef test_it(benchmark, k):\n    assert False\n"
    )
    (top / "tests" / "perf" / "test_planted.py").write_text(planted)
    done = cli("ab", "HEAD", "perf", "--pairs", 9)  # 2 · 2⁻⁹ > 0.05/16
    assert done.returncode == 2, done.stderr + done.stdout
    assert "--pairs must be at least 10 for one of 16 tests of costs to count. Got 9 instead" in done.stderr
    assert done.stderr.count("\n") == 1


def test_dependencies_are_the_same_whatever_their_order(tmp_path):
    def checkout(name, dependencies, pins="", python=">=3.11"):
        folder = tmp_path / name
        folder.mkdir()
        listed = ", ".join(f'"{one}"' for one in dependencies)
        text = f'[project]\nname = "x"\nrequires-python = "{python}"\ndependencies = [{listed}]\n'
        (folder / "pyproject.toml").write_text(text)
        (folder / "constraints.txt").write_text(pins)
        return folder

    one = checkout("a", ["numpy>=2", "scipy"], "numpy==2.1\nscipy==1.15\n")
    assert same_dependencies(one, checkout("b", ["scipy", "numpy>=2"], "scipy==1.15\nnumpy==2.1"))
    assert not same_dependencies(one, checkout("c", ["scipy", "numpy>=2"], "scipy==1.15\nnumpy==2.2"))
    assert not same_dependencies(one, checkout("d", ["scipy", "numpy>=2.1"], "numpy==2.1\nscipy==1.15\n"))
    assert not same_dependencies(one, checkout("e", ["scipy", "numpy>=2"], "numpy==2.1\nscipy==1.15\n", ">=3.12"))


@pytest.fixture
def played(tmp_path, monkeypatch, capsys):
    """`relaxbench ab` on two played sides: `cand(rows)` changes what the candidate brings; if None, it cannot run."""
    config, calls = tmp_path / "c.toml", iter(range(100))
    config.write_text(CONFIG.format(HOUSE / "tests" / "support" / "regressions.py:timed"), encoding="utf-8")

    def call(*options, cand=lambda rows: rows, slowdown=1.0, same=True):
        rng, folder = np.random.default_rng(0), tmp_path / str(next(calls))

        @contextmanager
        def both_sides(ref):
            for side in ("base", "cand"):
                (folder / side).mkdir(parents=True)
                (folder / side / "code.py").write_text("x = 1" if same or side == "base" else "x = 2")
            yield (
                CodeSide(ref, HOUSE, folder / "base", sys.executable),
                CodeSide("here", HOUSE, folder / "cand", sys.executable),
            )

        def run_config(side, config, out, _jobs, _data):
            factor = slowdown if side.name == "here" else 1.0
            rows = [row("m", seed=k, runtime_s=factor * rng.lognormal(0, 0.03)) for k in range(4)]
            if side.name == "here" and cand is None:
                raise CannotRun(side, "no module of that name")
            rows = cand(rows) if side.name == "here" else rows
            if "whole" in config.name:
                return read_side(write(out, rows))
            out.mkdir()
            return Side(side.name, [{column.name: one.get(column.name) for column in COLUMNS} for one in rows], {})

        monkeypatch.setattr(ab_module, "both_sides", both_sides)
        monkeypatch.setattr(ab_module, "run_config", run_config)
        monkeypatch.setattr(ab_module, "verify", lambda folder, data_dir: ())  # there are no records to prove again
        code = main(["ab", "main", str(config), *map(str, options)])
        return code, capsys.readouterr()

    return call


@pytest.mark.thorough
def test_verdicts_on_played_runs(played):
    code, text = played("--pairs", 9)
    assert code == 0
    assert "A/A: both sides are the same code, so every alarm is false: 0 of 8 decisions" in text.out
    assert "false-alarm rate: 0.0%" in text.out
    code, text = played("--pairs", 9, slowdown=1.3, same=False)
    assert code == 1
    assert "A/A" not in text.out
    lines = [line for line in text.out.splitlines() if line.startswith("regression ")]
    assert len(lines) == 4
    assert all("runtime_s" in line for line in lines)
    assert played("--pairs", 9, slowdown=1 / 1.3, same=False)[0] == 0
    assert played("--pairs", 7, same=False, cand=lambda rows: rows[:0])[0] == 4
    assert played("--pairs", 7, same=False, cand=lambda rows: [rows[0] | {"status": "failed"}, *rows[1:]])[0] == 3
    assert played("--pairs", 7, same=False, cand=lambda rows: rows[1:])[0] == 4


def test_what_forbids_a_verdict_on_costs(played):
    code, text = played("--pairs", 9, "--jobs", 2, slowdown=1.3, same=False)
    assert code == 0
    assert "costs are advice: with 2 jobs" in text.out
    code, text = played("--pairs", 7, slowdown=1.3)  # enough for the one cell of the config, not for the four played
    assert code == 0
    assert "false-alarm" not in text.out
    assert played("--pairs", 9, "--threshold", 0.5, slowdown=1.3, same=False)[0] == 0


def test_the_same_code_is_that_of_the_clone_and_its_method_files_on_one_interpreter(tmp_path):
    for name in ("base", "cand"):
        for part in ("copy", "tree"):
            (tmp_path / name / part).mkdir(parents=True)
            (tmp_path / name / part / "own.py").write_text(f"x = 1  # {name}\n")
    base, cand = (CodeSide(n, tmp_path / n / "tree", tmp_path / n / "copy", "python") for n in ("base", "cand"))
    tables = {"dataset": [{"name": "iris"}], "method": [{"use": f"{tmp_path / 'cand' / 'tree' / 'own.py'}:f"}]}
    spec = check_spec(tables)
    assert same_code(base, cand, spec)
    assert not same_code(base, replace(cand, python="another"), spec)
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "own.py").write_text("x = 2\n")
    assert not same_code(base, replace(cand, copy=tmp_path / "new"), spec)
    assert same_code(replace(base, checkout=tmp_path / "new"), cand)  # the config names no file of the clone
    assert not same_code(replace(base, checkout=tmp_path / "new"), cand, spec)


def test_too_few_pairs_are_refused_before_anything_runs(played):
    code, text = played("--pairs", 6, cand=lambda _: pytest.fail("it ran"))
    assert code == 2
    assert text.err.count("\n") == 1
    assert "--pairs must be at least 7 for one of 2 tests of costs to count. Got 6 instead: give --pairs 7" in text.err
    assert played("--pairs", 1, "--jobs", 2)[0] == 0  # no verdict on costs was asked for


@pytest.mark.parametrize("form", ["table", "markdown", "json", "junit"])
def test_a_candidate_that_does_not_run_is_a_failed_check(played, form):
    code, text = played("--format", form, cand=None)
    assert code == 1
    assert "does not run" in text.out
    assert "no module of that name" in text.out
    assert "Traceback" not in text.err


def test_a_commit_that_does_not_run_is_nothing_comparable(played, monkeypatch):
    def cannot(*_):
        raise CannotRun(CodeSide("main", HOUSE, HOUSE, ""), "no module of that name")

    monkeypatch.setattr("relaxbench.bench.ab.session._rounds", cannot)
    code, text = played()
    assert code == 4
    assert "main: no module of that name" in text.out


@pytest.mark.thorough
@pytest.mark.parametrize("file", ["solvers/problem.py", "bench/compare/comparison.py", "bench/engine/run.py"])
def test_a_working_tree_that_cannot_be_imported_is_a_failed_check(clone, file):
    top, cli = clone
    (top / file).write_text("raise OverflowError('planted')\n")
    done = cli("ab", "HEAD", config_of(top, "rounding"))
    assert done.returncode == 1, done.stderr + done.stdout
    assert "the working tree" in done.stderr + done.stdout
    assert "does not run: " in done.stderr + done.stdout
    assert "OverflowError: planted" in done.stderr + done.stdout
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nosuchref", "CONFIG"], "'nosuchref'"),
        (["--pairs", "3"], "REF"),
        (["HEAD", "smokee"], "Did you mean 'smoke'?"),
        (["HEAD", "CONFIG", "--pairs", "0"], "--pairs"),
        (["HEAD", "CONFIG", "--pairs", "x"], "'x'"),
        (["HEAD", "CONFIG", "--threshold", "0"], "--threshold"),
        (["HEAD", "CONFIG", "--threshold", "nan"], "--threshold"),
        (["HEAD", "CONFIG", "--jobs", "0"], "--jobs"),
        (["HEAD", "perf", "--pairs", "-1"], "--pairs"),
        (["HEAD", "CONFIG", "--data", "nowhere"], "nowhere"),
        (["--upload-pack=touch x", "CONFIG"], "commit, branch or tag"),
    ],
)
def test_wrong_usage(tmp_path, monkeypatch, capsys, arguments, words):
    folder = tmp_path / "empty"
    folder.mkdir()
    monkeypatch.chdir(folder)
    (tmp_path / "c.toml").write_text(
        CONFIG.format(HOUSE / "tests" / "support" / "regressions.py:timed"), encoding="utf-8"
    )
    given = [str(tmp_path / "c.toml") if one == "CONFIG" else one for one in arguments]
    if not (HOUSE / ".git").exists() and arguments[0] == "nosuchref":
        words = "clone"
    assert main(["ab", *given]) == 2
    out, err = capsys.readouterr()
    assert words in err
    assert (out, err.count("\n")) == ("", 1)
    assert list(folder.iterdir()) == []
