"""Publish the results of a run: python docs/results.py [RUN ...].

Each folder RUN of a run of the config NAME is put into docs/results/NAME/, a folder that `relaxbench report` and
`relaxbench compare` read like any other, without records: results.parquet, environment.json, spec.toml. Cells that were
published before and are computed again give way; a method whose cells on some data have not all come by is left out
there, as the best of a part is no best. Then docs/results/NAME.md and its pictures are made anew; without RUN
those of all that is published.
"""

import json
import shutil
import sys
import tomllib
from collections import Counter
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pandas as pd
from gallery import small
from relaxbench.bench.grid.cell import Cell, expand
from relaxbench.bench.grid.resolve import resolve
from relaxbench.bench.results.folder import load_environment, load_results, load_spec
from relaxbench.bench.results.labels import Row, asked, rows_of
from relaxbench.bench.results.tables import results_table
from relaxbench.reports import ReportError, report
from relaxbench.reports.figures import FIGURES as KINDS
from relaxbench.reports.page.findings import findings
from relaxbench.reports.reading import read
from relaxbench.reports.results import Results
from relaxbench.reports.summary import chosen
from relaxbench.reports.tables.contents import tables
from relaxbench.reports.tables.paired import LEVEL, corrected_t, holm
from relaxbench.reports.tables.splits import test_share
from relaxbench.reports.tables.table import markdown, markdown_text
from relaxbench.solvers.problem import LOSSES
from scipy.stats import binomtest

HERE = Path(__file__).resolve().parent / "results"
HEADS = {
    "small": """# Is it better than the kernels?

Sixty-one small data sets, eight methods, protocol `folds` ([what that is](../data.md#folds)): every method's
hyper-parameters are chosen once on a validation split, from the same grid of γ, and its score is the mean over four
folds. At most 400 rows train, for all methods alike. Classification is scored by accuracy, regression by R².

What to bear in mind. `sdp` solves the relaxation to a gap of 1e-2, rounds it and descends from there by L-BFGS: its
networks, those of `lbfgs` and those of `sgd` minimise the same objective from different starts. The choice of
hyper-parameters has seen rows that are test rows of the folds. The tests over data sets take them for a sample of
independent ones. In `excitation_current` the target is a feature plus a constant, and `linnerud` has twenty rows. A
cell had one of two cores to itself, other work the second and for minutes both, so that times compare roughly. Where
L-BFGS and SGD end depends on the last bits: repeated on a processor for which linear algebra has other kernels
(SkylakeX, Haswell), 79 of 8,858 values of the seven rivals were worse by more than the tolerances of `compare` and 66
better; on a processor of the same kind they are the same.""",
    "paper": """# The grid of the paper

What the paper ran, with and without bias, at γ = 0.1 and 0.01, under both protocols. Published settings of gradient
descent where they are affordable; the config says where not. The draws from 42 on without bias ran on a processor for
which linear algebra has other kernels than for the rest (Haswell, SkylakeX). Of 164 cells repeated across the two kinds
3 of 988 values differ by more than the tolerances of `compare`; on one kind they are the same.""",
    "activations": """# Other activations and cross-entropy

The paper leaves open what other activations do. Here every ratio lies in a proved interval: `cpp` solves the exact
program for each activation φ(t) = t₊ + κ·min(t, 0), with κ from −1, the absolute value, over 0, the ReLU, to 1, the
identity, for which the relaxation is exact.""",
}
WHOLE = ("dataset", "data_seed", "preprocess", "bias", "method")  # what is published whole or not at all
PUBLISHED = 0.769  # the paper's smallest ratio on synthetic data
TABLES = {
    "small": (
        "across-accuracy-folds",
        "across-r2-folds",
        "properties-accuracy-folds",
        "properties-r2-folds",
        "paired-folds",
        "accuracy-folds",
        "r2-folds",
    ),
    "paper": ("tightness", "accuracy", "accuracy-paper", "optimism", "runtime"),
    "activations": ("tightness", "accuracy"),
}
FIGURES = {
    "small": ("critical-difference", "against", "against-r2"),
    "paper": ("distribution", "ratio", "accuracy", "accuracy-paper", "width"),
    "activations": ("activations", "accuracy"),
}


