import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from relaxbench.bench.grid.cell import expand
from relaxbench.bench.grid.fingerprint import code_fingerprint, room_folder
from relaxbench.bench.grid.spec import check_spec
from relaxbench.bench.text import UsageError
from relaxbench.datasets import DataError
from relaxbench.solvers.network import ProblemError

import relaxbench

PLANTED = Path(__file__).parents[1] / "support" / "planted.py"
GOOD, PLAIN = {"use": f"{PLANTED}:good"}, {"use": f"{PLANTED}:plain"}
SMALL = {"name": "random", "n": 6, "n_test": 4}


def cells(**tables):
    return expand(check_spec({"dataset": [SMALL], "method": [GOOD], **tables}))


def test_the_grid_is_the_product_and_axes_that_a_method_ignores_are_left_out():
    found = cells(gamma=[0.1, 1.0], width=[3, 4], seed=[0, 1, 2], method=[GOOD, PLAIN])
    assert len(found) == 2 * (2 * 3 + 1)
    assert {(c.gamma, c.width, c.seed) for c in found if c.method.name.endswith(":plain")} == {
        (0.1, None, None),
        (1.0, None, None),
    }
    assert len({cell.hash for cell in found}) == len(found)


def test_lists_of_options_make_a_grid_and_methods_may_have_axes_of_their_own():
    assert {c.options["scale"] for c in cells(method=[{**GOOD, "scale": [1.0, 2.0]}])} == {1.0, 2.0}
    assert {(c.width, c.seed) for c in cells(method=[{**GOOD, "width": [9], "seed": [8]}])} == {(9, 8)}
    assert len(cells(dataset=[{**SMALL, "n": [5, 6], "data_seed": "0..2", "bias": [False, True]}])) == 12


def test_the_same_cell_twice_is_one():
    assert len(cells(method=[GOOD, GOOD, {**GOOD, "scale": 0.1}], dataset=[SMALL, SMALL], seed=[0, 0])) == 1


def test_cells_say_what_they_are():
    (cell,) = cells(width=3, dataset=[{**SMALL, "bias": True, "data_seed": 5}])
    expected = {
        "dataset": "random",
        "n": 6,
        "d": 3,
        "c": 5,
        "n_test": 4,
        "bias": True,
        "preprocess": "none",
        "data_seed": 5,
        "method": "planted.py:good",
        "width": 3,
        "seed": 0,
        "options": '{"scale":0.1}',
    }
    assert expected.items() <= cell.columns.items()
    assert cell.columns["data"] == f"sha256:{cell.data.sha256[:12]}"


@pytest.mark.parametrize(
    "change",
    [
        {"gamma": 0.2},
        {"width": 4},
        {"seed": 1},
        {"dataset": [{**SMALL, "data_seed": 1}]},
        {"dataset": [{**SMALL, "preprocess": "standardize"}]},
        {"dataset": [{**SMALL, "teacher_width": 7}]},
        {"method": [{**GOOD, "scale": 0.2}]},
        {"method": [{"use": f"{PLANTED}:slow"}]},
    ],
)
def test_what_changes_the_result_changes_the_hash(change):
    base = {"gamma": 0.1, "width": 3, "seed": 0}
    (before,), (after,) = cells(**base), cells(**{**base, **change})
    assert before.hash != after.hash


def test_limits_jobs_and_names_do_not_change_the_hash():
    (before,) = cells()
    (after,) = cells(timeout=1, memory=1, jobs=1, name="another", about="…")
    assert before.hash == after.hash


def test_relaxations_are_shared_by_what_rounds_them():
    sdp = expand(check_spec({"dataset": [SMALL], "method": [{"name": "sdp"}], "width": [3, 4], "seed": [0, 1]}))
    assert len({cell.hash for cell in sdp}) == 4
    assert len({cell.relaxation_hash for cell in sdp}) == 1
    other = expand(check_spec({"dataset": [SMALL], "method": [{"name": "sdp", "solver": "cvxpy-scs"}], "gamma": 0.2}))
    assert other[0].relaxation_hash != sdp[0].relaxation_hash


def test_a_users_file_is_shown_by_its_name_and_hashed_by_its_content(tmp_path):
    hashes = []
    for folder, shift in (("a", 0.0), ("b", 0.0), ("c", 1.0)):
        (tmp_path / folder).mkdir()
        path = tmp_path / folder / "my.npz"
        np.savez(path, X=np.arange(24.0).reshape(12, 2) + shift, Y=np.arange(12.0)[:, None])
        (cell,) = cells(dataset=[{"name": f"file:{path}"}])
        assert cell.columns["dataset"] == "file:my.npz"
        hashes.append(cell.hash)
    assert hashes[0] == hashes[1] != hashes[2]


def test_data_loaded_again_must_be_the_same(tmp_path):
    path = tmp_path / "my.npz"
    np.savez(path, X=np.arange(24.0).reshape(12, 2), Y=np.arange(12.0)[:, None])
    (cell,) = cells(dataset=[{"name": f"file:{path}"}])
    assert cell.data.load().sha256 == cell.data.sha256
    np.savez(path, X=np.arange(24.0).reshape(12, 2) + 1, Y=np.arange(12.0)[:, None])
    with pytest.raises(UsageError, match="must be the data of the run"):
        cell.data.load()


