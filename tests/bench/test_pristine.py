"""A method is scored on what it was asked, whatever it does to what it was handed, and so is the next one."""

from pathlib import Path

import numpy as np
import pytest
from relaxbench.bench.engine.task import Task
from relaxbench.bench.grid.cell import expand
from relaxbench.bench.grid.spec import check_spec
from relaxbench.datasets import load

from ..support.work import perform

PLANTED = Path(__file__).parents[1] / "support" / "planted.py"
SMALL = {"name": "random", "n": 6, "n_test": 4}


def result_of(method, **tables):
    given = {key: value for key, value in tables.items() if key != "gamma"}
    table = {"use": f"{PLANTED}:{method}", **given}
    (cell,) = expand(check_spec({"dataset": [SMALL], "method": [table], "width": 3, "gamma": tables.get("gamma", 0.1)}))
    (result,) = perform(Task((cell,), timeout=100.0))
    return result


@pytest.mark.parametrize("what", ["attribute", "values", "gamma", "objective"])
@pytest.mark.parametrize("gamma", [0.1, "cv"])
def test_the_objective_is_that_of_the_problem_that_was_asked(what, gamma):
    result = result_of("meddling", what=what, gamma=gamma)
    data = load("random", seed=0, n=6, n_test=4)
    U, V = result.arrays["network_U"], result.arrays["network_V"]
    chosen = 0.1 if gamma == 0.1 else result.columns["gamma"]
    assert chosen >= 1e-3
    fit = 0.5 * np.sum((np.maximum(data.X_train @ U, 0) @ V - data.Y_train) ** 2)
    assert result.columns["objective"] == pytest.approx(fit + chosen / 2 * (np.sum(U**2) + np.sum(V**2)), rel=1e-12)


def test_a_prediction_that_writes_into_its_rows_changes_nothing_for_the_next_method():
    before = result_of("good")
    assert result_of("meddling", what="predict").columns["status"] == "ok"
    after = result_of("good")
    for name in ("objective", "test_r2", "train_r2", "test_rmse"):
        assert after.columns[name] == before.columns[name]
