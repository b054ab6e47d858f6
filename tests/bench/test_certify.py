"""certify: the interval holds the optimum, the network's gap is split honestly, files and options are checked."""

import json

import numpy as np
import pytest
from relaxbench.bench import cli
from relaxbench.bench.certify import certify

import relaxbench as rb


@pytest.fixture(scope="module")
def plane():
    rng = np.random.default_rng(0)
    return rb.Problem(rng.standard_normal((12, 2)), rng.standard_normal((12, 2)), 0.3)


@pytest.fixture(scope="module")
def best(plane):
    return certify(plane, gap=1e-6)


def test_the_interval_is_proved_and_holds_what_l_bfgs_finds(plane, best):
    assert best.method == "cpp"
    assert best.gap <= 1e-6
    rival = rb.fit(plane, "lbfgs", width=50, starts=1)
    assert best.lower <= rival.objective * (1 + 1e-9)
    assert rb.verify(best.certificate, plane) >= best.lower * (1 - 1e-9)
    assert best.upper == plane.objective(best.network)
    assert (best.objective, best.network_gap, best.improvable) == (None, None, None)


def test_a_bad_network_is_told_how_far_it_is_and_a_better_one_is_handed_over(plane, best):
    U, V = np.random.default_rng(1).standard_normal((2, 2, 2))
    found = certify(plane, rb.Network(U, V), gap=1e-6)
    assert found.objective == plane.objective(rb.Network(U, V))
    assert found.upper == pytest.approx(best.upper)
    assert found.improvable == pytest.approx(1 - found.upper / found.objective)
    assert found.improvable <= found.network_gap == pytest.approx(1 - found.lower / found.objective)


def test_the_best_network_is_told_that_it_is(plane, best):
    found = certify(plane, best.network, gap=1e-6)
    assert found.network_gap <= 1e-6
    assert found.improvable == pytest.approx(0.0, abs=1e-9)


def test_layers_out_of_balance_are_improvable_by_balancing_them(plane, best):
    found = certify(plane, rb.Network(1e3 * best.network.U, best.network.V / 1e3), gap=1e-6)
    assert found.improvable > 0.9
    assert found.upper <= best.upper * (1 + 1e-9)


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("n", "d", "method"),
    [(8, 6, "cpp"), (70, 6, "cpp"), (9, 8, "branch"), (70, 8, "sdp"), (70, 3, "cpp"), (3, 9, "cpp"), (210, 6, "sdp")],
)
def test_the_method_goes_by_rank_and_rows(n, d, method):
    rng = np.random.default_rng(2)
    problem = rb.Problem(rng.standard_normal((n, d)), rng.standard_normal((n, 1)), 3.0)
    found = certify(problem, gap=0.9, timeout=10.0)
    assert found.method == method
    assert 0 < found.lower <= found.upper


@pytest.mark.thorough
def test_what_a_relaxation_leaves_of_the_time_goes_to_wider_networks(monkeypatch):
    monkeypatch.setattr("relaxbench.bench.certify.WIDTH", 2)
    monkeypatch.setattr("relaxbench.bench.certify.WIDE", 12)
    monkeypatch.setattr("relaxbench.bench.certify.REGIONS", 5)
    rng = np.random.default_rng(3)
    problem = rb.Problem(rng.standard_normal((14, 8)), rng.standard_normal((14, 3)), 2.0)
    narrow = certify(problem, gap=0.99)  # the relaxation does, and no time is spent on more
    found = certify(problem)
    assert found.upper == problem.objective(found.network) < 0.95 * narrow.upper
    assert narrow.lower <= found.lower * (1 + 1e-2) <= found.upper


def test_nothing_to_learn_is_certified():
    found = certify(rb.Problem(np.zeros((3, 2)), np.ones((3, 1)), 0.1))
    assert found.upper == pytest.approx(1.5)
    assert found.gap <= 1e-9


@pytest.mark.slow
@pytest.mark.parametrize(("name", "n", "gap"), [("random", 25, 1e-7), ("iris", 150, 1e-3)])
def test_exact_problems_are_closed_within_a_minute(name, n, gap):
    data = rb.load(name, seed=0, **({"test_fraction": 0.0} if name == "iris" else {}))
    problem = rb.Problem(data.X_train, data.Y_train, 0.1)
    assert problem.n == n
    found = certify(problem, gap=gap, timeout=60.0)
    assert found.gap <= gap
    assert rb.verify(found.certificate, problem) >= found.lower * (1 - 1e-9)
    again = certify(problem, found.network, gap=gap, timeout=60.0)
    assert again.network_gap <= gap
    assert again.improvable <= gap