def publish(run: Path) -> str:
    """Put the results of a run beside those published before; returns the name of its config."""
    name = tomllib.loads(load_spec(run))["name"]
    target = HERE / name
    target.mkdir(parents=True, exist_ok=True)
    found, environment = load_results(run), load_environment(run)
    if (target / "results.parquet").is_file():
        before, known = load_results(target), load_environment(target)
        new = {_cell(row) for row in rows_of(found)}
        kept = before[[_cell(row) not in new for row in rows_of(before)]]
        found = pd.concat([kept, found], ignore_index=True)
        environment["environments"] = {**known.get("environments", {}), **environment.get("environments", {})}
    found = results_table(_whole(name, rows_of(found)))  # the gaps depend on all rows of a problem
    found.to_parquet(target / "results.parquet", index=False, compression="zstd")
    (target / "environment.json").write_text(json.dumps(environment, indent=1), encoding="utf-8")
    (target / "spec.toml").write_text(resolve(name, {}, {}).toml(), encoding="utf-8")  # RUN may be a part of it
    return name


def _cell(row: Row) -> tuple[object, ...]:
    """What was asked for, on the same data but for last bits."""
    return (asked(row), row["data_rounded"], row["options"])


@cache
def _asked(name: str) -> list[Cell]:
    """All cells of the config; to list them loads all data."""
    return expand(resolve(name, {}, {}))


def _whole(name: str, rows: list[dict[str, object]]) -> list[dict[str, object]]:
    """Without the rows of methods that have not done all of some data."""

    def of(row: Mapping[str, object]) -> tuple[object, ...]:
        return tuple(row[column] for column in WHOLE)

    missing = Counter(of(cell.columns) for cell in _asked(name)) - Counter(map(of, rows))
    if left_out := missing.keys() & {of(row) for row in rows}:
        print(f"{name}: left out, as not whole yet: {', '.join(sorted({f'{m} on {d}' for d, *_, m in left_out}))}")
    return [row for row in rows if of(row) not in left_out]


def page(name: str) -> str:
    """Make the pictures of a published run; returns the page."""
    folder = HERE / name
    results, parts = read(folder), [HEADS[name], _what_ran(name, load_results(folder))]
    if name == "paper":
        parts.append(_claims(results))
    if name == "activations":
        parts.append(_losses(results))
    if said := findings(results):
        parts.append("\n".join(f"- {markdown_text(str(one))}" for one in said))
    for figure in FIGURES[name]:
        try:
            path = report(folder, figure=figure, format="png")
        except ReportError as error:
            print(f"{name}: {error}")
            continue
        kind = KINDS[figure]
        (HERE / "pictures").mkdir(exist_ok=True)
        (HERE / "pictures" / f"{name}-{figure}.png").write_bytes(small(path))
        caption = markdown_text(kind.caption(kind.data(results)))
        parts.append(f"## {kind.title}\n\n![{kind.title}](pictures/{name}-{figure}.png)\n\n{caption}")
    parts += ["## Tables"]
    known = {table.name: table for table in tables(results)}
    for each in TABLES[name]:
        if each in known:
            parts.append(markdown(known[each], f"relaxbench report docs/results/{name}"))
        else:
            print(f"{name}: nothing for table {each}")
    shutil.rmtree(folder / "report")
    return "\n\n".join(parts) + "\n"


