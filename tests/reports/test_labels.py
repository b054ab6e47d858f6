"""Labels of the config: they are in every figure, table and sentence, and change nothing else."""

import csv
import json
import re

import pandas as pd
import pytest
from relaxbench.bench.grid.cell import expand
from relaxbench.bench.grid.spec import check_spec
from relaxbench.bench.text import UsageError
from relaxbench.reports import report
from relaxbench.reports.labels import relabelled, reworded
from relaxbench.reports.reading import read
from relaxbench.reports.tables.contents import tables

from ..support.report_folder import make_rows, quick_report, write_folder

SETS = {"iris": (75, 4, 3, 0.9, 1), "random": (25, 2, 5, None, 2)}
NAMES = {"iris": "Iris, Fisher's", "sdp": "Relaxation", "sgd": "Descent"}


def labelled(folder, names=NAMES, *, settings=None, **fixed):
    """A run whose plan has these labels; settings: of each seed of sdp another one."""
    rows = make_rows(SETS, methods=("sdp", "sgd", "nngp"), gammas=(0.1,), widths=(5, 10), seeds=(0, 1), **fixed)
    for row in rows if settings else ():
        if row["method"] == "sdp":
            row["rounding"] = ("tos", "gaussian")[row["seed"]]
            row["options"] = json.dumps({"rounding": row["rounding"]})
    write_folder(folder, rows, records=False)
    plan = [
        {**row, "dataset_label": names.get(row["dataset"], ""), "method_label": names.get(row["method"], "")}
        | ({"method_label": settings[row["seed"]]} if settings and row["method"] == "sdp" else {})
        for row in json.loads((folder / "plan.json").read_text())
    ]
    (folder / "plan.json").write_text(json.dumps(plan))
    return folder


@pytest.mark.thorough
def test_a_label_changes_no_cell_and_is_in_the_plan_alone():
    dataset, method = {"name": "random", "n": 6, "n_test": 4}, {"name": "sdp", "rounding": ["tos", "gaussian"]}
    plain = expand(check_spec({"dataset": [dataset], "method": [method]}))
    spec = check_spec({"dataset": [{**dataset, "label": "Teacher"}], "method": [{**method, "label": "SDP"}]})
    named = expand(spec)
    assert [cell.hash for cell in named] == [cell.hash for cell in plain]
    assert [cell.relaxation_hash for cell in named] == [cell.relaxation_hash for cell in plain]
    assert named == plain
    assert "label" not in named[0].data.locator
    new = {"dataset_label": "Teacher", "method_label": "SDP"}
    assert [cell.plan for cell in named] == [{**cell.plan, **new} for cell in plain]
    assert 'label = "Teacher"' in spec.toml()


@pytest.mark.parametrize(
    ("tables", "word"),
    [
        ({"dataset": [{"name": "iris", "label": "A"}, {"name": "wine", "label": "A"}]}, "Got 'A' for iris and wine"),
        ({"dataset": [{"name": "iris", "label": "wine"}, {"name": "wine"}]}, "Got 'wine' for wine and iris"),
        ({"dataset": [{"name": "small/*", "label": "Small"}]}, "Got 'Small' for small/"),
        ({"method": [{"name": "sdp", "label": "A"}, {"name": "sgd", "label": "A"}]}, "label of a method"),
        ({"method": [{"name": "sdp", "label": "two\nlines"}]}, "printable"),
        ({"method": [{"name": "sdp", "label": "x" * 61}]}, "at most 60"),
        ({"method": [{"name": "sdp", "label": 3}]}, "label"),
        ({"method": [{"name": "sdp", "lable": "SDP"}]}, "Did you mean 'label'"),
    ],
)
def test_a_label_of_two_things_or_no_label_is_one_line(tables, word):
    with pytest.raises(UsageError, match=re.escape(word)) as caught:
        expand(check_spec({"dataset": [{"name": "iris"}], "method": [{"name": "sdp"}], **tables}))
    assert "\n" not in str(caught.value)


def test_tables_of_one_method_may_have_labels_of_their_own_or_share_one():
    for labels in (("tos", "L-BFGS"), ("SDP", "SDP")):
        methods = [{"name": "sdp", "label": labels[0]}, {"name": "sdp", "label": labels[1], "rounding": "tos"}]
        check_spec({"dataset": [{"name": "iris"}], "method": methods})


