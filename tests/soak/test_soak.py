"""Run by `make soak`: faults, kills and the cost of the harness, and the tables of docs/reliability.md out of it.

RELAXBENCH_SOAK_CELLS and RELAXBENCH_SOAK_KILLS make it smaller (2000 cells and 20 kills for each executor).
"""

import os
import re
import sys
from pathlib import Path

import pytest
from relaxbench.bench.engine.run import run
from relaxbench.bench.grid.spec import check_spec
from relaxbench.bench.results.environment import usable_cores

sys.path.insert(0, str(Path(__file__).parent))

from planted import FAULTS
from soaking import Outcome, soak, table

CELLS = int(os.environ.get("RELAXBENCH_SOAK_CELLS", "2000"))
KILLS = int(os.environ.get("RELAXBENCH_SOAK_KILLS", "20"))
IDLE_CELLS = int(os.environ.get("RELAXBENCH_SOAK_IDLE_CELLS", "10000"))
MOST_MS = 50.0  # for each cell, of which the method takes nothing
DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "reliability.md"
PLANTED = Path(__file__).with_name("planted.py")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(7200)]

_outcomes: dict[str, Outcome] = {}


@pytest.mark.parametrize("executor", ["local", "dask-local"])
def test_every_cell_ends_exactly_once(tmp_path, executor):
    outcome = soak(tmp_path, executor, CELLS, KILLS)
    _outcomes[executor] = outcome
    assert (outcome.lost, outcome.doubled, outcome.rewritten) == (0, 0, 0)
    assert outcome.kills == KILLS
    assert set(outcome.planted) == set(FAULTS)
    assert outcome.survived == outcome.planted
    assert outcome.good == CELLS - sum(outcome.planted.values())
    if len(_outcomes) == 2:
        write("soak", table(list(_outcomes.values())))


def test_the_harness_costs_little(tmp_path):
    lines = ["| executor | cells | jobs | ms of wall time a cell |", "| --- | ---: | ---: | ---: |"]
    for executor in ("local", "dask-local"):
        seconds = [idle(tmp_path / f"{executor}{cells}", executor, cells) for cells in (20, IDLE_CELLS)]
        cost_ms = 1e3 * (seconds[1] - seconds[0]) / (IDLE_CELLS - 20)
        lines.append(f"| {executor} | {IDLE_CELLS} | {usable_cores()} | {cost_ms:.1f} |")
        assert cost_ms < MOST_MS
    write("overhead", "\n".join(lines) + "\n")


def idle(out, executor, cells):
    """Seconds of a run whose cells do nothing."""
    spec = {"dataset": [{"name": "random", "n": 6}], "method": [{"use": f"{PLANTED}:idle"}], "seed": f"0..{cells - 1}"}
    summary = run(check_spec(spec), out, executor=executor)
    assert summary.statuses == {"ok": cells}
    return summary.seconds


def write(name, text):
    """Put a table between its marks in docs/reliability.md."""
    begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
    before = DOCUMENT.read_text(encoding="utf-8")
    pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    assert pattern.search(before)
    DOCUMENT.write_text(pattern.sub(lambda _: f"{begin}\n{text}\n{end}", before), encoding="utf-8")
