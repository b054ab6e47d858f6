"""How every figure looks: sizes, type, and one colour, marker and line for a method wherever it appears.

The module needs nothing but matplotlib and knows no other, because the script beside each figure carries a copy of it.
"""

import logging
import unicodedata
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, NullLocator

WIDTHS = {"single": 3.4, "double": 7.0}  # inches: one and two columns of a paper
INK, SOFT, GRID, PAPER = "#1f2328", "#57606a", "#d5dae0", "#ffffff"
PANELS = 12  # of a figure with one panel for each problem, drawn at most; the CSV has all

OTHER_LOOKS: list[dict[str, Any]] = [
    {"color": "#aa4499", "marker": "d"},
    {"color": "#44aa99", "marker": "8"},
    {"color": "#999933", "marker": "H"},
    {"color": "#332288", "marker": "<"},
    {"color": "#882255", "marker": "p"},
]
LINES = ["-", "--", "-.", ":", (0, (6, 1, 1, 1, 1, 1)), (0, (1, 1))]
GAMMA_LOOKS = [
    {"color": "#0072b2", "marker": "o"},
    {"color": "#d55e00", "marker": "s"},
    {"color": "#009e73", "marker": "^"},
    {"color": "#7b4fa3", "marker": "D"},
    {"color": "#8c6d31", "marker": "v"},
]


def settings() -> dict[str, Any]:
    """The rcParams of every figure: fonts embedded as TrueType, a quiet grid, letters for a printed column."""
    installed = set(font_manager.get_font_names())
    wide = ["Noto Sans CJK SC", "Noto Sans CJK JP", "Arial Unicode MS", "PingFang SC", "Microsoft YaHei"]
    return {
        "font.family": ["DejaVu Sans", *(name for name in wide if name in installed)],
        "font.size": 7.5,
        "axes.titlesize": 7.5,
        "axes.labelsize": 7.5,
        "xtick.labelsize": 7,
        "ytick.labelsize": 7,
        "legend.fontsize": 7,
        "legend.frameon": False,
        "legend.handlelength": 1.8,
        "text.color": INK,
        "axes.labelcolor": INK,
        "axes.edgecolor": SOFT,
        "xtick.color": SOFT,
        "ytick.color": SOFT,
        "xtick.labelcolor": INK,
        "ytick.labelcolor": INK,
        "axes.linewidth": 0.6,
        "xtick.major.width": 0.6,
        "ytick.major.width": 0.6,
        "xtick.minor.width": 0.4,
        "ytick.minor.width": 0.4,
        "axes.grid": True,
        "axes.axisbelow": True,
        "grid.color": GRID,
        "grid.linewidth": 0.5,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "lines.linewidth": 1.2,
        "lines.markersize": 4,
        "lines.markeredgewidth": 0.8,
        "figure.dpi": 100,
        "savefig.dpi": 200,
        "figure.facecolor": PAPER,
        "axes.facecolor": PAPER,
        "savefig.facecolor": "auto",
        "pdf.fonttype": 42,
        "ps.fonttype": 42,
        "svg.fonttype": "path",
        "svg.hashsalt": "relaxbench",
    }


