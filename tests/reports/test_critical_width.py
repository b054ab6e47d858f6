"""The table of critical widths against losses made up so that its numbers are known."""

import pytest
from relaxbench.reports.figures import FIGURES
from relaxbench.reports.figures.drawing import looks
from relaxbench.reports.reading import read
from relaxbench.reports.tables.critical_width import critical_width

from ..support.report_folder import hashed, write_folder

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


def shown(folder, losses, draws=1):
    """The two widths as the table shows them, and the row behind, of losses by width on each draw."""
    made = []
    for draw in range(draws):
        base = {**rows()[0], "data": f"d{draw}", "data_seed": draw}
        made += [
            {**base, "width": m, "objective": 3 * loss, "cell": hashed(draw, m)[:20]}
            for m, loss in (losses[draw] if draws > 1 else losses).items()
        ]
        made.append({**rows()[-1], "data": f"d{draw}", "data_seed": draw, "cell": hashed("e", draw)[:20]})
    found = table(folder, made)
    return [entry.text for entry in found.rows[0][3:5]], found.data.iloc[0], found.caption


def test_a_width_that_only_the_widest_reaches_is_marked(tmp_path):
    texts, line, caption = shown(tmp_path / "a", {2: 2.0, 8: 1.005, 32: 1.0})
    assert texts == ["8", "≥ 32"]
    assert (line["width_01"], line["width_01_at_end"], line["width_1_at_end"]) == (32, True, False)
    assert "≥ m" in caption
    assert "> m" in caption
    assert shown(tmp_path / "b", {2: 2.0, 8: 1.5, 32: 1.3})[0] == ["> 32", "> 32"]
    assert shown(tmp_path / "c", {2: 1.0, 8: 1.0, 32: 1.0})[0] == ["2", "2"]


def test_one_draw_at_its_end_marks_the_largest_of_them(tmp_path):
    draws = [{2: 2.0, 8: 1.0, 32: 1.0}, {2: 2.0, 8: 1.0}]
    assert shown(tmp_path / "a", draws, draws=2)[0] == ["≥ 8", "≥ 8"]


@pytest.mark.parametrize(("widths", "mark"), [((2, 8, 16), True), ((2, 8, 32), False)])
def test_the_picture_marks_the_end_of_the_widths(tmp_path, widths, mark):
    made = [row for row in rows() if row["width"] in (*widths, None)]
    for row in made:
        row["objective"] = {2: 6.0, 8: 6.0 if mark else 3.0}.get(row["width"], 3.0)
    results = read(write_folder(tmp_path / "run", made))
    frame = FIGURES["width"].data(results)
    figure = FIGURES["width"].draw(frame, looks(results), 7.0)
    figure.draw_without_rendering()
    assert [text.get_text() for text in figure.axes[0].texts] == (["≥ 16"] if mark else [])
    assert "≥ m says that this is the widest" in FIGURES["width"].caption(frame)


def test_one_width_makes_no_table(tmp_path):
    assert table(tmp_path / "a", [row for row in rows() if row["width"] in (8, None)]) is None
