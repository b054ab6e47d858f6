"""Exported programs have our value in another solver, and what it finds becomes a proof, whatever it claims."""

import json

import numpy as np
import pytest
from relaxbench.bench import cli
from relaxbench.bench.instances.solution import read_multipliers
from relaxbench.solvers import sdp
from relaxbench.solvers.exchange.multipliers import certificate_of
from relaxbench.solvers.exchange.standard import standard_sdp

import relaxbench as rb

from ..support.sdpfiles import lifted, outside, read_sdpa, solve_cbf, solve_sdpa


def gauss(seed, n, d, c, gamma):
    rng = np.random.default_rng(seed)
    return rb.Problem(rng.standard_normal((n, d)), rng.standard_normal((n, c)), gamma)


def awkward():
    """A zero row, a row twice, one in the opposite direction, dependent columns, large units."""
    rng = np.random.default_rng(4)
    X = rng.standard_normal((7, 2))
    X[1], X[2], X[3] = 0.0, 2 * X[0], -0.5 * X[0]
    return rb.Problem(30 * np.hstack([X, X[:, :1]]), 20 * rng.standard_normal((7, 2)), 5.0)


PROBLEMS = {
    "plane": lambda: gauss(0, 7, 2, 2, 0.1),
    "space": lambda: gauss(1, 6, 3, 1, 0.05),
    "more features than rows": lambda: gauss(2, 4, 6, 3, 0.3),
    "one row": lambda: gauss(3, 1, 2, 2, 0.1),
    "awkward": awkward,
}
SOLVERS = {"sdpa": solve_sdpa, "cbf": solve_cbf}


@pytest.fixture(scope="module", params=PROBLEMS)
def solved(request):
    problem = PROBLEMS[request.param]()
    return problem, our(problem)


