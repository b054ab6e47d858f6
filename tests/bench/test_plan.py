"""What a folder holds of earlier runs: it stays in the tables, but for what newer code or data took the place of."""

import json
import sys

import numpy as np
import pytest
from relaxbench.bench.compare.match import read_side
from relaxbench.bench.engine.run import run
from relaxbench.bench.grid.spec import check_spec
from relaxbench.bench.results.folder import load_plan, load_results, load_tightness
from relaxbench.bench.results.plan import united

METHOD = """
import numpy as np
from relaxbench.solvers.fit import Fit
from relaxbench.solvers.network import Network

def train(problem, *, width, budget, scale: float = 1.0):
    network = Network(np.full((problem.d, width), scale), np.ones((width, problem.c)))
    return Fit(network.predict, network)
"""


@pytest.fixture
def own(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "own.py").write_text(METHOD, encoding="utf-8")
    return tmp_path / "own.py"


def ran(own, out, data=None, options=(), **tables):
    data = data or {"name": "random", "n": 5}
    method = [{"use": f"{own}:train", **dict(options)}]
    return run(check_spec({"dataset": [data], "method": method, "jobs": 1, "width": 2, **tables}), out)


@pytest.mark.thorough
def test_rows_of_other_grids_stay_and_the_summary_is_of_this_one(own, tmp_path):
    out = tmp_path / "out"
    ran(own, out, gamma=[0.1, 0.2])
    summary = ran(own, out, gamma=[0.2, 0.3])
    assert (summary.cells, summary.kept, summary.ended) == (2, 1, 2)
    assert sorted(load_results(out)["gamma"]) == [0.1, 0.2, 0.3]
    assert sorted(load_tightness(out)["gamma"]) == [0.1, 0.2, 0.3]
    ran(own, out, data={"name": "random", "n": 6}, gamma=[0.1])
    assert sorted(load_results(out)["n"]) == [5, 5, 5, 6]
    assert len(read_side(out).rows) == 4


@pytest.mark.thorough
def test_a_row_gives_way_to_one_by_newer_code(own, tmp_path):
    out = tmp_path / "out"
    ran(own, out, gamma=[0.1, 0.2])
    before = load_results(out).set_index("gamma")["cell"]
    own.write_text(METHOD.replace("scale)", "2 * scale)"), encoding="utf-8")
    assert ran(own, out, gamma=[0.1]).kept == 0
    after = load_results(out).set_index("gamma")["cell"]
    assert sorted(after.index) == [0.1, 0.2]
    assert after[0.1] != before[0.1]
    assert after[0.2] == before[0.2]
    assert len(read_side(out).rows) == 2


@pytest.mark.thorough
def test_a_row_gives_way_to_one_on_the_data_of_the_same_file_as_it_is_now(own, tmp_path):
    out, file = tmp_path / "out", tmp_path / "my.npz"
    for n in (6, 7):
        np.savez(file, X=np.eye(n, 3), Y=np.eye(n, 2))
        ran(own, out, data={"name": f"file:{file}", "test_fraction": 0.0})
        assert load_results(out)["n"].tolist() == [n]
    (tmp_path / "other").mkdir()
    np.savez(tmp_path / "other" / "my.npz", X=np.eye(8, 3), Y=np.eye(8, 2))
    ran(own, out, data={"name": f"file:{tmp_path / 'other' / 'my.npz'}", "test_fraction": 0.0})
    assert sorted(load_results(out)["n"]) == [7, 8], "another file of the same name is other data"


def row(cell, **columns):
    return {"cell": cell, "dataset": "iris", "method": "sdp", "gamma": 0.1, "data": "d", "code": "c", **columns}


@pytest.mark.parametrize(
    ("new", "old", "stays"),
    [
        ({}, {}, False),
        ({}, {"seed": 1}, True),
        ({}, {"gamma": None, "gamma_by": "cv"}, True),
        ({"options": '{"a":1}'}, {"options": '{"a":2}'}, True),
        ({"options": '{"a":1,"b":0}'}, {"options": '{"a":1}', "code": "older"}, False),
        ({"options": '{"a":1,"b":0}'}, {"options": '{"a":1}'}, True),
        ({"options": '{"a":1,"b":0}'}, {"options": '{"a":2}', "code": "older"}, True),
        ({"options": '{"a":1}'}, {"options": "nonsense"}, True),
        ({"data_asked": "w"}, {"data": "e", "data_asked": "w"}, False),
        ({"data_asked": "w"}, {"data": "e", "data_asked": "v"}, True),
        ({"data_asked": "w"}, {"data": "e"}, True),
        ({}, {"seed": [1], "width": {}}, True),
    ],
)
def test_which_rows_give_way(new, old, stays):
    plan = united([row("new", **new)], [row("old", **old)])
    assert [one["cell"] for one in plan] == ["new", "old"] if stays else ["new"]


@pytest.mark.thorough
def test_what_never_ended_and_a_damaged_plan_do_not_stay(own, tmp_path):
    out = tmp_path / "out"
    ran(own, out, gamma=[0.1])
    plan = json.loads((out / "plan.json").read_text())
    (out / "plan.json").write_text(json.dumps([*plan, {**plan[0], "cell": "abc", "gamma": 0.7}]))
    ran(own, out, gamma=[0.2])
    assert sorted(load_plan(out)["gamma"]) == [0.1, 0.2]
    (out / "plan.json").write_text("[")
    with pytest.warns(RuntimeWarning, match="rows of earlier runs are left out"):
        ran(own, out, gamma=[0.2])
    assert load_results(out)["gamma"].tolist() == [0.2]
