"""The page of a report on folders of every kind: whole, partial, odd, hostile."""

import base64
import gzip
import hashlib
import json
import re
import shutil
from html.parser import HTMLParser
from unittest.mock import MagicMock

import numpy as np
import pandas as pd
import pytest
from pebble import ProcessExpired
from relaxbench.bench.results.folder import load_results
from relaxbench.reports import ReportError, report
from relaxbench.reports.figures import FIGURES
from relaxbench.reports.page.cells import traces
from relaxbench.reports.page.page import SECTIONS
from relaxbench.reports.reading import read

from ..support.report_folder import make_rows, quick_report, whole, write_folder

SMALL = {"iris": (75, 4, 3, 0.96, 1)}


class Page(HTMLParser):
    """Elements (tag, attributes), ids, headings, and the text of a page, scripts and styles apart."""

    def __init__(self, index):
        super().__init__()
        self.elements, self.scripts, self.text, self.inside = [], [], "", ""
        self.feed(index.read_text(encoding="utf-8"))
        self.text = " ".join(self.text.split())

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        self.inside = tag if tag in ("script", "style") else self.inside
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag):
        self.inside = "" if tag == self.inside else self.inside

    def handle_data(self, data):
        if self.inside == "script":
            self.scripts[-1] += data
        elif not self.inside:
            self.text += " " + data

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]

    def unpacked(self, name):
        """The text that is packed in a script of this id."""
        packed = next(s for s, a in zip(self.scripts, self.all("script"), strict=True) if a.get("id") == name)
        return gzip.decompress(base64.b64decode(packed)).decode()

    def data(self):
        """What the page's script works with."""
        return json.loads(self.unpacked("data"))

    def cells(self):
        """The data of the sortable table: name of a column → its values."""
        return values(self.data()["cells"])


def values(columns):
    return {c["name"]: [c["names"][k] for k in c["codes"]] if "codes" in c else c["values"] for c in columns}


def page(rows, folder, **options):
    index = quick_report(write_folder(folder / "run", rows, **options))
    return Page(index)


def test_the_report_is_a_page_beside_its_figures_and_tables():
    folder, index = whole()
    assert index == folder / "report" / "index.html"
    assert {path.name for path in index.parent.iterdir()} == {"index.html", "figures", "tables"}


def test_the_page_asks_the_network_for_nothing_and_runs_only_its_own_scripts():
    _, index = whole()
    found = Page(index)
    policy = next(a["content"] for a in found.all("meta") if a.get("http-equiv") == "Content-Security-Policy")
    assert "default-src 'none'" in policy
    allowed = set(re.findall(r"'sha256-([^']*)'", policy))
    for script, attributes in zip(found.scripts, found.all("script"), strict=True):
        assert "src" not in attributes
        if attributes.get("type") is None:
            assert digest(script) in allowed
    assert digest(found.unpacked("plotly")) in allowed
    assert "unsafe-eval" not in policy
    for tag, attributes in found.elements:
        for name in ("src", "srcset", "href"):
            target = attributes.get(name) or "#"
            assert target.startswith(("data:", "#", "figures/", "tables/")), (tag, target)
        assert not [name for name in attributes if name.startswith("on")]


def digest(script):
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def test_links_lead_somewhere():
    _, index = whole()
    found = Page(index)
    ids = {attributes["id"] for _, attributes in found.elements if "id" in attributes}
    for attributes in found.all("a"):
        target = attributes["href"]
        assert target.removeprefix("#") in ids if target.startswith("#") else (index.parent / target).is_file()


def test_the_table_of_all_results_holds_the_store():
    folder, index = whole()
    cells, results = Page(index).cells(), pd.read_csv(folder / "results.csv")
    assert cells["cell"] == list(results["cell"])
    assert cells["problem"] == list(results["dataset"])
    for name in ("objective", "lower_bound", "gap", "test_accuracy", "runtime_s", "gamma", "width", "seed"):
        found = np.array(cells[name], dtype=float)
        assert np.allclose(found, results[name], rtol=1e-5, atol=0, equal_nan=True)
    assert "test_accuracy_paper" not in cells


def test_figures_to_look_into_hold_the_rows_of_their_files():
    folder, index = whole()
    figures = {figure["name"]: figure for figure in Page(index).data()["figures"]}
    assert {"accuracy", "interval", "width", "gap", "runtime"} <= figures.keys()
    for name in ("accuracy", "interval", "width", "ratio", "tradeoff", "runtime"):
        rows, stored = values(figures[name]["columns"]), pd.read_csv(folder / "report" / "figures" / f"{name}.csv")
        assert list(rows) == list(stored)
        for column in stored.select_dtypes("number"):
            assert np.allclose(np.array(rows[column], float), stored[column], rtol=1e-5, atol=0, equal_nan=True)


