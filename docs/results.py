"""Publish the results of a run: python docs/results.py [RUN ...].

Each folder RUN of a run of the config NAME is put into docs/results/NAME/, a folder that `relaxbench report` and
`relaxbench compare` read like any other, without records: results.parquet, environment.json, spec.toml. Cells that were
published before and are computed again give way. Then docs/results/NAME.md and its pictures are made anew; without RUN
those of all that is published.
"""

import json
import shutil
import sys
import tomllib
from pathlib import Path

import pandas as pd
from gallery import small
from relaxbench.bench.results.folder import load_environment, load_results, load_spec
from relaxbench.bench.results.labels import key_of, rows_of
from relaxbench.reports import ReportError, report
from relaxbench.reports.page.findings import findings
from relaxbench.reports.reading import read
from relaxbench.reports.tables.contents import tables
from relaxbench.reports.tables.table import markdown_text

HERE = Path(__file__).resolve().parent / "results"
HEADS = {
    "small": """# Is it better than the kernels?

Sixty-one small data sets, eight methods, protocol `folds` ([what that is](../data.md#folds)): every method's
hyper-parameters are chosen once on a validation split, from the same grid of γ, and its score is the mean over four
folds. At most 400 rows train, for all methods alike. Classification is scored by accuracy, regression by R².""",
    "paper": """# The grid of the paper

What the paper ran, with and without bias, at γ = 0.1 and 0.01, under both protocols. Published settings of gradient
descent where they are affordable; the config says where not.""",
}
TABLES = {
    "small": ("across-accuracy-folds", "across-r2-folds", "properties", "paired-folds", "accuracy-folds", "r2-folds"),
    "paper": ("tightness", "accuracy", "accuracy-paper", "optimism", "runtime"),
}
FIGURES = {
    "small": ("critical", "critical-r2", "against", "against-r2"),
    "paper": ("ratio", "accuracy", "accuracy-paper", "width"),
}


def publish(run: Path) -> str:
    """Put the results of a run beside those published before; returns the name of its config."""
    name = tomllib.loads(load_spec(run))["name"]
    target = HERE / name
    target.mkdir(parents=True, exist_ok=True)
    found, environment = load_results(run), load_environment(run)
    if (target / "results.parquet").is_file():
        before, known = load_results(target), load_environment(target)
        new = {key_of(row) for row in rows_of(found)}
        kept = before[[key_of(row) not in new for row in rows_of(before)]]
        found = pd.concat([kept, found], ignore_index=True)
        environment["environments"] = {**known.get("environments", {}), **environment.get("environments", {})}
    found.to_parquet(target / "results.parquet", index=False, compression="zstd")
    (target / "environment.json").write_text(json.dumps(environment, indent=1), encoding="utf-8")
    shutil.copyfile(run / "spec.toml", target / "spec.toml")
    return name


def page(name: str) -> str:
    """Make the pictures of a published run; returns the page."""
    folder = HERE / name
    results, parts = read(folder), [HEADS[name], _what_ran(name, load_results(folder))]
    if said := findings(results):
        parts.append("\n".join(f"- {markdown_text(text)}" for text in said))
    for figure in FIGURES[name]:
        try:
            path = report(folder, figure=figure, format="png")
        except ReportError as error:
            print(f"{name}: {error}")
            continue
        (HERE / "pictures").mkdir(exist_ok=True)
        (HERE / "pictures" / f"{name}-{figure}.png").write_bytes(small(path))
        parts.append(f"![{figure}](pictures/{name}-{figure}.png)")
    known = {table.name: table for table in tables(results)}
    for table in (known[each] for each in TABLES[name] if each in known):
        parts.append(table.markdown())
    shutil.rmtree(folder / "report")
    return "\n\n".join(parts) + "\n"


def _what_ran(name: str, cells: pd.DataFrame) -> str:
    """Cells by status, time, machines, and the commands."""
    counts = ", ".join(f"{count} {status}" for status, count in cells["status"].value_counts().items())
    hours = (cells["runtime_s"].sum() + cells["setup_s"].sum()) / 3600
    machines = load_environment(HERE / name).get("environments", {})
    processors = sorted({str(one.get("processor", "unknown")) for one in machines.values()})
    return (
        f"{len(cells)} cells on {cells['dataset'].nunique()} data sets ({counts}), {hours:.1f} hours of one core each, "
        f"on {', '.join(processors)}.\n\n"
        f"    relaxbench run {name} --out mine             # compute them again\n"
        f"    relaxbench compare docs/results/{name} mine  # yours beside these\n"
        f"    relaxbench report docs/results/{name}        # all figures and tables of these"
    )


if __name__ == "__main__":
    published = [publish(Path(run)) for run in sys.argv[1:]] or [each.parent.name for each in HERE.glob("*/spec.toml")]
    for each in dict.fromkeys(published):
        (HERE / f"{each}.md").write_text(page(each), encoding="utf-8")
