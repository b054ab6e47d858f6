"""A fingerprint of the code that computes a result: its source without comments, docstrings and layout."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable
from functools import cache
from importlib import import_module
from pathlib import Path

ROOT = __package__.partition(".")[0]


def code_fingerprint(parts: Iterable[str]) -> str:
    """Fingerprint of code; a file is read once in a process, or again after `forget`.

    Files that are not Python, or that Python cannot parse, count byte by byte, so that the fingerprint never fails
    where the import will.

    Args:
        parts: a room (`solvers`), a file of one (`solvers/problem.py`), or an absolute path each.

    Returns:
        sha256 over the parts, in hexadecimal digits.
    """
    digest = hashlib.sha256()
    for part in sorted(set(parts)):
        for path in _files(part):
            digest.update(f"{path.name}:{_file_fingerprint(path)};".encode())
    return digest.hexdigest()


def forget() -> None:
    """Read every file again, as it may have changed since. A worker, which has imported what it read, never does."""
    _file_fingerprint.cache_clear()


def room_folder(room: str) -> Path:
    """Folder of an import package of the house.

    Args:
        room: name of the package, such as `solvers`.

    Returns:
        The path of the folder.
    """
    file = import_module(f"{ROOT}.{room}").__file__
    assert file is not None
    return Path(file).parent


def _files(part: str) -> list[Path]:
    path = Path(part)
    if not path.is_absolute():
        room, _, inside = part.partition("/")
        path = room_folder(room) / inside
    return sorted(path.rglob("*.py")) if path.is_dir() else [path]


@cache
def _file_fingerprint(path: Path) -> str:
    if path.suffix == ".py":
        source = path.read_bytes()
        try:
            return hashlib.sha256(ast.dump(_without_docstrings(ast.parse(source))).encode()).hexdigest()
        except (SyntaxError, ValueError, RecursionError):
            return hashlib.sha256(source).hexdigest()
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _without_docstrings(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)) and ast.get_docstring(
            node, clean=False
        ):
            node.body = node.body[1:]
    return tree
