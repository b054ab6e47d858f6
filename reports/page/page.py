"""index.html: one file that works from disk, with everything in it and no request to anywhere."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from ...bench.results.columns import Status
from ..figures.drawing import Drawn
from ..labels import relabelled, reworded
from ..results import Results
from ..summary import NOTES
from ..tables.table import Table
from .findings import counted, findings

SHOWN = (
    *("problem", "method", "solver", "rounding", "gamma", "gamma_chosen", "gamma_by"),
    *("width", "seed", "data_seed", "status"),
    *("objective", "lower_bound", "gap", "gap_own", "train_accuracy", "test_accuracy", "balanced_accuracy", "test_r2"),
    *("runtime_s", "n", "d", "c", "message", "cell"),
)  # not test_accuracy_paper: the two protocols never share a table
HEADERS = {
    "problem": "data set",
    "gamma": "γ",
    "gamma_chosen": "γ chosen",
    "gamma_by": "γ by",
    "lower_bound": "lower bound",
    "gap_own": "network gap",
    "runtime_s": "runtime (s)",
}
DIGITS = 6  # significant digits in the page; results.csv has all
MOST_ROWS = 200  # rows of a figure's data shown in the page; the CSV beside the figure has all
ASSETS = Path(__file__).parent / "assets"
DARK = {"#1f2328": "#e6edf3", "#57606a": "#9da7b3", "#d5dae0": "#30363d", "#ffffff": "#0d1117", "#6e7781": "#9da7b3"}


def write_page(
    results: Results,
    tables: Sequence[Table],
    figures: Sequence[Drawn],
    absent: Mapping[str, str],
    target: Path,
    command: str,
) -> Path:
    """Write index.html.

    Args:
        results: the results of a run.
        tables: the tables to show.
        figures: the figures that were drawn.
        absent: title of a figure that was not drawn → why.
        target: the folder to write into.
        command: makes the page again.

    Returns:
        The path of index.html.
    """
    engine = Environment(
        loader=PackageLoader("relaxbench.reports.page"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    columns = _columns(results)
    scripts = [_asset("dataTables.min.js"), _asset("dataTables.columnControl.min.js"), _template("page.js")]
    styles = [
        _asset("dataTables.dataTables.min.css"),
        _asset("columnControl.dataTables.min.css"),
        _template("page.css"),
    ]
    text = engine.get_template("index.html").render(
        title=f"relaxbench: {results.folder.resolve().name}",
        hashes=" ".join(f"'sha256-{_digest(script)}'" for script in scripts),
        scripts=[Markup(script) for script in scripts],
        styles=[Markup(style) for style in styles],
        facts=_facts(results),
        statuses=_statuses(results),
        alarms=results.alarms,
        findings=findings(results),
        missing=[reworded(text, results.labels) for text in results.missing],
        lacking=results.lacking,
        beside=results.beside,
        figures=[_figure(drawn) for drawn in figures],
        absent=absent,
        tables=tables,
        notes=NOTES,
        failures=_failures(results),
        titles=[column["title"] for column in columns],
        cells=_packed(columns),
        environment=list(_flat(results.environment)),
        spec=results.spec,
        command=command,
        folder=results.folder,
    )
    path = target / "index.html"
    path.write_text(text, encoding="utf-8")
    return path


def _asset(name: str) -> str:
    return (ASSETS / name).read_text(encoding="utf-8")


def _template(name: str) -> str:
    return (Path(__file__).parent / "templates" / name).read_text(encoding="utf-8")


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _facts(results: Results) -> list[tuple[str, str, str]]:
    """(count, noun, which) of what ran."""
    cells, methods = results.cells, [results.labels.get(name, name) for name in results.methods]

    def some(names: Sequence[str], most: int = 8) -> str:
        return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")

    datasets = sorted(cells["dataset_label"].mask(cells["dataset_label"] == "", cells["dataset"]).unique())
    gammas = [f"{value:g}" for value in sorted(cells["gamma"].dropna().unique(), reverse=True)]
    gammas += [f"by {by}" for by in sorted(set(cells.loc[cells["gamma_chosen"].notna(), "gamma_by"]))]
    finished = len(results.done)
    return [
        (
            f"{finished} / {len(cells)}",
            "cells finished",
            "all of them" if finished == len(cells) else "see the failures",
        ),
        (*_count(datasets, "data set"), some(datasets)),
        (*_count(methods, "method"), some(methods)),
        (str(len(gammas)), "value of γ" if len(gammas) == 1 else "values of γ", some(gammas)),
    ]


def _count(names: Sequence[str], noun: str) -> tuple[str, str]:
    count, _, nouns = counted(len(names), noun).partition(" ")
    return count, nouns


def _statuses(results: Results) -> list[tuple[str, int]]:
    return [(str(name), int(count)) for name, count in results.cells["status"].value_counts().items()]


def _figure(drawn: Drawn) -> dict[str, Any]:
    shown = drawn.frame.head(MOST_ROWS)
    return {
        "name": drawn.kind.name,
        "title": drawn.kind.title,
        "caption": drawn.caption,
        "alt": f"{drawn.kind.title}. The numbers are in the table below the picture.",
        "wide": _picture(drawn.files["svg"]) if "svg" in drawn.files else None,
        "narrow": _picture(drawn.files["svg-single"]) if "svg-single" in drawn.files else None,
        "files": [path.name for path in drawn.files.values()] + [f"{drawn.kind.name}.csv", f"{drawn.kind.name}.py"],
        "header": list(shown.columns),
        "rows": [[_text(value) for value in row] for row in shown.itertuples(index=False)],
        "left_out": len(drawn.frame) - len(shown),
    }


def _picture(path: Path) -> str:
    """The SVG as a data URI, with colours for dark pages added and places to a hundredth of a point."""
    rules = "".join(
        f"[style*='fill: {light}']{{fill:{dark}!important}}[style*='stroke: {light}']{{stroke:{dark}!important}}"
        for light, dark in DARK.items()
    )
    style = f"<style>@media (prefers-color-scheme: dark){{{rules}}}</style>"
    head, tag, rest = path.read_text(encoding="utf-8").partition("<defs>")
    rest = re.sub(r' (?:d|x|y)="[^"]*"', lambda place: re.sub(r"(\.\d\d)\d+", r"\1", place[0]), rest)
    return "data:image/svg+xml;base64," + base64.b64encode((head + style + tag + rest).encode()).decode()


def _text(value: Any) -> str:
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.{DIGITS}g}"
    return str(value)


def _failures(results: Results) -> list[dict[str, Any]]:
    """Failures with equal method, status and message in one line, most frequent first."""
    failed = relabelled(results.cells[results.cells["status"] != Status.OK], results.labels)
    lines = []
    for (method, status, message), part in failed.groupby(["method", "status", "message"], sort=False):
        lines.append(
            {
                "method": method,
                "status": status,
                "message": message or "no message",
                "count": len(part),
                "problems": sorted(part["problem"].unique()),
                "cells": list(part["cell"])[:5],
            }
        )
    return sorted(lines, key=lambda line: -line["count"])


def _columns(results: Results) -> list[dict[str, Any]]:
    """The columns of the sortable table that hold anything; text as codes into a list of names."""
    cells, columns = relabelled(results.cells, results.labels), []
    for name in SHOWN:
        values, title = cells[name], HEADERS.get(name, name.replace("_", " "))
        if values.dtype == float and values.notna().any():
            numbers = [None if math.isnan(value) else float(f"{value:.{DIGITS}g}") for value in values]
            columns.append({"name": name, "title": title, "values": numbers})
        elif values.dtype != float and (values != "").any():
            codes, names = pd.factorize(values)
            columns.append({"name": name, "title": title, "codes": codes.tolist(), "names": list(names)})
    return columns


def _packed(value: Any) -> str:
    """JSON, compressed so that the page stays small, in base64."""
    text = json.dumps(value, separators=(",", ":"))
    return base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode()


def _flat(value: Any, prefix: str = "") -> Any:
    """(name, text) for every leaf of nested dicts and lists."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _flat(item, f"{prefix}.{key}" if prefix else str(key))
    elif isinstance(value, list) and any(isinstance(item, Mapping | list) for item in value):
        for k, item in enumerate(value):
            yield from _flat(item, f"{prefix}[{k}]")
    else:
        yield prefix, ", ".join(map(str, value)) if isinstance(value, list) else str(value)
