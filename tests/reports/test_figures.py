"""What figures show is what the store holds; pictures can be redrawn, have the right size and real fonts."""

import json
import re
import runpy
import sys
import warnings

import numpy as np
import pandas as pd
import pytest
from relaxbench.baselines.kernels import kernel_matrix, nngp, ntk
from relaxbench.bench.grid.registry import METHODS
from relaxbench.bench.results.tables import results_table, tightness_table
from relaxbench.datasets import load
from relaxbench.reports import report
from relaxbench.reports.figures import FIGURES
from relaxbench.reports.figures.activations import data as activation_data
from relaxbench.reports.figures.arccosine import kernel, ridge_scores
from relaxbench.reports.figures.drawing import looks
from relaxbench.reports.figures.gap import solver_data
from relaxbench.reports.figures.kind import NothingToShow
from relaxbench.reports.figures.looks import arm_looks, method_looks
from relaxbench.reports.figures.profile import data as profile_data
from relaxbench.reports.figures.rounding import data as rounding_data
from relaxbench.reports.figures.rounding import data_noise as noise_data
from relaxbench.reports.figures.runtime import data as runtime_data
from relaxbench.reports.figures.scaling import data as scaling_data
from relaxbench.reports.figures.scaling import draw as scaling_figure
from relaxbench.reports.figures.style import GAMMA_LOOKS, OTHER_LOOKS, round_ticks
from relaxbench.reports.reading import read
from relaxbench.reports.results import prepare
from relaxbench.reports.tables.solvers import solver_table
from relaxbench.reports.tables.tightness import stages, tightening
from relaxbench.solvers.problem import Problem

from ..support.report_folder import make_rows, network, spiral_locator, whole, write_folder

# The made-up run has one rounding, one solver, one size of random data, few data sets, and no other run beside it.
ABSENT = {
    "rounding",
    "rounding-noise",
    "scaling",
    "activations",
    "solver-gap",
    "critical-difference",
    "against",
    "against-r2",
    "beside",
}


def csv(name):
    return pd.read_csv(whole()[0] / "report" / "figures" / f"{name}.csv")


def ready(rows):
    frame = results_table(rows)
    return prepare("unused", frame, tightness_table(frame), {}, "")


@pytest.fixture(scope="module")
def store():
    return pd.read_csv(whole()[0] / "results.csv"), pd.read_csv(whole()[0] / "tightness.csv")


def test_every_figure_has_its_files():
    found = {path.name for path in (whole()[0] / "report" / "figures").iterdir()}
    for name in FIGURES.keys() - ABSENT:
        assert {f"{name}.svg", f"{name}.csv", f"{name}.py"} <= found


@pytest.mark.thorough
@pytest.mark.parametrize("name", sorted(FIGURES.keys() - ABSENT))
def test_the_script_draws_the_same_picture_from_the_csv(name, tmp_path, monkeypatch):
    figures = whole()[0] / "report" / "figures"
    monkeypatch.setattr(sys, "argv", [f"{name}.py", str(tmp_path / "again.svg")])
    before = set(sys.modules)
    runpy.run_path(str(figures / f"{name}.py"), run_name="__main__")
    assert not {module for module in set(sys.modules) - before if module.startswith("relaxbench")}
    drop = lambda text: re.sub(r"<dc:date>.*?</dc:date>", "", text.read_text(encoding="utf-8"))  # noqa: E731
    assert strip_metadata(drop(tmp_path / "again.svg")) == strip_metadata(drop(figures / f"{name}.svg"))


def strip_metadata(text):
    return re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.S)


def test_scripts_name_nothing_of_the_project():
    for path in (whole()[0] / "report" / "figures").glob("*.py"):
        assert not re.search(r"^(from|import) (\.|relaxbench)", path.read_text(encoding="utf-8"), re.M)


@pytest.mark.thorough
@pytest.mark.parametrize(("style", "width"), [(None, 7.0), ("double", 7.0), ("single", 3.4), ("grayscale", 7.0)])
def test_a_pdf_has_the_width_of_its_column_and_embedded_truetype_fonts(style, width, tmp_path):
    path = report(whole()[0], figure="ratio", style=style, out=tmp_path)
    names = {"single": "ratio-single.pdf", "grayscale": "ratio-grayscale.pdf"}
    assert path.name == names.get(style, "ratio.pdf")
    content = path.read_bytes()
    box = [float(number) for number in re.search(rb"/MediaBox \[([^\]]*)\]", content)[1].split()]
    assert (box[2] - box[0]) / 72 == pytest.approx(width, abs=0.01)
    assert b"/FontFile2" in content
    assert b"/Type3" not in content


