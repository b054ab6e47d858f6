"""Whatever bytes a data file holds: a valid data set or one line, never another exception."""

import io
import struct
import warnings
import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from relaxbench.datasets import DataError, Dataset, load

FEW = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
MANY = settings(max_examples=4000, deadline=None, suppress_health_check=list(HealthCheck))


def judge(folder, suffix: str, raw: bytes) -> Dataset | None:
    """Load raw bytes as a file; a data set that breaks a promise fails the test, so does any other exception."""
    path = folder / f"fuzz.{suffix}"
    path.write_bytes(raw)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dataset = load(f"file:{path}", max_bytes=10**7)
    except DataError as error:
        message = str(error)
    else:
        check(dataset)
        return dataset
    assert message.isprintable()  # so it is one line, too
    assert len(message) < 1000
    return None


def check(dataset: Dataset) -> None:
    """What every data set promises."""
    for X, Y in ((dataset.X_train, dataset.Y_train), (dataset.X_test, dataset.Y_test)):
        assert np.isfinite(X).all()
        assert np.isfinite(Y).all()
        assert len(X) == len(Y) >= 1
        assert X.shape[1] == dataset.X_train.shape[1] >= 1
        assert Y.shape[1] == dataset.Y_train.shape[1] >= 1
        if dataset.labels is not None:
            assert len(dataset.labels) == Y.shape[1] >= 2
            assert (Y.sum(axis=1) == 1).all()
    if dataset.labels is not None:
        seen = dataset.Y_train.any(axis=0)
        assert seen.sum() >= 2
        assert (seen | ~dataset.Y_test.any(axis=0)).all()


@st.composite
def damaged(draw, raw: bytes) -> bytes:
    """The bytes, in one of three cases with a few of them changed, cut out or doubled."""
    raw = bytearray(raw)
    for _ in range(draw(st.sampled_from([0, 0, 0, 0, 1, 3]))):
        place = draw(st.integers(0, max(len(raw) - 1, 0)))
        span = draw(st.integers(1, 12))
        raw[place : place + span] = draw(
            st.one_of(st.binary(max_size=12), st.just(b""), st.just(bytes(raw[place : place + span]) * 2))
        )
    return bytes(raw)


NAMES = st.sampled_from(["X", "Y", "y", "X_test", "Y_test", "y_test", "x", "../X", "X.npy"])
DTYPES = st.one_of(
    hnp.integer_dtypes(),
    hnp.unsigned_integer_dtypes(),
    hnp.floating_dtypes(),
    hnp.boolean_dtypes(),
    hnp.complex_number_dtypes(),
    hnp.unicode_string_dtypes(),
    hnp.byte_string_dtypes(),
    hnp.datetime64_dtypes(),
)
ARRAYS = DTYPES.flatmap(
    lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=5))
)
LABELS = hnp.arrays(np.int64, 6, elements=st.integers(0, 2)) | hnp.arrays(
    "U2", 6, elements=st.text("ab\n<", max_size=2)
)
FINITE = st.floats(allow_nan=False, allow_infinity=False)
MATRICES = st.one_of(
    hnp.arrays(np.float64, (6, 2), elements=FINITE),
    hnp.arrays(np.float64, (6, 2), elements=st.sampled_from([0.0, 1.0])),
    hnp.arrays(np.float64, (6, 2), elements=st.floats()),
)


def archive(**content) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **content)
    return buffer.getvalue()


@st.composite
def archives(draw) -> bytes:
    """.npz files, from nearly right to hopeless."""
    goal, goals = draw(st.sampled_from([("y", LABELS), ("y", LABELS), ("Y", MATRICES), ("y", ARRAYS)]))
    content = {"X": draw(MATRICES), goal: draw(goals)}
    if draw(st.booleans()):
        content |= {"X_test": draw(MATRICES), f"{goal}_test": draw(goals)}
    if draw(st.integers(0, 4)) == 4:
        content |= draw(st.dictionaries(NAMES, ARRAYS, max_size=2))
    return draw(damaged(archive(**content)))


