"""Make docs/leaderboard.md and its pictures out of the entries of the instances: python docs/leaderboard.py [RUN].

RUN is the folder of a run of the config `instances`: its results go to docs/results/instances, with integrals.csv, what
its traces come to, which they are needed for no more.
"""

import sys
import tomllib
from collections import Counter
from dataclasses import replace
from decimal import ROUND_CEILING, ROUND_FLOOR
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure
from relaxbench.bench.instances.entries import CLASSES, SIDES, Bound, Entry, read_entry
from relaxbench.bench.results.folder import load_environment, load_results, load_spec
from relaxbench.bench.text import share
from relaxbench.datasets.instances import ENTRIES, instances
from relaxbench.reports.figures.drawing import METADATA, settings
from relaxbench.reports.figures.history import histories, intervals
from relaxbench.reports.integrals import integrals
from relaxbench.reports.reading import read
from relaxbench.reports.tables.leaderboard import SHIFT, board
from relaxbench.reports.tables.table import markdown, markdown_text, number

HERE = Path(__file__).resolve().parent
PUBLISHED = HERE / "results" / "instances"
PICTURES = HERE / "results" / "pictures"
WIDTH, DPI = 7.0, 150  # inches, and pixels in each
FIXED = "\N{NO-BREAK SPACE}"
ABOUT = {
    "solved": "The proved gap is at most 0.001 of the objective.",
    "hard": "The proved gap is at most half of the objective: an interval, and room for better bounds.",
    "open": "The proved gap is wider, or nothing is proved yet: a better bound is likely to be found.",
}
HEAD = """# Leaderboard

Who proves most about the [instances](instances.md), and how soon? Everything here is computed from what is stored and
can be proved again: `relaxbench instances check` does so. To appear on it, [send in](instances.md#sending-something-in)
a bound or a network; `make docs` makes the page anew.

## How methods are ranked

A method is scored by its **proved primal–dual integral**. At any moment it has a network of its own, with objective
*upper*, and a lower bound of its own, *lower*; (upper − lower)/upper is the gap that it has proved by then, and 1 as
long as one of them is missing. The score is the mean of that over time: 0 for a method that has proved the optimum at
once, 1 for one that never proves anything.

- *Time* begins with the method's work and ends, for all methods alike, when the last of them has ended on the instance.
  What a method has when it ends stands until then, so that stopping early neither helps nor harms.
- *Nothing unproved counts.* On the way a trace has bounds that nobody checked. They count at most as much as the
  bound that the checker proved in the end, and networks at least their objective as the harness computed it. Of a
  method that is not one of ours only the end counts.
- Methods that *only train* have no lower bound. They have no proved gap and no rank in it. The *network gap* takes the
  best lower bound that any method proved, the same for all, so that networks alone are compared.

Over the instances of a class scores are averaged by the shifted geometric mean, and each average has an interval: how
far it may be off, seen how much a method's score varies from instance to instance against that of the other methods.
The intervals of all methods hold together at 95 %. **A method is ranked before another only where their intervals
separate**, that is, do not overlap. Others share a rank, which shows no difference and proves no equality. Fewer than
five instances rank nobody.
"""


def entries() -> list[Entry]:
    """The entries of all instances, in the order of the catalogue."""
    return [read_entry(ENTRIES, instance.name) for instance in instances()]


def publish(run: Path) -> None:
    """Keep what the traces of a run come to, as far as the page needs it."""
    integrals(read(run)).drop(columns="kind").round(9).to_csv(PUBLISHED / "integrals.csv", index=False)


def page() -> str:
    """The page as the entries and the published run have it."""
    found = entries()
    parts = [HEAD, *_measured(found), _held(found)]
    for kind in CLASSES:
        part = [entry for entry in found if entry.kind == kind]
        parts += [f"## Instances: {kind}", ABOUT[kind], _picture(kind), _lines(part)]
        if moved := [entry for entry in part if _moved(entry)]:
            names = f"The {len(moved)} of them whose bounds have moved since the first"
            parts.append(
                f"{names}, bound by bound or by day:\n\n![Bounds over time](results/pictures/{kind}-moved.png)"
            )
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _picture(kind: str) -> str:
    said = f"Where the optimum of each {kind} instance can lie"
    what = "the grey interval, in units of the best network's objective; hollow marks are earlier ones"
    return f"![{said}](results/pictures/{kind}-intervals.png)\n\n*{said}: {what}.*"


