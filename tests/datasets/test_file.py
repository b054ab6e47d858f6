"""file:PATH: what is read is what was written, and everything else is one clear line."""

import codecs
import os
import pickle
import stat
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest
from relaxbench.datasets import DataError, Dataset, load

RNG = np.random.default_rng(8)
X = RNG.normal(size=(12, 3))
LABELS = np.arange(12) % 3


def npz(folder, **content) -> str:
    np.savez(folder / "a.npz", **content)
    return f"file:{folder / 'a.npz'}"


def table(folder, text: str | bytes) -> str:
    (folder / "a.csv").write_bytes(text.encode() if isinstance(text, str) else text)
    return f"file:{folder / 'a.csv'}"


def refused(name: str, text: str, **options) -> str:
    with pytest.raises(DataError, match=text) as caught:
        load(name, **options)
    message = str(caught.value)
    assert "\n" not in message
    assert message.isprintable()
    assert caught.value.__cause__ is None
    return message


def rows(dataset: Dataset) -> list[list[float]]:
    """All rows of features and targets, from both parts, sorted."""
    both = [np.vstack([getattr(dataset, f"{k}_train"), getattr(dataset, f"{k}_test")]) for k in "XY"]
    return sorted(np.hstack(both).tolist())


# --- what is taken --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("c", range(1, 11))
def test_targets_come_back(tmp_path, c):
    Y = RNG.normal(size=(12, c))
    dataset = load(npz(tmp_path, X=X, Y=Y))
    assert dataset.labels is None
    assert rows(dataset) == sorted(np.hstack([X, Y]).tolist())


@pytest.mark.parametrize(
    ("y", "labels"),
    [
        (LABELS, ("0", "1", "2")),
        (np.array([10, 9, -1] * 4), ("-1", "9", "10")),  # sorted as numbers
        (np.array(["b", "ä", "a"] * 4), ("a", "b", "ä")),
        (LABELS.astype(np.uint8), ("0", "1", "2")),
        (np.array([True, False] * 6), ("False", "True")),
        (np.array([2**63, 2**63 + 1, 5] * 4, dtype=np.uint64), ("5", str(2**63), str(2**63 + 1))),
    ],
)
def test_labels_become_one_hot_in_sorted_order(tmp_path, y, labels):
    dataset = load(npz(tmp_path, X=X, y=y))
    assert dataset.labels == labels
    one_hot = np.array([[float(str(label) == name) for name in labels] for label in y.tolist()])
    assert rows(dataset) == sorted(np.hstack([X, one_hot]).tolist())


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.int8, np.uint64, bool, ">f8", ">i2"])
def test_any_real_dtype(tmp_path, dtype):
    features = (10 * X).astype(dtype)
    dataset = load(npz(tmp_path, X=features, Y=features))
    assert rows(dataset) == sorted(np.hstack([features, features]).astype(float).tolist())


def test_fortran_order_and_compression(tmp_path):
    np.savez_compressed(tmp_path / "b.npz", X=np.asfortranarray(X), y=LABELS)
    plain = load(npz(tmp_path, X=X, y=LABELS))
    assert load(f"file:{tmp_path / 'b.npz'}").sha256 == plain.sha256


def test_test_set_of_its_own(tmp_path):
    dataset = load(npz(tmp_path, X=X, y=LABELS, X_test=X[:2] + 1, y_test=LABELS[:2]))
    np.testing.assert_array_equal(dataset.X_train, X)
    np.testing.assert_array_equal(dataset.X_test, X[:2] + 1)
    assert dataset.Y_test.tolist() == [[1, 0, 0], [0, 1, 0]]
    refused(npz(tmp_path, X=X, y=LABELS, X_test=X, y_test=LABELS), "test set of its own", test_fraction=0.3)
    one = load(npz(tmp_path, X=X[:1], Y=X[:1], X_test=X, Y_test=X))
    assert one.X_train.shape == (1, 3)


