"""Entries of instances: submissions are judged, not believed, what is kept is proved again, what is altered shows."""

import contextlib
import csv
import io
import json
import os
import pickle
import re
import shutil
import threading
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from relaxbench.bench import cli
from relaxbench.bench.instances import entries as kept
from relaxbench.bench.instances import submit as submitting
from relaxbench.bench.instances.check import check, filled
from relaxbench.bench.instances.entries import Bound, Entry, packed, read_entry, write_entry
from relaxbench.bench.instances.submission import Submission, of_arrays
from relaxbench.bench.instances.submit import submit
from relaxbench.datasets.instances import ENTRIES, find, instances, load

import relaxbench as rb

PLANE, FAINT, SPACE = "random-n10-d2-c1-s0-g0.1", "random-n10-d2-c1-s0-g0.01", "random-n10-d3-c3-s0-g0.1"
HELD = (PLANE, FAINT, SPACE)
SAMPLE = (*HELD, "spiral-n30-s0-g0.1", "random-n50-d2-c2-s0-g0.01", "iris-n30-std-g0.1")

CONFIG = """
gamma = [0.1]
width = [10]
jobs = 1

[[dataset]]
name = "random"
n = 10
d = 2
c = 1
test_fraction = 0.0

[[method]]
name = "cpp"
"""


def problem_of(name):
    data = load(find(name))
    return rb.Problem(data.X_train, data.Y_train, find(name).gamma)


@pytest.fixture
def entries(tmp_path):
    """A copy of a few of the entries that ship."""
    for name in HELD:
        shutil.copytree(ENTRIES / name, tmp_path / "entries" / name)
    return tmp_path / "entries"


