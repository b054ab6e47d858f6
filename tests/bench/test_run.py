"""Whole runs with real workers. Methods of their own are planted: the faults have to happen inside a worker."""

import os
import shutil
import time
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pytest
from relaxbench.bench.engine.run import run
from relaxbench.bench.grid import methods
from relaxbench.bench.grid.registry import Method
from relaxbench.bench.grid.spec import check_spec
from relaxbench.bench.results.folder import (
    load_arrays,
    load_environment,
    load_extra,
    load_results,
    load_tightness,
    load_trace,
)
from relaxbench.bench.text import UsageError

PLANTED = Path(__file__).parents[1] / "support" / "planted.py"
SMALL = {"name": "random", "n": 6, "n_test": 4}
COST = ["runtime_s", "solve_s", "round_s", "cpu_s", "peak_memory_mb", "setup_s", "verify_s"]


def spec(*names, **tables):
    chosen = [{"use": f"{PLANTED}:{name}"} if isinstance(name, str) else name for name in names]
    return check_spec({"dataset": [SMALL], "method": chosen, "width": 3, "jobs": 2, **tables})


@pytest.fixture
def notes(tmp_path, monkeypatch):
    folder = tmp_path / "notes"
    folder.mkdir()
    monkeypatch.setenv("PLANTED_NOTES", str(folder))
    return lambda name: (folder / name).read_text().split() if (folder / name).exists() else []


def gone(pids, seconds=10.0):
    """Whether all these processes end within some seconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not any(psutil.pid_exists(int(pid)) and psutil.Process(int(pid)).status() != "zombie" for pid in pids):
            return True
        time.sleep(0.1)
    return False


@pytest.mark.thorough
@pytest.mark.timeout(120)
def test_faults_cost_their_own_cell_and_nothing_else(tmp_path, notes):
    seeds = {"broken": [0, 1, 2, 3, 4, 5, 6], "hang": [0, 1, 2], "hog": [0, 1, 2]}
    tables = [{"use": f"{PLANTED}:{name}", "seed": list_} for name, list_ in seeds.items()]
    summary = run(spec(*tables, timeout=10.0, memory=0.4), tmp_path / "out")
    rows = load_results(tmp_path / "out").assign(short=lambda r: r["method"].str.partition(":")[2])
    rows = rows.set_index(["short", "seed"])
    assert len(rows) == summary.ended == 13
    assert summary.failed == 5
    for name, list_ in seeds.items():
        for seed in (seed for seed in list_ if seed % 2 == 0):
            assert rows.loc[(name, seed), "status"] == "ok", rows.loc[(name, seed), "message"]
    expected = {
        ("broken", 1): ("failed", "ended by signal SIGSEGV"),
        ("broken", 3): ("failed", "ended with exit code 0"),
        ("broken", 5): ("failed", "ValueError: planted in two lines"),
        ("hang", 1): ("timeout", "the time limit of 10 s"),
        ("hog", 1): ("memory", "the memory limit of 0.4 GB"),
    }
    for cell, (status, words) in expected.items():
        assert rows.loc[cell, "status"] == status, rows.loc[cell, "message"]
        assert words in rows.loc[cell, "message"]
        assert pd.isna(rows.loc[cell, "objective"])
    crash = tmp_path / "out" / "cells" / rows.loc[("broken", 1), "cell"] / "traceback.txt"
    assert "string_at" in crash.read_text()
    raised = tmp_path / "out" / "cells" / rows.loc[("broken", 5), "cell"] / "traceback.txt"
    assert "planted.py" in raised.read_text()
    assert 4.0 <= rows.loc[("hang", 1), "runtime_s"] < 14.0
    assert rows.loc[("hog", 1), "peak_memory_mb"] > 400
    assert len(notes("pids")) == 2
    assert gone(notes("pids"))


@pytest.mark.thorough
def test_the_number_of_jobs_changes_no_result(tmp_path):
    for jobs in (1, 2):
        run(spec("good", "plain", seed="0..3", gamma=[0.1, 0.01], jobs=jobs), tmp_path / str(jobs))
    one, two = (load_results(tmp_path / str(jobs)) for jobs in (1, 2))
    pd.testing.assert_frame_equal(one.drop(columns=COST), two.drop(columns=COST), check_exact=True)
    for cell in one[one["objective"].notna()]["cell"]:
        first, second = (load_arrays(tmp_path / str(jobs), cell) for jobs in (1, 2))
        for name, array in first.items():
            np.testing.assert_array_equal(array, second[name])


@pytest.mark.thorough
def test_only_what_is_missing_changed_or_damaged_is_computed_again(tmp_path, notes):
    out = tmp_path / "out"
    quick = {"use": f"{PLANTED}:slow", "seconds": 0.0}
    assert run(spec(quick, seed="0..3"), out).kept == 0
    assert sorted(notes("calls")) == ["0", "1", "2", "3"]
    before = load_results(out)

    shutil.rmtree(out / "cells" / before["cell"][0])
    record = out / "cells" / before["cell"][1] / "record.json"
    record.write_bytes(record.read_bytes().replace(b"0", b"1", 1))
    arrays = out / "cells" / before["cell"][2] / "arrays.npz"
    arrays.write_bytes(arrays.read_bytes()[:-1])
    with pytest.warns(RuntimeWarning, match="moved to damaged/"):
        assert run(spec(quick, seed="0..4"), out).kept == 1
    assert sorted(notes("calls")[4:]) == ["0", "1", "2", "4"]
    after = load_results(out)
    assert after["cell"].tolist()[:4] == before["cell"].tolist()
    assert after["objective"].tolist()[:4] == before["objective"].tolist()
    assert len(list((out / "damaged").iterdir())) == 2

    assert run(spec(quick, seed=[2]), out).kept == 1
    assert len(notes("calls")) == 8
    assert load_results(out)["seed"].tolist() == [2, 0, 1, 3, 4], "what other runs left is kept"


@pytest.mark.thorough
def test_failures_stand_until_they_are_retried_and_timeouts_while_the_limit_does(tmp_path, notes):
    out = tmp_path / "out"
    tables = [{"use": f"{PLANTED}:slow", "seconds": 1.2}, {"use": f"{PLANTED}:broken", "seed": [5]}]
    run(spec(*tables, timeout=0.6), out)
    assert load_results(out)["status"].tolist() == ["timeout", "failed"]
    assert run(spec(*tables, timeout=0.6), out).kept == 2
    assert len(notes("pids")) == 1
    assert run(spec(*tables, timeout=20.0), out).kept == 1
    assert load_results(out)["status"].tolist() == ["ok", "failed"]
    assert run(spec(*tables, timeout=0.6), out).kept == 2, "a result that no limit touched stands under any limit"
    assert run(spec(*tables, timeout=0.6), out, retry=True).kept == 1


STAGES = """
import os
import numpy as np
from pathlib import Path
from relaxbench.bench.grid.methods import load
from relaxbench.solvers.fit import Fit, Statistics
from relaxbench.solvers.network import Network
from relaxbench.solvers.relaxation import Relaxation

