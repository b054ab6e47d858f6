"""The script beside each figure: it draws the figure again from its CSV with numpy, pandas and matplotlib alone.

The critical-difference diagram takes scikit-posthocs as well, which draws it.

It is put together from the source of the figure's `draw` and of `style.py`, so that both draw the same.
"""

from __future__ import annotations

import ast
import inspect
import pprint
import sys
from collections.abc import Sequence

import pandas as pd

from ..tables.table import FORMULA
from . import style as house
from .kind import FigureKind, Looks


def script(kind: FigureKind, frame: pd.DataFrame, named: Looks) -> str:
    """Write a program that draws a figure from its CSV with numpy, pandas and matplotlib alone.

    Args:
        kind: the figure.
        frame: its data.
        named: the looks that it is drawn with.

    Returns:
        The source.
    """
    module = sys.modules[kind.draw.__module__]
    source = inspect.getsource(module)
    imports, parts = _needed(ast.parse(source), kind.draw.__name__)
    style_tree = ast.parse(inspect.getsource(house))
    style_imports = [node for node in style_tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    style_rest = [node for node in style_tree.body[1:] if not isinstance(node, ast.Import | ast.ImportFrom)]
    lines = {"import re", "import sys", "from pathlib import Path", "import matplotlib"}
    lines |= {ast.unparse(node) for node in (*imports, *style_imports)}
    own = {line for line in lines if line.split()[1].partition(".")[0] in sys.stdlib_module_names}
    return "\n".join(
        [
            f'"""{kind.title}: drawn from {kind.name}.csv, which lies beside this file.',
            "",
            f"python {kind.name}.py [OUTPUT] [WIDTH IN INCHES]; change what you like below.",
            '"""',
            "",
            *sorted(own),
            "",
            *sorted(lines - own),
            "",
            _source(inspect.getsource(house), style_rest),
            "",
            _source(source, parts),
            "",
            f"TEXT = {dict.fromkeys((name for name in frame if frame[name].dtype.kind not in 'ifb'), 'str')}",
            f"FORMULA = {FORMULA}",
            f"LOOKS = {pprint.pformat(named, width=110, sort_dicts=False)}",
            "",
            'if __name__ == "__main__":',
            "    here = Path(__file__).resolve().parent",
            f'    output = Path(sys.argv[1]) if len(sys.argv) > 1 else here / "{kind.name}.pdf"',
            '    width = float(sys.argv[2]) if len(sys.argv) > 2 else WIDTHS["double"]',
            "    with matplotlib.rc_context(settings()):",
            f'        frame = pd.read_csv(here / "{kind.name}.csv", dtype=TEXT, keep_default_na=False, na_values=[""])',
            "        for name in TEXT:  # without the apostrophe that keeps spreadsheets from reading a formula",
            "            quoted = frame[name].astype(str).str.match(\"'+[\" + re.escape(''.join(FORMULA)) + ']')",
            "            frame[name] = frame[name].where(~quoted, frame[name].astype(str).str.slice(1))",
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
