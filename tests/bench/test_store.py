import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from relaxbench.bench.results import folder as reading
from relaxbench.bench.results.columns import COLUMNS, STATUSES, TIGHTNESS_COLUMNS
from relaxbench.bench.results.record import Record, read_record, write_record
from relaxbench.bench.results.store import Store
from relaxbench.bench.results.tables import brought_nothing, frame, results_table, tightness_table
from relaxbench.bench.scoring.metrics import ContractError
from relaxbench.bench.scoring.outcome import Measured, relaxation_result
from relaxbench.bench.text import UsageError
from relaxbench.solvers.fit import Status
from relaxbench.solvers.problem import Problem
from relaxbench.solvers.relaxation import Relaxation

ARCHITECTURE = [
    *("dataset", "n", "d", "c", "preprocess", "bias"),
    *("method", "solver", "rounding", "gamma", "width", "seed"),
    *("status", "objective", "relaxation_value", "lower_bound", "gap", "train_accuracy"),
    *("test_accuracy", "test_accuracy_paper", "runtime_s", "solve_s", "round_s", "cpu_s"),
    *("peak_memory_mb", "iterations", "message", "cell"),
]


def row(cell, **columns):
    return {"cell": cell, "dataset": "NA", "data": "d1", "gamma": 0.1, "method": "sgd", "status": "ok", **columns}


def filled(folder, rows, arrays=None, finished=True):
    with Store(folder) as store:
        store.begin('name = "x"\n', rows, {"machine": "m"})
        for one in rows:
            trace = [("solve", 0.5, 1, 2.0, None, None)]
            store.put("cells", one["cell"], Record(one, {"relaxation": "r1"}, arrays or {}, trace))
        return store.write_tables() if finished else None


def test_columns_keep_the_promised_names_in_their_order():
    names = [column.name for column in COLUMNS]
    assert [name for name in names if name in ARCHITECTURE] == ARCHITECTURE
    assert len(set(names)) == len(names)
    assert all(column.meaning for column in (*COLUMNS, *TIGHTNESS_COLUMNS))
    assert {"ok", "timeout", "stalled", "iteration_limit", "memory", "diverged", "failed", "unsupported"} == set(
        STATUSES
    )