def relax(problem, *, budget, solver: str = "a"):
    with (Path(os.environ["PLANTED_NOTES"]) / "relaxed").open("a") as file:
        file.write(f"{solver}{problem.gamma}\\n")
    if solver == "crash":
        os.abort()
    factor = np.ones((problem.n + problem.d + problem.c, 2))
    certificate = load("PLANTED:weak")(problem, 1e3 if solver == "liar" else 0.0)
    status = solver if solver in ("stalled", "iteration_limit") else "ok"
    return Relaxation(factor, 1.5, certificate, status=status, stats=Statistics(iterations=9))

def round(problem, relaxation, *, width, seed, budget, rounding: str = "x"):
    network = Network(np.zeros((problem.d, width)), np.zeros((width, problem.c)))
    return Fit(network.predict, network)
"""


@pytest.fixture
def two_stage(tmp_path, monkeypatch):
    path = tmp_path / "stages.py"
    path.write_text(STAGES.replace("PLANTED:", f"{PLANTED}:"), encoding="utf-8")
    method = Method("two", "planted", relax=f"{path}:relax", round=f"{path}:round", code=(str(path),))
    monkeypatch.setitem(methods.METHODS, "two", method)


@pytest.mark.thorough
@pytest.mark.usefixtures("two_stage")
def test_a_relaxation_is_solved_once_and_kept_for_later(tmp_path, notes):
    out, table = tmp_path / "out", {"name": "two", "solver": ["a", "crash"]}
    summary = run(spec(table, width=[3, 4], seed=[0, 1], gamma=[0.1, 0.2]), out)
    assert sorted(notes("relaxed")) == ["a0.1", "a0.2", "crash0.1", "crash0.2"]
    rows = load_results(out)
    assert (len(rows), summary.failed) == (16, 8)
    solved = rows[rows["solver"] == "a"]
    assert set(solved["status"]) == {"ok"}
    assert (solved["runtime_s"] - solved["solve_s"] - solved["round_s"]).abs().max() < 1e-12
    assert solved.groupby("gamma")["solve_s"].nunique().tolist() == [1, 1]
    assert set(solved["iterations"]) == {9}
    crashed = rows[rows["solver"] == "crash"]
    assert set(crashed["status"]) == {"failed"}
    assert crashed["message"].str.startswith("the relaxation: the worker process ended by signal SIGABRT").all()
    cell = solved["cell"].iloc[0]
    assert "certificate_theta" in load_arrays(out, cell)
    assert load_extra(out, cell)["relaxation"] in os.listdir(out / "relaxations")
    assert load_trace(out, cell).empty
    assert load_tightness(out)["lower_bound"].tolist() == [0.0, 0.0]

    run(spec({"name": "two", "rounding": "y"}, gamma=[0.1]), out)
    assert len(notes("relaxed")) == 4, "another rounding takes the relaxation that is there"


@pytest.mark.thorough
@pytest.mark.usefixtures("two_stage", "notes")
@pytest.mark.parametrize("status", ["stalled", "iteration_limit"])
def test_a_relaxation_that_ended_early_is_rounded_and_stands(tmp_path, status):
    asked = spec({"name": "two", "solver": status}, gamma=[0.1, "cv"])
    summary = run(asked, tmp_path / "out")
    rows = load_results(tmp_path / "out")
    assert rows["status"].tolist() == [status, status]
    assert rows["objective"].notna().all()
    assert rows["lower_bound"].tolist() == [0.0, 0.0]
    assert (summary.failed, summary.statuses) == (0, {status: 2})
    assert run(asked, tmp_path / "out", retry=True).kept == 2, "the clock had no part in it"


@pytest.mark.thorough
def test_one_bad_seed_does_not_take_its_batch_along(tmp_path, monkeypatch):
    path = tmp_path / "own.py"
    path.write_text(
        "import os\n"
        "from relaxbench.solvers.fit import Fit\n"
        "def one(problem, *, width, seed, budget):\n"
        "    if seed == 1:\n"
        "        os.abort()\n"
        "    return Fit(lambda X: 0 * X @ problem.X.T @ problem.Y)\n"
        "def many(problem, *, width, seeds, budget):\n"
        "    return [one(problem, width=width, seed=seed, budget=budget) for seed in seeds]\n"
    )
    method = Method("batch", "planted", function=f"{path}:one", batch=f"{path}:many", code=(str(path),))
    monkeypatch.setitem(methods.METHODS, "batch", method)
    run(spec({"name": "batch"}, seed=[0, 1, 2]), tmp_path / "out")
    assert load_results(tmp_path / "out")["status"].tolist() == ["ok", "failed", "ok"]


def test_workers_have_one_thread_and_are_used_again(tmp_path, monkeypatch):
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "2")  # so that it is the harness that makes it one
    summary = run(spec("threads", seed="0..5", jobs=1), tmp_path / "out")
    infos = [load_extra(tmp_path / "out", cell)["info"] for cell in load_results(tmp_path / "out")["cell"]]
    assert {info["most_threads"] for info in infos} == {1}
    assert len({info["pid"] for info in infos}) == 1
    assert summary.statuses == {"ok": 6}
    environment = load_environment(tmp_path / "out")
    assert environment["threads"] == 1
    assert environment["packages"]["numpy"] == np.__version__
    assert min(environment["calibration"].values()) > 0
    assert os.environ["OPENBLAS_NUM_THREADS"] == "2", "the caller's environment is as it was"


@pytest.mark.thorough
def test_a_run_may_ask_for_more_threads_which_is_recorded(tmp_path):
    run(spec("threads", jobs=1, threads=2), tmp_path / "out")
    (row,) = load_results(tmp_path / "out").to_dict("records")
    assert row["threads"] == load_environment(tmp_path / "out")["threads"] == 2
    assert load_extra(tmp_path / "out", row["cell"])["info"]["most_threads"] == 2
    with pytest.raises(UsageError, match="threads must be 1 with executor dask-local"):
        run(spec("threads", threads=2), tmp_path / "other", executor="dask-local")
