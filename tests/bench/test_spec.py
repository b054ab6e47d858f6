import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from relaxbench.bench.grid.cell import expand
from relaxbench.bench.grid.config import shipped_configs
from relaxbench.bench.grid.resolve import read_config, resolve
from relaxbench.bench.grid.spec import Spec, check_spec
from relaxbench.bench.text import UsageError
from relaxbench.datasets import GROUPS, DataError
from relaxbench.datasets.instances import find, instances

PLANTED = Path(__file__).parents[1] / "support" / "planted.py"
TABLES = {"dataset": [{"name": "iris"}], "method": [{"use": f"{PLANTED}:good"}]}


def refused(tables):
    with pytest.raises(UsageError) as caught:
        check_spec(tables, "my.toml")
    line = str(caught.value)
    assert line.startswith("my.toml: ")
    assert "\n" not in line
    return line


def test_defaults_and_single_values_become_lists():
    spec = check_spec({**TABLES, "gamma": 0.5, "seed": "1..3", "width": [10, 20]})
    assert spec.gamma == [0.5]
    assert spec.seed == [1, 2, 3]
    assert spec.width == [10, 20]
    assert spec.dataset[0].data_seed == [0]
    assert spec.dataset[0].preprocess == ["none"]


def test_integers_pass_as_gamma():
    assert check_spec({**TABLES, "gamma": [1]}).gamma == [1.0]


@pytest.mark.parametrize(
    ("tables", "words"),
    [
        ({**TABLES, "gama": 0.1}, ["'gama'", "Did you mean 'gamma'?"]),
        ({**TABLES, "gamma": -0.5}, ["gamma[1]", "greater than 0", "-0.5"]),
        ({**TABLES, "gamma": 0}, ["gamma[1]", "greater than 0"]),
        ({**TABLES, "gamma": float("nan")}, ["gamma[1]"]),
        ({**TABLES, "gamma": float("inf")}, ["gamma[1]"]),
        ({**TABLES, "gamma": []}, ["gamma"]),
        ({**TABLES, "gamma": "0.1"}, ["gamma[1]", "'0.1'"]),
        ({**TABLES, "width": 0}, ["width[1]", "0"]),
        ({**TABLES, "width": 1.5}, ["width[1]", "1.5"]),
        ({**TABLES, "seed": -1}, ["seed[1]", "-1"]),
        ({**TABLES, "seed": "3..1"}, ["seed", "rise"]),
        ({**TABLES, "seed": "0..99999999999"}, ["seed", "at most"]),
        ({**TABLES, "timeout": 0}, ["timeout"]),
        ({**TABLES, "memory": -1}, ["memory"]),
        ({**TABLES, "jobs": 0}, ["jobs"]),
        ({"method": TABLES["method"]}, ["dataset is missing", "--dataset"]),
        ({"dataset": TABLES["dataset"]}, ["method is missing"]),
        ({**TABLES, "dataset": []}, ["dataset"]),
        ({**TABLES, "dataset": [{"nam": "iris"}]}, ["dataset[1].name is missing: each table needs one."]),
        ({**TABLES, "dataset": [{"name": "iris", "n": 0}]}, ["dataset[1].n[1]", "0"]),
        ({**TABLES, "dataset": [{"name": "iris", "test_fraction": 1.5}]}, ["test_fraction", "1.5"]),
        ({**TABLES, "method": [{"name": "sgd", "use": "x.py:f"}]}, ["method[1]", "either"]),
        ({**TABLES, "method": [{}]}, ["method[1]", "either"]),
        ({**TABLES, "dataset": "iris"}, ["dataset", "'iris'"]),
    ],
)
def test_what_is_wrong_is_one_line_with_place_and_value(tables, words):
    line = refused(tables)
    for word in words:
        assert word in line, line


def test_the_resolved_spec_is_a_config_that_means_the_same(tmp_path):
    spec = check_spec({**TABLES, "gamma": [0.1, 1 / 3], "seed": "0..2", "about": "déjà vu", "memory": 2.5})
    (tmp_path / "spec.toml").write_text(spec.toml(), encoding="utf-8")
    assert resolve(str(tmp_path / "spec.toml"), {}, {}) == spec