def test_tables_agree_in_all_forms_and_missing_is_empty(tmp_path):
    rows = [row("a1", objective=2.0, bias=True, width=3), row("a2", lower_bound=0.5, method="sdp", message='é, "x"\n')]
    written = filled(tmp_path / "out", rows)
    for path in (tmp_path / "out", tmp_path / "out" / "results.parquet", tmp_path / "out" / "results.csv"):
        pd.testing.assert_frame_equal(reading.load_results(path), written)
    lines = (tmp_path / "out" / "results.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == ",".join(column.name for column in COLUMNS)
    assert lines[1].startswith("NA,,,,,True,relu,squares,sgd,,,0.1,3,,ok,2.0,,,,")
    assert str(written["width"].dtype) == "Int64"


def test_while_a_run_goes_on_the_records_are_read(tmp_path):
    filled(tmp_path, [row("a1", objective=2.0)])
    filled(tmp_path, [row("a1", objective=2.0), row("a2")], finished=False)
    assert not (tmp_path / "results.parquet").exists()
    (tmp_path / "cells" / "a2" / "record.json").unlink()
    assert reading.load_results(tmp_path)["cell"].tolist() == ["a1"]
    assert reading.load_plan(tmp_path)["cell"].tolist() == ["a1", "a2"]
    (tmp_path / "cells" / "a1" / "record.json").write_text("{}")
    with pytest.warns(RuntimeWarning, match="left out"):
        assert reading.load_results(tmp_path).empty


def test_the_table_holds_the_plan_and_nothing_else(tmp_path):
    filled(tmp_path, [row("old")])
    assert filled(tmp_path, [row("new")])["cell"].tolist() == ["new"]
    assert (tmp_path / "cells" / "old").is_dir()


def test_arrays_of_a_cell_come_with_the_certificate_of_its_relaxation(tmp_path):
    filled(tmp_path, [row("a1")], {"network_U": np.eye(2)})
    with Store(tmp_path) as store:
        shared = {"factor": np.ones((3, 1)), "certificate_theta": np.zeros((2, 2)), "network_U": np.zeros((1, 1))}
        store.put("relaxations", "r1", Record({}, {}, shared))
    arrays = reading.load_arrays(tmp_path, "a1")
    assert set(arrays) == {"network_U", "certificate_theta", "relaxation_U"}
    np.testing.assert_array_equal(arrays["relaxation_U"], np.zeros((1, 1)))
    np.testing.assert_array_equal(arrays["network_U"], np.eye(2))


def test_a_record_of_others_cannot_point_out_of_the_folder(tmp_path):
    filled(tmp_path / "out", [row("a1")])
    np.savez(tmp_path / "arrays.npz", certificate_theta=np.eye(2))
    with Store(tmp_path / "out") as store:
        store.put("cells", "a1", Record(row("a1"), {"relaxation": "../.."}))
    assert reading.load_arrays(tmp_path / "out", "a1") == {}


def test_trace_environment_and_spec_are_read_back(tmp_path):
    filled(tmp_path, [row("a1")])
    trace = reading.load_trace(tmp_path, "a1")
    assert trace["stage"].tolist() == ["solve"]
    assert trace["value"].tolist() == [2.0]
    assert trace["bound"].isna().all()
    assert reading.load_environment(tmp_path) == {"machine": "m"}
    assert reading.load_spec(tmp_path) == 'name = "x"\n'
    (tmp_path / "environment.json").write_text("[" * 100_000)
    assert reading.load_environment(tmp_path) == {}


@pytest.mark.parametrize("cell", ["nowhere", "../cells/a1", "", "a1/../a1"])
def test_a_cell_that_is_not_there_is_refused(tmp_path, cell):
    filled(tmp_path, [row("a1")])
    with pytest.raises(UsageError, match="must be the hash of a cell"):
        reading.load_arrays(tmp_path, cell)


def test_a_damaged_record_is_set_aside_each_time_under_a_name_of_its_own(tmp_path):
    with Store(tmp_path) as store:
        for k in (1, 2):
            store.put("cells", "a1", Record(row("a1")))
            path = tmp_path / "cells" / "a1" / "record.json"
            path.write_bytes(path.read_bytes()[:-5])
            with pytest.warns(RuntimeWarning, match="moved to damaged/"):
                assert store.get("cells", "a1") is None
            assert (tmp_path / "damaged" / f"a1-{k}" / "record.json").is_file()
        assert store.get("cells", "a1") is None


def test_a_folder_is_held_by_one_run(tmp_path):
    with Store(tmp_path), pytest.raises(UsageError, match="another run"), Store(tmp_path):
        pass
    with Store(tmp_path):
        pass


def test_a_folder_with_other_things_in_it_is_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("x")
    with pytest.raises(UsageError, match="other files"), Store(tmp_path):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]
    (tmp_path / "file").write_text("x")
    with pytest.raises(UsageError, match="can be written to"), Store(tmp_path / "file"):
        pass


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("results.parquet", b"PAR1 cut off"),
        ("results.parquet", b""),
        ("results.csv", b"a,b\n1,2\n"),
        ("results.csv", b"\xff\xfe\x00"),
        ("results.csv", b""),
        ("results.csv", (",".join(c.name for c in COLUMNS) + "\n" + "x," * len(COLUMNS) + "x\n").encode()),
        ("plan.json", b'{"cell": 1}'),
        ("plan.json", b'[{"cell": "../../etc"}]'),
        ("plan.json", b"["),
    ],
)
def test_a_foreign_or_damaged_table_is_one_line(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UsageError) as caught:
        reading.load_results(tmp_path if name == "plan.json" else tmp_path / name)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("path", ["nowhere", "empty"])
def test_a_folder_without_results_is_refused(tmp_path, path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError):
        reading.load_results(tmp_path / path)


