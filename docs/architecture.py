"""Draw the pictures of docs/architecture.md out of the imports: python docs/architecture.py."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

PAGE = Path(__file__).with_suffix(".md")
HOUSE = PAGE.parent.parent
ROOMS = ("datasets", "solvers", "baselines", "bench", "reports")
WAY = (  # name and module of what the data are, one after the other
    ("Spec", "bench.grid.spec"),
    ("Cell", "bench.grid.cell"),
    ("Task", "bench.engine.task"),
    ("Worker", "bench.engine.worker"),
    ("Result", "bench.scoring.result"),
    ("Record", "bench.results.record"),
    ("results_table", "bench.results.tables"),
    ("report", "reports.build"),
)
BEGIN, END = "<!-- drawn by `make docs` -->", "<!-- end of the drawing -->"


def page() -> str:
    """The page with its pictures as the code has them now."""
    parts = PAGE.read_text(encoding="utf-8").split(BEGIN)
    pictures = [rooms(), way()]
    text = parts[0]
    for picture, part in zip(pictures, parts[1:], strict=True):
        text += f"{BEGIN}\n\n```mermaid\n{picture}```\n\n{END}{part.partition(END)[2]}"
    return text


def rooms() -> str:
    """The rooms, the folders in them, and an arrow to each that is imported and that no other arrow leads to."""
    arrows = _reduced(_imports())
    lines = ["flowchart TB"]
    for room in ROOMS:
        nodes = [f'    {_id(name)}["{_words(name)}"]' for name in sorted(arrows) if name.split(".")[0] == room]
        lines += nodes if len(nodes) == 1 else [f"  subgraph {room}", *nodes, "  end"]
    lines += [f"  {_id(one)} --> {_id(other)}" for one in sorted(arrows) for other in sorted(arrows[one])]
    return "\n".join(lines) + "\n"


def way() -> str:
    """What a run makes of its config, step by step, each with the file that it is in."""
    for name, module in WAY:
        tree = ast.parse((HOUSE / f"{module.replace('.', '/')}.py").read_text(encoding="utf-8"))
        if name not in {getattr(node, "name", None) for node in tree.body}:
            raise SystemExit(f"{module} does not define {name}: bring WAY up to date.")
    nodes = [f'  {name}["{name}<br>{module.replace(".", "/")}.py"]' for name, module in WAY]
    arrows = [f"  {one} --> {other}" for (one, _), (other, _) in pairwise(WAY)]
    return "\n".join(["flowchart LR", '  TOML["TOML, options"] --> Spec', *nodes, *arrows]) + "\n"


def _imports() -> dict[str, set[str]]:
    """folder → the folders that its files import; a file that stands beside folders counts as one."""
    found: dict[str, set[str]] = defaultdict(set)
    for room in ROOMS:
        for path in sorted((HOUSE / room).rglob("*.py")):
            own = _folder(path.relative_to(HOUSE).with_suffix("").parts)
            if own.endswith("__init__"):
                continue
            found[own] |= {other for other in map(_folder, _imported(path)) if other not in (own, "errors")}
    return {one: others & found.keys() for one, others in found.items()}


def _imported(path: Path) -> Iterator[tuple[str, ...]]:
    package = ("relaxbench", *path.relative_to(HOUSE).parent.parts)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = (*package[: len(package) - node.level + 1], *(node.module or "").split("."))
            for alias in node.names:
                yield tuple(part for part in (*base[1:], alias.name) if part)


def _folder(parts: tuple[str, ...]) -> str:
    """`bench.grid` for whatever is in it; `solvers.sdp` for a file of a room; the room for one of few files."""
    if parts[0] in ("datasets", "baselines"):
        return parts[0]
    return ".".join(parts[:2])


def _reduced(arrows: dict[str, set[str]]) -> dict[str, set[str]]:
    """Without the arrows that a longer way replaces."""

    def reached(one: str) -> set[str]:
        found = set(arrows[one])
        for other in arrows[one]:
            found |= reached(other)
        return found

    return {one: others - {far for other in others for far in reached(other)} for one, others in arrows.items()}


def _id(name: str) -> str:
    return name.replace(".", "_")


def _words(name: str) -> str:
    room, _, rest = name.partition(".")
    return f"{rest}/" if rest and (HOUSE / room / rest / "__init__.py").is_file() else rest or room


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
