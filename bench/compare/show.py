"""A comparison as a table for the terminal, as Markdown, JSON or JUnit XML."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from ...errors import printable
from ..canonical import plain
from ..text import in_markdown
from .checks import ADVISORY, BETTER, COST, FAILED, GRID, MISSING, OK, QUALITY, REGRESSION, SOUNDNESS, Check
from .comparison import Comparison

MOST_ROWS = 40
LEAST_RATIO = 1.1  # advice below it is not listed
TITLES = {
    SOUNDNESS: "Soundness (no tolerance)",
    GRID: "Grid",
    QUALITY: "Quality (tolerance by column)",
    COST: "Cost",
}
ORDER = {REGRESSION: 0, FAILED: 1, MISSING: 2, ADVISORY: 3, BETTER: 4, OK: 5}
VERDICTS = {
    0: "no regression",
    1: "REGRESSION",
    3: "FAILED: cells fail that did not before",
    4: "NOTHING COMPARABLE, or not everything: cells without a counterpart",
}


def table(comparison: Comparison) -> str:
    """The comparison as text for a terminal.

    Args:
        comparison: what to show.

    Returns:
        The text.
    """
    return _document(comparison, lambda title: f"\n{title}\n{'-' * len(title)}", "simple")


def markdown(comparison: Comparison) -> str:
    """The comparison in Markdown, for the summary of a job or a comment.

    Args:
        comparison: what to show.

    Returns:
        The text.
    """
    return _document(comparison, lambda title: f"\n### {title}\n", "github")


def as_json(comparison: Comparison) -> str:
    """The comparison as JSON.

    Args:
        comparison: what to show.

    Returns:
        The text; everything, checks that passed included.
    """
    document = {"verdict": verdict(comparison), "exit_code": comparison.exit_code, **asdict(comparison)}
    document["checks"] = [_entry(check) for check in comparison.checks]
    return json.dumps(plain(document), indent=1, ensure_ascii=False) + "\n"


def junit(comparison: Comparison) -> str:
    """The comparison as JUnit XML: a test suite for each class, a test case for each check.

    Args:
        comparison: what to show.

    Returns:
        The text; advice is skipped, and cells that fail are errors.
    """
    from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite

    kinds = {REGRESSION: Failure, FAILED: Error, MISSING: Error, ADVISORY: Skipped}
    document = JUnitXml("relaxbench compare")
    for kind in TITLES:
        suite = TestSuite(kind)
        for check in comparison.checks:
            if check.kind == kind:
                case = TestCase(printable(f"{check.cell}: {check.column}"), classname=f"relaxbench.{kind}")
                if check.verdict in kinds:
                    case.result = [kinds[check.verdict](_told(check), check.verdict)]
                suite.add_testcase(case)
        document.add_testsuite(suite)
    suite = TestSuite("verdict")
    case = TestCase("comparable", classname="relaxbench.verdict")
    if not comparison.comparable:
        case.result = [Error(VERDICTS[4], MISSING)]
    suite.add_testcase(case)
    document.add_testsuite(suite)
    return document.tostring().decode() + "\n"


FORMATS: dict[str, Callable[[Comparison], str]] = {
    "table": table,
    "markdown": markdown,
    "json": as_json,
    "junit": junit,
}


def verdict(comparison: Comparison) -> str:
    """The end of the matter.

    Args:
        comparison: what to sum up.

    Returns:
        One line.
    """
    counts = ", ".join(
        f"{comparison.count(name)} {told}"
        for name, told in (
            (REGRESSION, "regressions"),
            (FAILED, "newly failed"),
            (MISSING, "without counterpart"),
            (BETTER, "better"),
            (OK, "unchanged"),
        )
        if comparison.count(name)
    )
    return f"{VERDICTS[comparison.exit_code]} ({counts or 'no checks'})"


def _document(comparison: Comparison, heading: Callable[[str], str], style: str) -> str:
    from tabulate import tabulate

    clean = in_markdown if style == "github" else printable
    parts = [verdict(comparison), "", f"- BASE {clean(comparison.base)}", f"- CAND {clean(comparison.cand)}"]
    for kind, title in TITLES.items():
        checks = [check for check in comparison.checks if check.kind == kind]
        shown = sorted((check for check in checks if _worth_a_line(check)), key=_rank)
        if not checks:
            continue
        parts.append(heading(f"{title}: {_counts(checks)}"))
        listed = shown[:MOST_ROWS]
        for names in dict.fromkeys(check.names for check in listed):
            rows = [[clean(cell) for cell in _cells(check)] for check in listed if check.names == names]
            headers = ["verdict", "cell", "column", *names, _change_name(kind), "note"]
            parts += [tabulate(rows, headers, tablefmt=style, disable_numparse=True), ""]
        if listed:
            parts.pop()  # the empty line after the last table
        if len(shown) > MOST_ROWS:
            parts.append(f"\n{len(shown) - MOST_ROWS} more: --format json has all")
    for title, lines in (("Differences", comparison.differences), ("Notes", comparison.notes)):
        if lines:
            parts.append(heading(title))
            parts += [f"- {clean(line)}" for line in lines]
    return "\n".join(parts) + "\n"


def _counts(checks: Sequence[Check]) -> str:
    found = {name: sum(check.verdict == name for check in checks) for name in ORDER}
    return ", ".join(f"{count} {name}" for name, count in found.items() if count)


def _worth_a_line(check: Check) -> bool:
    if check.verdict == OK:
        return False
    mean = check.base is None and check.cand is None
    if check.kind != COST or check.verdict != ADVISORY or mean or check.change is None:
        return True
    return check.change > LEAST_RATIO


def _rank(check: Check) -> tuple[float, ...]:
    mean = check.kind == COST and check.base is None
    return ORDER[check.verdict], not mean, -(check.change if check.change is not None else math.inf)


def _entry(check: Check) -> dict[str, Any]:
    """A check with its two values under their own names."""
    entry = asdict(check)
    before, after = entry.pop("base"), entry.pop("cand")
    first, second = entry.pop("names")
    return {"kind": check.kind, "cell": check.cell, "column": check.column, first: before, second: after, **entry}


def _told(check: Check) -> str:
    """A check on one line, each value with its name."""
    _, cell, column, before, after, change, note = (printable(text) for text in _cells(check))
    parts = ((check.names[0], before), (check.names[1], after), (_change_name(check.kind), change))
    values = ", ".join(f"{name} {text}" for name, text in parts if text)
    return f"{cell}: {column}: {'; '.join(part for part in (values, note) if part)}"


def _change_name(kind: str) -> str:
    return "ratio" if kind == COST else "worse by"


def _cells(check: Check) -> list[str]:
    change = "" if check.change is None else f"{check.change:.3f}" if check.kind == COST else f"{check.change:.3g}"
    return [check.verdict, check.cell, check.column, _text(check.base), _text(check.cand), change, check.note]


def _text(value: Any) -> str:
    return "" if value is None else f"{value:.8g}" if isinstance(value, float) else str(value)