def test_gaps_are_to_the_best_network_and_to_the_best_bound_of_the_group():
    rows = [
        row("a", objective=4.0),
        row("b", objective=2.0, method="lbfgs"),
        row("c", lower_bound=1.5, method="sdp"),
        row("d", lower_bound=1.0, objective=3.0, method="sdp"),
        row("e", lower_bound=1.0, gamma=0.2),
        row("f", lower_bound=1.0, objective=1.25, data="d2"),
        row("g", lower_bound=0.0, objective=0.0, data="d3"),
    ]
    table = results_table(rows)
    np.testing.assert_allclose(table["gap"], [np.nan, np.nan, 0.25, 0.5, np.nan, 0.2, np.nan])
    np.testing.assert_allclose(table["gap_own"], [0.625, 0.25, np.nan, 0.5, np.nan, 0.2, np.nan])


def test_tightness_names_the_best_of_each_group():
    rows = [
        row("a", objective=4.0, n=6),
        row("b", objective=3.0, method="lbfgs"),
        row("c", lower_bound=1.5, relaxation_value=1.6, method="sdp"),
        row("d", lower_bound=1.0, relaxation_value=1.4, objective=5.0, method="sdp"),
        row("e", relaxation_value=2.0, lower_bound=1.999, upper_bound=2.0, method="cpp"),
        row("f", relaxation_value=1.9, method="cpp", status="timeout"),
        row("g", method="nngp", data="d2"),
    ]
    first, second = tightness_table(results_table(rows)).to_dict("records")
    expected = {
        "n": 6,
        "lower_bound": 1.999,
        "lower_method": "cpp",
        "upper_bound": 2.0,
        "upper_method": "cpp",
        "certified_ratio": 0.9995,
        "relaxation_value": 1.6,
        "paper_ratio": 0.4,
        "exact_value": 2.0,
        "sdp_over_exact": 0.8,
    }
    assert {name: first[name] for name in expected} == pytest.approx(expected)
    assert second["data"] == "d2"
    assert all(pd.isna(second[name]) for name in expected)


@pytest.mark.parametrize(
    ("columns", "exact"),
    [
        ({}, True),
        ({"options": '{"gap":1e-3}'}, True),
        ({"options": '{"gap":1e-4}'}, False),  # not as close as was asked for
        ({"lower_bound": 1.97, "options": '{"gap":0.1}'}, False),  # asked for less than counts as exact
        ({"lower_bound": None}, False),
        ({"upper_bound": None}, False),
        ({"relaxation_value": 2.5}, False),  # a value outside the proved interval
        ({"relaxation_value": 1.0}, False),
        ({"status": "timeout"}, False),
        ({"status": "stalled"}, True),
        ({"method": "sdp"}, False),
        ({"options": '{"gap":"small"}'}, False),
    ],
)
def test_a_value_is_exact_where_it_is_proved_as_closely_as_asked_for(columns, exact):
    one = row("a", method="cpp", relaxation_value=2.0, lower_bound=1.999, upper_bound=2.0, options="{}")
    (line,) = tightness_table(results_table([{**one, **columns}])).to_dict("records")
    assert line["exact_value"] == 2.0 if exact else pd.isna(line["exact_value"])


def test_the_papers_ratio_is_that_of_its_solver_and_cuts_are_no_part_of_the_relaxation():
    rows = [
        row("a", relaxation_value=1.5, solver="cvxpy-scs", options='{"cuts":0,"solver":"cvxpy-scs"}', method="sdp"),
        row("b", relaxation_value=1.2, solver="auto", options='{"cuts":0,"solver":"auto"}', method="sdp"),
        row("c", relaxation_value=1.8, solver="auto", options='{"cuts":4,"solver":"auto"}', method="sdp"),
        row("d", relaxation_value=2.0, lower_bound=1.999, upper_bound=2.0, method="cpp"),
        row("e", objective=3.0, method="sgd"),
    ]
    (line,) = tightness_table(results_table(rows)).to_dict("records")
    assert (line["relaxation_value"], line["paper_ratio"], line["sdp_over_exact"]) == (1.2, 0.5, 0.6)
    (line,) = tightness_table(results_table([rows[0], *rows[3:]])).to_dict("records")
    assert (line["relaxation_value"], line["paper_ratio"], line["sdp_over_exact"]) == (1.5, 0.5, 0.75)