@pytest.mark.thorough
def test_a_single_figure_is_written_in_the_format_asked_for(tmp_path):
    assert report(whole()[0], figure="ratio", format="png", out=tmp_path).read_bytes().startswith(b"\x89PNG")
    style = tmp_path / "mine.mplstyle"
    style.write_text("axes.labelsize: 20\nfigure.facecolor: f0f0f0\n", encoding="utf-8")
    plain, styled = (
        report(whole()[0], figure="ratio", format="svg", style=s, out=tmp_path).read_text() for s in (None, str(style))
    )
    assert "#f0f0f0" in styled
    assert "#f0f0f0" not in plain


def test_accuracies_are_those_of_the_store(store):
    results = store[0]
    for row in csv("accuracy").itertuples():
        part = results[(results["dataset"] == row.problem) & (results["gamma"] == row.gamma)]
        part = part[part["method"] == row.method]
        if row.method == "sgd":
            part = part[part["width"] == part.groupby("width")["objective"].mean().idxmin()]
        assert row.mean == pytest.approx(part["test_accuracy"].mean())
    assert "test_accuracy_paper" not in csv("accuracy")
    for row in csv("r2").itertuples():
        part = results[(results["dataset"] == row.problem) & (results["gamma"] == row.gamma)]
        part = part[(part["method"] == row.method) & ((row.method != "sgd") | (part["width"] == 300))]
        assert row.mean == pytest.approx(part["test_r2"].mean())
    assert csv("accuracy-paper")["mean"].mean() > csv("accuracy")["mean"].mean()
    keys = ["problem", "gamma", "method"]
    both = (
        csv("accuracy-paper").merge(csv("accuracy"), on=keys, suffixes=("_paper", "")).merge(csv("optimism"), on=keys)
    )
    assert len(both) == len(csv("optimism")) > 5
    assert np.allclose(both["mean_paper"] - both["mean_x"], both["mean_y"])


@pytest.mark.thorough
def test_cells_whose_gamma_was_chosen_have_a_panel_of_their_own(tmp_path):
    rows = make_rows({"iris": (75, 4, 3, 0.9, 2)}, methods=("sdp", "nngp"), gammas=(0.1, 0.01), seeds=(0,))
    for row in rows:
        row["gamma_by"] = "cv" if row["gamma"] == 0.01 else None
    folder = write_folder(tmp_path / "run", rows, records=False)
    picture = report(folder, figure="accuracy", format="svg").read_text(encoding="utf-8")
    assert "γ by cross-validation" in picture
    assert "γ = 0.1" in picture
    assert "γ = 0.01" not in picture


def test_ratios_are_those_of_the_store(store):
    expected = store[1].dropna(subset=["certified_ratio"])
    found = csv("ratio")
    assert sorted(found["certified_ratio"]) == pytest.approx(sorted(expected["certified_ratio"]))
    exact = store[1].dropna(subset=["sdp_over_exact"])
    assert 0 < len(exact) < len(store[1])
    merged = csv("distribution").merge(exact, on=["data", "gamma"])
    assert len(merged) == len(csv("distribution")) == len(exact)
    for column in ("sdp_over_exact", "paper_ratio"):
        assert np.allclose(merged[f"{column}_x"], merged[f"{column}_y"], equal_nan=True)


def test_the_distribution_is_left_out_where_nothing_exact_is_known():
    rows = make_rows({"spiral": (60, 2, 3, 0.7, 1)}, methods=("sdp", "cpp", "sgd"), widths=(300,), seeds=(0,))
    found = FIGURES["distribution"].data(ready(rows))
    assert set(found["gamma"]) == {0.1, 0.01}
    some = [row for row in rows if row["method"] != "cpp" or row["gamma"] == 0.1]
    assert set(FIGURES["distribution"].data(ready(some))["gamma"]) == {0.1}
    none = [row for row in rows if row["method"] != "cpp"]
    assert ready(none).tightness["paper_ratio"].notna().all()
    with pytest.raises(NothingToShow, match="exact value"):
        FIGURES["distribution"].data(ready(none))


