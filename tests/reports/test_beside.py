"""Another run beside the one that is reported: judged as `compare` judges, shown apart, and in no mean."""

import json
import re
import runpy
import sys

import numpy as np
import pandas as pd
import pytest
from relaxbench.bench.bundle.pack import pack
from relaxbench.bench.cli import main
from relaxbench.bench.compare.beside import beside
from relaxbench.bench.compare.comparison import compare
from relaxbench.bench.compare.show import verdict
from relaxbench.reports import Beside, ReportError, report
from relaxbench.reports.figures import FIGURES

from ..support.report_folder import make_rows, write_folder
from .test_page import Page

SPIRAL = {"spiral": (60, 2, 3, 0.7, 1)}
FEW = ("accuracy", "width", "runtime", "beside")
EVIL = "<img src=x onerror=alert(1)>\x1b[31m"


def rows_of(**fixed):
    return make_rows(SPIRAL, ("sdp", "nngp", "sgd"), gammas=(0.1,), widths=(5, 10), seeds=(0, 1), **fixed)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """This run and another: there one cell is better, one worse, one failed, and one is on its side alone."""
    folder = tmp_path_factory.mktemp("beside")
    this = write_folder(folder / "this", rows_of())
    rows = rows_of()
    sgd = [k for k, row in enumerate(rows) if row["method"] == "sgd"]
    rows[sgd[0]]["objective"] *= 0.9
    rows[sgd[1]]["objective"] *= 1.1
    rows[sgd[2]] |= {"status": "failed", "objective": None, "test_accuracy": None, "message": EVIL}
    rows.append({**rows[sgd[3]], "seed": 7, "cell": "c7"})
    other = write_folder(folder / "other", rows)
    (other / "environment.json").write_text(json.dumps({"processor": EVIL, "packages": {"numpy": "1.0"}}))
    return this, pack(other, folder / "other.zip").path


@pytest.fixture(scope="module")
def made(runs, tmp_path_factory):
    """The report of this run alone, with a few of the figures, the same with the other run, and what was compared."""
    this, other = runs
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("relaxbench.reports.figures.FIGURES", {name: FIGURES[name] for name in FEW})
        patch.setattr("relaxbench.reports.figures.style.WIDTHS", {"double": 7.0})
        return _made(this, other, tmp_path_factory)


def _made(this, other, tmp_path_factory):
    comparison, checks = beside(other, this)
    given = Beside(str(other), verdict(comparison), checks, comparison.differences, comparison.notes)
    plain = report(this, out=tmp_path_factory.mktemp("plain"), live=True)
    return plain, report(this, out=tmp_path_factory.mktemp("with"), live=True, beside=given), checks


@pytest.mark.thorough
def test_verdicts_are_those_of_compare_with_the_other_run_as_the_base(runs, made):
    this, other = runs
    comparison = compare(other, this)
    index, checks = made[1:]
    page = Page(index)
    assert comparison.exit_code == 1
    assert verdict(comparison) in page.text
    found = checks.groupby("verdict").size()
    for name in ("ok", "regression", "better", "missing"):
        assert comparison.count(name) == found[name] > 0
        assert f"{comparison.count(name)} {name}" in page.text
    table = pd.read_csv(index.parent / "tables" / "differing.csv")
    assert len(table) == sum(check.verdict != "ok" and check.kind != "cost" for check in comparison.checks)
    worse = table[(table["column"] == "objective") & (table["verdict"] == "regression")]
    assert worse["change"].tolist() == pytest.approx([1 / 0.9 - 1])


@pytest.mark.thorough
def test_the_picture_has_every_value_that_both_runs_have_and_marks_what_differs(runs, made):
    frame = pd.read_csv(made[1].parent / "figures" / "beside.csv")
    this = pd.read_csv(runs[0] / "results.csv")
    found = frame[frame["column"] == "objective"]
    assert len(found) == this["objective"].notna().sum() - 1
    assert found["verdict"].value_counts()["regression"] == 1
    assert np.isin(found["this"].round(9), this["objective"].round(9)).all()
    assert set(frame.loc[frame["column"] == "runtime_s", "verdict"]) == {"not judged"}
    assert (made[1].parent / "figures" / "beside.svg").is_file()