def test_every_figure_has_a_section_and_those_not_drawn_one_line():
    _, index = whole()
    text = Page(index).text
    assert {name for names in SECTIONS.values() for name in names} == set(FIGURES)
    assert text.count("Not drawn:") == len(FIGURES) - len(list((index.parent / "figures").glob("*.csv")))


def test_traces_are_thinned_and_those_left_out_are_counted(tmp_path, monkeypatch):
    folder = write_folder(tmp_path / "run", make_rows(SMALL, methods=("sdp", "nngp"), seeds=(0, 1)))
    long = pd.DataFrame({"stage": "solve", "seconds": np.arange(1000.0), "value": 2.0, "bound": 1.0, "iteration": 1})
    monkeypatch.setattr("relaxbench.reports.results.load_trace", lambda *_: long.assign(residual=0.0))
    monkeypatch.setattr("relaxbench.reports.page.cells.TRACES", 3)
    found, left_out = traces(read(folder))
    assert left_out == len(pd.read_csv(folder / "results.csv")) - 3
    for trace in found:
        assert len(trace["seconds"]) <= 61
        assert trace["seconds"][0] == 0
        assert trace["seconds"][-1] == 999
        assert trace["rows"] == 1000


def test_the_summary_counts_what_ran():
    found = Page(whole()[1])
    failed = int((pd.read_csv(whole()[0] / "results.csv")["status"] != "ok").sum())
    total = len(pd.read_csv(whole()[0] / "results.csv"))
    assert f"{total - failed} / {total} cells finished" in found.text
    assert f"{failed} unsupported" in found.text
    assert "cpp must have d ≤ 5. Got 8 instead." in found.text
    assert "relaxbench verify" in found.text
    assert f"relaxbench report {whole()[0]}" in found.text
    assert "Example CPU" in found.text


def test_the_findings_rest_on_the_numbers_of_the_store():
    text = Page(whole()[1]).text
    tightness = pd.read_csv(whole()[0] / "tightness.csv").dropna(subset=["certified_ratio"])
    worst = tightness.sort_values("certified_ratio").iloc[0]
    found = re.search(
        r"at most ([\d.]+) % below .* over (\d+) problems: .* and ([\d.]+) % on (\w+) at γ = ([\d.]+),", text
    )
    middle, count, most, problem, gamma = found.groups()
    assert (int(count), problem, float(gamma)) == (len(tightness), worst["dataset"], worst["gamma"])
    for shown, ratio in ((middle, tightness["certified_ratio"].median()), (most, worst["certified_ratio"])):
        assert 100 * (1 - ratio) <= float(shown) <= 100 * (1 - ratio) + 0.1


def test_the_two_protocols_share_no_table():
    folder, index = whole()
    found = index.read_text(encoding="utf-8")
    for table in re.findall(r"<table.*?</table>", found, re.S):
        assert not ("optimistic" in table.lower() and "protocol holdout" in table)
    for csv in (folder / "report").rglob("*.csv"):
        header = csv.read_text(encoding="utf-8").partition("\n")[0].split(",")
        assert not {"test_accuracy", "test_accuracy_paper"} <= set(header)
    for file in [*(folder / "report").rglob("accuracy-paper.md"), *(folder / "report").rglob("accuracy-paper.tex")]:
        assert "Optimistic" in file.read_text(encoding="utf-8")


HOSTILE = "<script>alert(1)</script>"
NAMES = [HOSTILE, '"><img src=x onerror=alert(1)>', r"$\frac{ -->", "_데이터 γ", "007", "{{ 7*7 }}"]


def hostile_rows():
    rows = []
    for k, name in enumerate(NAMES):
        one = make_rows(
            {name: (20 + k, 2, 2, 0.9, 1)}, methods=("sdp", "sgd", "nngp"), gammas=(0.1,), widths=(5, 10), seeds=(0,)
        )
        rows += [{**row, "method": name if row["method"] == "nngp" else row["method"]} for row in one]
    return [*rows[:-1], {**rows[-1], "status": "failed", "message": HOSTILE + "\x1b[31m", "objective": None}]


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile") / "<b>run</b> $x$"
    return quick_report(write_folder(folder, hostile_rows(), records=False))


