"""Make the catalogue of instances, and fill their entries by our own methods.

python docs/instances.py catalogue           # datasets/instances/catalogue.csv out of the lists below
python docs/instances.py fill SECONDS TOTAL  # better bounds for instances not yet solved, SECONDS each, TOTAL in all
"""

import csv
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from relaxbench.bench.certify import certify
from relaxbench.bench.fit import fit
from relaxbench.bench.instances.entries import SOLVED, read_entry
from relaxbench.bench.instances.submission import Submission
from relaxbench.bench.instances.submit import Outcome, submit
from relaxbench.datasets import load
from relaxbench.datasets.dataset import short_hash
from relaxbench.datasets.instances import ENTRIES, Instance, instances
from relaxbench.datasets.instances import load as load_instance
from relaxbench.datasets.instances.catalogue import CATALOGUE
from relaxbench.solvers.certificates.certificate import Certificate
from relaxbench.solvers.certificates.quadratic import lower_bound, prove
from relaxbench.solvers.network import Network
from relaxbench.solvers.problem import Problem

from relaxbench import RelaxbenchError

COLUMNS = ("name", "dataset", "seed", "options", "gamma", "n", "d", "c", "data", "rounded")
LITERAL = (0.1, 0.01)  # γ of the paper, for data whose rows and targets are about 1 long
SHARES = (0.1, 0.01)  # elsewhere of the unit of γ, the root mean square of the rows of X times that of Y
RANDOM = (  # n, d, c
    *((10, 2, 1), (25, 2, 5), (50, 2, 2), (100, 2, 5)),
    *((10, 3, 3), (25, 3, 1), (50, 3, 5), (100, 3, 2)),
    *((10, 4, 2), (25, 4, 5), (50, 4, 1), (100, 4, 3)),
    *((10, 5, 5), (25, 5, 2), (50, 5, 3), (100, 5, 1)),
    *((20, 6, 1), (40, 6, 5), (100, 6, 2)),
    *((20, 7, 3), (60, 7, 1)),
    *((20, 8, 5), (50, 8, 2), (100, 8, 5)),
)
STD, BIAS, ALL = {"preprocess": "standardize"}, {"bias": True}, {"test_fraction": 0.0}
REAL: tuple[tuple[str, dict[str, Any], tuple[float, ...] | None], ...] = (  # data set, options, γ
    ("iris", {"n": 30, **STD}, LITERAL),
    ("iris", {}, LITERAL),
    ("iris", STD, LITERAL),
    ("iris", {**STD, **BIAS}, LITERAL),
    ("banknote", {"n": 50, **STD}, LITERAL),
    ("banknote", {"n": 100, **STD}, LITERAL),
    ("banknote", {"n": 100, **BIAS}, None),
    ("banknote", {"n": 500, **STD}, LITERAL),
    ("banknote", {"n": 1000, **STD, **BIAS}, LITERAL),
    ("pima", {"n": 50, **STD, **BIAS}, None),
    ("pima", {"n": 100, **STD}, None),
    ("pima", {**STD, **BIAS}, None),
    ("ionosphere", {"n": 50, **STD, **BIAS}, None),
    ("ionosphere", {"n": 100, "preprocess": "standardize+pca:5"}, None),
    ("ionosphere", {**STD, **BIAS}, None),
    ("mnist", {"n": 50, "preprocess": "pca:5"}, None),
    ("mnist", {"n": 100, "preprocess": "standardize+pca:5"}, None),
    ("mnist", {"n": 200, "preprocess": "pca:10", **BIAS}, None),
    ("mnist", {"n": 500, "preprocess": "standardize+pca:10"}, None),
    ("mnist", {"n": 1000, "preprocess": "pca:20"}, None),
)
SMALL = (  # all rows train, n of them where there are more than a thousand; γ at both shares
    *(("linnerud", {}), ("post-operative", {}), ("zoo", {}), ("slump_test", {}), ("appendicitis", {}), ("tae", {})),
    *(("servo", {}), ("wine", BIAS), ("newthyroid", BIAS), ("haberman", {}), ("diabetes", {})),
    ("plastic", {"n": 1000}),
)

GAPS = (5e-4, 1e-2)  # asked for; the second where the proof of the first is too large to be kept
MANY = 200  # rows up to which exact methods and the relaxation are tried
FEW = 3  # features up to which exact methods are tried whatever the rows
WIDTH = 100
SPARSE = (1e-3, 1e-4, 1e-5, 1e-6)  # shares of the largest entry of T below which entries are left out
LOSS = 2e-4  # of a bound that such a lighter proof may cost


def planned() -> Iterator[tuple[str, str, dict[str, Any], tuple[float, ...] | None]]:
    """Name without γ, data set, options, and γ or None where they come from the data."""
    for n, d, c in RANDOM:
        outputs = "" if c == 5 else f"-c{c}"  # five by default
        yield f"random-n{n}-d{d}{outputs}-s0", "random", {"n": n, "d": d, "c": c, **ALL}, LITERAL
    for points in (4, 10, 20, 40):
        yield f"spiral-n{3 * points}-s0", "spiral", {"points": points, **ALL}, LITERAL
    for dataset, options, gammas in REAL:
        own = {"n_test": None} if dataset == "mnist" else {}
        yield _named(dataset, options), dataset, {**options, **own, **ALL}, gammas
    for name, options in SMALL:
        given = {**STD, "standardize_targets": True, **options}
        yield _named(name, given), f"small/{name}", {**given, **ALL}, None


