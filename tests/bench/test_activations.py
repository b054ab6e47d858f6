"""Activation and loss from the command line and configs to tables, keys, proofs and files of networks."""

import json

import numpy as np
import onnx
import pandas as pd
import pytest
from onnx import helper, numpy_helper
from relaxbench.bench import cli
from relaxbench.bench.compare.checks import soundness
from relaxbench.bench.engine.run import run
from relaxbench.bench.grid.cell import expand, hash_of_record
from relaxbench.bench.grid.model import slope_below
from relaxbench.bench.grid.spec import check_spec
from relaxbench.bench.instances.solution import read_instance
from relaxbench.bench.results.alarms import contradictions
from relaxbench.bench.results.folder import load_results, load_tightness
from relaxbench.bench.results.labels import key_of, labels, rows_of
from relaxbench.bench.results.plan import united
from relaxbench.bench.results.tables import results_table
from relaxbench.bench.verify.bounds import verify
from relaxbench.reports.figures.arccosine import hidden, kernel
from relaxbench.solvers.activation import Activation

import relaxbench as rb

DATA = {"name": "random", "n": 8, "n_test": 4}
TEXTS = ("relu", "leaky:0.1", "leaky:-0.5", "abs", "identity")


def spec(*methods, **data):
    return check_spec({"dataset": [{**DATA, **data}], "method": list(methods), "width": 5, "jobs": 1})


@pytest.mark.thorough
def test_lists_make_a_grid_and_names_are_canonical():
    cells = expand(spec({"name": "cpp"}, activation=["leaky:0", "leaky:.5", "abs"]))
    assert [cell.columns["activation"] for cell in cells] == ["relu", "leaky:0.5", "abs"]
    assert len({cell.hash for cell in cells}) == 3
    plain, named = expand(spec({"name": "cpp"})), expand(spec({"name": "cpp"}, activation="relu", loss="squares"))
    assert [cell.hash for cell in plain] == [cell.hash for cell in named]
    assert plain[0].hash == "c" + hash_of_record(
        plain[0].columns, {"data": {"sha256": plain[0].data.sha256}, "code": plain[0].code}
    )
    older = {name: value for name, value in plain[0].columns.items() if name not in ("activation", "loss")}
    assert plain[0].hash == "c" + hash_of_record(
        older, {"data": {"sha256": plain[0].data.sha256}, "code": plain[0].code}
    )
    relaxations = [cell.relaxation_hash for cell in expand(spec({"name": "sdp"}, activation=["relu", "abs"]))]
    assert len(set(relaxations)) == 2


@pytest.mark.parametrize(("key", "value"), [("activation", "tanh"), ("activation", "leaky:3"), ("loss", "hinge")])
def test_unknown_ones_are_refused(key, value):
    with pytest.raises(rb.RelaxbenchError, match=rf"dataset\[1\].{key}\[1\]: .*Got '{value}' instead\.$"):
        spec({"name": "cpp"}, **{key: value})


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("run") / "out"
    methods = [{"name": name} for name in ("sdp", "cpp", "lbfgs", "copositive")]
    run(spec(*methods, activation=["relu", "abs", "identity"]), out)
    return out


@pytest.mark.thorough
def test_each_activation_is_a_training_problem_of_its_own(folder):
    results = load_results(folder)
    assert list(results.groupby(["activation", "method"]).size()) == [1] * 12
    refused = results[results["status"] == "unsupported"]
    assert list(refused["activation"]) == ["identity"]
    assert refused["message"].iloc[0] == "copositive is made for activation relu, leaky, abs, not for identity"
    assert (results["status"].drop(refused.index) == "ok").all()
    tightness = load_tightness(folder)
    assert list(tightness["activation"]) == ["relu", "abs", "identity"]
    assert (tightness["certified_ratio"] > 1 - 1e-5).all()
    assert (results["gap"].dropna() >= 0).all()
    assert contradictions(results) == []
    assert all(check.verdict == "ok" for check in soundness({"base": rows_of(results)}, labels(rows_of(results))))


@pytest.mark.thorough
def test_every_bound_is_proved_again_for_its_activation(folder, tmp_path):
    checks = list(verify(folder))
    assert len(checks) >= 18
    assert all(check.holds for check in checks)
    for path in (folder / "cells").glob("*/record.json"):
        record = json.loads(path.read_text())
        assert record["extra"]["data"]["activation"] == record["row"]["activation"]


@pytest.mark.thorough
def test_older_rows_are_those_of_relu_and_squares(folder):
    results = load_results(folder)
    relu = results[results["activation"] == "relu"]
    rows = [{k: v for k, v in row.items() if k not in ("activation", "loss")} for row in rows_of(relu)]
    table = results_table(rows)
    assert set(table["activation"]) == {"relu"}
    pd.testing.assert_series_equal(table["gap"], relu["gap"].reset_index(drop=True))
    keys = {key_of(row) for row in rows_of(results)}
    assert len(keys) == 12
    assert {key_of(row) for row in rows} < keys
    plan = [{"cell": "c1", **rows[0]}]
    assert united(plan, [{**plan[0], "activation": "abs"}]) == [*plan, {**plan[0], "activation": "abs"}]
    assert united(plan, [{**plan[0], "activation": "relu"}]) == plan