@pytest.mark.parametrize("name", list(shipped_configs()))
def test_shipped_configs_are_valid(name):
    assert resolve(name, {}, {}).about


def test_configs_have_the_promised_grids():
    assert {"smoke", "paper", "paper-full"} <= set(shipped_configs())
    smoke = resolve("smoke", {}, {})
    assert {table.name for table in smoke.method} == {"sdp", "nngp", "ntk", "sgd"}
    assert (smoke.gamma, smoke.width) == ([0.1, 0.01], [10, 100])
    assert sum(len(table.data_seed) for table in smoke.dataset) == 4
    for paper in (resolve(name, {}, {}) for name in ("paper", "paper-full")):
        assert {len(table.bias) for table in paper.dataset} == {2}
        assert {table.name: len(table.data_seed) for table in paper.dataset} == {
            **dict.fromkeys(("spiral", "iris", "ionosphere", "pima", "banknote", "mnist"), 1),
            "random": 100,
        }
        descents = [table for table in paper.method if table.name == "sgd"]
        assert all((table.width, table.seed) == ([5, 10, 100, 200, 300], [0, 1, 2, 3, 4]) for table in descents)
        for gamma in paper.gamma:  # every data set once
            named = [name for table in descents if gamma in (table.gamma or paper.gamma) for name in table.dataset]
            assert sorted(named) == sorted(table.name for table in paper.dataset)


def config(tmp_path, text):
    path = tmp_path / "config.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_the_command_line_replaces_lists_also_those_of_single_methods(tmp_path):
    path = config(
        tmp_path,
        f'gamma = [1.0, 2.0]\n[[dataset]]\nname = "spiral"\npoints = 9\n[[dataset]]\nname = "iris"\n'
        f'[[method]]\nuse = "{PLANTED}:good"\nwidth = [3]\nscale = 2.0\n[[method]]\nuse = "{PLANTED}:plain"\n',
    )
    spec = resolve(path, {"dataset": ["spiral", "random"], "width": [7], "bias": True, "gamma": None}, {})
    assert [table.name for table in spec.dataset] == ["spiral", "random"]
    assert spec.dataset[0].model_extra == {"points": 9}
    assert [table.bias for table in spec.dataset] == [[True], [True]]
    assert spec.method[0].width is None
    assert spec.method[0].model_extra == {"scale": 2.0}
    assert spec.width == [7]
    assert spec.gamma == [1.0, 2.0]
    chosen = resolve(path, {"method": [f"{PLANTED}:good"]}, {"scale": [0.5, 0.25]})
    assert chosen.method[0].model_extra == {"scale": [0.5, 0.25]}
    assert chosen.method[0].width == [3]


def test_what_a_config_leaves_open_comes_from_the_command_line(tmp_path):
    path = config(tmp_path, "gamma = 0.5\n")
    spec = resolve(path, {"dataset": ["iris"], "method": [f"{PLANTED}:good"], "test_fraction": [0.25]}, {})
    assert (spec.gamma, spec.dataset[0].test_fraction, spec.method[0].use) == ([0.5], [0.25], f"{PLANTED}:good")
    bare = resolve(None, {"dataset": ["iris"], "method": ["sdp"], "seed": ["0..2"], "jobs": 1}, {})
    assert (bare.dataset[0].name, bare.method[0].name, bare.seed, bare.jobs) == ("iris", "sdp", [0, 1, 2], 1)
    with pytest.raises(UsageError, match="method is missing: give one with --method"):
        resolve(path, {"dataset": ["iris"]}, {})


def test_a_config_is_checked_as_it_stands_and_again_with_the_command_line(tmp_path):
    path = config(tmp_path, 'gamma = 0\n[[dataset]]\nname = "iris"\n[[method]]\nname = "sdp"\n')
    with pytest.raises(UsageError, match=r"config\.toml: gamma\[1\]: .*Got 0 "):
        resolve(path, {"gamma": [0.1]}, {})
    for lists, words in (
        ({"gamma": [0.1, -1.0]}, r"gamma\[2\].*Got -1\.0 "),
        ({"test_fraction": [0.5, 2.0]}, r"dataset\[1\]\.test_fraction\[2\].*Got 2\.0 "),
        ({"preprocess": []}, r"dataset\[1\]\.preprocess.*Got \[\] "),
        ({"dataset": []}, r"dataset: .*at least 1 item.*Got \[\] "),
        ({"method": [""]}, "--method: must have either name"),
    ):
        with pytest.raises(UsageError, match=words) as error:
            resolve("smoke", lists, {})
        assert "smoke: " not in str(error.value)  # the config is not to blame