def our(problem):
    """Our relaxation; the network beside it is not needed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sdp, "SIDE_WIDTH", 1)
        return sdp.relax(problem)


@pytest.mark.parametrize(
    ("form", "format", "value_to", "bound_to"),
    [
        ("reduced", "sdpa", 1e-5, 1e-4),
        ("reduced", "cbf", 1e-5, 1e-4),
        ("literal", "sdpa", 1e-3, 1e-3),  # it has no interior: Clarabel loses half of its digits
    ],
)
def test_another_solver_finds_our_value_in_the_file_and_its_dual_is_a_proof(
    solved, form, format, value_to, bound_to, tmp_path
):
    problem, ours = solved
    path = tmp_path / "program"
    description = json.loads(rb.export_sdp(problem, path, format=format, form=form).read_text())
    answer = SOLVERS[format](path)
    value = description["offset"] + description["scale"] * answer.objective
    assert value == pytest.approx(ours.value, rel=value_to)
    program = standard_sdp(problem, form)
    assert program.dual_objective(answer.multipliers) == pytest.approx(ours.value, rel=value_to)
    certificate = certificate_of(problem, program, answer.multipliers)
    assert certificate.lower_bound == pytest.approx(ours.certificate.lower_bound, rel=bound_to)
    assert rb.verify(certificate, problem) <= ours.value * (1 + 1e-6)


def test_the_description_maps_the_matrix_back_to_the_papers(solved, tmp_path):
    """Z_1 of the reduced file becomes Λ, which the literal file holds feasible, with the same objective."""
    problem, ours = solved
    description = rb.export_sdp(problem, tmp_path / "reduced")
    L = lifted(description, problem.X, solve_sdpa(tmp_path / "reduced").Z)
    n, d, c = problem.n, problem.d, problem.c
    residual = (L[:n, 2 * n + d :] - problem.Y) / np.sqrt(problem.gamma)
    Z_2 = np.block([[np.eye(c), residual.T], [residual, residual @ residual.T]])
    slacks = np.diag([L[i, j] for i in range(2 * n) for j in range(i + 1, 2 * n) if j != i + n])
    assert np.diag(slacks).min(initial=0.0) >= -1e-6 * np.abs(L).max()
    assert np.linalg.eigvalsh(L)[0] >= -1e-6 * np.abs(L).max()

    literal = json.loads(rb.export_sdp(problem, tmp_path / "literal", form="literal").read_text())
    it = read_sdpa(tmp_path / "literal")
    matrices = [L, Z_2, slacks][: len(it.F)]
    products = sum(F.T @ matrix.ravel() for F, matrix in zip(it.F, matrices, strict=True))
    assert np.abs(products[1:] - it.c).max() <= 1e-6 * np.abs(L).max()
    assert literal["offset"] + literal["scale"] * products[0] == pytest.approx(ours.value, rel=1e-5)


@pytest.mark.parametrize("form", ["reduced", "literal"])
def test_the_arrays_are_the_program_of_the_text(form, tmp_path):
    problem = PROBLEMS["plane"]()
    rb.export_sdp(problem, tmp_path / "it.npz", format="npz", form=form)
    rb.export_sdp(problem, tmp_path / "it.cbf", format="cbf", form=form)
    with np.load(tmp_path / "it.npz") as arrays:
        rows = [arrays[f"A_{name}"] for name in ("constraint", "block", "column", "row", "value")]
        lines = (tmp_path / "it.cbf").read_text().split("\n\n")
        (text,) = [part.split("\n")[2:] for part in lines if part.startswith("FCOORD")]
        assert len(text) == len(rows[0])
        written = np.array([line.split() for line in text], dtype=float)
        assert np.array_equal(written, np.array(rows, dtype=float).T)  # every digit, as the values read back the same
        assert arrays["inequalities"] == 2 * problem.n * (problem.n - 1)


def test_the_program_in_cvxpy_has_our_value_and_a_name(solved):
    problem, ours = solved
    program = rb.cvxpy_problem(problem)
    assert [variable.name() for variable in program.variables()] == ["Z"]
    assert program.solve(solver="CLARABEL", accept_unknown=True) == pytest.approx(ours.value, rel=1e-5)
    assert [variable.name() for variable in rb.cvxpy_problem(problem, "literal").variables()] == ["Λ"]
    with pytest.raises(rb.RelaxbenchError, match="form must be 'reduced' or 'literal'"):
        rb.cvxpy_problem(problem, "other")


@pytest.mark.parametrize("form", ["reduced", "literal"])
def test_no_multipliers_prove_more_than_is_true(form):
    problem = PROBLEMS["plane"]()
    program, limit = standard_sdp(problem, form), rb.certify(problem, gap=1e-6).upper
    rng = np.random.default_rng(0)
    honest = certificate_of(problem, program, np.zeros(len(program.b))).lower_bound
    for scale in (1e-300, 1e-9, 1.0, 1e9, 1e90):
        forged = certificate_of(problem, program, scale * rng.standard_normal(len(program.b)))
        assert 0 <= honest <= forged.lower_bound <= limit
        assert rb.verify(forged, problem) <= limit


@pytest.fixture
def exported(tmp_path):
    """A file of data, its export, and the multipliers of a good solution."""
    problem = PROBLEMS["plane"]()
    np.savez(tmp_path / "my.npz", X=problem.X, Y=problem.Y)
    out = tmp_path / "my.dat-s"
    words = ["instances", "export", f"file:{tmp_path / 'my.npz'}", "--gamma", "0.1", "--out", str(out)]
    assert cli.main(words) == 0
    return problem, out, solve_sdpa(out).multipliers


def as_sdpa(y):
    return (
        "phase.value = pdOPT\nxVec = \n{"
        + ",".join(f"{each:+.16e}" for each in y)
        + "}\nxMat = \n{\n{ {+1.0e+00} }\n}\n"
    )


def as_csdp(y):
    return " ".join(f"{each:.18e}" for each in y) + " \n1 1 1 1 1.0\n2 1 1 1 1.0\n"


@pytest.mark.parametrize("written", [as_sdpa, as_csdp])
def test_a_solution_is_read_and_proved(exported, written, tmp_path, capsys):
    problem, out, y = exported
    solution, proof = tmp_path / "solution", tmp_path / "proof"
    solution.write_text(written(y))
    capsys.readouterr()
    assert cli.main(["instances", "read", str(solution), "--instance", f"{out}.json", "--out", str(proof)]) == 0
    ours = our(problem).certificate.lower_bound
    facts = json.loads((proof / "certificate.json").read_text())
    assert facts["lower"] == pytest.approx(ours, rel=1e-4)
    assert f"at least {facts['lower']:.8g}" in capsys.readouterr().out
    with np.load(proof / "certificate.npz") as arrays:
        again = rb.Certificate.from_arrays(facts["certificate"], arrays, facts["lower"])
    assert rb.verify(again, problem) == facts["lower"]
    assert rb.read_solution(solution, problem).lower_bound == pytest.approx(ours, rel=1e-4)


def test_an_instance_is_exported_by_its_name_and_has_gamma_and_data_of_its_own(tmp_path, capsys):
    name, out, solution = "random-n10-d2-c1-s0-g0.01", tmp_path / "it.dat-s", tmp_path / "it.sol"
    assert cli.main(["instances", "export", name, "--out", str(out)]) == 0
    described = json.loads((tmp_path / "it.dat-s.json").read_text())
    assert (described["gamma"], described["n"], described["d"], described["c"]) == (0.01, 10, 2, 1)
    solution.write_text(as_csdp(np.zeros(sum(group["count"] for group in described["multipliers"]))))
    assert cli.main(["instances", "read", str(solution), "--instance", f"{out}.json"]) == 0
    assert "at least 0 " in capsys.readouterr().out
    for wrong in ([name, "--gamma", "0.1"], [name, "--bias"], ["iris"]):
        assert cli.main(["instances", "export", *wrong, "--out", str(tmp_path / "no")]) == 2
        assert capsys.readouterr().err.count("\n") == 1
    assert not (tmp_path / "no").exists()


BAD_SOLUTIONS = {
    "": "no multipliers",
    "hello\n": "must be a solution of SDPA",
    "1.0 2.0\n": "must have the 108 multipliers of this program. Got 2",
    "xVec = {1.0, 2.0": "was it cut off",
    "xVec = {}": "no multipliers",
    "xVec = {1.0, {2.0}}": "xVec",
    " ".join(["nan"] * 108): "must be finite, at most 1e+100. Got nan in place 0",
    " ".join(["1"] * 107 + ["1e999"]): "must be finite, at most 1e+100. Got inf in place 107",
    " ".join(["1"] * 107 + ["-1e101"]): "Got -1e+101 in place 107",
    "\x00\xff" * 10: "must be a solution of SDPA",
}


@pytest.mark.parametrize("text", BAD_SOLUTIONS, ids=range(len(BAD_SOLUTIONS)))
def test_a_broken_solution_is_one_line(exported, text, tmp_path, capsys):
    _, out, _ = exported
    (tmp_path / "bad").write_text(text)
    capsys.readouterr()
    proof = tmp_path / "proof"
    assert cli.main(["instances", "read", str(tmp_path / "bad"), "--instance", f"{out}.json", "--out", str(proof)]) == 2
    said = capsys.readouterr().err
    assert BAD_SOLUTIONS[text] in said
    assert said.count("\n") == 1
    assert not proof.exists()


def test_a_huge_solution_is_not_read(exported, tmp_path, capsys):
    _, out, _ = exported
    with (tmp_path / "huge").open("wb") as file:
        file.truncate(2**40)  # of holes
    assert cli.main(["instances", "read", str(tmp_path / "huge"), "--instance", f"{out}.json"]) == 2
    assert "at most 268,435,456 bytes" in capsys.readouterr().err
    assert cli.main(["instances", "read", str(tmp_path), "--instance", f"{out}.json"]) == 2
    assert cli.main(["instances", "read", str(tmp_path / "none"), "--instance", f"{out}.json"]) == 2


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda it: it | {"sha256": "0" * 64}, "must be the data of the export"),
        (lambda it: it | {"options": it["options"] | {"bias": True}}, "must be the data of the export"),
        (lambda it: it | {"options": {"data_dir": "/"}}, "options.data_dir"),
        (lambda it: it | {"form": "other"}, "form"),
        (lambda it: it | {"gamma": -1}, "gamma must be"),
        (lambda it: it | {"gamma": "x"}, "gamma"),
        (lambda it: {"form": "reduced"}, "dataset: Field required"),
        (lambda it: [1], "the file"),
    ],
)
def test_a_broken_description_is_one_line(exported, change, words, tmp_path, capsys):
    _, out, y = exported
    (tmp_path / "good").write_text(as_csdp(y))
    description = out.with_name(f"{out.name}.json")
    description.write_text(json.dumps(change(json.loads(description.read_text()))))
    capsys.readouterr()
    assert cli.main(["instances", "read", str(tmp_path / "good"), "--instance", str(description)]) == 2
    said = capsys.readouterr().err
    assert words in said
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["export", "iris", "--gamma", "0.1"], "--out"),
        (["export", "iris", "--gamma", "0", "--out", "x"], "gamma must be"),
        (["export", "irsi", "--gamma", "1", "--out", "x"], "did you mean 'iris'"),
        (["export", "iris", "--gamma", "1", "--out", "no/x"], "can be written"),
        (["export", "pima", "--gamma", "1", "--out", "x"], "at most 20,000,000 entries"),
        (["exprot"], "Did you mean 'export'"),
        ([], "a command is missing (see relaxbench instances --help)"),
    ],
)
def test_wrong_usage_is_one_line_and_writes_nothing(words, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["instances", *words]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def agrees(problem, solver, folder):
    rb.export_sdp(problem, folder / "it.dat-s")
    y = read_multipliers(outside(solver, "it.dat-s", folder))
    ours, program = our(problem), standard_sdp(problem)
    assert program.dual_objective(y) == pytest.approx(ours.value, rel=1e-5)
    certificate = certificate_of(problem, program, y)
    assert certificate.lower_bound >= ours.certificate.lower_bound * (1 - 1e-4)
    assert rb.verify(certificate, problem) <= ours.value * (1 + 1e-6)


@pytest.mark.parametrize("solver", ["csdp", "sdpa"])
def test_outside_solvers_agree_with_us(solver, tmp_path):
    agrees(PROBLEMS["more features than rows"](), solver, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("solver", ["csdp", "sdpa"])
@pytest.mark.parametrize(
    ("name", "options", "gamma"),
    [
        ("random", {"seed": 1, "c": 3}, 0.1),
        ("random", {"seed": 2, "n": 15, "d": 4}, 0.1),
        ("spiral", {"n": 18}, 0.1),
        ("iris", {"n": 20}, 0.1),
        ("pima", {"n": 16, "preprocess": "standardize"}, 0.1),
    ],
)
def test_outside_solvers_agree_with_us_on_data_sets(solver, name, options, gamma, tmp_path):
    data = rb.load(name, **options)
    agrees(rb.Problem(data.X_train, data.Y_train, gamma), solver, tmp_path)


def test_a_solver_of_many_digits_lies_in_our_interval():
    """SDPA-GMP, which comes as the same Python package as SDPA does: pip install sdpa-multiprecision."""
    sdpacall = pytest.importorskip("sdpap.sdpacall.sdpacall", reason="SDPA-GMP IS NOT INSTALLED")
    if not sdpacall.get_backend_info()["gmp"]:
        pytest.skip("SDPA-GMP IS NOT INSTALLED: pip install sdpa-multiprecision in place of sdpa-python")
    problem = PROBLEMS["more features than rows"]()
    ours = our(problem)
    value = rb.cvxpy_problem(problem).solve(solver="SDPA", epsilonStar=1e-12, epsilonDash=1e-12, verbose=False)
    assert ours.certificate.lower_bound <= value <= ours.value
