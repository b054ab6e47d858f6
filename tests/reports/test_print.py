"""Figures for print: titles of one size, marks that tell apart, what leaves the frame, names of files, progress."""

import os
import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from relaxbench.bench.cli.report import FIGURES as NAMES
from relaxbench.reports import ReportError, report
from relaxbench.reports.figures import FIGURES, distribution, gap, interval, tradeoff, width
from relaxbench.reports.figures.drawing import settings
from relaxbench.reports.figures.looks import arm_looks, method_looks
from relaxbench.reports.reading import read
from relaxbench.reports.summary import CHOICE, INTERVAL, NOTES
from scipy.ndimage import label

from ..support.report_folder import make_rows, whole, write_folder

LOOKS = method_looks(["sdp", "sgd", "lbfgs", "forest"])
ONE = {"iris": (75, 4, 3, 0.9, 1)}


def drawn(figure, frame, looks, inches=3.4) -> Figure:
    with settings(None):
        found = figure.draw(frame, looks, inches)
        found.draw_without_rendering()
        return found


def test_titles_of_a_figure_have_one_size_that_fits_the_longest():
    problems = ("iris", "a data set with a very long name indeed")
    frame = pd.concat(
        [
            pd.DataFrame(
                {"problem": p, "gamma": 0.1, "method": "sdp", "arm": "sdp", "seconds": [1.0, 2.0], "gap": [0.9, 0.2]}
            )
            for p in problems
        ]
    )
    sizes = {
        len(p): {
            axis.title.get_fontsize() for axis in drawn(gap, frame[frame["problem"].isin(problems[:k])], LOOKS).axes
        }
        for k, p in enumerate(problems, 1)
    }
    short, both = sizes.values()
    assert short == {7.5}
    assert len(both) == 1
    assert max(both) < 7.5
    figure = drawn(gap, frame, LOOKS)
    for axis in figure.axes:
        assert axis.title.get_window_extent().width < figure.bbox.width / 2


def tops(rows):
    """A frame of the figure `width` from (series, width, mean)."""
    frame = pd.DataFrame(rows, columns=["series", "width", "mean"])
    same = {"problem": "iris", "gamma": 0.1, "method": frame["series"], "bound": 0.8, "runs": 1, "mean_objective": 1.0}
    return frame.assign(low=frame["mean"], high=frame["mean"], **same)


def triangles(figure):
    """(width, colour) of the marks at the upper edge."""
    return sorted(
        (round(float(x), 3), to_hex(line.get_color()))
        for line in figure.axes[0].lines
        if line.get_marker() == "^" and line.get_transform() != figure.axes[0].transData
        for x in line.get_xdata()
    )


def test_what_leaves_the_frame_of_width_is_marked_at_its_edge_in_the_colour_of_its_method():
    far = width.HIGHEST
    rows = [("sdp", 10, 1.0), ("sdp", 100, 1.0), ("sgd", 10, 3 * far), ("sgd", 100, 1.1), ("lbfgs", 10, 1.1 * far)]
    figure = drawn(width, tops(rows), LOOKS)
    found = triangles(figure)
    assert {color for _, color in found} == {LOOKS["sgd"]["color"], LOOKS["lbfgs"]["color"]}
    assert [abs(np.log(x / 10)) < 0.1 for x, _ in found] == [True, True]
    assert found[0][0] != found[1][0]  # beside each other
    assert "above the frame" in [text.get_text() for text in figure.legends[0].get_texts()]
    inside = drawn(width, tops([row for row in rows if row[2] < far]), LOOKS)
    assert triangles(inside) == []
    assert "above the frame" not in [text.get_text() for text in inside.legends[0].get_texts()]