def test_one_hot_targets_are_labels(tmp_path):
    one_hot, by_label = load(npz(tmp_path, X=X, Y=np.eye(4)[LABELS])), load(npz(tmp_path, X=X, y=LABELS))
    assert one_hot.labels == ("0", "1", "2", "3")  # a column that no row uses is kept
    np.testing.assert_array_equal(one_hot.Y_train[:, :3], by_label.Y_train)
    assert any("one-hot" in line for line in one_hot.provenance["warnings"])
    for Y in (np.eye(3)[LABELS] * 2, np.ones((12, 1)), np.tile([0.0, 1.0], (12, 1)), np.zeros((12, 2))):
        assert load(npz(tmp_path, X=X, Y=Y)).labels is None


def test_awkward_but_legal_rows_and_columns(tmp_path):
    features = np.zeros((12, 20))  # n < d, zero rows, duplicate and parallel rows, constant columns
    features[1:5, 0] = [1, 1, 2, -1]
    features[:, 7] = 3
    dataset = load(npz(tmp_path, X=features, y=LABELS), preprocess="standardize", bias=True)
    assert np.isfinite(dataset.X_train).all()
    assert np.isfinite(dataset.X_test).all()


def test_provenance_of_a_file(tmp_path):
    import hashlib

    name = npz(tmp_path, X=X, y=LABELS)
    provenance = load(name).provenance
    assert provenance["source"] == str(tmp_path / "a.npz")
    assert hashlib.sha256((tmp_path / "a.npz").read_bytes()).hexdigest() in provenance["version"]


def test_path_from_home_and_relative(tmp_path, monkeypatch):
    npz(tmp_path, X=X, y=LABELS)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert load("file:~/a.npz").sha256 == load("file:a.npz").sha256 == load("file:./a.npz").sha256


CSV = "a,label,b\n1,x,0.1\n2,y,1e-3\n-3, x ,+4\n 5 ,y,.5\n"
ROWS = sorted([[1, 0.1, 1, 0], [2, 1e-3, 0, 1], [-3, 4, 1, 0], [5, 0.5, 0, 1]])


@pytest.mark.parametrize(
    "text",
    [
        CSV,
        CSV.rstrip(),
        CSV.replace("\n", "\r\n"),
        CSV.replace("\n", "\r"),
        "\n\n" + CSV.replace("\n", "\n\n"),
        CSV.replace("label", '" label "'),
        codecs.BOM_UTF8 + CSV.encode(),
        CSV.encode("utf-16"),
        codecs.BOM_UTF16_BE + CSV.encode("utf-16-be"),
        CSV.encode("utf-32"),
    ],
)
def test_csv_with_labels(tmp_path, text):
    dataset = load(table(tmp_path, text))
    assert dataset.labels == ("x", "y")
    assert rows(dataset) == ROWS


def test_csv_with_targets_and_every_digit_of_a_float(tmp_path):
    values = np.concatenate(
        [RNG.normal(size=40) * 10.0 ** RNG.integers(-300, 300, 40), [5e-324, 1.7976931348623157e308]]
    )
    text = "x,target\n" + "".join(f"{v!r},{-v!r}\n" for v in values.tolist())
    dataset = load(table(tmp_path, text))
    assert dataset.labels is None
    assert rows(dataset) == sorted([v, -v] for v in values.tolist())


def test_csv_labels_in_any_script_and_quoted(tmp_path):
    dataset = load(table(tmp_path, 'a,label\n1,"été, ""2"""\n2,汉\n3,<b>&\n4,汉\n'))
    assert set(dataset.labels or ()) == {'été, "2"', "汉", "<b>&"}


# --- what is refused: paths -----------------------------------------------------------------------------------------


def test_paths_that_are_no_data_files(tmp_path):
    refused(f"file:{tmp_path}/absent.npz", "nothing there")
    (tmp_path / "folder.npz").mkdir()
    refused(f"file:{tmp_path}/folder.npz", "a folder")
    refused(f"file:{tmp_path}", "must end in .npz or .csv")
    refused("file:/dev/null", "must end in .npz or .csv")
    os.mkfifo(tmp_path / "pipe.csv")
    refused(f"file:{tmp_path}/pipe.csv", "something else")
    (tmp_path / "to_zero.csv").symlink_to("/dev/zero")
    refused(f"file:{tmp_path}/to_zero.csv", "something else")
    refused("file:" + "a" * 5000 + ".npz", "nothing there")
    refused("file:a\0b.npz", "nothing there")
    refused("file:a\nb\x1b[31m.npz", "nothing there")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_unreadable_file(tmp_path):
    name = npz(tmp_path, X=X, y=LABELS)
    (tmp_path / "a.npz").chmod(stat.S_IWUSR)
    refused(name, "PermissionError")


