"""The figures, one file each: what it shows (`data`), how it is drawn (`draw`), what is said about it (`caption`).

accuracy.py — test accuracy, R² and optimism by data set and method, each protocol by itself. ratio.py — certified ratio
by data set and γ. interval.py — lower bounds and networks by problem. distribution.py — SDP over exact optimum.
scaling.py — the same as the problem grows. activations.py — the same for other activations. width.py — training
objective against width. gap.py — proved gap against time, of the best network and of the relaxation. runtime.py —
runtime against n. profile.py — performance profiles. tradeoff.py — accuracy against runtime. rounding.py — roundings
compared. regions.py — what was learned in the plane. kernels.py — learned and fixed kernels. trends.py — metrics over
the nights. critical.py — average ranks over data sets, and what no test tells apart. against.py — the reference against
each rival, a point a data set. beside.py — this run against another, a point a cell.

history.py — bounds of instances over time, not of a run.
kind.py — what a figure is. style.py — how figures look. looks.py — how each method looks in them. drawing.py —
pictures and their CSV. scripts.py — the script beside a picture. arccosine.py — kernels in closed form.
charts.py — the figures to look into on the page. interactive.py — their rows and looks, made ready for its script.
"""

from . import (
    accuracy,
    activations,
    against,
    beside,
    critical,
    distribution,
    gap,
    interval,
    kernels,
    profile,
    ratio,
    regions,
    rounding,
    runtime,
    scaling,
    tradeoff,
    trends,
    width,
)

FIGURES = {
    figure.name: figure
    for figure in (
        accuracy.FIGURE,
        accuracy.R2,
        critical.FIGURE,
        against.FIGURE,
        against.R2,
        ratio.FIGURE,
        interval.FIGURE,
        width.FIGURE,
        distribution.FIGURE,
        scaling.FIGURE,
        activations.FIGURE,
        gap.FIGURE,
        gap.SOLVERS,
        profile.FIGURE,
        tradeoff.FIGURE,
        runtime.FIGURE,
        rounding.FIGURE,
        rounding.NOISE,
        regions.FIGURE,
        kernels.FIGURE,
        accuracy.PAPER,
        accuracy.OPTIMISM,
        trends.FIGURE,
        beside.FIGURE,
    )
}
