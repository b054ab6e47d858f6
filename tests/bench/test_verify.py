import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from relaxbench.bench.bundle.merge import merge
from relaxbench.bench.bundle.pack import pack
from relaxbench.bench.bundle.unpack import unpack
from relaxbench.bench.cli import main
from relaxbench.bench.grid.cell import expand
from relaxbench.bench.grid.spec import check_spec
from relaxbench.bench.results.record import Record
from relaxbench.bench.results.store import Store
from relaxbench.bench.text import UsageError
from relaxbench.bench.verify.bounds import forward_objective, verify
from relaxbench.solvers.network import Network
from relaxbench.solvers.problem import Problem

PLANTED = Path(__file__).parents[1] / "support" / "planted.py"


def store(folder, tamper=None, n=6, **columns):
    """A results folder with one cell: a network, its objective, and a certificate that proves 1."""
    table = {"dataset": [{"name": "random", "n": n}], "method": [{"use": f"{PLANTED}:good"}], "width": 3}
    (cell,) = expand(check_spec(table))
    dataset = cell.data.load()
    rng = np.random.default_rng(0)
    network = Network(rng.standard_normal((dataset.X_train.shape[1], 3)), rng.standard_normal((3, 5)))
    arrays = {
        "network_U": network.U,
        "network_V": network.V,
        "certificate_theta": np.zeros((n, 5)),
        "certificate_proves": np.array([1.0]),
    }
    row = {**cell.columns, "cell": cell.hash, "status": "ok", "certificate": "planted"}
    row |= {
        "objective": Problem(dataset.X_train, dataset.Y_train, 0.1).objective(network),
        "lower_bound": 1.0,
        **columns,
    }
    extra = {"data": cell.data.locator, "relaxation": None, "code": cell.code}
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
    found = lambda certificate, *problem: float(certificate.proof["proves"][0])  # noqa: E731
    monkeypatch.setattr("relaxbench.solvers.checker.verify", found)


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


def grid(folder, *gammas, tamper=None, **columns):
    """One cell for each γ, whose certificate proves γ; `tamper` gets the cells' records before they are written."""
    table = {"dataset": [{"name": "random", "n": 6}], "method": [{"use": f"{PLANTED}:good"}], "width": 3}
    cells, records = expand(check_spec({**table, "gamma": list(gammas)})), []
    for cell in cells:
        row = {**cell.columns, "cell": cell.hash, "status": "ok", "certificate": "planted", "lower_bound": cell.gamma}
        extra = {"data": cell.data.locator, "relaxation": None, "code": cell.code}
        arrays = {"certificate_theta": np.zeros((6, 5)), "certificate_proves": np.array([1.0])}
        records.append(Record({**row, **columns}, extra, arrays))
    if tamper:
        tamper(records)
    with Store(folder) as open_store:
        open_store.begin("", [{**cell.columns, "cell": cell.hash} for cell in cells], {})
        for record in records:
            open_store.put("cells", record.row["cell"], record)
        open_store.write_tables()
    return [cell.hash for cell in cells]


@pytest.fixture
def proves_gamma(monkeypatch):
    monkeypatch.setattr("relaxbench.solvers.checker.verify", lambda certificate, X, Y, gamma, *model: gamma)


@pytest.mark.usefixtures("proves_gamma")
def test_cells_share_a_proof_by_what_it_rests_on_and_not_by_what_they_name(tmp_path):
    def same_relaxation(records):
        for record in records:
            record.extra["relaxation"] = "r1"
            record.row["lower_bound"] = 1.0

    grid(tmp_path, 1.0, 0.1, tamper=same_relaxation)
    assert [(check.found, check.holds) for check in verify(tmp_path)] == [(1.0, True), (0.1, False)]


@pytest.mark.usefixtures("proves_gamma")
def test_a_relaxation_of_other_cells_is_found(tmp_path):
    def another(records):
        asked = {"data": "0", "method": "sdp", "gamma": 1.0, "options": {}, "code": "0"}
        with Store(tmp_path) as open_store:
            open_store.put("relaxations", "r1", Record({}, {"key": "r1", "asked": asked}))
        records[0].extra["relaxation"] = "r1"

    grid(tmp_path, 0.1, tamper=another)
    (check,) = verify(tmp_path)
    assert (check.holds, check.message) == (False, "the record names the relaxation of other cells")


