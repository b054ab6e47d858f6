from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from relaxbench.bench.canonical import plain
from relaxbench.bench.engine.task import BUDGET_SHARE, RELAX_SHARE, Task, cost, saved_relaxation
from relaxbench.bench.grid.cell import Cell, expand
from relaxbench.bench.grid.registry import Method
from relaxbench.bench.grid.spec import check_spec
from relaxbench.bench.results.record import Record, read_arrays, read_record, read_trace, write_record
from relaxbench.bench.scoring.gate import BOUND_COLUMNS
from relaxbench.bench.scoring.result import Cost
from relaxbench.bench.verify.bounds import forward_objective
from relaxbench.solvers.network import Network

from ..support.work import perform

PLANTED = Path(__file__).parents[1] / "support" / "planted.py"
SMALL = {"name": "random", "n": 6, "n_test": 4}

STAGES = """
import numpy as np
from relaxbench.bench.grid.methods import load
from relaxbench.solvers.fit import Fit, Statistics, TraceRow
from relaxbench.solvers.network import Network
from relaxbench.solvers.relaxation import Relaxation

def relax(problem, *, budget, solver: str = "a"):
    if solver == "failing":
        raise RuntimeError("planted")
    factor = np.full((problem.n + problem.d + problem.c, 2), np.nan if solver == "nan" else 1.0)
    if solver == "short":
        factor = factor[1:]
    certificate = load("PLANTED:weak")(problem, 1e-4, 0.01)
    status = "timeout" if solver == "late" else "ok"
    network = Network(np.ones((problem.d, 1)), np.ones((1, problem.c)))
    trace = [TraceRow(0.0, 0, 1.0, 0.1, 0.2), TraceRow(0.5, 1)]
    said, stats = {"budget": budget}, Statistics(iterations=12)
    return Relaxation(factor, 1.5, certificate, network, trace, said, status, "so far", stats=stats)

def round(problem, relaxation, *, width, seed, budget, turns: int = 1):
    assert relaxation.factor.shape == (problem.n + problem.d + problem.c, 2)
    network = Network(np.ones((problem.d, width)) * turns, np.zeros((width, problem.c)))
    return Fit(network.predict, network, trace=[TraceRow(0.1, 3, 9.0)], info={"budget": budget})
"""


def cells(method="good", **tables):
    return expand(check_spec({"dataset": [SMALL], "method": [{"use": f"{PLANTED}:{method}"}], "width": 3, **tables}))


def test_a_good_method_is_scored_and_its_network_kept():
    (cell,) = cells()
    (result,) = perform(Task((cell,), timeout=100.0))
    columns = result.columns
    data = cell.data.load()
    residual = np.maximum(data.X_train @ result.arrays["network_U"], 0) @ result.arrays["network_V"] - data.Y_train
    penalty = sum(np.sum(array**2) for array in result.arrays.values())
    assert columns["objective"] == pytest.approx(0.5 * np.sum(residual**2) + 0.05 * penalty, rel=1e-12)
    assert (columns["status"], columns["iterations"]) == ("ok", 7)
    assert columns["runtime_s"] == columns["solve_s"] > 0
    assert columns["round_s"] is None
    assert columns["setup_s"] > 0
    assert columns["peak_memory_mb"] > 10
    assert result.trace == [("solve", 0.0, 0, 2.0, None, None), ("solve", 0.1, 1, 1.0, 0.5, None)]
    assert result.info["budget"] == BUDGET_SHARE * 100.0


@pytest.mark.parametrize("flatter", [False, True])
def test_a_network_is_scored_in_float64_as_what_its_arrays_are(flatter):
    (cell,) = expand(
        check_spec({"dataset": [SMALL], "method": [{"use": f"{PLANTED}:single", "flatter": flatter}], "width": 3})
    )
    (result,) = perform(Task((cell,), timeout=9.0))
    U, V = (result.arrays[f"network_{side}"] for side in "UV")
    assert (U.dtype, V.dtype) == (np.float64, np.float64)
    data = cell.data.load()
    truth = forward_objective(U, V, data.X_train, data.Y_train, 0.1)
    assert result.columns["objective"] == pytest.approx(truth, rel=1e-13)


def test_a_method_without_axes_or_network_has_no_objective():
    (cell,) = cells("plain")
    (result,) = perform(Task((cell,), timeout=9.0))
    assert (cell.width, cell.seed) == (None, None)
    assert "objective" not in result.columns
    assert result.columns["test_r2"] < 0.1
    assert result.arrays == {}


