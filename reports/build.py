"""The report of a results folder: tables, figures and the page that holds them together."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tqdm import tqdm

from ..errors import unknown
from .beside import Beside
from .results import ReportError, Results

FIGURE_FOLDER, TABLE_FOLDER = "figures", "tables"


def report(
    folder: Path,
    *,
    figure: str | None = None,
    format: str | Sequence[str] | None = None,
    style: str | None = None,
    beside: Beside | None = None,
    out: Path | None = None,
    command: str | None = None,
    live: bool = False,
    workers: int = 1,
) -> Path:
    """Make tables, figures and the page of a run's folder, in folder/report/; or one figure alone.

    A partial or running folder is reported as far as it goes.

    Args:
        folder: the folder of a run.
        figure: a name from `figures.FIGURES`, for that figure alone.
        format: of a single figure: `pdf` (default), `svg` or `png`, or several of them.
        style: `single` (3.4 in wide), `double` (7 in, default), or the name or file of a matplotlib style, whose
            pictures are files of their own, NAME-STYLE.
        beside: another run, compared with this one.
        out: the folder to write into; None for folder/report/.
        command: what makes the report again, as it says itself; None for `relaxbench report` of the folder.
        live: the page is made again and again while a run goes on: each figure once, as SVG, and no progress bar.
        workers: so many processes draw all figures; with more than one, a script must be one that can be imported.

    Returns:
        The path of index.html, or of the figure in the first format; the others lie beside it.

    Raises:
        ReportError: a folder without results, or an unknown figure, format or style.
    """
    forms = [format] if isinstance(format, str) else list(format or ())
    with tqdm(total=1, desc="report", unit="part", disable=live or None) as bar:
        bar.set_postfix_str("libraries")
        from .figures import FIGURES  # matplotlib and scipy are slow to import, and the command line needs neither
        from .figures.drawing import FORMATS, draw
        from .figures.kind import NothingToShow
        from .figures.style import WIDTHS
        from .reading import read

        _check(figure, forms, FIGURES)
        bar.set_postfix_str("records")
        results = replace(read(Path(folder)), beside=beside)
        target = out or results.folder / "report"
        _make(target)
        widths = [style] if style in WIDTHS else ["double"] if figure or live else list(WIDTHS)
        look = None if style in WIDTHS else style
        places: dict[str, Any] = {"widths": widths, "style": look, "mark": _mark(look, FIGURES)}
        if figure is None:
            places["formats"] = ["svg"] if live else FORMATS
            places |= {"workers": workers, "folder": target / FIGURE_FOLDER}
            return _whole(results, target, places, command or f"relaxbench report {shlex.quote(str(folder))}", bar)
        bar.set_postfix_str(figure)
        try:
            drawn = draw(FIGURES[figure], results, target / FIGURE_FOLDER, formats=forms or ["pdf"], **places)
        except NothingToShow as reason:
            raise ReportError(f"The figure {figure} must have something to show. Got nothing: {reason}") from None
        bar.update()
        return next(iter(drawn.files.values()))


def _check(figure: str | None, forms: Sequence[str], names: Iterable[str]) -> None:
    """Raises ReportError for an unknown figure or format, or a format without a figure."""
    from .figures.drawing import FORMATS

    if figure is not None and figure not in names:
        raise ReportError(unknown("figure", figure, names))
    for form in forms:
        if form not in FORMATS:
            raise ReportError(f"format must be one of {', '.join(FORMATS)}. Got {form!r} instead.")
    if forms and figure is None:
        raise ReportError(f"format goes with a figure. Got {forms[0]!r} alone instead: name a figure too.")


def _mark(style: str | None, names: Iterable[str]) -> str:
    """What the names of a style's pictures end with, so that none is that of another figure or width."""
    from .figures.style import WIDTHS

    if style is None:
        return ""
    stem = "".join(letter if letter.isalnum() else "-" for letter in Path(style).stem)
    taken = stem in WIDTHS or any(f"{name}-{stem}" in names for name in names)
    return f"-{stem}-style" if taken else f"-{stem}"


def _whole(results: Results, target: Path, places: Mapping[str, Any], command: str, bar: tqdm) -> Path:
    """All tables and figures, and the page with them in it; returns its path. Moves the bar."""
    from .figures import FIGURES
    from .figures.drawing import Drawn, drawn_by
    from .page.page import write_page
    from .tables.contents import tables

    bar.total = len(FIGURES) + 2
    drawn: dict[str, Any] = {}
    with drawn_by(kinds=list(FIGURES.values()), results=results, **places) as pictures:
        bar.set_postfix_str("tables")
        found = tables(results)
        for table in found:
            table.write(target / TABLE_FOLDER, command)
        bar.update()
        bar.set_postfix_str("figures")
        for kind, picture in pictures:
            drawn[kind.name] = picture
            bar.set_postfix_str(kind.name)
            bar.update()
    written = [drawn[name] for name in FIGURES if isinstance(drawn[name], Drawn)]
    absent = {kind.title: str(drawn[name]) for name, kind in FIGURES.items() if not isinstance(drawn[name], Drawn)}
    bar.set_postfix_str("index.html")
    index = write_page(results, found, written, absent, target, command)
    bar.update()
    return index


def _make(target: Path) -> None:
    """The folders of a report; raises ReportError if they cannot be made, or a link in them may lead elsewhere."""
    for path in (target, *target.rglob("*")):
        if path.is_symlink():
            raise ReportError(f"The report must not be written through a link. Got {path}: remove it.")
    try:
        for name in (FIGURE_FOLDER, TABLE_FOLDER):
            (target / name).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ReportError(f"The results folder must be writable. Got {target} ({error.strerror}) instead.") from None