def content(folder):
    return {path.relative_to(folder): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def arrays(name, side):
    with np.load(ENTRIES / name / f"{side}.npz") as file:
        return dict(file)


@pytest.fixture(scope="module")
def relaxed():
    """The certificate and network of the relaxation for an instance whose exact optimum ships."""
    return rb.fit(problem_of(PLANE), "sdp", width=20)


def forged_theta(path, name=PLANE, other=PLANE, change=lambda theta: theta):
    proof = arrays(other, "lower")
    np.savez(path, **{**proof, "certificate_theta": change(proof["certificate_theta"])})
    return name


def forged_network(path, change, name=PLANE):
    U, V = change(**arrays(name, "upper"))
    np.savez(path, U=U, V=V)
    return name


def forged_cover(path, change):
    proof = arrays(SPACE, "lower")
    np.savez(path, **{**proof, "certificate_splits": change(proof["certificate_splits"].copy())})
    return SPACE


def with_nan(array):
    array = np.array(array)
    array.flat[-1] = np.nan
    return array


def coarser(splits):
    """The first bisection that has two leaves becomes one: a cover still, of cells that are not proved."""
    k = next(k for k in range(len(splits)) if splits[k] and not splits[k + 1 : k + 3].any())
    return np.delete(np.where(np.arange(len(splits)) == k, 0, splits), [k + 1, k + 2]).astype(np.uint8)


def bomb(path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        with file.open("U.npy", "w", force_zip64=True) as member:
            np.lib.format.write_array_header_1_0(
                member, {"descr": "<f8", "fortran_order": False, "shape": (2, 2**24 + 1)}
            )
            for _ in range(257):
                member.write(bytes(2**20))
        file.writestr("V.npy", b"")
    assert path.stat().st_size < 2**22
    return PLANE


class Evil:
    """Leaves a mark where it is unpickled."""

    def __reduce__(self):
        return os.mkdir, ("ran",)


def pickled(path):
    np.savez(path, U=np.array([Evil()], dtype=object), V=np.ones((1, 1)))
    return PLANE


def plain_pickle(path):
    path.write_bytes(pickle.dumps({"U": Evil(), "V": Evil()}))
    return PLANE


def climbing(path):
    file = io.BytesIO()
    np.save(file, np.ones((2, 1)))
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("U.npy", "V.npy", "../../climbed.npy"):
            archive.writestr(name, file.getvalue())
    return PLANE


def beside(path, **more):
    np.savez(path, **arrays(SPACE, "lower"), **more)
    return SPACE


FORGERIES = {
    "bound above the optimum": (lambda path: forged_theta(path, change=lambda theta: 1.5 * theta), "for all u"),
    "bound above it, with a cover": (
        lambda path: forged_theta(path, SPACE, SPACE, lambda theta: 1.2 * theta),
        "above the objective",
    ),
    "theta of another gamma": (lambda path: forged_theta(path, FAINT, PLANE), "above the objective"),
    "theta of another instance": (lambda path: forged_theta(path, PLANE, SPACE), r"must be \(10, 1\)"),
    "theta in another order": (
        lambda path: forged_theta(path, change=lambda theta: theta[::-1]),
        "must prove|for all u",
    ),
    "theta of zeros": (lambda path: forged_theta(path, change=np.zeros_like), "Got nothing that is proved"),
    "theta with NaN": (lambda path: forged_theta(path, change=with_nan), "with NaN"),
    "theta of text": (lambda path: forged_theta(path, change=lambda theta: theta.astype(str)), "no numbers"),
    "network with NaN": (lambda path: forged_network(path, lambda U, V: (with_nan(U), V)), "finite weights"),
    "network too large for a float": (lambda path: forged_network(path, lambda U, V: (1e200 * U, V)), "better than"),
    "wrong shapes": (lambda path: forged_network(path, lambda U, V: (U[:, 1:], V)), "U must be"),
    "theta of a wrong shape": (lambda path: forged_theta(path, change=lambda theta: theta.T), r"must be \(10, 1\)"),
    "network of another data set": (lambda path: forged_network(path, lambda U, V: (U, V), SPACE) and PLANE, "map 2"),
    "network worse than none": (lambda path: forged_network(path, lambda U, V: (-100 * U, V)), "better than none"),
    "tampered cover": (lambda path: forged_cover(path, coarser), "must prove|nothing that is proved"),
    "cover cut off": (lambda path: forged_cover(path, lambda splits: splits[:-1]), "proved|offsets|splits"),
    "cover of no cells": (lambda path: forged_cover(path, np.zeros_like), "must prove|proved"),
    "proof with a part too many": (lambda path: beside(path, z=np.ones(3)), "z beside them"),
    "zip bomb": (bomb, "must fit into"),
    "pickle in it": (pickled, "Python objects"),
    "pickle": (plain_pickle, "must be readable"),
    "path that climbs": (climbing, "and no others"),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forgery_is_refused_and_nothing_is_written(name, entries, tmp_path, monkeypatch, capsys):
    make, words = FORGERIES[name]
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "forged.npz"
    instance = make(path)
    before = content(tmp_path)
    assert cli.main(["submit", str(path), "--instance", instance, "--entries", str(entries)]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert "refused, nothing written" in said.err
    assert re.search(words, said.err)
    assert content(tmp_path) == before
    assert not (tmp_path / "ran").exists()


def test_a_negative_T_is_refused(relaxed, entries, tmp_path, capsys):
    proof = relaxed.certificate.arrays()
    proof["certificate_T_value"] = -proof["certificate_T_value"]
    np.savez(tmp_path / "forged.npz", **proof)
    before = content(entries)
    assert cli.main(["submit", str(tmp_path / "forged.npz"), "--instance", PLANE, "--entries", str(entries)]) == 1
    assert "T" in capsys.readouterr().err
    assert content(entries) == before


@pytest.mark.parametrize("name", ["../../etc", "/tmp", "..", "", "random-n10-d2-c1-s0-g0.2"])
def test_an_instance_that_there_is_not_is_wrong_usage(name, entries, tmp_path, capsys):
    np.savez(tmp_path / "net.npz", **arrays(PLANE, "upper"))
    before = content(tmp_path)
    assert cli.main(["submit", str(tmp_path / "net.npz"), "--instance", name, "--entries", str(entries)]) == 2
    assert "instance is unknown" in capsys.readouterr().err
    assert content(tmp_path) == before


def test_what_is_better_moves_an_instance_and_what_is_equal_or_worse_does_not(relaxed, tmp_path, capsys):
    entries, file = tmp_path / "entries", tmp_path / "sent.npz"
    entries.mkdir()

    def send(**sent):
        np.savez(file, **sent)
        code = cli.main(
            ["submit", str(file), "--instance", PLANE, "--entries", str(entries), "--by", "A", "--method", "B, C"]
        )
        return code, capsys.readouterr().out, read_entry(entries, PLANE)

    weak = relaxed.certificate.arrays()
    network = {"network_U": relaxed.network.U, "network_V": relaxed.network.V}
    code, out, first = send(**weak, **network, lower_bound=1e9, certificate_lower_bound=1e9, objective=0.0)
    assert (code, len(first.history)) == (0, 2)
    assert first.kind == "hard"
    assert first.lower == pytest.approx(relaxed.lower_bound)
    assert first.upper == pytest.approx(relaxed.objective)
    assert {(bound.by, bound.method) for bound in first.history} == {("A", "B, C")}
    best = arrays(PLANE, "upper") | {"theta": arrays(PLANE, "lower")["certificate_theta"]}
    code, out, second = send(**best)
    assert (code, len(second.history), second.kind) == (0, 4, "solved")
    assert out.count("written") == 2
    assert first.lower < second.lower <= second.upper <= first.upper
    held = content(entries)
    for again in (best, weak | network, {"theta": 0.999 * best["theta"]}, {"U": best["U"], "V": 0.99 * best["V"]}):
        code, out, _ = send(**again)
        assert code == 0, again
        assert "no improvement, nothing written" in out
        assert content(entries) == held
    assert cli.main(["instances", "check", "--entries", str(entries)]) == 0
    capsys.readouterr()
    assert cli.main(["instances", "show", PLANE, "--entries", str(entries), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["class"], len(facts["history"])) == ("solved", 4)


@pytest.mark.slow
def test_a_cell_of_a_run_is_a_submission(tmp_path):
    (tmp_path / "run.toml").write_text(CONFIG, encoding="utf-8")
    run = rb.run(tmp_path / "run.toml", out=tmp_path / "r")
    (row,) = run.results.to_dict("records")
    assert row["data"] == find(PLANE).data
    outcome = submit(find(PLANE), of_arrays(run.arrays(row["cell"])), tmp_path / "entries")
    assert outcome.after.lower == pytest.approx(row["lower_bound"])
    assert outcome.after.upper == pytest.approx(row["objective"])


def test_a_contradiction_is_an_alarm(entries, tmp_path, capsys):
    """A lower bound in the history that is not true: the honest network contradicts it."""
    entry = read_entry(entries, PLANE)
    false = Bound("lower", 2 * entry.upper, "m", None, "2026-01-01", "arcs", "0" * 64, "")
    write_entry(entries, Entry(PLANE, (*entry.history, false)), {})
    np.savez(tmp_path / "net.npz", **arrays(PLANE, "upper"))
    before = content(entries)
    assert cli.main(["submit", str(tmp_path / "net.npz"), "--instance", PLANE, "--entries", str(entries)]) == 1
    assert "ALARM" in capsys.readouterr().err
    assert content(entries) == before


def test_arrays_that_are_too_large_are_not_kept_and_nothing_rests_on_them(relaxed, tmp_path, monkeypatch):
    monkeypatch.setattr(kept, "MOST_BYTES", 1000)
    sent = Submission.of(None, relaxed.certificate)
    outcome = submit(find(PLANE), sent, tmp_path)
    assert [bound.sha256 for bound in outcome.moved] == ["recompute"]
    assert (outcome.after.lower, outcome.after.kind) == (None, "open")
    assert not (tmp_path / PLANE / "lower.npz").exists()
    assert submit(find(PLANE), sent, tmp_path).moved == ()
    monkeypatch.undo()
    assert submit(find(PLANE), sent, tmp_path).after.lower == pytest.approx(relaxed.lower_bound)


def altered(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def raised(entries, side):
    value = getattr(read_entry(entries, PLANE), side)
    altered(entries / PLANE / "history.csv", repr(value), repr(value * (1 + 1e-6)))


def swapped(entries, side):
    """With the sha256 of the file that was put there, so that only the proof can tell."""
    shutil.copy(entries / FAINT / f"{side}.npz", entries / PLANE / f"{side}.npz")
    hashes = [read_entry(entries, name).best(side).sha256 for name in (PLANE, FAINT)]
    altered(entries / PLANE / "history.csv", *hashes)


DAMAGES = {
    "flipped byte of a proof": (lambda entries: flip(entries / PLANE / "lower.npz"), "sha256"),
    "flipped byte of a network": (lambda entries: flip(entries / PLANE / "upper.npz"), "sha256"),
    "raised lower bound": (lambda entries: raised(entries, "lower"), "proves less"),
    "raised objective": (lambda entries: raised(entries, "upper"), "another objective"),
    "swapped proof": (lambda entries: swapped(entries, "lower"), "proves less"),
    "swapped network": (lambda entries: swapped(entries, "upper"), "another objective"),
    "swapped file": (
        lambda entries: shutil.copy(entries / FAINT / "lower.npz", entries / PLANE / "lower.npz"),
        "sha256",
    ),
    "missing file": (lambda entries: (entries / PLANE / "upper.npz").unlink(), "No such file"),
    "folder of no instance": (lambda entries: (entries / "mine").mkdir(), "unknown"),
    "line of nonsense": (lambda entries: altered(entries / PLANE / "history.csv", "lower,", "middle,"), "damaged"),
    "line of infinity": (
        lambda entries: altered(entries / PLANE / "history.csv", repr(read_entry(entries, PLANE).upper), "inf"),
        "damaged",
    ),
    "file in no line": (
        lambda entries: altered(
            entries / PLANE / "history.csv", read_entry(entries, PLANE).best("lower").sha256, "recompute"
        ),
        "in no line",
    ),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_check_finds_what_was_altered(name, entries, capsys):
    damage, words = DAMAGES[name]
    assert cli.main(["instances", "check", "--entries", str(entries)]) == 0
    assert "6 bounds, 0 do not hold" in capsys.readouterr().out
    damage(entries)
    assert cli.main(["instances", "check", "--entries", str(entries)]) == 1
    failed = [line for line in capsys.readouterr().out.splitlines() if line.startswith("FAILED")]
    assert len(failed) == 1
    assert words in failed[0]


@pytest.mark.parametrize("name", SAMPLE)
def test_what_ships_holds(name):
    assert [found.message for found in check(name)] == ["", ""]
    assert read_entry(ENTRIES, name).kind == "solved"


@pytest.mark.parametrize("name", SAMPLE)
def test_no_descent_gets_below_what_ships(name):
    entry = read_entry(ENTRIES, name)
    rival = rb.fit(problem_of(name), "lbfgs", width=20, budget=0.5).objective
    assert entry.lower <= rival
    assert entry.upper <= rival * (1 + 1e-3)


@pytest.mark.parametrize("text", ["\x1b[2J", "<b>", "a,b\nlower,9,,,,,,"])
def test_words_of_a_stranger_stay_words(text, tmp_path, capsys):
    sent = Submission((rb.Network(**arrays(PLANE, "upper")),))
    after = submit(find(PLANE), sent, tmp_path, method=text, by=text * 100).after
    assert read_entry(tmp_path, PLANE) == after
    assert (len(after.history), after.lower) == (1, None)
    assert cli.main(["instances", "show", PLANE, "--entries", str(tmp_path)]) == 0
    assert "\x1b" not in capsys.readouterr().out
    altered(tmp_path / PLANE / "history.csv", after.history[0].date, "\x1b[2J")
    assert cli.main(["instances", "show", PLANE, "--entries", str(tmp_path)]) == 0
    assert "\x1b" not in capsys.readouterr().out


@pytest.mark.slow
def test_all_that_ships_holds():
    names = filled()
    assert len(names) > 20
    assert [found for name in names for found in check(name) if not found.holds] == []


def test_what_ships_is_small_and_belongs_to_instances():
    sizes = [path.stat().st_size for path in ENTRIES.rglob("*") if path.is_file()]
    assert sum(sizes) < 10_000_000
    assert {path.name for path in ENTRIES.iterdir()} <= {instance.name for instance in instances()}
    assert {path.name for path in ENTRIES.rglob("*") if path.is_file()} <= {"history.csv", "lower.npz", "upper.npz"}


def test_the_same_arrays_are_the_same_bytes():
    first = {"b": np.arange(3.0), "a": np.ones((2, 2))}
    assert packed(first) == packed(dict(reversed(first.items())))


def test_list_shows_every_instance_and_its_class(entries, capsys):
    assert cli.main(["instances", "list", "--json", "--entries", str(entries)]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert list(rows) == [instance.name for instance in instances()]
    with (entries / PLANE / "history.csv").open(encoding="utf-8") as file:
        values = {line["side"]: float(line["value"]) for line in csv.DictReader(file)}
    assert {side: rows[PLANE][side] for side in values} == values
    assert {name for name, row in rows.items() if row["class"] == "solved"} == set(HELD)
    assert cli.main(["instances", "list", "--class", "solved", "--entries", str(entries)]) == 0
    assert capsys.readouterr().out.endswith("3 instances\n")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["instances"], "a command is missing"),
        (["instances", "chek"], "Did you mean 'check'"),
        (["instances", "show", "iris-sdt-g0.1"], "Did you mean 'iris-std-g0.1'"),
        (["instances", "check", "--entries", "nowhere"], "must be a folder with entries"),
        (["submit", "nowhere.npz", "--instance", PLANE], "FILE must be a file that exists"),
    ],
)
def test_wrong_usage_is_one_line(words, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert cli.main(words) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


def test_entries_that_cannot_be_written_are_said_to_be(tmp_path, monkeypatch, capsys):
    np.savez(tmp_path / "net.npz", **arrays(PLANE, "upper"))
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert cli.main(["submit", str(tmp_path / "net.npz"), "--instance", PLANE]) == 2
    assert "give --entries DIR, or work in a checkout" in capsys.readouterr().err


def test_of_two_submissions_at_once_none_is_lost(entries, monkeypatch):
    """Both have read the entry and proved their side before the first has written."""
    shutil.rmtree(entries / PLANE)
    met = threading.Barrier(2)
    first_read, first_write = submitting.read_entry, submitting.write_entry

    def read_at_once(folder, name):
        entry = first_read(folder, name)
        with contextlib.suppress(threading.BrokenBarrierError):  # the reads under the lock come one by one
            met.wait(0.5)
        return entry

    def write_late(*given):
        time.sleep(0.3)
        first_write(*given)

    monkeypatch.setattr(submitting, "read_entry", read_at_once)
    monkeypatch.setattr(submitting, "write_entry", write_late)
    sides = {side: of_arrays(arrays(PLANE, side)) for side in ("lower", "upper")}
    with ThreadPoolExecutor() as pool:
        outcomes = list(pool.map(lambda sent: submit(find(PLANE), sent, entries), sides.values()))
    assert [len(outcome.moved) for outcome in outcomes] == [1, 1]
    assert sorted(bound.side for bound in first_read(entries, PLANE).history) == ["lower", "upper"]
    assert all(found.holds for found in check(PLANE, entries))
    assert filled((), entries) == [PLANE, FAINT, SPACE], "the lock is no entry"


def test_what_moves_nothing_leaves_no_lock_behind(entries):
    before = content(entries)
    assert not submit(find(PLANE), of_arrays(arrays(PLANE, "upper")), entries).moved
    assert content(entries) == before


def test_the_history_of_an_instance_is_drawn(entries, tmp_path, capsys):
    path = tmp_path / "bounds.svg"
    assert cli.main(["instances", "show", PLANE, "--entries", str(entries), "--figure", str(path)]) == 0
    assert path.read_text(encoding="utf-8").lstrip().startswith("<?xml")
    assert cli.main(["instances", "show", PLANE, "--entries", str(entries), "--figure", str(tmp_path / "a.txt")]) == 2
    assert "--figure must end in .pdf, .svg, .png. Got " in capsys.readouterr().err
    history = entries / PLANE / "history.csv"
    written = history.read_text(encoding="utf-8")
    for date, code in (("2020-01-31", 0), ("yesterday", 2)):  # the first line's: one of two days, and none at all
        history.write_text(re.sub(r"\d{4}-\d\d-\d\d", date, written, count=1), encoding="utf-8")
        assert cli.main(["instances", "show", PLANE, "--entries", str(entries), "--figure", str(path)]) == code
    shutil.rmtree(entries / PLANE)
    assert cli.main(["instances", "show", PLANE, "--entries", str(entries), "--figure", str(path)]) == 2
