"""The same cell gives the same numbers bit for bit, however often, in whatever company and by whichever engine."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from relaxbench.bench.engine.run import run
from relaxbench.bench.engine.task import Task
from relaxbench.bench.grid.cell import expand
from relaxbench.bench.grid.registry import METHODS, Method
from relaxbench.bench.grid.spec import check_spec
from relaxbench.bench.results.folder import load_arrays, load_results, load_trace

from ..support.work import perform

PLANTED = Path(__file__).parents[1] / "support" / "planted.py"
TINY = {"name": "random", "n": 8, "n_test": 5, "d": 3, "c": 2, "teacher_width": 4}
COST = ["runtime_s", "solve_s", "round_s", "cpu_s", "peak_memory_mb", "setup_s", "verify_s"]
ENGINES = {"one job": ("local", 1), "again": ("local", 1), "two jobs": ("local", 2), "dask": ("dask-local", 2)}


def a_cell(method, data=None):
    (cell,) = expand(check_spec({"dataset": [data or {"name": "random", "n": 12}], "method": [method], "width": 3}))
    return cell


def performed(cell):
    (result,) = perform(Task((cell,), timeout=100.0))
    assert result.columns["status"] == "ok", result.columns["message"]
    return result


def same_arrays(one, two):
    assert one.keys() == two.keys()
    for name, array in one.items():
        np.testing.assert_array_equal(array, two[name], err_msg=name)


@pytest.mark.thorough
def test_the_exact_program_draws_the_same_each_time():
    cell = a_cell({"name": "cpp", "gap": 0.3}, TINY)
    one, two = performed(cell), performed(cell)
    assert one.columns["objective"] == two.columns["objective"]
    assert one.columns["lower_bound"] == two.columns["lower_bound"]
    same_arrays(one.arrays, two.arrays)


def test_a_method_whose_seed_is_no_axis_gets_a_fixed_one(tmp_path):
    path = tmp_path / "own.py"
    path.write_text(
        "from relaxbench.solvers.fit import Fit\n"
        "def own(problem, *, width=None, seed=None, budget):\n"
        "    return Fit(lambda X: X[:, :1] @ problem.Y[:1], info={'seed': repr(seed)})\n"
    )
    cell = replace(a_cell({"use": f"{PLANTED}:plain"}), method=Method("own", "", f"{path}:own", axes=()), options={})
    assert performed(cell).info["seed"] == "0"


def test_a_method_that_draws_from_the_processes_own_generators_is_no_exception():
    cell = a_cell({"use": f"{PLANTED}:drawing"})
    one = performed(cell)
    performed(a_cell({"use": f"{PLANTED}:good"}))
    same_arrays(one.arrays, performed(cell).arrays)


def compared(folder):
    """What a run left that no clock decides: rows without costs, arrays, traces without seconds."""
    rows = load_results(folder)
    assert not set(rows["status"]) & {"failed", "memory", "timeout"}, rows[["method", "status", "message"]].to_string()
    arrays = {cell: load_arrays(folder, cell) for cell in rows["cell"]}
    traces = {cell: load_trace(folder, cell).drop(columns="seconds") for cell in rows["cell"]}
    return rows.drop(columns=COST), arrays, traces


def same_by_every_engine(tmp_path, engines, methods, **tables):
    grid = {"dataset": [TINY], "method": methods, "width": [3], "timeout": 500.0, **tables}
    first = None
    for name in engines:
        executor, jobs = ENGINES[name]
        run(check_spec({**grid, "jobs": jobs}), tmp_path / name, executor=executor)
        rows, arrays, traces = compared(tmp_path / name)
        first = first or (rows, arrays, traces)
        pd.testing.assert_frame_equal(rows, first[0], check_exact=True, obj=name)
        for cell in rows["cell"]:
            same_arrays(arrays[cell], first[1][cell])
            pd.testing.assert_frame_equal(traces[cell], first[2][cell], check_exact=True, obj=name)


@pytest.mark.thorough
@pytest.mark.timeout(240)
def test_every_engine_gives_the_same_numbers(tmp_path):
    pytest.importorskip("distributed")
    methods = [{"name": "sdp"}, {"name": "lbfgs"}, {"use": f"{PLANTED}:drawing"}]
    same_by_every_engine(tmp_path, ["one job", "dask"], methods)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    ("gamma", "names"), [(0.1, list(METHODS)), ("cv", ["sdp", "lbfgs", "forest", "nngp", "rbf"])], ids=["given", "cv"]
)
def test_every_engine_gives_the_same_numbers_for_every_method(tmp_path, gamma, names):
    pytest.importorskip("distributed")
    same_by_every_engine(tmp_path, ENGINES, [{"name": name} for name in names], gamma=[gamma], seed=[0, 1])