@pytest.mark.thorough
def test_hostile_and_foreign_names_are_shown_and_do_nothing(hostile):
    found = Page(hostile)
    policy = next(a["content"] for a in found.all("meta") if a.get("http-equiv") == "Content-Security-Policy")
    assert len(found.all("script")) == policy.count("sha256-") + 1
    assert not [a for a in found.all("img") if a.get("src") == "x"]
    assert not found.all("b")
    for name in NAMES:
        assert " ".join(name.split()) in found.text
    assert HOSTILE in found.text
    assert set(found.cells()["problem"]) == set(NAMES)
    assert "49" not in set(found.cells()["problem"])


@pytest.mark.thorough
def test_hostile_names_reach_figures_as_they_are(hostile):
    figures = hostile.parent / "figures"
    for name in ("accuracy", "width", "interval"):
        frame = pd.read_csv(figures / f"{name}.csv", keep_default_na=False, dtype=str)
        assert set(frame["problem"]) <= set(NAMES)
        assert len(set(frame["problem"])) > 4
        compile((figures / f"{name}.py").read_text(encoding="utf-8"), name, "exec")
        assert "<script" not in re.sub(
            "<!--.*?-->", "", (figures / f"{name}.svg").read_text(encoding="utf-8"), flags=re.S
        )


ODD = {
    "one method without networks": make_rows(SMALL, methods=("nngp",)),
    "one method with a bound": make_rows(SMALL, methods=("sdp",), seeds=(0,)),
    "no exact values": make_rows(SMALL, methods=("sdp", "sgd"), widths=(5,)),
    "one cell": make_rows(SMALL, methods=("sgd",), gammas=(0.1,), widths=(5,), seeds=(0,)),
    "unknown method, one seed": [
        {**row, "method": "mine.py:fit"} for row in make_rows(SMALL, methods=("sgd",), seeds=(0,))
    ],
    "zero objectives": make_rows(SMALL, methods=("sgd", "sdp"), objective=0.0, lower_bound=0.0),
    "no runtimes": make_rows(SMALL, methods=("sgd", "nngp"), runtime_s=None, solve_s=None),
}


@pytest.mark.thorough
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name.startswith("one") else pytest.mark.slow) for name in ODD]
)
def test_missing_pieces_give_a_sensible_page(name, tmp_path):
    found = page(ODD[name], tmp_path, records=False)
    assert f"{len(ODD[name])} / {len(ODD[name])} cells finished" in found.text
    assert "nan" not in re.sub(r"\w*nan\w+|\w+nan\w*", "", found.text.lower())
    assert "Not drawn" in found.text
    if name == "no exact values":
        assert "no exact values (method cpp)" in found.text


@pytest.mark.thorough
def test_a_run_in_which_everything_failed_says_so(tmp_path):
    failed = {"status": "failed", "message": "ValueError: no luck"}
    columns = ("objective", "upper_bound", "lower_bound", "relaxation_value", "test_accuracy", "runtime_s")
    rows = [{**row, **failed, **dict.fromkeys(columns)} for row in make_rows(SMALL, seeds=(0,))]
    found = page(rows, tmp_path, records=False)
    assert f"0 / {len(rows)} cells finished" in found.text
    assert "ValueError: no luck" in found.text
    assert "no method returned a network" in found.text
    assert not found.all("img")


@pytest.mark.thorough
def test_a_running_folder_is_reported_as_far_as_it_goes(tmp_path):
    rows = make_rows(SMALL, methods=("sgd", "sdp", "nngp"), widths=(5,), seeds=(0, 1))
    folder = write_folder(tmp_path / "run", rows)
    for name in ("results.parquet", "results.csv", "tightness.csv", "environment.json"):
        (folder / name).unlink()
    for row in [row for row in rows if row["method"] == "sdp"]:
        shutil.rmtree(folder / "cells" / row["cell"])
    found = Page(quick_report(folder, figures=("accuracy",)))
    assert len(load_results(folder)) == len(rows) - 4 == len(found.cells()["cell"])
    assert f"4 of {len(rows)} cells have not ended (4 of sdp)" in found.text
    assert "environment.json is missing" in found.text


@pytest.mark.thorough
def test_a_report_is_made_again_over_an_old_one(tmp_path):
    folder = write_folder(tmp_path / "run", ODD["one cell"], records=False)
    first, again = (quick_report(folder, figures=("width", "ratio")).read_text(encoding="utf-8") for _ in range(2))
    assert again == first


