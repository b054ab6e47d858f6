"""The gate: whatever a method claims, `lower_bound` holds only what the checker proved from the saved arrays."""

import sys
from dataclasses import replace
from pathlib import Path
from pkgutil import resolve_name

import numpy as np
import pandas as pd
import pytest
from relaxbench.bench.cli import main
from relaxbench.bench.engine import local as pool
from relaxbench.bench.engine.local import WorkerEnded, _Slot
from relaxbench.bench.engine.run import run
from relaxbench.bench.engine.task import Task
from relaxbench.bench.engine.worker import Worker
from relaxbench.bench.grid import methods
from relaxbench.bench.grid.cell import expand
from relaxbench.bench.grid.registry import Method
from relaxbench.bench.grid.spec import check_spec
from relaxbench.bench.results import alarms
from relaxbench.bench.results.folder import load_arrays, load_results
from relaxbench.bench.results.tables import results_table
from relaxbench.bench.scoring.gate import BOUND_COLUMNS
from relaxbench.bench.verify.bounds import verify
from relaxbench.reports.page.page import write_page
from relaxbench.reports.reading import read

from ..support.work import perform

PLANTED = Path(__file__).parents[1] / "support" / "planted.py"
SMALL = {"name": "random", "n": 6, "n_test": 4}


def spec(*names, **tables):
    chosen = [{"use": f"{PLANTED}:{name}"} if isinstance(name, str) else name for name in names]
    return check_spec({"dataset": [SMALL], "method": chosen, "width": 3, "jobs": 1, **tables})


def columns_of(**options):
    (cell,) = expand(spec({"use": f"{PLANTED}:{options.pop('use')}", **options}))
    (result,) = perform(Task((cell,), timeout=60.0))
    return result.columns


def weakest(share, gamma=0.1):
    """What Θ = share·Y proves by the triangle inequality, by the definition."""
    data = expand(spec("good"))[0].data.load()
    theta = share * data.Y_train
    eta = sum(np.linalg.norm(theta, axis=1) * np.linalg.norm(data.X_train, axis=1))
    t = min(1.0, gamma / eta, np.sum(theta * data.Y_train) / np.sum(theta**2))
    return t * np.sum(theta * data.Y_train) - 0.5 * t**2 * np.sum(theta**2)


@pytest.mark.parametrize(
    "how", ["nothing", "empty proof", "NaN", "shape", "kind", "no kind", "objects", "no arrays", "infinite"]
)
def test_a_claim_without_proof_is_no_bound(how):
    columns = columns_of(use="claiming", how=how)
    assert columns["status"] == "ok"
    assert columns.get("lower_bound") is None
    assert columns.get("certificate") is None
    assert columns["claimed_bound"] == (1e3 if how != "infinite" else sys.float_info.max)
    assert "is not proved: " in columns["message"]
    assert "\n" not in columns["message"]
    assert columns["objective"] > 0, "the network counts all the same"


@pytest.mark.parametrize(("how", "words"), [("text", "must be a number"), ("no certificate", "must be a Certificate")])
def test_what_is_no_certificate_breaks_the_contract(how, words):
    columns = columns_of(use="claiming", how=how)
    assert columns["status"] == "failed"
    assert words in columns["message"]


def test_a_claim_that_says_nothing_is_none():
    columns = columns_of(use="claiming", how="no number")
    assert (columns["status"], columns.get("lower_bound"), columns.get("claimed_bound")) == ("ok", None, None)


@pytest.mark.parametrize(
    ("factor", "proved"), [(0.5, True), (1 - 1e-8, True), (1.0, True), (1 + 1e-7, True), (1 + 1e-5, False), (2, False)]
)
def test_a_claim_counts_as_far_as_it_is_proved(factor, proved):
    truth = weakest(0.01)
    columns = columns_of(use="bounded", share=0.01, lower=factor * truth)
    if proved:
        assert columns["lower_bound"] == pytest.approx(min(factor, 1 - 1e-10) * truth, rel=1e-11)
        assert columns["lower_bound"] <= truth
        assert columns["claimed_bound"] is None
        assert not columns["message"]
    else:
        assert columns.get("lower_bound") is None
        assert columns["claimed_bound"] == factor * truth


