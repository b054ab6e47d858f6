import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from relaxbench.bench.cell import expand
from relaxbench.bench.record import Record
from relaxbench.bench.spec import check_spec
from relaxbench.bench.store import Store
from relaxbench.bench.text import UsageError
from relaxbench.bench.verify import forward_objective, verify
from relaxbench.solvers.problem import Network, Problem

PLANTED = Path(__file__).with_name("bench_planted.py")


def store(folder, tamper=None, **columns):
    """A results folder with one cell: a network, its objective, and a certificate that proves 1."""
    table = {"dataset": [{"name": "random", "n": 6}], "method": [{"use": f"{PLANTED}:good"}], "width": 3}
    (cell,) = expand(check_spec(table))
    dataset = cell.data.load()
    rng = np.random.default_rng(0)
    network = Network(rng.standard_normal((dataset.X_train.shape[1], 3)), rng.standard_normal((3, 5)))
    arrays = {
        "network_U": network.U,
        "network_V": network.V,
        "certificate_theta": np.zeros((6, 5)),
        "certificate_proves": np.array([1.0]),
    }
    row = {**cell.columns, "cell": cell.hash, "status": "ok", "certificate": "planted"}
    row |= {
        "objective": Problem(dataset.X_train, dataset.Y_train, 0.1).objective(network),
        "lower_bound": 1.0,
        **columns,
    }
    extra = {"data": cell.data.locator, "relaxation": None}
    if tamper:
        tamper(arrays, extra)
    with Store(folder) as open_store:
        open_store.begin("", [row], {})
        open_store.put("cells", cell.hash, Record(row, extra, arrays))
        open_store.write_tables()
    return row


@pytest.fixture(autouse=True)
def prover(monkeypatch):
    """Stands for the solvers' prover: it proves what the certificate's array says. Its own tests are the solvers'."""
    module = ModuleType("relaxbench.solvers.checker")
    module.verify = lambda certificate, X, Y, gamma: float(certificate.proof["proves"][0])
    monkeypatch.setitem(sys.modules, "relaxbench.solvers.checker", module)


def test_forward_pass_against_the_definition():
    rng = np.random.default_rng(3)
    X, Y = rng.standard_normal((7, 3)), rng.standard_normal((7, 2))
    U, V = rng.standard_normal((3, 4)), rng.standard_normal((4, 2))
    total = 0.05 * (np.linalg.norm(U) ** 2 + np.linalg.norm(V) ** 2)
    for x, y in zip(X, Y, strict=True):
        out = sum(max(x @ U[:, k], 0) * V[k] for k in range(4))
        total += 0.5 * np.sum((out - y) ** 2)
    assert forward_objective(U, V, X, Y, 0.1) == pytest.approx(total, rel=1e-13)


def test_true_bounds_hold(tmp_path):
    row = store(tmp_path)
    objective, lower = verify(tmp_path)
    assert (objective.holds, lower.holds) == (True, True)
    assert objective.found == pytest.approx(row["objective"], rel=1e-12)
    assert lower.found == 1.0


def relaxation_network(scale):
    """Save a network of the relaxation: the cell's own one, scaled."""

    def tamper(arrays, extra):
        arrays |= {f"relaxation_{side}": scale * arrays[f"network_{side}"] for side in "UV"}

    return tamper


def test_the_upper_bound_counts_the_network_of_the_relaxation(tmp_path):
    zero = 0.5 * float(np.sum(expand_data().Y_train ** 2))
    store(tmp_path, relaxation_network(0.0), upper_bound=zero)
    objective, upper, lower = verify(tmp_path)
    assert (objective.holds, upper.holds, lower.holds) == (True, True, True)
    assert (upper.bound, upper.found) == ("upper_bound", pytest.approx(zero, rel=1e-12))


def test_an_upper_bound_that_no_saved_network_has_does_not_hold(tmp_path):
    zero = 0.5 * float(np.sum(expand_data().Y_train ** 2))
    store(tmp_path, relaxation_network(0.0), upper_bound=zero * (1 - 1e-6), lower_bound=None)
    assert [check.holds for check in verify(tmp_path)] == [True, False]


def test_a_lower_bound_above_the_network_of_the_relaxation_is_found(tmp_path):
    row = store(tmp_path, lambda a, e: a.update(certificate_proves=np.array([2.0])), lower_bound=2.0, upper_bound=1.5)
    assert row["objective"] > 2.0
    objective, upper, lower = verify(tmp_path)
    assert (objective.holds, upper.holds, lower.holds) == (True, False, False)
    assert "which is below" in lower.message


def expand_data():
    table = {"dataset": [{"name": "random", "n": 6}], "method": [{"use": f"{PLANTED}:good"}], "width": 3}
    return expand(check_spec(table))[0].data.load()


def drop(name):
    return lambda arrays, extra: arrays.pop(name)


def other_data(arrays, extra):
    extra["data"] = {**extra["data"], "seed": 9}


def weaker(arrays, extra):
    arrays["certificate_proves"] = np.array([1.0 - 1e-6])


def other_network(arrays, extra):
    arrays["network_U"] = arrays["network_U"] * (1 + 1e-7)


@pytest.mark.parametrize(
    ("tamper", "columns", "holds", "words"),
    [
        (other_network, {}, [False, True], "another objective"),
        (drop("network_U"), {}, [False, True], "network_U was not saved"),
        (weaker, {}, [True, False], "proves less"),
        (drop("certificate_theta"), {}, [True, False], "theta was not saved"),
        (other_data, {}, [False, False], "must be the data of the run"),
        (None, {"lower_bound": 1e6}, [True, False], "proves less"),
        (
            lambda a, e: a.update(certificate_proves=np.array([1e6])),
            {"lower_bound": 1e6},
            [True, False],
            "which is below",
        ),
        (None, {"objective": 1e6}, [False, True], "another objective"),
        (None, {"data": "0123456789ab"}, [False, False], "as in the record"),
    ],
)
def test_a_bound_that_does_not_hold_is_found(tmp_path, tamper, columns, holds, words):
    store(tmp_path, tamper, **columns)
    checks = list(verify(tmp_path))
    assert [check.holds for check in checks] == holds
    assert any(words in check.message for check in checks)


def test_damaged_arrays_do_not_hold(tmp_path):
    row = store(tmp_path)
    path = tmp_path / "cells" / row["cell"] / "arrays.npz"
    path.write_bytes(path.read_bytes()[:-1])
    assert [check.holds for check in verify(tmp_path)] == [False, False]


def test_rows_without_bounds_have_nothing_to_check(tmp_path):
    store(tmp_path, objective=None, lower_bound=None)
    assert list(verify(tmp_path)) == []


def test_a_folder_without_results_is_refused(tmp_path):
    with pytest.raises(UsageError):
        list(verify(tmp_path))
