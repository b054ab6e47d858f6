"""Drawing a figure into files: picture, the CSV behind it, and the script that draws it again from that CSV."""

from __future__ import annotations

import ast
import inspect
import pprint
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from . import style as house
from .figures.kind import FigureKind, Looks
from .results import ReportError, Results

FORMATS = ("pdf", "svg", "png")
METADATA: dict[str, dict[str, Any]] = {"pdf": {"CreationDate": None}, "svg": {"Date": None}, "png": {"Software": None}}


@dataclass(frozen=True)
class Drawn:
    """A figure that was written: its kind, its rows, its caption, and the files by `format` and `format-single`."""

    kind: FigureKind
    frame: pd.DataFrame
    caption: str
    files: dict[str, Path]


def looks(results: Results) -> Looks:
    """The look of every method and every arm that occurs in the results."""
    method_of = results.cells.drop_duplicates("arm").set_index("arm")["method"]
    arms = house.arm_looks([(method_of[arm], arm) for arm in results.arms])
    return {**house.method_looks(results.methods), **arms}


def draw(
    kind: FigureKind,
    results: Results,
    folder: Path,
    *,
    formats: Sequence[str],
    widths: Sequence[str],
    style: str | None,
) -> Drawn:
    """Write the figure, its CSV and its script into the folder. Raises NothingToShow before anything is written."""
    frame = kind.data(results)
    named = {name: look for name, look in looks(results).items() if _occurs(frame, name)}
    files = {}
    frame.to_csv(folder / f"{kind.name}.csv", index=False)
    (folder / f"{kind.name}.py").write_text(script(kind, frame, named), encoding="utf-8")
    with settings(style):
        for width in widths:
            figure = kind.draw(frame, named, house.WIDTHS[width])
            house.settle(figure)
            suffix = "" if width == "double" else f"-{width}"
            for form in formats:
                path = files[form + suffix] = folder / f"{kind.name}{suffix}.{form}"
                figure.savefig(path, metadata=METADATA[form])
    return Drawn(kind, frame, kind.caption(frame), files)


@contextmanager
def settings(style: str | None) -> Iterator[None]:
    """The house's settings, with a matplotlib style (a name or a file) over them."""
    import matplotlib
    from matplotlib import style as styles

    layers: list[Any] = [house.settings(), *([style] if style else [])]
    try:
        context = styles.context(layers)
        with matplotlib.rc_context(), context, warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Glyph .* missing")
            yield
    except OSError as error:
        raise ReportError(
            f"style must be single, double, or the name or file of a matplotlib style. Got {style!r} instead ({error})."
        ) from None


def _occurs(frame: pd.DataFrame, name: str) -> bool:
    return any(column in frame and (frame[column] == name).any() for column in ("method", "arm"))


def script(kind: FigureKind, frame: pd.DataFrame, named: Looks) -> str:
    """A program that draws the figure from its CSV with numpy, pandas and matplotlib alone."""
    module = sys.modules[kind.draw.__module__]
    source = inspect.getsource(module)
    imports, parts = _needed(ast.parse(source), kind.draw.__name__)
    style_tree = ast.parse(inspect.getsource(house))
    style_imports = [node for node in style_tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    style_rest = [node for node in style_tree.body[1:] if not isinstance(node, ast.Import | ast.ImportFrom)]
    lines = [ast.unparse(node) for node in (*imports, *style_imports)]
    return "\n".join(
        [
            f'"""{kind.title}: drawn from {kind.name}.csv, which lies beside this file.',
            "",
            f"python {kind.name}.py [OUTPUT] [WIDTH IN INCHES]; change what you like below.",
            '"""',
            "",
            "import sys",
            "from pathlib import Path",
            *dict.fromkeys(lines),
            "import matplotlib",
            "",
            _source(inspect.getsource(house), style_rest),
            "",
            _source(source, parts),
            "",
            f"TEXT = {dict.fromkeys((name for name in frame if frame[name].dtype.kind not in 'ifb'), 'str')}",
            f"LOOKS = {pprint.pformat(named, width=110, sort_dicts=False)}",
            "",
            'if __name__ == "__main__":',
            "    here = Path(__file__).resolve().parent",
            f'    output = Path(sys.argv[1]) if len(sys.argv) > 1 else here / "{kind.name}.pdf"',
            '    width = float(sys.argv[2]) if len(sys.argv) > 2 else WIDTHS["double"]',
            "    with matplotlib.rc_context(settings()):",
            f'        frame = pd.read_csv(here / "{kind.name}.csv", dtype=TEXT, keep_default_na=False, na_values=[""])',
            f"        figure = {kind.draw.__name__}(frame, LOOKS, width)",
            "        settle(figure)",
            "        figure.savefig(output)",
            "",
        ]
    )


def _needed(tree: ast.Module, name: str) -> tuple[list[ast.stmt], list[ast.stmt]]:
    """The imports from outside the project, and the definitions that the function `name` uses, in order."""
    defined: dict[str, ast.stmt] = {}
    imports: list[ast.stmt] = []
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            defined[node.name] = node
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            defined[node.targets[0].id] = node
        elif isinstance(node, ast.Import) or (isinstance(node, ast.ImportFrom) and not node.level):
            imports.append(node)
    wanted, open_names = set(), [name]
    while open_names:
        current = open_names.pop()
        if current in defined and current not in wanted:
            wanted.add(current)
            open_names += [node.id for node in ast.walk(defined[current]) if isinstance(node, ast.Name)]
    return imports, [node for key, node in defined.items() if key in wanted]


def _source(text: str, nodes: Sequence[ast.stmt]) -> str:
    """The lines of the nodes as they were written, comments just above them included."""
    lines, found = text.splitlines(), []
    for node in nodes:
        start = node.lineno - 1
        while start and lines[start - 1].startswith("#"):
            start -= 1
        gap = "\n\n" if isinstance(node, ast.FunctionDef) else ""
        found.append(gap + "\n".join(lines[start : node.end_lineno]) + gap)
    return "\n".join(found)
