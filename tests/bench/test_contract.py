"""Every method of the table on small awkward problems, in real workers, and every bound of theirs proved again."""

import numpy as np
import pytest
from relaxbench.bench.engine.run import run
from relaxbench.bench.grid.registry import METHODS
from relaxbench.bench.grid.spec import check_spec
from relaxbench.bench.results.folder import load_results
from relaxbench.bench.verify.bounds import verify

GAMMA = 0.1


def problems():
    """X, Y (or labels y) and test rows X_test, Y_test by name."""
    rng = np.random.default_rng(0)

    def normal(*shape):
        return rng.standard_normal(shape)

    X = normal(6, 2)
    zero_rows = np.vstack([X, np.zeros((2, 2))])
    return {
        "twins": (np.vstack([X, X[:2], 3 * X[2:4], -X[4:5]]), normal(11, 3)),
        "single": (normal(1, 2), normal(1, 2)),
        "one-output": (X, normal(6, 1)),
        "ten-outputs": (normal(8, 2), np.eye(10)[rng.integers(0, 10, 8)]),
        "zero-rows": (zero_rows, normal(8, 2)),
        "constant-column": (np.hstack([X, np.ones((6, 1)), np.full((6, 1), 7.0)]), normal(6, 2)),
        "wide": (normal(3, 7), normal(3, 2)),
        "nothing-to-learn": (X, np.zeros((6, 2))),
        "no-inputs": (np.zeros((4, 2)), normal(4, 2)),
        "one-feature": (normal(5, 1), normal(5, 2)),
        "large-and-small": (X * np.array([1e6, 1e-6]), 1e3 * normal(6, 2)),
    }


def outcome(tmp_path, names, methods):
    """The results of these methods on these problems, each run in a worker."""
    tables = []
    for name in names:
        X, Y = problems()[name]
        path = tmp_path / f"{name}.npz"
        np.savez(path, X=X, Y=Y, X_test=X[:1] + 0.1, Y_test=Y[:1])
        tables.append({"name": f"file:{path}"})
    spec = {"dataset": tables, "method": [{"name": name} for name in methods], "gamma": GAMMA, "width": 4}
    run(check_spec({**spec, "timeout": 60.0, "jobs": 2}), tmp_path / "out")
    return load_results(tmp_path / "out")


def agree(tmp_path, rows):
    """Nothing failed, what does not apply says why, and every bound holds."""
    for row in rows.to_dict("records"):
        where = (row["dataset"], row["method"], row["message"])
        assert row["status"] in ("ok", "unsupported"), where
        assert row["status"] == "ok" or row["message"], where
        if row["status"] == "ok":
            score = "train_accuracy" if "ten-outputs" in row["dataset"] else "train_r2"
            assert np.isfinite(row[score]) or row["n"] == 1, where
    assert [check for check in verify(tmp_path / "out") if not check.holds] == []


@pytest.mark.thorough
@pytest.mark.timeout(300)
def test_every_method_keeps_the_contract_on_twins(tmp_path):
    rows = outcome(tmp_path, ["twins"], METHODS)
    assert set(rows["method"]) == set(METHODS)
    agree(tmp_path, rows)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_every_method_keeps_the_contract_on_every_awkward_problem(tmp_path):
    rows = outcome(tmp_path, problems(), METHODS)
    assert len(rows) == len(METHODS) * len(problems())
    agree(tmp_path, rows)
