"""The columns of results and tightness, in order, each with its kind and meaning: the one place that names them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from ...solvers.fit import Status
from ..grid.model import MODEL

Kind = Literal["str", "int", "float", "bool"]


class Column(NamedTuple):
    """A column of a table; a value that does not apply is missing (an empty field)."""

    name: str
    kind: Kind
    meaning: str


STATUSES = {
    Status.OK: "the method came to its end",
    Status.TIMEOUT: "the time limit ended the work; what the row holds is the best until then, if anything",
    Status.STALLED: "the solver made no more progress before the gap asked for was reached; the best until then counts",
    Status.ITERATION_LIMIT: "all iterations were made before the gap asked for was reached; the best until then counts",
    Status.MEMORY: "the memory limit ended the work",
    Status.DIVERGED: "the method returned numbers that are not finite",
    Status.FAILED: "an exception, a crash, or a result that breaks the contract; see message and traceback.txt",
    Status.UNSUPPORTED: "the method does not apply to this problem and says so",
}

COLUMNS = (
    Column("dataset", "str", "name of the data set"),
    Column("n", "int", "training rows"),
    Column("d", "int", "features, a bias column included"),
    Column("c", "int", "outputs"),
    Column("preprocess", "str", "preprocessing, fitted on training rows only"),
    Column("bias", "bool", "whether a column of ones was appended"),
    Column("activation", "str", "what neurons make of their inputs: relu, leaky:κ, abs, identity"),
    Column("loss", "str", "what is minimised beside the penalty: squares, logistic"),
    Column("method", "str", "name of the method"),
    Column("solver", "str", "option solver of the method"),
    Column("rounding", "str", "option rounding of the method"),
    Column("gamma", "float", "regularisation strength γ, the chosen one where gamma_by says how"),
    Column("width", "int", "neurons asked for; empty if the method has no width"),
    Column("seed", "int", "seed of the method; empty if it draws nothing"),
    Column("status", "str", ", ".join(f"{status}: {meaning}" for status, meaning in STATUSES.items())),
    Column("objective", "float", "training objective of the returned network in float64, an upper bound on p*(∞)"),
    Column("upper_bound", "float", "objective of the best network the method knows, its own or the relaxation's"),
    Column("relaxation_value", "float", "primal value of the relaxation as its solver reports it; not a bound"),
    Column("lower_bound", "float", "lower bound on p*(∞), proved by the checker from the saved certificate"),
    Column(
        "gap",
        "float",
        "(best upper bound of the group − lower_bound)/best upper bound; a group is one training problem: the same "
        "data, activation, loss and gamma",
    ),
    Column(
        "gap_own",
        "float",
        "(objective − best lower_bound of the group)/objective: at most so far is this network above the optimum",
    ),
    Column("train_accuracy", "float", "share of training rows whose largest output is the label's"),
    Column("test_accuracy", "float", "the same on test rows, nothing tuned on them (protocol holdout)"),
    Column(
        "test_accuracy_paper", "float", "optimistic: subset accuracy, threshold and iterate picked on the test rows"
    ),
    Column("optimism", "float", "test_accuracy_paper − test_accuracy: what picking on the test rows gains"),
    Column("balanced_accuracy", "float", "mean over classes of the share of test rows of the class that are right"),
    Column(
        "test_log_loss", "float", "mean of −log p of the label on test rows, p the softmax of outputs (loss logistic)"
    ),
    Column("test_brier", "float", "mean over test rows of Σ (p − y)² over the classes (loss logistic)"),
    Column(
        "test_ece",
        "float",
        "expected calibration error on test rows: |share that is right − mean of the largest p| in each of 15 bins of "
        "equal width of the largest p, averaged over rows (loss logistic)",
    ),
    Column("train_r2", "float", "R² on training rows, mean over outputs (regression)"),
    Column("test_r2", "float", "R² on test rows, mean over outputs (regression)"),
    Column("test_rmse", "float", "root mean squared error on test rows over all outputs (regression)"),
    Column("runtime_s", "float", "wall time of the work: solve_s + round_s, without what setup_s counts"),
    Column("solve_s", "float", "seconds to solve or train; a relaxation shared by cells is counted in each of them"),
    Column("round_s", "float", "seconds to make a network out of the relaxation"),
    Column("cpu_s", "float", "CPU seconds of the work over all threads, compilation included"),
    Column("peak_memory_mb", "float", "largest resident memory of the worker during the work, in 10⁶ bytes"),
    Column("iterations", "int", "iterations as the method counts them"),
    Column("message", "str", "one line on what went wrong or was noteworthy"),
    Column("cell", "str", "hash of everything that can change the row; name of its folder in cells/"),
    Column(
        "gamma_by",
        "str",
        "cv: γ was chosen by cross-validation on training rows; validation: on the validation split of protocol folds; "
        "empty if it was given",
    ),
    Column("chosen", "str", "hyper-parameters chosen beside γ where gamma_by is validation, as JSON"),
    Column("data", "str", "sha256: and the first 12 hexadecimal digits of the hash of the data's arrays"),
    Column(
        "data_rounded",
        "str",
        "the same of the arrays rounded to a millionth of the largest entry of each; processors agree on it",
    ),
    Column("data_seed", "int", "seed of the split, or of the data where they are drawn"),
    Column("n_test", "int", "test rows"),
    Column("options", "str", "all options of the method as JSON"),
    Column("certificate", "str", "kind of proof behind lower_bound"),
    Column("claimed_bound", "float", "bound that a method claimed and that was not proved; empty if it was"),
    Column("verify_s", "float", "seconds in which the checker proved the bound, after the work; not in runtime_s"),
    Column("setup_s", "float", "seconds for imports, loading the data and compilation; not in runtime_s"),
    Column("threads", "int", "threads the worker's linear algebra may use"),
    Column("machine", "str", "key of the machine (processor, cores, linear algebra); see environment.json"),
    Column("environment_key", "str", "key of the versions, commit and machine that made the row; see environment.json"),
)

GROUP = ["data", *MODEL, "gamma"]  # what names a training problem: rows alike in these have the same optimum
GAPS = ("gap", "gap_own")  # what depends on other rows

TIGHTNESS_COLUMNS = (
    *(column for column in COLUMNS if column.name in {"dataset", "data", "data_seed", "preprocess", "bias"}),
    *(column for column in COLUMNS if column.name in {"n", "d", "c", *MODEL, "gamma"}),
    Column("lower_bound", "float", "best proved lower bound of the group"),
    Column("lower_method", "str", "method that proved it"),
    Column("upper_bound", "float", "smallest objective of any network known in the group, rounded or met on the way"),
    Column("upper_method", "str", "method that found it"),
    Column("certified_ratio", "float", "lower_bound / upper_bound"),
    Column(
        "relaxation_value",
        "float",
        "value of method sdp without cuts, of cvxpy-scs only if no other solver ran; the largest",
    ),
    Column(
        "paper_ratio",
        "float",
        "as the paper reports it: value of method sdp, on real data of cvxpy-scs if it ran, / best objective of "
        "method sgd",
    ),
    Column(
        "exact_value",
        "float",
        "value of method cpp where it is proved to the gap that its cell asked for, and at least to 1e-2",
    ),
    Column("sdp_over_exact", "float", "relaxation_value / exact_value"),
)


def row_of(known: Mapping[str, Any]) -> dict[str, Any]:
    """A row of the results as a record keeps it: every column but the gaps, which depend on the other rows.

    Args:
        known: values by column; what is missing does not apply.

    Returns:
        A value or None for each column.

    Raises:
        KeyError: a name that is no column.
    """
    names = [column.name for column in COLUMNS if column.name not in GAPS]
    strange = sorted(known.keys() - set(names))
    if strange:
        raise KeyError(f"results have no column {strange[0]!r}")
    return {name: known.get(name) for name in names}
