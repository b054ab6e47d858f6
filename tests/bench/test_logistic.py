"""Runs with the logistic loss: columns, proofs from the files, and what is refused."""

import numpy as np
import pytest
from relaxbench.bench.cli import main
from relaxbench.bench.results.folder import load_results
from relaxbench.bench.verify.bounds import forward_objective, verify
from relaxbench.solvers.problem import Problem

import relaxbench as rb

PROBABILITIES = ["test_log_loss", "test_brier", "test_ece"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Small data with both losses, by a method with a bound, a kernel, and one that is not made for it."""
    out = tmp_path_factory.mktemp("runs") / "both"
    data = out.parent / "small.csv"
    rng = np.random.default_rng(0)
    X = rng.normal(size=(24, 2))
    labels = np.where(X[:, 0] + X[:, 1] > 0, "a", "b")
    data.write_text("x,y,label\n" + "\n".join(f"{a},{b},{c}" for (a, b), c in zip(X, labels, strict=True)))
    command = ["run", "--dataset", f"file:{data}", "--loss", "squares", "--loss", "logistic", "--gamma", "0.1"]
    methods = [part for name in ("cpp", "nngp", "ridge") for part in ("--method", name)]
    assert main([*command, *methods, "--out", str(out), "--jobs", "1"]) == 0
    return out


def rows_of(folder):
    return load_results(folder).set_index(["loss", "method"])


@pytest.mark.thorough
def test_columns(folder):
    rows = rows_of(folder)
    assert rows.loc[("logistic", "cpp"), "status"] == "ok"
    assert rows.loc[("logistic", "ridge"), "status"] == "unsupported"
    assert "logistic" in rows.loc[("logistic", "ridge"), "message"]
    assert rows.loc[[("logistic", "cpp"), ("logistic", "nngp")], PROBABILITIES].notna().all(axis=None)
    assert rows.loc["squares"][PROBABILITIES].isna().all(axis=None)


@pytest.mark.thorough
def test_the_losses_do_not_share_gaps(folder):
    rows = rows_of(folder)
    for loss in ("squares", "logistic"):
        assert 0 <= rows.loc[(loss, "cpp"), "gap"] < 1e-3


@pytest.mark.thorough
def test_bounds_and_objectives_hold_from_the_files(folder):
    checks = list(verify(folder))
    assert len(checks) >= 4
    assert all(check.holds for check in checks)


def test_forward_objective_is_that_of_the_problem():
    rng = np.random.default_rng(1)
    X, Y = rng.normal(size=(9, 3)), np.eye(4)[rng.integers(0, 4, 9)]
    problem = Problem(X, Y, 0.3, loss="logistic")
    U, V = rng.normal(size=(3, 5)), rng.normal(size=(5, 4))
    own = forward_objective(U, V, X, Y, 0.3, loss="logistic")
    assert own == pytest.approx(problem.objective(problem.network(U, V)), rel=1e-13)


def test_real_targets_are_refused(tmp_path, capsys):
    data = tmp_path / "real.csv"
    data.write_text("x,target\n" + "\n".join(f"{k},{0.37 * k + 0.1}" for k in range(1, 13)))
    command = ["run", "--dataset", f"file:{data}", "--loss", "logistic", "--gamma", "0.1", "--method", "cpp"]
    assert main([*command, "--out", str(tmp_path / "out")]) == 2
    assert "logistic" in capsys.readouterr().err


@pytest.mark.thorough
def test_certify_chooses_a_method_that_is_made_for_it():
    rng = np.random.default_rng(2)
    problem = Problem(rng.normal(size=(14, 9)), np.eye(2)[rng.integers(0, 2, 14)], 0.5, loss="logistic")
    found = rb.certify(problem, timeout=20.0, gap=0.05)
    assert found.method == "sdp"
    assert 0 < found.lower <= found.upper <= 14 * np.log(2) * (1 + 1e-12)


def test_an_export_is_refused(tmp_path):
    problem = Problem(np.eye(2), np.eye(2), 0.1, loss="logistic")
    with pytest.raises(rb.RelaxbenchError, match="loss must be squares"):
        rb.export_sdp(problem, tmp_path / "no.dat-s")