@pytest.mark.parametrize(
    ("means", "line", "words"), [((1.0, 1.0), 10, []), ((1.2, 1.0), 100, ["≥ 100"]), ((1.3, 1.2), None, ["> 100"])]
)
def test_a_critical_width_that_is_the_widest_tried_is_said_to_be_at_least_that(means, line, words):
    figure = drawn(width, tops([("sdp", 10, means[0]), ("sdp", 100, means[1])]), LOOKS)
    axis = figure.axes[0]
    dotted = [float(one.get_xdata()[0]) for one in axis.lines if one.get_linestyle() == ":"]
    assert dotted == ([] if line is None else [line])
    assert [text.get_text() for text in axis.texts] == words


def test_hollow_and_filled_marks_differ_on_paper_and_in_the_legend():
    rows = [("lower", "lbfgs", 0.7), ("upper", "lbfgs", 1.0), ("upper", "sgd", 1.2)]
    frame = pd.DataFrame(rows, columns=["side", "method", "mean"]).assign(problem="iris", gamma=0.1)
    figure = drawn(interval, frame, LOOKS)
    marks = {
        line.get_xdata()[0]: line for line in figure.axes[0].lines if line.get_marker() == "X" and len(line.get_xdata())
    }
    assert to_hex(marks[0.7].get_markerfacecolor()) == LOOKS["lbfgs"]["color"]
    assert to_hex(marks[1.0].get_markerfacecolor()) == "#ffffff"
    handles = {
        text.get_text(): handle
        for text, handle in zip(figure.legends[0].get_texts(), figure.legends[0].legend_handles, strict=True)
    }
    assert to_hex(handles["network"].get_markerfacecolor()) == "#ffffff"
    assert to_hex(handles["proved bound"].get_markerfacecolor()) != "#ffffff"


@pytest.mark.parametrize("method", ["lbfgs", "sgd", "forest"])
def test_a_hollow_mark_leaves_paper_inside(method):
    looks = arm_looks([(method, "a"), (method, "b")])
    inks, holes = [], []
    with settings(None):
        for look in looks.values():
            figure = Figure(figsize=(0.2, 0.2), dpi=400)
            axis = figure.add_axes((0, 0, 1, 1))
            axis.set_axis_off()
            axis.plot([0.5], [0.5], **{**look, "linestyle": "none"})
            canvas = FigureCanvasAgg(figure)
            canvas.draw()
            light = np.asarray(canvas.buffer_rgba())[:, :, :3].mean(axis=2)
            parts, count = label(light > 235)
            inks.append(int((light < 200).sum()))
            holes.append(sum(int((parts == k).sum()) for k in range(1, count + 1) if k not in parts[0]))
    assert holes[0] == 0
    assert holes[1] > 0.13 * inks[0]  # a marker of 4 points with an edge of 1 has 0.12, 0.10 and 0.02


def test_panels_of_a_row_of_tradeoff_share_the_range_of_accuracies_and_rows_do_not():
    rows = [(p, g, "sdp", "sdp", 1.0, a, a, a) for p, a in (("iris", 0.9), ("pima", 0.6)) for g in (0.1, 0.01)]
    names = ["problem", "gamma", "method", "series", "seconds", "accuracy", "low", "high"]
    frame = pd.DataFrame(rows, columns=names)
    frame.loc[1, ["accuracy", "low", "high"]] = 0.8
    axes = drawn(tradeoff, frame, LOOKS).axes
    limits = [axis.get_ylim() for axis in axes]
    assert limits[0] == limits[1] != limits[2] == limits[3]
    assert limits[0][0] < 0.8 < 0.9 < limits[0][1]
    assert limits[2][0] < 0.6 < limits[2][1] < 0.8


def test_the_ratio_to_the_exact_value_is_drawn_only_where_that_is_proved(tmp_path):
    rows = make_rows({"random": (25, 2, 5, None, 3)}, gammas=(0.1,))
    for row in rows:
        if row["method"] == "cpp" and row["data_seed"] == 0:
            row["lower_bound"] = 0.5 * row["relaxation_value"]  # half of it is not proved
    folder = write_folder(tmp_path / "run", rows, records=False)
    frame = distribution.data(read(folder))
    open_data = rows[0]["data"]
    assert open_data not in set(frame["data"])
    assert frame["sdp_over_exact"].notna().sum() == 2
    assert "the 2 problems whose exact optimum is known" in distribution.caption(frame)


