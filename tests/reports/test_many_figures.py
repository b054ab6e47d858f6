"""Figures over many data sets: they hold the numbers of the tables, and are drawn only where these allow it."""

import re
import runpy
import sys
import warnings
from functools import cache

import pytest
from relaxbench.reports.figures import FIGURES
from relaxbench.reports.figures.drawing import draw, looks
from relaxbench.reports.figures.kind import NothingToShow
from relaxbench.reports.labels import FOLDS
from relaxbench.reports.tables.boards import boards, critical_difference

from ..support.many_sets import METHODS, many, many_rows, prepared


@cache
def both():
    """Results with 33 classification data sets and 20 for regression."""
    rows = many_rows(lead={"sdp": 0.02, "ridge": -0.05})
    for row in many_rows(sets=20, measure="test_r2", methods=METHODS[:6], seed=2):
        rows.append({**row, "dataset": f"r{row['dataset']}", "data": f"r{row['data']}", "cell": f"r{row['cell']}"})
    return prepared(rows)


NAMES = ("critical-difference", "against", "against-r2")


@pytest.mark.thorough
@pytest.mark.parametrize("name", NAMES)
def test_they_are_drawn_without_a_warning_and_their_scripts_draw_the_same(name, tmp_path, monkeypatch):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        drawn = draw(FIGURES[name], both(), tmp_path, formats=("svg",), widths=("double", "single"), style=None)
    assert drawn.files["svg-single"].stat().st_size > 5_000
    monkeypatch.setattr(sys, "argv", [f"{name}.py", str(tmp_path / "again.svg")])
    runpy.run_path(str(tmp_path / f"{name}.py"), run_name="__main__")
    text = [
        re.sub(r"<metadata>.*?</metadata>", "", (tmp_path / f"{stem}.svg").read_text(), flags=re.S)
        for stem in (name, "again")
    ]
    assert text[0] == text[1]


def test_the_diagram_has_the_ranks_and_its_caption_the_tests():
    results = both()
    frame = FIGURES["critical-difference"].data(results)
    accuracy, r2 = boards(results, FOLDS)
    part = frame[frame["measure"] == "accuracy"].set_index("method")
    assert part["rank"].to_dict() == pytest.approx(accuracy.ranks.to_dict())
    apart = part[[f"p {name}" for name in part.index]].to_numpy() < 0.05
    distance = abs(part["rank"].to_numpy()[:, None] - part["rank"].to_numpy())
    assert (apart == (distance > critical_difference(8, 33))).all()
    assert apart.any()
    assert len(frame[frame["measure"] == "R²"]) == r2.scores.shape[1] == 6
    caption = FIGURES["critical-difference"].caption(frame)
    assert "8 methods on 33 data sets" in caption
    assert "6 methods on 20 data sets" in caption
    assert "Wilcoxon" in caption


def test_points_lie_where_the_scores_are_and_are_counted():
    results = both()
    frame = FIGURES["against"].data(results)
    (board, _) = boards(results, FOLDS)
    part = frame[frame["method"] == "ridge"].set_index("problem")
    assert part["score"].to_dict() == board.scores["sdp"].to_dict()
    assert part["rival_error"].to_dict() == pytest.approx(board.errors["ridge"].to_dict())
    figure = FIGURES["against"].draw(frame, looks(results), 7.0)
    above, below = int((part["lead"] > 0).sum()), int((part["lead"] < 0).sum())
    (panel,) = [axis for axis in figure.axes if axis.get_title() == "ridge"]
    assert [text.get_text() for text in panel.texts] == [f"{above} above", f"{below} below"]
    assert "one standard error" in FIGURES["against"].caption(frame)


@pytest.mark.parametrize("options", [{"sets": 4}, {"by": "cv"}])
def test_too_few_data_sets_or_another_protocol_draw_nothing(options):
    results = many(**options)
    for name in NAMES:
        with pytest.raises(NothingToShow, match="data sets"):
            FIGURES[name].data(results)


def test_two_methods_have_no_diagram():
    with pytest.raises(NothingToShow, match="3 methods"):
        FIGURES["critical-difference"].data(many(methods=METHODS[:2]))