def test_a_group_of_data_sets_stands_for_its_members(tmp_path):
    group = 'preprocess = "standardize"\nn = 40\n'
    path = config(
        tmp_path,
        f'[[dataset]]\nname = "small/*"\n{group}[[dataset]]\nname = "iris"\n[[method]]\nuse = "{PLANTED}:good"\n',
    )
    spec = resolve(path, {}, {})
    assert [table.name for table in spec.dataset] == [*GROUPS["small/*"], "iris"]
    assert all((table.preprocess, table.n) == (["standardize"], [40]) for table in spec.dataset[:-1])
    again = tmp_path / "again.toml"
    again.write_text(spec.toml(), encoding="utf-8")
    assert read_config(str(again)).dataset == spec.dataset

    chosen = resolve(path, {"dataset": ["small-regression", "pima"]}, {})
    assert [table.name for table in chosen.dataset] == [*GROUPS["small-regression"], "pima"]
    assert [table.n for table in chosen.dataset] == [[40]] * 22 + [[]]  # the config's keys hold for single members
    bare = resolve(None, {"dataset": ["small-classification"], "method": ["sdp"]}, {})
    assert [table.name for table in bare.dataset] == list(GROUPS["small-classification"])


def test_an_unknown_group_is_refused_with_the_nearest():
    spec = resolve(None, {"dataset": ["small-clasification"], "method": ["sdp"]}, {})
    with pytest.raises(DataError, match="did you mean 'small-classification'"):
        expand(spec)


def test_an_option_that_no_method_has_is_refused():
    with pytest.raises(UsageError, match="--solver must be an option of a method"):
        resolve(None, {"dataset": ["iris"], "method": [f"{PLANTED}:good"]}, {"solver": ["ipm"]})


def test_paths_are_relative_to_the_config(tmp_path, monkeypatch):
    monkeypatch.chdir("/")
    path = config(tmp_path, '[[dataset]]\nname = "file:my.npz"\n[[method]]\nuse = "own.py:f"\n')
    spec = resolve(path, {}, {})
    assert spec.dataset[0].name == f"file:{tmp_path / 'my.npz'}"
    assert spec.method[0].use == f"{tmp_path / 'own.py'}:f"


@pytest.mark.parametrize("content", [b"gamma = [", b"\xff\xfe", b"a" * 2_000_000, b"a = " + b"[" * 5000])
def test_what_is_not_toml_is_refused(tmp_path, content):
    path = tmp_path / "config.toml"
    path.write_bytes(content)
    with pytest.raises(UsageError, match="must be a TOML file"):
        read_config(str(path))


def test_an_unknown_config_names_the_nearest():
    with pytest.raises(UsageError, match="Did you mean 'smoke'"):
        read_config("smokey")


KEYS = st.sampled_from([*Spec.model_fields, "nonsense", ""])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["0..3", "iris"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5) | KEYS, inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(KEYS, VALUES, max_size=5))
def test_any_tables_make_a_spec_or_one_line(tables):
    try:
        spec = check_spec({**TABLES, **tables})
    except UsageError as error:
        line = str(error)
    else:
        line = ""
        assert check_spec(tomllib.loads(spec.toml())) == spec
    assert "\n" not in line.replace(repr(tables), "")


RESTRICTED = """
[[dataset]]
name = "iris"
[[dataset]]
name = "small-regression"
[[dataset]]
name = "file:mine.csv"
[[method]]
name = "forest"
dataset = ["small-regression", "file:mine.csv"]
[[method]]
name = "ridge"
dataset = "iris"
[[method]]
name = "rbf"
"""


def test_data_sets_of_a_method_may_be_groups_and_files(tmp_path):
    draft = read_config(config(tmp_path, RESTRICTED))
    mine = f"file:{(tmp_path / 'mine.csv').resolve()}"
    assert [table.dataset for table in draft.method] == [[*GROUPS["small-regression"], mine], ["iris"], None]
    assert Spec.model_validate(tomllib.loads(resolve(config(tmp_path, RESTRICTED), {}, {}).toml())).method