@pytest.mark.thorough
def test_the_script_draws_the_same_picture_from_the_csv(made, tmp_path, monkeypatch):
    figures = made[1].parent / "figures"
    monkeypatch.setattr(sys, "argv", ["beside.py", str(tmp_path / "again.svg")])
    runpy.run_path(str(figures / "beside.py"), run_name="__main__")
    one, other = (path.read_text(encoding="utf-8") for path in (tmp_path / "again.svg", figures / "beside.svg"))
    assert re.sub("<metadata>.*?</metadata>", "", one, flags=re.S) == re.sub(
        "<metadata>.*?</metadata>", "", other, flags=re.S
    )


@pytest.mark.thorough
def test_no_other_figure_table_or_sentence_changes(made):
    plain, index, _ = made
    ours = ("beside", "differing", "side-by-side", "index.html")
    names = {path.relative_to(plain.parent) for path in plain.parent.rglob("*.*")}
    added = {path.relative_to(index.parent) for path in index.parent.rglob("*.*")} - names
    assert {path.stem for path in added} == set(ours[:3])
    for name in names:
        if not name.name.startswith(ours):
            assert (plain.parent / name).read_bytes() == (index.parent / name).read_bytes(), name


@pytest.mark.thorough
def test_means_are_over_the_cells_of_both_each_run_by_itself(runs, made):
    table = pd.read_csv(made[1].parent / "tables" / "side-by-side.csv")
    sgd = table[(table["method"] == "sgd") & (table["column"] == "objective")].iloc[0]
    this = pd.read_csv(runs[0] / "results.csv").query("method == 'sgd'")["objective"].to_numpy()
    kept = np.delete(this, 2)
    assert sgd["cells"] == 3
    assert sgd["this"] == pytest.approx(kept.mean())
    assert sgd["other"] == pytest.approx((kept * [0.9, 1.1, 1.0]).mean())


@pytest.mark.thorough
def test_a_bound_above_a_network_of_the_other_run_is_told_in_words(runs, tmp_path):
    rows = rows_of()
    other = write_folder(tmp_path / "other", [row | {"objective": 1e-3} for row in rows if row["method"] == "sgd"])
    checks = beside(other, runs[0])[1]
    (told,) = checks[checks["kind"] == "soundness"].to_dict("records")
    assert told["verdict"] == "regression"
    assert told["other"] is None
    bound = max(row["lower_bound"] for row in rows if row["method"] == "sdp")
    assert told["note"].startswith(f"bound {bound}, objective 0.001; bound of ")


@pytest.mark.thorough
def test_what_the_other_run_says_is_text(made):
    page = made[1].read_text(encoding="utf-8")
    assert "<img src=x" not in page
    assert "\x1b" not in page
    assert "&lt;img src=x" in page
    assert "processor" in Page(made[1]).text


@pytest.mark.thorough
def test_the_command_line_takes_bundles_on_both_sides(runs, tmp_path, capsys):
    this = pack(runs[0], tmp_path / "this.zip").path
    arguments = ["report", str(this), "--with", str(runs[1]), "--figure", "beside", "--format", "svg"]
    assert main(arguments) == 0
    picture = tmp_path / "this-report" / "figures" / "beside.svg"
    assert capsys.readouterr().out.split() == [str(picture)]
    assert re.search("<path", picture.read_text(encoding="utf-8"))
    assert main(["report", str(runs[0]), "--with", str(tmp_path / "none.zip")]) == 2
    assert main(["report", str(runs[0]), "--figure", "beside"]) == 2
    assert "given by --with" in capsys.readouterr().err


def test_runs_with_nothing_in_common_are_said_to_have_nothing_in_common(tmp_path):
    this = write_folder(tmp_path / "this", rows_of())
    other = write_folder(tmp_path / "other", make_rows({"iris": (75, 4, 3, 0.96, 1)}, ("nngp",), gammas=(0.1,)))
    comparison, checks = beside(other, this)
    given = Beside("other", verdict(comparison), checks, comparison.differences, comparison.notes)
    assert comparison.exit_code == 4
    with pytest.raises(ReportError, match="It needs cells that both runs have"):
        report(this, out=tmp_path / "out", figure="beside", format="svg", beside=given)