@pytest.mark.thorough
def test_several_processes_write_the_same_report_as_one(tmp_path):
    folder = write_folder(tmp_path / "run", make_rows({"iris": (75, 4, 3, 0.9, 1)}, gammas=(0.1,)), records=False)
    files = []
    for workers in (1, 2):
        quick_report(folder, ("double", "single"), ("width", "rounding", "ratio"), workers)  # no roundings to show
        files.append({path: path.read_bytes() for path in (folder / "report").rglob("*.*")})
        shutil.rmtree(folder / "report")
    assert {"width.svg", "ratio.svg", "ratio-single.svg"} <= {path.name for path in files[0]}
    assert files[0] == files[1]


@pytest.mark.thorough
def test_a_process_that_was_killed_while_it_drew_is_one_line(tmp_path, monkeypatch):
    def killed():
        yield from ()
        raise ProcessExpired("killed", code=-9)

    pool = MagicMock()
    pool.map.return_value.result.side_effect = killed
    monkeypatch.setattr("relaxbench.reports.figures.drawing.ProcessPool", lambda *_, **__: pool)
    folder = write_folder(tmp_path / "run", make_rows({"iris": (75, 4, 3, 0.9, 1)}, gammas=(0.1,)), records=False)
    with pytest.raises(ReportError, match=r"must not be killed. Got exit code -9 instead") as caught:
        quick_report(folder, figures=("width", "ratio"), workers=2)
    assert "\n" not in str(caught.value)
    assert pool.stop.called


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"figure": "rato"}, "figure is unknown: 'rato'. Did you mean 'ratio'"),
        ({"figure": "ratio", "format": "jpeg"}, "format must be one of pdf"),
        ({"figure": "ratio", "style": "no-such-style"}, "style must be single"),
        ({"format": "pdf"}, "name a figure"),
        ({"figure": "rounding"}, "needs `rounding` with several values"),
    ],
)
def test_a_wrong_option_is_one_line(options, word):
    with pytest.raises(ReportError, match=word) as caught:
        report(whole()[0], **options)
    assert "\n" not in str(caught.value)


def test_a_folder_that_is_none_is_one_line(tmp_path):
    (tmp_path / "file").write_text("x")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "note.txt").write_text("x")
    empty = tmp_path / "begun"
    write_folder(empty, make_rows(SMALL, methods=("nngp",)))
    shutil.rmtree(empty / "cells")
    (empty / "results.parquet").unlink()
    for name in ("file", "other", "missing", "begun"):
        with pytest.raises(ReportError) as caught:
            report(tmp_path / name)
        assert "\n" not in str(caught.value)
        assert not (tmp_path / name / "report").exists()


def test_a_folder_that_cannot_be_written_to_is_one_line(tmp_path):
    folder = write_folder(tmp_path / "run", ODD["one cell"], records=False)
    (folder / "report").write_text("in the way")
    with pytest.raises(ReportError, match="must be writable"):
        report(folder)


@pytest.mark.parametrize("name", ["report", "report/tables", "report/index.html", "report/figures/accuracy.csv"])
def test_nothing_is_written_through_a_link(tmp_path, name):
    folder = write_folder(tmp_path / "run", ODD["one cell"], records=False)
    outside = tmp_path / "outside"
    if "." in name:
        outside.write_text("mine", encoding="utf-8")
    else:
        outside.mkdir()
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).symlink_to(outside)
    for figure in (None, "accuracy"):
        with pytest.raises(ReportError, match="through a link") as caught:
            report(folder, figure=figure)
        assert "\n" not in str(caught.value)
    assert outside.read_text() == "mine" if "." in name else list(outside.iterdir()) == []


@pytest.mark.slow
def test_twenty_thousand_cells_take_less_than_a_minute_and_five_megabytes(tmp_path):
    import time

    sets = {"iris": (75, 4, 3, 0.96, 1), "pima": (383, 8, 2, 0.7, 1), "random": (25, 2, 5, None, 340)}
    rows = make_rows(sets, widths=(5, 10, 100, 200, 300), seeds=range(5))[:20_000]
    folder = write_folder(tmp_path / "run", rows, records=False)
    assert len(rows) == 20_000
    begin = time.process_time()
    index = report(folder)
    assert time.process_time() - begin < 60
    assert index.stat().st_size < 5e6


@pytest.mark.slow
def test_every_format_and_width_is_written(tmp_path):
    folder = write_folder(tmp_path / "run", make_rows(SMALL))
    report(folder)
    for name in ("accuracy", "ratio", "width", "profile"):
        for ending in (".pdf", ".svg", ".png", "-single.pdf", "-single.svg", "-single.png", ".csv", ".py"):
            assert (folder / "report" / "figures" / f"{name}{ending}").stat().st_size > 0