def other_look(k: int) -> dict[str, Any]:
    """The k-th spare look: when the colours come round again, they take other markers."""
    count = len(OTHER_LOOKS)
    return {**OTHER_LOOKS[k % count], "marker": OTHER_LOOKS[(k + k // count) % count]["marker"]}


def gamma_looks(gammas: Iterable[float]) -> dict[float, dict[str, Any]]:
    """Colour and marker for each γ, largest first."""
    values = sorted(set(gammas), reverse=True)
    return {value: GAMMA_LOOKS[k % len(GAMMA_LOOKS)] for k, value in enumerate(values)}


def choice_looks(names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Colour and marker for each of a few alternatives within one method, in alphabetical order."""
    return {name: other_look(k) for k, name in enumerate(sorted(set(names)))}


def plain(text: object) -> str:
    """Text that matplotlib prints as it is: no mathematics between dollars, nothing hidden by a leading underscore."""
    escaped = str(text).replace("$", r"\$")
    return " " + escaped if escaped.startswith("_") else escaped


def canvas(width: float, height: float, rows: int = 1, columns: int = 1, **options: Any) -> tuple[Figure, np.ndarray]:
    """A figure of this size in inches with a (rows, columns) array of axes."""
    logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)  # silent about fonts that are not there
    figure = Figure(figsize=(width, height), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.03, h_pad=0.03, wspace=0.05)  # type: ignore[union-attr, call-arg]
    axes = figure.subplots(rows, columns, squeeze=False, **options)
    return figure, axes


def settle(figure: Figure) -> None:
    """Compute once where everything goes; it would be computed again for each file that the figure is saved to."""
    figure.draw_without_rendering()
    figure.set_layout_engine(None)


def legend(figure: Figure, looks: dict[Any, dict[str, Any]], *, lines: bool = False, name: str = "{}") -> None:
    """A legend above the axes, in as many columns as fit, for things drawn with `looks`; it adds to the height."""
    handles = [
        Line2D(
            [],
            [],
            **{**look, "linestyle": look.get("linestyle", "-") if lines else "none"},
            label=plain(name.format(key)),
        )
        for key, look in looks.items()
    ]
    lengths = [_letters(name.format(key)) for key in looks]
    columns = len(lengths)
    while columns > 1 and _points(lengths, columns) > figure.get_size_inches()[0] * 72:
        columns -= 1
    figure.set_figheight(figure.get_figheight() + 0.15 * (-(-len(lengths) // columns) - 1))
    figure.legend(handles=handles, loc="outside upper center", ncols=columns, columnspacing=1.2, handletextpad=0.5)


def _points(lengths: Sequence[int], columns: int) -> float:
    """Width in points, roughly, of a legend whose labels have these many letters; matplotlib fills it by columns."""
    rows, longer = divmod(len(lengths), columns)
    starts = [0, *np.cumsum([rows + (k < longer) for k in range(columns)])]
    return sum(max(lengths[i:j]) * 4.2 + 34 for i, j in pairwise(starts))


def _letters(text: str) -> int:
    """How many letters wide a text is; those of East Asia count twice."""
    return sum(1 + (unicodedata.east_asian_width(letter) in "WF") for letter in text)


def titles(axes: np.ndarray, texts: Sequence[str], room: float) -> None:
    """Titles, all in letters so small that the longest line fits a panel that takes `room` inches with its ticks."""
    longest = max(_letters(line) for text in texts for line in text.split("\n"))
    for axis, text in zip(axes.flat, texts, strict=False):
        axis.set_title(plain(text), fontsize=min(7.5, max(4.5, 72 * 0.85 * room / (0.6 * longest))))


def panels(width: float, count: int, most: int) -> tuple[int, int]:
    """(rows, columns) for `count` panels: at most `most` side by side over two columns of text, half as many in one."""
    columns = min(count, most if width > 5 else (most + 1) // 2)
    return -(-count // columns), columns


def round_ticks(low: float, high: float, most: int = 7) -> tuple[list[float], list[str]]:
    """Choose round numbers for a logarithmic axis.

    Args:
        low: lower limit.
        high: upper limit.
        most: at most so many numbers.

    Returns:
        The numbers between the limits, and how to write them.
    """
    exponents = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    for digits in ((1, 1.5, 2, 3, 5, 7), (1, 2, 5), (1, 3), (1,)):
        ticks = [digit * 10.0**k for k in exponents for digit in digits if low <= digit * 10.0**k <= high]
        if len(ticks) <= min(5, most):
            break
    if len(ticks) < 3:
        even = MaxNLocator(4, steps=[1, 2, 5, 10]).tick_values(low, high)
        ticks = [float(tick) for tick in even if low <= tick <= high]
    ticks = ticks[:: -(-len(ticks) // most) or 1]
    if all(1e-3 <= tick < 1e5 for tick in ticks):
        return ticks, [f"{tick:.5g}" for tick in ticks]
    raised = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")  # much faster to draw than mathematics between dollars
    return ticks, ["10" + f"{np.log10(tick):.0f}".translate(raised) for tick in ticks]


def around(values: Sequence[float], least: float) -> tuple[float, float]:
    """Limits of a logarithmic axis for these positive values: a factor `least` of room, more where they span much."""
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    room = max(least, (high / low) ** 0.04)
    return low / room, high * room


def log_x(axes: Axes, low: float, high: float, most: int = 7) -> None:
    """A logarithmic x axis from `low` to `high` with at most `most` ticks."""
    axes.set_xlim(low, high)
    axes.set_xscale("log")
    axes.set_xticks(*round_ticks(low, high, most))
    axes.xaxis.set_minor_locator(NullLocator())


def log_y(axes: Axes, low: float, high: float) -> None:
    """A logarithmic y axis from `low` to `high`."""
    axes.set_ylim(low, high)
    axes.set_yscale("log")
    axes.set_yticks(*round_ticks(low, high))
    axes.yaxis.set_minor_locator(NullLocator())


def bars(axes: Axes, at: Any, frame: Any, **look: Any) -> None:
    """Draw certified intervals, from `low` to `high` of the rows of a frame, with marks at their middles."""
    middle, half = (frame["low"] + frame["high"]) / 2, (frame["high"] - frame["low"]) / 2
    axes.errorbar(at, middle, yerr=half, capsize=2, elinewidth=1, **look)


def only(axes: np.ndarray, used: int) -> None:
    """Hide all but the first `used` of a grid of axes and label the lowest one of each column."""
    for axis in axes.flat[used:]:
        axis.set_visible(False)
    for axis in axes.flat[max(0, used - axes.shape[1]) : used]:
        axis.tick_params(labelbottom=True)


def name_rows(axes: Axes, names: Sequence[str], size: float = 7) -> None:
    """Names along the y axis, first on top, with a thin line between them."""
    axes.set_yticks(range(len(names)), [plain(name) for name in names], fontsize=size)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.grid(False, axis="y")
    for k in range(1, len(names)):
        axes.axhline(k - 0.5, color=GRID, linewidth=0.5, zorder=0)
