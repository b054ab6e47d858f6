"""index.html: one file that works from disk, with everything in it and no request to anywhere."""

from __future__ import annotations

import base64
import math
import re
import shlex
from collections.abc import Mapping, Sequence
from decimal import ROUND_CEILING
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from ...bench.results.columns import Status
from ..figures import FIGURES
from ..figures.charts import CHARTS
from ..figures.drawing import Drawn, looks
from ..figures.interactive import described
from ..labels import relabelled, reworded
from ..results import Results
from ..summary import NOTES
from ..tables.table import Table, fixed
from .cells import HEADERS, cell_columns, traces
from .findings import counted, findings
from .packing import DIGITS, column, in_policy, packed, rounded

SCRIPTS = ("state", "selection", "table", "traces", "levels", "layout", "figures", "cell", "start")  # as they run
SECTIONS = {
    "Accuracy": ("accuracy", "r2", "critical-difference", "against", "against-r2", "accuracy-paper", "optimism"),
    "Tightness": ("ratio", "interval", "distribution", "scaling", "activations"),
    "Cost": ("profile", "tradeoff", "runtime"),
    "Width": ("width",),
    "Rounding": ("rounding", "rounding-noise"),
    "Solvers": ("gap", "solver-gap"),
    "What was learned": ("regions", "kernels"),
    "Trends": ("trends",),
    "Side by side": ("beside",),
}
REST = "More figures"  # those that no section names
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
    columns, plotly = cell_columns(results), _asset("plotly-basic.min.js")
    scripts = [
        _asset("dataTables.min.js"),
        _asset("dataTables.columnControl.min.js"),
        "\n".join(_template(f"scripts/{name}.js") for name in SCRIPTS),
    ]
    styles = [
        _asset("dataTables.dataTables.min.css"),
        _asset("columnControl.dataTables.min.css"),
        _template("page.css"),
    ]
    found, left_out = traces(results)
    data: dict[str, Any] = {"cells": columns, "figures": _described(results, figures), "dark": DARK}
    data["traces"] = {"found": found, "left_out": left_out}
    text = engine.get_template("index.html").render(
        title=f"relaxbench: {results.folder.resolve().name}",
        hashes=" ".join(map(in_policy, (*scripts, plotly))),
        scripts=[Markup(script) for script in scripts],
        styles=[Markup(style) for style in styles],
        facts=_facts(results),
        statuses=_statuses(results),
        alarms=results.alarms,
        findings=findings(results),
        drawn={drawn.kind.name: drawn.kind.title for drawn in figures},
        missing=[reworded(text, results.labels) for text in results.missing],
        lacking=results.lacking,
        beside=results.beside,
        sections=_sections(figures, absent),
        tables=tables,
        notes=NOTES,
        failures=_failures(results),
        titles=[column["title"] for column in columns if not column.get("hidden")],
        data=packed(data),
        plotly=packed(plotly),
        environment=list(_flat(results.environment)),
        spec=results.spec,
        command=command,
        folder=shlex.quote(str(results.folder)),
    )
    path = target / "index.html"
    path.write_text(text, encoding="utf-8")
    return path


def _asset(name: str) -> str:
    return (ASSETS / name).read_text(encoding="utf-8")


def _template(name: str) -> str:
    return (Path(__file__).parent / "templates" / name).read_text(encoding="utf-8")


def _facts(results: Results) -> list[tuple[str, str, str]]:
    """(count, noun, which) of what ran."""
    cells, methods = results.cells, [results.labels.get(name, name) for name in results.methods]

    def some(names: Sequence[str], most: int = 5) -> str:
        return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")

    datasets = sorted(cells["dataset_label"].mask(cells["dataset_label"] == "", cells["dataset"]).unique())
    gammas = [f"{value:g}" for value in sorted(cells["gamma"].dropna().unique(), reverse=True)]
    gammas += [f"by {by}" for by in sorted(set(cells.loc[cells["gamma_chosen"].notna(), "gamma_by"]))]
    finished = len(results.done)
    ratios = results.tightness["certified_ratio"].dropna()
    median = f"{fixed(max(100 * (1 - ratios.median()), 0.0), 1, ROUND_CEILING)} %" if len(ratios) else "–"
    return [
        (
            f"{finished} / {len(cells)}",
            "cells finished",
            "all of them" if finished == len(cells) else "see the failures",
        ),
        (*_count(datasets, "data set"), some(datasets)),
        (*_count(methods, "method"), some(methods)),
        (str(len(gammas)), "value of γ" if len(gammas) == 1 else "values of γ", some(gammas)),
        (
            median,
            "left open between bound and network",
            f"the median of {len(ratios)} (data, γ)" if len(ratios) else "nothing has both a bound and a network",
        ),
    ]


def _count(names: Sequence[str], noun: str) -> tuple[str, str]:
    count, _, nouns = counted(len(names), noun).partition(" ")
    return count, nouns


def _statuses(results: Results) -> list[tuple[str, int]]:
    return [(str(name), int(count)) for name, count in results.cells["status"].value_counts().items()]


def _described(results: Results, figures: Sequence[Drawn]) -> list[dict[str, Any]]:
    """What the page's script needs of the figures that can be looked into."""
    found, known = [], {results.labels.get(name, name): look for name, look in looks(results).items()}
    for drawn in figures:
        chart = described(drawn.kind.name, rounded(drawn.frame), known)
        if chart is not None:
            description, rows = chart
            columns = [column(str(name), HEADERS.get(name, name.replace("_", " ")), rows[name]) for name in rows]
            found.append({"name": drawn.kind.name, "chart": description, "columns": columns})
    return found


def _sections(figures: Sequence[Drawn], absent: Mapping[str, str]) -> list[dict[str, Any]]:
    """Sections with the figures that were drawn, and one line for each that was not."""
    known = {name for names in SECTIONS.values() for name in names}
    titles = {kind.title: name for name, kind in FIGURES.items()}
    whole = {**SECTIONS, REST: tuple(sorted({drawn.kind.name for drawn in figures} - known))}
    sections = []
    for title, names in whole.items():
        drawn = sorted((one for one in figures if one.kind.name in names), key=lambda one: names.index(one.kind.name))
        missing = [(one, reason) for one, reason in absent.items() if titles.get(one) in names]
        if drawn or missing:
            slug = title.lower().replace(" ", "-")
            sections.append(
                {"title": title, "slug": slug, "figures": [_figure(one) for one in drawn], "absent": missing}
            )
    return sections


def _figure(drawn: Drawn) -> dict[str, Any]:
    shown = drawn.frame.head(MOST_ROWS)
    return {
        "name": drawn.kind.name,
        "live": drawn.kind.name in CHARTS,
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