@pytest.mark.thorough
@pytest.mark.filterwarnings("default:1 cell claims a bound:RuntimeWarning")
def test_a_run_says_what_was_not_proved_and_its_tables_keep_it_out(tmp_path, capsys):
    config = tmp_path / "c.toml"
    uses = "".join(f'[[method]]\nuse = "{PLANTED}:{name}"\n' for name in ("claiming", "good"))
    config.write_text(f'width = 3\n[[dataset]]\nname = "random"\nn = 6\nn_test = 4\n{uses}', encoding="utf-8")
    out = tmp_path / "out"
    assert main(["run", str(config), "--out", str(out), "--jobs", "1"]) == 0
    said = capsys.readouterr().err
    assert "warning: 1 cell claims a bound that is not proved" in said
    assert "claimed bound 1000 is not proved: the certificate proves 0" in said
    table = pd.read_csv(out / "results.csv").set_index("method")
    assert table["lower_bound"].isna().all()
    assert table["gap"].isna().all()
    assert table.loc["planted.py:claiming", "claimed_bound"] == 1000
    found = read(out)
    page = write_page(found, [], [], {}, tmp_path, "").read_text(encoding="utf-8")
    assert "In these results: " in page
    assert "1 cell claims a bound that is not proved" in page
    assert "is proved to lie" not in page


@pytest.mark.thorough
def test_rounded_cells_take_over_what_was_proved_of_their_relaxation(tmp_path, monkeypatch):
    path = tmp_path / "stages.py"
    path.write_text(
        "import numpy as np\n"
        "from relaxbench.bench.grid.methods import load\n"
        "from relaxbench.solvers.fit import Fit\n"
        "from relaxbench.solvers.network import Network\n"
        "from relaxbench.solvers.relaxation import Relaxation\n"
        "def relax(problem, *, budget, claim: float = 0.0):\n"
        f"    bound = load('{PLANTED}:weak')(problem, claim, 0.01)\n"
        "    return Relaxation(np.ones((problem.n + problem.d + problem.c, 2)), 1.5, bound)\n"
        "def round(problem, relaxation, *, width, seed, budget):\n"
        "    return Fit(None, Network(np.zeros((problem.d, width)), np.zeros((width, problem.c))))\n"
    )
    method = Method("two", "planted", relax=f"{path}:relax", round=f"{path}:round", code=(str(path),))
    monkeypatch.setitem(methods.METHODS, "two", method)
    asked = spec({"name": "two", "claim": [1e3, 1e-4]}, width=[3, 4])
    with pytest.warns(RuntimeWarning, match="2 cells claim bounds that are not proved"):
        run(asked, tmp_path / "out")
    rows = load_results(tmp_path / "out")
    lies = rows["options"].str.contains("1000")
    assert rows[lies][["lower_bound", "certificate"]].isna().all(axis=None)
    assert rows[lies]["claimed_bound"].tolist() == [1e3, 1e3]
    assert rows[lies]["message"].str.contains("claimed bound 1000 is not proved").all()
    assert rows[~lies]["lower_bound"].tolist() == [1e-4, 1e-4]
    assert rows.groupby("options")["verify_s"].nunique().tolist() == [1, 1], "proved once"
    assert all(check.holds for check in verify(tmp_path / "out"))


def test_a_check_that_takes_the_worker_along_costs_the_bound_alone(tmp_path, monkeypatch):
    call = _Slot._call

    def dying(self, function, *arguments, **limits):
        if arguments[:1] == ("prove",):
            raise WorkerEnded("failed", "the worker process ended")
        return call(self, function, *arguments, **limits)

    monkeypatch.setattr(pool._Slot, "_call", dying)
    with pytest.warns(RuntimeWarning, match="not proved: the worker process ended"):
        run(spec("bounded"), tmp_path / "out")
    (row,) = load_results(tmp_path / "out").to_dict("records")
    assert (row["status"], row["claimed_bound"]) == ("ok", 0.0)
    assert pd.isna(row["lower_bound"])
    assert "network_U" in load_arrays(tmp_path / "out", row["cell"])


