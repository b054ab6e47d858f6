"""possum and cifar10 from planted files: what is read, coded, dropped, and refused."""

import numpy as np
import pytest
from relaxbench.datasets import BROUGHT, DataError, describe, load
from relaxbench.datasets.brought import BATCHES, TEST_BATCH

HEADER = ",case,site,Pop,sex,age,hdlngth,skullw,totlngth,taill,footlgth,earconch,eye,chest,belly"
ROW = '"C{k}",{k},1,"{pop}","{sex}",{age},94.1,60.4,{length},36,74.5,54.5,15.2,28,36'


@pytest.fixture
def possums(tmp_path):
    rows = [
        ROW.format(k=k, pop=("Vic", "other")[k % 2], sex="mf"[k % 3 == 0], age="NA" if k == 3 else k, length=80 + k)
        for k in range(1, 9)
    ]
    (tmp_path / "possum.csv").write_text("\n".join([HEADER, *rows]), encoding="utf-8")
    return tmp_path


def test_possum_drops_rows_with_missing_values_and_codes_two_levels_as_one_column(possums):
    data = load("possum", data_dir=possums, test_fraction=0.0)
    assert data.X_train.shape == (7, 12)
    ages = data.X_train[:, 1]
    np.testing.assert_array_equal(ages, [1, 2, 4, 5, 6, 7, 8])
    np.testing.assert_array_equal(data.Y_train[:, 0], 80 + ages)
    np.testing.assert_array_equal(data.X_train[:, 10], ages % 2 == 0)
    np.testing.assert_array_equal(data.X_train[:, 11], ages % 3 != 0)
    assert data.labels is None
    assert "sha256" in data.provenance["version"]


def test_possum_without_its_columns_is_refused(tmp_path):
    (tmp_path / "possum.csv").write_text("site,age\n1,2\n", encoding="utf-8")
    with pytest.raises(DataError, match="Got none hdlngth"):
        load("possum", data_dir=tmp_path)


@pytest.fixture
def batches(tmp_path):
    rng = np.random.default_rng(0)
    for file in (*BATCHES, TEST_BATCH):
        records = rng.integers(0, 256, size=(20, 3073), dtype=np.uint8)
        records[:, 0] = np.arange(20) % 10
        records.tofile(tmp_path / file)
    return tmp_path


def test_cifar10_is_read_from_the_binary_batches(batches):
    data = load("cifar10", data_dir=batches, n=100, n_test=20)
    assert (data.X_train.shape, data.X_test.shape) == ((100, 3072), (20, 3072))
    np.testing.assert_array_equal(data.Y_train.sum(axis=0), 10)
    raw = np.fromfile(batches / TEST_BATCH, dtype=np.uint8).reshape(-1, 3073)
    np.testing.assert_array_equal(data.X_test, raw[:, 1:])
    np.testing.assert_array_equal(np.argmax(data.Y_test, axis=1), raw[:, 0])


def test_damaged_batches_are_refused(batches):
    with (batches / TEST_BATCH).open("ab") as stream:
        stream.write(b"x")
    with pytest.raises(DataError, match=r"must hold records of 3073 bytes\. Got 61461"):
        load("cifar10", data_dir=batches, n=10, n_test=10)
    np.full(3073, 10, dtype=np.uint8).tofile(batches / TEST_BATCH)
    with pytest.raises(DataError, match="labels below 10"):
        load("cifar10", data_dir=batches, n=10, n_test=1)


@pytest.mark.parametrize("name", BROUGHT)
def test_without_the_file_one_line_says_where_it_comes_from(name, tmp_path):
    for folder in (None, tmp_path):
        with pytest.raises(DataError, match=f"{name} must have .* in the folder of --data") as caught:
            load(name, data_dir=folder)
        assert "\n" not in str(caught.value)
    assert "--data" in describe(name)
