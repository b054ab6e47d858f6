"""The figures that can be looked into: described by columns that are there, with the looks of the pictures."""

import json
import shlex

import numpy as np
import pandas as pd
import pytest
import tomli_w
from relaxbench.bench.cli import COMMANDS
from relaxbench.bench.cli.parser import parser_of
from relaxbench.bench.grid.cell import expand
from relaxbench.bench.grid.registry import METHODS
from relaxbench.bench.grid.resolve import resolve
from relaxbench.bench.grid.spec import check_spec
from relaxbench.reports.figures import FIGURES
from relaxbench.reports.figures.charts import CHARTS
from relaxbench.reports.figures.drawing import looks
from relaxbench.reports.figures.interactive import SYMBOLS, THIN, described
from relaxbench.reports.figures.looks import SOLVER_LOOKS
from relaxbench.reports.figures.style import GAMMA_LOOKS, OTHER_LOOKS
from relaxbench.reports.page.cells import cell_columns, commands
from relaxbench.reports.page.packing import column, rounded
from relaxbench.reports.reading import read
from relaxbench.reports.results import prepare

from ..support.many_sets import many
from ..support.report_folder import make_rows, write_folder, write_history

PICTURES = {"critical-difference", "regions", "kernels", "beside"}  # made of areas and diagrams: they stay pictures


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Cells for every figure but those over data sets: sizes, activations, roundings, solvers and noise, and nights."""
    wider = [{**row, "data": f"{row['data']}3"} for row in make_rows({"random": (25, 3, 5, None, 2)})]
    rows = [*make_rows(), *({**row, "cell": f"{row['cell'][:-1]}3"} for row in wider)]
    rows += [{**row, "activation": "leaky:0.5", "cell": f"{row['cell'][:-1]}a"} for row in wider]
    sdp = [row for row in rows if row["dataset"] == "pima" and row["method"] == "sdp"]
    others = {"rounding": "gaussian"}, {"solver": "cvxpy-scs"}, {"noise": 0.1}, {"noise": 0.1, "rounding": "gaussian"}
    for k, more in enumerate(others):
        for row in sdp:
            options = json.dumps({"rounding": "tos", "solver": "ipm", **more})
            known = {name: value for name, value in more.items() if name != "noise"}
            rows.append({**row, **known, "options": options, "cell": f"{row['cell'][:-1]}{'wxyz'[k]}"})
    folder = write_folder(tmp_path_factory.mktemp("charts") / "run", rows)
    write_history(folder)
    return read(folder)


@pytest.fixture(scope="module")
def same(results):
    """The looks of these results."""
    return looks(results)


def test_every_marker_has_a_symbol_of_its_own():
    sources = [*(method.look for method in METHODS.values()), *SOLVER_LOOKS.values(), *GAMMA_LOOKS, *OTHER_LOOKS]
    markers = {look["marker"] for look in sources if "marker" in look}
    assert markers <= SYMBOLS.keys()
    assert len({SYMBOLS[marker] for marker in markers}) == len(markers)


def test_every_figure_is_described_or_stays_a_picture():
    assert set(CHARTS) | PICTURES == set(FIGURES)
    assert not set(CHARTS) & PICTURES


@pytest.mark.thorough
@pytest.mark.parametrize("name", CHARTS)
def test_columns_that_are_described_are_there(results, same, name):
    chart, some, found = CHARTS[name], results, same
    if "against" in name:
        some = many(measure="test_r2" if name == "against-r2" else "test_accuracy")
        found = looks(some)
    description, rows = described(name, FIGURES[name].data(some), found)
    columns = [chart.x, chart.series, *chart.rows, *chart.panels, *chart.lines, chart.low, chart.high]
    columns += [chart.x_error, chart.y_error, chart.bound, chart.slope, *chart.behind]
    columns += [] if chart.share else [chart.y]
    assert {column for column in columns if column} <= set(rows)
    assert len(description["looks"]) == len(description["names"]) == rows[chart.series].nunique()


def test_looks_are_those_of_the_picture(results, same):
    frame = FIGURES["accuracy"].data(results)
    description, _ = described("accuracy", frame, same)
    for name, look in zip(description["names"], description["looks"], strict=True):
        assert look["color"] == METHODS[name].look["color"]
        assert look["symbol"].removesuffix("-open") == SYMBOLS[METHODS[name].look["marker"]]


@pytest.mark.parametrize("name", ["accuracy", "r2", "width", "tradeoff", "runtime"])
def test_a_point_stands_for_as_many_cells_as_it_averages(results, name):
    chart, frame = CHARTS[name], FIGURES[name].data(results)
    packed = {column["name"]: column for column in cell_columns(results)}
    cells = pd.DataFrame(
        {
            other: [packed[other]["names"][k] for k in packed[other]["codes"]]
            if "codes" in packed[other]
            else packed[other]["values"]
            for other in {*chart.behind.values(), "status"}
        }
    ).query("status == 'ok'")
    for row in frame.to_dict("records"):
        same = np.logical_and.reduce([cells[other] == row[name] for name, other in chart.behind.items()])
        assert same.sum() == row["runs"]


def test_series_named_by_long_numbers_are_called_as_their_rows_in_the_page():
    ratios = {"lower_bound": 0.9, "upper_bound": 1.0, "certified_ratio": 0.9}
    frame = pd.DataFrame(
        {"problem": "a", "data": ["x", "y"], "gamma": [2.8284271247461903, 2.82842712474619], **ratios}
    )
    description, rows = described("ratio", rounded(frame), {})
    assert description["names"] == [2.82843]
    assert column("gamma", "γ", rows["gamma"])["values"] == [2.82843, 2.82843]


def test_long_lines_are_thinned_and_end_where_they_end(same):
    seconds = np.arange(1.0, 1001.0)
    frame = pd.DataFrame({"problem": "a", "gamma": 0.1, "method": "sdp", "arm": "sdp", "seconds": seconds, "gap": 0.5})
    description, rows = described("gap", frame, same)
    assert len(rows) <= THIN + 1
    assert rows["seconds"].iloc[-1] == 1000
    assert description["left_out"] == 1000 - len(rows)


SPEC = {
    "dataset": [{"name": "spiral", "data_seed": "0..1", "n": [20, 30], "bias": [False, True]}, {"name": "iris"}],
    "method": [
        {"name": "sgd", "width": [5, 10], "seed": "0..1", "epochs": 7},
        {"name": "sdp", "rounding": ["tos", "gaussian"], "width": 7, "gap": 0.01},
        {"name": "nngp", "gamma": ["cv", 0.3]},
    ],
    "gamma": [0.1, 0.012345],
}


@pytest.mark.thorough
def test_the_command_of_a_cell_computes_that_cell_alone(tmp_path):
    planned = expand(check_spec(SPEC, "test"))
    (tmp_path / "spec.toml").write_text(tomli_w.dumps(SPEC), encoding="utf-8")
    rows = pd.DataFrame([{**cell.columns, "cell": cell.hash, "status": "ok"} for cell in planned])
    found = prepare(tmp_path, rows, pd.DataFrame(), {}, (tmp_path / "spec.toml").read_text(encoding="utf-8"))
    for cell, command in list(zip(planned, commands(found), strict=True))[::7]:
        assert [one.hash for one in asked(command)] == [cell.hash], command


def asked(command):
    """The cells of a command line."""
    given = parser_of(COMMANDS).parse_args(shlex.split(command)[1:])
    grid = {name: getattr(given, name) for name in ("dataset", "method", "gamma", "width", "seed", "data_seed", "n")}
    grid |= {"preprocess": given.preprocess, "bias": given.bias}
    options = {name: getattr(given, name) for name in ("solver", "rounding") if getattr(given, name) is not None}
    return expand(resolve(given.config, grid, options))
