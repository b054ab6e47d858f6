import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from relaxbench.bench.canonical import canonical
from relaxbench.bench.results.record import DamagedRecord, Record, read_arrays, read_record, read_trace, write_record

RECORD = Record(
    {"status": "ok", "objective": 0.1 + 0.2, "bias": True, "message": None, "dataset": "naïve/…"},
    {"limits": {"timeout_s": 1.5}},
    {"network_U": np.arange(6.0).reshape(2, 3), "network_V": np.eye(3)},
    [("solve", 0.1, 1, 2.0, None, None), ("round", 0.2, 2, None, 1.0, 1e-300)],
    "Traceback: …",
)


def test_a_record_comes_back_as_it_was_written(tmp_path):
    write_record(tmp_path / "r", RECORD)
    record = read_record(tmp_path / "r", check_files=True)
    assert record.row == RECORD.row
    assert record.extra == RECORD.extra
    arrays = read_arrays(tmp_path / "r")
    assert set(arrays) == set(RECORD.arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(array, RECORD.arrays[name])
    assert read_trace(tmp_path / "r") == list(RECORD.trace)
    assert not list(tmp_path.rglob("*.tmp"))


def test_writing_again_leaves_nothing_of_the_old_record(tmp_path):
    write_record(tmp_path / "r", RECORD)
    write_record(tmp_path / "r", Record({"status": "failed"}))
    assert [path.name for path in (tmp_path / "r").iterdir()] == ["record.json"]
    assert read_record(tmp_path / "r", check_files=True).row == {"status": "failed"}
    assert read_arrays(tmp_path / "r") == {}
    assert read_trace(tmp_path / "r") == []


def test_without_record_json_there_is_no_record(tmp_path):
    write_record(tmp_path / "r", RECORD)
    (tmp_path / "r" / "record.json").unlink()
    with pytest.raises(FileNotFoundError):
        read_record(tmp_path / "r", check_files=True)


@settings(max_examples=60, deadline=None)
@given(name=st.sampled_from(["record.json", "arrays.npz", "trace.csv", "traceback.txt"]), data=st.data())
def test_any_changed_byte_is_detected(tmp_path_factory, name, data):
    folder = tmp_path_factory.mktemp("record")
    write_record(folder, RECORD)
    raw = bytearray((folder / name).read_bytes())
    kind = data.draw(st.sampled_from(["flip", "cut", "append"]))
    if kind == "flip":
        position = data.draw(st.integers(0, len(raw) - 1))
        raw[position] ^= data.draw(st.integers(1, 255))
    elif kind == "cut":
        del raw[data.draw(st.integers(0, len(raw) - 1)) :]
    else:
        raw += data.draw(st.binary(min_size=1, max_size=9))
    (folder / name).write_bytes(bytes(raw))
    with pytest.raises(DamagedRecord):
        read_record(folder, check_files=True)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200) | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(json.dumps))
def test_foreign_bytes_are_a_damaged_record(tmp_path_factory, content):
    folder = tmp_path_factory.mktemp("record")
    (folder / "record.json").write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(DamagedRecord):
        read_record(folder, check_files=True)


def test_a_lost_side_file_is_detected(tmp_path):
    write_record(tmp_path, RECORD)
    (tmp_path / "arrays.npz").unlink()
    with pytest.raises(DamagedRecord, match=r"arrays\.npz"):
        read_record(tmp_path, check_files=True)


def test_pickles_are_not_read(tmp_path):
    np.savez(tmp_path / "arrays.npz", evil=np.array([object()], dtype=object))
    with pytest.raises(DamagedRecord):
        read_arrays(tmp_path)


@given(st.dictionaries(st.text(), st.floats() | st.integers() | st.booleans() | st.none() | st.text()))
def test_canonical_json_is_json_and_forgets_the_order(mapping):
    text = canonical(mapping)
    assert canonical(dict(reversed(mapping.items()))) == text
    back = json.loads(text)
    for key, value in mapping.items():
        missing = isinstance(value, float) and not np.isfinite(value)
        assert back[key] == (None if missing else value)
