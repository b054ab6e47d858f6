"""Make docs/columns.md out of the code: python docs/columns.py."""

from collections.abc import Sequence
from pathlib import Path

from relaxbench.bench.grid.tolerances import CHECKED, COSTS
from relaxbench.bench.results.columns import COLUMNS, STATUSES, TIGHTNESS_COLUMNS, Column
from relaxbench.bench.results.history import NIGHT_COLUMNS

PAGE = Path(__file__).with_suffix(".md")


def page() -> str:
    """The reference of all columns in Markdown."""
    parts = [
        "# The columns\n\nMade from the code by `make docs`. A value that does not apply is missing: an empty field.\n",
        "## results.parquet and results.csv\n\nOne row a cell, whatever came of it.\n",
        _table(COLUMNS),
        "## Statuses\n",
        _lines(("status", "meaning"), [(f"`{name}`", meaning) for name, meaning in STATUSES.items()]),
        "## tightness.csv\n\nOne row a group, that is one (data, gamma).\n",
        _table(TIGHTNESS_COLUMNS),
        "## history.parquet\n\nThe columns of the results but `message`, and before them:\n",
        _table(NIGHT_COLUMNS),
        "## What is compared\n\n`compare`, `ab` and `nightly` judge these columns; a config's `[tolerance]` overrides "
        f"how much worse is still well. {' and '.join(f'`{name}`' for name in COSTS)} are judged by `ab` alone.\n",
        _lines(
            ("column", "better", "measured", "tolerance"),
            [(f"`{column.name}`", column.better, column.measure, f"{column.tolerance:g}") for column in CHECKED],
        ),
    ]
    return "\n".join(parts)


def _table(columns: Sequence[Column]) -> str:
    return _lines(
        ("column", "kind", "meaning"), [(f"`{column.name}`", column.kind, column.meaning) for column in columns]
    )


def _lines(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "".join("| " + " | ".join(text.replace("|", "\\|") for text in line) + " |\n" for line in lines)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
