import os
import subprocess
import sys
from pathlib import Path

import pytest
from relaxbench.bench.grid.methods import check_options, find, load, options, split_options
from relaxbench.bench.grid.registry import METHODS, Method
from relaxbench.bench.text import UsageError

PLANTED = Path(__file__).parents[1] / "support" / "planted.py"


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_every_entry_of_the_table_can_be_called_as_the_harness_will(method):
    assert bool(method.function) != bool(method.relax)
    assert bool(method.relax) == bool(method.round)
    assert method.about
    assert method.code
    for reference in filter(None, (method.function, method.batch, method.relax, method.round)):
        assert callable(load(reference))
    defaults = check_options(method, {})
    assert defaults.keys() == options(method).keys()
    assert check_options(method, defaults) == defaults


def test_the_names_users_know():
    assert {"sdp", "nngp", "ntk", "sgd", "lbfgs"} <= set(METHODS)


def test_an_unknown_method_names_the_nearest():
    with pytest.raises(UsageError, match="Did you mean 'lbfgs'"):
        find("lbgfs")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"mode": "zeros"}, ["option mode", "'zeros'", "Did you mean 'zero'"]),
        ({"mode": 3}, ["option mode", "3"]),
        ({"mod": "zero"}, ["option of method", "'mod'", "Did you mean 'mode'"]),
    ],
)
def test_options_are_checked_against_the_annotations(given, words):
    with pytest.raises(UsageError) as caught:
        check_options(find(f"{PLANTED}:plain"), given)
    for word in words:
        assert word in str(caught.value)


def test_options_come_back_with_their_defaults_and_right_types():
    method = find(f"{PLANTED}:good")
    assert check_options(method, {}) == {"scale": 0.1}
    scale = check_options(method, {"scale": 2})["scale"]
    assert (scale, type(scale)) == (2.0, float)
    with pytest.raises(UsageError, match="option scale"):
        check_options(method, {"scale": "2"})
    (mode,) = options(find(f"{PLANTED}:plain")).values()
    assert str(mode) == "'mean' | 'zero'"


def own(tmp_path, text):
    (tmp_path / "own.py").write_text(text, encoding="utf-8")
    return f"{tmp_path / 'own.py'}:method"


@pytest.mark.parametrize(
    ("signature", "axes"),
    [
        ("problem, *, width, seed, budget", ("width", "seed")),
        ("problem, *, seed, budget", ("seed",)),
        ("problem, *, budget", ()),
        ("problem, **options", ("width", "seed")),
    ],
)
def test_the_axes_of_an_own_method_are_those_it_takes(tmp_path, signature, axes):
    assert find(own(tmp_path, f"def method({signature}): ...")).axes == axes


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("def method(problem): ...", "must be callable as"),
        ("def other(problem, *, budget): ...", "unknown: 'method'"),
        ("method = 3", "unknown: 'method'"),
        ("import no_such_module_anywhere", "No module named"),
        ("raise RuntimeError('two\\nlines')", "RuntimeError: two lines"),
        ("import sys; sys.exit(5)", "SystemExit: 5"),
        ("def method(", "SyntaxError"),
    ],
)
def test_an_own_file_that_will_not_do_is_refused_early(tmp_path, text, words):
    with pytest.raises(UsageError, match=words):
        find(own(tmp_path, text))


def test_a_file_that_is_not_there_is_refused():
    with pytest.raises(UsageError, match="file that exists"):
        find("nowhere/own.py:method")


def test_a_required_option_is_asked_for(tmp_path):
    method = find(own(tmp_path, "def method(problem, *, budget, rate: float): ..."))
    assert str(options(method)["rate"]) == "required"
    assert check_options(method, {"rate": 1}) == {"rate": 1.0}
    with pytest.raises(UsageError, match=r"option rate .* is missing"):
        check_options(method, {})


def test_a_two_stage_method_has_the_options_of_both_and_shares_by_those_of_the_first(tmp_path):
    own(
        tmp_path,
        "def relax(problem, *, budget, solver: str = 'a'): ...\ndef round(problem, relaxation, *, turns: int = 3): ...",
    )
    path = tmp_path / "own.py"
    method = Method("two", "", relax=f"{path}:relax", round=f"{path}:round", code=(str(path),))
    chosen = check_options(method, {"turns": 5})
    assert chosen == {"solver": "a", "turns": 5}
    assert split_options(method, chosen) == ({"solver": "a"}, {"turns": 5})


def test_methods_of_installed_packages_are_found(tmp_path):
    (tmp_path / "plugged.py").write_text(
        "def train(problem, *, seed, budget, rate: float = 1.0):\n    '''Plugged in.'''\n"
    )
    info = tmp_path / "plugged-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: plugged\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[relaxbench.methods]\nplugged-train = plugged:train\n")
    code = (
        "from relaxbench.bench.grid.methods import find, options, plugins\n"
        "method = find('plugged-train')\n"
        "print(method.axes, method.about, str(options(method)['rate']), [m.name for m in plugins()], method.code)"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    expected = f"('seed',) Plugged in. 1.0 ['plugged-train'] ('{tmp_path / 'plugged.py'}',)"
    assert done.stdout.strip() == expected