def test_objectives_against_width_are_those_of_the_store(store):
    results, groups = store
    best = groups[["data", "gamma", "upper_bound", "certified_ratio"]]
    results = results.drop(columns="upper_bound").merge(best, on=["data", "gamma"])
    frame = csv("width")
    assert set(frame["method"]) == {"sgd", "sdp"}
    for row in frame.itertuples():
        part = results[(results["dataset"] == row.problem) & (results["gamma"] == row.gamma)]
        part = part[(part["method"] == row.method) & (part["width"] == row.width)]
        relative = part["objective"] / part["upper_bound"]
        assert (row.mean, row.low, row.high) == pytest.approx((relative.mean(), relative.min(), relative.max()))
        assert row.mean_objective == pytest.approx(part["objective"].mean())
        assert row.bound == pytest.approx(part["certified_ratio"].mean())
        assert row.bound <= row.low


def test_intervals_hold_the_best_of_each_method(store):
    results, groups = store
    upper = groups.set_index(["data", "gamma"])["upper_bound"]
    frame = csv("interval")
    for row in frame.itertuples():
        part = results[(results["dataset"] == row.problem) & (results["gamma"] == row.gamma)]
        part = part[part["method"] == row.method].groupby(["data", "gamma"])
        networks = part[["objective", "upper_bound"]].min().min(axis=1)
        best = part["lower_bound"].max() if row.side == "lower" else networks
        assert row.mean == pytest.approx((best / upper).dropna().mean())
    assert (frame.loc[frame["side"] == "lower", "high"] <= 1).all()
    assert (frame.loc[frame["side"] == "upper", "low"] >= 1).all()


def test_the_gap_falls_and_ends_where_the_trace_ends(store):
    results, groups = store
    frame = csv("gap")
    assert set(frame["method"]) == {"sdp", "cpp"}
    for (problem, gamma, method), curve in frame.groupby(["problem", "gamma", "method"]):
        assert curve["gap"].is_monotonic_decreasing
        assert curve["seconds"].is_monotonic_increasing
        cell = results[(results["dataset"] == problem) & (results["gamma"] == gamma) & (results["method"] == method)]
        cell = cell[cell["data_seed"] == 0].sort_values("seed").iloc[0]
        trace = pd.read_csv(whole()[0] / "cells" / cell["cell"] / "trace.csv")
        best = groups[(groups["data"] == cell["data"]) & (groups["gamma"] == gamma)]["upper_bound"].iloc[0]
        assert curve["gap"].iloc[-1] == pytest.approx(1 - trace["bound"].max() / best)


def test_slopes_are_found_back():
    rows = []
    for k, n in enumerate((20, 60, 200, 700)):
        for method, power in (("sdp", 2.5), ("nngp", 3.0)):
            one = make_rows({f"set{k}": (n, 2, 2, 0.9, 1)}, methods=(method,), gammas=(0.1,), seeds=(0,))
            rows += [{**row, "runtime_s": 1e-6 * n**power} for row in one]
    slopes = runtime_data(ready(rows)).groupby("method")["slope"].first()
    assert slopes["sdp"] == pytest.approx(2.5)
    assert slopes["nngp"] == pytest.approx(3.0)
    with pytest.raises(NothingToShow):
        runtime_data(ready([row for row in rows if row["n"] == 20]))


