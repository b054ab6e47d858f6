"""Results folders made up for the tests of the reports: plausible numbers, written in the harness's own formats."""

import hashlib
import json
import os
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import pytest
from filelock import FileLock
from relaxbench.bench.results.columns import COLUMNS
from relaxbench.bench.results.history import append_history
from relaxbench.bench.results.record import Record, write_record
from relaxbench.bench.results.tables import results_table, tightness_table
from relaxbench.datasets import load
from relaxbench.reports import report
from relaxbench.reports.figures import FIGURES
from relaxbench.reports.figures.style import WIDTHS

SETS = {  # name: (n, d, c, test accuracy reached, draws)
    "pima": (383, 8, 2, 0.74, 1),
    "spiral": (60, 2, 3, 0.7, 1),
    "random": (25, 2, 5, None, 3),
}
METHODS = ("sdp", "cpp", "nngp", "ntk", "sgd")


def hashed(*parts: object) -> str:
    return hashlib.sha256(json.dumps([str(part) for part in parts]).encode()).hexdigest()


def make_rows(sets=None, methods=METHODS, gammas=(0.1, 0.01), widths=(5, 10, 100, 300), seeds=(0, 1, 2), **fixed):
    """Rows of results for a grid; `fixed` overrides columns of all of them."""
    rows = []
    for name, (n, d, c, accuracy, draws) in (sets or SETS).items():
        for draw in range(draws):
            rng = np.random.default_rng([len(name), n, draw])
            base = {"dataset": name, "n": n, "d": d, "c": c, "n_test": n, "preprocess": "none", "bias": False}
            base |= {"data": f"sha256:{hashed(name, draw)[:12]}", "data_seed": draw, "machine": "m1", "threads": 1}
            for gamma in gammas:
                optimum = n * c * gamma**0.5 * rng.uniform(0.05, 0.15)
                for method in methods:
                    rows += _method_rows(rng, base, method, gamma, optimum, accuracy, widths, seeds)
    return [{**row, **fixed} for row in rows]


def _method_rows(rng, base, method, gamma, optimum, accuracy, widths, seeds):
    grid = {"sgd": [(m, s) for m in widths for s in seeds], "sdp": [(300, s) for s in seeds]}.get(
        method, [(None, None)]
    )
    relaxation = optimum * rng.uniform(0.6, 0.98)
    for width, seed in grid:
        row = {**base, "method": method, "gamma": gamma, "width": width, "seed": seed, "status": "ok", "options": "{}"}
        row["cell"] = hashed(base["data"], method, gamma, width, seed)[:20]
        row["solve_s"] = base["n"] ** {"sdp": 2.2, "cpp": 2.5}.get(method, 1.2) * 1e-4 * rng.uniform(0.8, 1.3)
        row |= {"round_s": 0.1 if method == "sdp" else 0.0, "peak_memory_mb": 200.0 + base["n"], "iterations": 40}
        row |= {"runtime_s": row["solve_s"] + row["round_s"], "cpu_s": row["solve_s"]}
        if accuracy is None:
            row |= {"train_r2": 0.99, "test_r2": rng.uniform(0.6, 0.95), "test_rmse": rng.uniform(0.5, 1.5)}
        else:
            test = np.clip(accuracy + rng.normal(0, 0.03), 0, 1)
            row |= {"train_accuracy": min(1.0, test + 0.03), "test_accuracy": test, "balanced_accuracy": test - 0.01}
            row |= {"test_accuracy_paper": min(1.0, test + 0.04), "optimism": min(1.0, test + 0.04) - test}
        if method == "sdp":
            row |= {"relaxation_value": relaxation, "lower_bound": relaxation * (1 - 1e-5), "certificate": "dnn"}
            row |= {"solver": "ipm", "rounding": "tos", "options": '{"rounding":"tos","solver":"ipm"}'}
            row["objective"] = optimum * (1 + abs(rng.normal(0, 0.05)) + 0.01)
            row["upper_bound"] = row["objective"] * (1 - 1e-3)  # the relaxation met a better network on the way
        elif method == "cpp" and base["d"] <= 4:
            row |= {"relaxation_value": optimum, "lower_bound": optimum * (1 - 1e-7), "certificate": "cones"}
            row["objective"] = optimum * (1 + 1e-6)
        elif method == "cpp":
            row |= {"status": "unsupported", "message": f"cpp must have d ≤ 5. Got {base['d']} instead."}
            row |= dict.fromkeys(("test_accuracy", "train_accuracy", "balanced_accuracy"))
            row |= dict.fromkeys(("optimism", "test_accuracy_paper"))
        elif method == "sgd":
            row["objective"] = optimum * (1 + 8 / width + abs(rng.normal(0, 0.02)))
        yield row