@pytest.mark.parametrize(
    ("network", "text"),
    [
        (rb.Network(np.ones((3, 4)), np.ones((4, 2))), "must have d = 2 inputs and c = 2 outputs"),
        (rb.Network(np.ones((2, 4)), np.ones((4, 1))), "Got d = 2 and c = 1"),
        (rb.Network(np.full((2, 1), np.nan), np.ones((1, 2))), "must have finite weights"),
    ],
)
def test_networks_that_do_not_fit_are_refused(plane, network, text):
    with pytest.raises(rb.RelaxbenchError, match=text):
        certify(plane, network)


@pytest.fixture
def files(tmp_path, plane):
    np.savez(tmp_path / "data.npz", X=plane.X, Y=plane.Y)
    np.savez(tmp_path / "net.npz", U=np.ones((2, 3)), V=np.ones((3, 2)))
    return tmp_path


def test_the_command_writes_what_proves_its_numbers(files, plane, capsys):
    arguments = [f"file:{files / 'data.npz'}", "--network", str(files / "net.npz"), "--gamma", "0.3", "--gap", "1e-6"]
    assert cli.main(["certify", *arguments, "--out", str(files / "proof"), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["n"], said["method"], said["certificate"]) == (12, "cpp", "arcs")
    with np.load(files / "proof" / "certificate.npz") as arrays:
        certificate = rb.Certificate.from_arrays(said["certificate"], arrays, said["lower"])
    assert rb.verify(certificate, plane) >= said["lower"] * (1 - 1e-6)
    with np.load(files / "proof" / "network.npz") as arrays:
        assert plane.objective(rb.Network(arrays["U"], arrays["V"])) == pytest.approx(said["upper"])
    assert json.loads((files / "proof" / "certify.json").read_text())["lower"] == said["lower"]
    assert cli.main(["certify", *arguments]) == 0
    text = capsys.readouterr().out
    assert "proved to lie between" in text
    assert "your network: objective" in text
    assert cli.main(["certify", *arguments, "--out", str(files / "proof")]) == 2
    assert "--out must be a new or empty folder" in capsys.readouterr().err


def _with(files, **arrays):
    np.savez(files / "bad.npz", **arrays)
    return str(files / "bad.npz")


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda files: _with(files, U=np.ones((5, 3)), V=np.ones((3, 2))), "must have d = 2 inputs"),
        (lambda files: _with(files, U=np.ones((2, 3)), V=np.ones((4, 2))), "U must be (d, m) and V (m, c)"),
        (lambda files: _with(files, U=np.ones((2, 3))), "Got none named V"),
        (lambda files: _with(files, U=np.ones((2, 3)), V=np.full((3, 2), np.inf)), "must have finite weights"),
        (lambda files: _with(files, U=np.ones((2, 3)), V=np.ones((3, 2)), b=np.ones(3)), "must hold arrays named U, V"),
        (lambda files: _with(files, U=np.array([{}]), V=np.ones((3, 2))), "need a pickle"),
        (lambda files: str(files / "none.npz"), "must be a file that exists"),
        (lambda files: "net.txt", "must be an .npz, .onnx or .safetensors file"),
    ],
)
def test_files_that_are_no_network_are_refused_in_one_line(files, make, text, capsys):
    arguments = ["certify", f"file:{files / 'data.npz'}", "--network", make(files), "--gamma", "0.3"]
    assert cli.main(arguments) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert text in lines[0]


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["--gamma", "0"], "gamma must be"),
        (["--gamma", "0.1", "--timeout", "0"], "timeout must be"),
        (["--gamma", "0.1", "--gap", "2"], "gap"),
        (["--gamma", "0.1", "--preprocess", "standardise"], "did you mean 'standardize'"),
    ],
)
def test_values_that_make_no_sense_are_refused_in_one_line(options, text, capsys):
    assert cli.main(["certify", "spiral", *options]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert text in lines[0]