@pytest.mark.parametrize("text", TEXTS)
def test_the_slope_of_a_name_is_that_of_the_activation(text):
    assert slope_below(text) == Activation.of(text).below
    rng = np.random.default_rng(0)
    X, Z, U = rng.normal(size=(4, 3)), rng.normal(size=(5, 3)), rng.normal(size=(3, 200_000))
    φ = Activation.of(text)
    np.testing.assert_array_equal(hidden(X, U, slope_below(text)), φ(X @ U))
    nngp = φ(X @ U) @ φ(Z @ U).T / U.shape[1] / 3
    tangents = φ.slope(X @ U) @ φ.slope(Z @ U).T / U.shape[1] * (X @ Z.T) / 3
    np.testing.assert_allclose(kernel("nngp", X, Z, slope_below(text)), nngp, atol=0.02)
    np.testing.assert_allclose(kernel("ntk", X, Z, slope_below(text)), nngp + tangents, atol=0.03)


def test_certify_takes_and_writes_the_activation(tmp_path, capsys):
    arguments = ["certify", "random", "--n", "8", "--gamma", "0.1"]
    out = tmp_path / "proof"
    assert cli.main([*arguments, "--activation", "abs", "--out", str(out)]) == 0
    network = rb.read_network(out / "network.npz")
    assert str(network.activation) == "abs"
    assert cli.main([*arguments, "--activation", "abs", "--network", str(out / "network.npz")]) == 0
    capsys.readouterr()
    assert cli.main([*arguments, "--network", str(out / "network.npz")]) == 2
    assert "must hold a network of activation relu. Got abs instead: give --activation abs." in capsys.readouterr().err


def test_networks_in_onnx_bring_their_activation(tmp_path):
    rng = np.random.default_rng(0)
    U, V, X = rng.normal(size=(3, 4)), rng.normal(size=(4, 2)), rng.normal(size=(5, 3))
    stored = [numpy_helper.from_array(array, name) for array, name in ((U, "u"), (V, "v"))]
    ends = [[helper.make_tensor_value_info(name, onnx.TensorProto.DOUBLE, [None, None])] for name in ("x", "y")]
    nodes = {
        "abs": helper.make_node("Abs", ["a"], ["h"]),
        "leaky:0.1": helper.make_node("LeakyRelu", ["a"], ["h"], alpha=0.1),
        "leaky:0.01": helper.make_node("LeakyRelu", ["a"], ["h"]),
        "relu": helper.make_node("Relu", ["a"], ["h"]),
    }
    for activation, node in nodes.items():
        both = [helper.make_node("MatMul", [a, w], [b]) for a, w, b in (("x", "u", "a"), ("h", "v", "y"))]
        graph = helper.make_graph([both[0], node, both[1]], "g", *ends, stored)
        onnx.save(
            helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), tmp_path / "n.onnx"
        )
        network = rb.read_network(tmp_path / "n.onnx")
        assert str(network.activation) == activation
        np.testing.assert_allclose(network.predict(X), Activation.of(activation)(X @ U) @ V)
    with pytest.raises(rb.RelaxbenchError, match=r"must hold a network of activation abs\. Got relu"):
        rb.read_network(tmp_path / "n.onnx", activation="abs")


def test_npz_files_with_a_strange_activation_are_refused(tmp_path):
    for strange in (np.array([1.0]), np.array(["abs", "relu"]), np.array("tanh")):
        np.savez(tmp_path / "n.npz", U=np.ones((2, 1)), V=np.ones((1, 1)), activation=strange)
        with pytest.raises(rb.RelaxbenchError, match="activation"):
            rb.read_network(tmp_path / "n.npz")


def test_an_exported_program_says_its_activation(tmp_path):
    problem = rb.Problem([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.5]], [[1.0], [2.0], [0.5]], 0.1, "leaky:0.25")
    source = {"dataset": "d", "options": {}, "sha256": "0"}
    found = read_instance(rb.export_sdp(problem, tmp_path / "p.dat-s", source=source))
    assert (found.activation, found.loss) == ("leaky:0.25", "squares")
    described = json.loads((tmp_path / "p.dat-s.json").read_text())
    del described["activation"], described["loss"]
    (tmp_path / "old.json").write_text(json.dumps(described))
    assert read_instance(tmp_path / "old.json").activation == "relu"


def test_fit_and_estimators_take_it():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(12, 2))
    y = np.abs(X[:, 0])
    model = rb.ConvexReluRegressor("cpp", activation="abs", bias=False, gamma=0.01).fit(X, y)
    assert str(model.network_.activation) == "abs"
    assert model.score(X, y) > 0.99
    assert 0 < model.lower_bound_ <= model.objective_
    refused = rb.fit(rb.Problem(X, y, 0.1, "identity"), "arrangements")
    assert (refused.status, refused.objective) == ("unsupported", None)
    labels = np.where(y > 1, "far", "near")
    refused = rb.fit(rb.Problem(X, labels, 0.1, loss="logistic"), "branch")
    assert refused.message == "branch is made for loss squares, not for logistic"