def test_a_certificate_becomes_bound_kind_value_and_arrays():
    (cell,) = cells("bounded")
    (result,) = perform(Task((cell,), timeout=9.0))
    assert (result.columns["lower_bound"], result.columns["certificate"]) == (0.0, "doubly nonnegative")
    assert result.columns["claimed_bound"] is None
    assert 0 <= result.columns["verify_s"] < 60
    assert result.columns["relaxation_value"] == 0.0
    np.testing.assert_array_equal(result.arrays["certificate_theta"], np.zeros((6, 5)))


@pytest.mark.parametrize(
    ("seed", "status", "words"),
    [
        (5, "failed", "ValueError: planted in two lines"),
        (7, "diverged", "not finite"),
        (9, "failed", "must return a Fit. Got NoneType"),
        (11, "failed", "outputs a row of X"),
        (13, "failed", "at most 3 neurons. Got 4"),
        (15, "failed", "SystemExit: 3"),
        (17, "memory", "MemoryError"),
        (19, "failed", "status must be one of"),
    ],
)
def test_whatever_a_method_does_there_is_a_row_with_one_line(seed, status, words):
    (cell,) = cells("broken", seed=seed)
    (result,) = perform(Task((cell,), timeout=9.0))
    assert result.columns["status"] == status
    assert words in result.columns["message"]
    assert "\n" not in result.columns["message"]
    assert ("Traceback" in result.traceback) == (status != "diverged")


def batch_cells(tmp_path, text):
    """Two cells of a method that trains all seeds at once."""
    path = tmp_path / "own.py"
    path.write_text(text, encoding="utf-8")
    method = Method("own", "", function=f"{path}:one", batch=f"{path}:many", code=(str(path),))
    return tuple(Cell(cell.data, method, {}, 0.1, 3, cell.seed, "code") for cell in cells(seed=[4, 6]))


BATCH = """
import time
import numpy as np
from relaxbench.solvers.fit import Fit, Statistics
from relaxbench.solvers.network import Network
def many(problem, *, width, seeds, budget):
    time.sleep(0.2)
    networks = [Network(np.ones((problem.d, width)) * seed, np.zeros((width, problem.c))) for seed in seeds]
    return [Fit(n.predict, n, info={"budget": budget}, stats=Statistics(compile_s=0.1)) for n in networks]
"""


def test_seeds_of_a_batch_share_the_time_but_not_the_result(tmp_path):
    four, six = perform(Task(batch_cells(tmp_path, BATCH), timeout=10.0))
    assert four.arrays["network_U"][0, 0] == 4
    assert six.arrays["network_U"][0, 0] == 6
    assert 0.05 <= four.columns["runtime_s"] == six.columns["runtime_s"] < 0.2
    assert four.columns["setup_s"] >= 0.05
    assert four.info["budget"] == BUDGET_SHARE * 2 * 10.0


def test_a_batch_of_the_wrong_length_fails_as_a_whole(tmp_path):
    results = perform(Task(batch_cells(tmp_path, BATCH.replace("in seeds]", "in seeds[1:]]")), timeout=10.0))
    assert [result.columns["status"] for result in results] == ["failed", "failed"]
    assert "list of 2 Fits" in results[0].columns["message"]


def staged_cells(tmp_path, **options):
    path = tmp_path / "stages.py"
    path.write_text(STAGES.replace("PLANTED", str(PLANTED)), encoding="utf-8")
    method = Method("two", "", relax=f"{path}:relax", round=f"{path}:round", code=(str(path),))
    options = {"solver": "a", "turns": 1, **options}
    return tuple(Cell(cell.data, method, options, 0.1, cell.width, 0, "code") for cell in cells(width=[3, 4]))


def store_and_load(folder, result):
    """The relaxation as the next stage gets it: through the disk."""
    write_record(folder, Record(plain(result.columns), {"info": dict(result.info)}, result.arrays, result.trace))
    record = read_record(folder, check_files=True)
    return saved_relaxation(record, read_arrays(folder), read_trace(folder), "relu"), cost(record)


