"""Pictures and tables out of stored records.

build.py        `report(folder)`  ← start here
reading.py      the folder through the store
results.py      its cells made ready to draw
labels.py       what tells cells apart
plausible.py    what no run can have measured
beside.py       another run, compared with this one
live.py         the page of a run that goes on
integrals.py    proved bounds over time
summary.py      means with intervals, the choice among settings

tables/         one file a table
figures/        one file a figure
page/           index.html and what it says in words
"""

from .beside import Beside
from .build import report
from .live import serve
from .results import ReportError

__all__ = ["Beside", "ReportError", "report", "serve"]
