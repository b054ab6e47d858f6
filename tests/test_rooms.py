"""The house: which room may know which, that every public name is documented, and that the package list is complete."""

import ast
import tomllib
from collections import defaultdict
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

HOUSE = Path(__file__).resolve().parent.parent
ROOMS = ("relaxbench", "datasets", "solvers", "baselines", "bench", "reports")
MAY_IMPORT = {  # beside itself and the errors, which are for all
    "relaxbench": set(),
    "datasets": set(),
    "solvers": set(),
    "baselines": {"solvers.problem", "solvers.loss", "solvers.logistic", "solvers.network", "solvers.fit"},
    "bench": {"datasets", "solvers", "baselines"},
    "reports": {"bench.results", "bench.grid.registry", "bench.grid.model", "bench.instances.known"},
}
FILES = [path for room in ROOMS for path in sorted((HOUSE / room).rglob("*.py"))]
CHECKER = [path for path in FILES if path.parent.name == "checker"]
PROGRAM = "relaxbench/__main__.py"  # python -m relaxbench is the command line
MAY_REPORT = ("bench/cli/", "bench/runs.py")  # the command line and the front door call the report


def imported_modules(path):
    """Modules of this house that a file imports, as `room.module`; names of a room's own come as modules too."""
    folders = path.relative_to(HOUSE).parent.parts
    package = folders if folders[:1] == ("relaxbench",) else ("relaxbench", *folders)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name.split(".") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = list(package[: len(package) - node.level + 1]) if node.level else []
            base += node.module.split(".") if node.module else []
            names = [[*base, alias.name] for alias in node.names]
        else:
            continue
        for name in names:
            if name[0] == "relaxbench" and len(name) > 1:
                yield ".".join(name[1:])


def allowed(path, module):
    room = path.relative_to(HOUSE).parts[0]
    if path.relative_to(HOUSE).as_posix() == PROGRAM and module == "bench.cli.main":
        return True
    if module.split(".")[0] in (room, "errors"):
        return True
    if module.split(".")[0] == "reports" and path.relative_to(HOUSE).as_posix().startswith(MAY_REPORT):
        return True
    return any(module == door or module.startswith(f"{door}.") for door in MAY_IMPORT[room])


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(HOUSE).as_posix())
def test_rooms_know_only_whom_they_may(path):
    assert [module for module in imported_modules(path) if not allowed(path, module)] == []


@pytest.mark.parametrize("path", CHECKER, ids=lambda path: path.name)
def test_the_checker_shares_no_code_with_what_it_checks(path):
    mine = ("solvers.checker.", "errors.RelaxbenchError")
    assert [module for module in imported_modules(path) if not module.startswith(mine)] == []


def test_the_check_of_arrows_can_fail(tmp_path):
    for text, room, expected in (
        ("from ..bench.results.folder import load_results", "solvers", ["bench.results.folder.load_results"]),
        ("from .. import bench", "datasets", ["bench"]),
        ("from .bench.cli import main", "relaxbench", ["bench.cli.main"]),
        ("import relaxbench.reports.build", "baselines", ["relaxbench.reports.build"[11:]]),
        ("from ..solvers.ipm.loop import solve", "baselines", ["solvers.ipm.loop.solve"]),
        ("from ..bench.engine.local import LocalPool", "reports", ["bench.engine.local.LocalPool"]),
        ("from ..solvers.problem import Problem", "baselines", []),
        ("from ..reports import report", "bench", ["reports.report"]),
        ("from ...reports import report", "bench/cli", []),
        ("from ..solvers.relaxation import Relaxation", "baselines", ["solvers.relaxation.Relaxation"]),
    ):
        path = HOUSE / room / "planted.py"
        found = [module for module in imported_modules(_Planted(path, text)) if not allowed(path, module)]
        assert found == expected


class _Planted:
    """A file that is not there, with this text."""

    def __init__(self, path, text):
        self._path, self._text = path, text

    def relative_to(self, other):
        return self._path.relative_to(other)

    def read_text(self, encoding):
        return self._text


def public_names_without_docstring(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    if not ast.get_docstring(tree):
        yield "the module"
    stack = [("", tree)]
    while stack:
        prefix, parent = stack.pop()
        for node in parent.body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith(
                "_"
            ):
                if not ast.get_docstring(node):
                    yield f"{prefix}{node.name}"
                if isinstance(node, ast.ClassDef):
                    stack.append((f"{node.name}.", node))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(HOUSE).as_posix())
def test_every_public_name_has_a_docstring(path):
    assert list(public_names_without_docstring(path)) == []


MODULES = {".".join(path.relative_to(HOUSE).with_suffix("").parts).removesuffix(".__init__"): path for path in FILES}
MOST_LINES = 320


def graph(paths):
    """module → the modules it imports, those inside functions too."""
    found = {}
    for module, path in paths.items():
        names = set(imported_modules(path))
        found[module] = {name if name in paths else name.rpartition(".")[0] for name in names} & set(paths) - {module}
    return found


def folder_of(module):
    """`bench.grid.cell` → `bench.grid`; files beside folders stand for themselves."""
    return module if MODULES[module].name == "__init__.py" else ".".join(module.split(".")[:2])


def test_no_import_leads_back_to_where_it_began():
    imports = graph(MODULES)
    TopologicalSorter(imports).prepare()
    folders = defaultdict(set)
    for module, others in imports.items():
        folders[folder_of(module)] |= {folder_of(other) for other in others} - {folder_of(module)}
    TopologicalSorter(folders).prepare()
    with pytest.raises(CycleError):
        TopologicalSorter({**imports, "solvers.problem": {"solvers.sdp"}}).prepare()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(HOUSE).as_posix())
def test_files_are_short_and_take_no_private_name_of_another(path):
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= MOST_LINES
    assert "TYPE_CHECKING" not in text
    assert [module for module in imported_modules(path) if module.rpartition(".")[2].startswith("_")] == []


def test_each_room_says_what_lives_in_its_files():
    for package in {path.parent for path in FILES}:
        listed = ast.get_docstring(ast.parse((package / "__init__.py").read_text(encoding="utf-8"))) or ""
        names = [path.name for path in package.glob("*.py") if path.name != "__init__.py"]
        assert [name for name in names if name not in listed] == [], package


def test_the_package_list_is_complete():
    project = tomllib.loads((HOUSE / "pyproject.toml").read_text(encoding="utf-8"))
    folders = {".".join(path.parent.relative_to(HOUSE).parts) for path in FILES}
    packages = {folder if folder == "relaxbench" else f"relaxbench.{folder}" for folder in folders}
    assert set(project["tool"]["setuptools"]["packages"]) == packages
    assert set(project["tool"]["setuptools"]["package-dir"].values()) == set(ROOMS)
