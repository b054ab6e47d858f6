"""The dask executor: the same results, cells isolated on the workers, workers that go away, and how a run ends."""

import os
import signal
import socketserver
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pytest
from relaxbench.bench.engine.dask import DaskPool
from relaxbench.bench.engine.run import run
from relaxbench.bench.grid.spec import check_spec
from relaxbench.bench.results.folder import load_arrays, load_results
from relaxbench.bench.text import UsageError

pytest.importorskip("distributed")

PLANTED = Path(__file__).parents[1] / "support" / "planted.py"
DASK = str(Path(sys.executable).with_name("dask"))
RELAXBENCH = str(Path(sys.executable).with_name("relaxbench"))
COST = ["runtime_s", "solve_s", "round_s", "cpu_s", "peak_memory_mb", "setup_s", "verify_s"]
WAIT_S = 60.0

pytestmark = pytest.mark.timeout(240)


def spec(*tables, **others):
    data = [{"name": "random", "n": 6, "n_test": 4}]
    return check_spec({"dataset": data, "method": list(tables), "width": 3, "jobs": 2, **others})


def own(name, **keys):
    return {"use": f"{PLANTED}:{name}", **keys}


def awaited(condition):
    end = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.fixture
def cluster(tmp_path):
    """A scheduler's address and a way to start workers, all of which are gone afterwards."""
    processes = []

    def start(*command):
        environment = {**os.environ, "DASK_DISTRIBUTED__WORKER__DAEMON": "False"}
        with (tmp_path / "dask.log").open("ab") as log:
            process = subprocess.Popen(
                [DASK, *command], stdout=log, stderr=log, env=environment, start_new_session=True
            )
        processes.append(process)
        return process

    file = tmp_path / "scheduler.json"
    start("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(file))
    awaited(file.exists)
    awaited(lambda: "tcp://" in file.read_text())
    address = file.read_text().partition("tcp://")[2].partition('"')[0]
    yield address, lambda *options: start("worker", f"tcp://{address}", "--no-dashboard", "--nthreads", "1", *options)
    for process in processes:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


def same(tmp_path, grid):
    """The results of a grid, which are the same for both executors but for costs."""
    for executor in ("local", "dask-local"):
        run(grid, tmp_path / executor, executor=executor)
    one, two = (load_results(tmp_path / executor) for executor in ("local", "dask-local"))
    pd.testing.assert_frame_equal(one.drop(columns=COST), two.drop(columns=COST), check_exact=True)
    for cell in one[one["objective"].notna()]["cell"]:
        first, second = (load_arrays(tmp_path / executor, cell) for executor in ("local", "dask-local"))
        for name, array in first.items():
            np.testing.assert_array_equal(array, second[name])
    return two


@pytest.mark.thorough
def test_the_same_rows_and_arrays_as_local(tmp_path):
    grid = spec(own("good", seed="0..3"), own("broken", seed=[5]), own("good", gamma=["cv"], width=[4]), jobs=1)
    assert same(tmp_path, grid)["status"].tolist() == ["ok"] * 4 + ["failed", "ok"]
    assert run(grid, tmp_path / "local", executor="dask-local").kept == 6, "records are the same for every executor"


@pytest.mark.slow
def test_faults_cost_their_own_cell_and_methods_of_the_table_give_the_same(tmp_path):
    tables = [own("broken", seed=[0, 1, 3, 7]), own("hang", seed=[1]), own("hog", seed=[1])]
    methods = [{"name": name} for name in ("sdp", "sgd", "nngp", "forest")]
    rows = same(tmp_path, spec(*tables, *methods, timeout=15.0, memory=1.5))
    counts = {"ok": 5, "failed": 2, "diverged": 1, "timeout": 1, "memory": 1}
    assert rows["status"].value_counts().to_dict() == counts


@pytest.mark.slow
def test_ctrl_c_ends_local_dask_workers_too(tmp_path, monkeypatch):
    monkeypatch.setenv("PLANTED_NOTES", str(tmp_path))
    command = [
        RELAXBENCH,
        "run",
        "--dataset",
        "spiral",
        "--method",
        f"{PLANTED}:slow",
        "--seed",
        "0..40",
        "--jobs",
        "2",
    ]
    command += ["--executor", "dask-local", "--out", str(tmp_path / "out")]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    process = subprocess.Popen(command, start_new_session=True, **pipes)
    awaited(lambda: len(list((tmp_path / "out").glob("cells/*/record.json"))) >= 1)
    children = psutil.Process(process.pid).children(recursive=True)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    said, err = process.communicate(timeout=WAIT_S)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert "--executor dask-local" in said
    awaited(lambda: not any(child.is_running() and child.status() != "zombie" for child in children))


@pytest.mark.slow
def test_a_worker_that_is_killed_in_mid_cell_costs_no_cell(tmp_path, cluster, monkeypatch):
    monkeypatch.setenv("PLANTED_NOTES", str(tmp_path))
    address, worker = cluster
    first, _second = worker("--no-nanny"), worker("--no-nanny")
    out, command = tmp_path / "out", ["--dataset", "spiral", "--method", f"{PLANTED}:slow", "--seed", "0..9"]
    command += ["--executor", f"dask://{address}", "--out", str(out)]
    process = subprocess.Popen([RELAXBENCH, "run", *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    awaited(lambda: len(list(out.glob("cells/*/record.json"))) >= 2)
    os.killpg(first.pid, signal.SIGKILL)
    said, err = process.communicate(timeout=WAIT_S)
    assert process.returncode == 0, err
    assert "10 of 10 cells" in said
    rows = load_results(out)
    assert rows["status"].tolist() == ["ok"] * 10
    assert sorted(rows["seed"]) == list(range(10))


@pytest.mark.slow
def test_ctrl_c_stops_what_the_workers_do_and_the_workers_stay(tmp_path, cluster, monkeypatch):
    monkeypatch.setenv("PLANTED_NOTES", str(tmp_path))
    address, worker = cluster
    staying = worker("--no-nanny")
    grid = ["--dataset", "spiral", "--method", f"{PLANTED}:hang", "--seed", "0", "--seed", "1"]
    command = [RELAXBENCH, "run", *grid, "--executor", f"dask://{address}", "--out", str(tmp_path / "out")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    awaited((tmp_path / "pids").exists)
    pids = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
    process.send_signal(signal.SIGINT)
    said, err = process.communicate(timeout=WAIT_S)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert f"--executor dask://{address}" in said
    awaited(lambda: not any(psutil.pid_exists(pid) and psutil.Process(pid).status() != "zombie" for pid in pids))
    assert staying.poll() is None
    rows = load_results(tmp_path / "out")
    assert rows["seed"].tolist() == [0]
    again = subprocess.run(
        [RELAXBENCH, "run", *grid[:-2], "--executor", f"dask://{address}", "--out", str(tmp_path / "out")],
        capture_output=True,
        text=True,
        timeout=WAIT_S,
    )
    assert "1 of them kept" in again.stdout, again.stderr


@pytest.mark.slow
def test_a_scheduler_that_goes_away_ends_the_run_with_one_line(tmp_path, cluster, monkeypatch):
    monkeypatch.setenv("PLANTED_NOTES", str(tmp_path))
    address, worker = cluster
    worker("--no-nanny")
    command = [RELAXBENCH, "run", "--dataset", "spiral", "--method", f"{PLANTED}:slow", "--seed", "0..30"]
    command += ["--executor", f"dask://{address}", "--out", str(tmp_path / "out")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    awaited(lambda: len(list((tmp_path / "out").glob("cells/*/record.json"))) >= 1)
    scheduler = next(
        p for p in psutil.process_iter(["cmdline"]) if str(tmp_path / "scheduler.json") in (p.info["cmdline"] or ())
    )
    scheduler.kill()
    _, err = process.communicate(timeout=120)
    assert process.returncode == 3, err
    assert "everything finished is kept" in err
    assert "Traceback" not in err
    assert len(load_results(tmp_path / "out")) >= 1


NOWHERE = ["dask://nonsense", "dask://nonsense.invalid:8786", "dask://127.0.0.1:1", "dask://127.0.0.1:99999"]


@pytest.mark.parametrize("executor", ["dusk-local", "dask", "dask://", "dask://a b:1", *NOWHERE])
def test_an_executor_that_is_not_there_is_refused_and_nothing_written(tmp_path, executor, monkeypatch):
    monkeypatch.setattr("relaxbench.bench.engine.dask.CONNECT_S", 1.0)
    with pytest.raises(UsageError, match="executor"):
        run(spec(own("good")), tmp_path / "out", executor=executor)
    assert not (tmp_path / "out").exists()


@pytest.fixture
def stranger():
    """The port of a server that is no scheduler."""
    with socketserver.TCPServer(("127.0.0.1", 0), Babbling) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


class Babbling(socketserver.BaseRequestHandler):
    """Sends what no scheduler would."""

    def handle(self):
        self.request.sendall(b"220 welcome to the mail server of example.org" * 10)


def test_a_stranger_at_the_port_is_no_scheduler(tmp_path, stranger, monkeypatch):
    monkeypatch.setattr("relaxbench.bench.engine.dask.CONNECT_S", 1.0)
    with pytest.raises(UsageError, match=f"dask://127.0.0.1:{stranger}"):
        run(spec(own("good")), tmp_path / "out", executor=f"dask://127.0.0.1:{stranger}")


@pytest.mark.thorough
def test_the_command_line_says_in_one_line_that_no_scheduler_is_there(tmp_path):
    command = ["run", "--dataset", "spiral", "--method", f"{PLANTED}:good", "--executor", "dask://nonsense"]
    command += ["--out", str(tmp_path / "out")]
    done = subprocess.run([RELAXBENCH, *command], capture_output=True, text=True, timeout=WAIT_S)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1, done.stderr
    assert "dask://HOST:PORT" in done.stderr
    assert "dask://nonsense (" in done.stderr
    assert not (tmp_path / "out").exists()


def test_without_dask_the_mend_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(UsageError, match=r"pip install 'relaxbench\[dask\]'"):
        DaskPool(None, 1)
