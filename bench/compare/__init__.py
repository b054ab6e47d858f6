"""compare: is the candidate worse than the base? Three classes of check and an exit code.

comparison.py   compare and Comparison
match.py        two sides read, and pairs of cells
checks.py       soundness, grid, quality
cost.py         runtime and memory, as advice
beside.py       every check as a row, for a report of two runs
show.py         table, Markdown, JSON, JUnit
"""
