"""The numbers in CSV, Markdown, LaTeX and HTML tables are those of the store; LaTeX and Markdown stay what they are."""

import re
import runpy
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from math import floor, log10

import numpy as np
import pandas as pd
import pytest
from relaxbench.reports import report
from relaxbench.reports.reading import read
from relaxbench.reports.tables.contents import tables as tables_of
from relaxbench.reports.tables.table import Entry, Table, fixed, inert, latex, latex_text, markdown, number

from ..support.report_folder import make_rows, quick_report, whole, write_folder

SCORES = {
    "accuracy": "test_accuracy",
    "balanced-accuracy": "balanced_accuracy",
    "accuracy-paper": "test_accuracy_paper",
    "optimism": "optimism",
    "r2": "test_r2",
    "rmse": "test_rmse",
}
NAMES = (*SCORES, "paired", "runtime", "methods", "tightness")


class Tables(HTMLParser):
    """The tables of a page that have a data-table attribute: name → (rows of texts, set of bold texts' positions)."""

    def __init__(self, text):
        super().__init__()
        self.found, self.name, self.skip = {}, None, 0
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "table" and "data-table" in attributes:
            self.name = attributes["data-table"]
            self.found[self.name] = []
        elif self.name and tag == "tr":
            self.found[self.name].append([])
        elif self.name and tag in ("td", "th"):
            self.found[self.name][-1].append("")
        elif self.name and tag == "strong":
            self.found[self.name][-1][-1] += "*"
        self.skip += tag in ("sup", "caption")

    def handle_endtag(self, tag):
        self.skip -= tag in ("sup", "caption")
        self.name = None if tag == "table" else self.name

    def handle_data(self, data):
        if self.name and not self.skip and self.found[self.name] and self.found[self.name][-1]:
            self.found[self.name][-1][-1] += data.strip()


def from_latex(text):
    """Rows of a tabular, bold marked by a star, footnote marks dropped."""
    rows = []
    for line in re.search(r"\\toprule\n(.*)\\bottomrule", text, re.S)[1].splitlines():
        if line.endswith(r"\\"):
            line = re.sub(r"\\textsuperscript\{[\d,]*\}", "", line.removesuffix(r" \\"))
            line = re.sub(r"\\textbf\{([^{}]*)\}", r"*\1", line)
            plain = {r"\%": "%", r"$\pm$": "±", r"$\gamma$": "γ", "--": "–", r"\_": "_"}
            for code, letter in plain.items():
                line = line.replace(code, letter)
            rows.append(line.split(" & "))
    return rows


def from_markdown(text):
    rows = [line for line in text.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows if "---" not in row]
    clean = lambda cell: re.sub(r"<sup>[\d,]*</sup>", "", re.sub(r"\*\*(.*)\*\*", r"*\1", cell)).replace("\\", "")  # noqa: E731
    return [[clean(cell) for cell in row] for row in cells]


@pytest.fixture(scope="module")
def tables():
    folder, index = whole()
    html = Tables(index.read_text(encoding="utf-8")).found
    files = {name: folder / "report" / "tables" / name for name in NAMES}
    read = lambda name, ending: files[name].with_suffix(ending).read_text(encoding="utf-8")  # noqa: E731
    return {
        name: (
            html[name],
            from_latex(read(name, ".tex")),
            from_markdown(read(name, ".md")),
            pd.read_csv(files[name].with_suffix(".csv")),
        )
        for name in NAMES
    }


@pytest.fixture(scope="module")
def store():
    return pd.read_csv(whole()[0] / "results.csv"), pd.read_csv(whole()[0] / "tightness.csv")


@pytest.mark.parametrize("name", NAMES)
def test_html_latex_and_markdown_say_the_same(tables, name):
    html, latex_rows, markdown_rows, _ = tables[name]
    assert len(html) > 2
    assert html == latex_rows == markdown_rows


def by_hand(results, column):
    """Mean of a column for (data set, γ, method) as the tables show it: widest or best setting by mean objective."""
    done = results[(results["status"] == "ok") & results[column].notna()]
    widths = done.groupby(["dataset", "gamma", "method", "width"], dropna=False)
    best = (
        widths["objective"]
        .mean()
        .reset_index()
        .sort_values("objective")
        .drop_duplicates(["dataset", "gamma", "method"])
    )
    kept = done.merge(best[["dataset", "gamma", "method", "width"]])
    draws = kept.groupby(["dataset", "gamma", "method", "data"])[column].mean()
    return draws.groupby(["dataset", "gamma", "method"]).mean()