@pytest.mark.parametrize("dataset", ["random", "spiral"])
def test_on_generated_data_the_papers_ratio_is_that_of_an_accurate_solver(dataset):
    rows = [
        row("a", dataset=dataset, relaxation_value=1.5, solver="cvxpy-scs", method="sdp"),
        row("b", dataset=dataset, relaxation_value=1.2, solver="auto", method="sdp"),
        row("c", dataset=dataset, objective=3.0, method="sgd"),
    ]
    (line,) = tightness_table(results_table(rows)).to_dict("records")
    assert line["paper_ratio"] == pytest.approx(0.4)
    (line,) = tightness_table(results_table([rows[0], rows[2]])).to_dict("records")
    assert line["paper_ratio"] == pytest.approx(0.5)


def test_a_network_met_on_the_way_counts_where_it_is_the_best():
    rows = [
        row("a", objective=4.0, upper_bound=2.0, lower_bound=1.0, method="sdp"),
        row("b", objective=3.0, upper_bound=3.0, method="lbfgs"),
        row("c", method="nngp"),
    ]
    results = results_table(rows)
    assert results["gap"].tolist()[0] == 0.5
    (line,) = tightness_table(results).to_dict("records")
    assert (line["upper_bound"], line["upper_method"], line["certified_ratio"]) == (2.0, "sdp", 0.5)


def test_tables_of_nothing_have_all_columns():
    empty = results_table([])
    assert list(empty.columns) == [column.name for column in COLUMNS]
    assert list(tightness_table(empty).columns) == [column.name for column in TIGHTNESS_COLUMNS]
    assert frame([{"nonsense": 1}]).shape == (1, len(COLUMNS))


@pytest.mark.parametrize(
    ("columns", "nothing"),
    [
        ({"status": "ok"}, False),
        ({"status": "unsupported"}, False),
        ({"status": "failed"}, True),
        ({"status": "memory"}, True),
        ({"status": "diverged", "objective": 1.0}, True),
        ({"status": "timeout"}, True),
        ({"status": "timeout", "objective": 1.0}, False),
        ({"status": "timeout", "lower_bound": 1.0}, False),
        ({"status": "stalled"}, True),
        ({"status": "stalled", "objective": 1.0}, False),
        ({"status": "iteration_limit", "lower_bound": 1.0}, False),
    ],
)
def test_which_rows_count_as_failed(columns, nothing):
    assert brought_nothing({"objective": None, "lower_bound": None, **columns}) is nothing
    assert brought_nothing(results_table([row("a", **columns)]).to_dict("records")[0]) is nothing


def test_the_plan_is_json_that_others_can_read(tmp_path):
    filled(tmp_path, [row("a1")])
    assert json.loads(Path(tmp_path / "plan.json").read_text())[0]["cell"] == "a1"


def test_a_status_is_kept_as_a_plain_word_and_read_as_before(tmp_path):
    problem = Problem(np.eye(3), np.ones((3, 1)), 0.1)
    for status in (Status.STALLED, "stalled"):
        relaxation = Relaxation(np.ones((7, 1)), 1.0, status=status)
        columns = relaxation_result(problem, relaxation, Measured(1.0, 1.0, 0.0, 1.0)).columns
        assert type(columns["status"]) is str
    rows = [row("a", status=columns["status"])]
    table = results_table(rows)
    assert (table["status"] == Status.STALLED).all()
    write_record(tmp_path / "a", Record(rows[0]))
    table.to_parquet(tmp_path / "a.parquet")
    table.to_csv(tmp_path / "a.csv")
    assert type(read_record(tmp_path / "a", check_files=True).row["status"]) is str
    assert type(pd.read_parquet(tmp_path / "a.parquet")["status"].iloc[0]) is str
    assert pd.read_csv(tmp_path / "a.csv")["status"].tolist() == ["stalled"]


def test_a_status_that_does_not_exist_breaks_the_contract():
    relaxation = Relaxation(np.ones((7, 1)), 1.0, status="splendid")
    with pytest.raises(ContractError, match="status must be one of ok, stalled"):
        relaxation_result(Problem(np.eye(3), np.ones((3, 1)), 0.1), relaxation, Measured(1.0, 1.0, 0.0, 1.0))
