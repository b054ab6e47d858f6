"""Results folders for the tests of comparisons: rows as a run would have written them, to be edited at will."""

from __future__ import annotations

import json
from pathlib import Path

from relaxbench.bench.results.tables import results_table

ENVIRONMENT = {
    "machine": "aaaa",
    "processor": "Example CPU",
    "cores": 4,
    "threads": 1,
    "blas": [{"internal_api": "openblas", "version": "0.3.30", "architecture": "Zen", "threading_layer": "pthreads"}],
    "written": "2025-01-01T02:00:00+00:00",
    "python": "3.12.1",
    "packages": {"numpy": "2.2.0", "scipy": "1.15.0"},
    "commit": "c0ffee",
    "calibration": {"eigendecomposition_s": 0.04, "product_s": 0.01},
}


def row(method, seed=0, gamma=0.1, data="d0", **columns):
    """One cell; its hash is made of what was asked for and of `code`."""
    code = columns.pop("code", "old")
    base = {"dataset": "iris", "n": 75, "d": 4, "c": 3, "preprocess": "none", "bias": False, "data": data}
    base |= {"data_seed": 0, "method": method, "gamma": gamma, "width": 10, "seed": seed, "options": "{}"}
    base |= {"status": "ok", "runtime_s": 1.0, "solve_s": 1.0, "peak_memory_mb": 200.0, "threads": 1}
    base |= {"machine": "aaaa", "train_accuracy": 0.96, "test_accuracy": 0.92, "balanced_accuracy": 0.92}
    base |= {"cell": f"{method}{seed}{gamma}{data}{code}".replace(".", "")}
    return base | columns


def run_of(code="old"):
    """Three methods on one problem: one with a bound, one with a network close to it, one with accuracies alone."""
    return [
        row("sdp", objective=12.5, lower_bound=11.0, relaxation_value=11.001, iterations=30, code=code),
        row("lbfgs", objective=12.0, iterations=400, code=code),
        row("nngp", width=None, seed=None, code=code),
    ]


def changed(rows, method, **columns):
    """The rows with some columns of one method's cells changed; a number may be given as a function of the old one."""
    return [
        one | {name: value(one[name]) if callable(value) else value for name, value in columns.items()}
        if one["method"] == method
        else one
        for one in rows
    ]


def write(folder: Path, rows, environment=None, tolerance="", tables=("parquet", "csv")) -> Path:
    """A folder with the tables of these rows, environment.json and spec.toml."""
    folder.mkdir(parents=True, exist_ok=True)
    results = results_table(rows)
    if "parquet" in tables:
        results.to_parquet(folder / "results.parquet", index=False)
    if "csv" in tables:
        results.to_csv(folder / "results.csv", index=False)
    (folder / "environment.json").write_text(json.dumps(ENVIRONMENT if environment is None else environment))
    (folder / "spec.toml").write_text('name = "x"\n' + (f"[tolerance]\n{tolerance}\n" if tolerance else ""))
    return folder
