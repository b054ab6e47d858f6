"""run, report and verify as a user calls them; runs that are interrupted, killed, or started twice."""

import errno
import fcntl
import json
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import psutil
import pytest
from relaxbench.bench.cli import main
from relaxbench.bench.results.folder import load_results
from relaxbench.bench.results.store import Store

PLANTED = Path(__file__).parents[1] / "support" / "planted.py"
RELAXBENCH = str(Path(sys.executable).with_name("relaxbench"))
WAIT_S = 60.0
SMALL = '[[dataset]]\nname = "random"\nn = 6\nn_test = 4\n'

pytestmark = pytest.mark.timeout(180)


def cli(*arguments, **options):
    command = [RELAXBENCH, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, **options)


@pytest.fixture
def slow_run(tmp_path, monkeypatch):
    """A command of six cells of half a second each, and what its workers noted."""
    notes = tmp_path / "notes"
    notes.mkdir()
    monkeypatch.setenv("PLANTED_NOTES", str(notes))
    config = tmp_path / "slow.toml"
    method = f'[[method]]\nuse = "{PLANTED}:slow"\nseconds = 0.5\n'
    config.write_text(f"{SMALL}{method}", encoding="utf-8")
    command = ["run", str(config), "--out", str(tmp_path / "out"), "--seed", "0..5", "--width", "3", "--jobs", "2"]
    return command, lambda name: (notes / name).read_text().split() if (notes / name).exists() else []


def started(command, cells, folder):
    """The command in a process group of its own, once so many cells are finished."""
    process = subprocess.Popen(
        [RELAXBENCH, *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell's `&` has these tests ignore Ctrl-C
    )
    end = time.monotonic() + WAIT_S
    while len(list(folder.glob("cells/*/record.json"))) < cells:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.02)
    return process


