"""Bundles and merged runs: nothing is lost on the way, and what others send does no harm."""

import hashlib
import json
import shutil
import stat
import subprocess
import zipfile
from contextlib import suppress

import numpy as np
import pandas as pd
import pytest
from relaxbench.bench.bundle import layout
from relaxbench.bench.bundle.merge import merge
from relaxbench.bench.bundle.pack import pack
from relaxbench.bench.bundle.unpack import opened
from relaxbench.bench.cli import main
from relaxbench.bench.results.folder import load_arrays, load_plan, load_results, load_trace
from relaxbench.bench.results.record import Record, write_record
from relaxbench.bench.text import UsageError
from relaxbench.reports.reading import read

from ..support.report_folder import make_rows, write_folder

SPIRAL = {"spiral": (60, 2, 3, 0.7, 1)}
IRIS = {"iris": (75, 4, 3, 0.96, 1)}
METHODS = ("sdp", "nngp", "sgd")


def rows_of(sets=SPIRAL, **options):
    return make_rows(sets, METHODS, gammas=(0.1,), widths=(5, 10), seeds=(0, 1), **options)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run with networks, traces and a damaged, unlisted and linked file beside what belongs to it."""
    folder = write_folder(tmp_path_factory.mktemp("bundle") / "mine", rows_of())
    (folder / "report").mkdir()
    (folder / "report" / "index.html").write_text("made again by report")
    (folder / "tightness.csv").unlink()
    (folder / "tightness.csv").symlink_to("/etc/hostname")
    return folder


@pytest.fixture(scope="module")
def bundle(run):
    return pack(run, run.with_name("mine.zip")).path


def same_rows(one, other):
    """Whether two tables of results hold the same rows, in whatever order."""
    one, other = (table.sort_values("cell").reset_index(drop=True) for table in (one, other))
    pd.testing.assert_frame_equal(one, other)


def test_the_same_folder_gives_the_same_bytes_and_what_is_in_it_is_what_belongs_to_a_run(run, bundle, tmp_path):
    again = pack(run, tmp_path / "again.zip")
    assert again.path.read_bytes() == bundle.read_bytes()
    with zipfile.ZipFile(bundle) as archive:
        names = archive.namelist()
    assert again.files == len(names) - 1
    assert {"spec.toml", "results.parquet", "environment.json", "CITATION.txt", "SHA256SUMS"} <= set(names)
    assert not [name for name in names if "report" in name or name == "tightness.csv"], "links stay out"


def test_the_checksums_are_those_that_sha256sum_reads(bundle, tmp_path):
    with zipfile.ZipFile(bundle) as archive:
        archive.extractall(tmp_path)
    subprocess.run(["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"], cwd=tmp_path, check=True)
    listed = {line.split("  ")[1] for line in (tmp_path / "SHA256SUMS").read_text().splitlines()}
    there = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert there - listed == {"SHA256SUMS"}


def test_rows_arrays_and_traces_come_out_as_they_went_in(run, bundle):
    with opened(bundle) as folder:
        same_rows(load_results(folder), load_results(run))
        for cell in load_results(run).query("objective.notna()")["cell"]:
            mine, theirs = load_arrays(run, cell), load_arrays(folder, cell)
            assert mine.keys() == theirs.keys()
            assert all((mine[name] == theirs[name]).all() for name in mine)
            pd.testing.assert_frame_equal(load_trace(run, cell), load_trace(folder, cell))
    assert not folder.exists()


def test_large_arrays_are_left_out_said_and_missed_by_nothing_but_proofs(run, tmp_path, capsys):
    assert main(["bundle", str(run), "--out", str(tmp_path / "light.zip"), "--largest", "0"]) == 0
    count = len(list(run.glob("cells/*/arrays.npz")))
    assert f"{count} files of arrays were left out" in capsys.readouterr().out
    cell = next(run.glob("cells/*/arrays.npz")).parent.name
    with opened(tmp_path / "light.zip") as folder:
        assert len((folder / "LEFT_OUT").read_text().splitlines()) == count
        same_rows(load_results(folder), load_results(run))
        pd.testing.assert_frame_equal(load_trace(folder, cell), load_trace(run, cell))
        with pytest.raises(UsageError, match="must be as it was written"):
            load_arrays(folder, cell)
    merged = merge([tmp_path / "light.zip", run], tmp_path / "whole")
    assert not merged.conflicts
    assert load_arrays(merged.folder, cell).keys() == load_arrays(run, cell).keys()


def test_an_unfinished_run_says_so(tmp_path, capsys):
    rows = rows_of()
    folder = write_folder(tmp_path / "run", rows[:-2], plan=rows)
    (folder / "results.parquet").unlink()
    assert main(["bundle", str(folder), "--out", str(tmp_path / "part.zip")]) == 0
    assert "2 cells of the plan have not ended" in capsys.readouterr().out
    assert main(["merge", str(tmp_path / "part.zip"), "--out", str(tmp_path / "again")]) == 0
    assert len(load_plan(tmp_path / "again")) == len(rows)
    assert len(load_results(tmp_path / "again")) == len(rows) - 2


def test_bundle_merge_report_loses_no_row(run, bundle, tmp_path, capsys):
    other = write_folder(tmp_path / "other", rows_of(IRIS))
    assert main(["merge", str(bundle), str(other), "--out", str(tmp_path / "all")]) == 0
    assert "0 of them the same" in capsys.readouterr().out
    found = load_results(tmp_path / "all")
    assert set(found["cell"]) == set(load_results(run)["cell"]) | set(load_results(other)["cell"])
    columns = ["cell", "objective", "lower_bound", "test_accuracy", "runtime_s"]
    both = pd.concat([load_results(run), load_results(other)])
    same_rows(found[columns], both[columns])
    assert main(["bundle", str(tmp_path / "all"), "--out", str(tmp_path / "all.zip")]) == 0
    with opened(tmp_path / "all.zip") as folder:
        same_rows(load_results(folder), found)


def test_the_same_cell_is_there_once_and_one_that_differs_twice(run, tmp_path, capsys):
    rows = rows_of()
    rows[0] = {**rows[0], "objective": rows[0]["objective"] * 1.5}
    rows[1] = {**rows[1], "cell": "c0ffee"}  # asked for in the same words, of other code
    other = write_folder(tmp_path / "other", rows)
    assert main(["merge", str(run), str(other), "--out", str(tmp_path / "all")]) == 0
    said = capsys.readouterr().out
    assert f"{len(rows)} cells in" in said
    assert f"{len(rows) - 2} of them the same" in said
    assert f"2 cells of {other} differ" in said
    same_rows(load_results(tmp_path / "all").drop(columns=["gap", "gap_own"]),
              load_results(run).drop(columns=["gap", "gap_own"]))  # fmt: skip
    kept = load_results(tmp_path / "all" / "conflicts" / "2").set_index("cell")
    assert set(kept.index) == {rows[0]["cell"], "c0ffee"}
    assert kept.loc[rows[0]["cell"], "objective"] == rows[0]["objective"]
    assert main(["compare", str(tmp_path / "all"), str(tmp_path / "all/conflicts/2"), "--part"]) == 1
    assert "kept in conflicts/" in " ".join(read(tmp_path / "all").lacking)
    again = merge([tmp_path / "all", other], tmp_path / "again")
    assert [(path.name, count) for path, _, count in again.conflicts] == [("2", 2)], "no conflict is kept twice"
    assert again.shared == len(rows) - 2


def test_certificates_of_two_machines_stay_with_their_cells(tmp_path):
    folders = []
    for k, width in enumerate((5, 10)):
        rows = [row for row in rows_of() if row["method"] == "sgd" and row["width"] == width]
        folder = write_folder(tmp_path / f"run{k}", rows, records=False)
        for row in rows:
            write_record(folder / "cells" / row["cell"], Record(row, {"relaxation": "r1"}))
        arrays = {"certificate_theta": make_array(k), "network_U": make_array(k), "network_V": make_array(k)}
        write_record(folder / "relaxations" / "r1", Record({}, {"key": "r1"}, arrays))
        folders.append(folder)
    merged = merge(folders, tmp_path / "all")
    for folder in folders:
        for cell in load_results(folder)["cell"]:
            found, expected = (load_arrays(place, cell)["certificate_theta"] for place in (merged.folder, folder))
            assert (found == expected).all()
    assert len(list((merged.folder / "relaxations").iterdir())) == 2


def make_array(k):
    return np.full((2, 2), float(k))


@pytest.mark.parametrize("command", ["compare", "verify", "report"])
def test_bundles_are_taken_where_folders_are(run, bundle, tmp_path, command, capsys):
    mine = shutil.copy(bundle, tmp_path / "mine.zip")
    arguments = {"compare": [str(run)], "verify": [], "report": ["--figure", "width", "--format", "svg"]}[command]
    code = main([command, str(mine), *arguments])
    assert code == {"compare": 0, "verify": 1, "report": 0}[command]  # made up numbers prove nothing
    out, error = capsys.readouterr()
    assert error == ""
    if command == "report":
        assert out.split() == [str(tmp_path / "mine-report" / "figures" / "width.svg")]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        ["mine.zip", *(["mine-report"] if command == "report" else [])]
    )


GOOD = {"spec.toml": b"name = 'x'\n", "plan.json": b"[]"}


def planted(path, files, *, sums=None, attr=0o100644 << 16, compression=zipfile.ZIP_DEFLATED):
    """A bundle of these files (pairs, or by name), with checksums that are right unless given."""
    pairs = list(files.items()) if isinstance(files, dict) else files
    if sums is None:
        sums = "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in pairs)
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in [*pairs, *([("SHA256SUMS", sums.encode())] if sums else [])]:
            member = zipfile.ZipInfo(name)
            member.external_attr, member.compress_type = attr, compression
            archive.writestr(member, content)
    return path


HOSTILE_NAMES = [
    *("../evil.toml", "/tmp/evil.toml", "cells/../../evil/record.json", "cells/a/../../../record.json"),
    *("C:\\evil.toml", "cells\\a\\record.json", "cells/a/record.json/", "cells//record.json", "cells/./record.json"),
    *("conflicts/../spec.toml", "conflicts/1/2/spec.toml", "spec.toml\n", "<script>alert(1)</script>"),
    *(".lock", "cells/<img src=x onerror=alert(1)>/record.json", "cells/é/record.json", "cells/a/evil.so"),
    *("specs/\N{ARABIC-INDIC DIGIT THREE}.toml", "report/index.html"),
]  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_names_that_are_not_those_of_a_run_are_refused(tmp_path, name, capsys):
    refused(planted(tmp_path / "evil.zip", {**GOOD, name: b"evil"}), "must hold the files of a run alone", capsys)


def refused(path, words, capsys):
    """Every command that takes bundles refuses this one in one line, and writes nothing."""
    before = sorted(path.parent.rglob("*"))
    for command in (["compare", str(path), str(path)], ["report", str(path)], ["verify", str(path)],
                    ["merge", str(path), "--out", str(path.parent / "out")]):  # fmt: skip
        assert main(command) == 2, command
        out, error = capsys.readouterr()
        assert out == ""
        assert error.count("\n") == 1
        assert words in error
    assert sorted(path.parent.rglob("*")) == before
    with pytest.raises(UsageError), opened(path) as folder:
        raise AssertionError(folder)


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("second", ["spec.toml", "SPEC.toml"])
def test_names_that_are_there_twice_are_refused(tmp_path, second, capsys):
    files = [("spec.toml", b"a"), ("plan.json", b"[]"), (second, b"b")]
    refused(planted(tmp_path / "evil.zip", files), "once" if second == "spec.toml" else "alone", capsys)


def test_cells_that_differ_by_case_alone_are_refused(tmp_path, capsys):
    files = {"cells/abc/record.json": b"{}", "cells/ABC/record.json": b"{}"}
    refused(planted(tmp_path / "evil.zip", files), "twice", capsys)


def test_links_and_other_compressions_are_refused(tmp_path, capsys):
    link = planted(tmp_path / "link.zip", {"spec.toml": b"/etc/passwd"}, attr=(stat.S_IFLNK | 0o777) << 16)
    refused(link, "a link", capsys)
    refused(planted(tmp_path / "lzma.zip", GOOD, compression=zipfile.ZIP_LZMA), "another compression", capsys)


def test_bombs_are_refused_by_what_they_declare(tmp_path, capsys, monkeypatch):
    bomb = planted(tmp_path / "bomb.zip", {**GOOD, "results.csv": bytes(80 * 2**20)})
    assert bomb.stat().st_size < 10**6
    refused(bomb, "times its size", capsys)
    monkeypatch.setattr(layout, "MOST_FILES", 3)
    many = planted(tmp_path / "many.zip", {f"cells/a{k}/record.json": b"{}" for k in range(3)})
    refused(many, "at most 3 files", capsys)


def test_a_bomb_that_lies_about_its_size_is_cut_off(tmp_path, capsys):
    path = planted(tmp_path / "liar.zip", {"plan.json": b"[]", "results.csv": bytes(10**6)})
    raw, true, told = path.read_bytes(), (10**6).to_bytes(4, "little"), (10**3).to_bytes(4, "little")
    assert raw.count(true) == 2
    path.write_bytes(raw.replace(true, told))
    refused(path, "does not read", capsys)


@pytest.mark.parametrize(
    ("sums", "words"),
    [
        ("", "must hold SHA256SUMS"),
        ("x", "must list all of its files"),
        (f"{'0' * 64}  spec.toml\n{'0' * 64}  plan.json\n", "Got other bytes in 'spec.toml'"),
        (f"{'0' * 64}  spec.toml\n", "must list all of its files"),
    ],
)
def test_checksums_that_are_not_those_of_the_files_are_refused(tmp_path, sums, words, capsys):
    refused(planted(tmp_path / "evil.zip", GOOD, sums=sums), words, capsys)


def test_files_that_are_no_archives_are_refused(tmp_path, bundle, capsys):
    for k, content in enumerate((b"", b"PK\x03\x04", b"text", bundle.read_bytes()[:-30], bundle.read_bytes()[100:])):
        path = tmp_path / f"{k}.zip"
        path.write_bytes(content)
        refused(path, "does not read", capsys)
    assert main(["report", str(tmp_path / "none.zip")]) == 2
    assert "must exist" in capsys.readouterr().err


def test_a_flipped_bit_anywhere_is_refused_or_harmless(tmp_path, bundle):
    raw = bytearray(bundle.read_bytes())
    expected = {}
    with opened(bundle) as folder:
        expected = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    for place in range(11, len(raw), len(raw) // 60):
        broken = raw.copy()
        broken[place] ^= 4
        (tmp_path / "broken.zip").write_bytes(broken)
        with suppress(UsageError), opened(tmp_path / "broken.zip") as folder:
            found = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
            assert found == expected, place


@pytest.mark.parametrize("name", ["...zip", "..zip", "<b>&.zip"])
def test_odd_names_of_bundles_lead_nowhere_else(tmp_path, bundle, name):
    with opened(shutil.copy(bundle, tmp_path / name)) as folder:
        assert folder.parent.name.startswith("relaxbench-")
        assert len(load_results(folder))


def test_wrong_usage_is_said_in_a_line(run, tmp_path, capsys):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").touch()
    table_alone = write_folder(tmp_path / "table", rows_of(), records=False)
    for command, words in (
        (["bundle", str(run), "--out", str(tmp_path / "x.tar")], "must end in .zip"),
        (["bundle", str(tmp_path / "full"), "--out", str(tmp_path / "x.zip")], "must be the folder of a run"),
        (["bundle", str(run), "--out", str(tmp_path / "none" / "x.zip")], "can be written to"),
        (["bundle", str(run), "--out", str(tmp_path / "x.zip"), "--largest", "-1"], "0 or more"),
        (["merge", str(run), "--out", str(tmp_path / "full")], "new or empty"),
        (["merge", str(run), str(tmp_path / "full"), "--out", str(tmp_path / "o")], "must be the folder of a run"),
        (["merge", str(table_alone), "--out", str(tmp_path / "o")], "must hold records"),
    ):
        assert main(command) == 2, command
        error = capsys.readouterr().err
        assert error.count("\n") == 1
        assert words in error
    assert json.loads((table_alone / "plan.json").read_text()), "the plan alone is no record"
    assert not (tmp_path / "o").exists()
    assert not (tmp_path / "x.zip").exists()
