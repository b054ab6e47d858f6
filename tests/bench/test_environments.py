"""Which environment made a row: each record says it, and environment.json keeps every one; hashes that stay text."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from relaxbench.bench.compare.comparison import compare
from relaxbench.bench.engine.run import run
from relaxbench.bench.grid.cell import expand
from relaxbench.bench.grid.spec import check_spec
from relaxbench.bench.results import environment
from relaxbench.bench.results.folder import load_environment, load_extra, load_results
from relaxbench.bench.results.tables import marked, results_table

from ..support.results import run_of, write

PLANTED = Path(__file__).parents[1] / "support" / "planted.py"


def spec(*seeds):
    data, method = {"name": "random", "n": 6, "n_test": 4}, {"use": f"{PLANTED}:good"}
    return check_spec({"dataset": [data], "method": [method], "width": 3, "jobs": 1, "seed": list(seeds)})


@pytest.mark.thorough
def test_rows_keep_the_environment_that_made_them(tmp_path, monkeypatch):
    monkeypatch.setattr(environment, "_packages", lambda: {"numpy": "1.0"})
    run(spec(0), tmp_path)
    before = load_environment(tmp_path)
    monkeypatch.setattr(environment, "_packages", lambda: {"numpy": "2.0"})
    run(spec(0), tmp_path)
    assert load_environment(tmp_path) == before, "nothing was computed"
    run(spec(0, 1), tmp_path)
    rows, known = load_results(tmp_path), load_environment(tmp_path)
    assert rows["environment_key"].nunique() == len(known["environments"]) == 2
    for row, version in zip(rows.to_dict("records"), ("1.0", "2.0"), strict=True):
        assert load_extra(tmp_path, row["cell"])["environment"]["packages"] == {"numpy": version}
        assert known["environments"][row["environment_key"]]["packages"] == {"numpy": version}
        assert load_extra(tmp_path, row["cell"])["environment"]["machine"] == row["machine"]
    assert known["packages"] == {"numpy": "2.0"}, "at the top is the last one"
    differences = compare(tmp_path, tmp_path).differences
    assert any("rows were made in 2 environments" in line for line in differences)
    assert any("numpy: " in line for line in differences)


def test_the_environment_of_an_earlier_version_keeps_an_entry():
    old = {"machine": "0a1b2c3d", "packages": {"numpy": "1.0"}, "commit": "a"}
    now = {"machine": "m2", "packages": {"numpy": "2.0"}, "commit": "b", "key": "e2"}
    both = environment.with_earlier(now, old)
    assert sorted(entry["commit"] for entry in both["environments"].values()) == ["a", "b"]
    again = environment.with_earlier({**now, "key": "e3"}, both)
    assert len(again["environments"]) == 3


@pytest.mark.parametrize("digits", ["1e0678286166", "123456789012"])
def test_hashes_are_text_to_any_reader_of_the_table(tmp_path, monkeypatch, digits):
    (known,) = expand(spec(0))
    monkeypatch.setattr("relaxbench.bench.grid.cell._hash", lambda value: f"{digits}12345678")
    cell = replace(known, data=replace(known.data, sha256=f"{digits}00"))
    row = {**cell.columns, "cell": cell.hash, "status": "ok", "machine": f"m{digits[:8]}", "environment_key": "e1"}
    results_table([row]).to_csv(tmp_path / "results.csv", index=False)
    read = pd.read_csv(tmp_path / "results.csv")
    for name in ("data", "cell", "machine", "environment_key"):
        assert read[name].tolist() == [row[name]]
    assert digits in row["data"]
    assert digits in row["cell"]


def test_the_keys_of_machine_and_environment_are_no_numbers():
    assert environment.machine(1).startswith("m")
    assert environment.maker(1)["key"].startswith("e")


def test_tables_and_histories_of_earlier_versions_still_join(tmp_path):
    new = [{**row, "data": "sha256:1e0678286166", "machine": "m12345678"} for row in run_of("new")]
    old = [{**row, "data": "1e0678286166", "machine": "12345678"} for row in run_of("old")]
    assert marked(old[0])["data"] == new[0]["data"]
    base, cand = write(tmp_path / "base", old), write(tmp_path / "cand", new)
    assert load_results(base)["data"].tolist() == [row["data"] for row in new]
    assert load_results(base / "results.csv")["machine"].tolist() == [row["machine"] for row in new]
    assert compare(base, cand).exit_code == 0
