"""Results that cannot be true: the report is made all the same, and says what it leaves out or does not trust."""

import re

import numpy as np
import pandas as pd
import pytest
from relaxbench.bench.results.tables import results_table, tightness_table
from relaxbench.reports.page.findings import findings
from relaxbench.reports.results import prepare

from ..support.report_folder import make_rows, quick_report, write_folder

SMALL = {"iris": (75, 4, 3, 0.9, 2)}
METHODS = ("sdp", "sgd", "nngp", "cpp")


def rows_of():
    return make_rows(SMALL, methods=METHODS, gammas=(0.1, 0.01), widths=(5, 100), seeds=(0,))


def ready(rows):
    frame = results_table(rows)
    return prepare("unused", frame, tightness_table(frame), {}, "")


def summary(index):
    text = index.read_text(encoding="utf-8")
    return " ".join(re.sub(r"<[^>]*>", " ", text[text.index('id="summary"') : text.index('id="figures"')]).split())


ODD = {
    "objective": [1e308, -1e308, np.inf, 1e99, 1e-300],
    "upper_bound": [1e308, np.inf],
    "relaxation_value": [1e308, -np.inf],
    "runtime_s": [-1.0, 1e308, np.inf, 0.0],
    "solve_s": [-5.0, np.inf],
    "round_s": [-5.0],
    "test_accuracy": [1e308, -0.5, np.inf],
    "test_r2": [-1e308, -1e99],
    "n": [0, -3],
    "n_test": [0],
    "width": [0],
    "gamma": [1e308],
}


@pytest.mark.thorough
@pytest.mark.parametrize("name", ["scattered", pytest.param("everywhere", marks=pytest.mark.slow)])
def test_numbers_that_cannot_be_give_a_page_and_a_word(name, tmp_path):
    rows = rows_of()
    if name == "scattered":
        values = [(column, value) for column, found in ODD.items() for value in found]
        for k, (column, value) in enumerate(values):
            rows[k % len(rows)][column] = value
    else:
        rows = [{**row, **{column: found[0] for column, found in ODD.items() if column != "gamma"}} for row in rows]
    text = summary(quick_report(write_folder(tmp_path / "run", rows, records=False)))
    for column in ("objective", "runtime_s", "test_accuracy", "n", "width"):
        assert re.search(rf"\d+ of {column} left out, which no run can have", text), column
    assert "inf %" not in text


@pytest.fixture(scope="module")
def plain():
    return ready(rows_of()).cells


@pytest.mark.thorough
@pytest.mark.parametrize("column", ODD)
def test_what_cannot_be_is_left_out_and_the_rest_stays(column, plain):
    rows = rows_of()
    for value in ODD[column]:
        rows[0] = {**rows[0], column: value}
        found, stays = ready(rows), 1e-300 <= value <= 1e99 or value == -1e99
        stays = stays or (value == 0 and column in ("runtime_s", "n_test"))
        if column == "gamma":
            continue
        assert found.cells.loc[0, column] == value if stays else np.isnan(found.cells.loc[0, column])
        assert any(f"1 of {column} left out" in text for text in found.lacking) != stays
        assert found.cells.loc[1:, column].equals(plain.loc[1:, column])


def contradicting():
    rows = rows_of()
    wrong = next(row for row in rows if row["method"] == "sdp" and row["gamma"] == 0.1)
    wrong["lower_bound"] = 59.828 * min(row["objective"] for row in rows if row.get("objective"))
    return rows, wrong


@pytest.mark.thorough
def test_a_bound_above_a_network_is_an_alarm_and_no_percentage(tmp_path):
    rows, wrong = contradicting()
    same = [row for row in rows if (row["data"], row["gamma"]) == (wrong["data"], 0.1) and row.get("objective")]
    network = min(same, key=lambda row: min(row["objective"], row.get("upper_bound") or np.inf))
    text = summary(quick_report(write_folder(tmp_path / "run", rows, records=False), figures=()))
    said = f"bound {wrong['lower_bound']:.9g} of cell {wrong['cell']} (sdp) lies above the network of cell "
    assert said + network["cell"] in text[:400]
    assert "not to be trusted" in text[:500]
    assert not re.search(r"[-−]\d[\d.]* %", text)
    assert "proved to lie at most" in text  # of the other groups


def test_nothing_proved_is_shown_of_a_group_that_contradicts_itself():
    rows, wrong = contradicting()
    results = ready(rows)
    here = results.tightness.set_index(["data", "gamma"]).loc[(wrong["data"], 0.1)]
    assert np.isnan(here[["lower_bound", "certified_ratio", "exact_value"]].astype(float)).all()
    assert here["lower_method"] == ""
    others = results.tightness["certified_ratio"].dropna()
    assert len(others) == len(results.tightness) - 1
    assert others.max() <= 1
    of_group = (results.cells["data"] == wrong["data"]) & (results.cells["gamma"] == 0.1)
    assert results.cells.loc[of_group, "lower_bound"].isna().all()
    assert len(results.alarms) == 1


def test_rounding_alone_is_no_alarm_and_no_negative_share():
    rows = rows_of()
    for row in rows:
        if row["method"] == "sdp":
            row["lower_bound"] = row["upper_bound"] * (1 + 1e-13)
    for row in rows:
        if row["method"] != "sdp" and row.get("objective"):
            row["objective"] *= 2
    results = ready(rows)
    assert not results.alarms
    (text,) = [text for text in map(str, findings(results)) if "proved to lie" in text]
    assert "at most 0.0 % below" in text
    assert "-" not in text


def test_a_file_of_results_without_data_raises_no_alarm():
    frame = pd.DataFrame([{"cell": "a", "lower_bound": 2.0}, {"cell": "b", "objective": 1.0}])
    assert not prepare(None, frame, pd.DataFrame(), {}, "").alarms