# --- what is refused: code, bombs, damage ---------------------------------------------------------------------------


class _Payload:
    """Creates the file `path` when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def test_pickles_are_never_run(tmp_path):
    marker = tmp_path / "ran"
    payload = pickle.dumps(_Payload(marker))
    for suffix in ("pkl", "pickle", "joblib", "npy", "npz", "csv"):
        (tmp_path / f"p.{suffix}").write_bytes(payload)
        refused(f"file:{tmp_path}/p.{suffix}", "must")
    refused(npz(tmp_path, X=np.array([[_Payload(marker)]], dtype=object), y=LABELS), "X holds|need a pickle")
    refused(npz(tmp_path, X=X, y=np.array(["a", "b", 3] * 4, dtype=object)), "astype\\(str\\)")
    with zipfile.ZipFile(tmp_path / "b.npz", "w") as archive:
        archive.writestr("X.npy", payload)
        archive.writestr("y.npy", payload)
    refused(f"file:{tmp_path}/b.npz", "must be readable")
    assert not marker.exists()
    pickle.loads(payload)  # the test would see it if one ran
    assert marker.exists()


def member(shape, descr="<f8", data=b"", version=(1, 0)) -> bytes:
    """An .npy file with that header, true or not."""
    header = repr({"descr": descr, "fortran_order": False, "shape": shape}).encode()
    length = struct.pack("<H" if version == (1, 0) else "<I", len(header))
    return b"\x93NUMPY" + bytes(version) + length + header + data


def archive(folder, **members: bytes) -> str:
    with zipfile.ZipFile(folder / "c.npz", "w", zipfile.ZIP_DEFLATED) as file:
        for name, raw in members.items():
            file.writestr(f"{name}.npy", raw)
    return f"file:{folder / 'c.npz'}"


@pytest.mark.parametrize(
    "raw",
    [
        member((10**9, 10**9)),
        member((10**30, 1)),
        member((0, 10**30)),
        member((2**62, 4)),
        member((-1, -1), data=bytes(8)),
        member((2, 2), data=bytes(31)),
        member((2, 2), data=bytes(33)),
        member((2, 2), descr="<U100000000"),
        member((10**15,), descr="<U0"),
        member((2, 2), descr="|O", data=bytes(32)),
        member((2, 2), descr=[("a", "<f8")], data=bytes(32)),
        member((2, 2), descr="<c16", data=bytes(64)),
        member((2, 2), descr="<M8[s]", data=bytes(32)),
        member((2, 2), descr="nonsense", data=bytes(32)),
        member("(2, 2)", data=bytes(32)),
        member((2, 2), version=(3, 0), data=bytes(32)),
        member((2, 2), version=(9, 0), data=bytes(32)),
        member((1,) * 70, data=bytes(8)),
        b"\x93NUMPY\x01\x00" + struct.pack("<H", 60000) + b"(" * 60000,
        b"\x93NUMPY\x02\x00" + struct.pack("<I", 2**32 - 1) + b"{",
        b"\x93NUMPY\x01\x00" + struct.pack("<H", 9000) + b"(" * 9000,
        b"\x93NUMPY",
        b"",
    ],
)
def test_headers_that_lie(tmp_path, raw):
    tracemalloc.start()
    refused(archive(tmp_path, X=raw, y=member((2,), "<i8", bytes(16))), "must")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20e6


@pytest.mark.parametrize("raw", [member((10**9, 10**9)), member((10**15,), descr="<U0")])
def test_header_beyond_the_default_limit(tmp_path, raw):
    refused(archive(tmp_path, X=raw, y=raw), "X must fit into 2,147,483,648 bytes")


def test_an_honest_header_made_by_the_same_helper_is_read(tmp_path):
    good = member((4, 1), data=np.arange(4.0).tobytes())
    assert load(archive(tmp_path, X=good, Y=good)).X_train.shape == (2, 1)


def test_zip_bomb_is_refused_before_it_is_unpacked(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", X=np.zeros((200_000, 10)), y=np.full(10, "a" * 400_000))
    assert (tmp_path / "a.npz").stat().st_size < 100_000
    tracemalloc.start()
    refused(f"file:{tmp_path}/a.npz", "The unpacked content .* must fit into 31,000,000 bytes", max_bytes=31_000_000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5e6


def test_small_integers_are_counted_at_their_size_in_float64(tmp_path):
    name = npz(tmp_path, X=np.zeros((1000, 100), dtype=np.int8), y=np.arange(1000) % 2)
    refused(name, "X must fit into 200,000 bytes. Got 800,000", max_bytes=200_000)


def test_one_hot_labels_of_too_many_classes(tmp_path):
    name = npz(tmp_path, X=np.zeros((2000, 1)), y=np.arange(2000) // 2)
    assert load(name).Y_train.shape == (1000, 1000)
    refused(name, "one-hot labels", max_bytes=1_000_000)


def test_declared_size_that_lies(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", X=np.zeros((1000, 10)), y=np.arange(1000) % 2)
    raw = bytearray((tmp_path / "a.npz").read_bytes())
    declared = struct.pack("<I", 1000 * 10 * 8 + 128)
    assert raw.count(declared)
    (tmp_path / "a.npz").write_bytes(bytes(raw.replace(declared, struct.pack("<I", 400))))
    refused(f"file:{tmp_path}/a.npz", "must", max_bytes=10**6)


@pytest.mark.parametrize("kind", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_compressions(tmp_path, kind):
    with zipfile.ZipFile(tmp_path / "a.npz", "w", kind) as file:
        file.writestr("X.npy", member((2, 1), data=bytes(16)))
    refused(f"file:{tmp_path}/a.npz", "plain or deflated")


def test_members_that_are_not_wanted(tmp_path):
    for name in ("../X.npy", "/etc/X.npy", "X", "x_test.npy", "X.npy/", "extra.npy", "X.npy.npy"):
        with zipfile.ZipFile(tmp_path / "a.npz", "w") as file:
            file.writestr("X.npy", member((2, 1), data=bytes(16)))
            file.writestr(name, b"")
        refused(f"file:{tmp_path}/a.npz", "must hold arrays named|must be readable")
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as file:
        file.writestr("X.npy", member((2, 1), data=bytes(16)))
        with pytest.warns(UserWarning, match="Duplicate"):
            file.writestr("X.npy", member((2, 1), data=bytes(16)))
    refused(f"file:{tmp_path}/a.npz", "each once")
    assert "did you mean 'X_test'" in refused(npz(tmp_path, X=X, y=LABELS, x_test=X), "x_test")


def test_truncated_and_empty_archives(tmp_path):
    npz(tmp_path, X=X, y=LABELS)
    raw = (tmp_path / "a.npz").read_bytes()
    for length in range(0, len(raw), 37):
        (tmp_path / "b.npz").write_bytes(raw[:length])
        refused(f"file:{tmp_path}/b.npz", "must")
    np.savez(tmp_path / "b.npz")
    refused(f"file:{tmp_path}/b.npz", "Got no array")
    np.save(tmp_path / "c.npy", X)
    (tmp_path / "c.npy").rename(tmp_path / "c.npz")
    refused(f"file:{tmp_path}/c.npz", "not a zip file")


def test_encrypted_archive(tmp_path):
    npz(tmp_path, X=X, y=LABELS)
    raw = bytearray((tmp_path / "a.npz").read_bytes())
    for start in (i for i in range(len(raw)) if raw[i : i + 4] in (b"PK\x03\x04", b"PK\x01\x02")):
        raw[start + (6 if raw[start + 2] == 3 else 8)] |= 1
    (tmp_path / "a.npz").write_bytes(bytes(raw))
    refused(f"file:{tmp_path}/a.npz", "must be readable")


# --- what is refused: content of .npz -------------------------------------------------------------------------------

BAD = X.copy()
BAD[4, 1] = np.nan


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ({"X": X}, "Got X instead"),
        ({"y": LABELS}, "Got y instead"),
        ({"X": X, "y": LABELS, "Y": X}, "either Y or y"),
        ({"X": X, "y": LABELS, "X_test": X}, "to match"),
        ({"X": X, "y": LABELS, "X_test": X, "Y_test": X}, "to match"),
        ({"X": X, "y": LABELS, "y_test": LABELS}, "to match"),
        ({"X": X[:0], "y": LABELS[:0]}, "X must have at least one row"),
        ({"X": X[:, :0], "y": LABELS}, "at least one row and one column"),
        ({"X": X, "Y": X[:, :0]}, "Y must have at least one row and one column"),
        ({"X": X[0], "y": LABELS}, "X must have two dimensions.*reshape"),
        ({"X": X[None], "y": LABELS}, "X must have two dimensions"),
        ({"X": np.float64(3), "y": LABELS}, "X must have two dimensions"),
        ({"X": X, "Y": X[:, 0]}, "labels as y"),
        ({"X": X, "y": LABELS[:, None]}, "y.ravel"),
        ({"X": X, "y": np.int64(1)}, "y must have one dimension"),
        ({"X": X, "y": LABELS[:5]}, "X and y must have the same number of rows. Got 12 and 5"),
        ({"X": X, "Y": X[:5]}, "X and Y must have the same number of rows"),
        ({"X": X, "y": LABELS, "X_test": X[:3], "y_test": LABELS}, "X_test and y_test must have"),
        ({"X": X, "y": LABELS, "X_test": X[:, :2], "y_test": LABELS}, "Got 3 and 2"),
        ({"X": X, "y": LABELS, "X_test": X[:0], "y_test": LABELS[:0]}, "X_test must have at least one row"),
        ({"X": X, "Y": X, "X_test": X, "Y_test": X[:, :2]}, "Y and Y_test must have the same number of columns"),
        ({"X": BAD, "y": LABELS}, "X must be finite. Got nan at row 4, column 1"),
        ({"X": X, "Y": np.where(np.isnan(BAD), -np.inf, X)}, "Y must be finite. Got -inf at row 4, column 1"),
        ({"X": X, "y": LABELS, "X_test": BAD, "y_test": LABELS}, "X_test must be finite. Got nan at row 4, column 1"),
        ({"X": np.full((12, 1), np.longdouble("1e4000")), "y": LABELS}, "Got inf at row 0"),
        ({"X": X + 1j, "y": LABELS}, "complex128.*real"),
        ({"X": X.astype(str), "y": LABELS}, "X must hold real numbers"),
        ({"X": X, "y": LABELS * 0}, "at least two classes. Got only '0'"),
        ({"X": X, "y": LABELS * 1.0}, "astype\\(int\\)"),
        ({"X": X, "y": LABELS.astype("S")}, "y must hold labels"),
        ({"X": X, "y": LABELS + 0j}, "y must hold labels"),
        ({"X": X, "y": np.array(["a", "", "b"] * 4)}, "Got '' at row 1"),
        ({"X": X, "y": LABELS, "X_test": X, "y_test": LABELS + 1}, "Got '3' in the test set only"),
        ({"X": X, "y": LABELS, "X_test": X, "y_test": LABELS.astype(str)}, "both hold integers or both strings"),
        ({"X": X, "Y": np.eye(4)[LABELS], "X_test": X, "Y_test": np.eye(4)[LABELS + 1]}, "Got '3' in the test set"),
        ({"X": X, "y": np.arange(12)}, "a class with two rows"),
        ({"X": X[:1], "Y": X[:1]}, "must have two rows"),
        ({"data": X, "indices": LABELS, "shape": LABELS}, "must hold arrays named"),
    ],
)
def test_bad_arrays(tmp_path, content, text):
    refused(npz(tmp_path, **content), text)


def test_bad_options_of_a_file(tmp_path):
    name = npz(tmp_path, X=X, y=LABELS)
    refused(name, "max_bytes must be a whole number", max_bytes=0)
    refused(name, "Options of 'file:PATH' must be among", arms=2)
    refused(name, "at most the 6 training rows", n=7)


# --- what is refused: content of .csv -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty file"),
        ("\n\r\n", "empty file"),
        ("a,label", "must"),
        ("a,label\n", "at least one row"),
        ("label\nx\ny\n", "at least one feature"),
        ("a,b\n1,2\n", "one column 'label'"),
        ("a,Label\n1,x\n", "did you mean 'label'"),
        ("a,targets\n1,2\n", "did you mean 'target'"),
        ("a,label,target\n1,x,2\n", "Got both"),
        ("1,2,3\n4,5,6\n", r"Got \['1', '2', '3'\]"),
        ("a;label\n1;x\n", "separated by commas"),
        ("a,a,label\n1,2,x\n", "must differ. Got 'a' 2 times"),
        (",a,label\n0,1,x\n", "index=False"),
        ("a,label\n1,x\nfoo,y\n", "Got 'foo' at row 3, column 'a'"),
        ("a,label\n1,x\n,y\n", "Got '' at row 3, column 'a'"),
        ("a,label\n1,x\n0x10,y\n", "Got '0x10' at row 3"),
        ("a,label\n1,x\n1_0,y\n", "Got '1_0' at row 3"),
        ("a,label\n1,x\n'5',y\n", "Got ''5'' at row 3"),
        ('a,label\n1,x\n"1,5",y\n', "Got '1,5' at row 3"),
        ("a,label\n1,x\n1+2j,y\n", r"Got '1\+2j' at row 3"),
        ("a,target\n1,2\n3,high\n", "Got 'high' at row 3, column 'target'"),
        ("a,label\n1,x\nnan,y\n", "Got nan at row 3, column 'a'"),
        ("a,b,target\n1,2,3\n4,-inf,6\n", "Got -inf at row 3, column 'b'"),
        ("a,target\n1,1e999\n2,3\n", "Got inf at row 2, column 'target'"),
        ("a,label\n1,x\n2,\n", "label must be given in every row. Got none at row 3"),
        ("a,label\n1,x\n1,2,3\n", "Expected 2 columns, got 3"),
        ("a,label\n1,x\n1\n", "Expected 2 columns, got 1"),
        ("a,label\n1,x\n2,x\n", "at least two classes"),
        ('a,label\n1,z\n1,"x\n2,y\n3,x\n', "close the quotation mark"),
        ('"a\nb",label\n1,x\n', "must"),
        ("a,label\n1,é\n2,b\n".encode("latin-1"), "Got byte 0xe9 at position 10"),
        ("a,label\n1,x\n2,y\n".encode("utf-16-le"), "zero byte at position 1"),
        ("a,label\n1,x\0\n2,y\n", "zero byte at position 11"),
        (codecs.BOM_UTF16_LE + b"a", "must be text in UTF-8"),
        (b"\x89PNG\r\n\x1a\n\0\0", "must be text"),
        pytest.param("x" * (5 * 2**20), "header .* less than 4 MiB", id="endless header"),
        pytest.param(",".join(map(str, range(300_000))), "one column 'label'", id="many columns"),
        pytest.param(",".join(map(str, range(300_000))) + ",299999", "'299999' 2 times", id="twice among many"),
        ("a,target\n1,2\n", "must have two rows"),
        ("a,label\x1b[31m\n1,x\n", "one column 'label'"),
    ],
)
def test_bad_tables(tmp_path, text, message):
    refused(table(tmp_path, text), message)


def test_table_beyond_the_limit(tmp_path):
    name = table(tmp_path, "a,target\n" + "1,2\n" * 5000)
    assert load(name).X_train.shape == (2500, 1)
    refused(name, "must fit into 50,000 bytes", max_bytes=50_000)


def test_a_long_row(tmp_path):
    wide = RNG.normal(size=(2, 4000))
    head = ",".join([f"x{k}" for k in range(4000)] + ["target"])
    body = [",".join(f"{value!r:>400}" for value in row) for row in wide.tolist()]  # 1.6 MB each
    dataset = load(table(tmp_path, "\n".join([head, body[0] + ",1", body[1] + ",2"])))
    assert rows(dataset) == sorted(np.column_stack([wide, [1, 2]]).tolist())