def gone(pids):
    """Whether all these processes end within some seconds."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        if not any(psutil.pid_exists(pid) and psutil.Process(pid).status() != "zombie" for pid in pids):
            return True
        time.sleep(0.1)
    return False


def children(process):
    return [child.pid for child in psutil.Process(process.pid).children(recursive=True)]


def stamps(folder):
    return {path.parent.name: path.stat().st_mtime_ns for path in folder.glob("cells/*/record.json")}


@pytest.mark.thorough
def test_run_report_verify(tmp_path, capsys):
    out = tmp_path / "out"
    methods = ["--method", f"{PLANTED}:good", "--method", f"{PLANTED}:plain"]
    grid = ["--seed", "0..1", "--width", 3, "--gamma", 0.1, "--bias"]
    run = cli("run", "--dataset", "spiral", *methods, *grid, "--out", out)
    assert run.returncode == 0, run.stderr
    assert "3 of 3 cells" in run.stdout
    assert run.stdout.endswith(f"Next: relaxbench report {out}\n")
    for name in ("results.csv", "results.parquet", "tightness.csv", "spec.toml", "environment.json"):
        assert (out / name).is_file()
    assert not list(out.glob(".*.tmp"))
    assert load_results(out)["d"].tolist() == [3, 3, 3]

    assert main(["verify", str(out)]) == 0
    assert capsys.readouterr().out.endswith("2 bounds, 0 do not hold\n")
    report = cli("report", out, "--style", "single")
    assert report.returncode == 0, report.stderr
    assert Path(report.stdout.strip().splitlines()[-1]).is_file()

    damaged = next(path for path in out.glob("cells/*/record.json") if "py:plain" in path.read_text())
    damaged.write_text("{}")
    again = cli("run", out / "spec.toml", "--out", out)
    assert again.returncode == 0
    assert "2 of them kept from before" in again.stdout
    (warning,) = [line for line in again.stderr.splitlines() if line.startswith("relaxbench: warning: ")]
    assert "moved to damaged/" in warning

    record = next(path for path in out.glob("cells/*/record.json") if "py:good" in path.read_text())
    (record.parent / "arrays.npz").unlink()
    capsys.readouterr()
    assert main(["verify", str(out)]) == 1
    assert "FAILED" in capsys.readouterr().out


@pytest.mark.thorough
def test_failed_cells_make_exit_code_3_and_a_row(tmp_path):
    done = cli("run", "--dataset", "spiral", "--method", f"{PLANTED}:broken", "--seed", "4..5", "--out", tmp_path / "o")
    assert done.returncode == 3
    assert "seed=5: failed: ValueError: planted in two lines" in done.stderr
    assert "1 failed, 1 ok" in done.stdout
    assert "Traceback" not in done.stderr
    assert load_results(tmp_path / "o")["status"].tolist() == ["ok", "failed"]


@pytest.mark.thorough
def test_a_full_disk_stops_the_run_with_one_line_and_keeps_what_is_there(tmp_path, monkeypatch, capsys):
    put = Store.put

    def full(self, shelf, key, record):
        if list(self.folder.glob("cells/*/record.json")):
            raise OSError(errno.ENOSPC, "No space left on device")
        put(self, shelf, key, record)

    monkeypatch.setattr(Store, "put", full)
    command = ["run", "--dataset", "spiral", "--method", f"{PLANTED}:good", "--seed", "0..3", "--out", tmp_path / "o"]
    assert main([str(argument) for argument in command]) == 3
    err = capsys.readouterr().err
    assert err.count("\n") == 2  # the first line of every run, and the error
    assert "everything finished is kept" in err
    assert "No space left" in err
    assert len(load_results(tmp_path / "o")) == 1


@pytest.mark.thorough
def test_after_ctrl_c_everything_finished_is_kept(tmp_path, slow_run):
    command, notes = slow_run
    process = started(command, 1, tmp_path / "out")
    workers = children(process)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=WAIT_S)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert "To go on: relaxbench run" in out
    assert gone(workers)
    kept = stamps(tmp_path / "out")
    assert 1 <= len(kept) < 6
    assert len(load_results(tmp_path / "out" / "results.csv")) == len(kept)

    done = cli(*out.splitlines()[-1].partition("relaxbench ")[2].split())
    assert done.returncode == 0, done.stderr
    assert f"{len(kept)} of them kept" in done.stdout
    assert kept.items() <= stamps(tmp_path / "out").items()
    assert set(notes("calls")) == {"0", "1", "2", "3", "4", "5"}


@pytest.mark.thorough
def test_after_kill_9_only_the_lost_cells_are_computed_again(tmp_path, slow_run):
    command, notes = slow_run
    process = started(command, 3, tmp_path / "out")
    workers = children(process)
    process.kill()
    process.communicate(timeout=WAIT_S)
    assert gone(workers)
    kept, finished = stamps(tmp_path / "out"), notes("calls")
    assert 3 <= len(kept) < 6
    assert len(load_results(tmp_path / "out")) == len(kept)

    done = cli(*command)
    assert done.returncode == 0, done.stderr
    assert kept.items() <= stamps(tmp_path / "out").items()
    assert len(notes("calls")) == len(finished) + 6 - len(kept)
    assert load_results(tmp_path / "out")["seed"].tolist() == [0, 1, 2, 3, 4, 5]
    assert set(load_results(tmp_path / "out")["status"]) == {"ok"}


@pytest.mark.thorough
def test_a_second_run_on_the_same_folder_is_refused(tmp_path, slow_run):
    command, _ = slow_run
    command[command.index("0..5")] = "0..99"  # it has to last until the second one has looked
    process = started(command, 0, tmp_path / "out")
    while not (tmp_path / "out" / "plan.json").exists():
        time.sleep(0.02)
    second = cli(*command)
    assert second.returncode == 2
    assert "another run" in second.stderr
    os.killpg(process.pid, signal.SIGTERM)
    process.communicate(timeout=WAIT_S)
    assert process.returncode == 130
    assert json.loads((tmp_path / "out" / "plan.json").read_text())


@pytest.mark.thorough
def test_a_terminal_gets_a_bar_with_the_cell_in_work(tmp_path, slow_run):
    command, _ = slow_run
    command[command.index("0..5")] = "0..1"
    mine, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 120, 0, 0))
    process = subprocess.Popen([RELAXBENCH, *command], stdout=subprocess.DEVNULL, stderr=theirs, close_fds=True)
    os.close(theirs)
    shown = b""
    while True:
        try:
            chunk = os.read(mine, 4096)
        except OSError:  # the other side is closed
            break
        shown += chunk
        if not chunk:
            break
    os.close(mine)
    assert process.wait(timeout=WAIT_S) == 0
    text = shown.decode(errors="replace")
    assert "2/2 cells" in text
    assert "0 failed" in text
    assert "planted.py:slow" in text
