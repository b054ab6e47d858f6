"""The one table of methods: it drives configs, the command line, the runs, the tests and the reports.

To add a method write one file with a function `(problem, *, width, seed, budget, **options) -> Fit` and one entry here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Method:
    """How a method is called, what it needs, and how it looks in figures.

    Functions are written `module:function` and imported when needed.

    Attributes:
        function: does all the work for one (width, seed).
        batch: if given, does it for one width and a list of seeds at once.
        relax, round: instead of a function. `relax(problem, *, budget, …) -> Relaxation` is solved once for all cells
            that share data, γ and its options; `round(problem, relaxation, *, width, seed, budget, …) -> Fit`, once
            for each cell.
        axes: which of width and seed change the result.
        warm: modules to import before the clock starts.
        rehearse: call it on a tiny problem before, once in each process, because it imports or compiles at its first
            call.
        code: what computes the result, a change of which recomputes it: rooms, files of rooms, or absolute paths.
        memory: function of the sizes for the array entries that it holds at its peak (entries.py), if there is one.
        look: matplotlib's colour, marker and fill style.
        gamma_unit: the powers of the units of X and Y in γ; None if γ plays no part.
        activations: the kinds of activation that it is made for.
        losses: the losses that it is made for.
        choices: options that `gamma = "validation"` chooses beside γ, with the values to choose from.
    """

    name: str
    about: str
    function: str = ""
    batch: str = ""
    relax: str = ""
    round: str = ""
    axes: tuple[str, ...] = ("width", "seed")
    warm: tuple[str, ...] = ()
    rehearse: bool = False
    code: tuple[str, ...] = ()
    memory: str = ""
    look: Mapping[str, Any] = field(default_factory=dict)
    gamma_unit: tuple[int, int] | None = (1, 1)
    choices: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    activations: tuple[str, ...] = ("relu",)
    losses: tuple[str, ...] = ("squares",)

    def refusal(self, activation: str, loss: str) -> str:
        """Why the method does not apply to a training problem.

        Args:
            activation: of the problem, as text.
            loss: of the problem.

        Returns:
            The reason; empty where the method applies.
        """
        for what, asked, made_for in (("activation", activation, self.activations), ("loss", loss, self.losses)):
            if asked.partition(":")[0] not in made_for:
                return f"{self.name} is made for {what} {', '.join(made_for)}, not for {asked}"
        return ""


_FILES = ("problem", "tables", "network", "fit", "activation", "loss", "logistic")
_BASELINE = ("baselines", *(f"solvers/{file}.py" for file in _FILES))
_BOTH = ("squares", "logistic")
_KERNEL = ("jax", "relaxbench.baselines.tangents")
_SKLEARN = ("sklearn.linear_model",)
_PURE = (0, 0)  # a γ that is compared with a kernel's diagonal
_ALL = ("relu", "leaky", "abs", "identity")
_KINKED = ("relu", "leaky", "abs")  # where rows have activation patterns
_DEEP = {"depth": (1, 2, 3, 4, 5), "layer_bias": (0.0, 1.0), "ridge": ("relative",)}


def _look(color: str, marker: str, **more: str) -> dict[str, str]:
    return {"color": color, "marker": marker, **more}


# In the order in which reports show them. Okabe and Ito's colours for the main methods (safe for the colour-blind, of
# different lightness in grey), and a marker for each; networks of finite width look like their kernel, but hollow.
METHODS = {
    method.name: method
    for method in (
        Method(
            "sdp",
            "the paper's relaxation with a proved bound, rounded to a network",
            relax="solvers.sdp:relax",
            round="solvers.sdp:round_relaxation",
            rehearse=True,
            code=("solvers",),
            memory="bench.grid.entries:relaxation",
            activations=_ALL,
            losses=_BOTH,
            look=_look("#0072b2", "o"),
        ),
        Method(
            "branch",
            "the hierarchy of regions between the relaxation and the exact program, with a proved bound and a network",
            "solvers.branch:branch",
            axes=("seed",),
            rehearse=True,
            code=("solvers",),
            activations=_ALL,
            look=_look("#009e73", "s"),
        ),
        Method(
            "cpp",
            "the completely positive program, exact: p*(∞) with a proved bound and a network",
            "solvers.cpp:cpp",
            axes=(),
            rehearse=True,
            code=("solvers",),
            activations=_ALL,
            losses=_BOTH,
            look=_look("#1f2328", "D"),
        ),
        Method(
            "arrangements",
            "the convex program of Pilanci & Ergen over sampled activation patterns, ReLU or gated",
            "baselines.arrangements:arrangements",
            axes=("seed",),
            rehearse=True,
            code=_BASELINE,
            activations=_KINKED,
            look=_look("#cc79a7", "<"),
        ),
        Method(
            "copositive",
            "Frank–Wolfe over sampled sign patterns, after Sahiner et al.",
            "baselines.copositive:copositive",
            axes=("seed",),
            rehearse=True,
            code=_BASELINE,
            activations=_KINKED,
            look=_look("#7b4fa3", ">"),
        ),
        Method(
            "lbfgs",
            "L-BFGS on both layers",
            "baselines.lbfgs:lbfgs",
            warm=("scipy.optimize",),
            code=_BASELINE,
            memory="bench.grid.entries:descent",
            activations=_ALL,
            losses=_BOTH,
            look=_look("#6e7781", "X"),
        ),
        Method(
            "sgd",
            "full-batch gradient descent with momentum, as in the paper",
            "baselines.sgd:sgd",
            batch="baselines.sgd:sgd_seeds",
            warm=("jax",),
            code=_BASELINE,
            memory="bench.grid.entries:descent",
            activations=_ALL,
            losses=_BOTH,
            look=_look("#56b4e9", "P"),
        ),
        Method(
            "stacked",
            "a deep network, each layer by its own relaxation on the features of the one before",
            "solvers.stacked:stacked",
            rehearse=True,
            code=("solvers",),
            losses=_BOTH,
            look=_look("#332288", "d"),
        ),
        Method(
            "deep",
            "a deep network trained end to end by L-BFGS",
            "baselines.deep:deep",
            warm=("scipy.optimize",),
            code=_BASELINE,
            losses=_BOTH,
            look=_look("#999933", "H"),
        ),
        Method(
            "nngp",
            "kernel regression (ridge, or logistic as the loss is), NNGP",
            "baselines.kernels:nngp",
            axes=(),
            warm=_KERNEL,
            code=_BASELINE,
            memory="bench.grid.entries:kernel",
            gamma_unit=_PURE,
            choices=_DEEP,
            activations=_ALL,
            losses=_BOTH,
            look=_look("#e69f00", "^"),
        ),
        Method(
            "ntk",
            "kernel regression (ridge, or logistic as the loss is), NTK",
            "baselines.kernels:ntk",
            axes=(),
            warm=_KERNEL,
            code=_BASELINE,
            memory="bench.grid.entries:kernel",
            gamma_unit=_PURE,
            choices=_DEEP,
            activations=_ALL,
            losses=_BOTH,
            look=_look("#d55e00", "v"),
        ),
        Method(
            "nngp-finite",
            "nngp of a drawn network of finite width",
            "baselines.kernels:nngp",
            warm=_KERNEL,
            code=_BASELINE,
            memory="bench.grid.entries:kernel",
            gamma_unit=_PURE,
            choices={"ridge": ("relative",)},
            activations=_ALL,
            losses=_BOTH,
            look=_look("#e69f00", "^", fillstyle="none"),
        ),
        Method(
            "ntk-finite",
            "ntk of a drawn network of finite width",
            "baselines.kernels:ntk",
            warm=_KERNEL,
            code=_BASELINE,
            memory="bench.grid.entries:kernel",
            gamma_unit=_PURE,
            choices={"ridge": ("relative",)},
            activations=_ALL,
            losses=_BOTH,
            look=_look("#d55e00", "v", fillstyle="none"),
        ),
        Method(
            "ridge",
            "linear ridge regression",
            "baselines.everyday:ridge",
            axes=(),
            warm=_SKLEARN,
            code=_BASELINE,
            gamma_unit=(2, 0),
            activations=_ALL,
            look=_look("#8c6d31", "p"),
        ),
        Method(
            "rbf",
            "kernel ridge regression, Gaussian kernel",
            "baselines.everyday:rbf",
            axes=(),
            warm=("sklearn.kernel_ridge",),
            code=_BASELINE,
            memory="bench.grid.entries:kernel",
            gamma_unit=_PURE,
            choices={"sharpness": (0.1, 0.3, 1.0, 3.0, 10.0)},
            activations=_ALL,
            look=_look("#117a65", "h"),
        ),
        Method(
            "forest",
            "random forest; γ plays no part in it",
            "baselines.everyday:forest",
            axes=("seed",),
            warm=("sklearn.ensemble",),
            code=_BASELINE,
            gamma_unit=None,
            choices={"features": ("sqrt", "third", "all"), "leaf": (1, 5)},
            activations=_ALL,
            look=_look("#a50f4d", "*"),
        ),
    )
}
