"""Drawing a figure into files: picture, the CSV behind it, and the script that draws it again from that CSV."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import chain
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pandas as pd
from fontTools import subset
from pebble import ProcessExpired, ProcessPool

from ..labels import relabelled, reworded
from ..results import ReportError, Results
from ..summary import OURS, series
from ..tables.table import inert
from . import style as house
from .kind import FigureKind, Looks, NothingToShow
from .looks import arm_looks, method_looks
from .scripts import script

FORMATS = ("pdf", "svg", "png")
METADATA: dict[str, dict[str, Any]] = {"pdf": {"CreationDate": None}, "svg": {"Date": None}, "png": {"Software": None}}


@dataclass(frozen=True)
class Drawn:
    """A figure that was written: its kind, its rows, its caption, and the files by `format` and `format-single`."""

    kind: FigureKind
    frame: pd.DataFrame
    caption: str
    files: dict[str, Path]


def looks(results: Results) -> Looks:
    """Give every method a look, each followed by the lines that stand for some of its settings (`summary.series`).

    Where a method ran with several solvers, those that are not ours have looks of their own.

    Args:
        results: the results of a run.

    Returns:
        The look by name.
    """
    cells = results.cells.drop_duplicates("arm")
    several = cells.groupby("method")["solver"].transform("nunique") > 1
    foreign = several & ~cells["solver"].isin(OURS) & (cells["solver"] != "")
    kinds = cells["method"].mask(foreign, cells["solver"])
    cells = cells.assign(kind=kinds).set_index("arm", drop=False).loc[results.arms]
    methods = method_looks(results.methods)
    arms: Looks = {}
    for rounded in (False, True):
        lines = series(cells, rounded=rounded)
        arms.update(arm_looks(list(zip(cells["kind"], lines, strict=True))))
    found: Looks = {}
    for method in results.methods:
        own = cells[cells["method"] == method]
        names = dict.fromkeys([*series(own, rounded=False), *series(own)])
        found |= {**{name: arms[name] for name in names}, method: methods[method]}
    return found


@contextmanager
def drawn_by(
    workers: int, kinds: Sequence[FigureKind], results: Results, **places: Any
) -> Iterator[Iterator[tuple[FigureKind, Any]]]:
    """Draw figures: some of them here, as they are asked for, the others meanwhile in other processes.

    Args:
        workers: so many processes, this one among them.
        kinds: the figures.
        results: the results of a run.
        places: the other arguments of `draw`.

    Yields:
        Each figure with what `draw` returns or its NothingToShow, those that are drawn here first.

    Raises:
        ReportError: a process was killed.
    """
    each: Callable[[FigureKind], Any] = partial(_tried, results=results, **places)
    here = kinds[::workers]
    elsewhere = [kind for kind in kinds if kind not in here]
    drawn = ((kind, each(kind)) for kind in here)
    if not elsewhere:
        yield drawn
        return
    pool = ProcessPool(workers - 1, context=get_context("spawn"))
    try:
        yield chain(drawn, zip(elsewhere, pool.map(each, elsewhere).result(), strict=True))
    except ProcessExpired as ended:
        raise ReportError(
            f"The processes that draw figures must not be killed. Got exit code {ended.exitcode} instead: "
            "is there memory enough?"
        ) from None
    finally:
        pool.stop()
        pool.join()


def _tried(kind: FigureKind, **rest: Any) -> Drawn | NothingToShow:
    try:
        return draw(kind, **rest)
    except NothingToShow as nothing:
        return nothing


def draw(
    kind: FigureKind,
    results: Results,
    folder: Path,
    *,
    formats: Sequence[str],
    widths: Sequence[str],
    style: str | None,
    mark: str = "",
) -> Drawn:
    """Write the figure, its CSV and its script.

    Args:
        kind: the figure.
        results: the results of a run.
        folder: where to write.
        formats: `pdf`, `svg`, `png`.
        widths: `single`, `double`.
        style: name or file of a matplotlib style, None for the house's.
        mark: what stands behind the names of the pictures, so that those of a style leave the standard ones alone.

    Returns:
        What was drawn.

    Raises:
        NothingToShow: the results hold nothing for it; raised before anything is written.
    """
    labels = results.labels
    frame = relabelled(kind.data(results), labels)
    known = {labels.get(name, name): look for name, look in looks(results).items()}
    named = {name: look for name, look in known.items() if _occurs(frame, name)} | method_looks(kind.methods)
    files = {}
    inert(frame).to_csv(folder / f"{kind.name}.csv", index=False)
    (folder / f"{kind.name}.py").write_text(script(kind, frame, named), encoding="utf-8")
    with settings(style):
        for width in widths:
            figure = kind.draw(frame, named, house.WIDTHS[width])
            house.settle(figure)
            suffix = "" if width == "double" else f"-{width}"
            for form in formats:
                path = files[form + suffix] = folder / f"{kind.name}{mark}{suffix}.{form}"
                figure.savefig(path, metadata=METADATA[form])
    return Drawn(kind, frame, reworded(kind.caption(frame), labels), files)


@contextmanager
def settings(style: str | None) -> Iterator[None]:
    """Use the house's settings, with a matplotlib style over them.

    Args:
        style: name or file of the style, None for none.

    Raises:
        ReportError: there is no such style.
    """
    import matplotlib
    from matplotlib import style as styles

    layers: list[Any] = [house.settings(), *([style] if style else [])]
    with ExitStack() as stack:
        stack.enter_context(matplotlib.rc_context())
        try:
            stack.enter_context(styles.context(layers))
        except OSError:
            raise ReportError(
                f"style must be single, double, or the name or file of a matplotlib style. Got {style!r} instead."
            ) from None
        stack.enter_context(warnings.catch_warnings())
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        stack.enter_context(_glyphs_alone())
        yield


class _Glyphs(subset.Options):
    """Without the tables for setting text with a font: nobody does with one in a PDF, and to cut them takes longest."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.drop_tables += ["GDEF", "GPOS", "GSUB"]


@contextmanager
def _glyphs_alone() -> Iterator[None]:
    """Have matplotlib embed fonts with `_Glyphs`; it leaves no choice."""
    options = subset.Options
    subset.Options = _Glyphs
    try:
        yield
    finally:
        subset.Options = options


def _occurs(frame: pd.DataFrame, name: str) -> bool:
    return any(column in frame and (frame[column] == name).any() for column in ("method", "arm", "series"))