@pytest.mark.thorough
def test_labels_stand_in_tables_figures_and_page_in_place_of_names(tmp_path):
    folder = labelled(tmp_path / "run", preprocess="standardize")
    text = quick_report(folder, figures=("width", "accuracy", "profile")).read_text()
    page = re.sub(r"<style.*?</style>|<script.*?</script>", "", text, flags=re.DOTALL)
    summary = page[page.index('id="summary"') : page.index('id="figures"')]
    assert "Iris, Fisher&#39;s" in summary
    assert "Relaxation" in summary
    assert not re.search(r"\b(sdp|sgd)\b", re.sub(r'href="[^"]*"', "", summary))
    for name in ("tables/accuracy", "tables/runtime", "figures/width", "figures/accuracy", "figures/profile"):
        text = (folder / "report" / f"{name}.csv").read_text()
        assert "Descent" in text, name
        assert not re.search(r"\b(sdp|sgd|iris)\b", text), name
    with (folder / "report" / "figures" / "width.csv").open() as file:
        assert {row["problem"] for row in csv.DictReader(file)} == {"Iris, Fisher's", "random (standardize)"}
    for table in tables(read(folder)):
        assert not re.search(r"\b(sdp|sgd|iris)\b", " ".join((table.title, table.caption, *table.header)))
        assert not {entry.text for row in table.rows for entry in row} & {"sdp", "sgd", "iris"}


@pytest.mark.thorough
def test_the_numbers_are_those_without_labels(tmp_path):
    plain, named = (read(labelled(tmp_path / str(k), names)) for k, names in enumerate(({}, NAMES)))
    columns = ["cell", "method", "objective", "lower_bound", "dataset"]
    assert plain.cells[columns].equals(named.cells[columns])
    for one, other in zip(tables(plain), tables(named), strict=True):
        assert one.name == other.name
        numbers = one.data.select_dtypes("number").columns
        order = list(numbers)
        assert one.data[order].sort_values(order).to_numpy() == pytest.approx(
            other.data[order].sort_values(order).to_numpy(), nan_ok=True
        )


@pytest.mark.thorough
def test_two_labels_of_one_method_name_its_settings(tmp_path):
    folder = labelled(tmp_path / "run", settings=("SDP, tos", "SDP, Gaussian"))
    results = read(folder)
    assert results.labels == {"sgd": "Descent"}
    assert set(results.arms) == {"SDP, tos", "SDP, Gaussian", "Descent (m=5)", "Descent (m=10)", "nngp"}
    (ranking,) = [table for table in tables(results) if table.name == "methods"]
    assert {row[0].text for row in ranking.rows} == set(results.arms)


def test_a_label_that_two_runs_into_one_folder_gave_to_two_things_is_left_out(tmp_path):
    results = read(labelled(tmp_path / "run", {"sdp": "A", "sgd": "A", "iris": "random"}))
    assert results.labels == {}
    assert set(results.cells["called"]) == {"sdp", "sgd", "nngp"}
    assert set(results.cells["problem"]) == {"iris", "random"}


@pytest.mark.parametrize("label", [None, 3, ["x"], {"a": 1}, "\x1b[31m<b>\u0000", "y" * 10**5])
def test_whatever_a_plan_has_for_a_label_is_text_or_nothing(tmp_path, label):
    folder = write_folder(tmp_path / "run", make_rows(SETS, methods=("nngp",), gammas=(0.1,)), records=False)
    plan = [
        {**row, "dataset_label": label, "method_label": label} for row in json.loads((folder / "plan.json").read_text())
    ]
    (folder / "plan.json").write_text(json.dumps(plan))
    cells = read(folder).cells
    for column in ("called", "problem"):
        assert all(text.isprintable() and 0 < len(text) < 80 for text in cells[column])


def test_whole_words_alone_are_replaced():
    labels = {"sdp": "SDP", "my.py:mean": "M"}
    text = "sdp beats my.py:mean; sdp_over_exact, gaussian+sdp, sdp.py, a/sdp and sdp-like stay. Last: sdp."
    assert reworded(text, labels) == text.replace("sdp beats my.py:mean", "SDP beats M").replace(": sdp.", ": SDP.")
    assert reworded(text, {}) == text
    frame = relabelled(pd.DataFrame({"method": ["sdp"], "p sdp": [0.1]}), labels)
    assert list(frame) == ["method", "p SDP"]
    assert frame["method"].tolist() == ["SDP"]


def test_the_script_beside_a_figure_draws_with_labels(tmp_path):
    folder = labelled(tmp_path / "run")
    report(folder, figure="width", format="svg")
    script = (folder / "report" / "figures" / "width.py").read_text()
    assert "'Relaxation'" in script
    assert "'Descent'" in script