def test_a_table_that_is_for_other_data_sets_is_left_out(tmp_path):
    path = config(tmp_path, RESTRICTED)
    left = {table.name: table.dataset for table in resolve(path, {"dataset": ["iris"]}, {}).method}
    assert left == {"ridge": ["iris"], "rbf": None}
    with pytest.raises(UsageError, match="method"):
        resolve(path, {"dataset": ["iris"], "method": ["forest"]}, {})


def test_a_method_for_a_data_set_that_the_run_does_not_have_is_refused(tmp_path):
    tables = {"dataset": [{"name": "iris"}], "method": [{"name": "sgd", "dataset": ["irsi"]}]}
    assert refused(tables) == "my.toml: data set of sgd is unknown: 'irsi'. Did you mean 'iris'?"
    path = config(tmp_path, RESTRICTED.replace('dataset = "iris"', 'dataset = "irsi"'))
    for lists in ({}, {"dataset": ["spiral"]}, {"method": ["rbf"]}):
        with pytest.raises(UsageError, match=r"Did you mean 'iris'\?"):
            resolve(path, lists, {})
    assert "dataset" in refused({**TABLES, "method": [{"name": "sgd", "dataset": []}]})
    assert "dataset" in refused({**TABLES, "method": [{"name": "sgd", "dataset": 3}]})


@pytest.mark.thorough
def test_an_instance_brings_its_own_data_and_gamma(tmp_path):
    names = ["instances/iris-n30-std-g0.01", "instances/mnist-n50-pca5-g10"]
    given = {"dataset": [*names, "random"], "method": ["cpp", "sdp"], "gamma": [0.5]}
    spec = resolve(None, given, {})
    found = {(cell.data.instance, cell.data.rounded, cell.gamma, cell.data.n_test) for cell in expand(spec)}
    known = {(one.name, one.rounded, one.gamma, 0) for one in map(find, ("iris-n30-std-g0.01", "mnist-n50-pca5-g10"))}
    assert known < found
    assert {gamma for name, _, gamma, _ in found if not name} == {0.5}  # the run's γ is that of all other data
    (tmp_path / "spec.toml").write_text(spec.toml(), encoding="utf-8")
    assert [cell.hash for cell in expand(resolve(str(tmp_path / "spec.toml"), {}, {}))] == [
        cell.hash for cell in expand(spec)
    ]
    by_name = resolve(None, {"dataset": names[:1], "method": ["cpp"]}, {})
    by_options = check_spec(
        {
            "dataset": [{"name": "iris", "n": 30, "preprocess": "standardize", "test_fraction": 0.0}],
            "method": [{"name": "cpp"}],
            "gamma": 0.01,
        }
    )
    assert expand(by_name)[0].hash == expand(by_options)[0].hash  # the same cell, however it is asked for


def test_all_instances_are_a_group_and_a_method_may_be_for_one():
    spec = check_spec(
        {"dataset": [{"name": "instances/*"}], "method": [{"name": "sdp", "dataset": ["instances/iris-g0.1"]}]}
    )
    assert [table.name for table in spec.dataset] == [f"instances/{one.name}" for one in instances()]
    spec = spec.model_copy(update={"dataset": [one for one in spec.dataset if "iris-g" in one.name]})
    assert {cell.data.instance for cell in expand(spec)} == {"iris-g0.1"}


@pytest.mark.parametrize(
    ("table", "more", "words"),
    [
        ({"n": 20}, {}, "must come without n"),
        ({"bias": True}, {}, "must come without bias"),
        ({"points": 3}, {}, "must come without points"),
        ({}, {"gamma": 0.5}, "must come without gamma"),
    ],
)
def test_an_instance_takes_nothing_in_place_of_its_own(table, more, words):
    assert words in refused({**TABLES, "dataset": [{"name": "instances/iris-g0.1", **table}], **more})


def test_an_unknown_instance_is_named_with_what_is_near():
    with pytest.raises(DataError, match=r"Did you mean 'iris-g0\.1'\?"):
        expand(check_spec({**TABLES, "dataset": [{"name": "instances/iris-g0.2"}]}))
