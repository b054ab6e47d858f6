"""Pictures and tables out of stored records.

build.py — `report(folder)`, the way in. reading.py — the folder through the store. results.py — its cells made ready
to draw. summary.py — means with intervals. contents.py — which tables there are, accuracy and
runtime among them. ranking.py — all methods and settings. tightness.py — bounds and ratios. tables.py — CSV, Markdown
and LaTeX.
figures/ — one file a figure. style.py — how figures look. drawing.py — pictures, their CSV and their script.
findings.py — what the results say in words. page.py, templates/, assets/ — index.html.
"""

from .build import report
from .results import ReportError

__all__ = ["ReportError", "report"]
