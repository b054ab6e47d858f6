"""Networks out of files: ONNX as its reference evaluator runs it, PyTorch's by their formula, all else refused."""

import json
import pickle
import sys

import ml_dtypes
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from relaxbench.bench import cli
from relaxbench.bench.networks.layers import LARGEST
from safetensors.numpy import save_file

import relaxbench as rb

D, M, C = 3, 5, 2
RNG = np.random.default_rng(0)
W1, B1, W2 = RNG.standard_normal((M, D)), RNG.standard_normal(M), RNG.standard_normal((C, M))  # as PyTorch has them
X = RNG.standard_normal((7, D))
TYPES = {  # how exact arithmetic of each type is
    np.dtype(np.float64): 1e-6,  # alpha and beta are float32 in ONNX
    np.dtype(np.float32): 1e-5,
    np.dtype(np.float16): 2e-2,
}


def node(op, inputs, output, **attributes):
    return helper.make_node(op, inputs, [output], **attributes)


def graph(nodes, dtype=np.float64, inputs=("x",), outputs=("y",), functions=(), **weights):
    """A model with these nodes and weights."""
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    stored = [numpy_helper.from_array(np.asarray(value, dtype), name) for name, value in weights.items()]
    ends = [[helper.make_tensor_value_info(name, kind, [None, None]) for name in names] for names in (inputs, outputs)]
    made = helper.make_graph(nodes, "g", *ends, stored)
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("own", 1)]
    return helper.make_model(made, opset_imports=opsets, ir_version=8, functions=functions)


GEMM = [
    node("Gemm", ["x", "w1", "b1"], "a", transB=1),
    node("Relu", ["a"], "h"),
    node("Gemm", ["h", "w2"], "y", transB=1),
]
MATMUL = [
    node("MatMul", ["x", "w1"], "z"),
    node("Add", ["b1", "z"], "a"),
    node("Relu", ["a"], "h"),
    node("MatMul", ["h", "w2"], "y"),
]
SCALED = [
    node("Gemm", ["x", "w1", "b1"], "a", transA=1, alpha=0.75, beta=-2.0),
    node("Relu", ["a"], "h"),
    node("Gemm", ["h", "w2", "b2"], "y", alpha=3.0, beta=0.0),
]
CONSTANT = [helper.make_node("Constant", [], ["w2"], value=numpy_helper.from_array(W2)), *GEMM]
GRAPHS = {
    "gemm": (GEMM, {"w1": W1, "b1": B1, "w2": W2}),
    "matmul": (MATMUL, {"w1": W1.T, "b1": B1[None], "w2": W2.T}),
    "matmul of one bias": (MATMUL, {"w1": W1.T, "b1": 0.5, "w2": W2.T}),
    "scaled": (SCALED, {"w1": W1.T, "b1": B1, "w2": W2.T, "b2": np.ones(C)}),
}


def saved(path, model):
    onnx.save(model, path)
    return path


def with_ones(rows):
    return np.column_stack([rows, np.ones(len(rows))])


@pytest.mark.parametrize("dtype", TYPES, ids=str)
@pytest.mark.parametrize("form", GRAPHS)
def test_an_onnx_file_is_the_function_that_its_reference_runs(form, dtype, tmp_path):
    nodes, weights = GRAPHS[form]
    model = graph(nodes, dtype, **weights)
    network = rb.read_network(saved(tmp_path / "net.onnx", model), bias=True)
    given = X.astype(dtype).T if form == "scaled" else X.astype(dtype)
    (expected,) = ReferenceEvaluator(model).run(None, {"x": given})
    found = network.predict(with_ones(X.astype(dtype).astype(np.float64)))
    np.testing.assert_allclose(found, expected.astype(np.float64), rtol=TYPES[dtype], atol=TYPES[dtype])
    assert network.U.dtype == network.V.dtype == np.float64
    assert not np.allclose(network.predict(with_ones(X[::-1])), expected.astype(np.float64), rtol=0.1)


def test_weights_may_be_constants_of_the_graph(tmp_path):
    network = rb.read_network(saved(tmp_path / "net.onnx", graph(CONSTANT, w1=W1, b1=B1)), bias=True)
    np.testing.assert_array_equal(network.U, np.vstack([W1.T, B1]))
    np.testing.assert_array_equal(network.V, W2.T)