@st.composite
def headers(draw) -> bytes:
    """.npz files with members whose header is free text or a dictionary of doubtful values."""
    shape = draw(
        st.one_of(st.lists(st.integers(-(2**70), 2**70), max_size=4).map(tuple), st.text(max_size=5), st.none())
    )
    descr = draw(
        st.one_of(st.sampled_from(["<f8", "|O", "<U3", "|V9", ">i4", "<f16", [("a", "<f8")]]), st.text(max_size=4))
    )
    known = repr({"descr": descr, "fortran_order": draw(st.booleans() | st.integers()), "shape": shape})
    text = draw(st.one_of(st.just(known), st.text(max_size=60), st.text("()[]{}'\":, \n\\0L", max_size=400)))
    raw = text.encode("utf-8", "surrogatepass")
    version = draw(st.sampled_from([1, 1, 2, 3, 4]))
    length = draw(st.just(len(raw)) | st.integers(0, 2**16 - 1))
    head = b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H" if version == 1 else "<I", length)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("X.npy", head + raw + draw(st.binary(max_size=64)))
        file.writestr("y.npy", head + raw)
    return buffer.getvalue()


NUMBERS = FINITE.map(repr) | st.integers().map(str)
CELLS = st.one_of(
    NUMBERS,
    st.text("abé汉\" '\n\r\t,;0", max_size=4),
    st.sampled_from(["", "nan", "inf", "NA", "1e999", "-0", "1 000", '"', "0x1", "١"]),
)
ENCODINGS = ["utf-8"] * 6 + ["utf-8-sig", "utf-16", "utf-16-le", "utf-32", "latin-1", "cp037"]


@st.composite
def tables(draw) -> bytes:
    """CSV files, from right to hopeless, in several encodings."""
    goal = draw(st.sampled_from(["label", "label", "target", "target", "Label", "a", "é", ""]))
    row = st.tuples(NUMBERS, NUMBERS, st.sampled_from(["0", "1", "x"]) if goal == "label" else NUMBERS).map(list)
    odd = st.lists(CELLS, min_size=2, max_size=4)
    body = draw(st.lists(draw(st.sampled_from([row, row, row | odd])), max_size=8))
    end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    text = end.join(draw(st.sampled_from([","] * 5 + [";"])).join(cells) for cells in [["a", "b", goal], *body])
    return draw(damaged(text.encode(draw(st.sampled_from(ENCODINGS)), "replace")))


@FEW
@given(raw=archives())
def test_archives(tmp_path_factory, raw):
    judge(tmp_path_factory.getbasetemp(), "npz", raw)


@FEW
@given(raw=headers())
def test_headers(tmp_path_factory, raw):
    judge(tmp_path_factory.getbasetemp(), "npz", raw)


@FEW
@given(raw=tables())
def test_tables(tmp_path_factory, raw):
    judge(tmp_path_factory.getbasetemp(), "csv", raw)


@FEW
@given(raw=st.binary(max_size=200), suffix=st.sampled_from(["npz", "csv"]))
def test_noise(tmp_path_factory, raw, suffix):
    judge(tmp_path_factory.getbasetemp(), suffix, raw)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("strategy", "suffix", "least"), [(archives(), "npz", 200), (headers(), "npz", 0), (tables(), "csv", 100)]
)
def test_thousands(tmp_path_factory, strategy, suffix, least):
    taken = 0

    @MANY
    @given(raw=strategy)
    def fuzz(raw):
        nonlocal taken
        taken += judge(tmp_path_factory.getbasetemp(), suffix, raw) is not None

    fuzz()
    assert taken >= least  # the strategy reaches good data, too


@FEW
@given(
    X=hnp.arrays(np.float64, hnp.array_shapes(min_dims=2, max_dims=2, min_side=2, max_side=6), elements=FINITE),
    data=st.data(),
)
def test_every_finite_matrix_is_taken_as_it_is(tmp_path_factory, X, data):
    folder = tmp_path_factory.getbasetemp()
    Y = data.draw(hnp.arrays(np.float64, (len(X), 2), elements=FINITE))
    expected = sorted(np.hstack([X, Y]).tolist())
    dataset = judge(folder, "npz", archive(X=X, Y=Y))
    if dataset is not None:
        both = [np.vstack([getattr(dataset, f"{k}_train"), getattr(dataset, f"{k}_test")]) for k in "XY"]
        assert sorted(np.hstack(both).tolist()) == expected
    else:  # rows that are all one-hot are labels, and those may be too few to split
        assert ((Y == 0) | (Y == 1)).all()
    text = "".join(",".join(map(repr, row)) + "\n" for row in np.column_stack([X, Y[:, 0]]).tolist())
    table = judge(folder, "csv", (",".join(f"x{k}" for k in range(X.shape[1])) + ",target\n" + text).encode())
    assert table is not None
    both = [np.vstack([getattr(table, f"{k}_train"), getattr(table, f"{k}_test")]) for k in "XY"]
    assert sorted(np.hstack(both).tolist()) == sorted(np.column_stack([X, Y[:, 0]]).tolist())