@pytest.mark.thorough
def test_a_style_never_overwrites_a_standard_file(tmp_path):
    folder = write_folder(tmp_path / "run", make_rows(ONE, gammas=(0.1,)), records=False)
    plain = report(folder, figure="accuracy", format="png")
    before = plain.read_bytes()
    for name, ending in (("mine", "-mine"), ("single", "-single-style"), ("paper", "-paper-style")):
        style = tmp_path / f"{name}.mplstyle"
        style.write_text("figure.facecolor: f0f0f0\n", encoding="utf-8")
        assert report(folder, figure="accuracy", format="png", style=str(style)).name == f"accuracy{ending}.png"
    assert plain.read_bytes() == before
    assert not (plain.parent / "accuracy-single.png").exists()


@pytest.mark.thorough
def test_two_formats_are_both_drawn(tmp_path):
    folder = write_folder(tmp_path / "run", make_rows(ONE, gammas=(0.1,)), records=False)
    command = [sys.executable, "-m", "relaxbench", "report", str(folder), "--figure", "ratio", "--format", "pdf"]
    done = subprocess.run([*command, "--format", "png"], capture_output=True, text=True, check=True)
    paths = [folder / "report" / "figures" / f"ratio.{form}" for form in ("pdf", "png")]
    assert done.stdout.split() == [str(path) for path in paths]
    assert [path.read_bytes()[:4] for path in paths] == [b"%PDF", b"\x89PNG"]


def test_the_names_of_figures_are_in_the_help_and_a_wrong_one_is_answered_with_the_nearest(tmp_path):
    assert tuple(FIGURES) == NAMES
    help_text = subprocess.run([sys.executable, "-m", "relaxbench", "report", "--help"], capture_output=True, text=True)
    assert set(NAMES) <= set(re.findall(r"[a-z0-9-]+", help_text.stdout))
    folder = write_folder(tmp_path / "run", make_rows(ONE, gammas=(0.1,)), records=False)
    for wrong, right in (("widht", "width"), ("critical-diference", "critical-difference")):
        with pytest.raises(ReportError, match=f"figure is unknown: '{wrong}'. Did you mean '{right}'") as caught:
            report(folder, figure=wrong)
        assert "\n" not in str(caught.value)


@pytest.mark.thorough
def test_notes_that_hold_for_all_captions_are_on_the_page_once():
    page = whole()[1].read_text(encoding="utf-8")
    for note in NOTES:
        assert page.count(note.replace("'", "&#39;")) == 1
    assert max(len(INTERVAL), len(CHOICE)) < 80


@pytest.mark.thorough
def test_progress_is_there_before_the_libraries_are(tmp_path):
    termios = pytest.importorskip("termios", reason="needs a terminal to show progress on")
    folder = write_folder(tmp_path / "run", make_rows(ONE, gammas=(0.1,)), records=False)
    ours, theirs = os.openpty()
    termios.tcsetwinsize(theirs, (24, 100))
    code = (
        "import sys; from relaxbench.bench.cli import main\n"
        "class Late:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name in ('pandas', 'matplotlib', 'relaxbench.reports.tables.contents'):\n"
        "            print(f'<{name}>', file=sys.stderr, flush=True)\n"
        "sys.meta_path.insert(0, Late())\n"
        f"main(['report', {str(folder)!r}, '--figure', 'ratio'])\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stderr=theirs, stdout=subprocess.DEVNULL):
        os.close(theirs)
        seen = b""
        while True:
            try:
                some = os.read(ours, 4096)
            except OSError:  # the other side is closed
                break
            if not some:
                break
            seen += some
    os.close(ours)
    text = seen.decode()
    assert text.index("loading") < text.index("<pandas>")
    assert text.index("libraries") < text.index("<matplotlib>")
    assert text.index("records") < text.index("ratio")
