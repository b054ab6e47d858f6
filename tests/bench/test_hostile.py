"""Results folders and configs made by others, to do harm or by accident: one line, no traceback, nothing run."""

import contextlib
import io
import json
import os
import pickle
import zipfile

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from relaxbench.bench.grid.cell import expand
from relaxbench.bench.grid.resolve import resolve
from relaxbench.bench.results import folder as reading
from relaxbench.bench.results import record
from relaxbench.bench.results.columns import COLUMNS
from relaxbench.bench.results.folder import load_arrays, load_environment, load_plan, load_results
from relaxbench.bench.results.record import DamagedRecord, Record, read_arrays, read_record, read_trace, write_record
from relaxbench.bench.text import UsageError
from relaxbench.datasets import DataError
from relaxbench.solvers.network import ProblemError


class Evil:
    """Leaves a mark where it is unpickled."""

    def __reduce__(self):
        return os.mkdir, ("ran",)


def member(shape, dtype="<f8", body=b""):
    """An .npy file that declares this shape, whatever its body holds."""
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": dtype, "fortran_order": False, "shape": shape})
    return file.getvalue() + body


def archive(folder, members, compression=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(folder / "arrays.npz", "w", compression) as file:
        for name, content in members.items():
            file.writestr(name, content)


@pytest.mark.parametrize(
    "members",
    [
        {"U.npy": member((2**50,))},
        {"U.npy": member((2**31, 2**31))},
        {"U.npy": member((-1,), body=bytes(8))},
        {"U.npy": member((1,), "|O", pickle.dumps(Evil()))},
        {"../U.npy": member((1,), body=bytes(8))},
        {"/etc/U.npy": member((1,), body=bytes(8))},
        {"U": b"text"},
        {"U.npy": b"\x93NUMPY" + bytes(20)},
    ],
    ids=lambda members: f"{next(iter(members))[:9]}-{len(next(iter(members.values())))}",
)
def test_arrays_that_are_not_arrays_are_refused(tmp_path, monkeypatch, members):
    monkeypatch.chdir(tmp_path)
    archive(tmp_path, members)
    with pytest.raises(DamagedRecord) as error:
        read_arrays(tmp_path)
    assert "\n" not in str(error.value)
    assert [path.name for path in tmp_path.iterdir()] == ["arrays.npz"]


def test_a_zip_bomb_is_refused_by_its_declared_size(tmp_path, monkeypatch):
    monkeypatch.setattr(record, "MAX_BYTES", 10**6)
    archive(tmp_path, {"U.npy": member((10**6,), body=bytes(8 * 10**6))})
    assert (tmp_path / "arrays.npz").stat().st_size < 10**5
    with pytest.raises(DamagedRecord, match="must fit into"):
        read_arrays(tmp_path)


def test_a_record_cannot_point_out_of_its_folder(tmp_path):
    write_record(tmp_path / "cell", Record({"status": "ok"}))
    (tmp_path / "secret").write_bytes(b"x")
    document = {"row": {}, "extra": {}, "files": {"../secret": record.sha256(b"x")}}
    (tmp_path / "cell" / "record.json").write_bytes(record._with_checksum(document))
    with pytest.raises(DamagedRecord):
        read_record(tmp_path / "cell", check_files=True)


@pytest.mark.parametrize("kind", ["pipe", "folder", "huge", "device"])
def test_only_files_of_a_sane_size_are_read(tmp_path, monkeypatch, kind):
    path = tmp_path / "record.json"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "device":
        path.symlink_to("/dev/zero")
    else:
        with path.open("wb") as file:
            file.truncate(record.MAX_RECORD_BYTES + 1)
    with pytest.raises(DamagedRecord):
        read_record(tmp_path, check_files=False)


@pytest.mark.parametrize("line", ["solve,a,1,,,", "solve,1,b,,,", "solve,1,2", "solve,1,2,,,,", "solve,1,2,x,,"])
def test_a_trace_that_is_no_trace_is_refused(tmp_path, line):
    (tmp_path / "trace.csv").write_text(f"stage,seconds,iteration,value,bound,residual\n{line}\n")
    with pytest.raises(DamagedRecord):
        read_trace(tmp_path)


@pytest.mark.parametrize("cell", ["../../etc", "a/b", "", "..", "a\\b", "a\0b", None, 3])
def test_names_of_cells_cannot_climb(tmp_path, cell):
    (tmp_path / "cells").mkdir()
    (tmp_path / "plan.json").write_text(json.dumps([{"cell": cell}]))
    with pytest.raises(UsageError):
        load_plan(tmp_path)
    with pytest.raises(UsageError):
        load_arrays(tmp_path, cell)


def test_a_table_of_too_many_rows_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    names = [column.name for column in COLUMNS]
    table = pa.table({name: pa.nulls(2000, pa.string()) for name in names})
    pq.write_table(table, tmp_path / "results.parquet")
    monkeypatch.setattr(reading, "MAX_ROWS", 1000)
    monkeypatch.setattr(pd, "read_parquet", lambda path: pytest.fail("it was read"))
    with pytest.raises(UsageError, match="rows"):
        load_results(tmp_path / "results.parquet")


HOSTILE_TOML = {
    "digits": "seed = " + "9" * 5000,
    "deep": "seed = " + "[" * 50_000,
    "nested": "seed = " + "[" * 300 + "]" * 300,
    "dotted": "a" + ".a" * 20_000 + " = 1",
    "grid": '[[dataset]]\nname = "random"\n[[method]]\nname = "sdp"\n'
    + "".join(f"gap{k} = {list(range(100))}\n" for k in range(12)),
    "long name": f'[[dataset]]\nname = "{"a/" * 50_000}"\n[[method]]\nname = "sdp"',
    "long method": f'[[dataset]]\nname = "random"\n[[method]]\nname = "{"x" * 100_000}"',
    "long file": f'[[dataset]]\nname = "file:{"a/" * 5_000}"\n[[method]]\nname = "sdp"',
    "zero byte": '[[dataset]]\nname = "file:\\u0000"\n[[method]]\nname = "sdp"',
}


@pytest.mark.timeout(20)
@pytest.mark.parametrize("name", HOSTILE_TOML)
def test_hostile_configs_are_refused_in_one_line(tmp_path, name):
    path = tmp_path / "hostile.toml"
    path.write_text(HOSTILE_TOML[name])
    with pytest.raises((UsageError, DataError)) as error:
        expand(resolve(str(path), {}, {}))
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 2000


def damaged(folder, content, name="record.json"):
    (folder / name).write_bytes(content)
    for read in (
        lambda: read_record(folder, check_files=True),
        lambda: read_arrays(folder),
        lambda: read_trace(folder),
    ):
        try:
            read()
        except (DamagedRecord, FileNotFoundError):
            continue
    with contextlib.suppress(UsageError):
        load_plan(folder)
    load_environment(folder)


NAMES = ("record.json", "arrays.npz", "trace.csv", "plan.json", "environment.json")
FUZZ = {"deadline": None, "suppress_health_check": [HealthCheck.function_scoped_fixture]}


@settings(max_examples=150, **FUZZ)
@given(name=st.sampled_from(NAMES), content=st.binary(max_size=300))
def test_random_bytes_give_no_traceback(tmp_path, name, content):
    damaged(tmp_path, content, name)


@pytest.mark.slow
@settings(max_examples=5000, **FUZZ)
@given(name=st.sampled_from(NAMES), place=st.floats(0, 1), byte=st.integers(0, 255), cut=st.floats(0.5, 1))
def test_five_thousand_flipped_and_cut_records_give_no_traceback(tmp_path, name, place, byte, cut):
    arrays = {"network_U": np.eye(3), "network_V": np.ones((3, 1))}
    write_record(
        tmp_path, Record({"status": "ok", "seed": 1}, {"info": {}}, arrays, [("solve", 0.1, 1, 1.0, None, 2.0)])
    )
    (tmp_path / "plan.json").write_text('[{"cell": "a1", "seed": 1}]')
    (tmp_path / "environment.json").write_text('{"machine": "m"}')
    whole = bytearray((tmp_path / name).read_bytes())
    whole[int(place * (len(whole) - 1))] = byte
    damaged(tmp_path, bytes(whole[: int(cut * len(whole))]), name)


LINES = (
    *("[[dataset]]", "[[method]]", 'name = "random"', 'name = "sgd"', "gamma = [0.1]", "gamma = nan", "n = 4"),
    *("seed = [[1]]", 'seed = "0..3"', "width = 0", "timeout = -1", "memory = 1e400", "[tolerance]", "jobs = 1"),
    *('preprocess = "pca:9"', "name = 3", 'use = "a"', "bias = 1", "x.y = {}", "momentum = true"),
)


@pytest.mark.slow
@settings(max_examples=5000, **FUZZ)
@given(text=st.one_of(st.text(max_size=200), st.lists(st.sampled_from(LINES), max_size=10).map("\n".join)))
def test_five_thousand_configs_give_no_traceback(tmp_path, text):
    path = tmp_path / "fuzz.toml"
    path.write_text(text, encoding="utf-8", errors="replace")
    with contextlib.suppress(UsageError, DataError, ProblemError):
        expand(resolve(str(path), {}, {}))
