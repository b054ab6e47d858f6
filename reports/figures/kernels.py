"""Heat maps of the kernel that a network learned, next to the kernels NNGP and NTK that are fixed in advance."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from ...bench.grid.model import slope_below
from ..results import Results
from ..summary import chosen
from .arccosine import hidden, kernel
from .kind import FigureKind, NothingToShow
from .style import canvas, only, panels, titles

ROWS = 80  # of the data shown at most, evenly taken from all
NETWORKS = 2  # learned kernels shown at most


def data(results: Results) -> pd.DataFrame:
    """Kernel values between training rows in the order of their class, divided by the mean of the diagonal.

    Taken from the smallest data set with labels (at its largest γ) for which a network can be read.
    """
    cells = chosen(results.done).dropna(subset=["test_accuracy", "objective", "gamma"])
    cells = cells.sort_values(["n", "problem", "gamma"], ascending=[True, True, False], kind="stable")
    rank = {method: k for k, method in enumerate(results.methods)}
    for _, same in cells.groupby(["problem", "gamma"], sort=False):
        one = same[same["data"] == same["data"].iloc[0]].drop_duplicates("method")
        one = one.sort_values("method", key=lambda names: names.map(rank))
        networks = {row["method"]: results.network(row["cell"]) for row in one.to_dict("records")}
        learned = [(name, network) for name, network in networks.items() if network is not None][:NETWORKS]
        found = results.data(one["cell"].iloc[0]) if learned else None
        if found is None:
            continue
        X, Y = found
        order = np.argsort(Y.argmax(axis=1), kind="stable")
        order = order[np.unique(np.linspace(0, len(order) - 1, min(ROWS, len(order))).astype(int))]
        X, label = X[order], Y.argmax(axis=1)[order]
        below = slope_below(one["activation"].iloc[0])
        neurons = {name: hidden(X, U, below) for name, (U, _) in learned}
        matrices = {f"learned by {results.labels.get(name, name)}": H @ H.T for name, H in neurons.items()}
        matrices |= {"NNGP": kernel("nngp", X, X, below), "NTK": kernel("ntk", X, X, below)}
        parts = [_long(name, matrix, label) for name, matrix in matrices.items()]
        return pd.concat(parts).assign(problem=one["problem"].iloc[0], gamma=one["gamma"].iloc[0])
    raise NothingToShow("No data set with labels whose data and networks can be read.")


def _long(name: str, matrix: np.ndarray, label: np.ndarray) -> pd.DataFrame:
    i, j = np.indices(matrix.shape)
    value = matrix / (np.diag(matrix).mean() or 1.0)
    columns = {"i": i.ravel(), "j": j.ravel(), "label": label[i.ravel()], "value": value.ravel()}
    return pd.DataFrame({"kernel": name, **columns})


def draw(frame: pd.DataFrame, looks: dict, width: float) -> Figure:
    """One panel a kernel, on one scale; thin lines part the classes."""
    names = list(dict.fromkeys(frame["kernel"]))
    rows, columns = panels(width, len(names), 4 if len(names) > 3 else 6)
    figure, axes = canvas(width, rows * (0.92 * width / columns) + 0.2, rows, columns)
    low, high = min(0.0, frame["value"].min()), frame["value"].quantile(0.99)
    for axis, name in zip(axes.flat, names, strict=False):
        part = frame[frame["kernel"] == name]
        image = axis.imshow(
            part.pivot_table(index="i", columns="j", values="value"), vmin=low, vmax=high, cmap="cividis"
        )
        changes = np.nonzero(np.diff(part.drop_duplicates("i")["label"]))[0] + 0.5
        for place in changes:
            axis.axhline(place, color="white", linewidth=0.6)
            axis.axvline(place, color="white", linewidth=0.6)
        axis.set_xticks([])
        axis.set_yticks([])
        axis.grid(False)
    titles(axes, names, width / columns)
    only(axes, len(names))
    bar = figure.colorbar(image, ax=axes, shrink=0.75, pad=0.02, aspect=18, label="kernel, scaled")
    bar.outline.set_visible(False)
    return figure


def caption(frame: pd.DataFrame) -> str:
    """What the matrices are."""
    first = frame.iloc[0]
    return (
        f"Kernels between training rows of {first['problem']}, ordered by class (white lines). Learned: (XU)₊(XU)₊ᵀ of "
        f"the network at γ = {first['gamma']:g}; NNGP and NTK are the expectations that kernel methods fix in advance. "
        "Each is divided by the mean of its diagonal; the largest hundredth of the values has the end colour."
    )


FIGURE = FigureKind("kernels", "Learned kernel next to NNGP and NTK", data, draw, caption)
