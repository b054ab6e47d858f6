"""The page of a report: index.html, one file without anything from elsewhere.

page.py         the page
cells.py        every cell in it: columns, the command that computes it alone, the way of its solver
packing.py      tables packed into it
findings.py     what the results say in words, and only what a test shows
templates/, assets/   its parts: templates/scripts/ is what runs in it, one concern a file
"""