def test_the_relaxations_own_gap_leaves_its_looseness_out():
    (row,) = make_rows({"set": (20, 2, 2, 0.9, 1)}, methods=("sdp",), gammas=(0.1,), seeds=(0,))
    row |= {"objective": 9.0, "upper_bound": 9.0}
    rows = []
    for solver, bound, value in (("ipm", 3.9, 4.0), ("cvxpy-scs", 3.0, 3.5)):
        solved = {"solver": solver, "lower_bound": bound, "relaxation_value": value, "solve_s": 2.0}
        rows.append({**row, **solved, "options": json.dumps({"solver": solver}), "cell": solver})
    frame = solver_data(ready(rows))
    gaps = frame.groupby("arm")["gap"].min()
    assert gaps.to_dict() == pytest.approx({"sdp (ipm)": 0.025, "sdp (cvxpy-scs)": 0.25})
    figure = FIGURES["solver-gap"].draw(frame, looks(ready(rows)), 7.0)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["sdp (cvxpy-scs)", "sdp (ipm)"]
    cuts = {"options": '{"cuts":4,"solver":"ipm"}', "lower_bound": 4.4, "relaxation_value": 4.5, "cell": "cuts"}
    tighter = [*rows, {**rows[0], **cuts}]  # another relaxation, so no solver of this one
    assert solver_data(ready(tighter)).groupby("arm")["gap"].min().tolist() == pytest.approx([0.25, 0.025])
    table = solver_table(ready(tighter)).data.set_index("arm")
    assert table["error"].tolist() == pytest.approx([0.0, 0.1])  # of (ipm), then of (cvxpy-scs)
    with pytest.raises(NothingToShow):
        solver_data(ready(rows[:1]))


def test_each_solver_of_a_method_has_a_slope_of_its_own():
    rows = []
    for k, n in enumerate((20, 60, 200)):
        (row,) = make_rows({f"set{k}": (n, 2, 2, 0.9, 1)}, methods=("sdp",), gammas=(0.1,), seeds=(0,))
        for solver, power in (("ipm", 2.5), ("cvxpy-scs", 4.0)):
            options = json.dumps({"solver": solver})
            rows.append({**row, "solver": solver, "options": options, "runtime_s": 1e-6 * n**power})
    slopes = runtime_data(ready(rows)).groupby("arm")["slope"].first()
    assert slopes.to_dict() == pytest.approx({"sdp (ipm)": 2.5, "sdp (cvxpy-scs)": 4.0})


def staged(n, d, gamma, plain, cuts, branch, best, data):
    """Rows of one random data set: the relaxation's value and bound, bounds with cuts and of cells, best objective."""
    base = {"dataset": "random", "data": data, "n": n, "d": d, "c": 5, "gamma": gamma, "preprocess": "none"}
    base |= {"bias": False, "status": "ok", "cell": f"{data}{gamma}", "options": "{}"}
    sdp = base | {"method": "sdp", "relaxation_value": plain, "lower_bound": plain, "objective": 2 * best}
    return [
        {**sdp, "options": '{"cuts":0}'},
        {**sdp, "options": '{"cuts":4}', "relaxation_value": cuts, "lower_bound": cuts},
        {**base, "method": "branch", "lower_bound": branch, "objective": best},
    ]


def test_stages_of_tightening_and_their_intervals():
    rows = staged(25, 2, 0.1, 8.0, 9.0, 9.9, 10.0, "a") + staged(25, 2, 0.01, 0.6, 0.7, 0.95, 1.0, "a")
    rows += staged(50, 2, 0.1, 6.0, 7.0, 9.5, 10.0, "b") + staged(50, 2, 0.1, 7.0, 8.0, 10.0, 10.0, "c")
    rows += staged(50, 3, 0.1, 1.0, 2.0, 3.0, 10.0, "d")
    results = ready(rows)
    found = stages(results).set_index(["data", "gamma"])
    first = found.loc[("a", 0.1)]
    assert (first["sdp"], first["cuts"], first["branch"]) == pytest.approx((0.8, 0.9, 0.99))
    assert first["sdp_most"] == pytest.approx(8.0 / 9.9)
    assert np.isnan(first["cpp"])
    table = tightening(results)
    (line,) = [row for row in table.rows if row[2].text == "2"]
    assert [entry.text[:4] for entry in line[4:7]] == ["0.64", "0.75", "0.97"]  # rounded down, 0.65 and 0.975 by a unit
    frame = scaling_data(results).set_index(["factor", "value", "gamma"])
    assert set(frame.index.get_level_values("factor")) == {"n", "d"}  # γ varies at n = 25 only, which is not the usual
    assert tuple(frame.loc[("n", 25, 0.01), ["low", "high"]]) == pytest.approx((0.6, 0.6 / 0.95))
    assert tuple(frame.loc[("n", 50, 0.1), ["low", "high"]]) == pytest.approx((0.65, (6 / 9.5 + 7 / 10) / 2))
    assert tuple(frame.loc[("d", 3, 0.1), ["low", "high", "draws"]]) == pytest.approx((0.1, 1 / 3, 1))
    assert scaling_figure(frame.reset_index(), {}, 7.0).axes[0].get_xlabel() == "rows n"