@pytest.mark.parametrize(("name", "column"), SCORES.items())
def test_scores_are_those_of_the_store(tables, store, name, column):
    expected = by_hand(store[0], column)
    html, _, _, csv = tables[name]
    methods, seen = html[0][4:], 0
    for dataset, gamma, n, splits, *fields in html[1:]:
        part = store[0][(store[0]["dataset"] == dataset) & (store[0]["gamma"] == float(gamma))]
        assert (int(n), int(splits)) == (part["n"].iloc[0], part["data"].nunique())
        for method, field in zip(methods, fields, strict=True):
            key = (dataset, float(gamma), method)
            assert (field == "–") == (key not in expected.index)
            if field != "–":
                assert float(field.strip("*").split(" ± ")[0]) == pytest.approx(expected[key], abs=5.1e-4)
                seen += 1
    assert seen == len(expected) > 5
    for row in csv.dropna(subset=["mean"]).itertuples():
        assert row.mean == pytest.approx(expected[(row.problem, row.gamma, row.method)], rel=1e-12)


@pytest.mark.parametrize("name", SCORES)
def test_the_best_is_bold_with_ties_and_failures_are_not(tables, name):
    for _, _, _, _, *fields in tables[name][0][1:]:
        values = {k: float(f.strip("*").split(" ± ")[0]) for k, f in enumerate(fields) if f != "–"}
        extreme = {"rmse": min, "optimism": lambda _: None}.get(name, max)(values.values())
        best = {k for k, value in values.items() if value == extreme}
        assert {k for k, field in enumerate(fields) if field.startswith("*")} == best


@pytest.mark.thorough
def test_ties_are_all_bold_and_a_method_that_failed_is_never(tmp_path):
    rows = make_rows(
        {"iris": (75, 4, 3, 0.9, 1)}, methods=("nngp", "ntk", "sgd"), gammas=(0.1,), widths=(5,), seeds=(0, 1)
    )
    for row in rows:
        row["test_accuracy"] = {"nngp": 0.90004, "ntk": 0.90001, "sgd": 0.99}[row["method"]]
    rows[-1] |= {"status": "timeout", "test_accuracy": None, "message": "time limit"}
    index = quick_report(write_folder(tmp_path / "run", rows, records=False), figures=())
    row = Tables(index.read_text(encoding="utf-8")).found["accuracy"][1]
    assert row == ["iris", "0.1", "75", "1", "0.990", "*0.900", "*0.900"]
    assert "Not finished: 1 timeout of 2 runs; the number is over the others." in index.read_text(encoding="utf-8")
    assert r"0.990\textsuperscript{1}" in (index.parent / "tables" / "accuracy.tex").read_text(encoding="utf-8")


def test_runtimes_are_those_of_the_store(tables, store):
    results = store[0][store[0]["status"] == "ok"]
    html = tables["runtime"][0]
    for dataset, gamma, _, _, *fields in html[1:]:
        for method, field in zip(html[0][4:], fields, strict=True):
            part = results[
                (results["dataset"] == dataset) & (results["gamma"] == float(gamma)) & (results["method"] == method)
            ]
            if method == "sgd":
                part = part[part["width"] == part.groupby("width")["objective"].mean().idxmin()]
            if field != "–":
                assert float(field.strip("*").split(" (")[0]) == pytest.approx(part["runtime_s"].median(), rel=6e-3)


