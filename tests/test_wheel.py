"""The wheel is enough by itself: it holds every file of the rooms, and runs in an environment without the source."""

import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest

HOUSE = Path(__file__).resolve().parent.parent
ROOMS = ("relaxbench", "datasets", "solvers", "baselines", "bench", "reports")
LOADED = """
import relaxbench, sys
from relaxbench.bench import cli
for room in ("datasets.catalogue", "solvers.sdp", "baselines", "reports.build"):
    __import__(f"relaxbench.{room}")
for name, module in sys.modules.items():
    if name.partition(".")[0] == "relaxbench":
        print(module.__file__)
"""

pytestmark = pytest.mark.slow


def tracked(*folders):
    """Files that git keeps, relative to the house."""
    command = ["git", "ls-files", "-z", "--", *folders]
    listed = subprocess.run(command, cwd=HOUSE, capture_output=True, text=True, check=True).stdout
    return [name for name in listed.split("\0") if name and (HOUSE / name).is_file()]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Built out of what git keeps, so that nothing else that lies about can get into it or be missed."""
    folder = tmp_path_factory.mktemp("wheel")
    for name in tracked():
        (folder / "source" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(HOUSE / name, folder / "source" / name)
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", str(folder), str(folder / "source")]
    subprocess.run(build, check=True)
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel):
    """A folder far from the source, and a function that runs a program of an environment that has the wheel.

    The environment sees the dependencies of this one through a .pth file, but not its .pth files and so not the source.
    """
    folder = wheel.parent
    python = folder / "venv" / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder / "venv")], check=True)
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps", str(wheel)]
    subprocess.run(pip, check=True)
    (site,) = folder.glob("venv/lib/python*/site-packages")
    (site / "dependencies.pth").write_text("\n".join(path for path in sys.path if path.endswith("-packages")))
    away = folder / "away"
    away.mkdir()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}

    def run(program, *arguments):
        command = [python.parent / program, *arguments]
        done = subprocess.run(command, cwd=away, env=environment, capture_output=True, text=True, timeout=200)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return away, run


def test_the_wheel_holds_what_git_keeps_in_the_rooms(wheel):
    names = [name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name]
    kept = [name if name.startswith("relaxbench/") else f"relaxbench/{name}" for name in tracked(*ROOMS)]
    assert sorted(names) == sorted(kept)


def test_it_runs_away_from_the_source(installed, wheel):
    away, run = installed
    files = run("python", "-c", LOADED).split()
    assert len(files) > 50
    assert [file for file in files if not Path(file).is_relative_to(wheel.parent / "venv")] == []
    assert run("python", "-m", "relaxbench", "--version") == run("relaxbench", "--version")
    assert "relaxbench certify" in run("python", "-m", "relaxbench", "certify", "--help")
    assert "smoke" in run("relaxbench", "list")
    grid = ("--dataset", "random", "--dataset", "pima", "--method", "ridge", "--gamma", "0.1")
    run("relaxbench", "run", *grid, "--width", "5", "--out", "r")
    run("relaxbench", "report", "r")
    page = (away / "r" / "report" / "index.html").read_text(encoding="utf-8")
    assert "DataTables" in page
    assert page.count("pima") > 1


def test_version_and_citation_are_those_of_the_project():
    project = tomllib.loads((HOUSE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert version("relaxbench") == project["version"]
    citation = (HOUSE / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {project['version']}\n" in citation
