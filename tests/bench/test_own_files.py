"""A user's method is computed again when anything behind it changes: its file, what that imports, the data it names."""

import sys

import pytest
from relaxbench.bench.engine.run import run
from relaxbench.bench.grid.cell import expand
from relaxbench.bench.grid.methods import find
from relaxbench.bench.grid.spec import check_spec
from relaxbench.bench.results.folder import load_arrays, load_results
from relaxbench.bench.text import UsageError

FILES = {
    "mine.py": "from own_helper import network\nimport own_pack.deep\nFINGERPRINT_FILES = ['weights.txt']\n"
    "def train(problem, *, budget):\n"
    "    import own_late\n"
    "    from relaxbench.solvers.fit import Fit\n"
    "    fitted = network(problem)\n"
    "    return Fit(fitted.predict, fitted)\n",
    "own_helper.py": "import numpy as np\nfrom pathlib import Path\nfrom relaxbench import Network\n"
    "def network(problem):\n"
    "    scale = float(Path(__file__).with_name('weights.txt').read_text())\n"
    "    return Network(np.full((problem.d, 1), scale), np.ones((1, problem.c)))\n",
    "own_pack/__init__.py": "",
    "own_pack/deep.py": "from . import beside\nfrom .inner.core import thing\n",
    "own_pack/beside.py": "FINGERPRINT_FILES: list[str] = ['table.csv']\n",
    "own_pack/table.csv": "1,2,3\n",
    "own_pack/inner/__init__.py": "",
    "own_pack/inner/core.py": "thing = 1\n",
    "own_late.py": "",
    "weights.txt": "1.0",
    "unrelated.py": "",
    "numpy.txt": "",
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    yield tmp_path
    for name in [name for name in sys.modules if name.startswith("own_")]:
        del sys.modules[name]


def spec(folder):
    table = {"use": f"{folder / 'mine.py'}:train"}
    return check_spec({"dataset": [{"name": "random", "n": 5}], "method": [table], "jobs": 1})


@pytest.mark.thorough
def test_the_hash_follows_every_file_behind_the_method_and_no_other(folder):
    def hash_after(name, text):
        (folder / name).write_text(text, encoding="utf-8")
        (cell,) = expand(spec(folder))
        return cell.hash

    for name in FILES.keys() - {"unrelated.py", "numpy.txt"}:
        before = hash_after(name, FILES[name])
        assert hash_after(name, FILES[name] + ("\nmore = 2\n" if name.endswith(".py") else "4")) != before, name
        assert hash_after(name, FILES[name]) == before
    assert hash_after("own_pack/table.csv", "1,2,3 # no comment in a csv\n") != before
    before = hash_after("own_pack/table.csv", FILES["own_pack/table.csv"])
    assert hash_after("unrelated.py", "more = 2\n") == before


@pytest.mark.thorough
def test_a_run_computes_again_what_other_weights_change(folder, tmp_path):
    assert run(spec(folder), tmp_path / "out").kept == 0
    assert run(spec(folder), tmp_path / "out").kept == 1
    (folder / "weights.txt").write_text("2.0")
    assert run(spec(folder), tmp_path / "out").kept == 0
    (cell,) = load_results(tmp_path / "out")["cell"]
    assert load_arrays(tmp_path / "out", cell)["network_U"].ravel().tolist() == [2.0, 2.0]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("FINGERPRINT_FILES = ['nowhere.npz']", r"must name files that exist\. Got 'nowhere\.npz'"),
        ("FINGERPRINT_FILES = ['own_pack']", r"must name files that exist\. Got 'own_pack'"),
        ("FINGERPRINT_FILES = 'weights.txt'", "must be a list of paths, written out"),
        ("FINGERPRINT_FILES = [str(3)]", "must be a list of paths, written out"),
        ("FINGERPRINT_FILES = [3]", "must be a list of paths, written out"),
    ],
)
def test_files_that_cannot_be_had_are_refused_in_one_line(folder, line, words):
    (folder / "other.py").write_text(f"{line}\ndef train(problem, *, budget): ...\n")
    with pytest.raises(UsageError, match=words) as caught:
        find(f"{folder / 'other.py'}:train")
    assert "\n" not in str(caught.value)