def test_bounds_are_those_of_the_store_and_rounded_to_the_safe_side(tables, store):
    html = tables["tightness"][0]
    assert len(html) - 1 == store[1].groupby(["dataset", "gamma"]).ngroups
    for dataset, gamma, draws, lower, by, upper, of, certified, paper, exact, ratio in html[1:]:
        part = store[1][(store[1]["dataset"] == dataset) & (store[1]["gamma"] == float(gamma))]
        assert int(draws) == len(part)
        mean = part[
            ["lower_bound", "upper_bound", "certified_ratio", "paper_ratio", "exact_value", "sdp_over_exact"]
        ].mean()
        assert mean["lower_bound"] * (1 - 1e-4) <= float(lower) <= mean["lower_bound"]
        assert mean["upper_bound"] <= float(upper) <= mean["upper_bound"] * (1 + 1e-4)
        assert mean["certified_ratio"] - 1e-4 <= float(certified.split(" ")[0]) <= mean["certified_ratio"]
        assert float(paper.split(" ")[0]) == pytest.approx(mean["paper_ratio"], abs=5.1e-5)
        assert (exact == "–") == bool(np.isnan(mean["exact_value"]))
        if exact != "–":
            assert float(exact) == pytest.approx(mean["exact_value"], rel=1e-4)
            assert float(ratio.split(" ")[0]) == pytest.approx(mean["sdp_over_exact"], abs=5.1e-5)
        assert set(by.split(", ")) == set(part["lower_method"])
        assert set(of.split(", ")) == set(part["upper_method"])


def test_shifted_geometric_means_are_over_common_problems(tables, store):
    results = store[0]
    results = results.assign(arm=results["method"] + results["width"].map(lambda m: "" if np.isnan(m) else f"{m:g}"))
    failed = results[results["status"] != "ok"][["data", "gamma"]].drop_duplicates()
    common = results.merge(failed, on=["data", "gamma"], how="left", indicator=True)
    common = common[common["_merge"] == "left_only"]
    html = tables["methods"][0]
    names = {"cpp": "cpp", "nngp": "nngp", "ntk": "ntk", "sdp": "sdp300", "sgd (m=5)": "sgd5", "sgd (m=100)": "sgd100"}
    for name, arm in names.items():
        row = next(row for row in html if row[0] == name)
        times = common[common["arm"] == arm].groupby(["data", "gamma"])["runtime_s"].mean()
        assert float(row[3].strip("*")) == pytest.approx(np.prod(times + 1) ** (1 / len(times)) - 1, rel=6e-3)
        part = results[results["arm"] == arm]
        assert (int(row[1]), int(row[2])) == (len(part), (part["status"] == "ok").sum())


@pytest.mark.parametrize("value", [1e-12, 0.99999, 1.0, 123456.789, 7.598911])
def test_numbers_are_rounded_as_asked(value):
    assert float(number(value, 5)) == pytest.approx(value, rel=5e-5)
    assert (
        value * (1 - 1e-3)
        <= float(number(value, 4, "ROUND_FLOOR"))
        <= value
        <= float(number(value, 4, "ROUND_CEILING"))
    )
    assert float(fixed(value, 3, "ROUND_FLOOR")) == pytest.approx(floor(value * 1000) / 1000)
    assert len(number(value, 5).replace(".", "").split("e")[0].lstrip("0")) <= max(5, floor(log10(value)) + 1)
    assert number(float("nan")) == fixed(float("nan"), 3) == "–"


def test_a_difference_that_rounds_to_zero_has_no_sign():
    assert fixed(-1e-17, 4) == "0.0000"
    assert fixed(-1e-17, 4, "ROUND_FLOOR") == "-0.0001"


NASTY = r"""a&b%c$d#e_f{g}h~i^j\k<l>m|n"o*p[q]r±γ≤–… \input{/etc/passwd} $\sum$"""


def nasty_table(text=NASTY):
    rows = ((Entry(text, True, (1,)), Entry("0.1"), Entry("[1]")),)
    return Table("nasty", text, text, ("x", "γ", text), rows, pd.DataFrame(), notes=(text,))


def test_latex_acts_on_nothing_that_comes_from_names():
    text = latex(nasty_table(), "relaxbench report x")
    body = text.split("\\begin{table}")[1]
    ours = {
        "centering",
        "caption",
        "label",
        "begin",
        "toprule",
        "midrule",
        "bottomrule",
        "end",
        "textbf",
        "pm",
        "gamma",
    }
    ours |= {"resizebox", "ifdim", "width", "else", "fi", "smallskip", "linewidth", "footnotesize"}
    ours |= {"textsuperscript", "ldots", "le", "ensuremath"}
    ours |= {"textbackslash", "textasciitilde", "textasciicircum", "textless", "textgreater", "textbar", "char"}
    assert set(re.findall(r"\\([a-zA-Z]+)", body)) <= ours
    assert body.replace(r"\{", "").count("{") == body.replace(r"\}", "").count("}")
    assert len(re.findall(r"(?<!\\)&", body)) == 4  # two rows of three fields
    assert not re.search(r"(?<!\\)%", body)
    assert latex_text("Gauß データ") == "Gauß データ"


