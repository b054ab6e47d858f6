"""Memory that is known before a cell starts, and disks that cannot be written to."""

import math
import resource
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from relaxbench.bench.engine.estimate import IDLE_BYTES, needed_bytes
from relaxbench.bench.engine.local import Stopped, _Room
from relaxbench.bench.engine.run import run
from relaxbench.bench.engine.schedule import Limits
from relaxbench.bench.engine.task import Task
from relaxbench.bench.grid.cell import expand
from relaxbench.bench.grid.registry import METHODS, Method
from relaxbench.bench.grid.spec import check_spec
from relaxbench.bench.results.folder import load_extra, load_results

PLANTED = Path(__file__).parents[1] / "support" / "planted.py"
RELAXBENCH = str(Path(sys.executable).with_name("relaxbench"))


def task(method, n=20, width=100, seeds=1, **options):
    table = {"dataset": [{"name": "random", "n": n}], "method": [{"name": method, **options}], "width": width}
    cells = expand(check_spec({**table, "seed": f"0..{seeds - 1}"}))
    return Task(tuple(cells), 9.0, relaxing=bool(METHODS[method].relax))


@pytest.mark.thorough
def test_the_estimate_grows_as_the_arrays_do():
    def beyond(task):
        return needed_bytes(task) - IDLE_BYTES

    assert beyond(task("sdp", n=2000)) / beyond(task("sdp", n=1000)) == pytest.approx(4, rel=0.05)
    literal = [beyond(task("sdp", n=n, solver="cvxpy-clarabel")) for n in (100, 200)]
    assert literal[1] / literal[0] == pytest.approx(16, rel=0.2)
    assert literal[0] > 10 * beyond(task("sdp", n=100))
    assert beyond(task("sgd", seeds=3)) == pytest.approx(3 * beyond(task("sgd", seeds=1)))
    assert beyond(task("ridge", n=2000)) == 0, "no model, no more than an idle worker"


@pytest.mark.thorough
@pytest.mark.parametrize("method", ["sdp", "sgd", "nngp", "rbf", "lbfgs", "ridge"])
def test_no_cell_of_the_paper_is_refused_by_a_small_machine(method):
    assert needed_bytes(task(method, n=1000, width=300)) < 4e9


@pytest.mark.thorough
def test_what_cannot_fit_is_unsupported_at_once_until_it_may_have_more(tmp_path):
    def spec(memory):
        tables = {"dataset": [{"name": "random", "n": 400, "n_test": 2}], "width": 3, "jobs": 2, "timeout": 30.0}
        methods = [{"name": "sdp", "solver": "cvxpy-clarabel"}, {"use": f"{PLANTED}:plain"}]
        return check_spec({**tables, "method": methods, "memory": memory})

    begin = time.monotonic()
    summary = run(spec(1.0), tmp_path)
    assert time.monotonic() - begin < 25
    rows = load_results(tmp_path)
    assert rows["status"].tolist() == ["unsupported", "ok"]
    assert "needs about" in rows["message"][0]
    assert "1 GB are allowed" in rows["message"][0]
    assert summary.failed == 0
    assert run(spec(2.0), tmp_path).kept == 2, "twice as much is still not enough"
    needed = needed_bytes(task("sdp", n=400, solver="cvxpy-clarabel"))
    assert needed > 2e9
    allowed = Limits(9.0, 1e9, needed * 1.01)
    assert allowed.memory(needed) >= needed


@pytest.mark.thorough
def test_seeds_that_do_not_fit_together_are_trained_one_after_the_other(tmp_path, monkeypatch):
    path = tmp_path / "own.py"
    path.write_text(
        "from relaxbench.solvers.fit import Fit\n"
        "def one(problem, *, seed, budget):\n"
        "    return Fit(lambda X: 0 * X @ problem.X.T @ problem.Y, info={'together': 1})\n"
        "def many(problem, *, width, seeds, budget):\n"
        "    return [Fit(lambda X: 0 * X @ problem.X.T @ problem.Y, info={'together': len(seeds)}) for _ in seeds]\n"
        "def memory(n, d, c, width, options):\n"
        "    return 0.1e9 / 8\n"
    )
    one, many, memory = (f"{path}:{name}" for name in ("one", "many", "memory"))
    method = Method("batch", "", one, batch=many, axes=("seed",), code=(str(path),), memory=memory)
    monkeypatch.setitem(METHODS, "batch", method)
    tables = {"dataset": [{"name": "random", "n": 6, "n_test": 2}], "method": [{"name": "batch"}], "seed": "0..2"}
    for allowed, together in ((0.6, 3), (0.4, 1)):
        out = tmp_path / str(allowed)
        assert run(check_spec({**tables, "memory": allowed, "jobs": 1}), out).statuses == {"ok": 3}
        assert {load_extra(out, cell)["info"]["together"] for cell in load_results(out)["cell"]} == {together}


def test_a_cell_may_hold_its_share_or_twice_its_estimate_but_not_more_than_there_is():
    limits = Limits(9.0, memory_bytes=100.0, most_bytes=1000.0)
    assert [limits.memory(needed) for needed in (0, 50, 200, 800)] == [100, 100, 400, 1000]


def test_big_tasks_wait_for_room_and_are_not_passed_by():
    room, order, begun, release = _Room(10.0), [], threading.Event(), threading.Event()

    def hold(name, memory):
        with room.taken(memory):
            order.append(name)
            begun.set()
            release.wait(10)

    threads = [threading.Thread(target=hold, args=("first", 6.0))]
    threads[0].start()
    assert begun.wait(10)
    for name, memory in (("big", 99.0), ("small", 1.0)):
        threads.append(threading.Thread(target=hold, args=(name, memory)))
        threads[-1].start()
        time.sleep(0.1)
    assert order == ["first"], "the small one would fit, but came after the big one"
    release.set()
    for thread in threads:
        thread.join(10)
    assert order == ["first", "big", "small"]


def test_whoever_waits_for_room_is_woken_by_a_stop():
    room, ended = _Room(10.0), []

    def wait():
        try:
            with room.taken(5.0):
                ended.append("ran")
        except Stopped:
            ended.append("stopped")

    with room.taken(10.0):
        thread = threading.Thread(target=wait)
        thread.start()
        time.sleep(0.05)
        room.stop()
        thread.join(10)
    assert ended == ["stopped"]


def test_a_task_says_nothing_of_memory_unless_told():
    assert task("ridge").memory == math.inf
    assert replace(task("ridge"), memory=1.0).memory == 1.0


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_disk_that_refuses_a_big_file_loses_only_the_record_in_work(tmp_path):
    """The system refuses files of more than 20,000 bytes, as a full disk would; then it does not any more."""
    grid = ["run", "--dataset", "random", "--method", f"{PLANTED}:good", "--width", "3", "--width", "3000"]
    grid += ["--jobs", "1", "--out", str(tmp_path / "out")]

    def small_files():
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))

    full = subprocess.run(
        [RELAXBENCH, *grid], capture_output=True, text=True, timeout=60, preexec_fn=small_files, check=False
    )
    assert full.returncode == 3, full.stderr
    assert "everything finished is kept" in full.stderr
    assert "Traceback" not in full.stderr
    assert len(load_results(tmp_path / "out")) == 1
    assert not list((tmp_path / "out").rglob("*.tmp"))
    again = subprocess.run([RELAXBENCH, *grid], capture_output=True, text=True, timeout=60, check=False)
    assert again.returncode == 0, again.stderr
    assert "1 of them kept" in again.stdout
