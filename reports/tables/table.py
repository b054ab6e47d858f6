"""A table that can be written as CSV, Markdown, LaTeX (booktabs) and HTML, from one set of rows."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Context, Decimal
from pathlib import Path
from typing import Any, cast

import pandas as pd

LATEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\char34{}",
    "±": r"$\pm$",
    "γ": r"$\gamma$",
    "≤": r"$\le$",
    "≥": r"$\ge$",
    "∞": r"$\infty$",
    "×": r"$\times$",
    "½": r"$\frac12$",
    "−": r"$-$",
    "–": "--",
    "…": r"\ldots{}",
    "*": r"\ensuremath{*}",
    "[": "{[}",
    "]": "{]}",
}
MARKDOWN = {letter: "\\" + letter for letter in "\\`*_{}[]|#$~!"} | {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
FORMULA = ("=", "+", "-", "@")  # what a spreadsheet takes for the beginning of a formula


@dataclass(frozen=True)
class Entry:
    """One field: its text, whether it is the best of its row, and the numbers of the footnotes that belong to it."""

    text: str
    best: bool = False
    notes: tuple[int, ...] = ()


@dataclass(frozen=True)
class Table:
    """name: the file's stem. header and rows: what is shown; the first `labels` columns are names, the rest numbers.

    data: the same numbers unrounded, one a row (the CSV). notes: footnotes, numbered from 1 in `Entry.notes`.
    """

    name: str
    title: str
    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[Entry, ...], ...]
    data: pd.DataFrame
    labels: int = 2
    notes: tuple[str, ...] = field(default=())

    def write(self, folder: Path, command: str) -> None:
        """Write `name`.csv, .md and .tex.

        Args:
            folder: where to write them.
            command: makes the tables again; the two texts name it.
        """
        inert(self.data).to_csv(folder / f"{self.name}.csv", index=False)
        (folder / f"{self.name}.md").write_text(markdown(self, command), encoding="utf-8")
        (folder / f"{self.name}.tex").write_text(latex(self, command), encoding="utf-8")


def inert(frame: pd.DataFrame) -> pd.DataFrame:
    """Put an apostrophe before every text that a spreadsheet would take for a formula; numbers stay.

    So that it can be undone (scripts.py), one more is put before a formula that has apostrophes already.

    Args:
        frame: the table.

    Returns:
        The table to write as CSV.
    """

    def quoted(value: Any) -> Any:
        return f"'{value}" if isinstance(value, str) and value.lstrip("'").startswith(FORMULA) else value

    texts = [name for name in frame if frame[name].dtype.kind not in "ifb"]
    return frame.assign(**{name: frame[name].map(quoted) for name in texts})


ABSENT = Entry("–")
TOO_LONG = 1e15
Row = dict[str, Any]


def number(value: float, digits: int = 4, rounding: str = ROUND_HALF_EVEN) -> str:
    """Show a number in significant digits.

    Args:
        value: the number.
        digits: how many.
        rounding: a mode of `decimal`; ROUND_FLOOR keeps what was proved true.

    Returns:
        The text, – for nothing.
    """
    if math.isnan(value):
        return ABSENT.text
    rounded = Context(prec=digits, rounding=rounding).create_decimal(Decimal(value))
    return f"{float(rounded):.{digits}g}"


def gamma_text(gamma: float, by: str = "cv") -> str:
    """γ as it is shown; it is missing where it was chosen for each cell by itself, by cross-validation or otherwise."""
    return f"by {by}" if math.isnan(gamma) else number(gamma)


def fixed(value: float, digits: int, rounding: str = ROUND_HALF_EVEN) -> str:
    """Show a number with digits after the point; no minus sign before a zero.

    Args:
        value: the number.
        digits: how many; significant ones for a number that would fill the line.
        rounding: a mode of `decimal`.

    Returns:
        The text, – for nothing.
    """
    if math.isnan(value):
        return ABSENT.text
    if abs(value) >= TOO_LONG:
        return number(value, digits, rounding)
    return f"{Decimal(value).quantize(Decimal(1).scaleb(-digits), rounding=rounding):zf}"


def records(frame: pd.DataFrame) -> list[Row]:
    """Turn the rows of a frame into dicts.

    Args:
        frame: the table.

    Returns:
        One dict a row.
    """
    return cast(list[Row], frame.to_dict("records"))


def latex_text(text: str) -> str:
    """Escape everything that LaTeX would act upon.

    Args:
        text: any text.

    Returns:
        The text to put into LaTeX.
    """
    return "".join(LATEX.get(letter, letter) for letter in text)


def latex(table: Table, command: str) -> str:
    """Write a table as a `table` environment for booktabs and graphicx, made smaller where it is wider than the text.

    Names in other scripts need XeLaTeX or LuaLaTeX.

    Args:
        table: the table.
        command: makes it again; a comment names it.

    Returns:
        The source.
    """

    def entry(field: Entry) -> str:
        text = rf"\textbf{{{latex_text(field.text)}}}" if field.best else latex_text(field.text)
        return text + (rf"\textsuperscript{{{','.join(map(str, field.notes))}}}" if field.notes else "")

    columns = "l" * table.labels + "r" * (len(table.header) - table.labels)
    lines = [
        f"% Made by: {command}",
        r"% Needs \usepackage{booktabs,graphicx}",
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{latex_text(table.caption)}}}",
        rf"\label{{tab:{table.name}}}",
        rf"\resizebox{{\ifdim\width>\linewidth\linewidth\else\width\fi}}{{!}}{{\begin{{tabular}}{{{columns}}}",
        r"\toprule",
        " & ".join(latex_text(name) for name in table.header) + r" \\",
        r"\midrule",
        *(" & ".join(entry(field) for field in row) + r" \\" for row in table.rows),
        r"\bottomrule",
        r"\end{tabular}}",
    ]
    notes = [rf"\textsuperscript{{{k}}} {latex_text(note)}\\" for k, note in enumerate(table.notes, 1)]
    if notes:
        lines += ["", r"\smallskip", r"\begin{minipage}{\linewidth}\footnotesize", *notes, r"\end{minipage}"]
    return "\n".join([*lines, r"\end{table}", ""])


def markdown_text(text: str) -> str:
    """Text with everything escaped that Markdown would act upon, and HTML as entities, which every reader knows."""
    return "".join(MARKDOWN.get(letter, letter) for letter in text)


def markdown(table: Table, command: str) -> str:
    """Write a table as a pipe table with its title, caption and footnotes.

    Args:
        table: the table.
        command: makes it again; the last line names it.

    Returns:
        The text.
    """

    def entry(field: Entry) -> str:
        text = f"**{markdown_text(field.text)}**" if field.best else markdown_text(field.text)
        return text + (f"<sup>{','.join(map(str, field.notes))}</sup>" if field.notes else "")

    rule = ["---"] * table.labels + ["--:"] * (len(table.header) - table.labels)
    lines = [
        f"**{markdown_text(table.title)}.** {markdown_text(table.caption)}",
        "",
        "| " + " | ".join(markdown_text(name) for name in table.header) + " |",
        "| " + " | ".join(rule) + " |",
        *("| " + " | ".join(entry(field) for field in row) + " |" for row in table.rows),
        "",
        *(f"<sup>{k}</sup> {markdown_text(note)}  " for k, note in enumerate(table.notes, 1)),
        "",
        f"Made by `{command.replace('`', '')}`.",
        "",
    ]
    return "\n".join(lines)
