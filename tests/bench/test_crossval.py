"""γ by cross-validation: which γ is picked, on which rows, what is recorded; test rows have no say."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from relaxbench.bench.compare.checks import quality
from relaxbench.bench.compare.match import Pair, match
from relaxbench.bench.engine.schedule import tasks
from relaxbench.bench.engine.task import Task
from relaxbench.bench.grid.cell import expand
from relaxbench.bench.grid.spec import check_spec
from relaxbench.bench.grid.tolerances import check_tolerances
from relaxbench.bench.results.labels import labels, rows_of
from relaxbench.bench.results.tables import frame
from relaxbench.bench.scoring import crossval
from relaxbench.bench.scoring.crossval import FOLDS, GAMMAS, cross_validate, folds
from relaxbench.bench.text import UsageError
from relaxbench.solvers.certificates.certificate import Certificate
from relaxbench.solvers.checker import verify
from relaxbench.solvers.fit import Fit
from sklearn.linear_model import Ridge
from sklearn.metrics import accuracy_score, r2_score
from sklearn.model_selection import PredefinedSplit, cross_val_predict

from ..support.work import perform

PLANTED = Path(__file__).parents[1] / "support" / "planted.py"


def clouds(n=30, seed=0):
    """Two overlapping classes in the plane."""
    rng = np.random.default_rng(seed)
    label = np.arange(n) % 2
    return rng.standard_normal((n, 2)) + label[:, None], np.eye(2)[label]


def linear(problem, budget):
    """Ridge regression without intercept, γ its penalty."""
    X, Y = problem.X, problem.Y
    W = np.linalg.solve(X.T @ X + problem.gamma * np.eye(problem.d), X.T @ Y)
    return Fit(lambda Z: Z @ W)


@settings(deadline=None)
@given(st.integers(2, 40), st.integers(1, 4), st.integers(0, 5))
def test_folds_share_rows_and_classes_out_evenly(n, c, seed):
    Y = np.eye(c)[np.random.default_rng(seed).integers(0, c, n)]
    X = np.arange(n, dtype=float)[:, None]
    fold = folds(X, Y, True, np.random.default_rng(seed))
    sizes = np.bincount(fold)
    assert len(sizes) == min(n, FOLDS)
    assert sizes.max() - sizes.min() <= 1
    for label in range(c):
        of_class = np.bincount(fold[Y[:, label] == 1], minlength=len(sizes))
        assert of_class.max() - of_class.min() <= 1
    np.testing.assert_array_equal(fold, folds(X, Y, True, np.random.default_rng(seed)))


def test_copies_of_a_row_share_a_fold():
    X = np.random.default_rng(0).integers(0, 12, (60, 1)).astype(float)
    fold = folds(X, np.eye(2)[np.arange(60) % 2], True, np.random.default_rng(0))
    assert set(fold) == set(range(FOLDS))
    assert all(len(set(fold[X[:, 0] == value])) == 1 for value in X[:, 0])


@pytest.mark.parametrize("classes", [True, False])
def test_scores_are_those_of_scikit_learns_cross_validation(classes):
    X, Y = clouds()
    if not classes:
        Y = X @ np.ones((2, 1)) + np.random.default_rng(1).standard_normal((30, 1))
    split = PredefinedSplit(folds(X, Y, classes, np.random.default_rng(7)))
    expected = {}
    for gamma in GAMMAS:
        outputs = cross_val_predict(Ridge(alpha=gamma, fit_intercept=False), X, Y, cv=split).reshape(Y.shape)
        expected[gamma] = accuracy_score(Y.argmax(1), outputs.argmax(1)) if classes else r2_score(Y, outputs)
    problem, fit = cross_validate(linear, X, Y, classes=classes, seed=7, budget=60.0)
    assert problem.gamma == max(gamma for gamma in GAMMAS if expected[gamma] == max(expected.values()))
    found = {float(g): float(s) for g, s in (part.split(": ") for part in fit.info["cv_scores"].split(", "))}
    assert found == {gamma: pytest.approx(score, abs=1e-4) for gamma, score in expected.items()}
    np.testing.assert_allclose(fit.predict(X), linear(problem, 1.0).predict(X))


def test_every_row_is_predicted_once_for_each_gamma_by_a_fit_that_never_saw_it():
    X, Y = clouds()
    rows = {tuple(row) for row in X}
    seen = []

    def fit(problem, budget):
        train = {tuple(row) for row in problem.X}

        def predict(Z):
            held = {tuple(row) for row in Z}
            assert train == rows - held
            seen.append((problem.gamma, held))
            return np.zeros((len(Z), 2))

        return Fit(predict)

    cross_validate(fit, X, Y, classes=True, seed=0, budget=60.0)
    for gamma in GAMMAS:
        held = [row for g, part in seen if g == gamma for row in part]
        assert len(held) == len(rows)
        assert set(held) == rows


@pytest.mark.parametrize(("good", "chosen"), [({0.1}, 0.1), ({0.01, 10.0}, 10.0), (set(), max(GAMMAS))])
def test_of_equal_scores_the_larger_gamma_is_taken(good, chosen):
    X, Y = clouds()

    def fit(problem, budget):
        label = {tuple(row): y for row, y in zip(X, Y, strict=True)}
        sign = 1 if problem.gamma in good else -1
        return Fit(lambda Z: sign * np.array([label[tuple(row)] for row in Z]))

    assert cross_validate(fit, X, Y, classes=True, seed=0, budget=60.0)[0].gamma == chosen


@pytest.mark.parametrize(
    ("good", "words"),
    [
        (set(), "could not tell the γ apart, all score 0: the largest is taken"),
        ({100.0}, "chose γ = 100, the end of its grid"),
        ({0.001}, "chose γ = 0.001, the end of its grid"),
        ({0.1}, ""),
    ],
)
def test_a_choice_that_says_little_is_said_to(good, words):
    X, Y = clouds()

    def fit(problem, budget):
        label = {tuple(row): y for row, y in zip(X, Y, strict=True)}
        sign = 1 if problem.gamma in good else -1
        return Fit(lambda Z: sign * np.array([label[tuple(row)] for row in Z]))

    message = cross_validate(fit, X, Y, classes=True, seed=0, budget=60.0)[1].message
    assert words in message
    assert bool(words) == bool(message)


def test_a_gamma_that_fails_or_diverges_is_out_and_without_any_the_reason_is_told():
    X, Y = clouds()

    def fit(problem, budget, left=(1.0,)):
        if problem.gamma == 100.0:
            raise ValueError("planted")
        if problem.gamma == 10.0:
            return Fit(lambda Z: np.full((len(Z), 2), np.inf))
        return Fit(lambda Z: np.zeros((len(Z), 2)), status="ok" if problem.gamma in left else "diverged")

    assert cross_validate(fit, X, Y, classes=True, seed=0, budget=60.0)[0].gamma == 1.0
    with pytest.raises(RuntimeError, match=r"no γ could be cross-validated: .*diverged"):
        cross_validate(lambda p, b: fit(p, b, left=()), X, Y, classes=True, seed=0, budget=60.0)
    with pytest.raises(UsageError, match="at least 2 different training rows"):
        cross_validate(fit, X[:1], Y[:1], classes=True, seed=0, budget=60.0)


def test_fits_that_the_time_limit_cut_are_told_of_and_leave_the_last_fit_its_share():
    X, Y = clouds()
    budgets = []

    def fit(problem, budget):
        budgets.append(budget)
        return Fit(lambda Z: np.zeros((len(Z), 2)), status="timeout" if problem.n < len(X) else "ok")

    _, last = cross_validate(fit, X, Y, classes=True, seed=0, budget=100.0)
    fits = len(GAMMAS) * FOLDS
    assert last.status == "timeout", "the clock had a say in γ"
    assert last.message.startswith(f"the time limit cut {fits} of {fits} fits to folds short")
    np.testing.assert_allclose(budgets[0], 60.0 / fits, rtol=0.01)
    assert budgets[-1] > 99.0


def cells(tables, **more):
    return expand(check_spec({"method": [{"use": f"{PLANTED}:good"}], "width": 8, "gamma": "cv", **tables, **more}))


def test_test_rows_change_neither_the_chosen_gamma_nor_the_fit(tmp_path):
    X, Y = clouds()
    rng = np.random.default_rng(3)
    results = []
    for k in range(3):  # the same twice, then other test rows
        X_test, y_test = (X, Y.argmax(1)) if k < 2 else (100 * rng.standard_normal((9, 2)), np.arange(9) % 2)
        np.savez(tmp_path / f"{k}.npz", X=X, y=Y.argmax(1), X_test=X_test, y_test=y_test)
        (cell,) = cells({"dataset": [{"name": f"file:{tmp_path / str(k)}.npz"}]})
        results += perform(Task((cell,), timeout=60.0))
    for other in results[1:]:
        assert other.info["cv_scores"] == results[0].info["cv_scores"]
        for name in ("gamma", "objective", "train_accuracy"):
            assert other.columns[name] == results[0].columns[name]
        for name, array in results[0].arrays.items():
            np.testing.assert_array_equal(other.arrays[name], array)
    assert results[2].columns["test_accuracy"] != results[0].columns["test_accuracy"]
    assert results[0].columns["gamma"] in GAMMAS


@pytest.mark.thorough
def test_bounds_are_those_of_the_problem_at_the_chosen_gamma(monkeypatch):
    monkeypatch.setattr(crossval, "GAMMAS", (1.0, 0.1))
    table = {
        "dataset": [{"name": "spiral", "points": 3}],
        "method": [{"name": "sdp", "rounding": "gaussian", "gap": 0.1}],
    }
    (cell,) = cells(table)
    (result,) = perform(Task((cell,), timeout=60.0))
    columns, data = result.columns, cell.data.load()
    assert columns["status"] == "ok"
    assert columns["lower_bound"] <= columns["objective"]
    certificate = Certificate.from_arrays(columns["certificate"], result.arrays, columns["lower_bound"])
    proved = verify(certificate, data.X_train, data.Y_train, columns["gamma"])
    assert columns["lower_bound"] <= proved * (1 + 1e-6)
    assert columns["runtime_s"] > result.info["cv_s"] > 0
    assert columns["round_s"] > 0


def test_a_method_that_does_not_apply_says_so_and_has_no_gamma(tmp_path):
    (tmp_path / "own.py").write_text(
        "from relaxbench.solvers.fit import Fit\n"
        "def no(problem, *, budget):\n"
        "    return Fit(None, status='unsupported', message='not for this')\n"
    )
    (cell,) = cells({"dataset": [{"name": "spiral"}], "method": [{"use": f"{tmp_path}/own.py:no"}]})
    (result,) = perform(Task((cell,), timeout=60.0))
    assert (result.columns["status"], result.columns["gamma"]) == ("unsupported", None)
    assert result.columns["message"] == "not for this"


def test_cells_with_gamma_by_cv_are_tasks_of_their_own_and_say_so():
    spiral = {"dataset": [{"name": "spiral", "points": 4}]}
    methods = [{"name": "sdp"}, {"name": "sgd"}]
    found = cells(spiral, method=methods, gamma=["cv", 0.1], seed=[0, 1])
    assert len({cell.hash for cell in found}) == 8
    chosen = [task for task in tasks(found, 10.0) if task.cells[0].gamma is None]
    assert len(chosen) == 4
    assert not any(task.relaxing or len(task.cells) > 1 for task in chosen)
    for cell in found:
        expected = {"gamma": 0.1, "gamma_by": None} if cell.gamma else {"gamma": None, "gamma_by": "cv"}
        assert expected.items() <= cell.columns.items()
        assert ("γ by cv" in cell.label) == (cell.gamma is None)


def test_cells_are_compared_whichever_gamma_was_chosen():
    (cell,) = cells({"dataset": [{"name": "spiral", "points": 4}]})
    base, cand = ({**cell.columns, "gamma": gamma, "cell": str(gamma)} for gamma in (0.1, 1.0))
    given = {**base, "gamma_by": None, "cell": "given"}
    matching = match([base, given], [cand])
    assert [(pair.base["gamma"], pair.cand["gamma"]) for pair in matching.pairs] == [(0.1, 1.0)]
    assert [row["cell"] for row, _ in matching.missing] == ["given"]
    assert "γ by cv" in labels([base, given])["0.1"]
    assert "γ=0.1" in labels([base, given])["given"]


def test_what_another_gamma_changes_by_itself_is_no_regression():
    columns = {"cell": "a", "gamma_by": "cv", "status": "ok"}
    rows = [{**columns, "gamma": 0.1, "objective": 1.0, "test_accuracy": 0.9, "train_accuracy": 1.0}]
    rows += [{**columns, "gamma": 1.0, "objective": 5.0, "test_accuracy": 0.8, "train_accuracy": 0.9}]
    pair = Pair(*rows_of(frame(rows)))
    verdicts = {check.column: check.verdict for check in quality([pair], {"a": "a"}, check_tolerances({}))}
    expected = {"status": "ok", "objective": "advisory", "train_accuracy": "advisory", "test_accuracy": "regression"}
    assert verdicts == expected