@pytest.mark.parametrize("excess", [1e-12, 1e-10])
def test_a_lower_bound_has_no_slack(tmp_path, excess):
    store(tmp_path, lower_bound=1 + excess)
    assert [check.holds for check in verify(tmp_path)] == [True, False]


@pytest.mark.parametrize(
    ("names", "change", "words"),
    [
        (("network_V",), lambda A: A[:, :1], "must map 2 to 5"),
        (("network_U",), lambda A: A[:1], "must map 2 to 5"),
        (("network_U",), lambda A: A[:, :1], "must map 2 to 5"),
        (("network_U", "network_V"), lambda A: A.astype(np.float32), "must be float64"),
        (("network_U",), lambda A: A * np.nan, "must be finite"),
    ],
)
def test_a_network_of_another_shape_or_type_is_none(tmp_path, names, change, words):
    store(tmp_path, lambda arrays, extra: arrays.update({name: change(arrays[name]) for name in names}))
    objective, lower = verify(tmp_path)
    assert (objective.holds, lower.holds) == (False, True)
    assert words in objective.message


@pytest.mark.usefixtures("proves_gamma")
def test_a_record_copied_over_another_is_found(tmp_path):
    first, second = grid(tmp_path, 0.1, 1.0)
    shutil.copytree(tmp_path / "cells" / first, tmp_path / "cells" / second, dirs_exist_ok=True)
    assert [check.holds for check in verify(tmp_path)] == [True, False]
    (tmp_path / "results.parquet").unlink()  # as if the run had been killed
    with pytest.warns(RuntimeWarning, match="must be the record of"):
        checks = list(verify(tmp_path))
    assert sorted((check.cell, check.holds) for check in checks) == sorted([(first, True), (second, False)])


@pytest.mark.usefixtures("proves_gamma")
def test_a_record_that_goes_by_another_cells_name_is_found(tmp_path):
    def renamed(records):
        records[0].row["gamma"] = 0.2

    grid(tmp_path, 0.1, tamper=renamed)
    (check,) = verify(tmp_path)
    assert "not that of the cell" in check.message


@pytest.mark.usefixtures("proves_gamma")
@pytest.mark.parametrize("bounds", [{}, {"lower_bound": None}])
def test_a_damaged_record_is_a_failure_also_without_tables(tmp_path, bounds):
    _, second = grid(tmp_path, 0.1, 1.0, **bounds)
    (tmp_path / "cells" / second / "record.json").write_text("{}")
    assert main(["verify", str(tmp_path)]) == 1
    (tmp_path / "results.parquet").unlink()
    with pytest.warns(RuntimeWarning, match="left out"):
        checks = list(verify(tmp_path))
    assert [check.cell for check in checks if not check.holds] == [second]


@pytest.mark.usefixtures("proves_gamma")
def test_a_table_that_says_something_else_than_the_records_is_found(tmp_path):
    cells = grid(tmp_path, 0.1, 1.0, 2.0)
    path = tmp_path / "results.parquet"
    table = pd.read_parquet(path)
    table.loc[0, "status"] = "timeout"
    pd.concat([table.iloc[[0, 1]], table.iloc[[1]]]).to_parquet(path, index=False)
    found = {check.cell: check.message for check in verify(tmp_path) if not check.holds}
    assert "the table says status = timeout" in found[cells[0]]
    assert "more than once" in found[cells[1]]
    assert "no row of this cell" in found[cells[2]]


@pytest.mark.thorough
@pytest.mark.usefixtures("proves_gamma")
def test_nothing_to_verify_is_no_success_and_cells_not_run_are_counted(tmp_path, capsys):
    grid(tmp_path / "a", 0.1, lower_bound=None)
    assert main(["verify", str(tmp_path / "a")]) == 4
    assert "nothing to verify" in capsys.readouterr().out
    cells = grid(tmp_path / "b", 0.1, 1.0, 2.0)
    for cell in cells[1:]:
        shutil.rmtree(tmp_path / "b" / "cells" / cell)
    (tmp_path / "b" / "results.parquet").unlink()
    assert main(["verify", str(tmp_path / "b")]) == 0
    assert "2 cells of the plan have no record" in capsys.readouterr().out