def test_markdown_acts_on_nothing_that_comes_from_names():
    line = next(line for line in markdown(nasty_table(), "x").splitlines() if line.startswith("| **"))
    assert len(re.findall(r"(?<!\\)\|", line)) == 4
    assert not re.search(r"(?<!\\)[<*`](?!\*|/?sup|\\)", line.replace("**", ""))
    hostile = markdown(nasty_table("<img src=x onerror=alert(1)> &lt;"), "x")
    assert not re.search("<(?!/?sup>)", hostile)
    assert "&lt;img src=x onerror=alert(1)&gt; &amp;lt;" in hostile


TEXTS = ["=1+1", "+1", "-2", "@SUM(A1)", "'=1", "''@x", "plain", "'quoted'", "a=b", ""]


def test_no_text_of_a_csv_is_a_formula_and_numbers_stay_numbers():
    frame = pd.DataFrame({"name": TEXTS, "value": [-1.5] * len(TEXTS), "count": -2})
    found = inert(frame)
    assert found["name"].tolist() == ["'" + text for text in TEXTS[:6]] + TEXTS[6:]
    assert found[["value", "count"]].equals(frame[["value", "count"]])
    assert "-1.5,-2" in found.to_csv(index=False)


@pytest.mark.thorough
def test_a_data_set_named_like_a_formula_is_text_in_every_csv_and_itself_in_the_picture(tmp_path, monkeypatch):
    name, method = '=HYPERLINK("x")', "@mine.py:fit"
    rows = make_rows({name: (20, 2, 2, 0.9, 2)}, methods=("sgd", "nngp"), gammas=(0.1,), widths=(5, 10), seeds=(0,))
    rows = [{**row, "method": method if row["method"] == "nngp" else row["method"]} for row in rows]
    folder = write_folder(tmp_path / "run", rows, records=False)
    picture = report(folder, figure="accuracy", format="svg")
    text = (picture.parent / "accuracy.csv").read_text(encoding="utf-8")
    assert "'=HYPERLINK" in text
    assert "'@mine" in text
    assert not re.search(r'(^|,)"?[=+@]', text, re.M)
    monkeypatch.setattr(sys, "argv", ["accuracy.py", str(tmp_path / "again.svg")])
    runpy.run_path(str(picture.parent / "accuracy.py"), run_name="__main__")
    drop = lambda path: re.sub(r"<metadata>.*?</metadata>", "", path.read_text(encoding="utf-8"), flags=re.S)  # noqa: E731
    assert (
        drop(tmp_path / "again.svg").splitlines() == drop(picture).splitlines()
    )  # lines, so that a difference is shown
    for table in tables_of(read(folder)):
        table.write(tmp_path, "x")
        assert not re.search(r'(^|,)"?[=+@]', (tmp_path / f"{table.name}.csv").read_text(encoding="utf-8"), re.M)


@pytest.mark.skipif(
    not shutil.which("xelatex"), reason="NO LATEX FOUND: install xelatex and booktabs to compile the tables"
)
def test_latex_tables_compile(tables, tmp_path):
    folder = whole()[0] / "report" / "tables"
    sources = [(folder / f"{name}.tex").read_text(encoding="utf-8") for name in NAMES]
    sources.append(latex(nasty_table(NASTY.replace("–…", "")), "x"))
    document = [
        r"\documentclass{article}",
        r"\usepackage{booktabs,graphicx}",
        r"\begin{document}",
        *sources,
        r"\end{document}",
    ]
    (tmp_path / "all.tex").write_text("\n".join(document), encoding="utf-8")
    for engine in ("xelatex", "pdflatex"):
        done = subprocess.run(
            [engine, "-interaction=nonstopmode", "-halt-on-error", "all.tex"],
            cwd=tmp_path,
            capture_output=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stdout.decode(errors="replace")[-2000:]
        assert b"Overfull" not in done.stdout