MAXIMA = ["certificates.quadratic:proved_maximum", "certificates.quadratic:dual_maximum"]
FALSE = {  # method: a factor, and the functions of its proof that come out wrong by it
    "sdp": (0.5, MAXIMA),
    "branch": (0.5, ["certificates.regions:proved_maximum", *MAXIMA]),
    "cpp": (2.0, ["loss:Squares.below"]),
}


@pytest.mark.thorough
@pytest.mark.parametrize("method", FALSE)
def test_a_false_first_proof_never_becomes_a_bound(method, monkeypatch):
    factor, functions = FALSE[method]
    monkeypatch.setattr(Worker, "_rehearse", lambda self, task: None)  # it compiles what is not needed here
    (cell,) = expand(spec({"name": method}))
    task = Task((cell,), timeout=60.0, relaxing=method == "sdp")
    (honest,) = perform(task)
    assert honest.columns["lower_bound"] > 0
    for name in functions:
        true = resolve_name(f"relaxbench.solvers.{name}")
        wrong = lambda *given, true=true: factor * true(*given)  # noqa: E731
        monkeypatch.setattr(f"relaxbench.solvers.{name.replace(':', '.')}", wrong)
    (result,) = perform(task)
    assert result.columns["status"] == "ok"
    assert result.columns["claimed_bound"] > honest.columns["upper_bound"] > honest.columns["lower_bound"]
    assert result.columns.get("lower_bound") is None
    assert "is not proved" in result.columns["message"]


@pytest.mark.thorough
def test_the_report_and_the_run_name_both_cells_of_a_contradiction(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(
        "relaxbench.bench.engine.local.settle", lambda results, verdicts: [_believed(r) for r in results]
    )
    names = ("claiming", "good")
    config = tmp_path / "c.toml"
    uses = "".join(f'[[method]]\nuse = "{PLANTED}:{name}"\n' for name in names)
    config.write_text(f'width = 3\n[[dataset]]\nname = "random"\nn = 6\nn_test = 4\n{uses}', encoding="utf-8")
    out = tmp_path / "out"
    assert main(["run", str(config), "--out", str(out), "--jobs", "1"]) == 1
    said = capsys.readouterr().err
    cells = load_results(out).set_index("method")["cell"]
    for name in names:
        assert cells[f"planted.py:{name}"][:8] in said
    assert "alarm: the lower bound 1000 of cell" in said
    assert len(read(out).alarms) == 1


def _believed(result):
    if not result.kind:
        return result
    columns = {**result.columns, "lower_bound": result.columns["claimed_bound"], "claimed_bound": None}
    return replace(result, columns=columns)


def test_contradictions_are_found_within_a_problem_and_to_the_last_bit():
    def row(cell, **columns):
        return {"cell": cell, "dataset": "x", "data": "d", "gamma": 0.1, "method": cell, "status": "ok", **columns}

    def found(*rows):
        return alarms.contradictions(results_table(rows))

    assert found(row("a", lower_bound=1.0), row("b", objective=1.0)) == []
    assert found(row("a", lower_bound=1.0), row("b", gamma=0.2, objective=0.5)) == []
    assert len(found(row("a", lower_bound=np.nextafter(1.0, 2)), row("b", objective=1.0))) == 1
    (text,) = found(row("a", lower_bound=2.0, objective=3.0), row("b", objective=5.0, upper_bound=1.0))
    assert "of cell a (x a" in text
    assert "of cell b (x b" in text


def test_bound_columns_are_columns_of_the_results():
    from relaxbench.bench.results.columns import COLUMNS

    assert set(BOUND_COLUMNS) <= {column.name for column in COLUMNS}