def _measured(found: list[Entry]) -> list[str]:
    """The standings of the published run, by the classes of now."""
    if not (PUBLISHED / "integrals.csv").is_file():
        return []
    kinds = {entry.name: entry.kind for entry in found}
    scores = pd.read_csv(PUBLISHED / "integrals.csv")
    cells, machines = load_results(PUBLISHED), load_environment(PUBLISHED).get("environments", {})
    processors = sorted({str(one.get("processor", "unknown")) for one in machines.values()})
    limit, sets = tomllib.loads(load_spec(PUBLISHED))["timeout"], cells["dataset"].nunique()
    ran = (
        f"{len(cells)} cells on {sets} data sets: the {scores['instance'].nunique()} instances of up to "
        f"{int(cells['n'].max())} rows, at most {limit:g} s a cell, on {', '.join(processors)}. Other work shared the "
        f"cores: a cell had {100 * cells['cpu_s'].sum() / cells['runtime_s'].sum():.0f} % of one, so that within the "
        "limit less was done than on a quiet machine, and the order of close methods may be another there."
    )
    table = board(scores.assign(kind=scores["instance"].map(kinds)))
    again = "    relaxbench run instances --out mine\n    relaxbench report mine    # with this table"
    return [
        f"## Standings\n\n{ran}\n\n{again}",
        markdown(replace(table, caption=f"Scores and intervals as above, {SHIFT:g} the shift."), "make docs"),
    ]


def _held(found: list[Entry]) -> str:
    """How many of the best bounds and networks each method holds."""
    counts: dict[str, Counter[tuple[str, str]]] = {}
    for entry in found:
        for side in SIDES:
            if bound := entry.best(side):
                counts.setdefault(_holder(bound), Counter())[entry.kind, side] += 1
    heads = [f"{kind}: {what}" for kind in CLASSES for what in ("bounds", "networks")]
    lines = [
        f"| {markdown_text(holder)} | " + " | ".join(str(own[kind, side]) for kind in CLASSES for side in SIDES) + " |"
        for holder, own in sorted(counts.items(), key=lambda item: (-item[1].total(), item[0]))
    ]
    return "\n".join(
        [
            "## Who holds the best bounds\n",
            "How many of the best lower bounds and of the best networks each method holds at present. A bound changes "
            "hands only where it is better by more than 1e-9 of itself, so that nobody holds one by rounding; who came "
            "later with the same has none.\n",
            "| method, by | " + " | ".join(heads) + " |",
            "| --- |" + " ---: |" * len(heads),
            *lines,
        ]
    )


def _holder(bound: Bound) -> str:
    """The method without its settings, and who sent it in."""
    method = bound.method.partition(",")[0] or "not said"
    return f"{method}, {bound.by}" if bound.by else method


def _lines(part: list[Entry]) -> str:
    """A line for each instance, narrow intervals first."""
    lines = [
        "| instance | lower bound | network | gap | lower bound by | network by |",
        "| --- | ---: | ---: | ---: | --- | --- |",
    ]
    for entry in sorted(part, key=lambda one: (one.gap is None, one.gap or 0.0)):
        lower, upper = entry.best("lower"), entry.best("upper")
        shown = [
            "–" if lower is None else number(lower.value, 7, ROUND_FLOOR),
            "–" if upper is None else number(upper.value, 7, ROUND_CEILING),
            "–" if entry.gap is None else share(entry.gap).replace(" ", FIXED),
        ]
        same = lower and upper and _made(lower) == _made(upper)
        lines.append(f"| {entry.name} | {' | '.join(shown)} | {_how(lower)} | {'the same' if same else _how(upper)} |")
    return "\n".join(lines)


def _made(bound: Bound) -> tuple[str, str, float | None, str]:
    return bound.method, bound.by, bound.seconds, bound.date


def _how(bound: Bound | None) -> str:
    """By which method, with what kind of proof, how fast and when."""
    if bound is None:
        return "–"
    kind = [] if bound.kind == "network" else [bound.kind]
    seconds = [] if bound.seconds is None else [f"{bound.seconds:g}{FIXED}s"]
    return markdown_text("; ".join([_holder(bound), *kind, *seconds, bound.date]))


def _moved(entry: Entry) -> bool:
    return any(sum(bound.side == side and bound.kept for bound in entry.history) > 1 for side in SIDES)


def draw() -> None:
    """Make the pictures of every class."""
    PICTURES.mkdir(exist_ok=True)
    for kind in CLASSES:
        part = [entry for entry in entries() if entry.kind == kind and entry.upper is not None]
        with settings(None):
            _save(intervals(_frame(part), WIDTH), f"{kind}-intervals")
            if moved := [entry for entry in part if _moved(entry)]:
                _save(histories(_frame(moved), WIDTH), f"{kind}-moved")


def _frame(part: list[Entry]) -> pd.DataFrame:
    return pd.DataFrame([line for entry in part for line in entry.lines])


def _save(figure: Figure, name: str) -> None:
    figure.savefig(PICTURES / f"{name}.png", dpi=DPI, metadata=METADATA["png"])


if __name__ == "__main__":
    for folder in map(Path, sys.argv[1:]):
        from results import publish as publish_results

        publish_results(folder)
        publish(folder)
    draw()
    (HERE / "leaderboard.md").write_text(page(), encoding="utf-8")
