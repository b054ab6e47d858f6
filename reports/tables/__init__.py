"""The tables, one file each.

contents.py     which tables there are, runtime among them
table.py        a table as CSV, Markdown and LaTeX
scores.py       accuracy, R² and the like, a protocol a table
paired.py       methods compared split by split
boards.py       scores over many data sets, and their tests
across.py       methods compared over data sets
properties.py   what properties of data sets say about the lead
splits.py       what splits have in common
behind.py       why a method is behind
ranking.py      all methods and settings
leaderboard.py  methods on the instances, by what they proved and how soon
tightness.py    bounds and ratios
critical_width.py   widths that are enough
solvers.py      solvers side by side
beside.py       this run and another side by side
trends.py       nights and the steps in them
"""