def test_ratios_by_activation_hold_their_intervals_and_mix_with_no_other_figure():
    rows = []
    for activation, value in (("relu", 8.0), ("leaky:0.5", 9.0), ("abs", 4.0)):
        for draw, more in (("a", 0.0), ("b", 0.2)):
            for row in staged(25, 2, 0.1, value + more, 9.0, 9.5, 10.0, draw):
                rows.append({**row, "activation": activation, "cell": f"{row['cell']}{activation}"})
    rows += staged(50, 2, 0.1, 6.0, 7.0, 9.5, 10.0, "c")  # the ReLU alone
    results = ready(rows)
    frame = activation_data(results).set_index("activation")
    assert set(frame["sizes"]) == {"random, n = 25, d = 2"}
    assert list(frame.index) == ["abs", "relu", "leaky:0.5"]
    assert frame["below"].tolist() == [-1.0, 0.0, 0.5]
    assert tuple(frame.loc["abs", ["low", "high", "draws"]]) == pytest.approx((0.41, 4.1 / 9.5, 2))
    scaling = scaling_data(results).set_index(["factor", "value", "gamma"])
    assert tuple(scaling.loc[("n", 25, 0.1), ["low", "draws"]]) == pytest.approx((0.81, 2))
    with pytest.raises(NothingToShow, match="needs the config `activations`"):
        activation_data(ready(staged(50, 2, 0.1, 6.0, 7.0, 9.5, 10.0, "c")))


def test_profiles_count_as_dolan_and_more_do():
    rows = []
    times = {"sdp": [1.0, 2.0, 8.0], "nngp": [2.0, 1.0, 1.0], "sgd": [4.0, None, 1.5]}
    for method, values in times.items():
        for k, seconds in enumerate(values):
            one = make_rows({f"set{k}": (20, 2, 2, 0.9, 1)}, methods=(method,), gammas=(0.1,), seeds=(0,), widths=(5,))
            change = {"runtime_s": seconds} if seconds else {"status": "timeout", "runtime_s": 60.0, "message": "limit"}
            rows += [{**row, **change} for row in one]
    frame = profile_data(ready(rows))
    runtime = frame[frame["measure"] == "runtime"]
    for method, values in times.items():
        ratios = [(value or np.inf) / min(v[k] or np.inf for v in times.values()) for k, value in enumerate(values)]
        curve = runtime[runtime["method"] == method]
        for row in curve.itertuples():
            assert row.mean == pytest.approx(np.mean([ratio <= row.factor for ratio in ratios]))
    assert runtime.groupby("method")["mean"].max()["sgd"] == pytest.approx(2 / 3)
    assert set(frame[frame["measure"] == "training objective"]["method"]) == {"sdp", "sgd"}


def test_profile_bands_reach_over_the_seeds():
    rows = make_rows(
        {"a": (20, 2, 2, 0.9, 1), "b": (30, 2, 2, 0.9, 1)}, methods=("sgd", "nngp"), widths=(5,), seeds=(0, 1)
    )
    frame = profile_data(ready(rows))
    assert (frame["low"] <= frame["mean"]).all()
    assert (frame["mean"] <= frame["high"]).all()
    assert (frame.loc[frame["method"] == "sgd", "low"] < frame.loc[frame["method"] == "sgd", "high"]).any()


def by_quadrature(name, X, Z, points=10000):
    """The kernels in the plane by the mean over directions w of (x·w)₊(z·w)₊, and of 1(x·w > 0) 1(z·w > 0) xᵀz."""
    angle = (np.arange(points) + 0.5) * 2 * np.pi / points
    W = np.array([np.cos(angle), np.sin(angle)])
    first = 2 * np.maximum(X @ W, 0) @ np.maximum(Z @ W, 0).T / points
    second = (X @ Z.T) * ((X @ W > 0).astype(float) @ (Z @ W > 0).T) / points
    return (first + (second if name == "ntk" else 0)) / 2