def _claims(results: Results) -> str:
    """What the paper says of its own numbers, beside ours."""
    groups = results.tightness[results.tightness["dataset"] == "random"]
    lines = [
        f"The paper finds the relaxation at {100 * PUBLISHED:.1f} % or more of the best network on its synthetic "
        "data. On our hundred draws, without and with bias:",
        "",
        "| γ | bias | SDP / best SGD: least, mean, below | SDP / exact: least, mean, below | draws below, by exact |",
        "| --- | --- | ---: | ---: | --- |",
    ]
    for (gamma, bias), part in groups.groupby(["gamma", "bias"]):
        shown = []
        for column in ("paper_ratio", "sdp_over_exact"):
            ratio = part[column]
            shown += [f"{ratio.min():.3f}, {ratio.mean():.3f}, {_below(ratio)}" if ratio.count() else "–"]
        seeds = part.loc[part["sdp_over_exact"] < PUBLISHED, "data_seed"]
        which = ", ".join(f"{seed:g}" for seed in seeds) or "–"
        lines.append(f"| {gamma:g} | {'yes' if bias else 'no'} | {shown[0]} | {shown[1]} | {which} |")
    said = [
        f"at γ = {gamma:g} {_below(part['paper_ratio'])} problems by the best SGD network (the paper's measure) "
        f"and {_below(part['sdp_over_exact'])} by the exact optimum"
        for gamma, part in groups.groupby("gamma")
    ]
    lines += ["", f"Below {100 * PUBLISHED:.1f} % lie {'; '.join(said)}."]
    return "\n".join([*lines, "", *_competitive(results)])


def _below(ratio: pd.Series) -> str:
    """How many of the known ratios lie below the published one."""
    return f"{int((ratio < PUBLISHED).sum())} of {ratio.count()}"


def _competitive(results: Results) -> list[str]:
    """Test accuracy with Wilson's interval for each data set and γ, protocol holdout, one split."""
    cells = chosen(results.done).dropna(subset=["test_accuracy", "n_test"])
    methods = [name for name in results.methods if name in set(cells["method"])]
    lines = [
        "It calls the accuracy competitive. Test accuracy on one split (protocol holdout, seeds averaged) with the "
        "95 % interval of Wilson for its test rows; where intervals overlap, one split shows no difference.",
        "",
        "| data set | γ | " + " | ".join(methods) + " |",
        "| --- | --- |" + " ---: |" * len(methods),
    ]
    apart = []
    for (problem, gamma), part in cells.groupby(["problem", "gamma"]):
        means, rows = part.groupby("method")["test_accuracy"].mean(), int(part["n_test"].max())
        known = {name: _interval(means[name], rows) for name in methods if name in means}
        shown = [f"{means[n]:.3f} ({known[n][0]:.3f} to {known[n][1]:.3f})" if n in known else "–" for n in methods]
        lines.append(f"| {markdown_text(problem)} | {gamma:g} | " + " | ".join(shown) + " |")
        low, high = known["sdp"]
        apart += [(name, "below", problem) for name, other in known.items() if high < other[0]]
        apart += [(name, "above", problem) for name, other in known.items() if low > other[1]]
    said = [
        f"{side} that of {name} on {len(part)} ({', '.join(dict.fromkeys(map(markdown_text, part['problem'])))})"
        for (name, side), part in pd.DataFrame(apart, columns=["name", "side", "problem"]).groupby(["name", "side"])
    ]
    total = len(cells.groupby(["problem", "gamma"]))
    rest = "on the others one split shows no difference."
    lines += ["", f"Of these {total} rows the whole interval of sdp lies {'; '.join(said)}; {rest}"]
    return lines


