"""The report of a results folder: tables, figures and the page that holds them together."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path

from tqdm import tqdm

from .beside import Beside
from .results import ReportError, Results

FIGURE_FOLDER, TABLE_FOLDER = "figures", "tables"


def report(
    folder: Path,
    *,
    figure: str | None = None,
    format: str | None = None,
    style: str | None = None,
    beside: Beside | None = None,
    out: Path | None = None,
    command: str | None = None,
    live: bool = False,
) -> Path:
    """Make tables, figures and the page of a run's folder, in folder/report/; or one figure alone.

    A partial or running folder is reported as far as it goes.

    Args:
        folder: the folder of a run.
        figure: a name from `figures.FIGURES`, for that figure alone.
        format: of a single figure: `pdf` (default), `svg` or `png`.
        style: `single` (3.4 in wide), `double` (7 in, default), or the name or file of a matplotlib style.
        beside: another run, compared with this one.
        out: the folder to write into; None for folder/report/.
        command: what makes the report again, as it says itself; None for `relaxbench report` of the folder.
        live: the page is made again and again while a run goes on: each figure once, as SVG, and no progress bar.

    Returns:
        The path of index.html, or of the figure.

    Raises:
        ReportError: a folder without results, or an unknown figure, format or style.
    """
    from .figures import FIGURES  # matplotlib and scipy are slow to import, and the command line needs neither
    from .figures.drawing import FORMATS, draw
    from .figures.kind import NothingToShow
    from .figures.style import WIDTHS
    from .reading import read

    if figure is not None and figure not in FIGURES:
        raise ReportError(f"figure must be one of {', '.join(FIGURES)}. Got {figure!r} instead.")
    if format is not None and format not in FORMATS:
        raise ReportError(f"format must be one of {', '.join(FORMATS)}. Got {format!r} instead.")
    if format is not None and figure is None:
        raise ReportError(f"format goes with a figure. Got {format!r} alone instead: name a figure too.")
    results = replace(read(Path(folder)), beside=beside)
    target = out or results.folder / "report"
    _make(target)
    widths = [style] if style in WIDTHS else ["double"] if figure or live else list(WIDTHS)
    look = None if style in WIDTHS else style
    if figure is None:
        command = command or f"relaxbench report {shlex.quote(str(folder))}"
        return _whole(results, target, widths, look, command, live)
    form = format or "pdf"
    try:
        drawn = draw(FIGURES[figure], results, target / FIGURE_FOLDER, formats=[form], widths=widths, style=look)
    except NothingToShow as reason:
        raise ReportError(f"The figure {figure} must have something to show. Got nothing: {reason}") from None
    return drawn.files[form if widths == ["double"] else f"{form}-{widths[0]}"]


def _whole(results: Results, target: Path, widths: list[str], look: str | None, command: str, live: bool) -> Path:
    """All tables and figures, and the page with them in it; returns its path."""
    from .figures import FIGURES
    from .figures.drawing import FORMATS, Drawn, draw
    from .figures.kind import NothingToShow
    from .page.page import write_page
    from .tables.contents import tables

    written: list[Drawn] = []
    absent: dict[str, str] = {}
    found, pictures = tables(results), target / FIGURE_FOLDER
    formats = ("svg",) if live else FORMATS
    with tqdm(total=len(FIGURES) + len(found) + 1, desc="report", unit="part", disable=live or None) as bar:
        for table in found:
            table.write(target / TABLE_FOLDER, command)
            bar.update()
        for name, kind in FIGURES.items():
            bar.set_postfix_str(name)
            try:
                written.append(draw(kind, results, pictures, formats=formats, widths=widths, style=look))
            except NothingToShow as reason:
                absent[kind.title] = str(reason)
            bar.update()
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