@pytest.mark.parametrize("name", ["nngp", "ntk"])
def test_the_closed_form_kernels_are_the_expectations_they_stand_for(name):
    rng = np.random.default_rng(0)
    X, Z = rng.normal(size=(6, 2)), rng.normal(size=(4, 2))
    X[1], X[2], X[3] = 0, X[0], -2 * X[0]
    assert np.allclose(kernel(name, X, Z), by_quadrature(name, X, Z), rtol=0, atol=1e-3)
    assert np.allclose(kernel(name, X, X), kernel(name, X, X).T)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["nngp", "ntk"])
def test_the_closed_form_kernels_are_those_of_neural_tangents(name):
    rng = np.random.default_rng(0)
    X, Z = rng.normal(size=(6, 3)), rng.normal(size=(4, 3))
    X[1], X[2] = 0, X[0]
    assert np.allclose(kernel(name, X, Z), kernel_matrix(name, X, Z), rtol=0, atol=1e-10)
    Y = rng.normal(size=(6, 2))
    fit = {"nngp": nngp, "ntk": ntk}[name](Problem(X, Y, 0.3))
    assert np.allclose(ridge_scores(name, X, Y, fit.info["ridge"], Z), fit.predict(Z), atol=1e-8)


def test_regions_are_what_the_models_predict():
    frame = csv("regions")
    data = load("spiral", seed=0, **spiral_locator()["options"])
    rows = frame[(frame["kind"] == "row") & (frame["method"] == "sgd") & (frame["gamma"] == 0.1)]
    assert np.allclose(rows[["x", "y"]], data.X_train, atol=1e-6)
    assert np.array_equal(rows["value"], data.Y_train.argmax(axis=1))
    grid = frame[(frame["kind"] == "grid") & (frame["gamma"] == 0.1)]
    weights = network({"method": "sgd"})
    part = grid[grid["method"] == "sgd"]
    scores = np.maximum(part[["x", "y"]].to_numpy() @ weights["network_U"], 0) @ weights["network_V"]
    assert (scores.argmax(axis=1) == part["value"]).mean() > 0.999  # coordinates are rounded in the CSV
    part = grid[grid["method"] == "nngp"].iloc[::40]
    K = by_quadrature("nngp", data.X_train, data.X_train) + 0.1 * np.eye(len(data.X_train))
    scores = by_quadrature("nngp", part[["x", "y"]].to_numpy(), data.X_train) @ np.linalg.solve(K, data.Y_train)
    assert (scores.argmax(axis=1) == part["value"]).mean() > 0.98


def test_learned_kernels_are_those_of_the_saved_networks():
    frame = csv("kernels")
    data = load("spiral", seed=0, **spiral_locator()["options"])
    order = np.argsort(data.Y_train.argmax(axis=1), kind="stable")
    hidden = np.maximum(data.X_train[order] @ network({"method": "sdp"})["network_U"], 0)
    expected = hidden @ hidden.T
    found = frame[frame["kernel"] == "learned by sdp"].pivot(index="i", columns="j", values="value").to_numpy()
    assert np.allclose(found, expected / np.diag(expected).mean())
    for name in ("NNGP", "NTK"):
        values = frame[frame["kernel"] == name].pivot(index="i", columns="j", values="value").to_numpy()
        assert np.allclose(values, values.T)
        assert np.diag(values).mean() == pytest.approx(1)


def test_a_method_looks_the_same_everywhere_and_unlike_the_others():
    names = [*METHODS, "mine", "yours"]
    looks = method_looks(names)
    assert len({(look["color"], look["marker"], look.get("fillstyle")) for look in looks.values()}) == len(names)
    assert method_looks(["yours", "sdp", "mine"])["mine"] == looks["mine"]
    arms = arm_looks([("sgd", "sgd (m=5)"), ("sgd", "sgd (m=10)"), ("sdp", "sdp")])
    assert {arms[name]["color"] for name in ("sgd (m=5)", "sgd (m=10)")} == {METHODS["sgd"].look["color"]}
    assert arms["sgd (m=5)"]["linestyle"] != arms["sgd (m=10)"]["linestyle"]
    for file in (whole()[0] / "report" / "figures").glob("*.py"):
        for color in re.findall(r"'sdp': \{'color': '(#\w+)'", file.read_text(encoding="utf-8")):
            assert color == METHODS["sdp"].look["color"]


