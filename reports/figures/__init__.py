"""The figures, one file each: what it shows (`data`), how it is drawn (`draw`), what is said about it (`caption`).

accuracy.py — test accuracy by data set and method. ratio.py — certified ratio by data set and γ.
width.py — training objective against width with the proved lower bound. kind.py — what a figure is.
"""

from . import accuracy, ratio, width

FIGURES = {figure.name: figure for figure in (accuracy.FIGURE, ratio.FIGURE, width.FIGURE, accuracy.PAPER)}