def write_folder(folder: Path, rows, *, plan=None, records=True) -> Path:
    """The files of a finished run: tables, plan, spec and environment, and with `records` a record for each cell."""
    folder.mkdir(parents=True, exist_ok=True)
    results = results_table(rows)
    results.to_parquet(folder / "results.parquet", index=False)
    results.to_csv(folder / "results.csv", index=False)
    tightness_table(results).to_csv(folder / "tightness.csv", index=False)
    known = [column.name for column in COLUMNS]
    (folder / "plan.json").write_text(json.dumps([{k: row.get(k) for k in known} for row in plan or rows], default=str))
    (folder / "spec.toml").write_text("gamma = [0.1, 0.01]\n\n[[dataset]]\nname = 'iris'\n", encoding="utf-8")
    environment = {"relaxbench": "0.1.0", "packages": {"numpy": "2.4.6"}, "cpu": "Example CPU", "cores": [1, 2]}
    (folder / "environment.json").write_text(json.dumps(environment), encoding="utf-8")
    for row in rows if records else ():
        plane = row["dataset"] == "spiral"
        extra = {"data": spiral_locator(), "info": {"ridge": row["gamma"]}} if plane else {}
        arrays = network(row) if plane and row.get("objective") is not None else {}
        write_record(folder / "cells" / row["cell"], Record(row, extra, arrays, _trace(row)))
    return folder


@cache
def spiral_locator() -> dict:
    """What a record keeps to load the spiral again."""
    options = {"preprocess": "none", "bias": False}
    data = load("spiral", seed=0, **options)
    shape = {"n": len(data.X_train), "d": data.X_train.shape[1], "c": data.Y_train.shape[1], "n_test": len(data.X_test)}
    return {"source": "spiral", "seed": 0, "options": options, "sha256": data.sha256, **shape}


def network(row) -> dict:
    """A network of 12 neurons in the plane for three classes."""
    rng = np.random.default_rng(len(row["method"]))
    return {"network_U": rng.normal(size=(2, 12)), "network_V": rng.normal(size=(12, 3))}


def write_history(folder: Path, nights=12) -> pd.DataFrame:
    """history.parquet in a run's folder, from nights before it: the bound of sdp falls by 5 % on night 7, the runtime
    of sgd rises by half on night 9, and the numbers are those of the folder on the last night."""
    results = pd.read_parquet(folder / "results.parquet").query("seed.isna() or (seed == 0 and width >= 300)")
    environment = json.loads((folder / "environment.json").read_text(encoding="utf-8"))
    with TemporaryDirectory() as name:
        for night in range(1, nights + 1):
            rng, rows = np.random.default_rng(night), results.copy()
            rows["runtime_s"] *= rng.lognormal(0, 0.02, len(rows)) / np.where(
                (rows["method"] == "sgd") & (night < 9), 1.5, 1
            )
            rows.loc[rows["method"] == "sdp", "lower_bound"] /= 0.95 if night < 7 else 1
            rows.to_parquet(Path(name) / "results.parquet", index=False)
            known = {"written": f"2025-01-{night:02}T02:00:00+00:00", "commit": "a1" if night < 7 else "b2"}
            (Path(name) / "environment.json").write_text(json.dumps(environment | known), encoding="utf-8")
            history = append_history(folder / "history.parquet", name)
    return history


@cache
def whole() -> tuple[Path, Path]:
    """A finished run with everything in it, and its report: the folder and index.html, made once for all workers.

    Nobody writes into it.
    """
    shared = Path(os.environ["RELAXBENCH_TESTS"])
    folder, index = shared / "whole", shared / "whole" / "report" / "index.html"
    with FileLock(shared / "whole.lock"):
        if not index.exists():  # the last file of a report
            write_history(write_folder(folder, make_rows()))
            quick_report(folder)
    return folder, index


def quick_report(folder: Path, widths=("double",), figures=tuple(FIGURES), workers=1) -> Path:
    """The report without PDF and PNG, which take most of the time, and with these figures alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("relaxbench.reports.figures.drawing.FORMATS", ("svg",))
        patch.setattr("relaxbench.reports.figures.style.WIDTHS", {name: WIDTHS[name] for name in widths})
        patch.setattr("relaxbench.reports.figures.FIGURES", {name: FIGURES[name] for name in figures})
        return report(folder, workers=workers)


def _trace(row):
    bound = row.get("lower_bound")
    if bound is None or row["method"] not in ("sdp", "cpp"):
        return ()
    upper = row["objective"]
    return [
        ("solve", row["solve_s"] * k / 20, k, upper * (1 + 3 * 0.5**k), bound * (1 - 0.9 * 0.55**k), 0.5**k)
        for k in range(1, 21)
    ]
