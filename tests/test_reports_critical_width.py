"""The table of critical widths against losses made up so that its numbers are known."""

import pytest
from relaxbench.reports.critical_width import critical_width
from relaxbench.reports.reading import read

from .reports_folder import hashed, write_folder

LOSS = {2: 2.0, 4: 1.05, 8: 1.008, 16: 1.02, 32: 1.0005}  # by width; 16 is worse than 8, whose network it could use


def rows():
    base = {"dataset": "spiral", "n": 60, "d": 2, "c": 3, "preprocess": "none", "bias": False, "data": "d0"}
    base |= {"data_seed": 0, "gamma": 0.1, "status": "ok", "options": "{}", "seed": 0, "solve_s": 1.0, "runtime_s": 1.0}
    made = [
        {**base, "method": "lbfgs", "width": m, "objective": 3 * loss, "test_r2": 1 - 1 / m, "cell": hashed(m)[:20]}
        for m, loss in LOSS.items()
    ]
    proved = {
        "method": "cpp",
        "objective": 3.0,
        "lower_bound": 2.997,
        "relaxation_value": 3.0,
        "cell": hashed("e")[:20],
    }
    return [*made, {**base, **proved, "width": None, "seed": None, "certificate": "arcs"}]


def table(folder, made):
    return critical_width(read(write_folder(folder, made)))


def test_widths_interval_and_scores(tmp_path):
    line = table(tmp_path / "a", rows()).data.iloc[0]
    assert (line["width_1"], line["width_01"], line["widest"]) == (8, 32, 32)
    assert line["atoms"] == 12
    assert line["lower_bound"] == pytest.approx(2.997)
    assert line["upper_bound"] == pytest.approx(3.0)
    assert line["certified_ratio"] == pytest.approx(0.999)
    assert line["score_1"] == pytest.approx(1 - 1 / 8)
    assert line["score_widest"] == pytest.approx(1 - 1 / 32)


def test_a_width_that_is_never_enough_is_said_to_be(tmp_path):
    made = [row for row in rows() if row["width"] != 32]
    shown = [entry.text for entry in table(tmp_path / "a", made).rows[0]]
    assert shown[3:5] == ["8", "> 16"]


def test_one_width_makes_no_table(tmp_path):
    assert table(tmp_path / "a", [row for row in rows() if row["width"] in (8, None)]) is None
