"""The two sides of an A/B test: the code of a commit and that of the working tree, each ready to be run.

Both are copied, so that neither changes while it is measured, into a folder that PYTHONPATH puts before what is
installed. They share an interpreter where their dependencies are the same; else the commit gets its own.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from filelock import FileLock
from platformdirs import user_cache_path

from ..engine.bootstrap import pinned
from ..engine.local import THREADS
from ..grid.fingerprint import ROOT
from ..text import UsageError

WORKING_TREE = "the working tree"


@dataclass(frozen=True)
class CodeSide:
    """name: for the reader. checkout: the whole tree. copy: folder with the package in it. python: interpreter."""

    name: str
    checkout: Path
    copy: Path
    python: str

    @property
    def environment(self) -> Mapping[str, str]:
        """Environment variables for a process that is to run this code, with the threads pinned."""
        return {**os.environ, **pinned(THREADS), "PYTHONPATH": str(self.copy), "PYTHONSAFEPATH": "1"}


@contextmanager
def both_sides(ref: str) -> Iterator[tuple[CodeSide, CodeSide]]:
    """The commit `ref` and the working tree this code is from; everything made for it is gone afterwards.

    Args:
        ref: commit, branch or tag.

    Returns:
        A context of the base and the candidate.

    Raises:
        UsageError: this is no clone of the project, it has no such commit, or the commit cannot be set up.
    """
    repository = _repository()
    commit = _commit(repository, ref)
    with (
        TemporaryDirectory(prefix="relaxbench-ab-") as name,
        _worktree(repository, commit, Path(name) / "tree") as tree,
    ):
        folder = Path(name)
        base = CodeSide(f"{ref} ({commit[:10]})", tree, _copy(tree, folder / "base"), _python(tree, repository))
        cand = CodeSide(WORKING_TREE, repository, _copy(repository, folder / "cand"), sys.executable)
        yield base, cand


def same_dependencies(one: Path, other: Path) -> bool:
    """Whether two checkouts ask for the same packages: dependencies, extras and constraints.

    Args:
        one: top folder of a checkout.
        other: that of the other.

    Returns:
        True if they do.

    Raises:
        UsageError: a checkout has no pyproject.toml that reads.
    """
    return _dependencies(one) == _dependencies(other)


def _repository() -> Path:
    """Top folder of the clone that this code is from."""
    here = Path(__file__).resolve().parents[1]
    found = _git(here, "rev-parse", "--show-toplevel")
    top = Path(found) if found else None
    if top is None or top / "bench" != here:
        raise UsageError(f"ab must run from a clone of relaxbench, installed with pip install -e. Got {here} instead.")
    return top


def _commit(repository: Path, ref: str) -> str:
    found = _git(repository, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
    if not found:
        raise UsageError(f"REF must be a commit, branch or tag of {repository}. Got {ref!r} instead.")
    return found


def _git(folder: Path, *arguments: str) -> str | None:
    """What git says, or None if it fails or is not there."""
    try:
        done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True, timeout=60)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


@contextmanager
def _worktree(repository: Path, commit: str, path: Path) -> Iterator[Path]:
    if _git(repository, "worktree", "add", "--detach", "--quiet", str(path), commit) is None:
        raise UsageError(f"REF must be a commit that git can check out. Got {commit} instead.")
    try:
        yield path
    finally:
        _git(repository, "worktree", "remove", "--force", str(path))


def _copy(checkout: Path, into: Path) -> Path:
    """Copy the rooms of a checkout below the package's name; returns the folder to put on the path."""
    try:
        rooms = _project(checkout)["tool"]["setuptools"]["package-dir"]
    except KeyError:
        raise UsageError(f"REF must be a commit of relaxbench with its rooms. Got {checkout} without them.") from None
    ignored = shutil.ignore_patterns("__pycache__")
    for package, folder in rooms.items():
        shutil.copytree(checkout / folder, into / Path(*package.split(".")), ignore=ignored, dirs_exist_ok=True)
    return into


def _project(checkout: Path) -> dict:
    try:
        return tomllib.loads((checkout / "pyproject.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise UsageError(f"REF must be a commit with a pyproject.toml. Got {checkout} instead.") from None


def _dependencies(checkout: Path) -> tuple[str, ...]:
    project = _project(checkout)["project"]
    extras = project.get("optional-dependencies", {})
    constraints = checkout / "constraints.txt"
    pins = constraints.read_text(encoding="utf-8").split() if constraints.is_file() else []
    wanted = [*project.get("dependencies", []), *(line for name in sorted(extras) for line in extras[name])]
    return (project.get("requires-python", ""), *sorted(wanted), "constraints", *sorted(pins))


def _python(tree: Path, repository: Path) -> str:
    """This interpreter if it serves; else one with what the tree asks for, installed once and kept in the cache."""
    if same_dependencies(tree, repository):
        return sys.executable
    key = hashlib.sha256("\n".join([sys.version, *_dependencies(tree)]).encode()).hexdigest()[:16]
    folder = user_cache_path(ROOT) / "environments" / key
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_suffix(".lock")):
        if not (folder / "complete").exists():
            print(f"relaxbench: REF has other dependencies; installing them into {folder}", file=sys.stderr)
            constraints = ["-c", "constraints.txt"] if (tree / "constraints.txt").is_file() else []
            for command in (
                [sys.executable, "-m", "venv", "--clear", str(folder)],
                [str(python), "-m", "pip", "install", "--quiet", *constraints, ".[test]"],
            ):
                done = subprocess.run(command, cwd=tree, capture_output=True, text=True)
                if done.returncode:
                    last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
                    raise UsageError(f"REF must have dependencies that can be installed. Got: {last}")
            (folder / "complete").touch()
    return str(python)