def _named(dataset: str, options: dict[str, Any]) -> str:
    """Systematic: iris-n30-std-bias, mnist-n100-std-pca5."""
    parts = [dataset, *([f"n{options['n']}"] if "n" in options else [])]
    parts += [step.replace("standardize", "std").replace(":", "") for step in _steps(options)]
    return "-".join([*parts, *(["bias"] if options.get("bias") else [])])


def _steps(options: dict[str, Any]) -> list[str]:
    return str(options["preprocess"]).split("+") if "preprocess" in options else []


def rows() -> Iterator[dict[str, Any]]:
    """The rows of the catalogue as the lists and the data say now."""
    for name, dataset, options, gammas in planned():
        data = load(dataset, **options)
        unit = float(np.prod([np.sqrt(np.sum(A**2) / len(A)) for A in (data.X_train, data.Y_train)]))
        facts = {
            "dataset": dataset,
            "seed": 0,
            "options": json.dumps(options),
            **dict(zip("nd", data.X_train.shape, strict=True)),
            "c": data.Y_train.shape[1],
            "data": short_hash(data.sha256),
            "rounded": data.rounded,
        }
        for gamma in gammas or [float(f"{share * unit:.0e}") for share in SHARES]:
            yield {"name": f"{name}-g{gamma:g}", "gamma": f"{gamma:g}", **facts}


def write_catalogue() -> None:
    """Write the catalogue anew."""
    with CATALOGUE.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows())


def fill(seconds: float, total: float) -> None:
    """Bounds and networks by our own methods for instances that are not solved, first those without any."""
    began = time.perf_counter()
    gaps = {instance.name: read_entry(ENTRIES, instance.name).gap for instance in instances()}
    todo = [one for one in instances() if gaps[one.name] is None or gaps[one.name] > SOLVED]
    for instance in sorted(todo, key=lambda one: (gaps[one.name] is not None, one.n * one.d)):
        if time.perf_counter() - began > total:
            break
        try:
            print(_filled(instance, seconds), flush=True)
        except RelaxbenchError as error:
            print(f"{instance.name}: {error}", flush=True)


def _filled(instance: Instance, seconds: float) -> str:
    """What the method that `certify` picks finds, the relaxation, and a descent, until the instance is solved."""
    data = load_instance(instance)
    problem = Problem(data.X_train, data.Y_train, instance.gamma)
    after = read_entry(ENTRIES, instance.name)
    for gap in GAPS if problem.n <= MANY or problem.d <= FEW else ():
        found = certify(problem, gap=gap, timeout=seconds)
        method = f"{found.method}, gap {gap:g}, {seconds:g} s"
        outcome = _sent(instance, problem, method, found.seconds, found.network, found.certificate)
        after = outcome.after
        if all(bound.kept for bound in outcome.moved):
            break
    if after.kind != "solved" and problem.n <= MANY:
        relaxed = fit(problem, "sdp", gap=GAPS[0], budget=seconds)
        spent = relaxed.stats.solve_s
        after = _sent(instance, problem, f"sdp, {seconds:g} s", spent, relaxed.network, relaxed.certificate).after
    if after.kind != "solved":
        network = fit(problem, "lbfgs", width=WIDTH, budget=seconds).network
        theta = 0.5 * (problem.Y - network.predict(problem.X))  # optimal at a global optimum; of Θ the direction counts
        sent, method = Submission((network,), theta), f"lbfgs, {seconds:g} s, and its residual as theta"
        after = submit(instance, sent, method=method, by="relaxbench", timeout=seconds).after
    return f"{instance.name}: {after.lower} to {after.upper}, gap {after.gap}, {after.kind}"


def _sent(
    instance: Instance,
    problem: Problem,
    method: str,
    seconds: float | None,
    network: Network | None,
    certificate: Certificate | None,
) -> Outcome:
    proof = None if certificate is None else _lighter(problem, certificate)
    spent = None if seconds is None else round(seconds, 1)
    return submit(instance, Submission.of(network, proof), method=method, by="relaxbench", seconds=spent)


def _lighter(problem: Problem, certificate: Certificate) -> Certificate:
    """The certificate with fewer entries of T, in 32 bits, as far as that costs little: files are to be small."""
    if "T_value" not in certificate.proof or "tree" in certificate.proof:
        return certificate
    T, own = certificate.proof["T_value"], certificate.lower_bound
    for share in SPARSE:
        solid = share * np.max(T, initial=0.0) <= T
        proof = {**certificate.proof, "T_value": T[solid].astype(np.float32).astype(np.float64)}
        proof |= {name: certificate.proof[name][solid] for name in ("T_row", "T_column")}
        bound = lower_bound(problem, certificate.theta, prove(certificate.theta, problem.X, proof))
        if bound >= own * (1 - LOSS):
            return replace(certificate, proof=proof, lower_bound=bound)
    return certificate


if __name__ == "__main__":
    if sys.argv[1:2] == ["catalogue"]:
        write_catalogue()
    elif sys.argv[1:2] == ["fill"]:
        fill(float(sys.argv[2]), float(sys.argv[3]))