def test_a_relaxation_goes_through_the_store_and_its_cost_into_each_cell(tmp_path):
    both = staged_cells(tmp_path)
    (solved,) = perform(Task(both, timeout=100.0, relaxing=True))
    assert solved.info["budget"] == pytest.approx(RELAX_SHARE * BUDGET_SHARE * 100.0)
    relaxation, spent = store_and_load(tmp_path / "relaxation", solved)
    assert relaxation.certificate.lower_bound == 1e-4
    np.testing.assert_array_equal(relaxation.certificate.proof["rep"], np.full(6, -1))
    assert [row.iteration for row in relaxation.trace] == [0, 1]
    spent = Cost(40.0, spent.setup_s, 41.0, 1e9)
    bound = {name: solved.columns.get(name) for name in BOUND_COLUMNS}
    for cell in both:
        task = Task((cell,), timeout=100.0, relaxation=relaxation, spent=spent, bound=bound)
        (result,) = perform(task)
        columns = result.columns
        assert result.arrays["network_U"].shape == (2, cell.width)
        assert not any(name.startswith("certificate") for name in result.arrays)
        assert columns["runtime_s"] == columns["solve_s"] + columns["round_s"]
        assert columns["solve_s"] == 40.0
        assert columns["cpu_s"] >= 41.0
        assert columns["peak_memory_mb"] == 1e9
        assert (columns["lower_bound"], columns["relaxation_value"], columns["iterations"]) == (1e-4, 1.5, 12)
        assert columns["verify_s"] == solved.columns["verify_s"]
        assert (columns["status"], columns["message"]) == ("ok", "so far")
        assert [line[0] for line in result.trace] == ["solve", "solve", "round"]
        assert result.info["budget"] == pytest.approx(BUDGET_SHARE * 100.0 - 40.0)
        assert task.limit == 60.0


@pytest.mark.parametrize(("scale", "better"), [(None, False), (1e3, False), (1e200, False), (0.0, True)])
def test_a_network_of_the_relaxation_bounds_from_above_whatever_is_rounded(tmp_path, scale, better):
    cell = staged_cells(tmp_path, turns=3)[0]
    (solved,) = perform(Task((cell,), timeout=9.0, relaxing=True))
    assert solved.columns["upper_bound"] > 0
    relaxation, spent = store_and_load(tmp_path / "relaxation", solved)
    network = None if scale is None else Network(np.full((2, 9), scale), np.full((9, 5), scale))
    task = Task((cell,), timeout=9.0, relaxation=replace(relaxation, network=network), spent=spent)
    (result,) = perform(task)
    zero = 0.5 * float(np.sum(cell.data.load().Y_train ** 2))
    assert result.columns["objective"] == pytest.approx(zero + 0.05 * 9 * 6, rel=1e-12)
    assert result.columns["upper_bound"] == pytest.approx(zero if better else result.columns["objective"], rel=1e-12)


@pytest.mark.parametrize(
    ("solver", "status", "words"),
    [
        ("late", "timeout", "so far"),
        ("nan", "diverged", "so far"),
        ("short", "failed", "must have n + d + c = 13 rows"),
        ("failing", "failed", "RuntimeError: planted"),
    ],
)
def test_what_becomes_of_a_relaxation_is_said(tmp_path, solver, status, words):
    (result,) = perform(Task(staged_cells(tmp_path, solver=solver), timeout=9.0, relaxing=True))
    assert result.columns["status"] == status
    assert words in result.columns["message"]
    assert ("factor" in result.arrays) == (status != "failed")


def test_a_method_that_compiles_at_its_first_call_is_rehearsed_once(tmp_path):
    path = tmp_path / "own.py"
    path.write_text(
        "import numpy as np\n"
        "from relaxbench.solvers.fit import Fit\n"
        "calls = []\n"
        "def one(problem, *, budget):\n"
        "    calls.append(problem.n)\n"
        "    if problem.n == 4:\n"
        "        raise RuntimeError('of no concern')\n"
        "    return Fit(lambda X: np.zeros((len(X), problem.c)), info={'calls': str(calls)})\n"
    )
    for rehearse, calls in ((True, ["[4, 6]", "[4, 6, 6]"]), (False, ["[4, 6, 6, 6]"])):
        method = Method(f"own {rehearse}", "", function=f"{path}:one", rehearse=rehearse)
        cell = Cell(cells()[0].data, method, {}, 0.1, None, None, "code")
        for expected in calls:
            (result,) = perform(Task((cell,), timeout=9.0))
            assert (result.columns["status"], result.info["calls"]) == ("ok", expected)


def test_a_relaxation_cut_short_makes_its_cells_timeouts(tmp_path):
    cell = staged_cells(tmp_path, solver="late")[0]
    (solved,) = perform(Task((cell,), timeout=9.0, relaxing=True))
    relaxation, spent = store_and_load(tmp_path / "relaxation", solved)
    (result,) = perform(Task((cell,), timeout=9.0, relaxation=relaxation, spent=spent))
    assert result.columns["status"] == "timeout"
    assert "objective" in result.columns


def test_a_relaxation_that_took_all_the_time_leaves_a_little_to_round():
    task = Task(cells(), timeout=10.0, relaxation=None, spent=Cost(solve_s=30.0))
    assert 0 < task.budget < task.limit <= 1.0
