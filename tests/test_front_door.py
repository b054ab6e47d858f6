"""What a notebook user types: names that are imported late, fits whose claims are checked, runs as objects."""

import doctest
import pydoc
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from relaxbench.bench.grid.methods import options
from relaxbench.bench.grid.registry import METHODS
from relaxbench.solvers.checker import CertificateError

import relaxbench as rb

from .support.cases import noise

LIAR = """
from dataclasses import replace
import relaxbench as rb
from relaxbench.solvers.sdp import sdp

def liar(problem, *, width, seed, budget):
    fit = sdp(problem, width=width, seed=seed, budget=budget)
    return replace(fit, certificate=replace(fit.certificate, lower_bound=2 * fit.certificate.lower_bound))

def nothing(problem, *, budget):
    return 5
"""


def test_the_package_imports_nothing_of_its_own_before_it_is_used():
    code = "import sys, relaxbench; print(*[name for name in sys.modules if name.startswith(('relaxbench.', 'numpy'))])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd="/")
    assert done.stdout.split() == []


def test_every_public_name_is_there_and_documented():
    for name in rb.__all__:
        assert getattr(rb, name).__doc__, name
    assert set(rb.__all__) <= set(dir(rb))
    with pytest.raises(AttributeError, match="no attribute 'nosuch'"):
        _ = rb.nosuch
    with pytest.raises(AttributeError, match="Did you mean 'Problem'"):
        _ = rb.Probelm


def test_examples_do_what_they_say():
    met = 0
    for name in rb.__all__:
        for example in doctest.DocTestFinder(recurse=False).find(getattr(rb, name), name, globs={}):
            done = doctest.DocTestRunner().run(example)
            met += done.attempted
            assert done.failed == 0, name
    assert met > 10


def test_help_shows_every_option_with_its_values():
    text = pydoc.plain(pydoc.render_doc(rb.fit))
    for method in METHODS.values():
        part = " ".join(text.partition(f"\n        {method.name}: ")[2].split())
        for name, values in options(method).items():
            assert f"{name} = {values}" in part, method.name
    assert "'gaussian+lbfgs'" in text


@pytest.fixture(scope="module")
def problem():
    return noise(0, 8, 2, 2, 0.1)


@pytest.mark.parametrize("method", ["sdp", "cpp"])
def test_a_fit_has_a_proved_interval(problem, method):
    fit = rb.fit(problem, method=method, width=20, seed=0)
    assert fit.status == rb.Status.OK == "ok"
    assert fit.objective == problem.objective(fit.network)
    assert 0 < fit.lower_bound <= rb.verify(fit.certificate, problem)
    assert fit.lower_bound <= fit.objective
    assert fit.gap == pytest.approx((fit.objective - fit.lower_bound) / fit.objective)
    assert fit.network.predict(problem.X).shape == problem.Y.shape


def test_a_method_without_a_certificate_has_no_bound(problem):
    fit = rb.fit(problem, method="lbfgs", width=5)
    assert fit.objective > 0
    assert fit.lower_bound is None
    assert fit.gap is None


def test_a_claim_that_is_not_proved_is_no_bound(problem, tmp_path):
    path = tmp_path / "own.py"
    path.write_text(LIAR)
    fit = rb.fit(problem, method=f"{path}:liar", width=5)
    assert fit.lower_bound is None
    assert "is not proved" in fit.message
    with pytest.raises(CertificateError, match="must prove the bound that it claims"):
        rb.verify(fit.certificate, problem)
    with pytest.raises(rb.RelaxbenchError, match="must return a Fit"):
        rb.fit(problem, method=f"{path}:nothing")


def test_a_certificate_of_another_problem_is_refused(problem):
    fit = rb.fit(problem, width=5)
    other = rb.Problem(problem.X, problem.Y, problem.gamma / 10)
    with pytest.raises(CertificateError):
        rb.verify(fit.certificate, other)
    with pytest.raises(CertificateError):
        rb.verify(replace(fit.certificate, theta=fit.certificate.theta[:-1]), problem)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda problem: rb.fit(problem, method="cppp"), "Did you mean 'cpp'"),
        (lambda problem: rb.fit(problem, method=None), "method is unknown: 'None'"),
        (lambda problem: rb.fit(problem.X), "problem must be a Problem. Got ndarray instead"),
        (lambda problem: rb.fit(problem, solver="mosek"), "solver"),
        (lambda problem: rb.fit(problem, rounding="gausian+lbfgs"), r"Did you mean 'gaussian\+lbfgs'"),
        (lambda problem: rb.fit(problem, roundin="tos"), "Did you mean 'rounding'"),
        (lambda problem: rb.fit(problem, widht=10), "Did you mean 'width'"),
        (lambda problem: rb.fit(problem, "ridge", gap=0.1), r"it has none"),
        (lambda problem: rb.fit(problem, cuts=object()), "option cuts of method sdp"),
        (lambda problem: rb.fit(problem, "lbfgs", width="a"), "width must be a valid integer. Got 'a'"),
        (lambda problem: rb.fit(problem, "lbfgs", seed=-1), "seed must be greater than or equal to 0. Got -1"),
        (lambda problem: rb.fit(problem, "lbfgs", budget="x"), "budget must be a valid number. Got 'x'"),
        (lambda problem: rb.certify(problem, "net.npz"), "network must be a Network. Got str instead"),
        (lambda problem: rb.verify(None, problem), "the method proved no bound"),
        (lambda problem: rb.run("smoke", out="nowhere", roundin="tos"), "Did you mean 'rounding'"),
        (lambda problem: rb.run("smoke", out="nowhere", method="sdpp"), "Did you mean 'sdp'"),
        (lambda problem: rb.run("smoek", out="nowhere"), "Did you mean 'smoke'"),
        (lambda problem: rb.open_run("nowhere"), "must be the folder of a run"),
        (lambda problem: rb.load("irsi"), "did you mean 'iris'"),
        (lambda problem: rb.Problem(problem.X, problem.Y, -1), "gamma must be"),
    ],
)
def test_bad_input_is_one_line_that_names_the_fix(problem, call, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(rb.RelaxbenchError, match=words) as caught:
        call(problem)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_run_is_an_object(tmp_path):
    grid = {"dataset": "random", "method": ["sdp", "ridge"], "gamma": 0.1, "width": [5], "jobs": 1}
    run = rb.run(out=tmp_path / "r", **grid)
    assert run.summary.statuses == {"ok": 2}
    assert list(run.results["method"]) == ["sdp", "ridge"]
    assert 0 < run.tightness["certified_ratio"].iloc[0] <= 1
    again = rb.open_run(tmp_path / "r")
    assert again.results.equals(run.results)
    assert all(check.holds for check in again.verify())
    cell = again.results["cell"].iloc[0]
    assert again.arrays(cell)["network_U"].shape == (2, 5)
    assert len(again.trace(cell)) > 0
    assert rb.compare(tmp_path / "r", tmp_path / "r").exit_code == 0


def test_the_methods_are_those_of_the_registry():
    assert {"sdp", "cpp", "branch", "nngp"} <= {method.name for method in rb.methods()}


def test_networks_are_float64_and_predict():
    network = rb.Network(np.eye(2), np.ones((2, 1)))
    assert network.predict(np.array([[1.0, -1.0]])) == 1.0