def test_bfloat16_is_read_as_what_it_holds(tmp_path):
    kind = ml_dtypes.bfloat16
    values = [value.astype(kind).astype(np.float64) for value in (W1, B1, W2)]
    onnx_file = saved(tmp_path / "net.onnx", graph(GEMM, kind, w1=W1, b1=B1, w2=W2))
    save_file(
        {"0.weight": W1.astype(kind), "0.bias": B1.astype(kind), "2.weight": W2.astype(kind)},
        tmp_path / "net.safetensors",
    )
    for path in (onnx_file, tmp_path / "net.safetensors"):
        network = rb.read_network(path, bias=True)
        np.testing.assert_array_equal(network.U, np.vstack([values[0].T, values[1]]))
        np.testing.assert_array_equal(network.V, values[2].T)


@pytest.mark.parametrize(
    "names",
    [("0", "2"), ("net.9", "net.10"), ("٣" * 5000 + "1", "٣" * 5000 + "2"), ("fc1", "fc2"), ("a.hidden", "a.output")],
)
@pytest.mark.parametrize("dtype", TYPES, ids=str)
def test_a_safetensors_file_is_the_function_that_pytorch_writes_down(names, dtype, tmp_path):
    one, two = names
    w1, b1, w2 = (value.astype(dtype) for value in (W1, B1, W2))
    tensors = {f"{two}.weight": w2, f"{two}.bias": np.zeros(C, dtype), f"{one}.bias": b1, f"{one}.weight": w1}
    save_file(tensors, tmp_path / "net.safetensors")
    network = rb.read_network(str(tmp_path / "net.safetensors"), bias=True)
    w1, b1, w2 = (value.astype(np.float64) for value in (w1, b1, w2))
    expected = np.maximum(X @ w1.T + b1, 0) @ w2.T
    np.testing.assert_allclose(network.predict(with_ones(X)), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("kind", ["onnx", "safetensors"])
@pytest.mark.parametrize("zeros", [False, True], ids=["no bias", "bias of zeros"])
def test_a_network_without_bias_fits_data_with_and_without_a_column_of_ones(kind, zeros, tmp_path):
    path = tmp_path / f"net.{kind}"
    bias = {"b1": np.zeros(M)} if zeros else {}
    if kind == "onnx":
        nodes = GEMM if zeros else [node("Gemm", ["x", "w1"], "a", transB=1), *GEMM[1:]]
        saved(path, graph(nodes, w1=W1, w2=W2, **bias))
    else:
        save_file({"0.weight": W1, "2.weight": W2, **({"0.bias": np.zeros(M)} if zeros else {})}, path)
    expected = np.maximum(X @ W1.T, 0) @ W2.T
    np.testing.assert_allclose(rb.read_network(path).predict(X), expected)
    np.testing.assert_allclose(rb.read_network(path, bias=True).predict(with_ones(X)), expected)


@pytest.fixture
def files(tmp_path):
    """The same network with a bias in three kinds of file, and data that it fits."""
    np.savez(tmp_path / "data.npz", X=X, Y=X[:, :C])
    np.savez(tmp_path / "net.npz", U=np.vstack([W1.T, B1]), V=W2.T)
    saved(tmp_path / "net.onnx", graph(GEMM, w1=W1, b1=B1, w2=W2))
    save_file({"0.weight": W1, "0.bias": B1, "2.weight": W2}, tmp_path / "net.safetensors")
    return tmp_path


def run(files, name, *options):
    return cli.main(["certify", f"file:{files / 'data.npz'}", "--network", str(files / name), "--gamma", "3", *options])


def test_each_kind_of_file_gets_the_same_answer(files, capsys):
    found = []
    for name in ("net.npz", "net.onnx", "net.safetensors"):
        assert run(files, name, "--bias", "--gap", "0.5", "--json") == 0
        answer = json.loads(capsys.readouterr().out)
        found.append({key: value for key, value in answer.items() if key != "seconds"})
    assert found[0] == found[1] == found[2]
    assert 0 < found[0]["lower"] < found[0]["upper"] < found[0]["objective"]


def test_a_bias_without_a_column_of_ones_is_told_about_the_option(files, capsys):
    for name in ("net.npz", "net.onnx", "net.safetensors"):
        assert run(files, name) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert "ive --bias" in line


def tensors(**given):
    return lambda path: save_file(
        {"0.weight": W1, "2.weight": W2} | {k.replace("_", "."): v for k, v in given.items()}, path
    )


def model(nodes, **options):
    weights = {"w1": W1, "b1": B1, "w2": W2} | {name: options.pop(name) for name in tuple(options) if name[0] in "wb"}
    return lambda path: onnx.save(graph(nodes, **options, **weights), path)


def external(path, location):
    made = graph(GEMM, w1=W1, b1=B1, w2=W2)
    (path.parent / "aside").write_bytes(W1.tobytes())
    weight = made.graph.initializer[0]
    weight.ClearField("raw_data")
    weight.data_location = TensorProto.EXTERNAL
    weight.external_data.add(key="location", value=location)
    path.write_bytes(made.SerializeToString())


def changed(nodes, place, **attributes):
    copies = list(nodes)
    copies[place] = node(nodes[place].op_type, list(nodes[place].input), nodes[place].output[0], **attributes)
    return copies


def huge(path):
    with path.open("wb") as file:
        file.truncate(LARGEST + 1)


def cut(make):
    def write(path):
        make(path)
        path.write_bytes(path.read_bytes()[:-20])

    return write


OWN = helper.make_function("own", "Gemm", ["x"], ["y"], [node("Relu", ["x"], "y")], [helper.make_opsetid("", 17)])
DEEP = [*GEMM[:2], node("Gemm", ["h", "w3"], "c"), node("Relu", ["c"], "d"), node("Gemm", ["d", "w2"], "y", transB=1)]
DYNAMIC = [node("Gemm", ["x", "w1", "b1"], "a", transB=1), node("Relu", ["a"], "h"), node("MatMul", ["h", "x"], "y")]
REFUSED = [
    ("x.onnx", model([*GEMM[:2], node("Sigmoid", ["h"], "y")]), "Got the operation 'Sigmoid'"),
    ("x.onnx", model([node("Conv", ["x", "w1"], "a"), *GEMM[1:]]), "Got the operation 'Conv'"),
    ("x.onnx", model(changed(GEMM, 0, domain="own")), "Got the operation 'Gemm'"),
    ("x.onnx", model(GEMM, functions=[OWN]), "Got a function of its own, 'Gemm'"),
    ("x.onnx", model(DEEP, w3=np.eye(M)), "Got Gemm, Relu, Gemm, Relu, Gemm instead"),
    ("x.onnx", model([*GEMM[:2], node("Relu", ["h"], "y")]), "Got Gemm, Relu, Relu instead"),
    ("x.onnx", model([]), "Got an empty graph"),
    ("x.onnx", model(DYNAMIC), "have constant weights. Got 'x'"),
    ("x.onnx", model([*GEMM[:2], node("MatMul", ["h", "h"], "y")]), "be a chain of operations"),
    ("x.onnx", model([*GEMM[:2], node("Gemm", ["h", "v"], "y")], inputs=("x", "v")), "Got 2 and 1 instead"),
    ("x.onnx", model(GEMM, outputs=("y", "h")), "Got 1 and 2 instead"),
    ("x.onnx", model(GEMM, outputs=("h",)), "what the last operation makes"),
    ("x.onnx", model([*GEMM[:2], node("MatMul", ["w2", "h"], "y")]), "weights on the right"),
    ("x.onnx", model(changed(GEMM, 2, transA=1, transB=1)), "transA in the second Gemm"),
    ("x.onnx", model(MATMUL, w1=np.ones((1, D, M))), "weights that are matrices. Got shape (1, 3, 5)"),
    ("x.onnx", model(GEMM, b1=np.ones((7, M))), "a bias of 5 numbers. Got shape (7, 5)"),
    ("x.onnx", model(GEMM, w2=np.ones((C, 4))), "Got 4 inputs and 5 neurons"),
    ("x.onnx", model([*GEMM[:2], node("Gemm", ["h", "w2", "b2"], "y", transB=1)], b2=np.ones(C)), "bias of the output"),
    ("x.onnx", model(GEMM, w1=np.full((M, D), np.nan)), "have finite weights. Got nan in U"),
    ("x.onnx", model(changed(GEMM, 0, transB=1, alpha=3e38), w1=np.full((M, D), 1e300)), "Got inf in U"),
    ("x.onnx", model(GEMM, dtype=np.int32, w1=np.ones((M, D)), b1=np.ones(M), w2=np.ones((C, M))), "Got INT32 in 'w1'"),
    ("x.onnx", lambda path: external(path, "aside"), "other files are not opened. Got 'w1' in another file"),
    ("x.onnx", lambda path: external(path, "../../etc/passwd"), "other files are not opened"),
    ("x.onnx", lambda path: path.write_bytes(b"\x80\x04 no model"), "must be readable"),
    ("x.onnx", lambda path: path.write_bytes(b""), "Got an empty graph"),
    ("x.onnx", cut(model(GEMM)), "must be readable"),
    ("x.onnx", huge, "have at most 268,435,456 bytes"),
    ("x.onnx", lambda path: path.mkdir(), "Got a folder"),
    ("x.safetensors", tensors(**{"4_weight": np.eye(C)}), "Got 3 layers instead"),
    ("x.safetensors", lambda path: save_file({"0.weight": W1}, path), "Got 1 layers instead"),
    ("x.safetensors", tensors(**{"1_running_mean": B1}), "Got '1.running.mean' instead: leave it out"),
    ("x.safetensors", tensors(**{"1_bias": B1}), "Got '1.bias' instead"),
    ("x.safetensors", tensors(**{"2_bias": np.ones(C)}), "no bias of the output layer"),
    ("x.safetensors", tensors(**{"0_bias": np.ones(C)}), "hold '0.bias' of shape [5]. Got '[2]'"),
    ("x.safetensors", tensors(**{"0_weight": np.ones((M, D, 1))}), "Got '[5, 3, 1]' in '0.weight'"),
    ("x.safetensors", tensors(**{"0_weight": np.ones((M, D), np.int64)}), "Got I64 in '0.weight'"),
    ("x.safetensors", tensors(**{"0_weight": np.ones((4, D))}), "Got 5 inputs and 4 neurons"),
    ("x.safetensors", tensors(**{"2_weight": np.full((C, M), -np.inf)}), "have finite weights. Got -inf in V"),
    ("x.safetensors", cut(tensors()), "must be readable"),
    ("x.safetensors", lambda path: path.write_bytes(b"\xff" * 8 + b"{}"), "must be readable"),
    ("x.safetensors", huge, "have at most"),
    (
        "x.pt",
        lambda path: path.write_bytes(pickle.dumps(Bomb())),
        "loading a pickle runs code: save it with safetensors",
    ),
    ("x.pth", lambda path: None, "safetensors.torch.save_file(model.state_dict(), 'net.safetensors')"),
    ("x.h5", lambda path: path.write_bytes(b""), "be an .npz, .onnx or .safetensors file. Got '.h5'"),
    ("none.onnx", lambda path: None, "be a file that exists"),
]


class Bomb:
    def __reduce__(self):
        return exec, ("raise SystemExit('ran')",)


@pytest.mark.parametrize(("name", "make", "text"), REFUSED, ids=[text for _, _, text in REFUSED])
def test_other_files_are_refused_in_one_line(name, make, text, files, capsys):
    make(files / name)
    assert run(files, name, "--bias") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert text in line
    assert len(line) < 500
    with pytest.raises(rb.RelaxbenchError):
        rb.read_network(files / name, bias=True)


def test_weights_in_another_file_are_read_once_they_are_saved_as_the_error_says(tmp_path):
    external(tmp_path / "two.onnx", "aside")
    with pytest.raises(rb.RelaxbenchError, match=r"onnx\.save\(onnx\.load\('net\.onnx'\), 'one-file\.onnx'\)"):
        rb.read_network(tmp_path / "two.onnx", bias=True)
    onnx.save(onnx.load(tmp_path / "two.onnx"), tmp_path / "one.onnx")
    np.testing.assert_array_equal(rb.read_network(tmp_path / "one.onnx", bias=True).U, np.vstack([W1.T, B1]))


@pytest.mark.parametrize(("name", "package"), [("net.onnx", "onnx"), ("net.safetensors", "safetensors")])
def test_without_the_extra_the_error_says_what_to_install(name, package, files, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, package, None)
    assert run(files, name, "--bias") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert f"needs the package {package}" in line
    assert "pip install 'relaxbench[networks]'" in line