@pytest.mark.parametrize("looks", [[method.look for method in METHODS.values()], OTHER_LOOKS, GAMMA_LOOKS])
def test_marks_tell_methods_apart_without_colour(looks):
    assert len({(look["marker"], look.get("fillstyle")) for look in looks}) == len(looks)


def test_solvers_look_the_same_whatever_ran_beside_them():
    rows = make_rows({"set": (20, 2, 2, 0.9, 1)}, methods=("sdp", "nngp"), gammas=(0.1,), seeds=(0,))
    rows[0]["solver"], found = "auto", []
    for others in (["cvxpy-scs"], ["cvxpy-clarabel", "cvxpy-scs", "interior", "somebody's"]):
        more = [{**rows[0], "solver": name, "cell": name} for name in others]
        found.append(looks(ready([*rows, *more])))
    colors = [{name: look["color"] for name, look in one.items()} for one in found]
    assert colors[0].items() <= colors[1].items()
    assert colors[0]["sdp (auto)"] == METHODS["sdp"].look["color"]
    assert len(set(colors[1].values())) == len(set(colors[1]) - {"sdp"})


def test_many_unknown_methods_are_told_apart():
    looks = method_looks([f"mine-{k}" for k in range(25)])
    assert len({(look["color"], look["marker"]) for look in looks.values()}) == 25


@pytest.mark.parametrize(("low", "high"), [(0.98, 1.3), (1, 1e4), (1e-9, 1), (0.004, 60), (25, 1000), (0.5, 0.501)])
def test_ticks_are_few_inside_and_told_apart(low, high):
    ticks, texts = round_ticks(low, high)
    assert 2 <= len(ticks) <= 7
    assert all(low <= tick <= high for tick in ticks)
    assert len(set(texts)) == len(texts)


def test_nothing_is_drawn_of_what_is_not_there():
    empty = ready(make_rows({"a": (20, 2, 2, None, 1)}, methods=("nngp",), gammas=(0.1,), test_r2=None))
    for name, kind in FIGURES.items():
        with pytest.raises(NothingToShow, match=r"\w"):
            kind.data(empty)
        assert kind.title, name


@pytest.mark.thorough
def test_drawing_warns_of_nothing():
    results = read(whole()[0])
    same = looks(results)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name in FIGURES.keys() - ABSENT:
            FIGURES[name].draw(FIGURES[name].data(results), same, 3.4)


@pytest.mark.thorough
def test_noise_in_the_relaxation_is_shown_against_the_proved_bound(tmp_path):
    rows = []
    for row in make_rows({"iris": (75, 4, 3, 0.9, 2)}, methods=("sdp",), gammas=(0.1,), widths=(100,), seeds=(0,)):
        for rounding, harm in (("tos", 3.0), ("factor", 1.0)):
            for gap, noise in ((1e-6, 0.0), (1e-6, 0.1), (1e-2, 0.0)):
                options = json.dumps({"rounding": rounding, "noise": noise, "gap": gap})
                factor = 1.5 * (1 + harm * noise) * (1 + gap)
                objective = {"objective": factor * row["lower_bound"], "upper_bound": factor * row["lower_bound"]}
                name = f"{row['cell']}{rounding}{noise:g}{gap:g}".replace(".", "").replace("-", "")
                rows.append({**row, **objective, "options": options, "rounding": rounding, "cell": name})
    results = read(write_folder(tmp_path / "run", rows, records=False))
    frame = noise_data(results).set_index(["kind", "rounding", "value"])["mean"]
    assert frame["noise", "tos", 0.1] == pytest.approx(1.5 * 1.3)
    assert frame["noise", "factor", 0.1] == pytest.approx(1.5 * 1.1)
    assert frame["gap", "tos", 1e-2] == pytest.approx(1.5 * 1.01)
    assert len(frame) == 8
    compared = rounding_data(results).set_index("rounding")
    assert compared["runs"].tolist() == [2, 2]  # neither disturbed nor badly solved
    assert report(tmp_path / "run", figure="rounding-noise", format="svg").is_file()
