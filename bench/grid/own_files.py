"""The files behind a user's method: its own, the modules beside it that it imports, and the data files that it names.

    FINGERPRINT_FILES = ["weights.npz"]  # in the method's file, or a module that it imports; relative to that file

All are found by reading, nothing is run: imports as they are written, and a list of paths that is written out.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from ...errors import shown
from ..text import UsageError

NAME = "FINGERPRINT_FILES"


def own_files(path: Path) -> tuple[str, ...]:
    """The method's file and, transitively, the modules in its folder that are imported, with the files they name.

    Raises UsageError for FINGERPRINT_FILES that are no list of files.
    """
    found, waiting = set[Path](), [path]
    while waiting:
        module = waiting.pop()
        if module in found:
            continue
        found.add(module)
        try:
            tree = ast.parse(module.read_bytes())
        except (SyntaxError, ValueError, RecursionError):
            continue
        found.update(_named(module, tree))
        waiting.extend(_imported(module, tree, path.parent))
    return tuple(str(file) for file in sorted(found))


def _imported(module: Path, tree: ast.Module, root: Path) -> Iterator[Path]:
    """The files below root of the modules that are imported anywhere in this one, and of the packages they are in."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _files(root, alias.name.split("."))
        elif isinstance(node, ast.ImportFrom):
            start = module.parents[node.level - 1] if node.level else root
            if start.is_relative_to(root):
                parts = node.module.split(".") if node.module else []
                for alias in node.names:
                    yield from _files(start, [*parts, alias.name])


def _files(start: Path, parts: list[str]) -> Iterator[Path]:
    """The files of a dotted name, each package on the way included."""
    for depth in range(len(parts) + 1):
        place = start.joinpath(*parts[:depth])
        here = (place / "__init__.py",) if depth == 0 else (place / "__init__.py", place.with_name(f"{place.name}.py"))
        yield from (file for file in here if file.is_file())


def _named(module: Path, tree: ast.Module) -> Iterator[Path]:
    """The files of FINGERPRINT_FILES in a module."""
    for node in tree.body:
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        if not any(isinstance(target, ast.Name) and target.id == NAME for target in targets):
            continue
        assert isinstance(node, ast.Assign | ast.AnnAssign)
        try:
            names = ast.literal_eval(node.value) if node.value else []
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            names = None
        if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
            got = ast.unparse(node.value)[:100] if node.value else "nothing"
            raise UsageError(f"{NAME} in {module} must be a list of paths, written out. Got {got} instead.")
        for name in names:
            file = (module.parent / name).resolve()
            if not file.is_file():
                raise UsageError(f"{NAME} in {module} must name files that exist. Got {shown(name)} instead.")
            yield file
