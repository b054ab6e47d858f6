"""Results made up for comparisons over many data sets, under the protocol of folds or of holdout."""

from pathlib import Path

import numpy as np
import pandas as pd
from relaxbench.reports.results import prepare

METHODS = ("sdp", "nngp", "ntk", "rbf", "ridge", "sgd", "lbfgs", "forest")


def many_rows(sets=33, methods=METHODS, lead=None, noise=0.03, measure="test_accuracy", seed=0, by="validation"):
    """One row a data set, fold and method; `lead` adds to a method's score everywhere, all else is noise."""
    rng, rows = np.random.default_rng(seed), []
    for k in range(sets):
        level, n, d, c = rng.uniform(0.6, 0.95), int(rng.integers(40, 400)), int(rng.integers(3, 60)), 2 + k % 4
        of_set = rng.normal(0, noise, len(methods))
        for fold in range(4):
            base = {"dataset": f"small/set-{k:02}", "data": f"{k}.{fold}", "data_seed": fold, "gamma_by": by}
            base |= {
                "n": n + (by == "validation") * (fold % 2),
                "d": d,
                "c": c,
                "n_test": n // 3,
                "status": "ok",
                "preprocess": "standardize",
            }
            for j, method in enumerate(methods):
                score = level + of_set[j] + rng.normal(0, noise / 3) + (lead or {}).get(method, 0.0)
                gamma = None if method == "forest" else float(10.0 ** rng.integers(-3, 2))
                cell = f"{method}-{k}-{fold}-{by}"
                gap = rng.uniform(0, 0.5) if method == "sdp" else None
                row = {"method": method, measure: min(score, 1.0), "gamma": gamma, "cell": cell, "gap": gap}
                rows.append({**base, **row, "chosen": '{"depth": 3}' if method == "forest" else None})
    return rows


def many(**options):
    """The same as results."""
    return prepared(many_rows(**options))


def prepared(rows, folder="unused"):
    """Results of a folder that is not there."""
    return prepare(Path(folder), pd.DataFrame(rows), pd.DataFrame(), {}, "")