@pytest.fixture
def light(tmp_path):
    """A bundle unpacked of a run of two cells, the arrays of the larger one left out; and the two cells."""
    cells = [store(tmp_path / "run", n=n)["cell"] for n in (6, 200)]
    sizes = [(tmp_path / "run" / "cells" / cell / "arrays.npz").stat().st_size for cell in cells]
    bundle = pack(tmp_path / "run", tmp_path / "light.zip", largest=sum(sizes) / 2e6)
    assert bundle.left_out == 1
    unpack(bundle.path, tmp_path / "light")
    return tmp_path / "light", *cells


def test_what_a_bundle_left_out_is_counted_and_the_rest_proved(light, capsys):
    folder, small, large = light
    assert main(["verify", str(folder.with_suffix(".zip"))]) == 0
    said = capsys.readouterr().out
    assert "2 bounds, 0 do not hold, 2 left out: the bundle was made without their arrays" in said
    assert [line.split()[0] for line in said.splitlines()[1:-1]].count("left") == 2
    assert {(check.cell, check.holds, check.left_out) for check in verify(folder)} == {
        (small, True, False),
        (large, False, True),
    }


def test_what_was_left_out_stays_known_when_it_is_merged_and_bundled_again(light, tmp_path):
    folder, _, large = light
    store(tmp_path / "other", n=7)
    merged = merge([folder.with_suffix(".zip"), tmp_path / "other"], tmp_path / "merged").folder
    assert {check.cell for check in verify(merged) if check.left_out} == {large}
    assert pack(merged, tmp_path / "again.zip").left_out == 1
    assert main(["verify", str(tmp_path / "again.zip")]) == 0
    whole = merge([tmp_path / "again.zip", tmp_path / "run"], tmp_path / "whole").folder
    assert not (whole / "LEFT_OUT").exists()
    assert all(check.holds for check in verify(whole))


def test_with_everything_left_out_nothing_is_verified(tmp_path, capsys):
    store(tmp_path / "run")
    pack(tmp_path / "run", tmp_path / "none.zip", largest=0.0)
    assert main(["verify", str(tmp_path / "none.zip")]) == 4
    assert "nothing to verify: the bundle was made without the arrays of 2 bounds" in capsys.readouterr().out


def test_arrays_that_should_be_there_fail_whatever_else_was_left_out(light, capsys):
    folder, small, large = light
    listed = (folder / "LEFT_OUT").read_text(encoding="utf-8")
    (folder / "cells" / small / "arrays.npz").unlink()  # listed among what the bundle holds
    assert main(["verify", str(folder)]) == 1
    assert capsys.readouterr().out.count("FAILED") == 2
    forged = listed + listed.replace(large, small)  # said to be left out, with the sha256 of other arrays
    (folder / "LEFT_OUT").write_text(forged, encoding="utf-8")
    assert main(["verify", str(folder)]) == 1
    assert capsys.readouterr().out.count("FAILED") == 2
    (folder / "LEFT_OUT").unlink()
    assert main(["verify", str(folder)]) == 1
    assert capsys.readouterr().out.count("FAILED") == 4


@pytest.mark.thorough
def test_arrays_said_to_be_left_out_that_are_there_are_verified(light, tmp_path):
    folder, _, large = light
    there = tmp_path / "run" / "cells" / large / "arrays.npz"
    shutil.copyfile(there, folder / "cells" / large / "arrays.npz")
    assert [check.holds for check in verify(folder)] == [True] * 4
    (folder / "cells" / large / "arrays.npz").write_bytes(there.read_bytes()[:-1] + b"x")
    assert [check.holds for check in verify(folder) if check.cell == large] == [False, False]
    assert not any(check.left_out for check in verify(folder))


def test_a_damaged_list_of_what_was_left_out_is_refused(light, capsys):
    folder, *_ = light
    (folder / "LEFT_OUT").write_text("anything\n", encoding="utf-8")
    assert main(["verify", str(folder)]) == 2
    assert "must list files of arrays, each once" in capsys.readouterr().err
