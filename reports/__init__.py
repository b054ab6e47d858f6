"""Pictures and tables out of stored records.

build.py — `report(folder)`, the way in. reading.py — the folder through the store. results.py — its cells made ready
to draw. plausible.py — what no run can have measured. summary.py — means with intervals, the choice among settings.

contents.py — which tables there are, runtime among them. scores.py — accuracy, R² and the like, a protocol a table.
paired.py — methods compared split by split. splits.py — what splits have in common. behind.py — why one of them is
behind. ranking.py — all methods and settings. tightness.py — bounds and ratios. critical_width.py — widths that are
enough. solver_table.py — solvers side by side. trends.py — nights and the steps in them.
tables.py — CSV, Markdown and LaTeX.

figures/ — one file a figure. arccosine.py — kernels in closed form. style.py — how figures look. drawing.py — pictures
and their CSV. scripts.py — the script beside a picture.

findings.py — what the results say in words, and only what a test shows. page.py, templates/, assets/ — index.html.
"""

from .build import report
from .results import ReportError

__all__ = ["ReportError", "report"]