@pytest.mark.parametrize(
    ("tables", "error"),
    [
        ({"dataset": [{"name": "irs"}]}, DataError),
        ({"dataset": [{**SMALL, "teacher": 3}]}, DataError),
        ({"dataset": [{"name": "file:nowhere.npz"}]}, DataError),
        ({"method": [{"name": "sdp", "solver": "imp"}]}, UsageError),
        ({"method": [{"name": "sgdd"}]}, UsageError),
        ({"method": [{**GOOD, "scal": 1.0}]}, UsageError),
    ],
)
def test_what_cannot_run_is_refused(tables, error):
    with pytest.raises(error) as caught:
        cells(**tables)
    assert "\n" not in str(caught.value)
    assert not isinstance(caught.value, ProblemError)


def test_comments_docstrings_and_layout_do_not_count_but_code_does(tmp_path):
    path = tmp_path / "own.py"

    def fingerprint(text):
        path.write_text(text, encoding="utf-8")
        code_fingerprint.__globals__["_file_fingerprint"].cache_clear()
        return code_fingerprint([str(path)])

    base = fingerprint('"""Doc."""\ndef f(x):\n    """Doc."""\n    return x + 1\n')
    assert fingerprint("# a comment\ndef f(x):\n\n    return (x +\n        1)  # why\n") == base
    assert fingerprint('def f(x):\n    """Other."""\n    return x + 2\n') != base
    assert fingerprint("def f(x):\n    return x + 1\n    'not a docstring'\n") != base
    assert fingerprint("def f(x) return") != base


EDITS = """
from functools import cache
from pathlib import Path
from relaxbench.bench.grid import cell, fingerprint
from relaxbench.bench.grid.spec import check_spec

real = fingerprint._file_fingerprint.__wrapped__
by_size = cache(lambda path, size: real(path))  # an edit makes a file longer: what is unchanged is read once

def by_path(path):
    return by_size(path, path.stat().st_size)

by_path.cache_clear = lambda: None
fingerprint._file_fingerprint = by_path

def hashes():
    methods = [{"name": name} for name in ("sdp", "nngp", "sgd")]
    return [c.hash for c in cell.expand(check_spec({"dataset": [{"name": "random", "n": 5}], "method": methods}))]

before = hashes()
for line in open("edits"):
    file, _, text = line.strip().partition(" ")
    with (Path(cell.__file__).parents[2] / file).open("a", encoding="utf-8") as stream:
        stream.write(f"\\n{text}\\n")
    now = hashes()
    print(file, text, *(name for name, a, b in zip(("sdp", "nngp", "sgd"), before, now, strict=True) if a != b))
    before = now
"""


@pytest.mark.thorough
def test_an_edited_solver_changes_its_cells_and_an_edited_report_none(tmp_path):
    ignored = shutil.ignore_patterns("__pycache__", "assets", "files")
    shutil.copytree(Path(relaxbench.__file__).parent, tmp_path / "relaxbench", ignore=ignored)
    for room in ("datasets", "solvers", "baselines", "bench", "reports"):
        shutil.copytree(room_folder(room), tmp_path / "relaxbench" / room, ignore=ignored)
    expected = {
        "reports/__init__.py PLANTED": [],
        "bench/cli/run.py PLANTED": [],
        "datasets/__init__.py PLANTED": [],
        "baselines/sgd.py # comment": [],
        "baselines/sgd.py PLANTED": ["nngp", "sgd"],
        "solvers/relaxation.py PLANTED": ["sdp"],
        "solvers/problem.py PLANTED": ["sdp", "nngp", "sgd"],
        "solvers/tables.py PLANTED": ["sdp", "nngp", "sgd"],
        "solvers/network.py PLANTED": ["sdp", "nngp", "sgd"],
        "solvers/fit.py PLANTED": ["sdp", "nngp", "sgd"],
        "bench/scoring/metrics.py PLANTED": ["sdp", "nngp", "sgd"],
        "bench/scoring/outcome.py PLANTED": ["sdp", "nngp", "sgd"],
        "bench/scoring/gate.py PLANTED": ["sdp", "nngp", "sgd"],
        "solvers/checker/__init__.py PLANTED": ["sdp", "nngp", "sgd"],
        "solvers/verify.py PLANTED": ["sdp", "nngp", "sgd"],
    }
    (tmp_path / "edits").write_text("\n".join(expected))
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", EDITS]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=tmp_path)
    assert done.stdout.splitlines() == [" ".join([edit, *names]) for edit, names in expected.items()], done.stderr


def test_a_method_can_leave_out_data_with_many_rows():
    sizes = [{"name": "random", "n": [8, 12], "d": 2, "c": 1}]
    methods = [{"name": "ridge"}, {"name": "rbf", "up_to_n": 8}]
    cells = expand(check_spec({"dataset": sizes, "method": methods}, "test"))
    assert sorted((cell.method.name, cell.data.n) for cell in cells) == [("rbf", 8), ("ridge", 8), ("ridge", 12)]


def test_a_table_of_a_method_can_be_for_some_data_sets():
    datasets = [{"name": "random", "n": 8, "d": 2, "c": 1}, {"name": "iris"}, {"name": "spiral"}]
    methods = [{"name": "ridge"}, {"name": "forest", "dataset": ["iris", "spiral"], "trees": 2}]
    methods += [{"name": "forest", "dataset": "random", "trees": 3}]
    cells = expand(check_spec({"dataset": datasets, "method": methods}, "test"))
    assert {(cell.data.name, cell.options["trees"]) for cell in cells if cell.method.name == "forest"} == {
        ("random", 3),
        ("iris", 2),
        ("spiral", 2),
    }
    assert {cell.data.name for cell in cells if cell.method.name == "ridge"} == {"random", "iris", "spiral"}