def _losses(results: Results) -> str:
    """Test accuracy by the squares and by cross-entropy, of networks and kernels, and what tests say of the means."""
    cells = results.done[results.done["dataset"].str.startswith("small/")]
    table = cells.pivot_table(
        index=["dataset", "gamma", "data_seed"], columns=["method", "loss"], values="test_accuracy"
    ).dropna()
    methods = [name for name in results.methods if name in table.columns.get_level_values("method")]
    pairs = [((m, "logistic"), (m, "squares"), f"{m} by cross-entropy against {m} by squares") for m in methods]
    pairs += [
        (("lbfgs", l), (m, l), f"lbfgs against {m} by either loss") for m in methods if m != "lbfgs" for l in LOSSES
    ]
    lines, tests = [], []
    for (dataset, gamma), part in table.groupby(["dataset", "gamma"]):
        shown = [f"{part[method, loss].mean():.3f}" for method in methods for loss in LOSSES]
        lines.append(f"| {dataset.removeprefix('small/')} | {gamma:g} | {len(part)} | " + " | ".join(shown) + " |")
        first = cells[cells["dataset"] == dataset].iloc[0]
        share = test_share(dataset, first["n"], first["n_test"], None)
        for one, other, title in pairs:
            differences = (part[one] - part[other]).to_numpy()
            p, _ = corrected_t(differences, share, 1 / first["n_test"])
            tests.append({"title": title, "better": differences.mean() > 0, "p": p})
    known = pd.DataFrame(tests)
    known["clear"] = holm(known["p"]) < LEVEL
    said = [
        f"- {title}: better on {int((part['clear'] & part['better']).sum())}, worse on "
        f"{int((part['clear'] & ~part['better']).sum())}, no difference shown on {int((~part['clear']).sum())}"
        for title, part in known.groupby("title", sort=False)
    ]
    head = "| data set | γ | splits | " + " | ".join(f"{m}, {loss}" for m in methods for loss in LOSSES) + " |"
    return "\n".join(
        [
            "Mean test accuracy of networks of 100 neurons (lbfgs) and of the kernels, trained by squares and by "
            "cross-entropy (logistic) on the same splits:",
            "",
            head,
            "| --- | ---: | ---: |" + " ---: |" * (2 * len(methods)),
            *lines,
            "",
            "Paired t-tests of each row with the variance corrected for rows that splits share; p adjusted by Holm for "
            f"all {len(known)} comparisons, level {LEVEL:g}. A few splits of small data show large differences only:",
            "",
            *said,
        ]
    )


def _interval(share: float, rows: int) -> tuple[float, float]:
    """The 95 % interval of Wilson."""
    found = binomtest(round(share * rows), rows).proportion_ci(method="wilson")
    return found.low, found.high


def _what_ran(name: str, cells: pd.DataFrame) -> str:
    """Cells by status, time, machines, and the commands."""
    counts = ", ".join(f"{count} {status}" for status, count in cells["status"].value_counts().items())
    hours = (cells["runtime_s"].sum() + cells["setup_s"].sum()) / 3600
    machines = load_environment(HERE / name).get("environments", {})
    wanted = Counter((cell.data.name, cell.method.name) for cell in _asked(name))
    left = wanted - Counter(zip(cells["dataset"], cells["method"], strict=True))
    rest = ", ".join(f"{method} on {data} ({n} of {wanted[data, method]} cells)" for (data, method), n in left.items())
    rest = rest and f" Still to come: {rest}."
    processors = sorted({str(one.get("processor", "unknown")) for one in machines.values()})
    return (
        f"{len(cells)} cells on {cells['dataset'].nunique()} data sets ({counts}), {hours:.1f} core-hours, on "
        f"{', '.join(processors)}.{rest}\n\n"
        f"    relaxbench run {name} --out mine                    # compute them again, or some: --dataset, --method\n"
        f"    relaxbench compare docs/results/{name} mine --part  # yours beside these\n"
        f"    relaxbench report docs/results/{name}               # all figures and tables of these"
    )


if __name__ == "__main__":
    published = [publish(Path(run)) for run in sys.argv[1:]] or [name for name in HEADS if (HERE / name).is_dir()]
    for each in (name for name in dict.fromkeys(published) if name in HEADS):
        (HERE / f"{each}.md").write_text(page(each), encoding="utf-8")
